//! A change: one file (or section) that the user wrote, read but not run.

use std::fmt;
use std::sync::Arc;

use limosa_sql::{Diagnostic, Engine, Position, Span};
use serde::{Deserialize, Serialize};
use thin_vec::ThinVec;

use crate::{CallbackEvent, Checksum, CountedValues, Guard, Outline, Shared, SharedText, Version};

/// What a change is known by, within its project. The text is defined by the format: for native files the version
/// without leading zeros, for repeatables `R:` and the name. A copy is cheap.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identity(Arc<str>);

impl Identity {
    /// Takes the text as it stands.
    pub fn new(text: impl Into<String>) -> Identity {
        Identity(text.into().into())
    }

    /// The identity of a versioned change.
    pub fn of_version(version: &Version) -> Identity {
        Identity(version.as_str().into())
    }

    /// The identity of a repeatable change.
    pub fn of_repeatable(name: &str) -> Identity {
        Identity(format!("R:{name}").into())
    }

    /// The identity of a baseline that stands for all versions up to this one.
    pub fn of_baseline(version: &Version) -> Identity {
        Identity(format!("B:{version}").into())
    }

    /// The version for which a baseline stands that has this identity; None for everything else.
    pub fn version_of_baseline(&self) -> Option<Version> {
        Version::parse(self.0.strip_prefix("B:")?).ok()
    }

    /// The identity under which the audit log names a callback; the description may be empty.
    pub fn of_callback(event: CallbackEvent, name: &str) -> Identity {
        match name {
            "" => Identity(format!("callback:{event}").into()),
            name => Identity(format!("callback:{event}:{name}").into()),
        }
    }

    /// True for what runs around migrations, and is no change.
    pub fn is_of_callback(&self) -> bool {
        self.0
            .strip_prefix("callback:")
            .is_some_and(|rest| CallbackEvent::from_name(rest.split(':').next().unwrap_or(rest)).is_some())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq<&str> for Identity {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How often a change runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Once, in the order of versions.
    Versioned(Version),
    /// Again whenever its text changes: after the versioned ones, or where [`Headers::place`] says.
    Repeatable,
}

/// A change as read from the user's files.
#[derive(Debug, Clone)]
pub struct Change {
    /// Identity within the project.
    pub identity: Identity,
    /// Versioned or repeatable.
    pub kind: Kind,
    /// True where it stands for all versions up to its own: it runs in their place where none of them ran.
    pub is_baseline: bool,
    /// True where it is no script: code of the application, or a program of another tool.
    pub is_code: bool,
    /// True for a program of another tool: it has a file and a name there, and cannot be run here.
    pub is_program: bool,
    /// True where it is known only that its file is the one that was applied: nothing else of it was read, and it cannot be run.
    pub is_unread: bool,
    /// The version as written in the file name (`001`), for display; `R` for repeatables.
    pub label: SharedText,
    /// The description from the file name, underscores as blanks.
    pub name: SharedText,
    /// The up script, which its step holds too.
    pub script: Shared<Script>,
    /// The way back, where one was written.
    pub rollback: Option<Arc<Rollback>>,
    /// What proves that it did what it should, where that was written. Nothing that it does stays.
    pub proof: Option<Shared<Script>>,
    /// Why it cannot be run, where it asks for what cannot be had. It may have run elsewhere.
    pub refusals: ThinVec<Diagnostic>,
    /// What the headers and the configuration beside the file say.
    pub headers: Shared<Headers>,
    /// Identities that must be applied before it, resolved from `Depends-on` and the configuration.
    pub depends_on: ThinVec<Identity>,
}

impl Change {
    /// The checksum of its text alone, whatever the values of its placeholders.
    pub fn text_checksum(&self) -> &Checksum {
        let counted = self.headers.counted_values.as_ref();
        counted.map_or(&self.script.up_checksum, |counted| &counted.text_checksum)
    }
}

/// A script, held by reference.
#[derive(Debug, Clone)]
pub struct Script {
    /// Path as the user gave it.
    pub file: SharedText,
    /// The up part within the file.
    pub span: Span,
    /// Where the up part begins.
    pub start: Position,
    /// SHA-256 of the whole file as it is.
    pub file_checksum: Checksum,
    /// SHA-256 of the up part, line endings and byte-order mark made equal; where values of placeholders count, with these
    /// ([`CountedValues`]).
    pub up_checksum: Checksum,
    /// Statements, transactions, remarkable statements.
    pub outline: Shared<Outline>,
}

impl Script {
    /// What stands for code of an application: `origin` is what messages call it, its checksum that of the version which it declares.
    pub fn of_code(origin: &str, declared: &str, outline: Shared<Outline>) -> Script {
        let checksum = Checksum::of(format!("code {declared}").as_bytes());
        Script {
            file: origin.into(),
            span: Span::new(0, 0),
            start: Position::START,
            file_checksum: checksum.clone(),
            up_checksum: checksum,
            outline,
        }
    }
}

/// A way back, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// The file that holds it.
    pub file: SharedText,
    /// Where in that file the text begins.
    pub start: Position,
    /// The SQL as written, placeholders unreplaced.
    pub text: String,
    /// Statements, transactions, what it destroys.
    pub outline: Shared<Outline>,
    /// Time-outs of its own, where it has some.
    pub own_time_outs: Option<Box<TimeOuts>>,
}

/// Time-outs as a way back asks for them; where it says nothing, those of its migration hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TimeOuts {
    /// Milliseconds a statement may wait for a lock; 0 means for ever.
    #[serde(rename = "lock_timeout_ms", skip_serializing_if = "Option::is_none")]
    pub lock_ms: Option<u64>,
    /// Milliseconds a statement may run; 0 means for ever.
    #[serde(rename = "statement_timeout_ms", skip_serializing_if = "Option::is_none")]
    pub statement_ms: Option<u64>,
}

