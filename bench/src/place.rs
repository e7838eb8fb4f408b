//! A fresh database for one run, and what stands in it afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use limosa_testkit::{PostgresServer, TestDatabase};

use crate::workload::{Engine, count_query, expected};

/// A database that one tool works on.
pub(crate) struct Place<'a> {
    pub(crate) migrations: usize,
    database: Database<'a>,
}

enum Database<'a> {
    Postgres { server: &'a PostgresServer, database: TestDatabase },
    Sqlite { shell: PathBuf, file: PathBuf },
}

impl<'a> Place<'a> {
    /// A new database on a server, after a checkpoint, so that no run pays for the one before.
    pub(crate) fn postgres(server: &'a PostgresServer, migrations: usize) -> Result<Self> {
        let database = server.create_database()?;
        server.execute("postgres", "CHECKPOINT")?;
        Ok(Self { migrations, database: Database::Postgres { server, database } })
    }

    /// A file that does not exist yet.
    pub(crate) fn sqlite(shell: &Path, folder: &Path, migrations: usize) -> Result<Self> {
        let file = folder.join("bench.db");
        let place = Self { migrations, database: Database::Sqlite { shell: shell.to_owned(), file } };
        place.remove_files()?;
        Ok(place)
    }

    fn engine(&self) -> Engine {
        match self.database {
            Database::Postgres { .. } => Engine::Postgres,
            Database::Sqlite { .. } => Engine::Sqlite,
        }
    }

    /// The URL that most tools take; TLS off, so that nobody pays for trying it.
    pub(crate) fn url(&self) -> String {
        match &self.database {
            Database::Postgres { database, .. } => format!("{}?sslmode=disable", database.url()),
            Database::Sqlite { file, .. } => format!("sqlite:{}", file.display()),
        }
    }

    /// The same without a scheme where SQLite is meant.
    pub(crate) fn plain_url(&self) -> String {
        match &self.database {
            Database::Postgres { .. } => self.url(),
            Database::Sqlite { file, .. } => file.display().to_string(),
        }
    }

    /// What names this database where consent must.
    pub(crate) fn consent(&self) -> String {
        match &self.database {
            Database::Postgres { database, .. } => database.name().to_owned(),
            Database::Sqlite { file, .. } => file.display().to_string(),
        }
    }

    /// Dialect and source in the words of sql-migrate.
    pub(crate) fn dialect_and_source(&self) -> (&'static str, String) {
        match &self.database {
            Database::Postgres { .. } => ("postgres", self.url()),
            Database::Sqlite { .. } => ("sqlite3", self.plain_url()),
        }
    }

    /// The settings file of refinery.
    pub(crate) fn refinery_settings(&self) -> String {
        match &self.database {
            Database::Postgres { database, .. } => format!(
                "[main]\ndb_type = \"Postgres\"\ndb_host = \"127.0.0.1\"\ndb_port = \"{}\"\ndb_user = \"postgres\"\n\
                 db_name = \"{}\"\n",
                database.port(),
                database.name()
            ),
            Database::Sqlite { file, .. } => {
                format!("[main]\ndb_type = \"Sqlite\"\ndb_path = \"{}\"\n", file.display())
            }
        }
    }

    /// The engine's own shell with a script, or with one statement.
    pub(crate) fn shell(&self, program: &str, input: Result<&str, &str>) -> Vec<String> {
        let words: Vec<String> = match (&self.database, input) {
            (Database::Postgres { .. }, input) => {
                let (flag, text) = match input {
                    Ok(script) => ("-f", script),
                    Err(statement) => ("-c", statement),
                };
                ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &self.url(), flag, text].map(str::to_owned).to_vec()
            }
            (Database::Sqlite { file, .. }, input) => {
                let text = input.map_or_else(str::to_owned, |script| format!(".read {script}"));
                vec!["-bail".into(), "-batch".into(), file.display().to_string(), text]
            }
        };
        [program.to_owned()].into_iter().chain(words).collect()
    }

    /// Compares what stands with what must stand after the first `applied` migrations.
    ///
    /// # Errors
    /// They differ.
    pub(crate) fn verify(&self, applied: usize) -> Result<()> {
        let query = count_query(self.engine(), applied);
        let found: Vec<String> = match &self.database {
            Database::Postgres { database, .. } => {
                let rows = database.query(&query)?;
                rows.into_iter().flatten().map(Option::unwrap_or_default).collect()
            }
            Database::Sqlite { shell, file } => {
                let output = Command::new(shell).args(["-bail", "-batch"]).arg(file).arg(&query).output()?;
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                text.trim().split('|').map(str::to_owned).collect()
            }
        };
        let wanted = expected(applied).map(|count| count.to_string());
        ensure!(
            found == wanted,
            "after {applied} migrations there should be {wanted:?} (tables, columns, indexes, functions or views, rows \
             of the first table, rows of the last), there are {found:?}"
        );
        Ok(())
    }

    /// Drops the database: thousands of relations left behind would slow down the next checkpoint.
    pub(crate) fn remove(self) -> Result<()> {
        match &self.database {
            Database::Postgres { server, database } => {
                server.execute("postgres", &format!("DROP DATABASE \"{}\" WITH (FORCE)", database.name()))
            }
            Database::Sqlite { .. } => self.remove_files(),
        }
    }

    fn remove_files(&self) -> Result<()> {
        let Database::Sqlite { file, .. } = &self.database else { return Ok(()) };
        for ending in ["", "-wal", "-shm", "-journal"] {
            let path = PathBuf::from(format!("{}{ending}", file.display()));
            if path.exists() {
                fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
        Ok(())
    }
}
