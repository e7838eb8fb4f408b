//! The riskiest logic, as functions without effects: what is to be done, given what is wanted and what is there.

mod callbacks;
mod first_parts;
mod foreign_keys;
mod inherited;
mod migrate;
mod renamed;
mod rollback;

use std::collections::{BTreeMap, HashMap};

use limosa_sql::{Diagnostic, Engine, Label, Loss, Position, placeholders};
use serde::{Deserialize, Serialize};
use thin_vec::ThinVec;

pub use self::first_parts::other_first_part;
pub use self::migrate::decide_migrate;
pub use self::rollback::{decide_rollback, selected};
use crate::enum_values::Uncommitted;
use crate::{
    Callback, EnumValues, FirstPart, Headers, Identity, Limits, Outline, PutsBack, Shared, SharedText, Step,
    Surroundings, TimeOuts, Version, Work,
};

/// What to do with a version that comes late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutOfOrder {
    /// Refuse to run anything.
    #[default]
    Refuse,
    /// Run it and say so.
    Warn,
    /// Run it.
    Allow,
}

/// How this project runs its changes.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The project whose ledger is meant.
    pub project: String,
    /// What to do with a version that comes late.
    pub out_of_order: OutOfOrder,
    /// All steps in one transaction.
    pub single_transaction: bool,
    /// Time-outs where the file says nothing.
    pub limits: Limits,
    /// True where the environment is protected.
    pub protected: bool,
    /// Values of placeholders; None for a secret, which enters plans by its name only.
    pub values: BTreeMap<String, Option<String>>,
}

/// What a migrate is asked to do.
#[derive(Debug, Clone, Default)]
pub struct MigrateAsk {
    /// Up to this version and no further; repeatables are left out then.
    pub to: Option<Version>,
    /// At most so many steps.
    pub steps: Option<usize>,
    /// Per interrupted change: how the statements that its journal calls done stand in the file (or in the way back) now, by
    /// [`crate::StatementHasher`].
    pub first_parts: HashMap<Identity, FirstPart>,
    /// For a single transaction: the enum values of each step, by [`crate::EnumValueReader`]. A step that is not named may
    /// add and use any.
    pub enum_values: HashMap<Identity, EnumValues>,
    /// What runs around the steps.
    pub callbacks: Vec<Callback>,
    /// What others than limosa have done in this database, which stops a run; given where nothing of the project ever ran here.
    pub history_elsewhere: Option<Diagnostic>,
    /// The table of the tool that the files were written for, where it is missing here.
    pub missing_ledger: Option<MissingLedger>,
    /// Given where the files were written for a tool that runs all of them in one session.
    pub shared_session: Option<SharedSession>,
    /// SQLite: the tool that the files were written for, as people name it, where its transaction around each of them makes pragmas in
    /// them have no effect.
    pub ignores_pragmas: Option<&'static str>,
    /// Per interrupted change, what those before it in the same run had set for the session, by name, and it does not set anew.
    pub set_before: HashMap<Identity, Vec<String>>,
}

/// The tool that the files were written for runs all of them in one session: what one sets holds for those behind it, but for what the
/// tool puts back between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedSession {
    /// The tool, as people name it.
    pub tool: &'static str,
    /// What it puts back before each of them.
    pub puts_back: PutsBack,
    /// Callbacks of each file run in that session as well: nothing is put back between them and their file.
    pub with_callbacks: bool,
    /// PostgreSQL: all files of a run are one transaction, so that what one sets for its transaction holds for those behind it, too.
    pub one_transaction: bool,
}

/// A table that another tool makes before its first migration, and that is not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingLedger {
    /// The tool, as people name it.
    pub tool: &'static str,
    /// The table, as people name it.
    pub table: String,
    /// The schema or database in which it would stand.
    pub schema: Option<String>,
    /// What makes it without rows, statement by statement.
    pub statements: Vec<String>,
}

/// Which changes to take back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The last so many versioned changes.
    Steps(usize),
    /// All versions above this one.
    To(Version),
    /// This change and all that were applied after it.
    From(Identity),
    /// This change alone.
    One(Identity),
    /// Exactly these, newest first.
    These(Vec<Identity>),
}

/// What a rollback is asked to do.
#[derive(Debug, Clone)]
pub struct RollbackAsk {
    /// Which changes.
    pub selection: Selection,
    /// Take the ways back from the files, not from the ledger.
    pub use_file: bool,
    /// The database that the user named as consent to lose data.
    pub consent: Option<String>,
    /// What runs around the steps.
    pub callbacks: Vec<Callback>,
    /// See [`MigrateAsk::first_parts`].
    pub first_parts: HashMap<Identity, FirstPart>,
    /// See [`MigrateAsk::enum_values`].
    pub enum_values: HashMap<Identity, EnumValues>,
    /// See [`MigrateAsk::shared_session`].
    pub shared_session: Option<SharedSession>,
    /// See [`MigrateAsk::ignores_pragmas`].
    pub ignores_pragmas: Option<&'static str>,
}

/// A way back as the ledger keeps it, with its outline made again.
#[derive(Debug, Clone)]
pub struct StoredRollback {
    /// The SQL as written.
    pub text: String,
    /// Where it came from.
    pub file: SharedText,
    /// Line and column of its first byte there.
    pub position: Position,
    /// Statements, groups, losses.
    pub outline: Shared<Outline>,
    /// Time-outs of its own.
    pub time_outs: TimeOuts,
    /// Values for its placeholders, as recorded; secret ones are not.
    pub values: BTreeMap<String, String>,
    /// True where `${...}` is left alone.
    pub placeholders_off: bool,
}

