//! Where a database is: the URL or key=value string that the user gave, with its secrets hidden.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// A text that must not be printed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself; for handing to a server or a hash, never to an output.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(***)")
    }
}

/// How a session is to be opened. Everything from the outside world (environment, home folder) comes in as a value.
#[derive(Debug, Clone, Default)]
pub struct ConnectOptions {
    /// `sqlite:path`, `sqlite::memory:`, `postgres://...`, `postgresql://...`, libpq's `key=value ...`, `mysql://...` or
    /// `mariadb://...`.
    pub database: Secret,
    /// The process environment, for `PG*` and `MYSQL_*` variables.
    pub environment: BTreeMap<String, String>,
    /// The home folder, for `.pgpass`, `.postgresql/` and `.my.cnf`.
    pub home: Option<PathBuf>,
    /// Role to take on after connecting.
    pub role: Option<String>,
    /// Name under which the session shows in the server's views.
    pub application_name: String,
    /// Open for reading only: nothing may be written, and a missing SQLite file is not made.
    pub read_only: bool,
    /// SQLite: make the file where it does not exist.
    pub create: bool,
    /// PostgreSQL and MySQL: whether a pooler stands between that gives each transaction another session; None to find out.
    pub pooled: Option<bool>,
    /// SQLite: milliseconds to wait for another writer; PostgreSQL: unused.
    pub busy_timeout_ms: u64,
}

/// A target in words that may be shown: no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetDescription {
    /// Name, address, or the path of a socket or of its folder; several are separated by commas.
    pub host: String,
    /// The port; several are separated by commas where they differ; empty where a socket has none.
    pub port: String,
    /// The database's name.
    pub database: String,
    /// The user's name.
    pub user: String,
}
