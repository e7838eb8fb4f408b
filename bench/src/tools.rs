//! The tools that are measured: where they are, and the command for each task.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Result, bail};
use limosa_testkit::PostgresVersion;

use crate::layouts::Layouts;
use crate::place::Place;
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
    SqlMigrate,
    Sqlx,
    Refinery,
    Diesel,
    Limosa,
}

/// A tool that is there.
pub(crate) struct Tool {
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    program: String,
}

/// All tools that can be had for an engine, and a line for each that cannot.
pub(crate) fn find(engine: Engine, target: &Path, shell: Option<PathBuf>) -> Result<(Vec<Tool>, Vec<String>)> {
    let Some(shell) = shell else { bail!("no shell of {engine}: it is the floor and counts the objects") };
    let (one, each) = match engine {
        Engine::Postgres => ("psql, one transaction", "psql, transaction per file"),
        Engine::Sqlite => ("sqlite3, one transaction", "sqlite3, transaction per file"),
    };
    let found = [
        (Kind::ShellOneTransaction, one, Ok(shell.clone())),
        (Kind::ShellTransactionPerFile, each, Ok(shell)),
        (Kind::Dbmate, "dbmate", dbmate(target)),
        (Kind::SqlMigrate, "sql-migrate", in_path("sql-migrate")),
        (Kind::Sqlx, "sqlx", in_path("sqlx")),
        (Kind::Refinery, "refinery", in_path("refinery")),
        (Kind::Diesel, "diesel", in_path("diesel")),
        (Kind::Limosa, "limosa", limosa(target)),
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

/// The npm package, installed once into the target folder.
fn dbmate(target: &Path) -> Result<PathBuf, String> {
    let folder = target.join("bench-peers");
    let program = folder.join("node_modules/@dbmate/linux-x64/bin/dbmate");
    if !program.is_file() {
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let npm = in_path("npm").map_err(|_| "it comes by npm, which is not in PATH")?;
        let mut install = Command::new(npm);
        install.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&folder).arg("dbmate");
        let status = install.stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !status.is_ok_and(|status| status.success()) {
            return Err("`npm install dbmate` failed".to_owned());
        }
    }
    if program.is_file() { Ok(program) } else { Err("its npm package has no program for this machine".to_owned()) }
}

/// Our own binary, built by cargo in its release form where it is not there yet or old.
fn limosa(target: &Path) -> Result<PathBuf, String> {
    let program = target.join("release/limosa");
    if env::var_os("BENCH_NO_BUILD").is_none() || !program.is_file() {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
        let mut build = Command::new(cargo);
        build.args(["build", "--release", "--quiet", "-p", "limosa-cli", "--manifest-path", manifest]);
        if !build.status().is_ok_and(|status| status.success()) {
            return Err("`cargo build --release -p limosa-cli` failed".to_owned());
        }
    }
    Ok(program)
}

impl Tool {
    /// The command for a task, or nothing where the tool has none.
    pub(crate) fn command(&self, task: Task, place: &Place, layouts: &Layouts) -> Option<Vec<String>> {
        let words = match self.kind {
            Kind::ShellOneTransaction | Kind::ShellTransactionPerFile => {
                return self.shell(task, place, layouts);
            }
            Kind::Dbmate => return Some(self.dbmate(task, place, layouts)),
            Kind::SqlMigrate => {
                let config = format!("-config={}", layouts.at("sql-migrate.yml"));
                match task {
                    Task::Apply | Task::Nothing => vec!["up".into(), config],
                    Task::Status => vec!["status".into(), config],
                    Task::Rollback(count) => vec!["down".into(), config, format!("-limit={count}")],
                }
            }
            Kind::Sqlx => {
                let from = ["--source".into(), layouts.at("sqlx"), "-D".into(), place.url()];
                let words: Vec<String> = match task {
                    Task::Apply | Task::Nothing => vec!["migrate".into(), "run".into()],
                    Task::Status => vec!["migrate".into(), "info".into()],
                    Task::Rollback(count) => {
                        let left = place.migrations.saturating_sub(count).to_string();
                        vec!["migrate".into(), "revert".into(), "--target-version".into(), left]
                    }
                };
                words.into_iter().chain(from).collect()
            }
            Kind::Refinery => match task {
                Task::Apply | Task::Nothing => {
                    ["migrate", "-c", &layouts.at("refinery.toml"), "-p", &layouts.at("refinery")]
                        .map(str::to_owned)
                        .to_vec()
                }
                Task::Status | Task::Rollback(_) => return None,
            },
            Kind::Diesel => {
                let mut words: Vec<String> = ["migration", "--migration-dir", &layouts.at("diesel"), "--database-url"]
                    .map(str::to_owned)
                    .to_vec();
                words.push(place.plain_url());
                match task {
                    Task::Apply | Task::Nothing => words.push("run".into()),
                    Task::Status => words.push("list".into()),
                    Task::Rollback(count) => words.extend(["revert".into(), "-n".into(), count.to_string()]),
                }
                words
            }
            Kind::Limosa => {
                let mut words: Vec<String> = match task {
                    Task::Apply | Task::Nothing => vec!["migrate".into()],
                    Task::Status => vec!["status".into()],
                    Task::Rollback(count) => {
                        let consent = ["--allow-data-loss".into(), place.consent()];
                        ["rollback".into(), "--steps".into(), count.to_string()].into_iter().chain(consent).collect()
                    }
                };
                words.extend(["--dir".into(), layouts.at("limosa"), "--database".into(), place.url(), "--yes".into()]);
                words
            }
        };
        Some([self.program.clone()].into_iter().chain(words).collect())
    }

    fn shell(&self, task: Task, place: &Place, layouts: &Layouts) -> Option<Vec<String>> {
        let script = match (task, self.kind) {
            (Task::Apply, Kind::ShellOneTransaction) => layouts.at("one_transaction.sql"),
            (Task::Apply, _) => layouts.at("transaction_per_file.sql"),
            (Task::Rollback(_), Kind::ShellOneTransaction) => layouts.at("rollback.sql"),
            (Task::Nothing, Kind::ShellOneTransaction) => return Some(place.shell(&self.program, Err("SELECT 1"))),
            _ => return None,
        };
        Some(place.shell(&self.program, Ok(&script)))
    }

    /// Takes back one migration a call, so a rollback of several is a loop, as its users write it.
    fn dbmate(&self, task: Task, place: &Place, layouts: &Layouts) -> Vec<String> {
        let base = ["--no-dump-schema", "-d", &layouts.at("dbmate"), "-u", &place.url()].map(str::to_owned);
        let mut words: Vec<String> = [self.program.clone()].into_iter().chain(base).collect();
        match task {
            Task::Apply | Task::Nothing => words.push("migrate".into()),
            Task::Status => words.push("status".into()),
            Task::Rollback(count) => {
                words.push("rollback".into());
                let script = format!("i=0; while [ $i -lt {count} ]; do \"$@\" || exit 1; i=$((i + 1)); done");
                words = ["sh".into(), "-c".into(), script, "sh".into()].into_iter().chain(words).collect();
            }
        }
        words
    }

    /// Writes the settings of tools that take the database from a file only.
    pub(crate) fn prepare(&self, place: &Place, layouts: &Layouts) -> Result<()> {
        match self.kind {
            Kind::SqlMigrate => {
                let (dialect, source) = place.dialect_and_source();
                let text = format!(
                    "development:\n  dialect: {dialect}\n  datasource: {source}\n  dir: {}\n  table: migrations\n",
                    layouts.at("sql-migrate")
                );
                layouts.put("sql-migrate.yml", &text)
            }
            Kind::Refinery => layouts.put("refinery.toml", &place.refinery_settings()),
            _ => Ok(()),
        }
    }
}
