//! sqlx's folders.

use limosa::{Layout, LayoutChoice, Selection};

use crate::answers::{done, failed, id, labels, migrate, refusal, words};
use crate::place::{Home, all_homes, newest_postgres, sqlite};

fn files(home: &Home) {
    home.folder.write("sqlx.toml", "[migrate]\ntable-name = \"own\"\n");
    home.file("20240131120000_create_users.sql", "create table users (id integer, note varchar(40));\r\n");
    home.file("20240131120001_fill.up.sql", "insert into users values (1, '${text}');");
    home.file("20240131120001_fill.down.sql", "delete from users;");
    home.file("README.md", "read me");
}

#[tokio::test]
async fn simple_files_and_files_with_a_way_back_stand_in_one_folder() {
    for home in all_homes() {
        files(&home);
        assert_eq!(labels(&done(home.migrate().await)), ["20240131120000", "20240131120001"]);
        assert_eq!(home.rows("select note from users"), ["${text}"], "no placeholder");
        done(home.rollback(Selection::Steps(1)).await);
        assert_eq!(home.rows("select count(*) from users"), ["0"]);
        failed(&home.rollback(Selection::Steps(1)).await, 1, &["LIM-P014"]);
    }
}

#[tokio::test]
async fn a_mark_in_the_first_bytes_alone_takes_the_transaction_away() {
    let home = newest_postgres();
    let index = "create index concurrently a_n on a (n);\n";
    home.file("1_a.sql", "create table a (n int);");
    home.file("2_b.up.sql", &format!("-- no-transaction\r\n{index}"));
    home.file("2_b.down.sql", "-- no-transaction\ndrop index concurrently a_n;\n");
    let always = home.with(|it| it.layout = LayoutChoice::Given(Layout::Sqlx(Default::default())));
    done(migrate(&always).await);
    done(home.rollback(Selection::One(id("2"))).await);
    // Two statements, of which the second one fails: the first is committed without a transaction, and not within one.
    for (mark, left) in
        [("-- no-transaction\n", true), ("\n-- no-transaction\n", false), ("\u{feff}-- no-transaction\n", false)]
    {
        home.file("3_c.sql", &format!("{mark}create table c (n int);\ninsert into c values (1/0);\n"));
        failed(&migrate(&always).await, 3, &["division by zero"]);
        assert_eq!(home.tables().contains(&"c".to_owned()), left, "{mark:?}");
        if left {
            let forget = limosa::Repair::MarkNotApplied(id("3"));
            always.repair(&forget, false, &crate::answers::quiet, limosa::Stop::new()).await.unwrap();
            home.execute("drop table c");
        }
    }
}

#[tokio::test]
async fn the_folder_is_recognised_by_what_stands_above_it() {
    let home = sqlite();
    home.file("1_a.sql", "create table a (n integer, s varchar(9) default '${x}');");
    // As limosa's own, a placeholder without a value is an error.
    failed(&home.migrate().await, 2, &["${x}"]);
    home.folder.write(".sqlx/query-1.json", "{}");
    done(home.migrate().await);
    assert_eq!(home.tables(), ["a"]);
    // Who gives values to placeholders has limosa's own files.
    home.file("2_b.sql", "create table b (n integer, s varchar(9) default '${x}');");
    let migrator = home.with(|it| {
        it.values.all.insert("x".to_owned(), "value".to_owned());
    });
    done(migrate(&migrator).await);
    home.execute("insert into b (n) values (1)");
    assert_eq!(home.rows("select s from b"), ["value"]);
    // A folder with files that only limosa reads is limosa's own.
    home.file("3_c.sql", "create table c (n integer);");
    home.file("R__views.sql", "create view v as select 1;");
    home.file("1_a.rollback.sql", "drop table a;");
    let told = words(&done(home.migrate_with(&crate::answers::to("3")).await).notices);
    assert!(!told.contains("left out"), "{told}");
}

