//! A database of a test's own, of any engine, with a folder of migrations beside it.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use limosa::report::RunAnswer;
use limosa::{Configuration, Failure, MigrateOptions, Migrator, Progress, RollbackOptions, Selection, Stop};
use limosa_testkit::{Folder, PostgresVersion, TestDatabase, mysql, postgres};

/// Where a database lives.
pub(crate) enum Place {
    Sqlite(PathBuf),
    Postgres(TestDatabase),
    Mysql(mysql::TestDatabase),
}

/// A database and its folder.
pub(crate) struct Home {
    pub(crate) folder: Folder,
    pub(crate) place: Place,
    pub(crate) events: Mutex<Vec<Progress>>,
    /// Others than its migrations make tables in it.
    is_shared: AtomicBool,
}

/// One home per engine and tested version.
pub(crate) fn homes() -> Vec<Home> {
    let mut homes = vec![sqlite()];
    homes.extend(postgres::tested().expect("PostgreSQL is found").iter().map(postgres_home));
    homes
}

/// A home on the shared server of this version.
fn postgres_home(version: &PostgresVersion) -> Home {
    let server = postgres::shared(version).expect("the server starts");
    Home::at(Folder::new(), Place::Postgres(server.create_database().expect("a database")))
}

/// One home per tested server of MySQL's kind.
pub(crate) fn mysql_homes() -> Vec<Home> {
    let versions = mysql::tested().expect("MariaDB is found");
    let home = |version| {
        let server = mysql::shared(version).expect("the server starts");
        Home::at(Folder::new(), Place::Mysql(server.create_database().expect("a database")))
    };
    versions.iter().map(home).collect()
}

/// One home per engine and tested version, engines included whose DDL commits by itself.
pub(crate) fn all_homes() -> Vec<Home> {
    let mut homes = homes();
    homes.extend(mysql_homes());
    homes
}

pub(crate) fn sqlite() -> Home {
    let folder = Folder::new();
    let file = folder.join("test.db");
    Home::at(folder, Place::Sqlite(file))
}

pub(crate) fn newest_postgres() -> Home {
    postgres_home(postgres::tested().expect("PostgreSQL is found").last().expect("a version"))
}

impl Home {
    pub(crate) fn at(folder: Folder, place: Place) -> Home {
        Home { folder, place, events: Mutex::new(Vec::new()), is_shared: AtomicBool::new(false) }
    }

    /// Makes what is not of the migrations: the database is one that they share with others.
    pub(crate) fn holds(&self, sql: &str) {
        self.execute(sql);
        self.is_shared.store(true, Ordering::Relaxed);
    }

    pub(crate) fn url(&self) -> String {
        match &self.place {
            Place::Sqlite(path) => format!("sqlite:{}", path.display()),
            Place::Postgres(database) => database.url(),
            Place::Mysql(database) => database.url(),
        }
    }

    pub(crate) fn database(&self) -> String {
        match &self.place {
            Place::Sqlite(path) => path.display().to_string(),
            Place::Postgres(database) => database.name().to_owned(),
            Place::Mysql(database) => database.name().to_owned(),
        }
    }

    pub(crate) fn configuration(&self) -> Configuration {
        let mut configuration = Configuration::new(self.url());
        configuration.directories = vec![self.folder.join("migrations")];
        configuration.lock_wait = Duration::from_secs(20);
        configuration.backup_directory = self.folder.join("backups");
        configuration.actor = "tester@here".to_owned();
        configuration.limits.lock_retries = 2;
        configuration.ignore_other_ledgers = self.is_shared.load(Ordering::Relaxed);
        configuration
    }

    pub(crate) fn migrator(&self) -> Migrator {
        Migrator::new(self.configuration())
    }

    pub(crate) fn file(&self, name: &str, content: &str) {
        self.folder.write(&format!("migrations/{name}"), content);
    }

    pub(crate) async fn migrate(&self) -> Result<RunAnswer, Failure> {
        self.migrate_with(&MigrateOptions::default()).await
    }

    pub(crate) async fn migrate_with(&self, options: &MigrateOptions) -> Result<RunAnswer, Failure> {
        let listener = |progress| self.events.lock().expect("events").push(progress);
        self.migrator().migrate(options, &listener, Stop::new()).await
    }

    pub(crate) async fn rollback(&self, selection: Selection) -> Result<RunAnswer, Failure> {
        let options = RollbackOptions { selection, use_file: false, consent: Some(self.database()), backup: false };
        self.migrator().rollback(&options, &|_: Progress| {}, Stop::new()).await
    }

