//! What a command tells while it works; for eyes only.

use limosa_run::Event;

use crate::report::Target;

/// One thing that happened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Progress {
    /// A command that writes begins, on this database.
    Target(Target),
    /// Something in the run.
    Run(Event),
    /// A backup goes on: done and total, in the engine's own units; total 0 where it is not known.
    Backup {
        /// Done so far.
        done: u64,
        /// In all.
        total: u64,
    },
    /// A line worth reading.
    Note(String),
}

/// Where progress goes.
pub trait Listener: Send + Sync {
    /// Takes one thing; must not block.
    fn progress(&self, progress: Progress);
}

impl<F: Fn(Progress) + Send + Sync> Listener for F {
    fn progress(&self, progress: Progress) {
        self(progress);
    }
}
