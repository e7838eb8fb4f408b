//! A plan: what will be done, as data. Steps have no methods that do anything.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

use limosa_sql::{
    Diagnostic, Dialect, Engine, ForeignKeys, Loss, Position, VariableLines, placeholders, variable_value,
};
use serde::{Deserialize, Serialize, Serializer};
use thin_vec::ThinVec;

use crate::{
    AuditHead, CallbackEvent, Checksum, Direction, FileHasher, Guard, Identity, Inherited, Markers, Outline, Rollback,
    Script, Shared, SharedText, TransactionWish,
};

/// The form of plans that this build writes.
pub const PLAN_FORMAT: u32 = 1;

/// What will be done, in order.
#[derive(Debug, Clone)]
pub struct Plan {
    /// [`PLAN_FORMAT`].
    pub format: u32,
    /// The project whose ledger is meant.
    pub project: String,
    /// The environment, where one was chosen.
    pub environment: Option<String>,
    /// The engine.
    pub engine: Engine,
    /// Host and database, never a password.
    pub database: String,
    /// Up or back.
    pub direction: Direction,
    /// The head of the audit log that the plan was made against; None for a database without ledger.
    pub ledger_head: Option<AuditHead>,
    /// Values of today for the placeholders that its steps use; None for a secret.
    pub values: std::collections::BTreeMap<String, Option<String>>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What runs around the steps, by event.
    pub callbacks: Vec<PlannedCallback>,
    /// The table of the tool that the files were written for, made without rows because a step or a callback uses it and it is missing.
    pub makes: Option<MadeTable>,
    /// Changes that do not apply here, recorded so that they are never out of order later.
    pub skipped: Vec<Skipped>,
    /// Things worth knowing; not part of the digest.
    pub notices: Vec<Diagnostic>,
}

/// A table that another tool would have made before its first migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MadeTable {
    /// The tool, as people name it.
    pub tool: &'static str,
    /// The table, as people name it.
    pub table: String,
    /// What makes it, statement by statement.
    pub statements: Vec<String>,
    /// The first step that uses it: it is made before that one's statements. A callback that runs before all steps, or before each,
    /// has it made before the first; one behind all steps, before its own.
    pub before: Identity,
}

impl MadeTable {
    /// True where a step is the one that it is made for.
    pub fn is_for(&self, step: &Step) -> bool {
        step.identity == self.before
    }
}

/// One step: a change that is run up or back.
#[derive(Debug, Clone)]
pub struct Step {
    /// The change.
    pub identity: Identity,
    /// The version as written; `R` for repeatables.
    pub label: SharedText,
    /// True where it has a version; false for repeatables and callbacks.
    pub is_versioned: bool,
    /// The description.
    pub name: SharedText,
    /// What kind of step.
    pub action: Action,
    /// What is run.
    pub work: Work,
    /// Statements, groups, remarkable statements.
    pub outline: Shared<Outline>,
    /// True where the step shares the transaction of the step before it.
    pub joins_previous: bool,
    /// Time-outs.
    pub limits: Limits,
    /// The way back that is stored with it.
    pub undo: Option<Undo>,
    /// Identities that it depends on.
    pub depends_on: ThinVec<Identity>,
    /// What it destroys for good.
    pub losses: ThinVec<Loss>,
    /// True where `${...}` is left alone.
    pub placeholders_off: bool,
    /// The rank that its row gets; None leaves it to the ledger. Not part of the digest.
    pub rank: Option<i64>,
    /// The ledger has no row of it yet. Not part of the digest.
    pub adds_row: bool,
    /// The journal has a script of it that was interrupted on its way up. Not part of the digest.
    pub has_journal: bool,
    /// Why it runs again, where more than its text decides that. Not part of the digest.
    pub because: Option<Box<str>>,
    /// What steps before it leave in the session; None for one that begins with the settings of a fresh session.
    pub inherits: Option<Arc<Inherited>>,
    /// A step behind it inherits what it leaves. Follows from `inherits`, so that it is not part of the digest.
    pub hands_on: bool,
    /// Callbacks around it run in its session: what the tool puts back is put back before those, and nothing right before it. Not part of
    /// the digest.
    pub goes_on: bool,
    /// Statements that set, right behind the settings of a fresh session, what it begins with: for a way back that a run takes by itself,
    /// what its change began with. Not part of the digest.
    pub begins_with: ThinVec<String>,
    /// What proves it behind its statements, within its transaction where it has one. What it does is taken back.
    pub proof: Option<Box<Step>>,
    /// What must hold right before it runs; it shares no transaction with other steps.
    pub guard: Option<Box<Guard>>,
}

