//! What happens while a run goes on, for eyes only: it may be lost, and nothing is decided by it.

use std::time::Duration;

use limosa_core::{CallbackEvent, Identity};
use limosa_db::{Blocker, Notice};

/// One thing that happened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// Another runner holds the lock; limosa asks again.
    LockHeld {
        /// Who, where known.
        holder: Option<String>,
        /// Since when.
        since: Option<String>,
    },
    /// A step begins.
    StepStarted {
        /// Number of the step, from 1.
        number: usize,
        /// Steps in all.
        of: usize,
        /// The change.
        identity: Identity,
        /// The version as written.
        label: String,
        /// The description.
        name: String,
        /// Statements in all.
        statements: u64,
    },
    /// A statement ended well.
    StatementDone {
        /// Its number, from 1.
        number: u64,
        /// Statements in all.
        of: u64,
        /// Its verb.
        verb: String,
        /// How long it took.
        elapsed: Duration,
    },
    /// The server said something while this change ran.
    Notice {
        /// The version as written.
        label: String,
        /// What it said.
        notice: Notice,
    },
    /// A statement waits for locks of others.
    Waiting {
        /// The version as written.
        label: String,
        /// Statement number.
        statement: u64,
        /// For how long by now.
        elapsed: Duration,
        /// Who stands in the way.
        blockers: Vec<Blocker>,
    },
    /// A lock time-out or deadlock: the transaction was rolled back and is tried again.
    Retrying {
        /// The version as written.
        label: String,
        /// The next attempt, from 2.
        attempt: u32,
        /// Attempts in all.
        of: u32,
        /// Why.
        reason: String,
        /// When.
        pause: Duration,
    },
    /// After a death, the catalogue was looked at.
    Recovered {
        /// The version as written.
        label: String,
        /// The statement.
        statement: u64,
        /// What was found and done.
        finding: String,
    },
    /// A callback runs by itself.
    Callback {
        /// Its event.
        event: CallbackEvent,
        /// Path of the file as the user gave it.
        file: String,
    },
    /// A step ended well.
    StepDone {
        /// The version as written.
        label: String,
        /// The description.
        name: String,
        /// How long it took.
        elapsed: Duration,
    },
}

/// Where events go.
pub trait Events: Send + Sync {
    /// Takes one event; must not block.
    fn event(&self, event: Event);
}

impl<F: Fn(Event) + Send + Sync> Events for F {
    fn event(&self, event: Event) {
        self(event);
    }
}
