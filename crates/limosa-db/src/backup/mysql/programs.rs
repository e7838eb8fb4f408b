//! Which `mariadb-dump`, `mysqldump`, `mariadb` and `mysql` fit the server.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::MysqlTools;
use crate::engines::mysql::Flavor;
use crate::{DbError, DbErrorKind};

/// What a program is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Writes dumps.
    Dump,
    /// Runs statements.
    Client,
}

/// A program that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) name: &'static str,
    /// Comparable, as the server's: 101119 for 10.11.19.
    pub(super) version: u32,
}

/// The names under which a program goes, the ones that count first. MariaDB's programs have MySQL's names too.
fn names(flavor: Flavor, purpose: Purpose) -> &'static [&'static str] {
    match (flavor, purpose) {
        (Flavor::MariaDb, Purpose::Dump) => &["mariadb-dump", "mysqldump"],
        (Flavor::MariaDb, Purpose::Client) => &["mariadb", "mysql"],
        (Flavor::Mysql, Purpose::Dump) => &["mysqldump"],
        (Flavor::Mysql, Purpose::Client) => &["mysql"],
    }
}

impl MysqlTools<'_> {
    /// The program of the server's own series (10.11, 8.4), else the first that is newer. An older one may not know what the
    /// server can hold, and one of the other flavor writes what its server does not read.
    pub(super) async fn find(&self, purpose: Purpose) -> Result<Program, DbError> {
        let names = names(self.flavor, purpose);
        let (mut newer, mut unfit) = (None, None);
        for (name, path) in self.candidates(names) {
            let Some((flavor, version)) = self.version(&path).await else { continue };
            let program = Program { path, name, version };
            match series(version).cmp(&series(self.server_version)) {
                _ if flavor != self.flavor => unfit = unfit.or(Some((flavor, program))),
                std::cmp::Ordering::Equal => return Ok(program),
                std::cmp::Ordering::Greater => newer = newer.or(Some(program)),
                std::cmp::Ordering::Less => unfit = unfit.or(Some((flavor, program))),
            }
        }
        newer.ok_or_else(|| self.none_fits(names, unfit))
    }

    fn none_fits(&self, names: &[&str], unfit: Option<(Flavor, Program)>) -> DbError {
        let server = format!("{} {}", self.flavor.title(), shown(self.server_version));
        let message = match unfit {
            Some((flavor, program)) if flavor != self.flavor => {
                let (path, other) = (program.path.display(), flavor.title());
                format!("{path} is {other}'s ({}), the server is {server}: it needs its own", shown(program.version))
            }
            Some((_, program)) => {
                let (path, name) = (program.path.display(), program.name);
                format!(
                    "{path} has version {}, the server is {server}: {name} must not be older",
                    shown(program.version)
                )
            }
            None => match self.folder {
                Some(folder) => format!("no {} that runs is in {}", names.join(" or "), folder.display()),
                None => format!("no {} that runs was found in PATH", names.join(" or ")),
            },
        };
        let series = self.server_version / 100;
        let series = format!("{}.{}", series / 100, series % 100);
        let hint = match self.flavor {
            Flavor::MariaDb => format!(
                "install the client programs of MariaDB {series} or newer (Debian and Ubuntu: apt-get install mariadb-client, from \
                 MariaDB's own repository where the system's is older)"
            ),
            Flavor::Mysql => format!(
                "install the client programs of MySQL {series} or newer (Ubuntu: apt-get install mysql-client; Debian: the same \
                 from MySQL's own repository)"
            ),
        };
        DbError::new(DbErrorKind::Configuration, message).hint(hint)
    }

    fn candidates(&self, names: &'static [&'static str]) -> Vec<(&'static str, PathBuf)> {
        let folders: Vec<PathBuf> = match self.folder {
            Some(folder) => vec![folder.to_owned()],
            None => {
                let path = self.environment.get("PATH").map(String::as_str).unwrap_or_default();
                std::env::split_paths(path).filter(|folder| folder.is_absolute()).collect()
            }
        };
        let programs = folders.iter().flat_map(|folder| names.iter().map(|name| (*name, folder.join(name))));
        programs.filter(|(_, program)| program.is_file()).collect()
    }

    async fn version(&self, program: &Path) -> Option<(Flavor, u32)> {
        let output = self.command(program).arg("--version").stdout(Stdio::piped()).output().await.ok()?;
        version_in(&String::from_utf8(output.stdout).ok()?)
    }

    /// A program whose options come from us alone.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear();
        command.envs(self.environment.iter().filter(|(name, _)| !speaks_to_clients(name)));
        // The login file is read beside whatever file is named, and would win.
        command.env("MYSQL_TEST_LOGIN_FILE", "/nonexistent/login");
        // Its words are read for hints.
        command.env("LC_ALL", "C");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }
}

/// True for variables that would change where the programs connect, or how. Where their plugins lie is left to them.
fn speaks_to_clients(name: &str) -> bool {
    let prefixes = ["MYSQL_", "MARIADB_", "LIBMYSQL_"];
    prefixes.iter().any(|prefix| name.starts_with(prefix)) && !name.ends_with("_PLUGIN_DIR")
}

/// The series of a version: 1011 for 10.11.19.
fn series(version: u32) -> u32 {
    version / 100
}

pub(super) fn shown(version: u32) -> String {
    format!("{}.{}.{}", version / 10_000, version / 100 % 100, version % 100)
}

/// Reads what `--version` says. Old programs have a version of their own before that of their server.
fn version_in(text: &str) -> Option<(Flavor, u32)> {
    let flavor = if text.contains("MariaDB") { Flavor::MariaDb } else { Flavor::Mysql };
    let place = ["Distrib ", " from ", "Ver "].iter().find_map(|before| text.split_once(before))?;
    Some((flavor, number_of(place.1)?))
}

/// The comparable number of a version at the beginning of a text: 101119 for `10.11.19-MariaDB`.
pub(super) fn number_of(text: &str) -> Option<u32> {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let mut parts = text.get(..end)?.split('.').map(|part| part.parse::<u32>().ok());
    let mut next = || parts.next().flatten();
    let (major, minor) = (next()?, next()?);
    let patch = next().unwrap_or(0);
    (major < 10_000 && minor < 100 && patch < 1_000).then(|| major * 10_000 + minor * 100 + patch.min(99))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        for (text, expected) in [
            (
                "mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)",
                (Flavor::MariaDb, 101_119),
            ),
            ("mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)", (Flavor::Mysql, 50_744)),
            (
                "/a b/mariadb-dump from 11.4.5-MariaDB, client 10.19 for linux-systemd (x86_64)",
                (Flavor::MariaDb, 110_405),
            ),
            ("mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)", (Flavor::Mysql, 80_036)),
            ("mysql  Ver 26.10.0-28 for Linux on x86_64 (Percona Server (GPL), Release 28)", (Flavor::Mysql, 261_000)),
        ] {
            assert_eq!(version_in(text), Some(expected), "{text}");
        }
        for text in ["", "mysqldump", "Ver x.y", "Ver 8", "Distrib 99999.1.1"] {
            assert_eq!(version_in(text), None, "{text}");
        }
    }

    #[test]
    fn what_speaks_to_clients_stays_behind() {
        for (name, expected) in [
            ("MYSQL_PWD", true),
            ("MYSQL_HOST", true),
            ("MARIADB_TLS_DISABLE_PEER_VERIFICATION", true),
            ("LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN", true),
            ("LIBMYSQL_PLUGIN_DIR", false),
            ("PATH", false),
        ] {
            assert_eq!(speaks_to_clients(name), expected, "{name}");
        }
    }
}
