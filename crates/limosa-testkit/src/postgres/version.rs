//! Which PostgreSQL programs this machine has.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

use crate::cache::{caches, folders_in};
use crate::guardian::reachable_by_all;

/// Variable that names the folders of PostgreSQL programs, separated like `PATH`.
/// `cargo xtask test` sets it; the tests then run on exactly these.
pub(crate) const SERVERS_VARIABLE: &str = "LIMOSA_TEST_POSTGRES";

/// One installed PostgreSQL: its version and the folder of its programs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PostgresVersion {
    major: u32,
    minor: u32,
    bin: PathBuf,
}

impl PostgresVersion {
    /// Asks the server program in a folder for its version. `Err` if there is none or it does not run.
    pub fn at(bin: &Path) -> Result<Self> {
        let program = bin.join("postgres");
        let output = Command::new(&program)
            .arg("--version")
            .output()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let number = text
            .split_whitespace()
            .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
            .with_context(|| format!("{} --version says {text:?}", program.display()))?;
        let digits = |part: Option<&str>| {
            let part = part.unwrap_or("0");
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            part[..end].parse::<u32>().unwrap_or(0)
        };
        let mut parts = number.split('.');
        Ok(Self { major: digits(parts.next()), minor: digits(parts.next()), bin: bin.to_owned() })
    }

    /// The major version, such as 18.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The folder that holds `postgres` and `initdb`.
    pub fn bin(&self) -> &Path {
        &self.bin
    }

    /// The path of a program such as `pg_dump`, if this installation has it.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let path = self.bin.join(name);
        path.is_file().then_some(path)
    }
}

impl fmt::Display for PostgresVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// What was found; the programs are asked once, for every test wants to know.
static FOUND: OnceLock<Vec<PostgresVersion>> = OnceLock::new();

/// All versions that were found, oldest first, one of each major version.
///
/// `LIMOSA_TEST_POSTGRES` alone decides where it is set. Otherwise the search goes through `PATH`,
/// `/usr/lib/postgresql/*/bin` and the servers that `cargo xtask provision` has unpacked.
///
/// # Errors
/// None is found, or a folder of the variable holds no server that runs.
pub fn versions() -> Result<Vec<PostgresVersion>> {
    if let Some(found) = FOUND.get() {
        return Ok(found.clone());
    }
    let found = search()?;
    Ok(FOUND.get_or_init(|| found).clone())
}

fn search() -> Result<Vec<PostgresVersion>> {
    let mut found = Vec::new();
    if let Some(named) = env::var_os(SERVERS_VARIABLE) {
        for bin in env::split_paths(&named) {
            found.push(PostgresVersion::at(&bin).with_context(|| format!("in {SERVERS_VARIABLE}"))?);
        }
    } else {
        found.extend(places().iter().filter_map(|bin| usable(bin)));
    }
    found.sort();
    found.dedup_by_key(|version| version.major);
    if found.is_empty() {
        bail!(
            "no PostgreSQL server program was found for this test. \
             Run the tests with `cargo xtask test`, which installs what they need, \
             or set {SERVERS_VARIABLE} to the folders that hold `postgres` and `initdb`"
        );
    }
    Ok(found)
}

/// The versions that a test runs on: all that `LIMOSA_TEST_POSTGRES` names, else the oldest and the
/// newest that were found.
pub fn tested() -> Result<Vec<PostgresVersion>> {
    let mut found = versions()?;
    if env::var_os(SERVERS_VARIABLE).is_none() && found.len() > 2 {
        found.drain(1..found.len() - 1);
    }
    Ok(found)
}

/// The newest version that was found.
pub fn newest() -> Result<PostgresVersion> {
    versions()?.pop().context("no PostgreSQL version was found")
}

fn usable(bin: &Path) -> Option<PostgresVersion> {
    let complete = bin.join("postgres").is_file() && bin.join("initdb").is_file();
    if !complete || !reachable_by_all(bin) {
        return None;
    }
    PostgresVersion::at(bin).ok()
}

fn places() -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = env::var_os("PATH").iter().flat_map(env::split_paths).collect();
    places.extend(folders_in(Path::new("/usr/lib/postgresql")).map(|folder| folder.join("bin")));
    for cache in caches() {
        places.extend(folders_in(&cache).map(|folder| folder.join("native/bin")));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_oldest_first_and_one_of_each_major() {
        let majors: Vec<u32> = versions().unwrap().iter().map(PostgresVersion::major).collect();
        let mut expected = majors.clone();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(majors, expected);
        assert!(majors.iter().all(|major| *major >= 9), "{majors:?}");
    }

    #[test]
    fn a_folder_without_a_server_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = PostgresVersion::at(folder.path()).unwrap_err();
        assert!(error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
    }
}
