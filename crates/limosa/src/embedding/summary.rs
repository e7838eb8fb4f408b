//! Where a database stands, for the log of an application that starts.

use std::fmt;

use limosa_core::State;
use limosa_run::Stop;

use crate::{Failure, MigrateOptions, Migrator, Progress, StatusOptions};

/// Where a database stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The database, as people know it.
    pub database: String,
    /// The newest version that was applied, as its file writes it.
    pub current: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// When it was applied, by the server's clock, in UTC.
    pub applied_at: Option<String>,
    /// Changes in all.
    pub total: usize,
    /// Changes that are applied.
    pub applied: usize,
    /// Changes that the next migrate would run.
    pub pending: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.current, &self.description) {
            (Some(version), Some(name)) => write!(formatter, "{} is at version {version} ({name})", self.database)?,
            _ => write!(formatter, "{} has no migration applied", self.database)?,
        }
        write!(formatter, ", {} of {} applied, {} pending", self.applied, self.total, self.pending)
    }
}

impl Migrator {
    /// Runs what is pending and says where the database stands. For an application that starts: any number of instances may do
    /// it at once; one runs, the others wait for it and find nothing left.
    ///
    /// # Errors
    /// Where not all of it could be run.
    pub async fn run_at_startup(&self) -> Result<Summary, Failure> {
        self.run_at_startup_telling(&|_: Progress| {}, Stop::new()).await
    }

    /// As [`Migrator::run_at_startup`]; tells `listener` what happens, and can be stopped.
    ///
    /// # Errors
    /// As there.
    pub async fn run_at_startup_telling(&self, listener: &dyn crate::Listener, stop: Stop) -> Result<Summary, Failure> {
        self.migrate(&MigrateOptions::default(), listener, stop).await?.into_result()?;
        self.summary().await
    }

    /// Where the database stands. Takes no lock and writes nothing.
    ///
    /// # Errors
    /// Where files or ledger cannot be read.
    pub async fn summary(&self) -> Result<Summary, Failure> {
        let status = self.status(StatusOptions::default()).await?;
        let is_applied =
            |state: State| matches!(state, State::Applied | State::Baseline | State::Changed | State::Outdated);
        let newest = status.changes.iter().rev().find(|change| change.version != "R" && is_applied(change.state));
        Ok(Summary {
            database: status.target.database.clone(),
            current: newest.map(|change| change.version.to_string()),
            description: newest.map(|change| change.name.to_string()),
            applied_at: newest.and_then(|change| change.applied_at.clone()),
            total: status.changes.iter().filter(|change| change.state != State::NotApplicable).count(),
            applied: status.changes.iter().filter(|change| is_applied(change.state)).count(),
            pending: status.changes.iter().filter(|change| change.state.is_pending()).count(),
        })
    }
}