impl Rollback {
    /// Its time-outs.
    pub fn time_outs(&self) -> TimeOuts {
        self.own_time_outs.as_deref().copied().unwrap_or_default()
    }

    /// The wish that gives its groups again when the text alone is outlined.
    pub fn transaction(&self) -> TransactionWish {
        let groups = &self.outline.groups;
        match groups.iter().any(|group| group.mode == crate::GroupMode::Transaction) {
            false if !groups.is_empty() => TransactionWish::None,
            _ => TransactionWish::Auto,
        }
    }
}

/// How a file wants to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransactionWish {
    /// Decided by the statements.
    #[default]
    Auto,
    /// One transaction for the file, an error where a statement cannot run inside.
    Always,
    /// None: each statement by itself.
    None,
}

impl TransactionWish {
    /// True where the statements decide.
    pub fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

/// Header comments, and the same keys from `migration_config.yaml`; the file's own header wins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers {
    /// `Purpose`.
    pub purpose: Option<String>,
    /// `Phase`.
    pub phase: Option<String>,
    /// `Checklist`.
    pub checklist: Option<String>,
    /// `Depends-on`: references as written (a version, an identity, or a file name).
    pub depends_on: ThinVec<String>,
    /// `Transaction`.
    pub transaction: TransactionWish,
    /// `Lock-timeout`, in milliseconds; 0 means none.
    pub lock_timeout: Option<u64>,
    /// `Statement-timeout`, in milliseconds; 0 means none.
    pub statement_timeout: Option<u64>,
    /// `Environments`: names; empty means all.
    pub environments: ThinVec<String>,
    /// `Engines`: empty means all.
    pub engines: ThinVec<Engine>,
    /// `Requires-extension`: PostgreSQL extensions that must be available.
    pub requires_extension: ThinVec<String>,
    /// `Tags`.
    pub tags: ThinVec<String>,
    /// `Data-loss`: the author says that the up part is meant to destroy data (`allowed`).
    pub data_loss_allowed: bool,
    /// `Placeholders: off` leaves `${...}` alone.
    pub placeholders_off: bool,
    /// Its own settings ask for `${...}` to be replaced, whatever holds for the others.
    pub placeholders_on: bool,
    /// Why it does not apply here, where the settings beside it say so.
    pub left_out: Option<String>,
    /// It may run after later versions did: its format says so by its name.
    pub may_come_late: bool,
    /// The place among versions at which a repeatable runs. Others run behind them all.
    pub place: Option<Version>,
    /// It is a repeatable that runs with each run, whether or not it changed.
    pub runs_always: bool,
    /// When it was made, in milliseconds since the Unix epoch, by the journal of a tool (drizzle before 1.0) that passes over whatever is not newer
    /// than the newest that it has run.
    pub made_at: Option<i64>,
    /// What must hold right before it runs.
    pub guard: Option<Box<Guard>>,
    /// What it is known by where the values of its placeholders decide whether it runs again.
    pub counted_values: Option<Box<CountedValues>>,
}