impl Step {
    /// The version for the ledger; None for repeatables.
    pub fn version(&self) -> Option<&SharedText> {
        self.is_versioned.then_some(&self.label)
    }

    /// SHA-256 of the file.
    pub fn file_checksum(&self) -> &Checksum {
        match &self.work {
            Work::File(script) | Work::Code(script) => &script.file_checksum,
            Work::Text(text) => &text.file_checksum,
        }
    }

    /// SHA-256 of the up part.
    pub fn up_checksum(&self) -> &Checksum {
        match &self.work {
            Work::File(script) | Work::Code(script) => &script.up_checksum,
            Work::Text(text) => &text.up_checksum,
        }
    }

    /// Session settings that may differ from those of a fresh session while it runs, by name: its own and those it inherits.
    pub fn settings(&self) -> impl Iterator<Item = &str> {
        let inherited = self.inherits.iter().flat_map(|inherited| &inherited.settings);
        self.outline.settings.iter().chain(inherited).map(String::as_str)
    }

    /// True where the session may hold other settings behind it than a fresh one.
    pub fn may_leave(&self) -> bool {
        self.begins_otherwise() || self.outline.may_set()
    }

    /// True where it may begin with other settings than a fresh session has.
    pub fn begins_otherwise(&self) -> bool {
        self.inherits.is_some() || !self.begins_with.is_empty()
    }
}

/// What kind of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Run for the first time.
    Apply,
    /// A repeatable that changed.
    Reapply,
    /// Go on after a number of committed statements.
    Resume {
        /// Statements that are committed already.
        done: u64,
    },
    /// Take back.
    Revert,
    /// Go on taking back.
    ResumeRevert {
        /// Statements that are committed already.
        done: u64,
    },
}

impl Action {
    /// Up or back.
    pub fn direction(self) -> Direction {
        match self {
            Action::Apply | Action::Reapply | Action::Resume { .. } => Direction::Apply,
            Action::Revert | Action::ResumeRevert { .. } => Direction::Revert,
        }
    }

    /// Statements that are committed already.
    pub fn done(self) -> u64 {
        match self {
            Action::Resume { done } | Action::ResumeRevert { done } => done,
            _ => 0,
        }
    }
}

/// What is run.
#[derive(Debug, Clone)]
pub enum Work {
    /// A part of a file, read again when it runs; its SHA-256 must then be the script's. Where the part holds sections, those that lead up
    /// are run.
    File(Shared<Script>),
    /// A text that stands in the plan: a way back.
    Text(Box<PlannedText>),
    /// Code of the application that embeds limosa; its checksum is that of the version which it declares.
    Code(Shared<Script>),
}

/// A text that is run.
#[derive(Debug, Clone)]
pub struct PlannedText {
    /// Where it comes from, for messages: a file, or `recorded rollback of 12`.
    pub origin: SharedText,
    /// The SQL as written, placeholders unreplaced.
    pub text: String,
    /// Line and column of its first byte in its origin.
    pub position: Position,
    /// Values for its placeholders, as recorded; they win over those of today.
    pub values: BTreeMap<String, String>,
    /// SHA-256 of the file of the change that it takes back.
    pub file_checksum: Checksum,
    /// SHA-256 of the up part there.
    pub up_checksum: Checksum,
}

impl Work {
    /// Where it comes from, for messages: a file, or what else it is called.
    pub fn origin(&self) -> &SharedText {
        match self {
            Work::File(script) | Work::Code(script) => &script.file,
            Work::Text(text) => &text.origin,
        }
    }

    /// Where it begins in what it comes from.
    pub fn position(&self) -> Position {
        match self {
            Work::File(script) | Work::Code(script) => script.start,
            Work::Text(text) => text.position,
        }
    }
}

/// As it counts in a plan's digest.
impl Serialize for Work {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(tag = "work", rename_all = "snake_case")]
        enum Told<'a> {
            File {
                file: &'a str,
                start: u64,
                end: u64,
                position: Position,
                #[serde(skip_serializing_if = "Option::is_none")]
                markers: Option<Markers>,
            },
            Text {
                origin: &'a str,
                text: &'a str,
                position: Position,
                values: &'a BTreeMap<String, String>,
            },
            Code {
                origin: &'a str,
            },
        }
        let told = match self {
            Work::File(script) => Told::File {
                file: &script.file,
                start: script.span.start,
                end: script.span.end,
                position: script.start,
                markers: script.outline.markers,
            },
            Work::Text(text) => {
                Told::Text { origin: &text.origin, text: &text.text, position: text.position, values: &text.values }
            }
            Work::Code(script) => Told::Code { origin: &script.file },
        };
        told.serialize(serializer)
    }
}

