//! A file that appears whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::{DbError, DbErrorKind};

/// What SQLite may leave beside a file. Behind a temporary name only.
const COMPANIONS: [&str; 4] = ["", "-journal", "-wal", "-shm"];

/// A file under a temporary name. Dropped without [`NewFile::keep`], it is removed.
#[derive(Debug)]
pub(super) struct NewFile {
    target: PathBuf,
    partial: PathBuf,
}

impl NewFile {
    /// Makes the file beside `target`, empty, with rights for its owner only or those of `like`.
    pub(super) fn create(target: &Path, like: Option<&Path>) -> Result<NewFile, DbError> {
        if target.symlink_metadata().is_ok() {
            return Err(exists(target));
        }
        let mut name = target.file_name().map(OsString::from).ok_or_else(|| {
            DbError::new(DbErrorKind::Configuration, format!("{} names no file for the backup", target.display()))
        })?;
        name.push(format!(".partial-{}", std::process::id()));
        let partial = target.with_file_name(name);
        let file = owner_only().write(true).create_new(true).open(&partial).map_err(|error| cannot(&error, target))?;
        let new = NewFile { target: target.to_owned(), partial };
        if let Some(like) = like {
            let same = fs::metadata(like).and_then(|found| file.set_permissions(found.permissions()));
            same.map_err(|error| cannot(&error, target))?;
        }
        Ok(new)
    }

    /// Where to write.
    pub(super) fn partial(&self) -> &Path {
        &self.partial
    }

    /// Forces the content to disk and gives the file its name. Returns its size in bytes.
    pub(super) fn keep(self) -> Result<u64, DbError> {
        let finish = || -> io::Result<u64> {
            let file = File::open(&self.partial)?;
            file.sync_all()?;
            let bytes = file.metadata()?.len();
            give_name(&self.partial, &self.target)?;
            // The name itself must reach the disk; folders cannot be opened on every system.
            if let Ok(folder) = File::open(folder_of(&self.target)) {
                folder.sync_all()?;
            }
            Ok(bytes)
        };
        finish().map_err(|error| cannot(&error, &self.target))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        for companion in COMPANIONS {
            let mut name = self.partial.clone().into_os_string();
            name.push(companion);
            let _ = fs::remove_file(name);
        }
    }
}

/// A hard link refuses an existing name, which `rename` does not; file systems without links get the weaker check.
fn give_name(partial: &Path, target: &Path) -> io::Result<()> {
    match fs::hard_link(partial, target) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        Err(_) if target.symlink_metadata().is_ok() => Err(ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(partial, target),
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(unix)]
fn owner_only() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn owner_only() -> OpenOptions {
    OpenOptions::new()
}

fn exists(target: &Path) -> DbError {
    DbError::new(DbErrorKind::Configuration, format!("{} exists already", target.display()))
        .hint("a backup never replaces a file; name another one, or move this one away")
}

/// What the system's error means for whoever asked for the backup.
fn cannot(error: &io::Error, target: &Path) -> DbError {
    let shown = target.display();
    let (kind, hint) = match error.kind() {
        ErrorKind::AlreadyExists => return exists(target),
        ErrorKind::NotFound => {
            (DbErrorKind::DatabaseMissing, format!("make the folder: mkdir -p {}", folder_of(target).display()))
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            (DbErrorKind::PermissionDenied, format!("allow writing in {}", folder_of(target).display()))
        }
        _ => (DbErrorKind::Resources, format!("check the disk that holds {}", folder_of(target).display())),
    };
    DbError::new(kind, format!("the backup {shown} cannot be written: {error}")).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn kept_it_has_its_name_and_dropped_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("b");
        let new = NewFile::create(&target, None).unwrap();
        fs::write(new.partial(), "half").unwrap();
        fs::write(folder.path().join(format!("b.partial-{}-wal", std::process::id())), "").unwrap();
        drop(new);
        assert_eq!(names(folder.path()), [""; 0]);
        let new = NewFile::create(&target, None).unwrap();
        fs::write(new.partial(), "whole").unwrap();
        assert_eq!(new.keep(), Ok(5));
        assert_eq!(names(folder.path()), ["b"]);
        assert_eq!(fs::read_to_string(&target).unwrap(), "whole");
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("b");
        let new = NewFile::create(&target, None).unwrap();
        fs::write(&target, "theirs").unwrap();
        assert_eq!(new.keep().unwrap_err().message, format!("{} exists already", target.display()));
        assert_eq!(fs::read_to_string(&target).unwrap(), "theirs");
        assert_eq!(names(folder.path()), ["b"]);
    }

    #[cfg(unix)]
    #[test]
    fn rights_are_the_owners_or_those_of_the_model() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("b");
        assert_eq!(mode(NewFile::create(&target, None).unwrap().partial()), 0o600);
        let model = folder.path().join("model");
        fs::write(&model, "").unwrap();
        fs::set_permissions(&model, fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(mode(NewFile::create(&target, Some(&model)).unwrap().partial()), 0o640);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = NewFile::create(Path::new("/nonexistent/folder/b"), None).unwrap_err();
        assert_eq!(error.kind, DbErrorKind::DatabaseMissing);
        assert_eq!(error.hint.as_deref(), Some("make the folder: mkdir -p /nonexistent/folder"));
    }
}
