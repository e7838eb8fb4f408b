//! Single migration files: checksums, headers, outlines, encodings.

use limosa_core::{Checksum, GroupMode, Identity, Kind, TransactionWish};
use limosa_formats::Layout;
use limosa_formats::native::{FileFacts, FileReader, assemble};
use limosa_sql::{Engine, Position};

use crate::project::{folder, read_file, show};

#[test]
fn a_file_becomes_a_change() {
    let text = "-- Migration: 001_create_jobs.sql\n-- Purpose: a queue\n-- Lock-timeout: 2s\n\nCREATE TABLE jobs (id int);\n\
                INSERT INTO jobs VALUES (1);\n";
    let outcome = folder(Engine::Sqlite, &[("m/001_create_jobs.sql", text)]);
    assert_eq!(outcome.shown(), [] as [&str; 0]);
    let change = outcome.only();
    assert_eq!(change.identity, Identity::new("1"));
    assert!(matches!(&change.kind, Kind::Versioned(version) if version.to_string() == "1"));
    assert_eq!((change.label.as_str(), change.name.as_str()), ("001", "create jobs"));
    assert_eq!(change.headers.purpose.as_deref(), Some("a queue"));
    assert_eq!(change.headers.lock_timeout, Some(2000));
    assert_eq!(change.script.file, "m/001_create_jobs.sql");
    assert_eq!(change.script.start, Position::START);
    assert_eq!(change.script.span.start, 0);
    // Without the blanks at its end.
    assert_eq!(change.script.span.end, text.len() as u64 - 1);
    assert_eq!(change.script.file_checksum, Checksum::of(text.as_bytes()));
    assert_eq!(change.script.up_checksum, Checksum::of(text.trim_end().as_bytes()));
    assert_eq!(change.script.outline.statements, 2);
    assert!(change.script.outline.is_atomic());
    assert!(change.rollback.is_none());
}

#[test]
fn the_up_checksum_sees_the_up_part_only() {
    let up = |text: &str| {
        let outcome = folder(Engine::Postgres, &[("1_a.sql", text)]);
        assert!(outcome.diagnostics.iter().all(|diagnostic| !diagnostic.is_error()), "{text:?}: {:?}", outcome.shown());
        let script = outcome.only().script.clone();
        (script.up_checksum.clone(), script.file_checksum.clone())
    };
    let (plain, file) = up("CREATE TABLE t (a int);");
    for same in [
        "CREATE TABLE t (a int);\n",
        "\u{feff}CREATE TABLE t (a int);\r\n\r\n",
        "CREATE TABLE t (a int);\n\n-- limosa:rollback\nDROP TABLE t;\n",
        "CREATE TABLE t (a int);\n-- limosa:rollback\nDROP TABLE IF EXISTS t;\n",
        "CREATE TABLE t (a int);\r\n\r\n-- ====\r\n-- ROLLBACK\r\n-- ====\r\n--   DROP TABLE t;\r\n",
    ] {
        let (checksum, other_file) = up(same);
        assert_eq!(checksum, plain, "{same:?}");
        assert_ne!(other_file, file, "{same:?}");
    }
    for other in ["CREATE TABLE t (a int)", "CREATE TABLE t (b int);", "-- x\nCREATE TABLE t (a int);"] {
        assert_ne!(up(other).0, plain, "{other:?}");
    }
}

#[test]
fn the_transaction_header_decides_how_statements_commit() {
    for (header, mode) in [
        ("", GroupMode::Transaction),
        ("-- Transaction: auto\n", GroupMode::Transaction),
        ("-- Transaction: always\n", GroupMode::Transaction),
        ("-- Transaction: none\n", GroupMode::Alone),
    ] {
        let text = format!("{header}CREATE TABLE a (x int);\nCREATE TABLE b (x int);\n");
        let outcome = folder(Engine::Postgres, &[("1_a.sql", &text)]);
        assert_eq!(outcome.shown(), [] as [&str; 0]);
        assert_eq!(outcome.only().script.outline.groups[0].mode, mode, "{header}");
    }
    let config = "migrations: {1: {transaction: none}}";
    let statement = "CREATE TABLE a (x int);\n";
    let outcome = folder(Engine::Postgres, &[("1_a.sql", statement), ("migration_config.yaml", config)]);
    assert_eq!(outcome.only().script.outline.groups[0].mode, GroupMode::Alone);
    // The file's own header wins.
    let own = format!("-- Transaction: always\n{statement}");
    let outcome = folder(Engine::Postgres, &[("1_a.sql", &own), ("migration_config.yaml", config)]);
    assert_eq!(outcome.only().script.outline.groups[0].mode, GroupMode::Transaction);
    assert_eq!(outcome.only().headers.transaction, TransactionWish::Always);
}

