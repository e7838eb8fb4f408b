//! What became of the steps of a run.

use limosa_core::{Identity, SharedText};
use limosa_db::Notice;
use limosa_run::StepReport;
use serde::Serialize;

/// What became of one step.
#[derive(Debug, Clone, Serialize)]
pub struct StepLine {
    /// Identity.
    pub identity: Identity,
    /// Version as written; `R` for repeatables.
    pub version: SharedText,
    /// Description.
    pub name: SharedText,
    /// `done`, `rolled_back`, `rows_stay` (where no transaction took rows back), `partial`, `unknown` (the connection was lost, and the server could not be asked); not run: `left` (for later), `counted` (as applied).
    pub state: &'static str,
    /// Statements that are committed.
    pub statements_done: u64,
    /// Statements in all.
    pub statements_total: u64,
    /// Milliseconds.
    pub elapsed_ms: u64,
    /// Attempts that it took.
    pub attempts: u32,
    /// What the server said.
    pub notices: Vec<NoticeLine>,
}

/// What the server said.
#[derive(Debug, Clone, Serialize)]
pub struct NoticeLine {
    /// `NOTICE`, `WARNING`, ...
    pub severity: String,
    /// The text.
    pub message: String,
}

impl From<Notice> for NoticeLine {
    fn from(notice: Notice) -> Self {
        NoticeLine { severity: notice.severity, message: notice.message }
    }
}

impl From<StepReport> for StepLine {
    fn from(step: StepReport) -> Self {
        StepLine {
            identity: step.identity,
            version: step.label,
            name: step.name,
            state: step.state.as_str(),
            statements_done: step.statements_done,
            statements_total: step.statements_total,
            elapsed_ms: u64::try_from(step.elapsed.as_millis()).unwrap_or(u64::MAX),
            attempts: step.attempts,
            notices: step.notices.into_iter().map(NoticeLine::from).collect(),
        }
    }
}
