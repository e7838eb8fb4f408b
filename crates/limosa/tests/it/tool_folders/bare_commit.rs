//! A bare COMMIT in the middle of a file, where its tool has a transaction around it. What is expected here was seen with golang-migrate 4.19
//! on PostgreSQL; psql and drivers pass over it or end what they have open.

use crate::answers::{done, failed};
use crate::place::{Home, all_homes};

/// A file as a tool has it.
struct Known {
    name: &'static str,
    head: &'static str,
    /// The other file by which the folder is known.
    beside: Option<(&'static str, &'static str)>,
}

const fn known(name: &'static str, head: &'static str) -> Known {
    Known { name, head, beside: None }
}

const FOLDERS: [Known; 5] = [
    Known { beside: Some(("000001_a.down.sql", "drop table a;\n")), ..known("000001_a.up.sql", "") },
    Known { beside: Some(("migration_lock.toml", "")), ..known("20240131120000_a/migration.sql", "") },
    known("a.sql", "--liquibase formatted sql\n--changeset ann:1\n"),
    known("001_a.sql", "-- +goose Up\n"),
    known("20240131120000_a.sql", "-- migrate:up\n"),
];

/// Writes the file with a value behind its COMMIT.
fn file(home: &Home, known: &Known, value: &str) {
    let text = format!("{}create table a (n integer);\ncommit;\ninsert into a values ({value});\n", known.head);
    home.file(known.name, &text);
    known.beside.iter().for_each(|(name, text)| home.file(name, text));
}

#[tokio::test]
async fn what_stands_before_it_stays() {
    for known in &FOLDERS {
        for home in all_homes() {
            file(&home, known, "(select none from none)");
            failed(&home.migrate().await, 3, &["LIM-R002"]);
            assert_eq!(home.rows("select count(*) from a"), ["0"], "{}", known.name);
            // It goes on behind what stands.
            file(&home, known, "7");
            done(home.migrate().await);
            assert_eq!(home.rows("select n from a"), ["7"], "{}", known.name);
        }
    }
}

#[tokio::test]
async fn one_that_is_left_open_is_refused_where_its_tool_fails() {
    for home in all_homes() {
        home.file("000001_a.up.sql", "begin;\ncreate table a (n integer);\n");
        home.file("000001_a.down.sql", "drop table a;\n");
        failed(&home.migrate().await, 2, &["LIM-F015", "000001_a.up.sql:1:1"]);
        assert!(home.tables().is_empty());
    }
}