#[test]
fn files_without_statements_are_warned_of() {
    let expected = "LIM-F008 warning [1_a.sql] this migration holds no statement / it will be recorded as applied without \
                    doing anything";
    for text in ["", "\n\n", "-- only words\n", "\u{feff}", "/* a */ ;", "-- Purpose: x"] {
        let outcome = folder(Engine::Sqlite, &[("1_a.sql", text)]);
        assert_eq!(outcome.shown(), [expected], "{text:?}");
        assert_eq!(outcome.only().script.outline.statements, 0);
    }
}

#[test]
fn transactions_that_cannot_be_run_are_shown_with_their_line() {
    for (text, expected) in [
        (
            "SELECT 1;\n  BEGIN;\nSELECT 2;\n",
            "LIM-F015 error [1_a.sql:2:3] the transaction that begins here is still open at the end of the file / end the \
             file with COMMIT, or leave out BEGIN: limosa opens a transaction itself",
        ),
        (
            "SELECT 1;\nCOMMIT;\n",
            "LIM-F015 error [1_a.sql:2:1] COMMIT ends a transaction that this file did not begin / leave it out: limosa \
             commits by itself",
        ),
        (
            "-- Transaction: always\nVACUUM;\n",
            "LIM-F015 error [1_a.sql:2:1] VACUUM cannot run inside a transaction, but the header asks for one / take out \
             'Transaction: always', or move the statement into a migration of its own",
        ),
    ] {
        let outcome = folder(Engine::Postgres, &[("1_a.sql", text)]);
        assert_eq!(outcome.shown(), [expected], "{text}");
        let line = outcome.diagnostics[0].labels[0].line_text.as_deref().unwrap();
        let number = outcome.diagnostics[0].labels[0].position.unwrap().line as usize;
        assert_eq!(line, text.lines().nth(number - 1).unwrap().trim_end_matches(';'));
    }
}

#[test]
fn headers_end_at_the_first_statement() {
    let text = "-- Tags: a\nSELECT 1;\n-- Transaction: nonsense\nSELECT 2;\n-- Transaction: nonsense\n";
    let outcome = folder(Engine::Sqlite, &[("1_a.sql", text)]);
    assert_eq!(outcome.shown(), [] as [&str; 0]);
    assert_eq!(outcome.only().headers.tags, ["a"]);
    // Inside a statement is not above it.
    let text = "SELECT\n-- Transaction: nonsense\n1;\n";
    assert_eq!(folder(Engine::Sqlite, &[("1_a.sql", text)]).shown(), [] as [&str; 0]);
    // A rollback section may come first of all; its headers are its own.
    let text = "-- limosa:rollback\n-- Transaction: none\nSELECT 1;\n";
    let outcome = folder(Engine::Sqlite, &[("1_a.sql", text)]);
    assert_eq!(outcome.diagnostics.len(), 1, "{:?}", outcome.shown());
    assert_eq!(outcome.only().headers, Default::default());
    let rollback = outcome.only().rollback.as_ref().unwrap();
    assert_eq!((rollback.outline.statements, rollback.transaction()), (1, limosa_core::TransactionWish::None));
}

#[test]
fn headers_below_a_very_long_comment_are_not_looked_for() {
    let text = format!("-- Tags: a\n{}-- Transaction: nonsense\nSELECT 1;\n", "-- words\n".repeat(40_000));
    for chunk in [1000, usize::MAX] {
        let (facts, problems) = read_file(Engine::Sqlite, "1_a.sql", text.as_bytes(), chunk, &[]);
        assert_eq!(problems.iter().map(show).collect::<Vec<_>>(), [] as [&str; 0]);
        assert_eq!(facts.unwrap().headers().tags, ["a"]);
    }
}

