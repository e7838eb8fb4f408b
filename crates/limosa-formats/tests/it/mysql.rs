//! Migration files for MySQL and MariaDB.

use limosa_core::{GroupMode, LeftOutReason};
use limosa_sql::{Engine, Position};

use crate::project::{Outcome, folder, folder_in_chunks};

fn one(text: &str) -> Outcome {
    let whole = folder(Engine::Mysql, &[("001_a.sql", text)]);
    for chunk in [1, 7] {
        let parts = folder_in_chunks(Engine::Mysql, &[("001_a.sql", text)], chunk);
        assert_eq!(parts.shown(), whole.shown(), "in chunks of {chunk}: {text}");
    }
    whole
}

fn good(text: &str) -> Outcome {
    let outcome = one(text);
    assert_eq!(outcome.shown(), [] as [&str; 0], "{text}");
    outcome
}

/// The strategy document's form, for MySQL.
const COMMENTED: &str = "\
-- Migration: 001_a.sql
# Purpose: Queue of background jobs
-- Lock-timeout: 2s

-- ============================================================================
-- JOBS
-- ============================================================================

CREATE TABLE jobs (
  id BIGINT PRIMARY KEY AUTO_INCREMENT,
  state VARCHAR(20) NOT NULL DEFAULT 'waiting'
) ENGINE=InnoDB;

DELIMITER //
CREATE TRIGGER jobs_touch BEFORE UPDATE ON jobs FOR EACH ROW
BEGIN
  # states are small
  SET NEW.state = LOWER(NEW.state);
END//
DELIMITER ;

