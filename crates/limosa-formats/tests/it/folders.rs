//! Whole folders: order, duplicates, dependencies, configuration.

use limosa_sql::Engine;

use crate::project::folder;

const SQL: &str = "SELECT 1;\n";

#[test]
fn versions_run_as_numbers_and_repeatables_after_them() {
    let outcome = folder(
        Engine::Sqlite,
        &[
            ("R__b.sql", SQL),
            ("10_x.sql", SQL),
            ("20240101120000_x.sql", SQL),
            ("m/R__a.sql", SQL),
            ("002_x.sql", SQL),
            ("1.10_x.sql", SQL),
            ("1.9_x.sql", SQL),
        ],
    );
    assert_eq!(outcome.shown(), [] as [&str; 0]);
    let expected =
        ["1.9_x.sql", "1.10_x.sql", "002_x.sql", "10_x.sql", "20240101120000_x.sql", "m/R__a.sql", "R__b.sql"];
    assert_eq!(outcome.files(), expected);
}

#[test]
fn dependencies_come_first() {
    let outcome = folder(
        Engine::Sqlite,
        &[
            ("001_a.sql", "-- Depends-on: 3, 002_b\nSELECT 1;"),
            ("002_b.sql", SQL),
            ("003_c.sql", SQL),
            ("R__views.sql", "-- Depends-on: R:words, 001_a.sql, 1\nSELECT 1;"),
            ("R__words.sql", SQL),
            ("migration_config.yaml", "migrations:\n  \"001\": {depends_on: [\"0002\"]}\n"),
        ],
    );
    assert_eq!(outcome.shown(), [] as [&str; 0]);
    assert_eq!(outcome.files(), ["002_b.sql", "003_c.sql", "001_a.sql", "R__words.sql", "R__views.sql"]);
    let edges: Vec<String> = outcome.set.edges().map(|(change, needs)| format!("{change}>{needs}")).collect();
    assert_eq!(edges, ["1>3", "1>2", "R:views>R:words", "R:views>1"]);
    assert_eq!(outcome.set.changes[2].headers.depends_on, ["3", "002_b", "0002"]);
}

#[test]
fn wrong_dependencies_are_named_with_their_place() {
    let a = ("m/001_create_jobs.sql", SQL);
    for (text, expected) in [
        (
            "-- Depends-on: 001, 7\nSELECT 1;",
            "LIM-F020 error [m/002_b.sql:1:21] m/002_b.sql depends on 7, which does not exist / add the migration, or correct \
             the name",
        ),
        (
            "-- Depends-on: 001_creat_jobs.sql\nSELECT 1;",
            "LIM-F020 error [m/002_b.sql:1:16] m/002_b.sql depends on 001_creat_jobs.sql, which does not exist / did you mean \
             001_create_jobs?",
        ),
        (
            "-- Depends-on: R:views\nSELECT 1;",
            "LIM-F022 error [m/002_b.sql:1:16] m/002_b.sql runs once and depends on m/R__views.sql, which runs after all of its \
             kind / let the repeatable one depend on this one, or make it a versioned migration",
        ),
        (
            "-- Depends-on: 2\nSELECT 1;",
            "LIM-F021 error [m/002_b.sql:1:16] m/002_b.sql depends on itself / take one of these dependencies out",
        ),
    ] {
        let outcome = folder(Engine::Sqlite, &[a, ("m/002_b.sql", text), ("m/R__views.sql", SQL)]);
        assert_eq!(outcome.shown(), [expected]);
        assert_eq!(outcome.set.changes.len(), 3);
    }
    let outcome = folder(
        Engine::Sqlite,
        &[
            ("1_a.sql", "-- Depends-on: 3\nSELECT 1;"),
            ("2_b.sql", "-- Depends-on: 1\nSELECT 1;"),
            ("3_c.sql", SQL),
            ("migration_config.yaml", "migrations:\n  3:\n    depends_on: [2]\n"),
        ],
    );
    assert_eq!(
        outcome.shown(),
        [
            "LIM-F021 error [1_a.sql:1:16, migration_config.yaml:3:18, 2_b.sql:1:16] these migrations depend on each other: \
          1_a.sql, 3_c.sql, 2_b.sql, 1_a.sql / take one of these dependencies out"
        ]
    );
}

