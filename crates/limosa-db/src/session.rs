//! One trait for all engines: few methods, each with a contract that the conformance suite checks.

use std::time::Duration;

use async_trait::async_trait;
use limosa_sql::{Dialect, Engine};

use crate::{DbError, Row, SettingsMark, Value};

/// One thing to send. A flight is a list of these.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// Begins a transaction (SQLite: BEGIN IMMEDIATE; MySQL: START TRANSACTION).
    Begin,
    /// As [`Item::Begin`], before what must not take effect outside of a transaction and is sent ahead of the answer: a request to cancel
    /// can hit a BEGIN of PostgreSQL. Outside of transactions the session changes nothing until this one has ended
    /// (`default_transaction_read_only`, which is put back to the session's default). Not for a pooler, which gives the session to others.
    BeginGuarded,
    /// Begins a transaction behind an [`Item::Commit`] whose answer nobody has waited for, where the engine can do that
    /// (PostgreSQL); else as [`Item::Begin`]. Whoever sends it sees to two things: what follows proves first that the commit took
    /// effect, and a statement that meets no transaction, because this one could not begin, changes nothing
    /// (`default_transaction_read_only`, which is no hindrance to this transaction).
    BeginAhead,
    /// PostgreSQL: the source is asked for what follows when all items before this one have landed. Elsewhere nothing.
    Await,
    /// Commits it.
    Commit,
    /// Gives it up.
    Rollback,
    /// A statement of the user's, sent as it is, without parameters. On PostgreSQL it may be its own transaction control.
    Script(String),
    /// A statement of limosa's own, without parameters: SET LOCAL, SAVEPOINT, PRAGMA, DDL of the ledger. May hold several
    /// statements separated by `;`.
    Control(String),
    /// A statement of limosa's own with parameters `$1`, `$2`, ... (SQLite: `?1`, `?2`, ...), in any order and repeated; its rows come back when it lands.
    Bound {
        /// The SQL.
        sql: String,
        /// The parameters in order.
        parameters: Vec<Value>,
    },
    /// As [`Item::Bound`], for a sign of life: left out where it ran on this session less long ago than `every` and the engine
    /// would have to read its text anew (SQLite, whenever the schema has changed).
    Seldom {
        /// How often it has to run.
        every: Duration,
        /// The SQL.
        sql: String,
        /// The parameters in order.
        parameters: Vec<Value>,
    },
    /// `COPY ... FROM stdin`; [`Item::CopyData`] items follow, then [`Item::CopyEnd`].
    CopyStart(String),
    /// Data for the COPY that was started.
    CopyData(Vec<u8>),
    /// The end of the data.
    CopyEnd,
}

/// Where the items of a flight come from; asked one by one, so that a large file is never held whole.
pub trait FlightSource: Send {
    /// The next item; None at the end.
    ///
    /// # Errors
    /// An [`Abort`] stops the flight: what was sent in an open transaction is rolled back.
    fn next(&mut self) -> Result<Option<Item>, Abort>;
}

/// The source of a flight gave up, for the reason it keeps itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abort;

impl FlightSource for std::vec::IntoIter<Item> {
    fn next(&mut self) -> Result<Option<Item>, Abort> {
        Ok(Iterator::next(self))
    }
}

/// What happens to a flight, told as it happens.
pub trait FlightObserver: Send {
    /// The item with this number (from 0, counted over all items that the source gave) succeeded. CopyStart and CopyData
    /// do not land; CopyEnd does, for the whole COPY.
    fn landed(&mut self, item: u64, landed: Landed);
    /// The server said something.
    fn notice(&mut self, notice: Notice);
}

/// The end of an item.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Landed {
    /// Rows of a [`Item::Bound`]; for other items empty.
    pub rows: Vec<Row>,
    /// Rows that were inserted, changed, deleted or copied, where the server says.
    pub affected: Option<u64>,
    /// Time since the end of the item before (or since the flight began).
    pub elapsed: Duration,
}

/// NOTICE, WARNING and the like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `NOTICE`, `WARNING`, `INFO`, `LOG`, `DEBUG`.
    pub severity: String,
    /// The text.
    pub message: String,
    /// More.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// SQLSTATE.
    pub code: Option<String>,
}

