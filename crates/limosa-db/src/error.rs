//! What a server or a driver says when it refuses.

use std::fmt;

/// An error of the database, with everything the server said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DbError {
    /// What it means for a runner.
    pub kind: DbErrorKind,
    /// SQLSTATE, or SQLite's name for the result code (`SQLITE_CONSTRAINT_UNIQUE`), or MySQL's number with its SQLSTATE
    /// (`1146 (42S02)`).
    pub code: Option<String>,
    /// The server's own words.
    pub message: String,
    /// The server's DETAIL.
    pub detail: Option<String>,
    /// The server's HINT, or ours where we know more.
    pub hint: Option<String>,
    /// Byte offset of the place in the text that was sent, where the server gives one.
    pub position: Option<usize>,
    /// The server's CONTEXT (PostgreSQL: where).
    pub context: Option<String>,
    /// The statement inside a function or DO block that failed, where the server names one.
    pub internal_query: Option<String>,
    /// Rows in tables whose engine knows no transactions stay changed, though the transaction was rolled back (MySQL).
    pub rows_stay: bool,
}

/// What an error means for a runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub enum DbErrorKind {
    /// Anything else: the statement is wrong or the data is.
    #[default]
    Statement,
    /// A lock was not to be had in time (55P03, SQLITE_BUSY).
    LockTimeout,
    /// The statement was cancelled, by us or by statement_timeout (57014, SQLITE_INTERRUPT).
    Cancelled,
    /// Deadlock (40P01).
    Deadlock,
    /// Serialization failure (40001).
    Serialization,
    /// The connection broke, or the server shut it (08xxx, 57P01 to 57P03, end of file).
    ConnectionLost,
    /// No connection could be made: name resolution, refused, timed out, TLS, starting up.
    CannotConnect,
    /// Wrong user or password (28xxx).
    Authentication,
    /// The database does not exist (3D000; SQLite: the directory does not exist).
    DatabaseMissing,
    /// No right (42501).
    PermissionDenied,
    /// Read-only transaction, standby or file (25006).
    ReadOnly,
    /// Out of disk or memory (53xxx, 58030, SQLITE_FULL, SQLITE_IOERR).
    Resources,
    /// The table does not exist (42P01).
    UndefinedTable,
    /// It exists already (42P04 to 42P07, 42710, 23505 in the catalogue).
    Duplicate,
    /// A constraint of NOT NULL was violated (23502): how the ledger's guards speak.
    NotNull,
    /// Division by zero (22012): how the fence speaks.
    DivisionByZero,
    /// MySQL: the statement ended the transaction that it ran in, as DDL does there and a procedure may. What was sent before
    /// it stands, and so does the statement itself, unless it failed besides: then [`DbError::code`] says how.
    ImplicitCommit,
    /// The URL or the parameters make no sense.
    Configuration,
    /// MySQL: a restore or a clean was begun and has not come to its end, and nothing that the ledger says holds.
    Unfinished,
}

impl DbError {
    /// An error that limosa itself words.
    pub fn new(kind: DbErrorKind, message: impl Into<String>) -> DbError {
        DbError { kind, message: message.into(), ..DbError::default() }
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> DbError {
        self.hint = Some(hint.into());
        self
    }

    /// The code without what may follow it: MySQL's number stands before its SQLSTATE, `1062 (23000)`.
    pub fn number(&self) -> Option<&str> {
        self.code.as_deref()?.split(' ').next()
    }

    /// True where trying the same transaction again may succeed.
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, DbErrorKind::LockTimeout | DbErrorKind::Deadlock | DbErrorKind::Serialization)
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for DbError {}
