//! The shapes of answers: the one JSON that the command line and a server share. Every answer has `schema_version`.

mod callbacks;
mod ending;
mod export;
mod steps;

use limosa_core::{AuditHead, Identity, SharedText};

use limosa_run::Outcome;
use limosa_sql::{Diagnostic, Engine};
use serde::Serialize;

use crate::Exit;

pub use callbacks::CallbackLine;
pub use export::{ExportAnswer, ExportedLine, LeftLine};
pub use steps::{NoticeLine, StepLine};

/// The version of all shapes in this module. It grows when a field changes its meaning or goes; new fields do not count.
pub const SCHEMA_VERSION: u32 = 1;

/// Which database a command speaks with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    /// The engine.
    pub engine: Engine,
    /// Host and port, or the socket; empty for SQLite.
    pub host: String,
    /// Database name, or the path of the file.
    pub database: String,
    /// User, as the server knows it; empty for SQLite.
    pub user: String,
    /// The server's version.
    pub server_version: String,
    /// The environment, where one was chosen.
    pub environment: Option<String>,
    /// True where the environment is protected.
    pub protected: bool,
    /// The project.
    pub project: String,
}

/// The answer of `migrate` and `rollback`.
#[derive(Debug, Clone, Serialize)]
pub struct RunAnswer {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `migrate` or `rollback`.
    pub command: &'static str,
    /// The exit code.
    pub exit_code: u8,
    /// `done`, `nothing_to_do`, `stopped`, `needs_person`.
    pub outcome: &'static str,
    /// The database.
    pub target: Target,
    /// What became of each step that was begun.
    pub steps: Vec<StepLine>,
    /// With `--auto-rollback`: what was taken back after a failure.
    pub taken_back: Vec<StepLine>,
    /// Why it stopped.
    pub error: Option<Diagnostic>,
    /// The event of a callback that failed behind what stands, and that runs again behind other migrations only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owed_callback: Option<&'static str>,
    /// Worth knowing.
    pub notices: Vec<Diagnostic>,
    /// Digest of the plan.
    pub plan_digest: Option<String>,
    /// The head of the audit log afterwards.
    pub audit_head: Option<AuditHead>,
    /// The backup that was made before.
    pub backup: Option<String>,
    /// Milliseconds in all.
    pub elapsed_ms: u64,
}

/// The words and the exit code of an outcome.
pub(crate) fn outcome_words(outcome: &Outcome) -> (&'static str, crate::Exit, Option<Diagnostic>) {
    match outcome {
        Outcome::Done => ("done", crate::Exit::Done, None),
        Outcome::Stopped(problem) => ("stopped", crate::Exit::Database, Some((**problem).clone())),
        Outcome::NeedsPerson(problem) => ("needs_person", crate::Exit::Person, Some((**problem).clone())),
    }
}

/// The answer of `plan` and of `--dry-run`.
#[derive(Debug, Clone, Serialize)]
pub struct PlanAnswer {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `plan`.
    pub command: &'static str,
    /// The exit code.
    pub exit_code: u8,
    /// The database.
    pub target: Target,
    /// `apply` or `revert`.
    pub direction: &'static str,
    /// SHA-256 over the decisions.
    pub digest: String,
    /// The steps.
    pub steps: Vec<PlannedStep>,
    /// Changes that do not apply here.
    pub not_applicable: Vec<SkippedLine>,
    /// What runs around the steps, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub callbacks: Vec<CallbackLine>,
    /// Worth knowing.
    pub notices: Vec<Diagnostic>,
    /// What an executed dry run did; None where nothing was sent.
    pub executed: Option<ExecutedDryRun>,
}

