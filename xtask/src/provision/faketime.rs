//! libfaketime, with which the tests make the clock of a process jump.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Found, apt_install};

/// Its name, wherever it stands.
const LIBRARY: &str = "libfaketime.so.1";

/// Finds or installs it. Where it cannot be had, `missing` says so.
pub(super) fn provide(missing: &mut Vec<String>) -> Option<Found> {
    if let Some(path) = find() {
        return Some(describe(path, "found"));
    }
    if let Err(reason) = apt_install(&["libfaketime"]) {
        missing.push(format!("libfaketime: {reason}. By hand: apt-get install libfaketime"));
        return None;
    }
    let path = find();
    if path.is_none() {
        missing.push(format!("libfaketime: the package is installed without {LIBRARY}"));
    }
    Some(describe(path?, "apt"))
}

/// It does not say its version.
fn describe(path: PathBuf, origin: &'static str) -> Found {
    Found { name: "libfaketime", version: String::new(), path, origin }
}

/// Debian has a folder for each architecture, of which this machine's has the library; others have one for all.
fn find() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut own: Vec<PathBuf> = folders.filter(|folder| serves(folder)).collect();
    own.sort();
    own.extend(["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from));
    own.into_iter().map(|folder| folder.join("faketime").join(LIBRARY)).find(|path| path.is_file())
}

fn serves(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with(std::env::consts::ARCH) && name.contains("linux"))
}
