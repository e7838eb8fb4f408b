//! New files on disk: all of them, or none.

use std::fs::{OpenOptions, create_dir_all, remove_file};
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
