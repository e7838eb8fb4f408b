//! Builds a migrator for an application.

use std::path::PathBuf;
use std::time::Duration;

use limosa_core::Identity;
use limosa_db::{Secret, engine_of};
use limosa_sql::{Diagnostic, Engine};

use super::{Embedded, RustCallback, RustMigration};
use crate::telling::database;
use crate::{Configuration, Exit, Failure, LayoutChoice, Migrator};

/// Builds a [`Migrator`], and refuses what does not fit together.
///
/// ```
/// use limosa::{Embedded, Migrator};
///
/// # async fn example() -> Result<(), limosa::Failure> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let address = format!("sqlite:{}", folder.path().join("app.db").display());
/// let migrator = Migrator::builder(address)
///     .embedded(Embedded::new([("001_users.sql", "create table users (id integer primary key);")]))
///     .placeholder("owner", "app")
///     .build()?;
/// let summary = migrator.run_at_startup().await?;
/// assert_eq!(summary.current.as_deref(), Some("001"));
/// # Ok(())
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Clone)]
#[must_use]
pub struct Builder {
    configuration: Configuration,
    folders: Vec<PathBuf>,
}

impl Migrator {
    /// Begins with the address of the database.
    pub fn builder(database: impl Into<String>) -> Builder {
        Builder { configuration: Configuration::new(database), folders: Vec::new() }
    }
}

impl Builder {
    /// A folder of migrations; may be called several times.
    pub fn folder(mut self, path: impl Into<PathBuf>) -> Builder {
        self.folders.push(path.into());
        self
    }

    /// Migrations that are compiled in, in place of folders.
    pub fn embedded(mut self, files: impl Into<Embedded>) -> Builder {
        self.configuration.embedded = Some(files.into());
        self
    }

    /// A migration in Rust, among the others by its version.
    pub fn code(mut self, migration: RustMigration) -> Builder {
        self.configuration.code.push(migration);
        self
    }

    /// A callback in Rust.
    pub fn hook(mut self, callback: RustCallback) -> Builder {
        self.configuration.hooks.push(callback);
        self
    }

    /// How the files are named; without this their names say so.
    pub fn layout(mut self, layout: LayoutChoice) -> Builder {
        self.configuration.layout = layout;
        self
    }

    /// A value for `${name}`.
    pub fn placeholder(mut self, name: impl Into<String>, value: impl Into<String>) -> Builder {
        self.configuration.values.all.insert(name.into(), value.into());
        self
    }

    /// A value for `${name}` that is never stored, logged or shown.
    pub fn secret_placeholder(mut self, name: impl Into<String>, value: Secret) -> Builder {
        let name = name.into();
        self.configuration.values.all.insert(name.clone(), value.expose().to_owned());
        self.configuration.values.secret.insert(name);
        self
    }

    /// The project, where several share a database.
    pub fn project(mut self, name: impl Into<String>) -> Builder {
        self.configuration.project = name.into();
        self.configuration.project_is_given = true;
        self
    }

    /// The environment, for files that are meant for some only.
    pub fn environment(mut self, name: impl Into<String>) -> Builder {
        self.configuration.environment = Some(name.into());
        self
    }

    /// Refuses what destroys, whatever is asked for.
    pub fn protected(mut self, protected: bool) -> Builder {
        self.configuration.protected = protected;
        self
    }

    /// All migrations of a run in one transaction.
    pub fn single_transaction(mut self, single: bool) -> Builder {
        self.configuration.single_transaction = single;
        self
    }

    /// How long to wait for another runner; one minute without this. Fifty instances that start at once wait for the first.
    pub fn lock_wait(mut self, wait: Duration) -> Builder {
        self.configuration.lock_wait = wait;
        self
    }

    /// How long to wait for a database that does not answer yet; not at all without this.
    pub fn wait_for_database(mut self, wait: Duration) -> Builder {
        self.configuration.wait_for_database = Some(wait);
        self
    }

    /// Who runs, as the ledger shows it.
    pub fn actor(mut self, actor: impl Into<String>) -> Builder {
        self.configuration.actor = actor.into();
        self
    }

    /// Changes anything else of the configuration.
    pub fn with(mut self, edit: impl FnOnce(&mut Configuration)) -> Builder {
        edit(&mut self.configuration);
        self
    }

    /// The migrator.
    ///
    /// # Errors
    /// Everything that does not fit together: an address that names no engine or a database in memory, no migrations or two sources of them, two
    /// files of one name that are compiled in, an empty project, two migrations in Rust of one version, two callbacks in Rust of one event and name, and migrations in Rust with a
    /// single transaction.
    pub fn build(self) -> Result<Migrator, Failure> {
        let Builder { mut configuration, folders } = self;
        let mut problems = Vec::new();
        let mut refuse = |message: &str, help: &str| {
            problems.push(Diagnostic::error("LIM-U100", message.to_owned()).help(help.to_owned()));
        };
        match engine_of(configuration.database.expose()) {
            Err(error) => {
                refuse(
                    &error.message,
                    "give an address such as postgres://user@host/name, mysql://..., or sqlite:path",
                );
            }
            Ok(Engine::Sqlite) if database(&configuration, Engine::Sqlite).as_deref() == Some(":memory:") => {
                refuse("a database in memory is gone when a call ends", "use a file: sqlite:path");
            }
            Ok(_) => {}
        }
        match (&configuration.embedded, folders.is_empty()) {
            (Some(_), false) => {
                refuse("migrations come from folders and are compiled in, too", "choose one of the two")
            }
            (None, true) if configuration.code.is_empty() => {
                refuse("there are no migrations", "call folder(), embedded() or code()");
            }
            (Some(_), true) => {}
            _ => configuration.directories = folders,
        }
        for name in configuration.embedded.iter().flat_map(Embedded::twice) {
            refuse(&format!("two files that are compiled in have the name {name}"), "leave one of them out");
        }
        if configuration.project.trim().is_empty() {
            refuse("the project has no name", "leave it out, or give it one");
        }
        let identity = |code: &RustMigration| Identity::of_version(&code.version);
        for (at, code) in configuration.code.iter().enumerate() {
            if configuration.code[..at].iter().any(|other| identity(other) == identity(code)) {
                refuse(
                    &format!("two migrations in Rust have the version {}", code.version),
                    "give one of them another",
                );
            }
        }
        for (at, hook) in configuration.hooks.iter().enumerate() {
            if configuration.hooks[..at].iter().any(|other| other.identity() == hook.identity()) {
                refuse(
                    &format!("two callbacks in Rust for {} have the name {:?}", hook.event, hook.name),
                    "give one of them another",
                );
            }
        }
        if configuration.single_transaction && !configuration.code.is_empty() {
            refuse("migrations in Rust cannot share a single transaction", "leave one of the two out");
        }
        if problems.is_empty() {
            Ok(Migrator::new(configuration))
        } else {
            Err(Failure { exit: Exit::Usage, diagnostics: problems })
        }
    }
}