fn refuse(problems: Vec<Diagnostic>) -> Result<(), Vec<Diagnostic>> {
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Values of today that the steps use. What a way back has recorded wins over them and stands in its step.
fn values_used<'s>(
    engine: Engine,
    steps: impl IntoIterator<Item = &'s Step>,
    policy: &Policy,
) -> BTreeMap<String, Option<String>> {
    let mut used = BTreeMap::new();
    for step in steps.into_iter().filter(|step| !step.placeholders_off) {
        let is_recorded = |word: &str| matches!(&step.work, Work::Text(text) if text.values.contains_key(word));
        let expressions = &step.outline.expressions;
        let reads =
            |name: &String| expressions.iter().any(|one| one.names.contains(name) && !is_recorded(&one.written));
        let in_script = step.outline.placeholders.iter().map(|(name, _)| name.clone());
        let in_script = in_script.filter(|name| expressions.is_empty() || reads(name));
        let asked = step.guard.iter().flat_map(|guard| &guard.checks).flat_map(|check| check.question.texts());
        let asked = asked.flat_map(|text| placeholders(engine, text)).map(|(name, _)| name);
        for name in in_script.chain(asked) {
            let name = &name;
            if !is_recorded(name)
                && let Some(value) = policy.values.get(name)
            {
                used.insert(name.clone(), value.clone());
            }
        }
    }
    used
}

/// What to do where a pooler in transaction mode is in the way. One in session mode looks like it from here.
const PAST_THE_POOLER: &str = "a pooler in transaction mode stands between; set direct_url to the server itself, or --pooled no where the pooler is in session mode";

/// The way past [`Policy::single_transaction`], whoever asked for it.
const SEVERAL_TRANSACTIONS: &str = "run without --single-transaction, or with LIMOSA_SINGLE_TRANSACTION=false where settings \
    ask for one transaction (single_transaction, and group in those of Flyway)";

/// Why a script cannot run where each transaction has another session, which others get behind it; None where it can.
fn needs_session(outline: &Outline, file: &str, around: &Surroundings) -> Option<Diagnostic> {
    let bound = outline.session_bound.as_deref().filter(|_| around.transactions_only)?;
    let message = format!("{file} needs a direct connection: {} leaves something in the session", bound.verb);
    let label = Label::place(file, bound.position).text("this would reach whoever gets the session next");
    let help = format!("{PAST_THE_POOLER}; or let it end with the transaction: ON COMMIT DROP, pg_advisory_xact_lock");
    Some(Diagnostic::error("LIM-P008", message).at(label).help(help))
}

fn full_name(around: &Surroundings) -> String {
    if around.host.is_empty() { around.database.clone() } else { format!("{}/{}", around.host, around.database) }
}

fn limits(headers: &Headers, policy: &Policy) -> Limits {
    Limits {
        lock_timeout_ms: headers.lock_timeout.unwrap_or(policy.limits.lock_timeout_ms),
        lock_retries: policy.limits.lock_retries,
        statement_timeout_ms: headers.statement_timeout.unwrap_or(policy.limits.statement_timeout_ms),
    }
}

fn losses(outline: &Outline) -> ThinVec<Loss> {
    outline.losses().map(|(_, loss)| loss.clone()).collect()
}

/// Joins steps into one transaction. A new enum value cannot be used in the transaction that adds it, so the run splits
/// before a step that uses one. SQLite cannot begin or end to enforce foreign keys within a transaction.
fn join(engine: Engine, steps: &mut [Step], values: &HashMap<Identity, EnumValues>, notices: &mut Vec<Diagnostic>) {
    let mut uncommitted = Uncommitted::default();
    for at in 1..steps.len() {
        let (before, step) = (&steps[at - 1], &steps[at]);
        uncommitted.add(before.outline.adds_enum_value, values.get(&before.identity));
        let reason = if !before.outline.is_atomic() || !step.outline.is_atomic() {
            Some("not all of its neighbours' statements can share one".to_owned())
        } else if before.outline.enforces_foreign_keys() != step.outline.enforces_foreign_keys() {
            Some("only one of the two wants foreign keys enforced".to_owned())
        } else if engine == Engine::Mysql && (changes_settings(before) || changes_settings(step)) {
            Some("settings of a file can be put back outside of a transaction only".to_owned())
        } else if step.inherits.as_ref().is_some_and(|inherited| !inherited.holds_locals_of(&before.outline)) {
            Some("what a file sets for its transaction would reach those behind it".to_owned())
        } else if before.guard.is_some() || step.guard.is_some() {
            let asks = |step: &Step| step.guard.as_ref().is_some_and(|guard| !guard.checks.is_empty());
            let reason = match asks(before) || asks(step) {
                true => "what must hold before one of the two is asked when all before it is committed",
                false => "one of the two may fail, and the other stands all the same",
            };
            Some(reason.to_owned())
        } else {
            uncommitted.kept_out(values.get(&step.identity))
        };
        if let Some(reason) = &reason {
            let message = format!("the single transaction is split before {}: {reason}", step.label);
            notices.push(Diagnostic::warning("LIM-P010", message));
            uncommitted.commit();
        }
        steps[at].joins_previous = reason.is_none();
    }
}

fn changes_settings(step: &Step) -> bool {
    !step.outline.settings.is_empty()
}
