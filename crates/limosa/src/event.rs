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
    /// A backup or a restore begins or goes on.
    Copying(Copying),
    /// It has ended, well or not.
    CopyEnded,
    /// A line worth reading.
    Note(String),
}

/// How far a backup or a restore is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copying {
    /// Which of the two.
    pub what: CopyKind,
    /// What is counted.
    pub unit: CopyUnit,
    /// Done so far.
    pub done: u64,
    /// In all, as far as is known; it may grow.
    pub total: Option<u64>,
}

/// The two ways to copy a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyKind {
    /// Into a backup.
    Backup,
    /// Back from one.
    Restore,
}

/// What a copy is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyUnit {
    /// Pages of a SQLite file.
    Pages,
    /// Bytes: of the backup's file, or of the script that brings it back.
    Bytes,
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
