//! What does not go together.

use limosa::OutOfOrder;
use limosa::{Engine, Migrator};

use super::{against, configuration, parted, said};
use crate::place::sqlite;

const ONE: (&str, &str) = ("migrations/001_a.sql", "create table a (n int);\n");

#[tokio::test]
async fn what_goes_together_is_told_in_numbers() {
    let repository = parted(&[ONE], &[("migrations/002_b.sql", "select 2;")], &[("migrations/003_c.sql", "select 3;")]);
    repository.write(&[("migrations/004_not_committed.sql", "select 4;"), ("migrations/R__v.sql", "select 5;")]);
    let answer = against(&repository, "main").await.unwrap();
    assert_eq!(said(&repository, &answer), "0");
    let line = answer.against.unwrap();
    assert_eq!((line.reference.as_str(), line.added), ("main", 3));
    assert_eq!(line.merge_base, repository.git(&["merge-base", "HEAD", "main"]));
    assert_eq!(line.commit, repository.git(&["rev-parse", "main"]));
    assert!(answer.target.is_none());
}

#[tokio::test]
async fn clashes_are_named_in_every_layout() {
    for (both, main, work, expected) in [
        (
            ("001_a.sql", "select 1;"),
            ("002_b.sql", "select 2;"),
            ("002_c.sql", "select 3;"),
            "LIM-P022 E 002_c.sql has the version 2, and so has 002_b.sql in main",
        ),
        (
            ("001_a.up.sql", "select 1;"),
            ("003_b.up.sql", "select 2;"),
            ("002_c.up.sql", "select 3;"),
            "LIM-P023 E 002_c.up.sql comes late: main has 003_b.up.sql already",
        ),
        (
            ("V1__a.sql", "select 1;"),
            ("V1.1.0__b.sql", "select 2;"),
            ("V1_1__c.sql", "select 3;"),
            "LIM-P022 E V1_1__c.sql has the version 1.1, and so has V1.1.0__b.sql in main",
        ),
        (
            ("2024-01-01-000000-0000_a/up.sql", "select 1;"),
            ("2024-03-01-000000-0000_b/up.sql", "select 2;"),
            ("2024-02-01-000000-0000_c/up.sql", "select 3;"),
            "LIM-P023 E 2024-02-01-000000-0000_c/up.sql comes late: main has 2024-03-01-000000-0000_b/up.sql already",
        ),
        (
            ("20240101000000_a/migration.sql", "select 1;"),
            ("20240301000000_b/migration.sql", "select 2;"),
            ("20240201000000_c/migration.sql", "select 3;"),
            "LIM-P023 E 20240201000000_c/migration.sql comes late: main has 20240301000000_b/migration.sql already",
        ),
        (
            ("001_a.sql", "select 1;"),
            ("002_b.sql", "select 2;"),
            ("002_b.sql", "select 3;"),
            "LIM-P022 E 002_b.sql was added here and in main, and does not do the same",
        ),
        (
            ("001_a.sql", "select 1;"),
            ("002_B.sql", "select 2;"),
            ("002_b.sql", "select 2;"),
            "LIM-P022 E 002_b.sql has the version 2, and so has 002_B.sql in main\nLIM-P027 E 002_b.sql and 002_B.sql differ by capitals alone",
        ),
    ] {
        let full = |(name, text): (&str, &str)| (format!("migrations/{name}"), text.to_owned());
        let [both, main, work] = [both, main, work].map(full);
        let repository = parted(&[(&both.0, &both.1)], &[(&main.0, &main.1)], &[(&work.0, &work.1)]);
        let answer = against(&repository, "main").await.unwrap();
        assert_eq!(said(&repository, &answer), format!("1\n{expected}"));
    }
}

#[tokio::test]
async fn what_both_have_must_stay_as_it_is() {
    let both = [
        ("migrations/001_a.sql", "select 1;\n\n-- limosa:rollback\nselect 0;\n"),
        ("migrations/002_b.sql", "select 2;\n"),
        ("migrations/003_c.sql", "select 3;\n"),
        ("migrations/004_d.sql", "select 4;\n"),
        ("migrations/004_d.rollback.sql", "select 0;\n"),
        ("migrations/005_e.sql", "select 5;\n"),
        (
            "migrations/006_f.sql",
            "create function f() returns int as $$ select 1; -- limosa:rollback\n$$ language sql;",
        ),
        ("migrations/R__v.sql", "select 7;\n"),
    ];
    let repository = parted(&both, &[], &[]);
    // Line ends and ways back are no change.
    repository.write(&[
        ("migrations/001_a.sql", "select 1;\r\n\r\n-- limosa:rollback\r\nselect 9;\r\n"),
        ("migrations/004_d.rollback.sql", "select 9;\n"),
        ("migrations/R__v.sql", "select 8;\n"),
    ]);
    assert_eq!(said(&repository, &against(&repository, "main").await.unwrap()), "0");
    repository.write(&[("migrations/002_b.sql", "select 22;\n"), ("migrations/003_z.sql", "select 3;\n")]);
    repository.write(&[("migrations/007_e.sql", "select 5;\n")]);
    for gone in ["003_c.sql", "004_d.sql", "005_e.sql"] {
        std::fs::remove_file(super::path(&repository, gone)).unwrap();
    }
    let expected = "1
LIM-F018 W 004_d.rollback.sql takes back a migration with the version 4, and there is none
LIM-P024 E 002_b.sql was edited here, and main has it: where it ran it does not run again
LIM-P026 W 003_c.sql is called 003_z.sql here, which main does not know
LIM-P025 E 004_d.sql is gone here, and main has it: it may have run
LIM-P026 E 005_e.sql is called 007_e.sql here: where it ran it would run again, as another migration";
    assert_eq!(said(&repository, &against(&repository, "main").await.unwrap()), expected);
    // A tag on the way here is compared alike.
    repository.git(&["tag", "v1", "main"]);
    repository.commit(&[]);
    let answer = against(&repository, "v1").await.unwrap();
    assert_eq!(said(&repository, &answer), expected.replace("main", "v1"));
    // What the other branch has taken away as well is nobody's loss.
    let repository = parted(&[ONE, ("migrations/002_b.sql", "select 2;")], &[], &[]);
    repository.git(&["checkout", "--quiet", "main"]);
    repository.git(&["rm", "--quiet", "migrations/002_b.sql"]);
    repository.commit(&[]);
    repository.git(&["checkout", "--quiet", "work"]);
    repository.git(&["rm", "--quiet", "migrations/002_b.sql"]);
    assert_eq!(said(&repository, &against(&repository, "main").await.unwrap()), "0");
}

