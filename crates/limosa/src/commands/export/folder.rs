//! The folder that is made.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::Failure;

/// The folder within it for the migrations alone: tools take every file beside them for one.
pub(super) const MIGRATIONS: &str = "migrations";

/// Refuses a folder that holds something.
///
/// # Errors
/// That.
pub(super) fn refuse_filled(folder: &Path) -> Result<(), Failure> {
    let is_empty = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == ErrorKind::NotFound,
    };
    if is_empty {
        return Ok(());
    }
    Err(Failure::usage(
        "LIM-U142",
        format!("{} is there already, and is no empty folder", folder.display()),
        "name a folder that is not there yet: --out FOLDER; nothing is written over",
    ))
}

/// Writes files that are not there yet.
///
/// # Errors
/// What the system says.
pub(super) fn write(folder: &Path, files: &[(&str, &str)]) -> Result<(), Failure> {
    let failed = |path: &Path, error: std::io::Error| {
        let message = format!("{} cannot be written: {error}", path.display());
        Failure::usage("LIM-U142", message, "look at the folder, and take away what is in it before the next try")
    };
    fs::create_dir_all(folder.join(MIGRATIONS)).map_err(|error| failed(folder, error))?;
    for (name, text) in files {
        let path = folder.join(name);
        let opened = fs::OpenOptions::new().write(true).create_new(true).open(&path);
        opened
            .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
            .map_err(|error| failed(&path, error))?;
    }
    Ok(())
}