/// One step of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedStep {
    /// Identity.
    pub identity: Identity,
    /// Version as written.
    pub version: SharedText,
    /// Description.
    pub name: SharedText,
    /// `apply`, `reapply`, `resume`, `revert`, `resume_revert`.
    pub action: &'static str,
    /// File, or where the way back was recorded.
    pub origin: SharedText,
    /// True where all statements and the ledger row commit together.
    pub atomic: bool,
    /// True where it shares the transaction of the step before it.
    pub joins_previous: bool,
    /// Milliseconds a statement may wait for a lock; 0 means for ever.
    pub lock_timeout_ms: u64,
    /// Milliseconds a statement may run; 0 means for ever.
    pub statement_timeout_ms: u64,
    /// True where a way back will be recorded.
    pub has_rollback: bool,
    /// The file that proves it behind its statements, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// What must hold right before it, in words, and what becomes of it otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preconditions: Vec<String>,
    /// Session settings that steps before it change, where the tool of the files lets them reach it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inherits: Vec<String>,
    /// SQLite: it begins with foreign keys enforced.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub begins_with_foreign_keys: bool,
    /// Why it runs again, where more than its text decides that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// What it destroys for good.
    pub losses: Vec<String>,
    /// Statements in all.
    pub statements_total: u64,
    /// The statements; at most a thousand of each step.
    pub statements: Vec<PlannedStatement>,
}

/// One statement of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedStatement {
    /// Its number, from 1.
    pub number: u64,
    /// Its line in its file.
    pub line: u64,
    /// What it is.
    pub verb: String,
    /// Its first words.
    pub excerpt: String,
    /// The number of the transaction it runs in, from 1 within the plan; None where it runs outside of one.
    pub transaction: Option<u64>,
    /// True where an earlier run committed it already.
    pub done: bool,
    /// Why it is not sent, where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<&'static str>,
}

/// A change that does not apply here.
#[derive(Debug, Clone, Serialize)]
pub struct SkippedLine {
    /// Identity.
    pub identity: Identity,
    /// Version as written.
    pub version: Option<SharedText>,
    /// Description.
    pub name: SharedText,
    /// Why.
    pub reason: String,
}

/// What an executed dry run did.
#[derive(Debug, Clone, Serialize)]
pub struct ExecutedDryRun {
    /// Steps that ran and were rolled back.
    pub steps: Vec<StepLine>,
    /// Steps that could not be tried, with the reason.
    pub not_tried: Vec<SkippedLine>,
    /// What failed.
    pub error: Option<Diagnostic>,
}

/// The answer of `status`.
#[derive(Debug, Clone, Serialize)]
pub struct StatusAnswer {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `status`.
    pub command: &'static str,
    /// The exit code.
    pub exit_code: u8,
    /// The database.
    pub target: Target,
    /// The format of the files, as `--format` names it.
    pub format: &'static str,
    /// Why they were taken for that format, in words; none where it was asked for, or is limosa's own.
    pub format_reason: Option<String>,
    /// True where the ledger's tables stand.
    pub ledger_exists: bool,
    /// Each change.
    pub changes: Vec<ChangeLine>,
    /// How many would run.
    pub pending: usize,
    /// How many ran.
    pub applied: usize,
    /// Who runs now.
    pub runner: Option<RunnerLine>,
    /// From which tool the database was taken over, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adopted: Option<AdoptedLine>,
    /// The head of the audit log.
    pub audit_head: Option<AuditHead>,
    /// Problems in the files.
    pub notices: Vec<Diagnostic>,
}

/// One change and its state.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeLine {
    /// Identity.
    pub identity: Identity,
    /// Version as written; `R` for repeatables.
    pub version: SharedText,
    /// Description.
    pub name: SharedText,
    /// The state.
    pub state: limosa_core::State,
    /// Why, where the state needs a reason.
    pub reason: Option<String>,
    /// The file; None where it is gone.
    pub file: Option<SharedText>,
    /// When it was applied.
    pub applied_at: Option<String>,
    /// By whom.
    pub applied_by: Option<String>,
    /// Milliseconds.
    pub execution_ms: Option<i64>,
    /// True where a way back is recorded (applied) or written (pending).
    pub has_rollback: bool,
    /// SHA-256 of the up part, of the file where there is one.
    pub checksum: String,
}