/// Time-outs of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Milliseconds a statement may wait for a lock; 0 means for ever.
    pub lock_timeout_ms: u64,
    /// How often a lock time-out is tried again.
    pub lock_retries: u32,
    /// Milliseconds a statement may run; 0 means for ever.
    pub statement_timeout_ms: u64,
}

/// A way back as it is stored: that of the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo(pub Arc<Rollback>);

impl Deref for Undo {
    type Target = Rollback;

    fn deref(&self) -> &Rollback {
        &self.0
    }
}

impl Undo {
    /// The values that it is recorded with, so that it does the same whenever it runs: a JSON object. Those that are secret, and those that
    /// it does not have now, are null. A variable with a default or its like is recorded as it is written, with what it stands for now.
    pub fn values(
        &self,
        engine: Engine,
        values: &BTreeMap<String, String>,
        secret: &BTreeSet<String>,
    ) -> Option<String> {
        let mut used = serde_json::Map::new();
        let of_name = |name: &str| values.get(name).filter(|_| !secret.contains(name)).cloned();
        if self.outline.variables.is_empty() {
            let dialect = Dialect::from(engine).with_marks(self.outline.marks());
            used.extend(placeholders(dialect, &self.text).into_iter().map(|(name, _)| {
                let value = of_name(&name);
                (name, value.into())
            }));
        }
        for variable in self.outline.variables.variables(engine, &self.text, 1) {
            if variable.is_plain {
                used.extend(variable.names.into_iter().map(|name| {
                    let value = of_name(&name);
                    (name, value.into())
                }));
                continue;
            }
            let is_secret = variable.names.iter().any(|name| secret.contains(name));
            let value = variable_value(engine, &variable.written, values).ok().filter(|_| !is_secret);
            used.insert(variable.written, value.into());
        }
        (!used.is_empty()).then(|| serde_json::Value::Object(used).to_string())
    }

    /// Where it comes from and how it is run, as the ledger keeps it beside the text: a JSON object.
    pub fn origin(&self, placeholders_off: bool) -> String {
        let mut origin = serde_json::Map::new();
        origin.insert("file".to_owned(), self.file.as_str().into());
        origin.insert("line".to_owned(), self.start.line.into());
        origin.insert("column".to_owned(), self.start.column.into());
        if self.transaction() == TransactionWish::None {
            origin.insert("transaction".to_owned(), "none".into());
        }
        // Serialising these plain numbers cannot fail.
        if let Ok(serde_json::Value::Object(time_outs)) = serde_json::to_value(self.time_outs()) {
            origin.extend(time_outs);
        }
        if placeholders_off {
            origin.insert("placeholders".to_owned(), "off".into());
        }
        if let Some(marks) = &self.outline.marks
            && let Ok(marks) = serde_json::to_value(marks)
        {
            origin.insert("placeholder_marks".to_owned(), marks);
        }
        if !self.outline.variables.is_empty()
            && let Ok(variables) = serde_json::to_value(&self.outline.variables)
        {
            origin.insert("variables".to_owned(), variables);
        }
        serde_json::Value::Object(origin).to_string()
    }
}

/// What runs around steps.
#[derive(Debug, Clone)]
pub struct PlannedCallback {
    /// When.
    pub event: CallbackEvent,
    /// What.
    pub work: PlannedWork,
}

/// What a callback runs.
#[derive(Debug, Clone)]
pub enum PlannedWork {
    /// SQL; a step that has no row in the ledger.
    Sql(Box<Step>),
    /// A program; this is its path as the user gave it.
    Command(String),
    /// Code of the application; a step that has no row in the ledger.
    Code(Box<Step>),
}

impl PlannedCallback {
    /// Path of the file as the user gave it.
    pub fn file(&self) -> &str {
        match &self.work {
            PlannedWork::Command(file) => file,
            PlannedWork::Sql(step) | PlannedWork::Code(step) => step.work.origin(),
        }
    }

    /// The step, where it is SQL.
    pub fn step(&self) -> Option<&Step> {
        match &self.work {
            PlannedWork::Sql(step) => Some(step),
            PlannedWork::Command(_) | PlannedWork::Code(_) => None,
        }
    }

