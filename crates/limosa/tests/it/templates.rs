//! The files that `new --template` writes: run as they are, on every engine, between writes of old and new code.

use std::fs;
use std::time::Duration;

use limosa::{
    Failure, Identity, MigrateOptions, Numbering, Progress, Repair, Selection, Stop, Template, TemplateDetails, Version,
};

use crate::place::{Home, Place, all_homes, error_text, newest_postgres, sqlite};

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

impl Home {
    fn template(&self, title: &str, template: Template, details: &TemplateDetails) -> Result<Vec<String>, Failure> {
        let now = Duration::from_secs(1_700_000_000);
        let answer = self.migrator().new_from_template(title, template, details, None, Numbering::Auto, now)?;
        let short = |path: String| path.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(answer.done.into_iter().map(short).collect())
    }

    async fn goes_up(&self, to: &str) {
        let options = MigrateOptions { to: Some(Version::parse(to).unwrap()), ..MigrateOptions::default() };
        let result = self.migrate_with(&options).await;
        assert_eq!(result.as_ref().map(|answer| answer.exit_code).unwrap_or(99), 0, "{}", error_text(&result));
    }

    async fn goes_back(&self, to: &str) {
        let result = self.rollback(Selection::To(Version::parse(to).unwrap())).await;
        assert_eq!(result.as_ref().map(|answer| answer.exit_code).unwrap_or(99), 0, "{}", error_text(&result));
    }

    /// The rows of a table as `id|...`, quoted as the engine quotes.
    fn quoted(&self, sql: &str) -> String {
        if self.is_mysql() { sql.replace('"', "`") } else { sql.to_owned() }
    }
}