/// Who stands in the way of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blocker {
    /// The server's number for the session.
    pub pid: i64,
    /// Its user.
    pub user: Option<String>,
    /// Its application name.
    pub application: Option<String>,
    /// Its client's address.
    pub client: Option<String>,
    /// Its state: `active`, `idle in transaction`, ...
    pub state: Option<String>,
    /// Age of its transaction in seconds.
    pub transaction_seconds: Option<i64>,
    /// What it runs or ran last; None where it is hidden.
    pub query: Option<String>,
    /// The table that is fought over.
    pub relation: Option<String>,
    /// What would show what is hidden: a GRANT statement.
    pub grant: Option<String>,
}

/// A flight that did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum FlightError {
    /// The source gave up.
    #[error("the statements could not all be read")]
    Aborted,
    /// The first item that failed. Items after it had no effect.
    #[error("{error}")]
    Failed {
        /// Its number, from 0.
        item: u64,
        /// Why.
        #[source]
        error: Box<DbError>,
    },
}

/// What was learnt of the server while connecting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFacts {
    /// The engine, and how a session of the server begins to read scripts.
    pub dialect: Dialect,
    /// As the server says: `15.18`, `3.54.1`, `10.11.19-MariaDB`.
    pub version: String,
    /// Comparable: 150018 for PostgreSQL 15.18, 3054001 for SQLite 3.54.1, 101119 for MariaDB 10.11.19.
    pub version_number: u32,
    /// The database: its name, or the path of the file.
    pub database: String,
    /// Host and port, or the socket; for SQLite empty.
    pub host: String,
    /// The user that the server knows; for SQLite empty.
    pub user: String,
    /// True on a hot standby, or where the file or session is read-only.
    pub read_only: bool,
    /// True where a pooler in transaction mode stands between (MySQL: a proxy that has a number of its own for the session).
    pub pooled: bool,
    /// Names this session among those of the server (PostgreSQL: its process, to which the lease adds its start; MySQL: `number:start time of the server`),
    /// for finding whether it still runs.
    pub backend: Option<String>,
    /// PostgreSQL: the search path with which the session begins, as the server writes it: that of the address, the role or the database.
    pub search_path: Option<String>,
    /// PostgreSQL: the first schema of it that is there.
    pub current_schema: Option<String>,
    /// What limosa set for this session beyond the defaults of the server, the address and the role, and the server accepted:
    /// names and values, for setting it again after a `reset all`.
    pub settings: Vec<(String, String)>,
}

impl ServerFacts {
    /// The engine.
    pub fn engine(&self) -> Engine {
        self.dialect.engine()
    }

    /// True where the engine is MySQL and the server is MariaDB, by the version that it calls itself.
    pub fn is_mariadb(&self) -> bool {
        self.engine() == Engine::Mysql && self.version.to_ascii_lowercase().contains("mariadb")
    }
}

/// Cancels what a session runs, from another task.
#[async_trait]
pub trait Canceller: Send + Sync {
    /// Asks the server to stop the running statement. The flight then fails with [`crate::DbErrorKind::Cancelled`], or succeeds
    /// where the statement was quicker.
    async fn cancel(&self) -> Result<(), DbError>;
}

/// A session with one database.
///
/// Contract, checked for every engine by one suite:
/// - Items take effect in order. Nothing after the first failure takes effect: within a transaction the server sees to it
///   (the transaction is rolled back before `flight` returns), outside of one the session sends nothing before the item
///   before it has succeeded.
/// - When `flight` returns, nothing of it still runs on the server, and no transaction that it began is open, unless its
///   last items left one open without failure.
/// - `flight` must not be dropped before it ends; cancel, then await it.
/// - Within a transaction the session waits as little as the engine allows: PostgreSQL sends items ahead without waiting,
///   at most `window` bytes of them, with COPY as a barrier; and across transactions that [`Item::BeginAhead`] begins.
#[async_trait]
pub trait Session: Send {
    /// What was learnt while connecting.
    fn facts(&self) -> &ServerFacts;

    /// Sends all items; tells `observer` of each that lands.
    async fn flight(
        &mut self,
        items: &mut dyn FlightSource,
        observer: &mut dyn FlightObserver,
    ) -> Result<(), FlightError>;

    /// Stops what runs, rolls back what is open, and proves that the session is idle and usable.
    async fn settle(&mut self) -> Result<(), DbError>;

    /// How long statements wait for locks of others from now on; None for without a limit. Engines with a setting for it (lock
    /// time-outs that limosa sends as statements) have nothing to do.
    fn wait_for_locks(&mut self, limit: Option<Duration>) {
        let _ = limit;
    }

    /// Whether a backend that calls itself so (see [`ServerFacts::backend`]) has ended, where that can be told without asking
    /// the server: SQLite looks for the process.
    fn backend_is_gone(&self, backend: &str) -> Option<bool> {
        let _ = backend;
        None
    }

