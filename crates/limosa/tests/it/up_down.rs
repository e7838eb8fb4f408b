//! Folders with a file up and a file down for each version, read in place.

use std::time::Duration;

use limosa::{NewKind, Numbering, Selection, StatusOptions};

use crate::answers::{back, done, failed, labels, migrate, words};
use crate::place::{Home, all_homes, sqlite};

fn files(home: &Home) {
    home.file("000001_create_users.up.sql", "create table users (id integer primary key, note varchar(40));\r\n");
    home.file("000001_create_users.down.sql", "drop table users;\r\n");
    home.file("000010_fill.up.sql", "insert into users values (1, 'costs ${price}');");
    home.file("000010_fill.down.sql", "delete from users;");
    home.file("000002_only_up.up.sql", "-- nothing but words\n");
    home.file("README.md", "read me");
}

#[tokio::test]
async fn a_folder_goes_up_and_down_as_it_stands() {
    for home in all_homes() {
        files(&home);
        let answer = done(home.migrate().await);
        assert_eq!(labels(&answer), ["000001", "000002", "000010"]);
        assert_eq!(home.rows("select note from users"), ["costs ${price}"], "no placeholder");
        let status = home.migrator().status(StatusOptions::default()).await.unwrap();
        let way_back: Vec<bool> = status.changes.iter().map(|change| change.has_rollback).collect();
        assert_eq!(way_back, [true, false, true]);
        let consent = home.database();
        done(back(&home.migrator(), Selection::One(crate::answers::id("10")), Some(&consent)).await);
        assert_eq!(home.rows("select count(*) from users"), ["0"]);
        done(home.migrate().await);
        assert_eq!(home.rows("select count(*) from users"), ["1"]);
        assert_eq!(home.migrator().audit_verify(&[]).await.unwrap().exit_code, 0);

        home.file("000010_fill.up.sql", "insert into users values (2, 'changed');");
        failed(&home.migrate().await, 1, &["LIM-P001", "000010_fill.up.sql"]);
    }
}

#[tokio::test]
async fn what_has_no_place_is_named() {
    let home = sqlite();
    files(&home);
    home.file("3_no_direction.sql", "create table x (n int);");
    home.file("000004_lost.down.sql", "drop table lost;");
    let told = words(&done(home.migrate().await).notices);
    assert!(told.contains("3_no_direction.sql is not one of a file up or down"), "{told}");
    assert!(
        told.contains("000004_lost.down.sql takes back a migration with the version 4, and there is none"),
        "{told}"
    );
    // Two ways up for one version.
    home.file("1_again.up.sql", "create table again (n int);");
    failed(&migrate(&home.migrator()).await, 2, &["both have the version 1"]);
}

#[tokio::test]
async fn files_are_those_that_golang_migrate_reads() {
    for home in all_homes() {
        files(&home);
        home.file("000011_more.up.pgsql", "insert into users values (3, 'more');\n");
        home.file("archive/000099_clean.up.sql", "drop table users;\n");
        let told = words(&done(home.migrate().await).notices);
        assert!(told.contains("000099_clean.up.sql does not stand where migrations of this format do"), "{told}");
        assert_eq!(home.rows("select id from users order by id"), ["1", "3"]);
    }
}

#[test]
fn new_migrations_are_two_files() {
    let home = sqlite();
    files(&home);
    let migrator = home.migrator();
    let new = |kind| migrator.new_migration("add orders", kind, Numbering::Auto, Duration::ZERO);
    let answer = new(NewKind::Versioned).unwrap();
    assert!(
        answer.done[0].ends_with("000011_add_orders.up.sql") && answer.done[1].ends_with("000011_add_orders.down.sql")
    );
    for file in &answer.done {
        assert!(!std::fs::read_to_string(file).unwrap().contains("limosa:rollback"), "{file}");
    }
    let refused = new(NewKind::Repeatable).unwrap_err();
    assert!(refused.to_string().contains("have no repeatable migrations"), "{refused}");
}
