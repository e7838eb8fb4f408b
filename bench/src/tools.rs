//! The tools that are measured, and where they are.

mod commands;
mod install;

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Result, bail};
use limosa_testkit::PostgresVersion;

use crate::workload::Engine;

/// What a tool is asked to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Task {
    /// All migrations, on an empty database.
    Apply,
    /// The same command again: nothing is pending.
    Nothing,
    Status,
    /// The last so many migrations.
    Rollback(usize),
}

/// How a tool is spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    ShellOneTransaction,
    ShellTransactionPerFile,
    Dbmate,
    Goose,
    GolangMigrate,
    Flyway,
    SqlMigrate,
    Sqlx,
    Refinery,
    Diesel,
    Limosa,
    /// Goes by the names of files, as tools do that keep no checksums.
    LimosaByNames,
}

/// A tool that is there.
pub(crate) struct Tool {
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    program: String,
}

impl Tool {
    /// limosa, wherever it stands.
    pub(crate) fn limosa(program: &Path) -> Self {
        Self { kind: Kind::Limosa, name: "limosa", program: program.display().to_string() }
    }
}

/// All tools that can be had for an engine, and a line for each that cannot.
pub(crate) fn find(engine: Engine, target: &Path, shell: Option<PathBuf>) -> Result<(Vec<Tool>, Vec<String>)> {
    let Some(shell) = shell else { bail!("no shell of {engine}: it is the floor and counts the objects") };
    let (one, each, second) = match engine {
        Engine::Postgres => ("psql, one transaction", "psql, transaction per file", Ok(shell.clone())),
        Engine::Sqlite => ("sqlite3, one transaction", "sqlite3, transaction per file", Ok(shell.clone())),
        Engine::Mysql => {
            ("mariadb, one session", "mariadb, transaction per file", Err("DDL commits by itself here".to_owned()))
        }
    };
    let flyway = match engine {
        Engine::Postgres | Engine::Mysql => install::flyway(target),
        Engine::Sqlite => Err("its part for SQLite is not installed here".to_owned()),
    };
    // Where its MySQL is not built in or does not work yet, the others are measured all the same.
    let ours = install::limosa(target).and_then(|program| install::speaks(engine, target, program));
    let found = [
        (Kind::ShellOneTransaction, one, Ok(shell)),
        (Kind::ShellTransactionPerFile, each, second),
        (Kind::Dbmate, "dbmate", install::dbmate(target)),
        (Kind::Goose, "goose", install::goose(target)),
        (Kind::GolangMigrate, "golang-migrate", install::golang_migrate(target)),
        (Kind::Flyway, "Flyway", flyway),
        (Kind::SqlMigrate, "sql-migrate", install::sql_migrate(target)),
        (Kind::Sqlx, "sqlx", install::sqlx(target)),
        (Kind::Refinery, "refinery", install::refinery(target)),
        (Kind::Diesel, "diesel", install::diesel(target)),
        (Kind::Limosa, "limosa", ours.clone()),
        (Kind::LimosaByNames, "limosa by names", ours),
    ];
    let (mut tools, mut missing) = (Vec::new(), Vec::new());
    for (kind, name, place) in found {
        match place {
            Ok(program) => tools.push(Tool { kind, name, program: program.display().to_string() }),
            Err(reason) => missing.push(format!("skipped: {name}: {reason}")),
        }
    }
    Ok((tools, missing))
}

/// The psql that belongs to a server, else the newest that Debian keeps beside its servers, else one in `PATH`: Debian's
/// `/usr/bin/psql` is a Perl script that looks for one of the others first, which takes longer than many a run.
pub(crate) fn psql(version: &PostgresVersion) -> Option<PathBuf> {
    let kept = || {
        let folders = fs::read_dir("/usr/lib/postgresql").ok()?;
        let programs = folders.flatten().map(|entry| entry.path().join("bin/psql")).filter(|program| program.is_file());
        programs.max()
    };
    let own = version.bin().join("psql");
    if own.is_file() { Some(own) } else { kept().or_else(|| in_path("psql").ok()) }
}

/// A program of this name in `PATH`.
pub(crate) fn in_path(name: &str) -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = env::split_paths(&path).map(|folder| folder.join(name));
    places.find(|file| file.is_file()).ok_or_else(|| "not in PATH".to_owned())
}
