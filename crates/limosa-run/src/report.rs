//! What a run did. A run gives a report, never just an error.

use std::collections::HashMap;
use std::time::Duration;

use limosa_core::{Action, AuditHead, CallbackEvent, Identity, SharedText};
use limosa_db::Notice;
use limosa_sql::Diagnostic;

/// The end of a run.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// What became of each step, in order; steps that were not begun are left out.
    pub steps: Vec<StepReport>,
    /// How it ended.
    pub outcome: Outcome,
    /// [`limosa_core::Plan::digest`] of what was to be done, as text.
    pub plan_digest: String,
    /// The head of the audit log at the end.
    pub head: Option<AuditHead>,
    /// The callback that failed behind what stands, and that runs again only behind another step: what it was to do is left undone.
    pub owed: Option<CallbackEvent>,
    /// Where it was to be kept: what steps began with besides the settings of a fresh session, as [`limosa_core::Step::begins_with`].
    pub began_with: HashMap<Identity, Vec<String>>,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Everything was done.
    Done,
    /// It stopped: the database or the statement refused, or it was interrupted.
    Stopped(Box<Diagnostic>),
    /// A person must decide.
    NeedsPerson(Box<Diagnostic>),
}

impl Outcome {
    /// Why it ended badly; None where it did not.
    pub fn problem(&self) -> Option<&Diagnostic> {
        match self {
            Outcome::Done => None,
            Outcome::Stopped(problem) | Outcome::NeedsPerson(problem) => Some(problem),
        }
    }
}

/// What became of one step.
#[derive(Debug, Clone)]
pub struct StepReport {
    /// The change.
    pub identity: Identity,
    /// The version as written.
    pub label: SharedText,
    /// The description.
    pub name: SharedText,
    /// What kind of step.
    pub action: Action,
    /// How it ended.
    pub state: StepState,
    /// Statements that are committed.
    pub statements_done: u64,
    /// Statements in all.
    pub statements_total: u64,
    /// Time spent.
    pub elapsed: Duration,
    /// Attempts that it took.
    pub attempts: u32,
    /// What the server said.
    pub notices: Vec<Notice>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// All of it is committed.
    Done,
    /// Nothing of it stands.
    RolledBack,
    /// It was rolled back, but rows that it changed in tables without transactions stay changed (MySQL).
    RowsStay,
    /// Some of its statements are committed.
    Partial,
    /// The connection was lost, and the server cannot be asked what of it is committed: the next run looks.
    Unknown,
    /// It failed, as it may. Nothing of it stands, and it is left for the next run.
    Forgiven,
    /// It did not run, because its guard does not hold, and is left for the next run.
    Left,
    /// It did not run, because its guard does not hold, and counts as applied.
    Counted,
}

impl StepState {
    /// True where nothing of the step stands, and the run went on behind it.
    pub fn is_passed(self) -> bool {
        matches!(self, StepState::Left | StepState::Counted | StepState::Forgiven)
    }

    /// The word for it in answers and events.
    pub fn as_str(self) -> &'static str {
        match self {
            StepState::Done => "done",
            StepState::RolledBack => "rolled_back",
            StepState::RowsStay => "rows_stay",
            StepState::Partial => "partial",
            StepState::Unknown => "unknown",
            StepState::Forgiven => "forgiven",
            StepState::Left => "left",
            StepState::Counted => "counted",
        }
    }
}
