//! refinery's folders.

use limosa::{Repair, StatusOptions};

use crate::answers::{done, failed, id, labels, states, to};
use crate::place::{Home, all_homes, sqlite};

fn files(home: &Home) {
    home.folder.write("refinery.toml", "[main]\ndb_type = \"Sqlite\"\n");
    home.file("V1__create_users.sql", "create table users (id integer, note varchar(40));\r\n");
    home.file("sub/V3__fill.sql", "insert into users values (1, '${text}');");
    home.file("README.md", "read me");
}

#[tokio::test]
async fn a_folder_goes_up_as_it_stands_and_what_may_come_late_does() {
    for home in all_homes() {
        files(&home);
        home.file("U4__later.sql", "create table later (n integer);");
        assert_eq!(labels(&done(home.migrate().await)), ["1", "3", "4"]);
        assert_eq!(home.rows("select note from users"), ["${text}"], "no placeholder");
        home.file("U2__late.sql", "create table late (n integer);");
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        assert_eq!(states(&status), ["1 applied", "2 pending", "3 applied", "4 applied"]);
        assert_eq!(labels(&done(home.migrate().await)), ["2"]);
        home.file("V0__too_late.sql", "create table too_late (n integer);");
        failed(&home.migrate().await, 1, &["LIM-P005", "V0__too_late.sql"]);
    }
}

#[tokio::test]
async fn migrations_in_rust_are_named_and_say_whose_the_folder_is() {
    let home = sqlite();
    home.file("V1__a.sql", "create table a (n integer);");
    home.file("V2__b.rs", "pub fn migration() -> String { String::new() }");
    home.file("mod.rs", "");
    home.file("U3__undo_in_flyway.sql", "create table c (n integer);");
    failed(&home.migrate().await, 4, &["LIM-F034 V2__b.rs is a migration in Rust, which cannot be run here"]);
    done(home.migrate_with(&to("1")).await);
    home.repair(Repair::MarkApplied(id("2"))).await.unwrap();
    done(home.migrate().await);
    assert_eq!(home.tables(), ["a", "c"]);
    home.file("V3__twice.sql", "create table d (n integer);");
    failed(&home.migrate().await, 2, &["LIM-F016", "both have the version 3"]);
}

#[test]
fn new_migrations_go_on_from_the_last_one() {
    let home = sqlite();
    files(&home);
    assert_eq!(home.new_files("add orders").unwrap(), ["V4__add_orders.sql"]);
    assert!(!home.folder.read("migrations/V4__add_orders.sql").contains("rollback"), "refinery would run it");
}
