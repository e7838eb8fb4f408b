//! What the parameters ask the file system for.

use std::io;
use std::path::{Path, PathBuf};

/// A file system, so that a test can give another one.
pub(in super::super) trait Disk {
    /// The text of a file.
    fn read(&self, path: &Path) -> io::Result<String>;
    /// The files of a folder, sorted by name.
    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;
    /// True where something is there.
    fn exists(&self, path: &Path) -> bool;
    /// True where anybody may write the file.
    fn is_open_to_all(&self, path: &Path) -> bool;
}

/// The file system of this machine.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Files;

impl Disk for Files {
    fn read(&self, path: &Path) -> io::Result<String> {
        std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(folder)?;
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        paths.sort();
        Ok(paths)
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    #[cfg(unix)]
    fn is_open_to_all(&self, path: &Path) -> bool {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o002 != 0)
    }

    #[cfg(not(unix))]
    fn is_open_to_all(&self, _path: &Path) -> bool {
        false
    }
}