INSERT INTO jobs (state) VALUES ('a;b'), (\"it's\");

-- ============================================================================
-- ROLLBACK
-- ============================================================================
-- To rollback this migration:
--   DROP TRIGGER IF EXISTS jobs_touch;
--   DROP TABLE IF EXISTS jobs;
--
-- WARNING: All jobs are lost.
";

#[test]
fn a_file_with_headers_stored_programs_and_a_commented_way_back() {
    let outcome = good(COMMENTED);
    let change = outcome.only();
    assert_eq!(change.headers.purpose.as_deref(), Some("Queue of background jobs"));
    assert_eq!(change.headers.lock_timeout, Some(2000));
    let groups: Vec<_> =
        change.script.outline.groups.iter().map(|group| (group.first, group.last, group.mode)).collect();
    assert_eq!(groups, [(1, 2, GroupMode::Alone), (3, 3, GroupMode::Transaction)]);
    let back = change.rollback.as_ref().unwrap();
    assert_eq!(back.text, "     DROP TRIGGER IF EXISTS jobs_touch;\n     DROP TABLE IF EXISTS jobs;\n");
    assert_eq!(back.start, Position { line: 28, column: 1 });
    assert_eq!(back.outline.losses().map(|(_, loss)| loss.object.as_str()).collect::<Vec<_>>(), ["jobs"]);
}

#[test]
fn comments_with_a_hash_are_read_as_the_others() {
    let outcome = good(
        "# Purpose: a\n# Depends-on: none\nCREATE TABLE t (a int);\n# ====\n# ROLLBACK\n# ====\n# To rollback:\n#   DROP TABLE t;\n",
    );
    let change = outcome.only();
    assert_eq!(change.headers.purpose.as_deref(), Some("a"));
    assert_eq!(change.rollback.as_ref().unwrap().text, "    DROP TABLE t;\n");
    let outcome = good("CREATE TABLE t (a int);\n# limosa:rollback\nDROP TABLE t;\n");
    assert_eq!(outcome.only().rollback.as_ref().unwrap().text, "DROP TABLE t;\n");
    // For the other engines they are no comments.
    let outcome = folder(Engine::Sqlite, &[("001_a.sql", "# Purpose: a\nselect 1;")]);
    assert_eq!(outcome.only().headers.purpose, None);
    assert_eq!(
        one("# Transaction: sometimes\nselect 1;\n# limosa:back\nselect 2;\n  # limosa:rolback\n").shown(),
        [
            "LIM-F004 error [001_a.sql:1:16] 'sometimes' is no value of 'Transaction' / allowed: auto, always or none",
            "LIM-F009 error [001_a.sql:3:3] 'limosa:back' is not known / the only one is '-- limosa:rollback', alone on its line",
            "LIM-F009 error [001_a.sql:5:5] 'limosa:rolback' is not known / the only one is '-- limosa:rollback', alone on its line",
        ]
    );
}

#[test]
fn a_section_may_hold_stored_programs() {
    let outcome = good(
        "CREATE PROCEDURE p() BEGIN SELECT 1; END;\n-- limosa:rollback\nDROP PROCEDURE p;\nDELIMITER $$\nCREATE PROCEDURE p() BEGIN SELECT 0; END$$\nDELIMITER ;\n",
    );
    let change = outcome.only();
    assert_eq!(change.script.outline.statements, 1);
    let back = change.rollback.as_ref().unwrap();
    assert_eq!(back.outline.statements, 2);
    assert!(back.text.starts_with("DROP PROCEDURE p;\nDELIMITER $$\n"));
    // A delimiter of the up part does not reach into the way back.
    let outcome = good("DELIMITER //\nCREATE TABLE t (a int)//\n-- limosa:rollback\nDROP TABLE t;\nSELECT 1;\n");
    assert_eq!(outcome.only().rollback.as_ref().unwrap().outline.statements, 2);
    // A statement that was never ended.
    let outcome = good("CREATE TABLE t (a int)\n# limosa:rollback\nDROP TABLE t");
    assert_eq!(outcome.only().rollback.as_ref().unwrap().text, "DROP TABLE t");
    assert_eq!(
        one("DELIMITER //\nCREATE PROCEDURE p() BEGIN\n  -- limosa:rollback\n  SELECT 1; END//").shown(),
        [
            "LIM-F013 error [001_a.sql:3:3] the rollback section begins inside CREATE PROCEDURE / close the statement before it"
        ]
    );
    assert_eq!(
        one("CREATE PROCEDURE p() BEGIN SELECT 1;\n-- limosa:rollback\nDROP PROCEDURE p;\nSELECT 1;").shown(),
        [
            "LIM-S010 error [001_a.sql:1:22] the block that BEGIN opens here is never closed with END / end each statement of \
             the block with ; and the block with END;"
        ]
    );
}

#[test]
fn a_dump_is_a_migration() {
    let outcome = good(
        "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump\n/*!40101 SET NAMES utf8mb4 */;\n\
         /*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;\n\
         DROP TABLE IF EXISTS `t`;\nCREATE TABLE `t` (`a` int);\nLOCK TABLES `t` WRITE;\n\
         /*!40000 ALTER TABLE `t` DISABLE KEYS */;\nINSERT INTO `t` VALUES (1),(2);\n\
         /*!40000 ALTER TABLE `t` ENABLE KEYS */;\nUNLOCK TABLES;\n/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;\n",
    );
    let outline = &outcome.only().script.outline;
    assert_eq!(outline.statements, 10);
    assert_eq!(outline.settings, ["names", "sql_mode", "@old_sql_mode"]);
    let left: Vec<_> = outline.left_out.iter().map(|left| (left.statement, left.why)).collect();
    assert_eq!(left, [(5, LeftOutReason::LocksLedger), (9, LeftOutReason::LocksLedger)]);
}

#[test]
fn transactions_that_cannot_be_kept_are_told() {
    for (text, expected) in [
        (
            "-- Transaction: always\nINSERT INTO t VALUES (1);\nALTER TABLE t ADD b int;",
            "LIM-F015 error [001_a.sql:3:1] on MySQL ALTER TABLE commits by itself, and ends the transaction that it runs in, \
             but the header asks for one / take out 'Transaction: always', or move the statement into a migration of its own",
        ),
        (
            "START TRANSACTION;\n  DROP TABLE t;\nROLLBACK;",
            "LIM-F015 error [001_a.sql:2:3] the file's own transaction ends with ROLLBACK, but on MySQL DROP TABLE commits, and \
             nothing takes that back / move the statement out of the transaction, or leave out ROLLBACK",
        ),
        (
            "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nINSERT INTO t VALUES (1);",
            "LIM-F015 error [001_a.sql:1:1] SET TRANSACTION is for the next transaction only, and that is one of limosa's / \
             write SET SESSION TRANSACTION, which holds for the rest of the file",
        ),
        (
            "FLUSH TABLES WITH READ LOCK;",
            "LIM-F015 error [001_a.sql:1:1] FLUSH TABLES WITH READ LOCK keeps everyone from writing, limosa and its ledger too / \
             leave it out: limosa lets one run at a time write, and others are stopped where they run",
        ),
        (
            "COMMIT RELEASE;",
            "LIM-F015 error [001_a.sql:1:1] COMMIT RELEASE closes the connection, which limosa still needs / leave out RELEASE",
        ),
    ] {
        assert_eq!(one(text).shown(), [expected], "{text}");
    }
}

#[test]
fn sql_below_a_heading_is_told_at_its_place() {
    assert_eq!(
        one("SELECT 1;\n-- ====\n-- ROLLBACK\n-- ====\n  /*!50000 DROP TABLE t */;\n").shown(),
        [
            "LIM-F011 error [001_a.sql:5:3] this SQL stands below a ROLLBACK heading and is no comment, so it would run as part of the migration / write '-- limosa:rollback' on the line before it where it is the way back, or give the heading another name"
        ]
    );
}

#[test]
fn files_for_one_engine_are_read_by_its_rules() {
    let files = [
        ("001_a.sql", "-- Engines: mysql\nSELECT 'it\\'s'; # done;\n"),
        ("002_b.sql", "-- Engines: MariaDB, postgres\nSELECT 1;\n"),
    ];
    for engine in [Engine::Postgres, Engine::Mysql, Engine::Sqlite] {
        let outcome = folder(engine, &files);
        assert_eq!(outcome.shown(), [] as [&str; 0], "{engine:?}");
    }
}
