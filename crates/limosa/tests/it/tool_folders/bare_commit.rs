//! A bare COMMIT in the middle of a file, where its tool has a transaction around it. What is expected here was seen with golang-migrate 4.19
//! on PostgreSQL; psql and drivers pass over it or end what they have open.

use crate::answers::{done, failed};
use crate::place::{Home, all_homes};

/// Writes a file whose second part fails behind its COMMIT, as these tools have it.
const FOLDERS: &[(&str, &str, &[(&str, &str)])] = &[
    ("000001_a.up.sql", "", &[("000001_a.down.sql", "drop table a;\n")]),
    ("20240131120000_a/migration.sql", "", &[("migration_lock.toml", "")]),
    ("a.sql", "--liquibase formatted sql\n--changeset ann:1\n", &[]),
    ("001_a.sql", "-- +goose Up\n", &[]),
    ("20240131120000_a.sql", "-- migrate:up\n", &[]),
];

fn file(home: &Home, (name, head, beside): &(&str, &str, &[(&str, &str)]), value: &str) {
    home.file(name, &format!("{head}create table a (n integer);\ncommit;\ninsert into a values ({value});\n"));
    beside.iter().for_each(|(name, text)| home.file(name, text));
}

#[tokio::test]
async fn what_stands_before_it_stays() {
    for folder in FOLDERS {
        for home in all_homes() {
            file(&home, folder, "(select none from none)");
            failed(&home.migrate().await, 3, &["LIM-R002"]);
            assert_eq!(home.rows("select count(*) from a"), ["0"], "{}", folder.0);
            // It goes on behind what stands.
            file(&home, folder, "7");
            done(home.migrate().await);
            assert_eq!(home.rows("select n from a"), ["7"], "{}", folder.0);
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