/// Who runs now.
#[derive(Debug, Clone, Serialize)]
pub struct RunnerLine {
    /// User, host and process.
    pub holder: String,
    /// Since when.
    pub since: Option<String>,
    /// Seconds since the last sign of life.
    pub silent_seconds: Option<i64>,
    /// Longer than a lease: it may have ended without a word, and the next run finds out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub may_be_gone: bool,
}

/// An answer that is a list of findings, such as `validate`, `doctor`, `audit verify`.
#[derive(Debug, Clone, Serialize)]
pub struct FindingsAnswer {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The command.
    pub command: &'static str,
    /// The exit code: 0 or 1.
    pub exit_code: u8,
    /// The database; None where none was spoken with.
    pub target: Option<Target>,
    /// The branch that the files were compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<AgainstLine>,
    /// What was found.
    pub findings: Vec<Diagnostic>,
    /// What was looked at, with its result, for people who want to see that all is well.
    pub checks: Vec<CheckLine>,
}

/// The branch that the files of the working tree were compared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgainstLine {
    /// As somebody named it.
    pub reference: String,
    /// Its commit.
    pub commit: String,
    /// The commit at which this branch parted from it.
    pub merge_base: String,
    /// Migrations that were added here since.
    pub added: usize,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct CheckLine {
    /// What.
    pub name: String,
    /// `ok`, `note`, `warning`, `error`.
    pub result: &'static str,
    /// What was seen.
    pub seen: String,
}

/// The answer of `history`.
#[derive(Debug, Clone, Serialize)]
pub struct HistoryAnswer {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `history`.
    pub command: &'static str,
    /// The exit code.
    pub exit_code: u8,
    /// The database.
    pub target: Target,
    /// Operations, newest first.
    pub operations: Vec<OperationLine>,
}

/// One operation of the audit log.
#[derive(Debug, Clone, Serialize)]
pub struct OperationLine {
    /// Its number.
    pub sequence: i64,
    /// When, by the server's clock.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What.
    pub operation: String,
    /// Which change.
    pub identity: Option<String>,
    /// `done` or `failed`.
    pub outcome: String,
    /// More.
    pub detail: serde_json::Value,
    /// Hash of the row.
    pub hash: String,
}

/// An answer that says what was done, such as `baseline`, `repair`, `backup`, `init`.
#[derive(Debug, Clone, Serialize)]
pub struct DoneAnswer {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The command.
    pub command: &'static str,
    /// The exit code.
    pub exit_code: u8,
    /// The database, where one was spoken with.
    pub target: Option<Target>,
    /// What was done, line by line.
    pub done: Vec<String>,
    /// What would be done, where nothing was.
    pub would: Vec<String>,
    /// Worth knowing.
    pub notices: Vec<Diagnostic>,
    /// The head of the audit log afterwards.
    pub audit_head: Option<AuditHead>,
}

impl DoneAnswer {
    /// The answer of a command that has done nothing yet.
    pub(crate) fn new(command: &'static str, target: Option<&Target>) -> DoneAnswer {
        DoneAnswer {
            schema_version: SCHEMA_VERSION,
            command,
            exit_code: Exit::Done.into(),
            target: target.cloned(),
            done: Vec::new(),
            would: Vec::new(),
            notices: Vec::new(),
            audit_head: None,
        }
    }
}

/// The answer of `adopt`.
#[derive(Debug, Clone, Serialize)]
pub struct AdoptAnswer {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `adopt`.
    pub command: &'static str,
    /// The exit code.
    pub exit_code: u8,
    /// `done`, `would` (a dry run), `refused`, `nothing_to_do`.
    pub outcome: &'static str,
    /// The database.
    pub target: Target,
    /// The other tool, as people call it.
    pub tool: String,
    /// Its table.
    pub table: String,
    /// Each migration of either side.
    pub migrations: Vec<AdoptLine>,
    /// How many of each verdict.
    pub counts: VerdictCounts,
    /// Its table is kept beside limosa's ledger from then on.
    pub kept: bool,
    /// It was until now, and is not any more.
    pub kept_no_longer: bool,
    /// When and by whom it was taken over before, where it was.
    pub adopted: Option<AdoptedLine>,
    /// What a proof has found, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// Why it was refused.
    pub errors: Vec<Diagnostic>,
    /// Worth knowing.
    pub notices: Vec<Diagnostic>,
    /// The head of the audit log afterwards.
    pub audit_head: Option<AuditHead>,
}