#[test]
fn one_identity_has_one_file() {
    let outcome = folder(Engine::Sqlite, &[("m/001_a.sql", SQL), ("n/1_b.sql", SQL), ("m/2_c.sql", SQL)]);
    assert_eq!(
        outcome.shown(),
        [
            "LIM-F016 error [n/1_b.sql, m/001_a.sql] m/001_a.sql and n/1_b.sql both have the version 1 / give one of them another \
          version, or, where they are meant for different engines, say so in both: '-- Engines: sqlite'"
        ]
    );
    assert_eq!(outcome.files(), ["m/001_a.sql", "m/2_c.sql"]);
    let outcome = folder(Engine::Sqlite, &[("m/R__a.sql", SQL), ("n/R__a.sql", SQL)]);
    assert_eq!(
        outcome.shown(),
        [
            "LIM-F016 error [n/R__a.sql, m/R__a.sql] m/R__a.sql and n/R__a.sql both have the name R:a / rename one of them"
        ]
    );
}

#[test]
fn one_version_may_have_a_file_for_each_engine() {
    let files = [
        ("003_partitions.sql", "-- Engines: postgres\nCREATE TABLE t (a int) PARTITION BY RANGE (a);\n"),
        ("003_plain.sql", "-- Engines: sqlite\nCREATE TABLE t (a int);\n"),
        ("003_partitions.rollback.sql", "DROP TABLE t CASCADE;"),
        ("rollbacks/003_rollback.sql", "-- Engines: sqlite\nDROP TABLE t;"),
        ("004_more.sql", "-- Depends-on: 003_partitions\nSELECT 1;"),
    ];
    let sqlite = folder(Engine::Sqlite, &files);
    assert_eq!(sqlite.shown(), [] as [&str; 0]);
    assert_eq!(sqlite.files(), ["003_plain.sql", "004_more.sql"]);
    assert!(sqlite.set.changes[0].rollback.as_ref().unwrap().text.ends_with("DROP TABLE t;"));
    let postgres = folder(Engine::Postgres, &files);
    assert_eq!(postgres.shown(), [] as [&str; 0]);
    assert_eq!(postgres.files(), ["003_partitions.sql", "004_more.sql"]);
    assert_eq!(postgres.set.changes[0].rollback.as_ref().unwrap().text, "DROP TABLE t CASCADE;");
    assert_eq!(postgres.set.changes[1].depends_on, [postgres.set.changes[0].identity.clone()]);
    // Both for the same engine is no such thing.
    let outcome = folder(Engine::Postgres, &[files[0], ("03_x.sql", "-- Engines: sqlite, postgres\nSELECT 1;")]);
    assert_eq!(outcome.diagnostics[0].code, "LIM-F016");
}

#[test]
fn entries_of_the_configuration_must_name_a_file_of_their_folder() {
    let config = "migrations:\n  001_create_job.sql: {}\n  9: {}\n  1: {rollback_supported: true}\n";
    let outcome = folder(
        Engine::Sqlite,
        &[("m/001_create_jobs.sql", SQL), ("n/9_x.sql", SQL), ("m/migration_config.yaml", config)],
    );
    assert_eq!(
        outcome.shown(),
        [
            "LIM-F026 error [m/migration_config.yaml:2:3] no migration 001_create_job.sql stands in m / did you mean \
             001_create_jobs?",
            "LIM-F026 error [m/migration_config.yaml:3:3] no migration 9 stands in m / correct the name, or remove the entry",
            "LIM-F029 warning [m/migration_config.yaml:4:7] m/001_create_jobs.sql has no way back, which is promised here / \
             write 001_create_jobs.rollback.sql, or a '-- limosa:rollback' section",
        ]
    );
}

#[test]
fn a_large_folder_is_joined() {
    let mut files: Vec<(String, String)> = Vec::new();
    for number in (1..=20_000_u32).rev() {
        let depends = if number > 1 { format!("-- Depends-on: {}\n", number - 1) } else { String::new() };
        files.push((format!("{number}_x.sql"), format!("{depends}SELECT 1;\n-- limosa:rollback\nSELECT 2;\n")));
    }
    let borrowed: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let outcome = folder(Engine::Postgres, &borrowed);
    assert!(outcome.diagnostics.is_empty());
    assert_eq!(outcome.set.changes.len(), 20_000);
    assert_eq!(outcome.set.changes[19_999].identity.as_str(), "20000");
}
