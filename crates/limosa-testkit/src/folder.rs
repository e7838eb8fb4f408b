//! A temporary folder of files, written as a test reads.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder that is removed when this value is dropped. Where the disk refuses, its methods panic
/// with the path, because no test can go on then.
///
/// ```
/// # use limosa_testkit::Folder;
/// let folder = Folder::new()
///     .file("migrations/001_jobs.sql", "create table jobs (id integer primary key);")
///     .file("limosa.toml", "");
/// assert_eq!(folder.files(), ["limosa.toml", "migrations/001_jobs.sql"]);
/// ```
#[derive(Debug)]
pub struct Folder {
    folder: TempDir,
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Folder {
    /// An empty folder in the system's temporary directory.
    #[track_caller]
    pub fn new() -> Self {
        match tempfile::Builder::new().prefix("limosa-files-").tempdir() {
            Ok(folder) => Self { folder },
            Err(error) => panic!("cannot create a temporary folder: {error}"),
        }
    }

    /// Adds a file, with the folders above it.
    #[must_use]
    #[track_caller]
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.write(name, content);
        self
    }

    /// Writes or replaces a file, with the folders above it, and returns its path.
    #[track_caller]
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        let folders = path.parent().map_or(Ok(()), fs::create_dir_all);
        if let Err(error) = folders.and_then(|()| fs::write(&path, content)) {
            panic!("cannot write {}: {error}", path.display());
        }
        path
    }

    /// A file's text.
    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        let path = self.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => panic!("cannot read {}: {error}", path.display()),
        }
    }

    /// Removes a file.
    #[track_caller]
    pub fn remove(&self, name: &str) {
        let path = self.join(name);
        if let Err(error) = fs::remove_file(&path) {
            panic!("cannot remove {}: {error}", path.display());
        }
    }

    /// Gives a file another name.
    #[track_caller]
    pub fn rename(&self, from: &str, to: &str) {
        if let Err(error) = fs::rename(self.join(from), self.join(to)) {
            panic!("cannot rename {from} to {to}: {error}");
        }
    }

    /// The folder's own path.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The path of a file in it, which need not exist.
    pub fn join(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The names of all files in it and in the folders below, sorted.
    pub fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![self.folder.path().to_owned()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    open.push(path);
                } else if let Ok(name) = path.strip_prefix(self.folder.path()) {
                    found.push(name.to_string_lossy().into_owned());
                }
            }
        }
        found.sort();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_renamed_removed_and_go_with_the_folder() {
        let folder = Folder::new().file("a/b/1.sql", "one").file("2.sql", [0xff, 0x00]);
        folder.rename("a/b/1.sql", "a/1.sql");
        assert_eq!(folder.read("a/1.sql"), "one");
        assert_eq!(folder.files(), ["2.sql", "a/1.sql"]);
        folder.remove("2.sql");
        assert_eq!(folder.files(), ["a/1.sql"]);
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.exists());
    }
}