#[tokio::test]
async fn a_column_is_added_in_steps_that_run_as_they_are() {
    for home in all_homes() {
        home.file("001_users.sql", "create table users (id integer primary key, name varchar(50) not null);\n-- limosa:rollback\ndrop table users;\n");
        let details = TemplateDetails {
            table: text("users"),
            column: text("home phone"),
            data_type: text("VARCHAR(40)"),
            value: text("'it''s unknown'"),
            ..Default::default()
        };
        let files = home.template("Add phone", Template::AddColumn, &details).unwrap();
        assert_eq!(files, ["002_add_phone_expand.sql", "003_add_phone_backfill.sql", "004_add_phone_enforce.sql"]);

        home.goes_up("1").await;
        home.execute("insert into users (id, name) values (1, 'Ada'), (2, 'Bob')");
        home.goes_up("2").await;
        home.execute(&home.quoted("insert into users (id, name, \"home phone\") values (3, 'Cy', '555')"));
        home.execute("insert into users (id, name) values (4, 'old code')");
        let phones = home.quoted("select id, \"home phone\" from users order by id");
        assert_eq!(home.rows(&phones), ["1|-", "2|-", "3|555", "4|-"]);
        home.goes_up("3").await;
        assert_eq!(home.rows(&phones), ["1|it's unknown", "2|it's unknown", "3|555", "4|it's unknown"]);
        home.execute("insert into users (id, name) values (5, 'late old code')");
        home.goes_up("4").await;
        assert_eq!(home.rows(&phones)[4], "5|it's unknown");
        assert!(home.refuses("insert into users (id, name) values (6, 'no phone')"));
        assert!(home.refuses(&home.quoted("update users set \"home phone\" = null")));

        home.goes_back("3").await;
        home.execute("insert into users (id, name) values (6, 'no phone')");
        home.goes_up("4").await;
        home.goes_back("1").await;
        assert!(home.refuses(&home.quoted("select users.\"home phone\" from users")));
        assert_eq!(home.rows("select count(*) from users"), ["6"]);
        home.goes_up("4").await;
        home.goes_back("0").await;
        assert_eq!(home.tables(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn many_pages_and_partitions_are_filled() {
    let home = newest_postgres();
    home.file(
        "001_events.sql",
        "create schema shop;
         create table shop.\"Events\" (id integer not null, note text) partition by range (id);
         create table shop.events_low partition of shop.\"Events\" for values from (0) to (20000);
         create table shop.events_high partition of shop.\"Events\" for values from (20000) to (90000);
         insert into shop.\"Events\" select n, repeat('x', 300) from generate_series(0, 59999) n;",
    );
    let details = TemplateDetails {
        table: text("shop.Events"),
        column: text("score"),
        data_type: text("BIGINT"),
        value: text("id * 2"),
        ..Default::default()
    };
    home.template("add score", Template::AddColumn, &details).unwrap();
    home.goes_up("3").await;
    assert_eq!(
        home.rows("select count(*), count(*) filter (where score = id * 2) from shop.\"Events\""),
        ["60000|60000"]
    );
    // Each batch is a transaction of its own.
    let batches = home.rows("select count(distinct xmin::text) from shop.events_high");
    assert!(batches[0].parse::<u32>().unwrap() > 1, "{batches:?}");
    home.goes_up("4").await;
    assert!(home.refuses("insert into shop.\"Events\" (id) values (1)"));
}

#[tokio::test]
async fn a_backfill_waits_for_no_row() {
    let home = newest_postgres();
    home.file(
        "001_parts.sql",
        "create table parts (id integer primary key, page integer); insert into parts values (1, 1), (2, 2), (3, 3);",
    );
    let details = TemplateDetails {
        table: text("parts"),
        column: text("share"),
        data_type: text("INTEGER"),
        value: text("page"),
        ..Default::default()
    };
    home.template("add share", Template::AddColumn, &details).unwrap();
    home.goes_up("2").await;
    let Place::Postgres(database) = &home.place else { panic!("a home on PostgreSQL") };
    let other = database.session().unwrap();
    other.execute("begin; select 1 from parts where id = 2 for update").unwrap();
    home.goes_up("3").await;
    assert_eq!(home.rows("select id, share from parts order by id"), ["1|1", "2|-", "3|3"]);
    other.execute("rollback").unwrap();
    home.goes_up("4").await;
    assert_eq!(home.rows("select id, share from parts order by id"), ["1|1", "2|2", "3|3"]);
}

#[tokio::test]
async fn a_backfill_that_fails_goes_on_where_it_was() {
    let home = newest_postgres();
    home.file(
        "001_parts.sql",
        "create table parts (id integer primary key, weight integer, note text);
         insert into parts select n, n, repeat('x', 4000) from generate_series(0, 9999) n;
         update parts set weight = 0 where id = 9000;",
    );
    let details = TemplateDetails {
        table: text("parts"),
        column: text("share"),
        data_type: text("NUMERIC"),
        value: text("100.0 / weight"),
        ..Default::default()
    };
    home.template("add share", Template::AddColumn, &details).unwrap();
    home.goes_up("2").await;
    home.execute("update parts set weight = 1 where id = 0");
    let result = home.migrate().await;
    assert!(error_text(&result).contains("division by zero"), "{}", error_text(&result));

    // What a DO block did, no catalogue tells; the file says that it may run again.
    home.execute("update parts set weight = 1 where id = 9000");
    assert!(error_text(&home.migrate().await).contains("limosa repair --retry 3:1"));
    let retry = Repair::Retry(Identity::new("3"), 1);
    home.migrator().repair(&retry, false, &|_: Progress| {}, Stop::new()).await.unwrap();
    home.goes_up("4").await;
    assert_eq!(home.rows("select count(*) from parts where share > 0"), ["10000"]);
}

#[tokio::test]
async fn a_column_is_removed_in_steps_that_run_as_they_are() {
    for home in all_homes() {
        home.file("001_users.sql", "create table users (id integer primary key, fax varchar(20) not null, old varchar(9));\n-- limosa:rollback\ndrop table users;\n");
        let details = TemplateDetails {
            table: text("users"),
            column: text("fax"),
            data_type: text("VARCHAR(20)"),
            value: text("'none'"),
            ..Default::default()
        };
        let files = home.template("remove fax", Template::RemoveColumn, &details).unwrap();
        assert_eq!(files, ["002_remove_fax_release.sql", "003_remove_fax_drop.sql"]);
        let details = TemplateDetails { column: text("old"), value: None, ..details };
        home.template("remove old", Template::RemoveColumn, &details).unwrap();

        home.goes_up("1").await;
        home.execute("insert into users (id, fax, old) values (1, '123', 'x')");
        assert!(home.refuses("insert into users (id) values (2)"));
        home.goes_up("2").await;
        home.execute("insert into users (id) values (2)");
        home.goes_back("1").await;
        assert_eq!(home.rows("select id, fax from users order by id"), ["1|123", "2|none"]);
        assert!(home.refuses("insert into users (id) values (3)"));
        home.goes_up("5").await;
        assert!(home.refuses("select fax from users") && home.refuses("select old from users"));

        home.goes_back("2").await;
        assert_eq!(home.rows("select id, fax, old from users order by id"), ["1|-|-", "2|-|-"]);
        home.goes_back("1").await;
        assert_eq!(home.rows("select id, fax, old from users order by id"), ["1|none|-", "2|none|-"]);
        home.goes_up("5").await;
        home.goes_back("0").await;
        assert_eq!(home.tables(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_table_is_renamed_in_steps_that_run_as_they_are() {
    for home in all_homes() {
        let create =
            "create table \"old posts\" (id integer primary key, title varchar(50) not null, note varchar(50));
                      insert into \"old posts\" values (1, 'before', null);
                      -- limosa:rollback
                      drop table \"old posts\";";
        home.file("001_posts.sql", &home.quoted(create));
        let details = TemplateDetails {
            table: text("old posts"),
            to: text("articles"),
            columns: names(&["id", "title", "note"]),
            ..Default::default()
        };
        let files = home.template("rename posts", Template::RenameTable, &details).unwrap();
        assert_eq!(
            files,
            ["002_rename_posts_expand.sql", "003_rename_posts_switch.sql", "004_rename_posts_contract.sql"]
        );
        home.goes_up("1").await;
        assert!(home.refuses("select 1 from articles"));
        home.goes_up("2").await;
        both_names_are_one(&home);
        home.goes_up("3").await;
        both_names_are_one(&home);
        home.goes_back("2").await;
        both_names_are_one(&home);
        home.goes_up("4").await;
        assert!(home.refuses(&home.quoted("select 1 from \"old posts\"")));
        assert_eq!(home.rows("select title from articles"), ["before"]);
        home.goes_back("3").await;
        both_names_are_one(&home);
        home.goes_back("1").await;
        assert_eq!(home.rows(&home.quoted("select title from \"old posts\"")), ["before"]);
        home.goes_up("4").await;
        home.goes_back("0").await;
        assert_eq!(home.tables(), Vec::<String>::new());
    }
}

/// What is written by one name is read by the other, whatever is done; rows beside it stay as they are.
fn both_names_are_one(home: &Home) {
    let (old, new) = (home.quoted("\"old posts\""), "articles".to_owned());
    for (here, there) in [(&old, &new), (&new, &old)] {
        home.execute(&format!("insert into {here} (id, title) values (7, 'new')"));
        assert_eq!(home.rows(&format!("select id, title, note from {there} where id = 7")), ["7|new|-"], "{here}");
        home.execute(&format!("update {there} set note = 'noted', title = 'newer' where id = 7"));
        assert_eq!(home.rows(&format!("select id, title, note from {here} where id = 7")), ["7|newer|noted"], "{here}");
        home.execute(&format!("delete from {here} where id = 7"));
        assert_eq!(home.rows(&format!("select id, title, note from {there}")), ["1|before|-"], "{here}");
    }
}

#[tokio::test]
async fn a_table_of_another_schema_stays_there() {
    for home in all_homes().into_iter().filter(|home| !home.is_sqlite()) {
        let schema = if home.is_mysql() { home.database() } else { "public".to_owned() };
        home.file(
            "001_posts.sql",
            "create table posts (id integer primary key);\n-- limosa:rollback\ndrop table posts;\n",
        );
        let details =
            TemplateDetails { table: Some(format!("{schema}.posts")), to: text("articles"), ..Default::default() };
        home.template("rename posts", Template::RenameTable, &details).unwrap();
        home.goes_up("3").await;
        home.execute("insert into posts values (1)");
        assert_eq!(home.rows("select id from articles"), ["1"]);
        home.goes_up("4").await;
        home.goes_back("0").await;
        assert_eq!(home.tables(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_column_that_is_not_there_is_told_by_the_database() {
    for home in all_homes() {
        home.file("001_posts.sql", "create table posts (id integer primary key);");
        let details = TemplateDetails {
            table: text("posts"),
            to: text("articles"),
            columns: names(&["id", "titel"]),
            ..Default::default()
        };
        home.template("rename posts", Template::RenameTable, &details).unwrap();
        let result = home.migrate().await;
        assert!(error_text(&result).contains("titel"), "{}", error_text(&result));
        home.execute("insert into posts values (1)");
    }
}

#[tokio::test]
async fn versions_go_on_and_nothing_is_overwritten() {
    let home = sqlite();
    home.file("20240131120000_first.sql", "select 1;");
    let details =
        TemplateDetails { table: text("users"), column: text("fax"), data_type: text("TEXT"), ..Default::default() };
    let files = home.template("x\n; drop table users", Template::RemoveColumn, &details).unwrap();
    assert_eq!(files, ["20231114221320_x_drop_table_users_release.sql", "20231114221321_x_drop_table_users_drop.sql"]);
    assert!(home.folder.read(&format!("migrations/{}", files[0])).contains("-- Purpose: x ; drop table users: step 1"));

    let again = home.template("x; drop table users", Template::RemoveColumn, &details).unwrap_err();
    assert_eq!(again.diagnostics[0].code, "LIM-U055");

    let broken = home.migrator().new_migration(
        "y\n; drop table users",
        limosa::NewKind::Versioned,
        Numbering::Auto,
        Duration::from_secs(1_700_000_009),
    );
    let text = fs::read_to_string(&broken.unwrap().done[0]).unwrap();
    assert!(text.lines().all(|line| line.is_empty() || line.starts_with("--")), "{text}");

    let lonely = sqlite();
    lonely.folder.write("migrations/001_y_release.sql/in_the_way.txt", "");
    let failure = lonely.template("y", Template::RemoveColumn, &details).unwrap_err();
    assert!(["LIM-U051", "LIM-U055"].contains(&failure.diagnostics[0].code));
    lonely.folder.write("migrations/002_z_drop.sql/in_the_way.txt", "");
    assert!(lonely.template("z", Template::RemoveColumn, &details).is_err());
    assert!(!lonely.folder.files().iter().any(|name| name.ends_with("z_release.sql")), "half of a change stayed");
    let stopped = lonely.migrator().migrate(&MigrateOptions::default(), &|_: Progress| {}, Stop::new()).await;
    assert_eq!(stopped.unwrap().outcome, "nothing_to_do");
}
