//! The ways to write the way back.

use limosa_core::Rollback;
use limosa_sql::{Engine, Position};

use crate::project::{Outcome, folder};

fn one(engine: Engine, text: &str) -> Outcome {
    folder(engine, &[("1_a.sql", text)])
}

fn back(outcome: &Outcome) -> &Rollback {
    assert_eq!(outcome.shown(), [] as [&str; 0]);
    outcome.only().rollback.as_ref().expect("a way back")
}

/// The strategy document's form: headers, ruled sections, the way back as comments.
const COMMENTED: &str = "\
-- Migration: 001_create_jobs.sql
-- Purpose: Queue of background jobs
-- Phase: 1
-- Checklist: docs/checklist.md, item 4

-- ============================================================================
-- JOBS
-- ============================================================================
-- One row per job; workers take the oldest one that waits.

CREATE TABLE jobs (
  id BIGINT PRIMARY KEY,
  state TEXT NOT NULL DEFAULT 'waiting',
  updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE FUNCTION touch_updated_at() RETURNS trigger AS $$
BEGIN
  -- limosa:rollback would mean nothing here
  NEW.updated_at := now();
  RETURN NEW;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER jobs_touch BEFORE UPDATE ON jobs
FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- ============================================================================
-- ROLLBACK
-- ============================================================================
-- To rollback this migration:
--   DROP TRIGGER IF EXISTS jobs_touch ON jobs;
--   DROP FUNCTION IF EXISTS touch_updated_at();
--   DROP TABLE IF EXISTS jobs CASCADE;
--
-- WARNING: All jobs are lost. Take a backup first.
";

#[test]
fn comments_below_a_heading_are_read() {
    let outcome = folder(Engine::Postgres, &[("m/001_create_jobs.sql", COMMENTED)]);
    let rollback = back(&outcome);
    assert_eq!(
        rollback.text,
        "     DROP TRIGGER IF EXISTS jobs_touch ON jobs;\n     DROP FUNCTION IF EXISTS touch_updated_at();\n     \
         DROP TABLE IF EXISTS jobs CASCADE;\n"
    );
    assert_eq!(rollback.file, "m/001_create_jobs.sql");
    assert_eq!(rollback.start, Position { line: 32, column: 1 });
    assert_eq!(rollback.outline.statements, 3);
    let (remark, loss) = rollback.outline.losses().next().expect("a loss");
    assert_eq!((loss.kind.as_str(), loss.object.as_str()), ("table", "jobs"));
    // The column in the file, as if the comment mark were blank.
    assert_eq!(remark.position, Position { line: 34, column: 6 });
    let change = outcome.only();
    assert_eq!(change.script.outline.statements, 3);
    let up = COMMENTED
        .find("\n\n-- ============================================================================\n-- ROLLBACK");
    assert_eq!(change.script.span.end as usize, up.unwrap());
    assert_eq!(change.headers.checklist.as_deref(), Some("docs/checklist.md, item 4"));
}

#[test]
fn comments_may_span_lines_and_hold_comments() {
    let text = "CREATE TABLE a (x int);\n-- ----\n-- Rollback:\n--   DELETE FROM a -- all; of it\n--    WHERE x > 0;\n-- then\n\
                --  /* two; */ DROP TABLE a /* c */ ; -- done\n";
    let outcome = one(Engine::Sqlite, text);
    let rollback = back(&outcome);
    assert_eq!(
        rollback.text,
        "     DELETE FROM a -- all; of it\n      WHERE x > 0;\n\n    /* two; */ DROP TABLE a /* c */ ; -- done\n"
    );
    assert_eq!((rollback.start.line, rollback.outline.statements), (4, 2));
}

#[test]
fn comments_that_are_not_whole_statements_are_refused() {
    let prose = "prose gets one blank after '--', SQL two or more; or write the way back below '-- limosa:rollback'";
    for (section, expected) in [
        (
            "--   DROP TABLE a;\n--   DROP TABLE b\n",
            format!("LIM-F010 error [1_a.sql:6:6] a statement of this rollback does not end with ';' / {prose}"),
        ),
        (
            "-- WARNING: all is lost.\n--          Take a backup;\n--   DROP TABLE a;\n",
            format!("LIM-F010 error [1_a.sql:6:13] this line of the rollback is read as SQL, and 'Take' begins no statement / {prose}"),
        ),
        (
            "--   DELETE FROM a\n--     WHERE x = 1 -- here;\n",
            format!("LIM-F010 error [1_a.sql:6:8] a statement of this rollback does not end with ';' / {prose}"),
        ),
        (
            "--   DROP TABLE a;\n-- DROP TABLE b;\n",
            "LIM-F010 error [1_a.sql:6:4] a line of this rollback looks like SQL and has too few blanks to be read as such / \
             put two or more blanks after '--' before SQL, and one before prose"
                .to_owned(),
        ),
        (
            "--   DELETE FROM a\n-- WHERE x = 1;\n--   AND y = 2;\n",
            "LIM-F010 error [1_a.sql:6:4] a line of this rollback looks like SQL and has too few blanks to be read as such / \
             put two or more blanks after '--' before SQL, and one before prose"
                .to_owned(),
        ),
        (
            "--   SELECT 'open;\n",
            "LIM-S005 error [1_a.sql:5:13] ".to_owned(),
        ),
        (
            "--   DROP TABLE a;\nDROP TABLE b;\n",
            "LIM-F011 error [1_a.sql:6:1] this SQL stands below a ROLLBACK heading and is no comment, so it would run as part of \
             the migration / write '-- limosa:rollback' on the line before it where it is the way back, or give the heading \
             another name"
                .to_owned(),
        ),
        (
            "--   DROP TABLE a;\n-- limosa:rollback\nDROP TABLE a;\n",
            "LIM-F017 error [1_a.sql:5:6, 1_a.sql:6:4] this file holds two ways back / keep one of the two".to_owned(),
        ),
        (
            "-- DROP TABLE a;\n",
            "LIM-F012 warning [1_a.sql:5:4] the comments below this ROLLBACK heading are read as prose, so there is no way back / \
             put two or more blanks after '--' before SQL, or write it below '-- limosa:rollback'"
                .to_owned(),
        ),
        (
            "--   BEGIN;\n--   DROP TABLE a;\n",
            "LIM-F015 error [1_a.sql:5:6] the transaction that begins here is still open at the end of the file / end the \
             file with COMMIT, or leave out BEGIN: limosa opens a transaction itself"
                .to_owned(),
        ),
    ] {
        let text = format!("CREATE TABLE a (x int);\n-- ====\n-- ROLLBACK\n-- ====\n{section}");
        let outcome = one(Engine::Postgres, &text);
        let shown = outcome.shown();
        assert_eq!(shown.len(), 1, "{section}: {shown:?}");
        assert!(shown[0].starts_with(&expected), "{section}:\n{}\n{expected}", shown[0]);
        assert!(outcome.only().rollback.is_none());
        assert_eq!(outcome.only().script.outline.statements, 1, "{section}");
    }
}

#[test]
fn prose_alone_is_no_way_back() {
    for section in ["", "-- Nothing to do.\n", "-- This cannot be undone; restore the backup.\n", "\n\n"] {
        let text = format!("CREATE TABLE a (x int);\n-- ====\n-- ROLLBACK\n-- ====\n{section}");
        let outcome = one(Engine::Postgres, &text);
        assert_eq!(outcome.shown(), [] as [&str; 0], "{section}");
        assert!(outcome.only().rollback.is_none());
    }
}

#[test]
fn a_section_is_the_rest_of_the_file() {
    let text = "CREATE TABLE a (x int);\n\n-- limosa:rollback\n-- the data goes too\nDROP TABLE a";
    for (text, line) in [
        (text.to_owned(), 4),
        (text.replace('\n', "\r\n"), 4),
        // Decorated.
        (text.replace("-- limosa", "-- ====\n-- ROLLBACK\n-- ====\n-- limosa"), 7),
        // The statement before it was never ended.
        (text.replace(";\n\n", "\n\n"), 4),
    ] {
        let outcome = one(Engine::Postgres, &text);
        let rollback = back(&outcome);
        assert_eq!(rollback.text.replace('\r', ""), "-- the data goes too\nDROP TABLE a", "{text:?}");
        assert_eq!(rollback.start, Position { line, column: 1 }, "{text:?}");
        assert_eq!(rollback.outline.losses().next().unwrap().0.position, Position { line: line + 1, column: 1 });
        let script = &outcome.only().script;
        assert_eq!(script.outline.statements, 1);
        let up = &text[..script.span.end as usize];
        assert_eq!(up.trim_end_matches(';'), "CREATE TABLE a (x int)", "{text:?}");
    }
}

#[test]
fn a_section_says_how_it_wants_to_be_run() {
    use limosa_core::TransactionWish;
    let up = "-- Lock-timeout: 9s\nCREATE TABLE a (x int);\n";
    let plain = one(Engine::Postgres, up);
    for (head, wish, time_outs) in [
        ("", TransactionWish::Auto, (None, None)),
        ("-- Transaction: none\n", TransactionWish::None, (None, None)),
        ("-- why: because\n\n--transaction: NONE\n-- Lock-timeout: 500ms\n", TransactionWish::None, (Some(500), None)),
        ("-- Statement-timeout: off\n-- Lock-timeout: 0\n", TransactionWish::Auto, (Some(0), Some(0))),
        ("-- Transaction: always\n-- Purpose: to be safe\n", TransactionWish::Auto, (None, None)),
        // Below the first statement it is a comment like any other.
        ("SELECT 1;\n-- Transaction: none\n", TransactionWish::Auto, (None, None)),
    ] {
        let text = format!("{up}\n-- limosa:rollback\n{head}DELETE FROM a;\nDROP TABLE a;\n");
        let outcome = one(Engine::Postgres, &text);
        let rollback = back(&outcome);
        assert_eq!(rollback.transaction(), wish, "{head}");
        assert_eq!((rollback.time_outs().lock_ms, rollback.time_outs().statement_ms), time_outs, "{head}");
        // The up part and what it asks for are as they were.
        let (script, before) = (&outcome.only().script, &plain.only().script);
        assert_eq!((&script.up_checksum, script.span), (&before.up_checksum, before.span), "{head}");
        assert_eq!(outcome.only().headers, plain.only().headers, "{head}");
        // A file of its own is read the same way.
        let beside = [("1_a.sql", up), ("1_a.rollback.sql", &format!("{head}DELETE FROM a;\nDROP TABLE a;\n"))];
        let outcome = folder(Engine::Postgres, &beside);
        assert_eq!((back(&outcome).transaction(), back(&outcome).time_outs()), (wish, rollback.time_outs()), "{head}");
    }
}

#[test]
fn bad_headers_of_a_section_are_named_with_their_place() {
    for (head, expected) in [
        (
            "-- Transaction: sometimes",
            "LIM-F004 error [1_a.sql:3:17] 'sometimes' is no value of 'Transaction' / allowed: auto, always or none",
        ),
        (
            "-- Transacton: none",
            "LIM-F003 warning [1_a.sql:3:4] 'Transacton' is no header; did you mean 'Transaction'? / \
             write '-- Transaction: ...', or leave out the colon where this is prose",
        ),
        (
            "-- Depends-on: 2",
            "LIM-F007 warning [1_a.sql:3:4] 'Depends-on' has no effect in a rollback section / write it at the head of the migration",
        ),
        (
            "-- Transaction: none\n-- Transaction: auto",
            "LIM-F005 error [1_a.sql:4:4] 'Transaction' is given twice / keep one of the two lines",
        ),
        (
            "-- Migration: 002_b.sql",
            "LIM-F006 warning [1_a.sql:3:15] the header says 002_b.sql, the file is 1_a.sql / write '-- Migration: 1_a.sql'",
        ),
        (
            "-- Transaction: always\nDROP INDEX CONCURRENTLY i;",
            "LIM-F015 error [1_a.sql:4:1] DROP INDEX CONCURRENTLY cannot run inside a transaction, but the header asks for one / \
             take out 'Transaction: always', or move the statement into a migration of its own",
        ),
    ] {
        let text = format!("CREATE TABLE a (x int);\n-- limosa:rollback\n{head}\nDROP TABLE a;\n");
        assert_eq!(one(Engine::Postgres, &text).shown(), [expected], "{head}");
    }
    // Meant for another engine.
    let text = "CREATE TABLE a (x int);\n-- limosa:rollback\n-- Engines: sqlite\nDROP TABLE a;\n";
    assert!(one(Engine::Postgres, text).only().rollback.is_none());
    assert!(one(Engine::Sqlite, text).only().rollback.is_some());
}

#[test]
fn marks_inside_strings_and_comments_are_none() {
    for text in [
        "SELECT '\n-- limosa:rollback\n';",
        "SELECT $x$\n-- limosa:rollback\n$x$;",
        "SELECT \"\n-- limosa:rollback\n\" FROM t;",
        "/*\n-- limosa:rollback\n*/ SELECT 1;",
        "SELECT /*\n-- limosa:rollback\n*/ 1;",
        "SELECT 1; -- limosa:rollback",
        "SELECT 1 -- limosa:rollback\n;",
        "COPY t FROM stdin;\n-- limosa:rollback\n\\.\n",
        "SELECT '\n-- ====\n-- ROLLBACK\n-- ====\n--   DROP TABLE a;\n';",
    ] {
        let outcome = one(Engine::Postgres, text);
        assert_eq!(outcome.shown(), [] as [&str; 0], "{text}");
        assert_eq!(outcome.only().script.outline.statements, 1, "{text}");
        assert!(outcome.only().rollback.is_none(), "{text}");
    }
}

#[test]
fn a_mark_inside_an_unfinished_body_is_refused() {
    for (engine, text, verb) in [
        (
            Engine::Sqlite,
            "CREATE TRIGGER g AFTER INSERT ON t BEGIN\n  SELECT 1;\n  -- limosa:rollback\n  SELECT 2;\nEND;\n",
            "CREATE TRIGGER",
        ),
        (Engine::Postgres, "CREATE TABLE t (\n  a int\n  -- limosa:rollback\n);\n", "CREATE TABLE"),
    ] {
        let outcome = one(engine, text);
        let expected = format!(
            "LIM-F013 error [1_a.sql:3:3] the rollback section begins inside {verb} / close the statement before it"
        );
        assert_eq!(outcome.shown(), [expected]);
    }
    // A misspelt one is named too.
    let shown = one(Engine::Postgres, "SELECT 1\n  -- limosa:rolback\n;\n").shown();
    assert!(shown[0].starts_with("LIM-F009 error [1_a.sql:2:6] 'limosa:rolback' is not known"), "{shown:?}");
    // At the beginning of a line, so that the column is the first one.
    let text = "CREATE TABLE t (\na int\n-- limosa:rollback\n);\n";
    assert!(one(Engine::Postgres, text).shown()[0].starts_with("LIM-F013 error [1_a.sql:3:1] "));
}

#[test]
fn unknown_directives_are_refused() {
    for (line, expected) in [
        ("-- limosa:rolback", "'limosa:rolback' is not known"),
        ("  -- Limosa: down now", "'limosa:down now' is not known"),
        ("-- limosa:", "'limosa:' says nothing"),
    ] {
        let column = line.find("--").unwrap() + 4;
        let outcome = one(Engine::Sqlite, &format!("SELECT 1;\n{line}\nSELECT 2;\n"));
        let expected = format!(
            "LIM-F009 error [1_a.sql:2:{column}] {expected} / the only one is '-- limosa:rollback', alone on its line"
        );
        assert_eq!(outcome.shown(), [expected]);
    }
}

#[test]
fn a_file_of_its_own_is_paired() {
    let up = ("m/002_add_index.sql", "CREATE INDEX i ON t (a);\n");
    for path in [
        "m/002_add_index.rollback.sql",
        "m/rollbacks/0002_rollback.sql",
        "m/rollbacks/2.sql",
        "m/rollbacks/002_add_index.rollback.sql",
        "other/rollbacks/02_whatever.sql",
    ] {
        let outcome = folder(Engine::Sqlite, &[up, (path, "\u{feff}-- back\nDROP INDEX i;\n")]);
        let rollback = back(&outcome);
        assert_eq!((rollback.file.as_str(), rollback.text.as_str()), (path, "-- back\nDROP INDEX i;\n"));
        assert_eq!((rollback.start, rollback.outline.statements), (Position::START, 1));
    }
    let outcome = folder(
        Engine::Sqlite,
        &[("R__views.sql", "CREATE VIEW v AS SELECT 1;"), ("R__views.rollback.sql", "DROP VIEW v;")],
    );
    assert_eq!(back(&outcome).text, "DROP VIEW v;");
}

#[test]
fn the_wrapped_form_and_the_header_of_a_rollback_file_are_read() {
    let up = ("1_a.sql", "CREATE TABLE t (a int);");
    let outcome = folder(Engine::Postgres, &[up, ("rollbacks/1_rollback.sql", "BEGIN;\nDROP TABLE t;\nCOMMIT;\n")]);
    assert!(back(&outcome).outline.wrapped);
    let text = "-- Transaction: none\nDROP TABLE t;\nSELECT 1;\n";
    let outcome = folder(Engine::Postgres, &[up, ("rollbacks/1_rollback.sql", text)]);
    assert!(!back(&outcome).outline.is_atomic());
}

#[test]
fn two_ways_back_are_refused() {
    let up = ("m/002_a.sql", "SELECT 1;");
    let own = ("m/002_a.sql", "SELECT 1;\n-- limosa:rollback\nSELECT 2;");
    let beside = ("m/002_a.rollback.sql", "SELECT 3;");
    let there = ("m/rollbacks/2_rollback.sql", "SELECT 4;");
    assert_eq!(
        folder(Engine::Sqlite, &[own, beside]).shown(),
        [
            "LIM-F017 error [m/002_a.rollback.sql, m/002_a.sql] m/002_a.sql has two ways back: its own rollback section, and \
          m/002_a.rollback.sql / keep one of the two"
        ]
    );
    assert_eq!(
        folder(Engine::Sqlite, &[up, there, beside]).shown(),
        ["LIM-F017 error [m/rollbacks/2_rollback.sql, m/002_a.rollback.sql] m/002_a.sql has two ways back: \
          m/002_a.rollback.sql and m/rollbacks/2_rollback.sql / keep one of the two"]
    );
}

#[test]
fn rollbacks_that_belong_to_nothing_are_warned_of() {
    let up = ("m/002_add_index.sql", "SELECT 1;");
    for (path, text, expected) in [
        (
            "m/003_add_index.rollback.sql",
            "SELECT 2;",
            "LIM-F018 warning [m/003_add_index.rollback.sql] m/003_add_index.rollback.sql takes back a migration with the \
             version 3, and there is none / did you mean 002_add_index.rollback.sql?",
        ),
        (
            "m/rollbacks/R__views.sql",
            "SELECT 2;",
            "LIM-F018 warning [m/rollbacks/R__views.sql] m/rollbacks/R__views.sql takes back a repeatable migration \
             R__views.sql, and there is none / rename it after its migration, or remove it",
        ),
        (
            "m/002_index.rollback.sql",
            "SELECT 2;",
            "LIM-F019 warning [m/002_index.rollback.sql] m/002_index.rollback.sql is taken as the way back of \
             m/002_add_index.sql / rename it to 002_add_index.rollback.sql",
        ),
        (
            "m/002_add_index.rollback.sql",
            "-- nothing\n",
            "LIM-F008 warning [m/002_add_index.rollback.sql] this rollback holds no statement, so there is no way back / write \
             the SQL, or remove the rollback",
        ),
    ] {
        assert_eq!(folder(Engine::Sqlite, &[up, (path, text)]).shown(), [expected]);
    }
    let outcome = one(Engine::Sqlite, "SELECT 1;\n-- limosa:rollback\n\n");
    assert_eq!(
        outcome.shown(),
        [
            "LIM-F008 warning [1_a.sql:3:1] this rollback holds no statement, so there is no way back / write the SQL, or remove \
          the rollback"
        ]
    );
}

#[test]
fn a_rollback_too_large_to_be_kept_is_refused() {
    let text = format!(
        "SELECT 1;\n-- limosa:rollback\n{}",
        "INSERT INTO t VALUES ('some text to fill the file');\n".repeat(400_000)
    );
    assert_eq!(
        one(Engine::Sqlite, &text).shown(),
        [
            "LIM-F014 error [1_a.sql:2:1] this rollback is larger than 16 MiB / a way back is kept in the database; let it call a \
          function or copy from a table instead of holding data"
        ]
    );
}
