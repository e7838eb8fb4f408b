//! Where a database stands, for the log of an application that starts.

use std::fmt;
use std::path::Path;

use limosa_core::{State, Version};
use limosa_run::Stop;
use limosa_sql::Diagnostic;

use crate::report::ChangeLine;
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
    /// Changes in all, those that this application does not have included.
    pub total: usize,
    /// Changes that are applied.
    pub applied: usize,
    /// Changes that the next migrate would run.
    pub pending: usize,
    /// Changes that are applied, and newer than all that this application has: a newer release of it has run them.
    pub ahead: usize,
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
        if self.ahead > 0 {
            write!(formatter, ", {} newer than this application", self.ahead)?;
        }
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
        let is_gone = |change: &&ChangeLine| change.state == State::Missing;
        let is_applied = |change: &&ChangeLine| {
            matches!(change.state, State::Applied | State::Baseline | State::Changed | State::Outdated)
        };
        // Those without a file come last, whatever their version is.
        let versioned = || status.changes.iter().filter(|change| change.version != "R");
        let last = versioned().rfind(|change| change.file.is_some());
        let newer = |change: &&ChangeLine| last.is_none_or(|last| is_newer(change, last));
        let ahead = || versioned().filter(is_gone).filter(newer);
        let here = versioned().rfind(is_applied);
        let newest =
            versioned().filter(is_gone).chain(here).reduce(|one, other| if is_newer(one, other) { one } else { other });
        Ok(Summary {
            database: status.target.database.clone(),
            current: newest.map(|change| change.version.to_string()),
            description: newest.map(|change| change.name.to_string()),
            applied_at: newest.and_then(|change| change.applied_at.clone()),
            total: status.changes.iter().filter(|change| change.state != State::NotApplicable).count(),
            applied: status.changes.iter().filter(|change| is_applied(change) || is_gone(change)).count(),
            pending: status.changes.iter().filter(|change| change.state.is_pending()).count(),
            ahead: ahead().count(),
            notices: status.notices,
        })
    }
}

/// Names have no order but that of their files, and one of these has none any more: then the later one counts.
fn is_newer(change: &ChangeLine, than: &ChangeLine) -> bool {
    match (Version::parse(&change.version), Version::parse(&than.version)) {
        (Ok(version), Ok(other)) => version > other,
        _ => change.applied_at > than.applied_at,
    }
}
