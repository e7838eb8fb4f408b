//! The example that the README runs, on every engine, up and all the way back.

use std::path::{Path, PathBuf};

use limosa::{Identity, MigrateOptions, Migrator, Progress, RollbackOptions, Selection, StatusOptions, Stop, Version};
use limosa_testkit::{Folder, PostgresServer, ServerOptions, postgres};

use crate::place::{Home, Place, error_text, homes};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/warehouse/migrations")
}

fn migrator(home: &Home) -> Migrator {
    let mut configuration = home.configuration();
    configuration.directories = vec![example()];
    Migrator::new(configuration)
}

/// Up, and nothing to do again; the state of 009 is left to the caller.
async fn up(home: &Home) -> limosa::report::StatusAnswer {
    let (migrator, quiet) = (migrator(home), |_: Progress| {});
    let result = migrator.migrate(&MigrateOptions::default(), &quiet, Stop::new()).await;
    assert_eq!(result.as_ref().map(|answer| answer.exit_code).unwrap_or(99), 0, "{}", error_text(&result));

    let again = migrator.migrate(&MigrateOptions::default(), &quiet, Stop::new()).await.unwrap();
    assert_eq!(again.outcome, "nothing_to_do");

    assert_eq!(migrator.validate().await.unwrap().exit_code, 0);
    assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
    let status = migrator.status(StatusOptions::default()).await.unwrap();
    assert_eq!(status.pending, 0);
    status
}

async fn back(home: &Home) {
    let (migrator, quiet) = (migrator(home), |_: Progress| {});
    let views = Selection::From(Identity::new("R:views"));
    for selection in [views, Selection::To(Version::parse("0").unwrap())] {
        let options = RollbackOptions { selection, use_file: false, consent: Some(home.database()), backup: false };
        let result = migrator.rollback(&options, &quiet, Stop::new()).await;
        assert_eq!(result.as_ref().map(|answer| answer.exit_code).unwrap_or(99), 0, "{}", error_text(&result));
    }
    assert_eq!(migrator.audit_verify(&[]).await.unwrap().exit_code, 0);
}

/// True where the file for TimescaleDB applies.
fn has_timescale(home: &Home) -> bool {
    let offered = "select 1 from pg_available_extensions where name = 'timescaledb'";
    matches!(home.place, Place::Postgres(_)) && !home.rows(offered).is_empty()
}

#[tokio::test]
async fn the_warehouse_goes_up_and_back_on_every_engine() {
    for home in homes() {
        if has_timescale(&home) {
            continue;
        }
        let status = up(&home).await;
        assert!(home.tables().len() > 8, "{:?}", home.tables());
        let hypertables = status.changes.iter().find(|change| change.identity == "9").unwrap();
        assert_eq!(hypertables.state, limosa::State::NotApplicable);
        let wanted = if home.is_sqlite() { "PostgreSQL" } else { "timescaledb" };
        assert!(hypertables.reason.as_ref().is_some_and(|reason| reason.contains(wanted)), "{hypertables:?}");
        back(&home).await;
        assert_eq!(home.tables(), Vec::<String>::new());
    }
}

/// The extension is in no package of Debian's, so that few machines have it; a server must load it when it starts.
#[tokio::test]
async fn the_climate_of_the_halls_is_kept_by_timescale_where_a_server_offers_it() {
    for version in postgres::tested().unwrap() {
        let home =
            |server: &PostgresServer| Home::at(Folder::new(), Place::Postgres(server.create_database().unwrap()));
        if !has_timescale(&home(postgres::shared(&version).unwrap())) {
            eprintln!("not tested: PostgreSQL {version} does not offer TimescaleDB here");
            continue;
        }
        let options = ServerOptions::new()
            .setting("shared_preload_libraries", "timescaledb")
            .setting("timescaledb.telemetry_level", "off");
        let server = PostgresServer::start_with(&version, &options).unwrap();
        let home = home(&server);
        let own_tables = "select tablename::text from pg_tables where schemaname = 'public'";
        for _ in 0..2 {
            let status = up(&home).await;
            let hypertables = status.changes.iter().find(|change| change.identity == "9").unwrap();
            assert_eq!(hypertables.state, limosa::State::Applied, "{hypertables:?}");
            home.execute(
                "insert into warehouses (code, name, city) values ('RTM1', 'Rotterdam harbour', 'Rotterdam');
                 insert into hall_climate select 'RTM1', 'A', timestamptz '2024-01-01' + day * interval '1 day', 4, 60
                 from generate_series(0, 20) as day",
            );
            let chunks =
                "select count(*) > 2 from timescaledb_information.chunks where hypertable_name = 'hall_climate'";
            assert_eq!(home.rows(chunks), ["t"]);
            back(&home).await;
            assert_eq!(home.rows(own_tables), Vec::<String>::new());
        }
    }
}
