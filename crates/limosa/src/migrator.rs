//! The entry for embedding applications and for the command line.

use limosa_db::{Secret, engine_of};
use limosa_sql::{Diagnostic, Engine};

use crate::files::Listing;
use crate::project_of_files::{DEFAULT, project_of_files};
use crate::{Configuration, Failure};

/// Runs migrations by a configuration. Each method opens its own session and closes it.
#[derive(Clone)]
pub struct Migrator {
    pub(crate) configuration: Configuration,
    /// Where no database is spoken to: the engine that the files are for, where it is known.
    pub(crate) files_for: Option<Engine>,
}

impl Migrator {
    /// A migrator with this configuration. Where that names no project and the files do, as Sqitch's plan does, theirs counts.
    pub fn new(mut configuration: Configuration) -> Migrator {
        let engine = engine_of(configuration.database.expose()).unwrap_or(Engine::Sqlite);
        // An application sets the field, and nothing else.
        configuration.project_is_given |= configuration.project != DEFAULT;
        if let Some(project) = project_of_files(&configuration, engine) {
            configuration.project = project;
        }
        Migrator { configuration, files_for: None }
    }

    /// The same for work on files alone: it speaks with no database, and of the one that is named it knows nothing but the engine.
    #[must_use]
    pub fn of_files(mut self) -> Migrator {
        self.files_for = self.engine().ok();
        self.configuration.database = Secret::new("");
        self
    }

    /// What it was made with.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// The engine of the database.
    ///
    /// # Errors
    /// Where the URL names none.
    pub fn engine(&self) -> Result<Engine, Failure> {
        Ok(engine_of(self.configuration.database.expose())?)
    }

    /// The problem of folders whose files are of several formats where nobody says which is meant, with the formats to choose from;
    /// None where there is no such problem. Commands that read files fail with it, but for those that answer whatever they find.
    pub fn mixed_formats(&self) -> Option<Diagnostic> {
        let engine = self.engine().unwrap_or(Engine::Sqlite);
        let failure = Listing::of(&self.configuration, &self.configuration.directories, engine).err()?;
        failure.diagnostics.into_iter().find(|problem| !problem.choices.is_empty())
    }

    /// True where the database of the URL is among those that the settings say are to be made (MySQL, where a schema is a database).
    ///
    /// # Errors
    /// A URL that is none.
    pub fn may_create_database(&self) -> Result<bool, Failure> {
        match self.engine()? {
            #[cfg(feature = "mysql")]
            Engine::Mysql => {
                let options = crate::opened::options(&self.configuration, crate::opened::Purpose::Write);
                let name = limosa_db::engines::mysql::describe(&options)?.database;
                Ok(self.configuration.create_schemas.contains(&name))
            }
            _ => Ok(false),
        }
    }

    /// Makes the database that the URL names, where the server says that it does not exist. One that somebody else has made meanwhile
    /// serves as well.
    ///
    /// # Errors
    /// Where the server refuses; a SQLite file is made by the first migrate and needs none of this.
    pub async fn create_database(&self) -> Result<(), Failure> {
        match self.engine()? {
            #[cfg(feature = "postgres")]
            Engine::Postgres => {
                let options = crate::opened::options(&self.configuration, crate::opened::Purpose::Write);
                let name = limosa_db::engines::postgres::describe(&options)?.database;
                there_or(limosa_db::engines::postgres::create_database(&options, &name).await)
            }
            #[cfg(feature = "mysql")]
            Engine::Mysql => {
                let options = crate::opened::options(&self.configuration, crate::opened::Purpose::Write);
                let name = limosa_db::engines::mysql::describe(&options)?.database;
                there_or(limosa_db::engines::mysql::create_database(&options, &name).await)
            }
            _ => Ok(()),
        }
    }
}

/// A database that is there already is what was wanted.
#[cfg(any(feature = "postgres", feature = "mysql"))]
fn there_or(created: Result<(), limosa_db::DbError>) -> Result<(), Failure> {
    match created {
        Err(error) if error.kind == limosa_db::DbErrorKind::Duplicate => Ok(()),
        created => Ok(created?),
    }
}
