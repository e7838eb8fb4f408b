//! What happens while a run goes on, for eyes only: it may be lost, and nothing is decided by it.

use std::time::Duration;

use limosa_core::{CallbackEvent, Direction, Identity, SharedText};
use limosa_db::{Blocker, Notice};

use crate::StepState;

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
    /// Asking for the lock of the runner is over.
    LockWaited {
        /// How long that took.
        waited: Duration,
        /// True where the lock is ours now; false where another kept it, nothing was left to do, or asking failed.
        taken: bool,
    },
    /// A plan begins, under the lock. A run that takes back what it did has a second one.
    PlanStarted {
        /// Steps in all; 0 where nothing is left to do.
        steps: usize,
        /// Up or back.
        direction: Direction,
    },
    /// A step begins. The steps of one transaction begin together.
    StepStarted {
        /// Number of the step, from 1.
        number: usize,
        /// Steps in all.
        of: usize,
        /// The change.
        identity: Identity,
        /// The version as written.
        label: SharedText,
        /// The description.
        name: SharedText,
        /// Statements in all.
        statements: u64,
    },
    /// The server is at this statement now: all that were sent before it have been answered. Made only where
    /// [`Events::wants_starts`] says that somebody reads it.
    StatementStarted {
        /// Number of its step, as in [`Event::StepStarted`].
        step: usize,
        /// Its number, from 1.
        number: u64,
        /// Its verb.
        verb: String,
    },
    /// A statement ended well. What it did stands only once its step is done.
    StatementDone {
        /// Number of its step, as in [`Event::StepStarted`].
        step: usize,
        /// Its number, from 1.
        number: u64,
        /// Statements in all.
        of: u64,
        /// Its verb.
        verb: String,
        /// Rows that were inserted, changed, deleted or copied, where the server says.
        rows: Option<u64>,
        /// How long it took.
        elapsed: Duration,
    },
    /// The server said something while this change ran.
    Notice {
        /// The version as written.
        label: SharedText,
        /// What it said.
        notice: Notice,
    },
    /// A statement waits for locks of others.
    Waiting {
        /// The version as written.
        label: SharedText,
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
        label: SharedText,
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
        label: SharedText,
        /// The statement.
        statement: u64,
        /// What was found and done.
        finding: String,
    },
    /// A callback runs by itself; its statements are those of step 0.
    Callback {
        /// Its event.
        event: CallbackEvent,
        /// Path of the file as the user gave it.
        file: String,
    },
    /// A step ended well.
    StepDone {
        /// Number of the step, from 1.
        number: usize,
        /// The version as written.
        label: SharedText,
        /// The description.
        name: SharedText,
        /// How long it took.
        elapsed: Duration,
    },
    /// Nothing of a step stands, and the run goes on behind it; a notice before it says why.
    StepPassed {
        /// Number of the step, from 1.
        number: usize,
        /// The version as written.
        label: SharedText,
        /// The description.
        name: SharedText,
        /// What became of it: [`StepState::Left`], [`StepState::Counted`] or [`StepState::Forgiven`].
        state: StepState,
        /// How long it took.
        elapsed: Duration,
    },
    /// A step that began did not end well.
    StepFailed {
        /// Number of the step, from 1.
        number: usize,
        /// The version as written.
        label: SharedText,
        /// The description.
        name: SharedText,
        /// What stands of it.
        state: StepState,
        /// Statements that are committed.
        statements_done: u64,
        /// Code and words of the problem; None where it was rolled back because another step of its transaction failed.
        reason: Option<(&'static str, String)>,
        /// How long it took.
        elapsed: Duration,
    },
}

/// Where events go.
pub trait Events: Send + Sync {
    /// Takes one event; must not block.
    fn event(&self, event: Event);

    /// False where nobody reads [`Event::StatementStarted`], which is then not made: a script may have millions of statements.
    fn wants_starts(&self) -> bool {
        true
    }
}

impl<F: Fn(Event) + Send + Sync> Events for F {
    fn event(&self, event: Event) {
        self(event);
    }
}