#[test]
fn bytes_that_are_no_sql_text_are_refused_with_the_file() {
    for (bytes, code) in [
        (&b"SELECT 1;\n\xff"[..], "LIM-S001"),
        (b"\xff\xfeS\0E\0L\0", "LIM-S002"),
        (b"SELECT \0 1;", "LIM-S003"),
        (b"PGDMP\x01\x0e\x00", "LIM-S004"),
        (b"SELECT 'open", "LIM-S005"),
    ] {
        let (facts, problems) = read_file(Engine::Postgres, "m/1_a.sql", bytes, 3, &[]);
        assert!(facts.is_some());
        let errors: Vec<_> = problems.iter().filter(|problem| problem.is_error()).collect();
        assert_eq!(errors.len(), 1, "{problems:?}");
        assert_eq!((errors[0].code, errors[0].labels[0].file.as_str()), (code, "m/1_a.sql"));
    }
}

#[test]
fn files_for_another_engine_are_read_by_its_rules() {
    let trigger = "CREATE TABLE t (a int);\nCREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END;\n";
    let with_header = format!("-- Engines: sqlite\n{trigger}");
    let outcome = folder(Engine::Postgres, &[("1_a.sql", &with_header)]);
    assert_eq!(outcome.shown(), [] as [&str; 0]);
    assert_eq!(outcome.only().script.outline.statements, 2);
    assert_eq!(outcome.only().headers.engines, [Engine::Sqlite]);
    let config = ("migration_config.yml", "migrations: {1: {engines: sqlite}}");
    let outcome = folder(Engine::Postgres, &[("1_a.sql", trigger), config]);
    assert_eq!(outcome.shown(), [] as [&str; 0]);
    assert_eq!(outcome.only().script.outline.statements, 2);
}

#[test]
fn names_that_are_no_scripts_are_not_read() {
    for (path, problems) in [("README.md", 0), (".x.sql", 0), ("V1__a.sql", 1), ("notes.sql", 1)] {
        let (facts, found) = read_file(Engine::Sqlite, path, b"\xff\xff", 1, &[]);
        assert!(facts.is_none());
        assert_eq!(found.len(), problems, "{path}");
    }
}

fn of_tool(layout: &Layout, text: &str) -> (FileFacts, Vec<String>) {
    let mut reader = FileReader::new(Engine::Sqlite, "m/1_a.sql", &[]).of_tool(layout).with_markers(layout.markers());
    reader.feed(text.as_bytes());
    let (facts, problems) = reader.finish();
    (facts.expect("a script"), problems.iter().map(show).collect())
}

#[test]
fn what_looks_like_a_header_may_be_prose_in_files_of_other_tools() {
    let text = "-- migrate:up transaction:false\n-- Transaction: false, for it has its own\n-- Depends-on: 7 (the table)\n\
                select 1;\n-- migrate:down\n-- Statement-timeout: long\nselect 2;\n";
    let (facts, problems) = of_tool(&Layout::Dbmate, text);
    assert_eq!(
        problems,
        [
            "LIM-F004 warning [m/1_a.sql:2:17] 'false, for it has its own' is no value of 'Transaction' / it has no effect: \
             where it is prose all is well; else allowed: auto, always or none",
            "LIM-F004 warning [m/1_a.sql:6:23] 'long' is no value of 'Statement-timeout' / it has no effect: where it is prose \
             all is well; else allowed: a number with ms, s, min or h (3s, 500ms), or 0 or off",
        ]
    );
    let (set, problems) = assemble([facts], &[], Engine::Sqlite);
    let problems: Vec<String> = problems.iter().map(show).collect();
    assert_eq!(set.changes.len(), 1);
    assert_eq!(
        problems,
        [
            "LIM-F020 warning [m/1_a.sql:3:16] m/1_a.sql depends on 7 (the table), which does not exist / it has no effect: where \
          it is prose all is well; else add the migration, or correct the name"
        ]
    );
}

#[test]
fn files_end_the_transaction_that_their_tool_began() {
    let text = "COMMIT;\nPRAGMA foreign_keys = off;\nBEGIN;\nselect 1;\n";
    for (layout, is_read) in [
        (Layout::Drizzle(Default::default()), true),
        (Layout::Diesel, true),
        (Layout::Refinery, true),
        (Layout::Native, false),
        (Layout::UpDown, false),
        (Layout::Prisma, false),
    ] {
        let (facts, problems) = of_tool(&layout, text);
        assert_eq!(problems.is_empty(), is_read, "{layout:?} {problems:?}");
        let left = facts.script().unwrap().outline.left_out.len();
        assert_eq!(left, if is_read { 2 } else { 0 }, "{layout:?}");
    }
}
