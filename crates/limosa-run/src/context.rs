//! What a run needs besides the plan: sessions, files, values, limits, a way to stop.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use limosa_core::Identity;
use limosa_db::ledger::Ledger;
use limosa_db::{DbError, Session};
use tokio::sync::Notify;

use crate::tool_settings::ToolSetting;
use crate::{Code, Events, Files, Kept};

/// Opens further sessions with the same database: for signs of life, for looking who blocks, after a lost connection.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Opens one.
    async fn connect(&self) -> Result<Box<dyn Session>, DbError>;
}

/// Asks a run to stop at the next possible moment. Cheap to clone; all clones are one signal.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    bell: Arc<Notify>,
}

impl Stop {
    /// A signal that nobody has given.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to stop: the running statement is cancelled on the server, its transaction rolled back.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::SeqCst);
        self.bell.notify_waiters();
    }

    /// True once somebody asked.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// Returns once somebody asks.
    pub async fn asked(&self) {
        loop {
            let bell = self.bell.notified();
            if self.is_asked() {
                return;
            }
            bell.await;
        }
    }
}

/// Values for `${name}`.
#[derive(Clone, Default)]
pub struct Values {
    /// All values by name.
    pub all: BTreeMap<String, String>,
    /// Names whose values are never stored or shown.
    pub secret: BTreeSet<String>,
    /// What stands before and behind their names in the variables of callbacks that are programs; None: `FP__` and `__`.
    pub command_marks: Option<[String; 2]>,
}

/// Everything around a run.
pub struct Context<'a> {
    /// The ledger of the project.
    pub ledger: Ledger,
    /// Opens further sessions.
    pub connector: &'a dyn Connector,
    /// Reads the scripts.
    pub files: &'a dyn Files,
    /// Values for `${name}`.
    pub values: Values,
    /// User, host and process of this run, as the ledger shows them.
    pub actor: String,
    /// Names this run; unique.
    pub run_id: String,
    /// How long to wait for the lock.
    pub lock_wait: Duration,
    /// Silence after which a holder that cannot be looked up counts as gone.
    pub lease: Duration,
    /// True where a pooler in transaction mode stands between.
    pub pooled: bool,
    /// Role for `SET LOCAL ROLE`, where the session could not take it on for good.
    pub local_role: Option<String>,
    /// Role that the session took on for good.
    pub session_role: Option<String>,
    /// SQL that follows `reset all`, to keep what limosa itself sets for its sessions; begins with `;`, may be empty.
    pub session_settings: String,
    /// PostgreSQL: the schema that the tool of the files puts at the head of the search path before each of them.
    pub first_schema: Option<String>,
    /// What the tool of the files sets for its session before it runs any of them. On PostgreSQL `session_settings` has it as well.
    pub tool_settings: &'a [ToolSetting],
    /// What each step begins with is kept: the run may take back what it did.
    pub keeps_beginnings: bool,
    /// PostgreSQL: which small steps may share transactions.
    pub shared_transactions: SharedTransactions,
    /// The code of steps that are no scripts.
    pub code: &'a BTreeMap<Identity, Arc<dyn Code>>,
    /// The ledger of another tool that is kept beside limosa's own.
    pub kept: Option<&'a Kept>,
    /// Where events go.
    pub events: &'a dyn Events,
    /// Asks the run to stop.
    pub stop: Stop,
}

/// PostgreSQL: which small steps may share transactions without being asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SharedTransactions {
    /// Each has its own.
    #[default]
    None,
    /// Those that make objects and fill them: the database held nothing when the run began.
    New,
    /// Ways back that drop objects: no other session uses the database.
    Back {
        /// And that delete rows: each table of which they do is small, and nothing runs when rows go.
        deletes: bool,
    },
}
