//! The examples read without a word, on the engines that they are for.

use limosa_core::GroupMode;
use limosa_sql::Engine;

use crate::project::{Outcome, folder};

#[expect(clippy::disallowed_methods, reason = "reads the example of this repository")]
fn example(engine: Engine, folders: &[&str]) -> Outcome {
    let mut files = Vec::new();
    for part in folders {
        let path = format!("{}/../../examples/{part}", env!("CARGO_MANIFEST_DIR"));
        for entry in std::fs::read_dir(path).expect("a folder").map_while(Result::ok) {
            if entry.path().extension().is_some() {
                let folder = part.rsplit('/').next().unwrap_or_default();
                let name = match folder {
                    "rollbacks" => format!("rollbacks/{}", entry.file_name().to_string_lossy()),
                    _ => entry.file_name().to_string_lossy().into_owned(),
                };
                let text = std::fs::read_to_string(entry.path()).expect("a text");
                files.push((name, text));
            }
        }
    }
    let borrowed: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    folder(engine, &borrowed)
}

#[test]
fn it_is_clean_and_has_a_way_back_for_everything() {
    for (engine, third, sixth) in [
        (Engine::Postgres, "003_telemetry_partitions.sql", "006_activity_triggers_postgres.sql"),
        (Engine::Sqlite, "003_telemetry_tables.sql", "006_activity_triggers_sqlite.sql"),
    ] {
        let outcome = example(engine, &["warehouse/migrations", "warehouse/migrations/rollbacks"]);
        assert_eq!(outcome.shown(), [] as [&str; 0]);
        let expected = [
            "001_initial_schema.sql",
            "002_warehouse_tables.sql",
            third,
            "004_inventory_movements.sql",
            "005_item_search.sql",
            sixth,
            "007_item_dimensions.sql",
            "008_demo_data.sql",
            "009_timescale_hypertables.sql",
            "R__views.sql",
        ];
        assert_eq!(outcome.files(), expected);
        for change in &outcome.set.changes {
            let rollback = change.rollback.as_ref().unwrap_or_else(|| panic!("{} has no way back", change.script.file));
            assert!(rollback.outline.statements > 0);
            assert!(change.headers.lock_timeout.is_some());
            let alone = change.script.outline.groups.iter().any(|group| group.mode == GroupMode::Alone);
            assert_eq!(alone, change.script.file == "005_item_search.sql", "{}", change.script.file);
        }
        assert_eq!(outcome.set.changes[3].headers.statement_timeout, Some(300_000));
        assert_eq!(outcome.set.changes[4].headers.lock_timeout, Some(5000));
        assert_eq!(outcome.set.changes[1].rollback.as_ref().unwrap().outline.losses().count(), 7);
    }
}

#[test]
fn the_others_are_clean_and_have_a_way_back_for_everything() {
    let market: &[&str] = &["market/src/infra/migrations", "market/src/infra/idempotency/migrations"];
    let articles: &[&str] = &["articles/drizzle/migrations", "articles/drizzle/rollbacks"];
    for (engine, folders, count) in [
        (Engine::Postgres, market, 6),
        (Engine::Postgres, articles, 10),
        (Engine::Sqlite, articles, 10),
        (Engine::Mysql, articles, 10),
    ] {
        let outcome = example(engine, folders);
        assert_eq!(outcome.shown(), [] as [&str; 0]);
        assert_eq!(outcome.set.changes.len(), count, "{:?}", outcome.files());
        for change in &outcome.set.changes {
            assert!(change.rollback.as_ref().is_some_and(|rollback| rollback.outline.statements > 0));
            assert!(change.headers.purpose.is_some(), "{}", change.script.file);
        }
    }
}