/// What the files make in a database of their own, against what stands in the one that is taken over; no rows, owners or rights.
#[derive(Debug, Clone, Serialize)]
pub struct Proof {
    /// Migrations that were run.
    pub migrations: usize,
    /// What is not alike; nothing where the proof holds.
    pub differences: Vec<ProofLine>,
}

/// Something that is not alike.
#[derive(Debug, Clone, Serialize)]
pub struct ProofLine {
    /// Verb and object of the statement that makes it.
    pub what: String,
    /// The statement that makes what stands here; None where it is not here.
    pub here: Option<String>,
    /// The same for what the files make.
    pub from_files: Option<String>,
}

/// One migration of another tool, of our files, or of both.
#[derive(Debug, Clone, Serialize)]
pub struct AdoptLine {
    /// `verified`, `stamped`, `diverged`, `missing`, `unknown`, `pending`.
    pub verdict: &'static str,
    /// Identity; None where there is no file.
    pub identity: Option<String>,
    /// Version as written; the other tool's where there is no file.
    pub version: String,
    /// Description.
    pub name: String,
    /// The file; None where there is none.
    pub file: Option<String>,
    /// What the other tool knows it by; None where it has no row of its own for it.
    pub key: Option<String>,
    /// The checksum that the other tool has recorded.
    pub recorded_checksum: Option<String>,
    /// When the other tool applied it, as the server writes that column.
    pub applied_at: Option<String>,
    /// By whom, where the other tool keeps it.
    pub applied_by: Option<String>,
    /// More, in words.
    pub note: Option<String>,
}

/// How many migrations have a verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct VerdictCounts {
    /// Applied, and the file is the one that was applied.
    pub verified: usize,
    /// Applied, and no checksum tells by which text.
    pub stamped: usize,
    /// Applied, and the file was changed since.
    pub diverged: usize,
    /// Failed, or never seen to end.
    pub half_done: usize,
    /// Applied, and there is no file.
    pub missing: usize,
    /// Not applied, although a later one was.
    pub unknown: usize,
    /// Not applied, and does not apply here.
    pub not_applicable: usize,
    /// Not applied yet.
    pub pending: usize,
}

/// From which tool a database was taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdoptedLine {
    /// The tool, as people call it.
    pub tool: String,
    /// Its table.
    pub table: String,
    /// What the tool called its newest migration.
    pub newest: Option<String>,
    /// How many migrations were taken over.
    pub migrations: usize,
    /// When, by the server's clock.
    pub at: String,
    /// By whom.
    pub by: String,
    /// Its table is kept beside limosa's ledger.
    pub kept: bool,
}

/// The answer of `ready` and `health`.
#[derive(Debug, Clone, Serialize)]
pub struct HealthAnswer {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `ready` or `health`.
    pub command: &'static str,
    /// The exit code.
    pub exit_code: u8,
    /// True where all is well.
    pub ok: bool,
    /// Why not, in one line.
    pub reason: Option<String>,
    /// The database, where it could be reached.
    pub target: Option<Target>,
    /// The newest version applied.
    pub version: Option<String>,
    /// How many changes would run; None for `ready`, which reads no files.
    pub pending: Option<usize>,
    /// How many are in a state that needs attention.
    pub troubled: Option<usize>,
    /// Who runs now.
    pub runner: Option<RunnerLine>,
    /// Milliseconds until the answer.
    pub elapsed_ms: u64,
}
