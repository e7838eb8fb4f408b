//! Prisma Migrate's folders.

use limosa::StatusOptions;

use super::to;
use crate::answers::{done, failed, labels, states, words};
use crate::place::{Home, Place, all_homes, sqlite};

fn files(home: &Home) {
    let provider = match home.place {
        Place::Sqlite(_) => "sqlite",
        Place::Postgres(_) => "postgresql",
        Place::Mysql(_) => "mysql",
    };
    home.file("migration_lock.toml", &format!("# words\nprovider = \"{provider}\"\n"));
    home.file("0_init/migration.sql", "-- CreateTable\ncreate table users (id integer, note varchar(40));\r\n");
    home.file("20240131120000_a/migration.sql", "-- This is an empty migration.");
    home.file("20240131120000_fill/migration.sql", "insert into users values (1, '${text}');");
    home.file("20240131120000_fill/README.md", "read me");
}

#[tokio::test]
async fn a_folder_goes_up_as_it_stands() {
    for home in all_homes() {
        files(&home);
        done(home.migrate_with(&to("20240131120000_a")).await);
        assert_eq!(home.ledger(), ["0_init|applied", "20240131120000_a|applied"]);
        assert_eq!(labels(&done(home.migrate().await)), ["20240131120000"]);
        assert_eq!(home.rows("select note from users"), ["${text}"], "no placeholder");
        failed(
            &home.migrate_with(&to("20240131120000")).await,
            2,
            &["LIM-P021", "20240131120000_a, 20240131120000_fill"],
        );
        home.file("20240131120000_between/migration.sql", "create table between_them (n integer);");
        failed(&home.migrate().await, 1, &["LIM-P005", "20240131120000_fill was applied before it"]);
    }
}

#[tokio::test]
async fn the_lock_must_name_this_kind_of_database() {
    let home = sqlite();
    files(&home);
    home.file("migration_lock.toml", "provider = \"postgresql\"\n");
    failed(
        &home.migrate().await,
        2,
        &["LIM-F036", "for postgresql, and the database is SQLite", "migration_lock.toml:1:12"],
    );
    home.file("migration_lock.toml", "provider = ");
    failed(&home.migrate().await, 2, &["LIM-F035", "migration_lock.toml:1:"]);
    assert_eq!(home.tables(), [""; 0]);
}

#[tokio::test]
async fn a_baseline_takes_the_name_of_a_folder() {
    let home = sqlite();
    files(&home);
    home.file("20240131120000_fill/down.sql", "delete from users;");
    home.baseline("0_init").await.unwrap();
    let status = home.migrator().status(StatusOptions::default()).await.unwrap();
    assert_eq!(states(&status), ["0_init baseline", "20240131120000_a pending", "20240131120000_fill pending"]);
    assert!(words(&status.notices).contains("down.sql is not the migration of a folder"), "{:?}", status.notices);
}

#[test]
fn new_migrations_are_folders() {
    let home = sqlite();
    files(&home);
    assert_eq!(home.new_files("add orders").unwrap(), ["20240131120000_add_orders/migration.sql"]);
}