#[tokio::test]
async fn folders_below_are_limosas_own() {
    let home = sqlite();
    home.folder.write(".sqlx/query-1.json", "{}");
    home.file("2024/1_a.sql", "create table a (n integer);");
    home.file("2024/2_b.sql", "create table b (n integer);");
    home.file("3_c.sql", "create table c (n integer);");
    done(home.migrate().await);
    assert_eq!(home.tables(), ["a", "b", "c"]);
}

#[tokio::test]
async fn what_has_no_place_is_named() {
    let home = sqlite();
    files(&home);
    home.file("schema.sql", "create table x (n int);");
    home.file("old/20230101000000_x.sql", "create table x (n int);");
    let told = words(&done(home.migrate().await).notices);
    assert!(told.contains("schema.sql is not one of a migration of sqlx"), "{told}");
    assert!(told.contains("20230101000000_x.sql does not stand where migrations of this format do"), "{told}");
    home.folder.write("sqlx.toml", "[migrate]\ntable-name = 1\n");
    failed(&home.migrate().await, 2, &["LIM-F035", "sqlx.toml:2:14", "is no text"]);
}

#[test]
fn new_migrations_are_like_those_before() {
    let home = sqlite();
    home.folder.write("sqlx.toml", "");
    home.file("20240101000000_a.sql", "create table a (n int);");
    assert_eq!(home.new_files("add x").unwrap(), ["20240131120000_add_x.sql"]);
    assert!(!home.folder.read("migrations/20240131120000_add_x.sql").contains("rollback"), "sqlx would run it");
    home.file("20240201000000_b.up.sql", "create table b (n int);");
    assert_eq!(home.new_files("add y").unwrap(), ["20240131120000_add_y.up.sql", "20240131120000_add_y.down.sql"]);
    let empty = sqlite();
    empty.folder.write(
        "sqlx.toml",
        "[migrate.defaults]\nmigration-type = \"reversible\"\nmigration-versioning = \"sequential\"\n",
    );
    let migrator = empty.with(|it| it.layout = LayoutChoice::Given(Layout::Sqlx(Default::default())));
    let answer =
        migrator.new_migration("first", limosa::NewKind::Versioned, limosa::Numbering::Auto, super::NOW).unwrap();
    assert!(answer.done[0].ends_with("0001_first.up.sql") && answer.done[1].ends_with("0001_first.down.sql"));
    let repeatable = migrator.new_migration("v", limosa::NewKind::Repeatable, limosa::Numbering::Auto, super::NOW);
    refusal(repeatable, 2, &["have no repeatable migrations"]);
}

#[tokio::test]
async fn the_root_of_the_repository_may_be_far_above() {
    let home = sqlite();
    home.folder.write(".git/HEAD", "");
    home.folder.write(".sqlx/query-1.json", "{}");
    home.folder.write("crates/lib/database/sql/migrations/1_a.sql", "create table a (s text default '${x}');");
    let deep = home.with(|it| it.directories = vec![home.folder.join("crates/lib/database/sql/migrations")]);
    done(migrate(&deep).await);
    assert_eq!(home.rows("select dflt_value from pragma_table_info('a')"), ["'${x}'"], "no placeholder");
}

#[tokio::test]
async fn files_of_no_tool_that_use_the_table_of_one_say_how_to_make_it() {
    for home in all_homes() {
        home.file("1_a.sql", "create table a (n int);");
        home.file("2_b.sql", "-- Data-loss: allowed\ndelete from _sqlx_migrations where version = 7;");
        let report = home.migrate().await;
        let said = failed(&report, 3, &["LIM-R002", "sqlx keeps its record in that table", "create table "]);
        let (_, statement) = said.split_once("and run again: ").unwrap();
        home.execute(statement.lines().next().unwrap());
        assert_eq!(labels(&done(home.migrate().await)), ["2"]);
    }
}
