//! Databases for tests: made, migrated as far as a test wants, and taken away.

use std::path::PathBuf;

use limosa_db::{ConnectOptions, Item, Row, Secret, Session, engine_of, in_database};
use limosa_run::Stop;
use limosa_sql::Engine;

use super::Builder;
use crate::opened::run_id;
use crate::{Failure, MigrateOptions, Migrator, Progress, Version};

/// A database of a test's own.
///
/// ```
/// use limosa::{Embedded, Migrator, Scratch};
///
/// # async fn test() -> Result<(), limosa::Failure> {
/// let files = Embedded::new([
///     ("001_users.sql", "create table users (id integer primary key, name text not null);"),
///     ("002_greeting.sql", "alter table users add column greeting text; update users set greeting = 'hello ' || name;"),
/// ]);
/// let application = Migrator::builder("postgres://db/app").embedded(files);
///
/// let scratch = Scratch::sqlite()?;
/// scratch.migrate_to(&application, "001").await?;
/// scratch.execute("insert into users (name) values ('Ann')").await?;
/// scratch.migrate(&application).await?;
/// assert_eq!(scratch.query("select greeting from users").await?[0].text(0).as_deref(), Some("hello Ann"));
/// scratch.remove().await
/// # }
/// # tokio::runtime::Runtime::new().unwrap().block_on(test()).unwrap();
/// ```
#[derive(Debug)]
pub struct Scratch {
    url: Secret,
    made: Made,
}

#[derive(Debug)]
enum Made {
    File(PathBuf),
    Database { server: Secret, name: String },
}

impl Scratch {
    /// A SQLite file in the folder for temporary files.
    ///
    /// # Errors
    /// Where that folder is not to be had.
    pub fn sqlite() -> Result<Scratch, Failure> {
        let path = std::env::temp_dir().join(format!("limosa_scratch_{}.db", run_id()));
        let url = Secret::new(format!("sqlite:{}", path.display()));
        Ok(Scratch { url, made: Made::File(path) })
    }

    /// A new database on the server of an address, whose user must have the right to make one.
    ///
    /// # Errors
    /// Where the server refuses, or the address leads to another database than the new one.
    pub async fn on(server: &str) -> Result<Scratch, Failure> {
        let engine = engine_of(server)?;
        if engine == Engine::Sqlite {
            return Scratch::sqlite();
        }
        let name = format!("limosa_scratch_{}", run_id().replace('-', "_"));
        let server = Secret::new(server);
        let url = in_database(&server, &name)?;
        let quoted = engine.quote_identifier(&name);
        one(&server, &format!("create database {quoted}")).await?;
        let scratch = Scratch { url, made: Made::Database { server, name } };
        match scratch.refuse_another().await {
            Ok(()) => Ok(scratch),
            Err(mut failure) => {
                if let Err(stays) = scratch.remove().await {
                    failure.diagnostics.extend(stays.diagnostics);
                }
                Err(failure)
            }
        }
    }

    /// What runs in a scratch may destroy everything: a pooler can lead each address to one and the same database.
    async fn refuse_another(&self) -> Result<(), Failure> {
        let session = open(&self.url).await?;
        let reached = session.facts().database.clone();
        session.close().await;
        if reached == self.name() {
            return Ok(());
        }
        let message = format!("the address of the scratch database {} leads to the database {reached}", self.name());
        Err(Failure::usage("LIM-U101", message, "name the server itself, without a pooler in between"))
    }

    /// Its address, for the application that is tested.
    pub fn url(&self) -> &Secret {
        &self.url
    }

    /// What it is called: its file, or its name on the server.
    pub(crate) fn name(&self) -> String {
        match &self.made {
            Made::File(path) => path.display().to_string(),
            Made::Database { name, .. } => name.clone(),
        }
    }

    /// The migrator of an application, for this database. Nothing of what the application says of its own database counts: not another
    /// address, a pooler, a protection, nor a file for anchors of its audit log.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn migrator(&self, application: &Builder) -> Result<Migrator, Failure> {
        application
            .clone()
            .with(|configuration| {
                configuration.database = self.url.clone();
                configuration.direct_url = None;
                configuration.pooled = None;
                configuration.protected = false;
                configuration.anchor_file = None;
            })
            .build()
    }

    /// Migrates up to a version, or to the migration of that name, so that a test can put data in before the next step.
    ///
    /// # Errors
    /// Where not all of it could be run.
    pub async fn migrate_to(&self, application: &Builder, version: &str) -> Result<(), Failure> {
        let version = Version::parse_or_name(version)
            .map_err(|error| Failure::usage("LIM-U102", error.to_string(), "name a version such as 003"))?;
        self.run(application, &MigrateOptions { to: Some(version), ..MigrateOptions::default() }).await
    }

    /// Migrates all the way.
    ///
    /// # Errors
    /// Where not all of it could be run.
    pub async fn migrate(&self, application: &Builder) -> Result<(), Failure> {
        self.run(application, &MigrateOptions::default()).await
    }

    async fn run(&self, application: &Builder, options: &MigrateOptions) -> Result<(), Failure> {
        let answer = self.migrator(application)?.migrate(options, &|_: Progress| {}, Stop::new()).await?;
        answer.into_result().map(drop)
    }

    /// Runs one statement.
    ///
    /// # Errors
    /// What the database says.
    pub async fn execute(&self, sql: &str) -> Result<(), Failure> {
        one(&self.url, sql).await
    }

    /// The rows of one statement.
    ///
    /// # Errors
    /// What the database says.
    pub async fn query(&self, sql: &str) -> Result<Vec<Row>, Failure> {
        let mut session = open(&self.url).await?;
        let rows = session.query(sql, &[]).await;
        session.close().await;
        Ok(rows?)
    }

    /// Takes the database away, whoever is still connected.
    ///
    /// # Errors
    /// Where it stays.
    pub async fn remove(self) -> Result<(), Failure> {
        match &self.made {
            Made::File(path) => {
                for more in ["", "-wal", "-shm", "-journal"] {
                    let mut name = path.clone().into_os_string();
                    name.push(more);
                    match std::fs::remove_file(&name) {
                        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                            let message = format!("{} stays: {error}", path.display());
                            return Err(Failure::usage("LIM-U103", message, "take it away by hand"));
                        }
                        _ => {}
                    }
                }
                Ok(())
            }
            Made::Database { server, name } => {
                let engine = engine_of(server.expose())?;
                let force = if engine == Engine::Postgres { " with (force)" } else { "" };
                one(server, &format!("drop database {}{force}", engine.quote_identifier(name))).await
            }
        }
    }
}

async fn open(url: &Secret) -> Result<Box<dyn Session>, Failure> {
    let options = ConnectOptions {
        database: url.clone(),
        environment: std::env::vars().collect(),
        application_name: "limosa scratch".to_owned(),
        create: true,
        ..ConnectOptions::default()
    };
    Ok(limosa_db::connect(&options).await?)
}

async fn one(url: &Secret, sql: &str) -> Result<(), Failure> {
    let mut session = open(url).await?;
    let sent = session.send(vec![Item::Script(sql.to_owned())]).await;
    session.close().await;
    sent?;
    Ok(())
}