    /// Rows as text, the null value as `-`.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        match &self.place {
            Place::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path).expect("opens");
                let mut statement = connection.prepare(sql).expect(sql);
                let columns = statement.column_count();
                let rows = statement.query_map([], |row| {
                    let cells: Vec<String> = (0..columns)
                        .map(|at| match row.get_ref(at).expect("a column") {
                            rusqlite::types::ValueRef::Null => "-".to_owned(),
                            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                            rusqlite::types::ValueRef::Real(number) => number.to_string(),
                            rusqlite::types::ValueRef::Text(text) | rusqlite::types::ValueRef::Blob(text) => {
                                String::from_utf8_lossy(text).into_owned()
                            }
                        })
                        .collect();
                    Ok(cells.join("|"))
                });
                rows.expect(sql).map(|row| row.expect("a row")).collect()
            }
            Place::Postgres(database) => joined(database.query(sql).expect(sql)),
            Place::Mysql(database) => joined(database.query(sql).expect(sql)),
        }
    }

    /// Runs SQL beside limosa.
    pub(crate) fn execute(&self, sql: &str) {
        match &self.place {
            Place::Sqlite(path) => {
                rusqlite::Connection::open(path).expect("opens").execute_batch(sql).expect(sql);
            }
            Place::Postgres(database) => database.execute(sql).expect(sql),
            Place::Mysql(database) => database.execute(sql).expect(sql),
        }
    }

    /// True where the database answers with an error.
    pub(crate) fn refuses(&self, sql: &str) -> bool {
        match &self.place {
            Place::Sqlite(path) => rusqlite::Connection::open(path).expect("opens").execute_batch(sql).is_err(),
            Place::Postgres(database) => database.execute(sql).is_err(),
            Place::Mysql(database) => database.execute(sql).is_err(),
        }
    }

    /// The name of a ledger table.
    pub(crate) fn table(&self, name: &str) -> String {
        match &self.place {
            Place::Sqlite(_) | Place::Mysql(_) => format!("limosa_{name}"),
            Place::Postgres(_) => format!("limosa.{name}"),
        }
    }

    /// Tables of the user, by name.
    pub(crate) fn tables(&self) -> Vec<String> {
        match &self.place {
            Place::Sqlite(_) => self.rows(
                "select name from sqlite_schema where type = 'table' and name not like 'limosa%' and name not like 'sqlite%' order by 1",
            ),
            Place::Postgres(_) => self.rows(
                "select tablename::text from pg_tables where schemaname not in ('pg_catalog', 'information_schema', 'limosa') order by 1",
            ),
            Place::Mysql(_) => self.rows(
                "select table_name from information_schema.tables where table_schema = database() and table_name not like 'limosa%' order by 1",
            ),
        }
    }

    /// Identities in the ledger with their states, in order of application.
    pub(crate) fn ledger(&self) -> Vec<String> {
        let rank = if self.is_mysql() { "`rank`" } else { "rank" };
        self.rows(&format!("select identity, state from {} order by {rank}", self.table("schema_migrations")))
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.place, Place::Sqlite(_))
    }

    pub(crate) fn is_mysql(&self) -> bool {
        matches!(self.place, Place::Mysql(_))
    }
}

fn joined(rows: Vec<Vec<Option<String>>>) -> Vec<String> {
    let text = |row: Vec<Option<String>>| {
        row.into_iter().map(|cell| cell.unwrap_or_else(|| "-".to_owned())).collect::<Vec<_>>().join("|")
    };
    rows.into_iter().map(text).collect()
}

/// The error of an answer or a failure, as one text.
pub(crate) fn error_text(result: &Result<RunAnswer, Failure>) -> String {
    match result {
        Ok(answer) => answer.error.as_ref().map(text).unwrap_or_default(),
        Err(failure) => failure.diagnostics.iter().map(text).collect::<Vec<_>>().join("\n"),
    }
}

fn text(diagnostic: &limosa::Diagnostic) -> String {
    let label = diagnostic.labels.first().map(|label| {
        let place =
            label.position.map(|position| format!(":{}:{}", position.line, position.column)).unwrap_or_default();
        format!(
            " at {}{place} [{}]",
            label.file.rsplit('/').next().unwrap_or_default(),
            label.line_text.as_deref().unwrap_or_default()
        )
    });
    format!(
        "{} {}{}\n{}",
        diagnostic.code,
        diagnostic.message,
        label.unwrap_or_default(),
        diagnostic.help.as_deref().unwrap_or_default()
    )
}
