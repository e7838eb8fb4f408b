//! Ledgers that older versions wrote: read as they are, brought up to date by the first run that writes, and sound afterwards.

use std::path::{Path, PathBuf};

use limosa::{MigrateOptions, Migrator, Progress, StatusOptions, Stop};

use crate::place::{Home, Place, error_text, homes};

fn ledgers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ledgers")
}

/// Loads what version 1 left: two migrations and a repeatable, a failed attempt, and an attempt to roll back.
fn load(home: &Home) {
    let name = if home.is_sqlite() { "sqlite.sql" } else { "postgres.sql" };
    home.execute(&std::fs::read_to_string(ledgers().join("1").join(name)).expect("a stored ledger"));
    for file in ["001_create_authors.sql", "002_create_books.sql", "R__shelf.sql"] {
        home.file(file, &std::fs::read_to_string(ledgers().join("migrations").join(file)).expect("a stored file"));
    }
}

fn version(home: &Home) -> Vec<String> {
    home.rows(&format!("select value from {} where project = ''", home.table("application_metadata")))
}

#[tokio::test]
async fn a_ledger_of_version_1_is_read_and_brought_up_to_date() {
    for home in homes() {
        load(&home);
        let mut configuration = home.configuration();
        configuration.project = "library".to_owned();
        let migrator = Migrator::new(configuration);

        let status = migrator.status(StatusOptions::default()).await.unwrap();
        assert_eq!((status.pending, status.applied), (0, 3));
        assert_eq!(migrator.validate().await.unwrap().exit_code, 0);
        assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
        assert_eq!(version(&home), ["1"], "looking changes nothing");

        home.file("003_add_year.sql", "alter table books add column year integer;");
        let result = migrator.migrate(&MigrateOptions::default(), &|_: Progress| {}, Stop::new()).await;
        assert_eq!(result.as_ref().map(|answer| answer.exit_code).unwrap_or(99), 0, "{}", error_text(&result));
        assert_eq!(version(&home), ["2"]);
        let index = match &home.place {
            // It needs none.
            Place::Sqlite(_) => "select 1 - count(*) from sqlite_schema where type = 'index' and sql like '%limosa%'",
            Place::Postgres(_) => {
                "select count(*) from pg_indexes where schemaname = 'limosa' and indexname = 'audit_log_by_change'"
            }
            // No ledger of version 1 was ever made there.
            Place::Mysql(_) => continue,
        };
        assert_eq!(home.rows(index), ["1"]);
        assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
        assert_eq!(migrator.validate().await.unwrap().exit_code, 0);
    }
}

#[tokio::test]
async fn a_role_without_rights_on_the_ledgers_tables_goes_on_with_the_old_version() {
    for home in homes().into_iter().filter(|home| !home.is_sqlite()) {
        load(&home);
        let Place::Postgres(database) = &home.place else { continue };
        let role = format!("runner_{}", database.name());
        home.execute(&format!(
            "create role {role} login; grant usage on schema limosa to {role}; \
             grant select, insert, update, delete on all tables in schema limosa to {role}; grant create on schema public to {role}"
        ));
        home.file("003_create_shops.sql", "create table shops (id integer);");
        let mut configuration = home.configuration();
        configuration.project = "library".to_owned();
        configuration.database = limosa::Secret::new(database.url_for(&role, ""));
        let heard = std::sync::Mutex::new(Vec::new());
        let listener = |progress: Progress| heard.lock().unwrap().push(format!("{progress:?}"));
        let result = Migrator::new(configuration).migrate(&MigrateOptions::default(), &listener, Stop::new()).await;
        assert_eq!(result.as_ref().map(|answer| answer.exit_code).unwrap_or(99), 0, "{}", error_text(&result));
        assert_eq!(version(&home), ["1"]);
        let heard = heard.lock().unwrap().join("\n");
        assert!(heard.contains("the ledger stays at version 1") && heard.contains("create index"), "{heard}");
    }
}

#[tokio::test]
async fn a_ledger_of_a_newer_version_is_left_alone() {
    for home in homes() {
        home.file("1_a.sql", "create table a (id integer);");
        home.migrate().await.unwrap();
        home.execute(&format!("update {} set value = '99' where project = ''", home.table("application_metadata")));
        home.file("2_b.sql", "create table b (id integer);");
        let result = home.migrate().await;
        assert!(error_text(&result).contains("a newer limosa has been here"), "{}", error_text(&result));
        assert_eq!(home.tables(), ["a"]);
    }
}