    /// What the session does as its last where it is dropped and not closed, as it is with the future of a run that nobody waits for
    /// any more; None for nothing. Engines whose server ends such a session, and with it what it held, have nothing to do: SQLite's
    /// process lives on.
    fn when_dropped(&mut self, last: Option<Item>) {
        let _ = last;
    }

    /// Who stands in the way of the session that calls itself `backend` (see [`ServerFacts::backend`]). Asked over another
    /// session than the one that waits. Engines that cannot tell give none.
    async fn blockers(&mut self, backend: &str) -> Result<Vec<Blocker>, DbError> {
        let _ = backend;
        Ok(Vec::new())
    }

    /// A handle that cancels from elsewhere.
    fn canceller(&self) -> Box<dyn Canceller>;

    /// Remembers the settings of the session, before a script that may change them. PostgreSQL resets its own within its
    /// flights and has nothing to do.
    ///
    /// # Errors
    /// What the server says.
    async fn remember_settings(&mut self) -> Result<SettingsMark, DbError> {
        Ok(SettingsMark::default())
    }

    /// Puts the settings back that were remembered, after a script, and forgets them and what was remembered later.
    ///
    /// # Errors
    /// Where a setting cannot be put back, with its name; then nothing is forgotten.
    async fn restore_settings(&mut self, _mark: SettingsMark) -> Result<(), DbError> {
        Ok(())
    }

    /// MySQL: puts back what Flyway does between two files, of what was remembered: the database, user variables, `foreign_key_checks` and
    /// `sql_safe_updates`. Forgets nothing.
    ///
    /// # Errors
    /// What the server says.
    async fn put_back_between_files(&mut self, _mark: SettingsMark) -> Result<(), DbError> {
        Ok(())
    }

    /// What differs from the settings that were remembered, as statements that set it in a session which has those. PostgreSQL remembers none.
    ///
    /// # Errors
    /// What the server says.
    async fn changed_since(&mut self, _mark: SettingsMark) -> Result<Vec<String>, DbError> {
        Ok(Vec::new())
    }

    /// The script may leave its settings: forgets those of before it.
    fn forget_settings(&mut self, _mark: SettingsMark) {}

    /// Before and behind many small transactions: what the engine would make and remove for each of them may stay meanwhile, where
    /// it is as safe (SQLite: the file of the rollback journal); less is sent ahead than within a large one (PostgreSQL). Where `together` says that nobody has to see each of them at the moment
    /// at which it ends, several that are sent in one flight may be committed at once, and land then (SQLite). Does nothing where that
    /// cannot be.
    async fn many_transactions(&mut self, _follow: bool, _together: bool) {}

    /// Ends the session in order.
    async fn close(self: Box<Self>);
}

/// Collects the rows of each item; for flights of limosa's own statements.
#[derive(Debug, Default)]
pub struct Collector {
    /// Rows per landed item.
    pub rows: Vec<Vec<Row>>,
    /// What the server said.
    pub notices: Vec<Notice>,
}

impl FlightObserver for Collector {
    fn landed(&mut self, _item: u64, landed: Landed) {
        self.rows.push(landed.rows);
    }
    fn notice(&mut self, notice: Notice) {
        self.notices.push(notice);
    }
}

impl dyn Session + '_ {
    /// Sends items and gives the rows of each that landed, in order.
    ///
    /// # Errors
    /// The first failure.
    pub async fn send(&mut self, items: Vec<Item>) -> Result<Vec<Vec<Row>>, DbError> {
        let mut collector = Collector::default();
        match self.flight(&mut items.into_iter(), &mut collector).await {
            Ok(()) => Ok(collector.rows),
            Err(FlightError::Failed { error, .. }) => Err(*error),
            Err(FlightError::Aborted) => Ok(collector.rows),
        }
    }

    /// Sends one item and gives its rows.
    ///
    /// # Errors
    /// What the server says.
    pub async fn query_item(&mut self, item: Item) -> Result<Vec<Row>, DbError> {
        Ok(self.send(vec![item]).await?.pop().unwrap_or_default())
    }

    /// Runs one statement of limosa's own and gives its rows.
    ///
    /// # Errors
    /// What the server says.
    pub async fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, DbError> {
        let items = vec![Item::Bound { sql: sql.to_owned(), parameters: parameters.to_vec() }];
        Ok(self.send(items).await?.pop().unwrap_or_default())
    }
}
