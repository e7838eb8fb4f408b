//! A fresh database for one run, and what stands in it afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use limosa_testkit::{MysqlServer, PostgresServer, TestDatabase, mysql};

use crate::workload::{Engine, count_query, expected};

/// A database that one tool works on.
pub(crate) struct Place<'a> {
    pub(crate) migrations: usize,
    database: Database<'a>,
}

enum Database<'a> {
    /// `port` is the one that tools are told.
    Postgres {
        server: &'a PostgresServer,
        database: TestDatabase,
        port: u16,
    },
    Sqlite {
        shell: PathBuf,
        file: PathBuf,
    },
    Mysql {
        server: &'a MysqlServer,
        database: mysql::TestDatabase,
    },
}

impl<'a> Place<'a> {
    /// A new database on a server, after a checkpoint, so that no run pays for the one before.
    pub(crate) fn postgres(server: &'a PostgresServer, through: Option<u16>, migrations: usize) -> Result<Self> {
        let database = server.create_database()?;
        server.execute("postgres", "CHECKPOINT")?;
        let port = through.unwrap_or_else(|| server.port());
        Ok(Self { migrations, database: Database::Postgres { server, database, port } })
    }

    /// A file that does not exist yet.
    pub(crate) fn sqlite(shell: &Path, folder: &Path, migrations: usize) -> Result<Self> {
        let file = folder.join("bench.db");
        let place = Self { migrations, database: Database::Sqlite { shell: shell.to_owned(), file } };
        place.remove_files()?;
        Ok(place)
    }

    /// An empty database, for tools that make none on SQLite.
    pub(crate) fn make(&self) -> Result<()> {
        if let Database::Sqlite { file, .. } = &self.database {
            std::fs::File::create(file).with_context(|| format!("{} cannot be made", file.display()))?;
        }
        Ok(())
    }

    /// A new database on a server.
    pub(crate) fn mysql(server: &'a MysqlServer, migrations: usize) -> Result<Self> {
        let database = server.create_database()?;
        Ok(Self { migrations, database: Database::Mysql { server, database } })
    }

    fn engine(&self) -> Engine {
        match self.database {
            Database::Postgres { .. } => Engine::Postgres,
            Database::Sqlite { .. } => Engine::Sqlite,
            Database::Mysql { .. } => Engine::Mysql,
        }
    }

    /// The URL that most tools take; TLS off, so that nobody pays for trying it.
    pub(crate) fn url(&self) -> String {
        match &self.database {
            Database::Postgres { database, port, .. } => {
                format!("postgres://postgres@127.0.0.1:{port}/{}?sslmode=disable", database.name())
            }
            Database::Sqlite { file, .. } => format!("sqlite:{}", file.display()),
            Database::Mysql { database, .. } => database.url(),
        }
    }

    /// The URL in the words of sqlx, which makes a database on SQLite only where it is allowed to.
    pub(crate) fn sqlx_url(&self) -> String {
        match &self.database {
            Database::Postgres { .. } | Database::Mysql { .. } => self.url(),
            Database::Sqlite { .. } => format!("{}?mode=rwc", self.url()),
        }
    }

    /// What Go's driver for MySQL takes, which reads a file of several statements only where it is allowed to.
    fn go_source(database: &mysql::TestDatabase) -> String {
        let (user, password) = (database.user(), database.password());
        let (port, name) = (database.port(), database.name());
        format!("{user}:{password}@tcp(127.0.0.1:{port})/{name}?parseTime=true&multiStatements=true")
    }

    /// The URL in the words of golang-migrate.
    pub(crate) fn golang_migrate_url(&self) -> String {
        match &self.database {
            Database::Postgres { .. } => self.url(),
            Database::Sqlite { file, .. } => format!("sqlite://{}", file.display()),
            Database::Mysql { database, .. } => format!("mysql://{}", Self::go_source(database)),
        }
    }

    /// URL, user and password in the words of Flyway, which has no part for SQLite here.
    pub(crate) fn flyway(&self) -> Option<[String; 3]> {
        let (scheme, port, name, user, password) = match &self.database {
            Database::Postgres { database, port, .. } => ("postgresql", *port, database.name(), "postgres", ""),
            Database::Mysql { database, .. } => {
                ("mariadb", database.port(), database.name(), database.user(), database.password())
            }
            Database::Sqlite { .. } => return None,
        };
        let url = format!("-url=jdbc:{scheme}://127.0.0.1:{port}/{name}");
        Some([url, format!("-user={user}"), format!("-password={password}")])
    }

    /// The same without a scheme where SQLite is meant.
    pub(crate) fn plain_url(&self) -> String {
        match &self.database {
            Database::Postgres { .. } | Database::Mysql { .. } => self.url(),
            Database::Sqlite { file, .. } => file.display().to_string(),
        }
    }

    /// What names this database where consent must.
    pub(crate) fn consent(&self) -> String {
        match &self.database {
            Database::Postgres { database, .. } => database.name().to_owned(),
            Database::Sqlite { file, .. } => file.display().to_string(),
            Database::Mysql { database, .. } => database.name().to_owned(),
        }
    }

    /// Dialect and source in the words of sql-migrate and goose.
    pub(crate) fn dialect_and_source(&self) -> (&'static str, String) {
        match &self.database {
            Database::Postgres { .. } => ("postgres", self.url()),
            Database::Sqlite { .. } => ("sqlite3", self.plain_url()),
            Database::Mysql { database, .. } => ("mysql", Self::go_source(database)),
        }
    }

    /// The settings file of refinery.
    pub(crate) fn refinery_settings(&self) -> String {
        match &self.database {
            Database::Postgres { database, port, .. } => format!(
                "[main]\ndb_type = \"Postgres\"\ndb_host = \"127.0.0.1\"\ndb_port = \"{}\"\ndb_user = \"postgres\"\n\
                 db_name = \"{}\"\n",
                port,
                database.name()
            ),
            Database::Sqlite { file, .. } => {
                format!("[main]\ndb_type = \"Sqlite\"\ndb_path = \"{}\"\n", file.display())
            }
            Database::Mysql { database, .. } => format!(
                "[main]\ndb_type = \"Mysql\"\ndb_host = \"127.0.0.1\"\ndb_port = \"{}\"\ndb_user = \"{}\"\n\
                 db_pass = \"{}\"\ndb_name = \"{}\"\n",
                database.port(),
                database.user(),
                database.password(),
                database.name()
            ),
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
            (Database::Mysql { database, .. }, input) => {
                let text = input.map_or_else(str::to_owned, |script| format!("source {script}"));
                let (user, password) = (database.user(), database.password());
                vec![
                    "--no-defaults".into(),
                    format!("--socket={}", database.socket().display()),
                    format!("--user={user}"),
                    format!("--password={password}"),
                    "--batch".into(),
                    format!("--execute={text}"),
                    database.name().into(),
                ]
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
            Database::Mysql { database, .. } => {
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
            Database::Postgres { server, database, .. } => {
                server.execute("postgres", &format!("DROP DATABASE \"{}\" WITH (FORCE)", database.name()))
            }
            Database::Mysql { server, database } => {
                server.execute("mysql", &format!("DROP DATABASE `{}`", database.name()))
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
