//! Folders that outlive a test process: unpacked servers and templates of data folders.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::guardian::is_ours;

/// Variable that names the folder where `cargo xtask` keeps the servers that it unpacks.
const CACHE_VARIABLE: &str = "LIMOSA_TEST_SERVERS";

/// The folder that `cargo xtask` falls back to where user 65534 cannot reach the target folder.
const CACHE_FALLBACK: &str = "/var/tmp/limosa-test-servers";

/// Folders where `cargo xtask` may keep servers and this crate keeps its data templates, best first.
pub(crate) fn caches() -> Vec<PathBuf> {
    if let Some(named) = env::var_os(CACHE_VARIABLE) {
        return vec![PathBuf::from(named)];
    }
    let program = env::current_exe().unwrap_or_default();
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    let mut caches: Vec<PathBuf> = target.map(|folder| folder.join("test-servers")).into_iter().collect();
    // Anybody can create this one; a stranger's programs are not run.
    caches.extend(Some(PathBuf::from(CACHE_FALLBACK)).filter(|folder| is_ours(folder)));
    caches
}

/// What stands in a folder; nothing if there is none.
pub(crate) fn folders_in(parent: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.path())
}
