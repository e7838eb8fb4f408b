//! The examples of changes in steps: what their tables and triggers do, up and all the way back.

use std::path::{Path, PathBuf};

use limosa::{MigrateOptions, Migrator, Progress, RollbackOptions, Selection, StatusOptions, Stop, Version};

use crate::place::{Home, all_homes, error_text, homes, mysql_homes, sqlite};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

fn project(home: &Home, folders: &[&str]) -> Migrator {
    let mut configuration = home.configuration();
    configuration.directories = folders.iter().map(|name| folder(name)).collect();
    Migrator::new(configuration)
}

fn market(home: &Home) -> Migrator {
    project(home, &["market/src/infra/migrations", "market/src/infra/idempotency/migrations"])
}

fn articles(home: &Home) -> Migrator {
    project(home, &["articles/drizzle/migrations", "articles/drizzle/rollbacks"])
}

/// Migrates up to a version, or to the end; nothing may be left to say.
async fn up(migrator: &Migrator, to: Option<&str>) {
    let options = MigrateOptions { to: to.map(|to| Version::parse(to).unwrap()), ..MigrateOptions::default() };
    let result = migrator.migrate(&options, &|_: Progress| {}, Stop::new()).await;
    assert_eq!(result.as_ref().map(|answer| answer.exit_code).unwrap_or(99), 0, "{}", error_text(&result));
}

async fn back(home: &Home, migrator: &Migrator, to: &str) {
    let options = RollbackOptions {
        selection: Selection::To(Version::parse(to).unwrap()),
        use_file: false,
        consent: Some(home.database()),
        backup: false,
    };
    let result = migrator.rollback(&options, &|_: Progress| {}, Stop::new()).await;
    assert_eq!(result.as_ref().map(|answer| answer.exit_code).unwrap_or(99), 0, "{}", error_text(&result));
}

async fn is_sound(migrator: &Migrator) {
    assert_eq!(migrator.validate().await.unwrap().exit_code, 0);
    assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
}

#[tokio::test]
async fn the_market_goes_up_and_back_on_postgres() {
    for home in homes().into_iter().filter(|home| !home.is_sqlite()) {
        let migrator = market(&home);
        up(&migrator, None).await;
        is_sound(&migrator).await;
        assert_eq!(
            home.tables(),
            ["audit_events", "events", "idempotency_keys", "jobs", "markets", "schema_migrations"]
        );

        home.execute("insert into jobs (kind, updated_at) values ('settle', '2000-01-01')");
        home.execute("update jobs set attempts = 1");
        assert_eq!(home.rows("select (updated_at > '2000-01-02')::text, attempts from jobs"), ["true|1"]);
        assert!(home.refuses("insert into markets (slug, title, category, status) values ('a', 'A', 'b', 'open')"));
        home.execute(
            "insert into markets (slug, title, category, status, closes_at) values ('rain', 'Rain', 'weather', 'open', now());
             insert into events (market_id, source, headline, occurred_at, impact_score)
             select id, 'radio', 'Clouds', now(), 12.5 from markets",
        );
        assert!(home.refuses("update events set impact_score = 100.5"));
        home.execute("insert into audit_events (actor, action, subject) values ('ada', 'approve', '004')");
        assert!(home.refuses("delete from audit_events"));
        home.execute("insert into schema_migrations (version, name) values ('001', 'create jobs')");
        assert_eq!(
            home.rows("select indisvalid::text from pg_index where indexrelid = 'idx_markets_open'::regclass"),
            ["true"]
        );
        assert_eq!(home.ledger().len(), 6);

        back(&home, &migrator, "3").await;
        assert!(
            home.rows("select headline from events") == ["Clouds"] && home.refuses("select impact_score from events")
        );
        up(&migrator, None).await;
        back(&home, &migrator, "0").await;
        assert_eq!(home.tables(), Vec::<String>::new());
        assert_eq!(home.rows("select proname::text from pg_proc where pronamespace = 'public'::regnamespace"), [""; 0]);
        is_sound(&migrator).await;
    }
}

#[tokio::test]
async fn the_market_says_that_it_is_for_postgres() {
    for home in [sqlite()].into_iter().chain(mysql_homes()) {
        let migrator = market(&home);
        up(&migrator, None).await;
        let status = migrator.status(StatusOptions::default()).await.unwrap();
        assert!(status.changes.iter().all(|change| change.state == limosa::State::NotApplicable));
        assert_eq!((status.changes.len(), home.tables()), (6, Vec::new()));
    }
}

