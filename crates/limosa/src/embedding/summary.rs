//! Where a database stands, for the log of an application that starts.

use std::fmt;
use std::path::Path;

use limosa_core::State;
use limosa_run::Stop;
use limosa_sql::Diagnostic;

use crate::settings::names_differ;
use crate::telling::told;
use crate::{Configuration, Failure, MigrateOptions, Migrator, Progress, StatusOptions};

/// Where a database stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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
    /// Worth knowing: what the run has warned of, or, where nothing was run, the look at the database.
    pub notices: Vec<Diagnostic>,
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.current, &self.description) {
            (Some(version), Some(name)) => write!(formatter, "{} is at version {version} ({name})", self.database)?,
            _ => write!(formatter, "{} has no migration applied", self.database)?,
        }
        write!(formatter, ", {} of {} applied, {} pending", self.applied, self.total, self.pending)?;
        self.notices.iter().try_for_each(|notice| write!(formatter, "; [{}] {}", notice.code, notice.message))
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
        let options = MigrateOptions::default();
        let run = async {
            let mut answer = self.run_pending(&options, listener, stop).await?;
            answer.notices.splice(0..0, self.addresses_differ());
            Ok(answer)
        };
        let answer = told(&self.configuration, "migrate", listener, run).await?.into_result()?;
        Ok(Summary { notices: answer.notices, ..self.summary().await? })
    }

    /// Who reads settings from files is told when they are read.
    fn addresses_differ(&self) -> Option<Diagnostic> {
        let Configuration { database, direct_url, .. } = &self.configuration;
        names_differ(database, direct_url.as_ref()?, Path::new(""))
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
            notices: status.notices,
        })
    }
}
