//! A data folder that `initdb` made once and every server copies.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::version::{PostgresVersion, caches};
use crate::guardian;

/// Part of the template's name; raise it when the arguments of `initdb` change.
const FORM: &str = "a";

/// Puts a fresh data folder at `data`, owned by the servers' user.
///
/// `initdb` takes more than a second, copying its 40 MB much less: the result is kept in the
/// target folder from one test process to the next. Two processes may make it at the same time; the
/// second rename fails and its work is thrown away.
pub(crate) fn create_data_folder(version: &PostgresVersion, data: &Path) -> Result<()> {
    for cache in caches() {
        let template = cache.join(template_name(version)?);
        if !template.join("PG_VERSION").is_file() && store(version, &cache, &template).is_err() {
            continue;
        }
        return copy(&template, data);
    }
    initdb(version, data)
}

fn template_name(version: &PostgresVersion) -> Result<String> {
    let owner = if guardian::drops_root()? { "nobody" } else { "self" };
    let place: String =
        version.bin().to_string_lossy().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    Ok(format!("data-{FORM}-{owner}-{version}{place}"))
}

fn store(version: &PostgresVersion, cache: &Path, template: &Path) -> Result<()> {
    fs::create_dir_all(cache)?;
    let folder = guardian::server_folder("init")?;
    let made = folder.join("data");
    initdb(version, &made)?;
    let beside: PathBuf = tempfile::Builder::new().prefix("data-new-").tempdir_in(cache)?.keep();
    fs::remove_dir(&beside)?;
    copy(&made, &beside)?;
    fs::remove_dir_all(&folder)?;
    if fs::rename(&beside, template).is_err() {
        fs::remove_dir_all(&beside)?;
    }
    Ok(())
}

/// `cp` keeps owner and mode, and shares blocks where the file system can.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    let output =
        Command::new("cp").arg("-a").args([from, to]).output().context("cannot run cp to copy a data folder")?;
    if !output.status.success() {
        bail!("cannot copy a data folder: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

fn initdb(version: &PostgresVersion, data: &Path) -> Result<()> {
    let program = version.bin().join("initdb");
    let mut command = guardian::server_command(&program)?;
    command
        .arg("--pgdata")
        .arg(data)
        .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"])
        .args(["--no-sync", "--no-instructions"])
        .stderr(std::process::Stdio::piped());
    let output = command
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .with_context(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        bail!("{} failed ({}): {}", program.display(), output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
