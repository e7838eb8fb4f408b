//! The entry for embedding applications and for the command line.

use limosa_db::engine_of;
use limosa_sql::Engine;

use crate::{Configuration, Failure};

/// Runs migrations by a configuration. Each method opens its own session and closes it.
#[derive(Clone)]
pub struct Migrator {
    pub(crate) configuration: Configuration,
}

impl Migrator {
    /// A migrator with this configuration.
    pub fn new(configuration: Configuration) -> Migrator {
        Migrator { configuration }
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

    /// Makes the database that the URL names, where the server says that it does not exist.
    ///
    /// # Errors
    /// Where the server refuses; a SQLite file is made by the first migrate and needs none of this.
    pub async fn create_database(&self) -> Result<(), Failure> {
        match self.engine()? {
            #[cfg(feature = "postgres")]
            Engine::Postgres => {
                let options = crate::opened::options(&self.configuration, crate::opened::Purpose::Write);
                let name = limosa_db::engines::postgres::describe(&options)?.database;
                Ok(limosa_db::engines::postgres::create_database(&options, &name).await?)
            }
            #[cfg(feature = "mysql")]
            Engine::Mysql => {
                let options = crate::opened::options(&self.configuration, crate::opened::Purpose::Write);
                let name = limosa_db::engines::mysql::describe(&options)?.database;
                Ok(limosa_db::engines::mysql::create_database(&options, &name).await?)
            }
            _ => Ok(()),
        }
    }
}
