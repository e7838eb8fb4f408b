//! New files, and new names of files, on disk: all of them, or none.

use std::fs::{OpenOptions, create_dir_all, remove_file, rename};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::Failure;

/// A file that is not there yet.
pub(super) struct NewFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// Writes the files. A file that is there is never overwritten; where one cannot be written, those before it go again.
pub(super) fn write_all(folder: &Path, files: &[NewFile]) -> Result<(), Failure> {
    create_dir_all(folder).map_err(|error| refused(folder, &error))?;
    for (at, file) in files.iter().enumerate() {
        if let Err(error) = write(file) {
            for written in &files[..at] {
                // What cannot be removed is found by its name; the first error says more.
                let _ = remove_file(&written.path);
            }
            return Err(error);
        }
    }
    Ok(())
}

fn write(file: &NewFile) -> Result<(), Failure> {
    let refused = |error| refused(&file.path, &error);
    if let Some(folder) = file.path.parent() {
        create_dir_all(folder).map_err(refused)?;
    }
    let mut open = OpenOptions::new().write(true).create_new(true).open(&file.path).map_err(refused)?;
    open.write_all(file.text.as_bytes()).map_err(|error| {
        // Half a file would be read as a migration.
        let _ = remove_file(&file.path);
        refused(error)
    })
}

fn refused(path: &Path, error: &std::io::Error) -> Failure {
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        let message = format!("there is a migration of this name already: {}", path.display());
        return Failure::usage("LIM-U055", message, "give another title, or remove that file where it never ran");
    }
    Failure::usage(
        "LIM-U051",
        format!("{} cannot be written: {error}", path.display()),
        "choose another name, or check the folder",
    )
}

/// A file or folder that gets another name.
pub(super) struct Rename {
    pub(super) from: PathBuf,
    pub(super) to: PathBuf,
}

/// A file that gets another text; its path is the new one.
pub(super) struct Edit {
    pub(super) path: PathBuf,
    pub(super) text: Vec<u8>,
}

/// Refuses names that something else has which keeps its own.
pub(super) fn refuse_taken(renames: &[Rename]) -> Result<(), Failure> {
    let is_taken =
        |one: &&Rename| one.to.symlink_metadata().is_ok() && !renames.iter().any(|other| other.from == one.to);
    match renames.iter().find(is_taken) {
        None => Ok(()),
        Some(one) => Err(refused(&one.to, &std::io::ErrorKind::AlreadyExists.into())),
    }
}

/// Renames files and folders in this order, then writes new texts. Nothing that is there is overwritten; where something cannot be
/// renamed, what was renamed before gets its old name again.
pub(super) fn rename_all(renames: &[Rename], edits: &[Edit]) -> Result<(), Failure> {
    for (at, one) in renames.iter().enumerate() {
        let renamed = match one.to.symlink_metadata() {
            Ok(_) => Err(std::io::ErrorKind::AlreadyExists.into()),
            Err(_) => rename(&one.from, &one.to),
        };
        if let Err(error) = renamed {
            for done in renames[..at].iter().rev() {
                // What cannot be put back is found by its name; the first error says more.
                let _ = rename(&done.to, &done.from);
            }
            return Err(refused(&one.to, &error));
        }
    }
    for edit in edits {
        std::fs::write(&edit.path, &edit.text).map_err(|error| {
            let message =
                format!("the files have their new names, but {} cannot be written: {error}", edit.path.display());
            Failure::usage("LIM-U051", message, "put the new versions into its headers by hand")
        })?;
    }
    Ok(())
}
