//! The parts a script is cut into, and what is known of each.

use serde::{Deserialize, Serialize};

use crate::{Position, SchemaChange, Span};

/// One part of a script. All pieces of a script, joined in order, are the script byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub kind: PieceKind,
    /// Its bytes in the file, blanks and comments around the statement and the terminator included.
    pub span: Span,
    /// The bytes of `span` (valid UTF-8, except that CopyData is whatever the file holds).
    pub text: Vec<u8>,
    /// For statements: the part that is sent, from the first token to the last, without the terminator; offsets
    /// within `text`. Empty for blank pieces.
    pub body: (usize, usize),
    /// Where the body begins.
    pub position: Position,
}

impl Piece {
    /// The statement without surrounding comments and terminator; empty where the piece is not a statement.
    pub fn statement(&self) -> &str {
        std::str::from_utf8(&self.text[self.body.0..self.body.1]).unwrap_or_default()
    }

    /// File offset of the first byte of the body.
    pub fn body_start(&self) -> u64 {
        self.span.start + self.body.0 as u64
    }

    /// What the statement is, where the piece is one.
    pub fn class(&self) -> Option<&Class> {
        match &self.kind {
            PieceKind::Statement(class) => Some(class),
            _ => None,
        }
    }
}

/// What a piece is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PieceKind {
    /// A statement to send.
    Statement(Box<Class>),
    /// A chunk of the data that follows `COPY ... FROM stdin`: whole lines, at most about 64 KiB a chunk.
    CopyData,
    /// The `\.` line that ends COPY data.
    CopyEnd,
    /// What is accepted and not sent: `\restrict` and `\unrestrict` of psql; DELIMITER of the mysql client, and SET
    /// autocommit, because limosa decides about transactions.
    Meta,
    /// Comments, blanks, a byte-order mark, an empty statement.
    Blank,
}

/// What is known of a statement from its words alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Class {
    /// Its leading key words in capitals, as people name it: `CREATE INDEX CONCURRENTLY`, `ALTER TABLE`, `INSERT`.
    pub verb: String,
    /// The main object that it names, as written, where one is recognised.
    pub object: Option<String>,
    /// How it stands to transactions.
    pub transaction: TransactionRule,
    /// What it does that matters to the run.
    pub effect: Effect,
    /// What it destroys for good, where it does (DROP TABLE, DROP COLUMN, TRUNCATE, DELETE, DROP SCHEMA, ...).
    pub loss: Option<Loss>,
}

impl Class {
    /// PostgreSQL: true where it puts all settings back to those with which the session began.
    pub fn resets_all(&self) -> bool {
        self.verb == "RESET" && self.effect.session_settings().iter().any(|name| name == "all")
    }
}

/// How a statement stands to transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionRule {
    /// Runs inside and outside.
    #[default]
    Either,
    /// The server refuses it inside a transaction (CREATE INDEX CONCURRENTLY, VACUUM, ...), or it would end the
    /// transaction by committing (DDL of MySQL), or may do so (CALL of MySQL).
    Outside,
    /// Begins a transaction (BEGIN, START TRANSACTION).
    Begins,
    /// Ends one and keeps it (COMMIT, END).
    Commits,
    /// Ends one and gives it up (ROLLBACK, ABORT; not ROLLBACK TO).
    RollsBack,
    /// Other transaction control that only makes sense inside (SAVEPOINT, RELEASE, ROLLBACK TO, PREPARE TRANSACTION).
    Controls,
}

/// What a statement does that matters to the run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Nothing special is known.
    #[default]
    Unknown,
    /// `COPY ... FROM stdin`: data follows in the file.
    CopyFromStdin,
    /// Changes a session setting: SET, RESET, PRAGMA name=value, `set_config`, USE of MySQL (`database`).
    SetsSession {
        /// The setting in lower case.
        name: String,
    },
    /// Changes several session settings: `SET a = 1, b = 2` of MySQL.
    SetsSeveral {
        /// The settings in lower case.
        names: Vec<String>,
    },
    /// A PRAGMA that SQLite ignores or refuses inside a transaction (foreign_keys, journal_mode, synchronous, ...).
    LiftedPragma {
        /// The pragma in lower case.
        name: String,
    },
    /// `ALTER TYPE ... ADD VALUE`.
    AddsEnumValue {
        /// The type as written.
        type_name: Box<str>,
        /// The new label, unquoted.
        value: Box<str>,
    },
    /// `CREATE TYPE ... AS ENUM`, `CREATE TYPE`, or `CREATE DOMAIN`: values added to it later in the same transaction can be used there.
    CreatesType {
        /// The type as written.
        type_name: String,
    },
    /// `CREATE [UNIQUE] INDEX`.
    CreatesIndex {
        /// The index; None where the server chooses the name. Parts are unquoted and folded as the server would.
        index: Option<Box<QualifiedName>>,
        /// The table.
        table: Box<QualifiedName>,
        /// With CONCURRENTLY.
        concurrently: bool,
        /// With IF NOT EXISTS.
        if_not_exists: bool,
    },
    /// `DROP INDEX`.
    DropsIndex {
        /// The indexes.
        indexes: Vec<QualifiedName>,
        /// With CONCURRENTLY.
        concurrently: bool,
        /// With IF EXISTS.
        if_exists: bool,
    },
    /// `REINDEX`.
    Reindexes {
        /// `INDEX`, `TABLE`, `SCHEMA`, `DATABASE` or `SYSTEM`.
        target: String,
        /// What is rebuilt, where named.
        name: Option<Box<QualifiedName>>,
        /// With CONCURRENTLY.
        concurrently: bool,
    },
    /// `ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY` (or FINALIZE).
    DetachesPartition {
        /// The partitioned table.
        parent: Box<QualifiedName>,
        /// The partition.
        partition: Box<QualifiedName>,
    },
    /// Running it a second time leaves the same state as running it once (VACUUM, ANALYZE, CHECKPOINT, ALTER SYSTEM, SET, DISCARD, PRAGMA).
    Idempotent,
    /// CREATE DATABASE.
    CreatesDatabase {
        /// The database, unquoted and folded.
        name: String,
    },
    /// DROP DATABASE.
    DropsDatabase {
        /// The database, unquoted and folded.
        name: String,
        /// With IF EXISTS.
        if_exists: bool,
    },
    /// CREATE TABLESPACE.
    CreatesTablespace {
        /// The tablespace, unquoted and folded.
        name: String,
    },
    /// DDL of MySQL, which commits by itself: what it makes of the objects it names, in order.
    ChangesSchema {
        /// One or more.
        changes: Vec<SchemaChange>,
    },
}

impl Effect {
    /// The session settings that the statement changes, in lower case; empty where it changes none.
    pub fn session_settings(&self) -> &[String] {
        match self {
            Effect::SetsSession { name } => std::slice::from_ref(name),
            Effect::SetsSeveral { names } => names,
            _ => &[],
        }
    }
}

/// A name of one to three parts, unquoted and folded as the server would.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct QualifiedName {
    /// The schema (or attached database), where written.
    pub schema: Option<String>,
    /// The object.
    pub name: String,
}

/// Data that a statement destroys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// What kind: `table`, `column`, `rows`, `schema`, `database`, `type`, `view data`, ...; words that the object goes on with, where a
    /// block names it only when it runs.
    pub kind: String,
    /// The object as written, such as `orders` or `orders.note`.
    pub object: String,
}
