//! What a command tells while it works; for eyes only.

use std::time::Duration;

use limosa_run::{Event, Events};
use limosa_sql::{Diagnostic, Engine};

use crate::report::Target;

/// One thing that happened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Progress {
    /// A run begins: nothing was read or asked yet.
    Began(Began),
    /// A command that writes begins, on this database.
    Target(Target),
    /// Something in the run.
    Run(Event),
    /// A backup or a restore begins or goes on.
    Copying(Copying),
    /// It has ended.
    CopyEnded {
        /// Which of the two.
        what: CopyKind,
        /// True where it ended well.
        done: bool,
        /// How long it took.
        elapsed: Duration,
    },
    /// A line worth reading.
    Note(String),
    /// Something that the answer of the run has among its notices, told once more at its end.
    Notice(Diagnostic),
    /// The run has ended; nothing of it follows. Missing where its future was dropped.
    Ended(Ended),
}

/// What a run is, as far as that is known before anything was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Began {
    /// The command: `migrate`, `rollback`, `seed`, `reset`, `dry_run`, `clean`, `baseline`, `repair`, `backup`, `restore`.
    pub command: &'static str,
    /// The project.
    pub project: String,
    /// The environment, where one was chosen.
    pub environment: Option<String>,
    /// The engine; None where the address names none.
    pub engine: Option<Engine>,
    /// Name of the database, or path of the file; None where the address does not say it.
    pub database: Option<String>,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The command, as in [`Began`].
    pub command: &'static str,
    /// `done`, `nothing_to_do`, `stopped`, `needs_person`; `failed` where nothing could be begun.
    pub outcome: &'static str,
    /// The exit code of the command line.
    pub exit_code: u8,
    /// Why, where it did not end well.
    pub error: Option<Diagnostic>,
    /// From its beginning on.
    pub elapsed: Duration,
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

    /// False where nobody reads [`Event::StatementStarted`], which is then not made: a script may have millions of statements.
    fn wants_starts(&self) -> bool {
        true
    }
}

impl<F: Fn(Progress) + Send + Sync> Listener for F {
    fn progress(&self, progress: Progress) {
        self(progress);
    }
}

/// What happens in a run, as progress.
pub(crate) struct Told<'l>(pub(crate) &'l dyn Listener);

impl Events for Told<'_> {
    fn event(&self, event: Event) {
        self.0.progress(Progress::Run(event));
    }

    fn wants_starts(&self) -> bool {
        self.0.wants_starts()
    }
}
