//! Scripts that run around migrations.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Headers, Identity, Script};

/// When a callback runs, in the terms of a migrate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CallbackEvent {
    /// Before the first step, under the lock.
    BeforeMigrate,
    /// Before each step, in its transaction where it has one.
    BeforeEachMigrate,
    /// After each step, in its transaction where it has one.
    AfterEachMigrate,
    /// After a migrate that ended well, whether it had anything to do or not.
    AfterMigrate,
    /// After a migrate that ended well and ran at least one step.
    AfterMigrateApplied,
    /// After a migrate that failed.
    AfterMigrateError,
}

impl CallbackEvent {
    /// All events, in the order in which they come.
    pub const ALL: [CallbackEvent; 6] = [
        CallbackEvent::BeforeMigrate,
        CallbackEvent::BeforeEachMigrate,
        CallbackEvent::AfterEachMigrate,
        CallbackEvent::AfterMigrate,
        CallbackEvent::AfterMigrateApplied,
        CallbackEvent::AfterMigrateError,
    ];

    /// The name by which files call it.
    pub fn name(self) -> &'static str {
        match self {
            CallbackEvent::BeforeMigrate => "beforeMigrate",
            CallbackEvent::BeforeEachMigrate => "beforeEachMigrate",
            CallbackEvent::AfterEachMigrate => "afterEachMigrate",
            CallbackEvent::AfterMigrate => "afterMigrate",
            CallbackEvent::AfterMigrateApplied => "afterMigrateApplied",
            CallbackEvent::AfterMigrateError => "afterMigrateError",
        }
    }

    /// Reads a name, in any case.
    pub fn from_name(name: &str) -> Option<CallbackEvent> {
        CallbackEvent::ALL.into_iter().find(|event| event.name().eq_ignore_ascii_case(name))
    }

    /// True for those that run with each step.
    pub fn is_each(self) -> bool {
        matches!(self, CallbackEvent::BeforeEachMigrate | CallbackEvent::AfterEachMigrate)
    }
}

impl fmt::Display for CallbackEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A callback as read from the user's files.
#[derive(Debug, Clone)]
pub struct Callback {
    /// When it runs.
    pub event: CallbackEvent,
    /// The description from the file name, underscores as blanks; may be empty. Several of one event run in its order.
    pub name: String,
    /// What is run.
    pub work: CallbackWork,
    /// What its headers and its configuration say.
    pub headers: Headers,
}

/// What a callback runs.
#[derive(Debug, Clone)]
pub enum CallbackWork {
    /// SQL.
    Script(Box<Script>),
    /// A program; this is its path as the user gave it.
    Command(String),
    /// Code of the application; this is how it is called.
    Code(String),
}

impl Callback {
    /// The identity under which the audit log names it.
    pub fn identity(&self) -> Identity {
        Identity::of_callback(self.event, &self.name)
    }

    /// Path of the file as the user gave it.
    pub fn file(&self) -> &str {
        match &self.work {
            CallbackWork::Script(script) => &script.file,
            CallbackWork::Command(file) | CallbackWork::Code(file) => file,
        }
    }
}
