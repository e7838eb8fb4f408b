//! Scripts that run around migrations.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Direction, Headers, Identity, Script, Shared};

/// When a callback runs, in the terms of a migrate or of a rollback.
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
    /// Before the first step of a rollback, under the lock.
    BeforeUndo,
    /// Before each step of a rollback, in its transaction where it has one.
    BeforeEachUndo,
    /// After each step of a rollback, in its transaction where it has one.
    AfterEachUndo,
    /// After a rollback that ended well.
    AfterUndo,
    /// After a rollback that failed.
    AfterUndoError,
}

/// The events of a run in one direction.
#[derive(Debug, Clone, Copy)]
pub struct RunEvents {
    /// Before the first step.
    pub before: CallbackEvent,
    /// Before each step.
    pub before_each: CallbackEvent,
    /// After each step.
    pub after_each: CallbackEvent,
    /// After a run that ended well and had steps, where there is an event of its own.
    pub after_some: Option<CallbackEvent>,
    /// After a run that ended well.
    pub after: CallbackEvent,
    /// After a run that failed.
    pub after_error: CallbackEvent,
}

impl CallbackEvent {
    /// All events, in the order in which they come.
    pub const ALL: [CallbackEvent; 11] = [
        CallbackEvent::BeforeMigrate,
        CallbackEvent::BeforeEachMigrate,
        CallbackEvent::AfterEachMigrate,
        CallbackEvent::AfterMigrate,
        CallbackEvent::AfterMigrateApplied,
        CallbackEvent::AfterMigrateError,
        CallbackEvent::BeforeUndo,
        CallbackEvent::BeforeEachUndo,
        CallbackEvent::AfterEachUndo,
        CallbackEvent::AfterUndo,
        CallbackEvent::AfterUndoError,
    ];

    /// Those of a migrate, or of a rollback.
    pub fn of(direction: Direction) -> RunEvents {
        match direction {
            Direction::Apply => RunEvents {
                before: CallbackEvent::BeforeMigrate,
                before_each: CallbackEvent::BeforeEachMigrate,
                after_each: CallbackEvent::AfterEachMigrate,
                after_some: Some(CallbackEvent::AfterMigrateApplied),
                after: CallbackEvent::AfterMigrate,
                after_error: CallbackEvent::AfterMigrateError,
            },
            Direction::Revert => RunEvents {
                before: CallbackEvent::BeforeUndo,
                before_each: CallbackEvent::BeforeEachUndo,
                after_each: CallbackEvent::AfterEachUndo,
                after_some: None,
                after: CallbackEvent::AfterUndo,
                after_error: CallbackEvent::AfterUndoError,
            },
        }
    }

    /// The direction of the runs that it belongs to.
    pub fn direction(self) -> Direction {
        match self {
            CallbackEvent::BeforeMigrate
            | CallbackEvent::BeforeEachMigrate
            | CallbackEvent::AfterEachMigrate
            | CallbackEvent::AfterMigrate
            | CallbackEvent::AfterMigrateApplied
            | CallbackEvent::AfterMigrateError => Direction::Apply,
            CallbackEvent::BeforeUndo
            | CallbackEvent::BeforeEachUndo
            | CallbackEvent::AfterEachUndo
            | CallbackEvent::AfterUndo
            | CallbackEvent::AfterUndoError => Direction::Revert,
        }
    }

    /// The name by which files call it.
    pub fn name(self) -> &'static str {
        match self {
            CallbackEvent::BeforeMigrate => "beforeMigrate",
            CallbackEvent::BeforeEachMigrate => "beforeEachMigrate",
            CallbackEvent::AfterEachMigrate => "afterEachMigrate",
            CallbackEvent::AfterMigrate => "afterMigrate",
            CallbackEvent::AfterMigrateApplied => "afterMigrateApplied",
            CallbackEvent::AfterMigrateError => "afterMigrateError",
            CallbackEvent::BeforeUndo => "beforeUndo",
            CallbackEvent::BeforeEachUndo => "beforeEachUndo",
            CallbackEvent::AfterEachUndo => "afterEachUndo",
            CallbackEvent::AfterUndo => "afterUndo",
            CallbackEvent::AfterUndoError => "afterUndoError",
        }
    }

    /// Reads a name, in any case.
    pub fn from_name(name: &str) -> Option<CallbackEvent> {
        CallbackEvent::ALL.into_iter().find(|event| event.name().eq_ignore_ascii_case(name))
    }

    /// True for those that run with each step.
    pub fn is_each(self) -> bool {
        let events = CallbackEvent::of(self.direction());
        self == events.before_each || self == events.after_each
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
    pub headers: Shared<Headers>,
}

/// What a callback runs.
#[derive(Debug, Clone)]
pub enum CallbackWork {
    /// SQL.
    Script(Shared<Script>),
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
