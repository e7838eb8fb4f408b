//! A small disk of a server's own: a file system in memory.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Mounts a disk of so many bytes over an empty folder. Its owner becomes the servers' user by the copy of the
/// template's root folder.
pub(super) fn mount(folder: &Path, bytes: u64) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    run("mount", &["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"], folder)
}

/// Makes a mounted disk larger or smaller; never smaller than what stands on it.
pub(super) fn resize(folder: &Path, bytes: u64) -> Result<()> {
    run("mount", &["-o", &format!("remount,size={bytes}")], folder)
}

/// Takes a disk away, with all that stands on it.
pub(super) fn unmount(folder: &Path) -> Result<()> {
    run("umount", &["-l"], folder)
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> Result<()> {
    let output =
        Command::new(program).args(arguments).arg(folder).output().with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{program} {} {}: {}", arguments.join(" "), folder.display(), said.trim());
    }
    Ok(())
}
