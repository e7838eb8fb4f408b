//! Which MariaDB and MySQL programs this machine has.

use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

use crate::cache::{caches, folders_in};
use crate::guardian::reachable_by_all;

/// Variable that names server programs such as `/usr/sbin/mariadbd`, separated like `PATH`.
/// `cargo xtask test` sets it; the tests then run on exactly these and on those of
/// [`MYSQL_VARIABLE`].
pub(crate) const MARIADB_VARIABLE: &str = "LIMOSA_TEST_MARIADB";

/// The same for `mysqld`, the server of MySQL.
pub(crate) const MYSQL_VARIABLE: &str = "LIMOSA_TEST_MYSQL";

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flavor {
    /// Oracle's.
    Mysql,
    /// MariaDB's.
    MariaDb,
}

/// One installed server: whose it is, its version and its program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MysqlVersion {
    flavor: Flavor,
    number: [u32; 3],
    program: PathBuf,
}

impl MysqlVersion {
    /// Asks a server program for its version. `Err` if there is none or it does not run.
    pub fn at(program: &Path) -> Result<Self> {
        let output = Command::new(program)
            .args(["--no-defaults", "--version"])
            .output()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let (flavor, number) =
            version_in(&text).with_context(|| format!("{} --version says {text:?}", program.display()))?;
        // A link such as /sbin would hide what stands beside the program.
        let program = fs::canonicalize(program)?;
        Ok(Self { flavor, number, program })
    }

    /// Whose server it is.
    pub fn flavor(&self) -> Flavor {
        self.flavor
    }

    /// True for MariaDB.
    pub fn is_mariadb(&self) -> bool {
        self.flavor == Flavor::MariaDb
    }

    /// The first number of the version: 10 in 10.11.19.
    pub fn major(&self) -> u32 {
        self.number[0]
    }

    /// The second number of the version: 11 in 10.11.19.
    pub fn minor(&self) -> u32 {
        self.number[1]
    }

    /// The path of `mariadbd` or `mysqld`.
    pub fn server_program(&self) -> &Path {
        &self.program
    }

    /// The folder above the server's, where it is not the system's own: what the server calls `basedir`.
    pub(super) fn base(&self) -> Option<&Path> {
        let above = self.program.parent()?.parent()?;
        above.join("share/english/errmsg.sys").is_file().then_some(above)
    }

    /// The path of another program of this installation, such as `mariadb-dump` or `mysql`, if it
    /// has it: beside the server or in a sibling folder of that one.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let beside = self.program.parent()?;
        let above = beside.parent().unwrap_or(beside);
        let folders = [beside.to_owned(), above.join("bin"), above.join("sbin"), above.join("scripts")];
        folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file())
    }
}

impl fmt::Display for MysqlVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.flavor {
            Flavor::MariaDb => "MariaDB",
            Flavor::Mysql => "MySQL",
        };
        let [major, minor, patch] = self.number;
        write!(f, "{name} {major}.{minor}.{patch}")
    }
}

/// What was found; the programs are asked once, for every test wants to know.
static FOUND: OnceLock<Vec<MysqlVersion>> = OnceLock::new();

/// All servers that were found, MySQL before MariaDB and older ones before newer, one of each minor version.
///
/// `LIMOSA_TEST_MARIADB` and `LIMOSA_TEST_MYSQL` alone decide where one of them is set. Otherwise the
/// search goes through `PATH`, `/usr/sbin` and the servers that `cargo xtask provision` has unpacked.
///
/// # Errors
/// None is found, or a path of the variables is no server that runs.
pub fn versions() -> Result<Vec<MysqlVersion>> {
    if let Some(found) = FOUND.get() {
        return Ok(found.clone());
    }
    let found = search()?;
    Ok(FOUND.get_or_init(|| found).clone())
}

fn search() -> Result<Vec<MysqlVersion>> {
    let mut found = Vec::new();
    let named = [MARIADB_VARIABLE, MYSQL_VARIABLE].map(|variable| (variable, env::var_os(variable)));
    if named.iter().any(|(_, value)| value.is_some()) {
        for (variable, value) in &named {
            let paths = value.iter().flat_map(env::split_paths).filter(|path| !path.as_os_str().is_empty());
            for program in paths {
                found.push(MysqlVersion::at(&program).with_context(|| format!("in {variable}"))?);
            }
        }
    } else {
        found.extend(places().iter().filter_map(|folder| usable(folder)));
    }
    found.sort();
    found.dedup_by_key(|version| (version.flavor, version.number[0], version.number[1]));
    if found.is_empty() {
        bail!(
            "no MariaDB or MySQL server program was found for this test. \
             Run the tests with `cargo xtask test`, which installs what they need, \
             or set {MARIADB_VARIABLE} to the path of `mariadbd`"
        );
    }
    Ok(found)
}

/// The servers that a test runs on: all that were found.
pub fn tested() -> Result<Vec<MysqlVersion>> {
    versions()
}

/// The newest MariaDB that was found, or the newest MySQL where there is no MariaDB.
pub fn newest() -> Result<MysqlVersion> {
    versions()?.pop().context("no MariaDB or MySQL server was found")
}

/// `mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu ...` or
/// `/usr/sbin/mysqld  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)`.
fn version_in(text: &str) -> Option<(Flavor, [u32; 3])> {
    let word = text.split_whitespace().skip_while(|word| *word != "Ver").nth(1)?;
    let flavor = if text.contains("MariaDB") { Flavor::MariaDb } else { Flavor::Mysql };
    let number = word.split(['-', '+']).next()?;
    let mut parts = number.split('.').map(|part| part.parse::<u32>().ok());
    let mut next = || parts.next().flatten();
    Some((flavor, [next()?, next()?, next().unwrap_or(0)]))
}

fn usable(folder: &Path) -> Option<MysqlVersion> {
    if !reachable_by_all(folder) {
        return None;
    }
    ["mariadbd", "mysqld"]
        .map(|name| folder.join(name))
        .iter()
        .filter(|program| program.is_file())
        .find_map(|program| MysqlVersion::at(program).ok())
}

fn places() -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = env::var_os("PATH").iter().flat_map(env::split_paths).collect();
    places.extend(["/usr/sbin", "/usr/local/sbin", "/usr/libexec"].map(PathBuf::from));
    for cache in caches() {
        places.extend(folders_in(&cache).map(|folder| folder.join("bin")));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_server_and_which_version_are_read_from_what_it_says() {
        let cases = [
            (
                "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)",
                Some((Flavor::MariaDb, [10, 11, 19])),
            ),
            (
                "/usr/sbin/mysqld  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)",
                Some((Flavor::Mysql, [8, 0, 36])),
            ),
            ("mysqld  Ver 9.1 for macos", Some((Flavor::Mysql, [9, 1, 0]))),
            ("nothing", None),
        ];
        for (text, expected) in cases {
            assert_eq!(version_in(text), expected, "{text}");
        }
    }

    #[test]
    fn the_newest_is_a_mariadb_and_has_its_programs() {
        let version = newest().unwrap();
        assert!(version.is_mariadb(), "{version}");
        for name in ["mariadb", "mariadb-dump", "mariadb-install-db"] {
            assert!(version.program(name).is_some(), "{name}");
        }
        assert_eq!(version.program("no-such-program"), None);
    }

    #[test]
    fn what_is_no_server_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = MysqlVersion::at(&folder.path().join("mariadbd")).unwrap_err();
        assert!(error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
    }
}
