//! What the database remembers, as records.

use serde::{Deserialize, Serialize};

use crate::{Checksum, Identity, Unfiled};

/// The version of the ledger's tables that this build writes.
pub const LEDGER_VERSION: i64 = 2;

/// Everything that a decision needs to know of the ledger of one project.
#[derive(Debug, Clone, Default)]
pub struct LedgerView {
    /// False where the ledger's tables do not exist.
    pub exists: bool,
    /// The version of the tables, where they exist.
    pub version: Option<i64>,
    /// Rows of `schema_migrations`, in the order in which they were applied.
    pub rows: Vec<AppliedRow>,
    /// The highest rank of any of its rows, whatever they say; 0 where there is none.
    pub newest_rank: i64,
    /// Seeds that ran; kept apart from migrations.
    pub seeds: Vec<AppliedRow>,
    /// Scripts that were interrupted between commits.
    pub journal: Vec<JournalRow>,
    /// The lease, where one was ever taken.
    pub lease: Option<LeaseRow>,
    /// The head of the audit log.
    pub head: Option<AuditHead>,
    /// Changes that did not apply here when later versions ran; they are never out of order.
    pub skipped: std::collections::HashSet<Identity>,
    /// The newest failed attempt per identity, newer than its last success.
    pub failures: Vec<Failure>,
    /// The ledger of the tool that the database was taken over from is kept beside this one.
    pub keeps_another: bool,
    /// The newest version, as written, that the tool had applied from which the database was taken over, and that had no file: what
    /// is older and was not applied comes late.
    pub newest_elsewhere: Option<String>,
    /// What that tool had applied and that had no file: where one turns up, it counts as applied.
    pub unfiled: Option<Unfiled>,
}

/// What comes before a seed's name in its identity.
pub const SEED_PREFIX: &str = "seed:";

impl LedgerView {
    /// A ledger whose tables were made a moment ago: of the newest version, and empty.
    pub fn just_made() -> Self {
        LedgerView { exists: true, version: Some(LEDGER_VERSION), ..LedgerView::default() }
    }

    /// The row of an identity.
    pub fn row(&self, identity: &Identity) -> Option<&AppliedRow> {
        self.rows.iter().find(|row| row.identity == *identity)
    }

    /// True where nothing has moved between two looks that a decision on what was applied rests on. Whatever changes the rows adds to
    /// the audit log; the ledger of another tool is changed by that tool too.
    pub fn stands_as(&self, before: &LedgerView) -> bool {
        self.head.is_some() && self.shows_the_same(before) && !self.keeps_another && !before.keeps_another
    }

    /// True where two looks have seen the same. The head alone does not say that: a look reads it behind the rows, and somebody may have
    /// committed in between.
    pub fn shows_the_same(&self, before: &LedgerView) -> bool {
        (&self.head, &self.rows, &self.journal) == (&before.head, &before.rows, &before.journal)
    }

    /// True where a script was begun in pieces and nothing of it stands: its first one failed.
    pub fn stands_untouched(&self, identity: &Identity) -> bool {
        let is_of_it = |entry: &&JournalRow| entry.identity == *identity && entry.direction == Direction::Apply;
        let has_nothing = |entry: &JournalRow| entry.done == 0 && entry.current.is_none();
        self.row(identity).is_some_and(|row| row.state == RowState::Partial && row.statements_done == 0)
            && self.journal.iter().find(is_of_it).is_some_and(has_nothing)
    }

    /// True where a script of an identity was interrupted between commits.
    pub fn has_journal(&self, identity: &Identity, direction: Direction) -> bool {
        self.journal.iter().any(|entry| entry.identity == *identity && entry.direction == direction)
    }
}