    pub(crate) fn step_mut(&mut self) -> Option<&mut Step> {
        match &mut self.work {
            PlannedWork::Sql(step) | PlannedWork::Code(step) => Some(step),
            PlannedWork::Command(_) => None,
        }
    }

    /// True where it is SQL that can share the transaction of a step: both in one, and none of its settings left to the step,
    /// which only PostgreSQL puts back within a transaction.
    pub fn shares(&self, engine: Engine) -> bool {
        let fits = |step: &Step| step.outline.is_atomic() && (engine == Engine::Postgres || !step.outline.may_set());
        self.event.is_each() && self.step().is_some_and(fits)
    }
}

/// A change that does not apply here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The change.
    pub identity: Identity,
    /// The version as written; None for repeatables.
    pub version: Option<SharedText>,
    /// The description.
    pub name: SharedText,
    /// Why.
    pub reason: String,
    /// SHA-256 of the file.
    pub file_checksum: Checksum,
    /// SHA-256 of the up part.
    pub up_checksum: Checksum,
}

impl Plan {
    /// True where nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// SHA-256 over the decisions. Annotations (notices, losses) are left out; so is everything that only describes.
    pub fn digest(&self) -> Checksum {
        #[derive(Serialize)]
        struct Decided<'a> {
            identity: &'a Identity,
            action: Action,
            work: &'a Work,
            groups: &'a [crate::Group],
            joins_previous: bool,
            limits: Limits,
            undo: Option<&'a str>,
            placeholders_off: bool,
            #[serde(skip_serializing_if = "VariableLines::is_empty")]
            variables: &'a VariableLines,
            file_checksum: &'a Checksum,
            up_checksum: &'a Checksum,
            #[serde(skip_serializing_if = "Option::is_none")]
            proof: Option<&'a Checksum>,
            #[serde(skip_serializing_if = "Option::is_none")]
            guard: Option<&'a Guard>,
            #[serde(skip_serializing_if = "Option::is_none")]
            inherits: Option<&'a Inherited>,
            #[serde(skip_serializing_if = "ForeignKeys::are_default")]
            foreign_keys: ForeignKeys,
        }
        impl<'a> From<&'a Step> for Decided<'a> {
            fn from(step: &'a Step) -> Self {
                Decided {
                    identity: &step.identity,
                    action: step.action,
                    work: &step.work,
                    groups: &step.outline.groups,
                    joins_previous: step.joins_previous,
                    limits: step.limits,
                    undo: step.undo.as_ref().map(|undo| undo.text.as_str()),
                    placeholders_off: step.placeholders_off,
                    variables: &step.outline.variables,
                    file_checksum: step.file_checksum(),
                    up_checksum: step.up_checksum(),
                    proof: step.proof.as_ref().map(|proof| proof.file_checksum()),
                    guard: step.guard.as_deref(),
                    inherits: step.inherits.as_deref(),
                    foreign_keys: step.outline.foreign_keys,
                }
            }
        }
        /// One by one: a plan may have a hundred thousand.
        struct Steps<'a>(&'a [Step]);
        impl Serialize for Steps<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.0.iter().map(Decided::from))
            }
        }
        let steps = Steps(&self.steps);
        #[derive(Serialize)]
        struct Around<'a> {
            event: CallbackEvent,
            file: &'a str,
            script: Option<(Limits, &'a Checksum)>,
            #[serde(skip_serializing_if = "Option::is_none")]
            guard: Option<&'a Guard>,
        }
        let callbacks: Vec<Around<'_>> = self
            .callbacks
            .iter()
            .map(|callback| Around {
                event: callback.event,
                file: callback.file(),
                script: callback.step().map(|step| (step.limits, step.file_checksum())),
                guard: callback.step().and_then(|step| step.guard.as_deref()),
            })
            .collect();
        let about = (self.format, &self.project, self.engine, &self.database, self.direction);
        let mut hasher = FileHasher::new();
        // Serialising these plain structures cannot fail, nor can hashing.
        let _ = match (callbacks.is_empty(), &self.makes) {
            (_, Some(makes)) => {
                serde_json::to_writer(&mut hasher, &(about, &self.ledger_head, &self.values, steps, callbacks, makes))
            }
            (true, None) => serde_json::to_writer(&mut hasher, &(about, &self.ledger_head, &self.values, steps)),
            (false, None) => {
                serde_json::to_writer(&mut hasher, &(about, &self.ledger_head, &self.values, steps, callbacks))
            }
        };
        hasher.finish()
    }
}