#[tokio::test]
async fn a_column_comes_and_another_goes_while_old_code_runs() {
    for home in all_homes() {
        let migrator = articles(&home);
        up(&migrator, Some("1")).await;
        home.execute(&user(1, "legacy_field", "'old'"));
        up(&migrator, Some("10")).await;
        home.execute(&user(2, "name", "'no legacy'"));
        assert_eq!(home.rows("select count(*), min(theme), max(theme) from user_preferences"), ["2|light|light"]);

        up(&migrator, Some("12")).await;
        home.execute(&user(3, "name", "'old code writes no avatar'"));
        let seeded =
            "select count(*) from users where avatar_url like 'https://api.dicebear.com/7.x/initials/svg?seed=0000%'";
        assert_eq!(home.rows(seeded), ["2"]);

        up(&migrator, Some("13")).await;
        assert_eq!(home.rows(seeded), ["3"]);
        assert!(home.refuses(&user(4, "name", "'no avatar'")));
        home.execute(&user(4, "avatar_url", "'https://example.com/4'"));
        up(&migrator, Some("14")).await;
        assert!(home.refuses("select legacy_field from users"));

        back(&home, &migrator, "11").await;
        assert_eq!(home.rows("select avatar_url from users where avatar_url is not null"), ["https://example.com/4"]);
        home.execute(&user(5, "name", "'old code again'"));
        up(&migrator, Some("14")).await;
        back(&home, &migrator, "0").await;
        assert_eq!(home.tables(), Vec::<String>::new());
        is_sound(&migrator).await;
    }
}

#[tokio::test]
async fn a_table_gets_a_new_name_while_both_names_are_written() {
    for home in all_homes() {
        let migrator = articles(&home);
        up(&migrator, Some("14")).await;
        home.execute(&user(1, "avatar_url", "'https://example.com/1'"));
        home.execute(&text("posts", 1, "before"));
        up(&migrator, Some("15")).await;
        both_names_are_one(&home);
        up(&migrator, Some("16")).await;
        both_names_are_one(&home);
        assert_eq!(home.rows("select title from articles where title = 'before'"), ["before"]);

        up(&migrator, None).await;
        assert!(home.refuses("select 1 from posts"));
        home.execute(&text("articles", 9, "after"));
        assert_eq!(home.rows("select title from articles order by title"), ["after", "before"]);

        back(&home, &migrator, "16").await;
        assert_eq!(home.rows("select title from posts order by title"), ["after", "before"]);
        both_names_are_one(&home);
        back(&home, &migrator, "14").await;
        assert_eq!(home.rows("select title from posts order by title"), ["after", "before"]);
        assert!(home.refuses("select 1 from articles"));
        up(&migrator, None).await;
        back(&home, &migrator, "0").await;
        assert_eq!(home.tables(), Vec::<String>::new());
        is_sound(&migrator).await;
    }
}

/// What is written by one name is read by the other, whatever is done.
fn both_names_are_one(home: &Home) {
    for (here, there) in [("posts", "articles"), ("articles", "posts")] {
        home.execute(&text(here, 7, "new"));
        assert_eq!(home.rows(&format!("select title from {there} where title = 'new'")), ["new"], "{here}");
        home.execute(&format!("update {here} set title = 'newer' where title = 'new'"));
        assert_eq!(home.rows(&format!("select title from {there} where title like 'new%'")), ["newer"], "{here}");
        home.execute(&format!("update {there} set content = 'changed' where title = 'newer'"));
        assert_eq!(home.rows(&format!("select content from {here} where title = 'newer'")), ["changed"], "{here}");
        home.execute(&format!("delete from {here} where title = 'newer'"));
        assert_eq!(home.rows(&format!("select title from {there} where title like 'new%'")), [""; 0], "{here}");
    }
}

#[tokio::test]
async fn a_table_that_differs_is_not_dropped() {
    for home in homes() {
        let migrator = articles(&home);
        up(&migrator, Some("16")).await;
        home.execute(&user(1, "avatar_url", "'https://example.com/1'"));
        home.execute(&text("posts", 1, "kept"));
        let silence = if home.is_sqlite() {
            "drop trigger sync_posts_update"
        } else {
            "alter table posts disable trigger sync_posts"
        };
        home.execute(silence);
        home.execute("update posts set title = 'unseen'");

        let result = migrator.migrate(&MigrateOptions::default(), &|_: Progress| {}, Stop::new()).await;
        assert_eq!(result.as_ref().unwrap().exit_code, 3);
        assert!(error_text(&result).contains("differ"), "{}", error_text(&result));
        assert_eq!(home.rows("select title from posts"), ["unseen"]);
    }
}

fn user(number: u8, column: &str, value: &str) -> String {
    let (mut columns, mut values) = (String::new(), String::new());
    if column != "name" {
        columns.push_str(", name");
        values.push_str(", 'some name'");
    }
    format!(
        "insert into users (id, email, {column}{columns}) values ('{}', 'u{number}@example.com', {value}{values})",
        id(number)
    )
}

fn text(table: &str, number: u8, title: &str) -> String {
    format!(
        "insert into {table} (id, author_id, title, content) values ('{}', '{}', '{title}', 'text')",
        id(number),
        id(1)
    )
}

fn id(number: u8) -> String {
    format!("00000000-0000-4000-8000-0000000000{number:02}")
}
