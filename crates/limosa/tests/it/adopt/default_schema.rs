//! Flyway's table in another schema than the one in which names without a schema are found.

use limosa::{AdoptOptions, MigrateOptions, Migrator, Stop};

use super::tools::{migrated, tool};
use crate::answers::{done, migrate, quiet, words};
use crate::place::{Home, mysql_homes, newest_postgres};

/// Flyway with `flyway.defaultSchema` has migrated it.
fn in_other_schema() -> Home {
    let home = newest_postgres();
    migrated(&home, tool("flyway"));
    home.execute("create schema other");
    for table in ["a", "b", "flyway_schema_history"] {
        home.execute(&format!("alter table {table} set schema other"));
    }
    home
}

async fn adopted(migrator: &Migrator, table: &str, keep: bool) -> String {
    let options = AdoptOptions { ledger_table: Some(table.to_owned()), keep, ..AdoptOptions::default() };
    let answer = migrator.adopt(&options, &quiet, Stop::new()).await.expect("it is found");
    assert_eq!(answer.outcome, "done", "{}", words(&answer.errors));
    words(&answer.notices)
}

#[tokio::test]
async fn it_is_told_with_the_setting_that_mends_it() {
    for keep in [false, true] {
        let home = in_other_schema();
        let wanted = [
            "LIM-U165",
            "meant other first, and here it means public",
            "?options=-csearch_path%3Dother,public",
            "set search_path = \"other\", \"public\"",
        ];
        let told = adopted(&home.migrator(), "other.flyway_schema_history", keep).await;
        let plan = words(&home.migrator().plan(&MigrateOptions::default()).await.expect("a plan").notices);
        for told in [&told, &plan] {
            assert!(wanted.iter().all(|wanted| told.contains(wanted)), "{told}");
            assert_eq!(told.matches("LIM-U165").count(), 1, "{told}");
        }
        // As it is said, it is mended.
        let mended = home.with(|configuration| {
            let sign = if home.url().contains('?') { '&' } else { '?' };
            let address = format!("{}{sign}options=-csearch_path%3Dother,public", home.url());
            configuration.database = limosa::Secret::new(address);
        });
        let answer = done(migrate(&mended).await);
        assert!(!words(&answer.notices).contains("LIM-U165"), "{}", words(&answer.notices));
        assert_eq!(home.rows("select count(*) from other.c"), ["0"]);
    }
}

#[tokio::test]
async fn a_run_tells_it_once() {
    for keep in [false, true] {
        let home = in_other_schema();
        adopted(&home.migrator(), "other.flyway_schema_history", keep).await;
        let said = words(&done(home.migrate().await).notices);
        assert_eq!(said.matches("LIM-U165").count(), 1, "{said}");
    }
}

#[tokio::test]
async fn where_names_are_found_in_that_schema_nothing_is_told() {
    let home = in_other_schema();
    home.execute(&format!("alter database \"{}\" set search_path = other, public", home.database()));
    assert!(!adopted(&home.migrator(), "other.flyway_schema_history", false).await.contains("LIM-U165"));
    assert!(!words(&done(home.migrate().await).notices).contains("LIM-U165"));
}

#[tokio::test]
async fn another_database_is_named_where_there_are_no_schemas() {
    for home in mysql_homes() {
        migrated(&home, tool("flyway"));
        let other = format!("{}_other", home.database());
        home.execute(&format!("create database {other}"));
        home.execute(&format!("rename table flyway_schema_history to {other}.flyway_schema_history"));
        let told = adopted(&home.migrator(), &format!("{other}.flyway_schema_history"), false).await;
        let wanted = ["LIM-U165".to_owned(), format!("mysql://HOST/{other}")];
        assert!(wanted.iter().all(|wanted| told.contains(wanted)), "{told}");
        home.execute(&format!("drop database {other}"));
    }
}