#[tokio::test]
async fn what_only_some_engines_can_read_is_compared_to_its_end() {
    // Of these, each is an error for some engine in its first statement.
    for text in ["select $$ it's $$; select 1;\n", "select 'it\\'s'; select 1;\n", "select 'never closed; select 1;\n"]
    {
        let repository = parted(&[("migrations/001_a.sql", text)], &[], &[]);
        // What no engine can read is told, whatever the other branch has.
        let told = said(&repository, &against(&repository, "main").await.unwrap());
        assert_eq!(told.lines().next(), Some(if text.contains("never") { "1" } else { "0" }), "{told}");
        repository.write(&[("migrations/001_a.sql", &text.replace("select 1", "select 2"))]);
        let answer = against(&repository, "main").await.unwrap();
        assert!(said(&repository, &answer).contains("\nLIM-P024"), "{text}");
        repository.write(&[("migrations/001_a.sql", &format!("{text}\n-- limosa:rollback\nselect 0;\n"))]);
        let answer = against(&repository, "main").await.unwrap();
        // One that no engine can read is compared as a whole.
        assert_eq!(answer.exit_code, u8::from(text.contains("never")), "{text}");
    }
}

#[tokio::test]
async fn the_setting_for_late_ones_counts() {
    let repository = parted(&[ONE], &[("migrations/003_b.sql", "select 2;")], &[("migrations/002_c.sql", "select 3;")]);
    for (order, exit, codes, result) in [
        (OutOfOrder::Refuse, 1, "LIM-P023 E", "error"),
        (OutOfOrder::Warn, 0, "LIM-P023 W", "warning"),
        (OutOfOrder::Allow, 0, "", "ok"),
    ] {
        let mut configuration = configuration(&repository);
        configuration.out_of_order = order;
        let answer = Migrator::new(configuration).validate_against("main").await.unwrap();
        assert_eq!(answer.exit_code, exit);
        assert!(said(&repository, &answer).contains(codes));
        assert_eq!(answer.findings.is_empty(), codes.is_empty());
        assert!(answer.checks.iter().any(|check| check.name == "late" && check.result == result && check.seen == "1"));
    }
    let answer = against(&repository, "main").await.unwrap();
    let help = answer.findings[0].help.clone().unwrap();
    for tool in ["golang-migrate", "goose", "Flyway", "dbmate", "out_of_order", "limosa new --renumber --against main"]
    {
        assert!(help.contains(tool), "{help}");
    }
}

#[tokio::test]
async fn files_for_other_engines_and_settings_beside_them_are_read() {
    let config = "migrations:\n  - file: 002_b.sql\n    engines: [postgres]\n";
    let main = [("migrations/002_b.sql", "select 2;"), ("migrations/migration_config.yaml", config)];
    let repository = parted(&[ONE], &main, &[("migrations/002_c.sql", "-- Engines: sqlite\nselect 3;")]);
    assert_eq!(said(&repository, &against(&repository, "main").await.unwrap()), "0");
    assert_eq!(Engine::ALL.len(), 3);
}

#[tokio::test]
async fn a_database_is_looked_at_as_well_where_one_is_named() {
    let home = sqlite();
    let repository = parted(&[ONE], &[], &[("migrations/002_b.sql", "create table b (n int);")]);
    let mut configuration = configuration(&repository);
    configuration.database = home.configuration().database;
    let migrator = Migrator::new(configuration);
    crate::answers::done(crate::answers::migrate(&migrator).await);
    assert_eq!(migrator.validate_against("main").await.unwrap().exit_code, 0);
    repository.write(&[("migrations/002_b.sql", "create table bb (n int);")]);
    let answer = migrator.validate_against("main").await.unwrap();
    assert!(said(&repository, &answer).starts_with("1\nLIM-P001 E 002_b.sql was changed"), "{answer:?}");
    assert!(answer.target.is_some() && answer.against.is_some());
    // Two of one version in this folder need no database to be seen.
    repository.write(&[("migrations/002_c.sql", "select 1;")]);
    let alone = said(&repository, &against(&repository, "main").await.unwrap());
    assert_eq!(alone, "1\nLIM-F016 E 002_b.sql and 002_c.sql both have the version 2");
}
