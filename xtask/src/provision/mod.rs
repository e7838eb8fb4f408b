//! Test servers: found on this machine, or installed.

mod debian;
mod faketime;
mod libclang;
mod maven;
mod mysql;
mod npm;
mod place;
mod postgres;

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::cargo::Workspace;
use debian::{apt_install, is_root};
pub(crate) use libclang::provide_libclang;
use place::Place;

/// Which servers the tests run on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    /// Every version of PostgreSQL that limosa supports, in place of the newest and one older.
    pub(crate) all_postgres: bool,
    /// A newer MariaDB and a MySQL beside the one MariaDB.
    pub(crate) all_mysql: bool,
}

/// Something is missing and cannot be installed here. The text says what, and how to get it.
#[derive(Debug)]
pub(crate) struct CannotProvide(Vec<String>);

impl fmt::Display for CannotProvide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the tests need servers that are not here and cannot be installed:")?;
        for line in &self.0 {
            writeln!(f, "  - {line}")?;
        }
        write!(f, "Install them, then run the command again.")
    }
}

impl std::error::Error for CannotProvide {}

/// One program that the tests use, and where it came from.
pub(crate) struct Found {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    pub(crate) path: PathBuf,
    pub(crate) origin: &'static str,
}

/// All that the tests use.
pub(crate) struct Servers {
    cache: PathBuf,
    /// Folders of programs, oldest version first.
    postgres: Vec<Found>,
    pgbouncer: Found,
    /// Server programs, MariaDB before MySQL.
    mysql: Vec<Found>,
    /// A library that fakes the clock of a process; on Linux, where the tests use it.
    faketime: Option<Found>,
}

/// Finds or installs everything, or says all that is missing in one error of type [`CannotProvide`].
pub(crate) fn provide(workspace: &Workspace, range: Range) -> Result<Servers> {
    let place = Place::choose(&workspace.target)?;
    let mut missing = Vec::new();
    let postgres = postgres::provide(&place, range, &mut missing)?;
    let pgbouncer = pgbouncer(&mut missing);
    let mysql = mysql::provide(&place, range, &mut missing);
    let faketime = if cfg!(target_os = "linux") { faketime::provide(&mut missing) } else { None };
    match pgbouncer {
        Some(pgbouncer) if missing.is_empty() => {
            Ok(Servers { cache: place.folder, postgres, pgbouncer, mysql, faketime })
        }
        _ => Err(CannotProvide(missing).into()),
    }
}

impl Servers {
    /// Variables that tell the tests where the servers are; the crate limosa-testkit reads them.
    pub(crate) fn environment(&self) -> Result<Vec<(&'static str, OsString)>> {
        let joined = |found: &[Found], name: Option<&str>| {
            let of_this_name = found.iter().filter(|found| name.is_none_or(|name| name == found.name));
            env::join_paths(of_this_name.map(|found| &found.path))
                .context("the path of a server must not contain a colon")
        };
        let mut variables = vec![
            ("LIMOSA_TEST_POSTGRES", joined(&self.postgres, None)?),
            ("LIMOSA_TEST_MARIADB", joined(&self.mysql, Some(mysql::MARIADB))?),
            ("LIMOSA_TEST_MYSQL", joined(&self.mysql, Some(mysql::MYSQL))?),
            ("LIMOSA_TEST_PGBOUNCER", self.pgbouncer.path.clone().into()),
            ("LIMOSA_TEST_SERVERS", self.cache.clone().into()),
        ];
        variables.extend(self.faketime.iter().map(|found| ("LIMOSA_TEST_FAKETIME", found.path.clone().into())));
        Ok(variables)
    }
}

impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for found in self.postgres.iter().chain([&self.pgbouncer]).chain(&self.mysql).chain(&self.faketime) {
            let Found { name, version, path, origin } = found;
            writeln!(f, "{name:<10}  {version:<8}  {origin:<9}  {}", path.display())?;
        }
        Ok(())
    }
}

/// Finds or installs valgrind, or says in half a sentence why not.
pub(crate) fn provide_valgrind() -> Result<(), String> {
    match find_program("valgrind") {
        Some(_) => Ok(()),
        None => apt_install(&["valgrind"]),
    }
}

/// Finds or installs what a static binary is built with, or says in half a sentence why not.
pub(crate) fn provide_musl(target: &str) -> Result<(), String> {
    if find_program("musl-gcc").is_none() {
        apt_install(&["musl-tools"])?;
    }
    let added = Command::new("rustup").args(["target", "add", target]).stderr(Stdio::null()).status();
    match added.is_ok_and(|status| status.success()) {
        true => Ok(()),
        false => Err(format!("`rustup target add {target}` failed")),
    }
}

fn pgbouncer(missing: &mut Vec<String>) -> Option<Found> {
    let origin = if let Some(program) = find_program("pgbouncer") {
        return Some(describe_pgbouncer(program, "found"));
    } else {
        "apt"
    };
    if let Err(reason) = apt_install(&["pgbouncer"]) {
        missing.push(format!("PgBouncer: {reason}. By hand: apt-get install pgbouncer"));
        return None;
    }
    let program = find_program("pgbouncer");
    if program.is_none() {
        missing.push("PgBouncer: the package pgbouncer is installed without its program".into());
    }
    Some(describe_pgbouncer(program?, origin))
}

fn describe_pgbouncer(path: PathBuf, origin: &'static str) -> Found {
    let version = output_of(&path, &["--version"])
        .and_then(|text| text.split_whitespace().nth(1).map(str::to_owned))
        .unwrap_or_default();
    Found { name: "PgBouncer", version, path, origin }
}

/// Looks through `PATH` and the folders of system programs that it often lacks.
fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// What a program prints, if it runs and succeeds.
fn output_of(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a program in a folder; where it fails, the last line of what it said is the reason.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run {program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
    Err(format!("{program} {} failed: {last}", arguments.join(" ")))
}
