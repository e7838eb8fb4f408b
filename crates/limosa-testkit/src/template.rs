//! Data folders that a server's own program made once and every server copies.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cache::caches;
use crate::guardian;

/// A data folder as its program makes it, to be copied.
pub(crate) struct Template<'a> {
    /// Form and exact version: what two folders of one name have in common.
    pub(crate) name: String,
    /// A file that a whole data folder has.
    pub(crate) proof: &'a str,
    /// Makes the folder anew; it must belong to the servers' user.
    pub(crate) make: &'a dyn Fn(&Path) -> Result<()>,
}

impl Template<'_> {
    /// Puts a fresh data folder at `data`, owned by the servers' user.
    ///
    /// Making one takes seconds, copying it much less: the result is kept in the target folder from
    /// one test process to the next. Two processes may make it at the same time; the second rename
    /// fails and its work is thrown away.
    pub(crate) fn copy_to(&self, data: &Path) -> Result<()> {
        for cache in caches() {
            let template = cache.join(self.folder_name()?);
            if !template.join(self.proof).exists() && self.store(&cache, &template).is_err() {
                continue;
            }
            return copy(&template, data);
        }
        (self.make)(data)
    }

    fn folder_name(&self) -> Result<String> {
        let owner = if guardian::drops_root()? { "nobody" } else { "self" };
        let safe = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '-' };
        Ok(format!("data-{owner}-{}", self.name).chars().map(safe).collect())
    }

    fn store(&self, cache: &Path, template: &Path) -> Result<()> {
        fs::create_dir_all(cache)?;
        let folder = guardian::server_folder("init")?;
        let made = folder.join("data");
        (self.make)(&made)?;
        let beside: PathBuf = tempfile::Builder::new().prefix("data-new-").tempdir_in(cache)?.keep();
        fs::remove_dir(&beside)?;
        copy(&made, &beside)?;
        fs::remove_dir_all(&folder)?;
        if fs::rename(&beside, template).is_err() {
            fs::remove_dir_all(&beside)?;
        }
        Ok(())
    }
}

/// `cp` keeps owner and mode, and shares blocks where the file system can. A folder that stands at
/// `to` already is filled.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    let output = Command::new("cp")
        .args(["-a", "--no-target-directory"])
        .args([from, to])
        .output()
        .context("cannot run cp to copy a data folder")?;
    if !output.status.success() {
        bail!("cannot copy a data folder: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
