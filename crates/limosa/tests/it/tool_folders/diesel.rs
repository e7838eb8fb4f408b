//! Diesel's folders.

use limosa::{Repair, Selection, StatusOptions, Stop};

use super::to;
use crate::answers::{done, failed, id, labels, quiet, refusal, states, words};
use crate::place::{Home, all_homes, newest_postgres, sqlite};

fn files(home: &Home) {
    home.file("00000000000000_setup/up.sql", "-- nothing but words\n");
    home.file("00000000000000_setup/down.sql", "select 1;");
    home.file("2024-01-31-120000-0000_create_users/up.sql", "create table users (id integer, note varchar(40));\r\n");
    home.file("2024-01-31-120000-0000_create_users/down.sql", "drop table users;\r\n");
    // Later by its text, though a smaller number.
    home.file("20240131120001_fill/up.sql", "\u{feff}insert into users values (1, '${text}');");
    home.file("20240131120001_fill/down.sql", "delete from users;");
    home.file(".gitkeep", "");
    home.file("README.md", "read me");
    home.file("20240131120001_fill/notes.txt", "notes");
}

#[tokio::test]
async fn a_folder_goes_up_and_down_as_it_stands() {
    for home in all_homes() {
        files(&home);
        let answer = done(home.migrate().await);
        assert_eq!(labels(&answer), ["00000000000000", "202401311200000000", "20240131120001"]);
        assert_eq!(home.rows("select note from users"), ["${text}"], "no placeholder");
        home.file("20240131120000_late/up.sql", "create table late (n integer);");
        failed(&home.migrate().await, 1, &["LIM-P005", "20240131120001 was applied before it"]);
        home.folder.remove("migrations/20240131120000_late/up.sql");

        done(home.rollback(Selection::To(limosa::Version::parse("202401311200000000").unwrap())).await);
        assert_eq!(home.rows("select count(*) from users"), ["0"]);
        // By the folder's name, too.
        done(home.rollback(Selection::One(id("2024-01-31-120000-0000_create_users"))).await);
        assert_eq!(home.ledger(), ["00000000000000|applied"]);
        done(home.migrate_with(&to("2024-01-31-120000-0000_create_users")).await);
        assert_eq!(home.ledger(), ["00000000000000|applied", "202401311200000000|applied"]);
        failed(&home.migrate_with(&to("nobody")).await, 2, &["LIM-P019", "version or name nobody"]);
        done(home.migrate().await);
        done(home.rollback(Selection::To(limosa::Version::parse("0").unwrap())).await);
        assert_eq!(home.tables(), [""; 0], "back to nothing");
    }
}

#[tokio::test]
async fn a_migration_without_a_transaction_is_run_and_taken_back_so() {
    let home = newest_postgres();
    home.file(
        "1_a/up.sql",
        "create table a (n int); select pg_stat_clear_snapshot(); create index concurrently a_n on a (n);",
    );
    home.file("1_a/down.sql", "drop index concurrently a_n; drop table a;");
    home.file("1_a/metadata.toml", "# words\r\nrun_in_transaction = false\r\n");
    home.file("2_b/up.sql", "create table b (n int);");
    home.file("2_b/metadata.toml", "run_in_transaction = true");
    done(home.migrate().await);
    assert_eq!(home.tables(), ["a", "b"]);
    done(home.rollback(Selection::One(id("1"))).await);
    assert_eq!(home.tables(), ["b"]);
    home.file("1_a/metadata.toml", "run_in_transaction = no");
    failed(&home.migrate().await, 2, &["LIM-F035", "metadata.toml:1:"]);
}

#[tokio::test]
async fn what_has_no_place_is_named() {
    let home = sqlite();
    files(&home);
    home.file("20240131120001_fill/seed.sql", "create table x (n int);");
    home.file("deeper/3_c/up.sql", "create table x (n int);");
    let told = words(&done(home.migrate().await).notices);
    assert!(told.contains("seed.sql is neither up.sql nor down.sql"), "{told}");
    assert!(told.contains("up.sql does not stand where migrations of this format do"), "{told}");
    assert_eq!(home.tables(), ["users"]);
    home.file("2024-01-31-120001_again/up.sql", "create table again (n int);");
    failed(&home.migrate().await, 2, &["LIM-F016", "both have the name 20240131120001"]);
}

#[tokio::test]
async fn names_are_taken_wherever_a_version_is() {
    let home = sqlite();
    files(&home);
    let answer = home.baseline("2024-01-31-120000-0000_create_users").await.unwrap();
    assert_eq!(answer.done.len(), 2, "{:?}", answer.done);
    let mend = async |repair| home.migrator().repair(&repair, false, &quiet, Stop::new()).await;
    mend(Repair::MarkNotApplied(id("2024-01-31-120000-0000_create_users"))).await.unwrap();
    let status = home.migrator().status(StatusOptions::default()).await.unwrap();
    assert_eq!(states(&status), ["00000000000000 baseline", "202401311200000000 pending", "20240131120001 pending"]);
    refusal(mend(Repair::MarkApplied(id("nobody"))).await, 2, &["LIM-U031", "no file defines nobody"]);
}

#[test]
fn new_migrations_are_folders() {
    let home = sqlite();
    home.file("00000000000000_setup/up.sql", "-- words\n");
    let expected = ["2024-01-31-120000-0000_add_orders/up.sql", "2024-01-31-120000-0000_add_orders/down.sql"];
    assert_eq!(home.new_files("add orders").unwrap(), expected);
    refusal(home.new_files("add orders"), 2, &["LIM-U055"]);
}
