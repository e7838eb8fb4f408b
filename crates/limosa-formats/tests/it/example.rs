//! The warehouse example reads without a word, on both engines.

use limosa_core::GroupMode;
use limosa_sql::Engine;

use crate::project::{Outcome, folder};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/warehouse/migrations");

#[expect(clippy::disallowed_methods, reason = "reads the example of this repository")]
fn example(engine: Engine) -> Outcome {
    let mut files = Vec::new();
    for part in ["", "rollbacks/"] {
        for entry in std::fs::read_dir(format!("{FOLDER}/{part}")).expect("a folder").map_while(Result::ok) {
            if entry.path().extension().is_some() {
                let name = format!("{part}{}", entry.file_name().to_string_lossy());
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
        let outcome = example(engine);
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