/// A row of `schema_migrations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppliedRow {
    /// Identity within the project.
    pub identity: Identity,
    /// The version as written in the file name; None for repeatables.
    pub version: Option<String>,
    /// The description.
    pub name: String,
    /// SHA-256 of the file.
    pub file_checksum: Checksum,
    /// SHA-256 of the up part.
    pub up_checksum: Checksum,
    /// How far it is.
    pub state: RowState,
    /// Statements that ran.
    pub statements_done: i64,
    /// Statements in all.
    pub statements_total: i64,
    /// Position in the order of application, from 1.
    pub rank: i64,
    /// When, by the server's clock, RFC 3339 in UTC.
    pub applied_at: String,
    /// By whom: user and host of the runner.
    pub applied_by: String,
    /// Milliseconds from first to last statement.
    pub execution_ms: i64,
    /// True where a way back was stored.
    pub has_rollback: bool,
    /// Digest of the plan that applied it.
    pub plan_digest: Option<String>,
    /// Identities it depended on when applied.
    pub depends_on: Vec<Identity>,
}

/// How far a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// All of it ran.
    Applied,
    /// It counts as applied without having been run by limosa.
    Baseline,
    /// Some of its statements ran and are committed.
    Partial,
    /// Some statements of its way back ran and are committed.
    Reverting,
}

impl RowState {
    /// The text in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            RowState::Applied => "applied",
            RowState::Baseline => "baseline",
            RowState::Partial => "partial",
            RowState::Reverting => "reverting",
        }
    }

    /// Reads the text in the table.
    pub fn parse(text: &str) -> Option<RowState> {
        [RowState::Applied, RowState::Baseline, RowState::Partial, RowState::Reverting]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

/// Which way a script leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Up.
    Apply,
    /// Back.
    Revert,
}

impl Direction {
    /// The text in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::Apply => "apply",
            Direction::Revert => "revert",
        }
    }

    /// Reads the text in the table.
    pub fn parse(text: &str) -> Option<Direction> {
        [Direction::Apply, Direction::Revert].into_iter().find(|direction| direction.as_str() == text)
    }
}

/// Progress of a script whose statements do not all commit together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JournalRow {
    /// The change.
    pub identity: Identity,
    /// Up or back.
    pub direction: Direction,
    /// Statements that are committed, counted from the first.
    pub done: i64,
    /// Hash over the texts of those statements, see [`crate::StatementHasher`].
    pub done_hash: String,
    /// The statement that was begun and not seen to end.
    pub current: Option<JournalStatement>,
    /// The backend that ran it, for looking whether it still does.
    pub backend: Option<String>,
}

/// A statement that was begun outside a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JournalStatement {
    /// Its number, from 1.
    pub number: i64,
    /// SHA-256 of its text.
    pub hash: String,
    /// What the catalogue showed before it began: a text that only the engine reads.
    pub before: Option<String>,
    /// When it began, by the server's clock.
    pub started_at: String,
    /// True where a person said that it is to run again.
    pub retry: bool,
}

/// Who runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct LeaseRow {
    /// Grows with each holder.
    pub epoch: i64,
    /// User, host and process of the holder; None where nobody holds it.
    pub holder: Option<String>,
    /// Since when, by the server's clock.
    pub since: Option<String>,
    /// Seconds since the last sign of life, by the server's clock; 0 where that was set back since.
    pub silent_seconds: Option<i64>,
    /// The backend or process of the holder, as its engine names it.
    pub backend: Option<String>,
    /// The last sign of life, as the engine writes it: another text means that there was another one.
    pub beat: Option<String>,
}

/// The newest row of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// Its number.
    pub sequence: i64,
    /// Its hash, hexadecimal.
    pub hash: String,
}

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The change.
    pub identity: Identity,
    /// When.
    pub at: String,
    /// The message.
    pub message: String,
}

/// A row of the audit log, as read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Number within the project, from 1, without gaps.
    pub sequence: i64,
    /// When, by the server's clock, RFC 3339 in UTC.
    pub at: String,
    /// User and host.
    pub actor: String,
    /// `apply`, `revert`, `repair`, `baseline`, `clean`, `restore`, ...
    pub operation: String,
    /// The change, where one is meant.
    pub identity: Option<String>,
    /// `done` or `failed`.
    pub outcome: String,
    /// More, as JSON text.
    pub detail: String,
    /// Hash of the row before.
    pub previous_hash: String,
    /// Hash of this row.
    pub hash: String,
}
