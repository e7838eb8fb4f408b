//! Opening a file with clear errors, and making the connection start as one of the sqlite3 shell does.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use sha2::{Digest, Sha256};

use super::error::database_error;
use super::location::{Access, Location, Place};
use crate::{DbError, DbErrorKind};

/// Opens the database; `prepare` runs before anything is read, such as for how to wait for writers.
///
/// # Errors
/// What is wrong with the path, the rights or the file, with the next step.
pub(crate) fn open(
    location: &Location,
    prepare: impl FnOnce(&mut Connection) -> rusqlite::Result<()>,
) -> Result<Connection, DbError> {
    let name = location.name();
    if let Place::File(path) = &location.place {
        check_path(path, location.access)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX
        | match location.access {
            Access::Read if location.file().is_some() => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Access::Read | Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Access::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        };
    let opened = match &location.place {
        Place::Memory => Connection::open_in_memory_with_flags(flags | OpenFlags::SQLITE_OPEN_CREATE),
        Place::File(path) => Connection::open_with_flags(plain_path(path), flags),
    };
    let mut connection = opened.map_err(|error| cannot_open(&error, &name))?;
    let start = |connection: &mut Connection| {
        prepare(connection)?;
        like_the_shell(connection)?;
        if location.has_double_quoted_strings {
            for setting in [DbConfig::SQLITE_DBCONFIG_DQS_DDL, DbConfig::SQLITE_DBCONFIG_DQS_DML] {
                connection.set_db_config(setting, true)?;
            }
        }
        register_sha256(connection)?;
        register_clock(connection)?;
        if location.access == Access::Read {
            connection.execute_batch("PRAGMA query_only = ON")?;
        }
        // SQLite looks into the file only now.
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        connection.is_readonly("main")
    };
    let read_only = start(&mut connection).map_err(|error| cannot_open(&error, &name))?;
    if read_only && location.access != Access::Read {
        return Err(DbError::new(
            DbErrorKind::ReadOnly,
            format!("the database file {name} may not be written by this user"),
        )
        .hint(format!("allow writing to {name}, or ask for reading only with `?mode=ro`")));
    }
    Ok(connection)
}

/// What SQLite would only call "unable to open database file".
fn check_path(path: &Path, access: Access) -> Result<(), DbError> {
    let shown = path.display();
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            Err(DbError::new(DbErrorKind::Configuration, format!("{shown} is a folder, not a database file"))
                .hint(format!("name a file in it, such as {}", path.join("app.db").display())))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => missing(path, access),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(lacks_rights(path)),
        Err(error) => {
            Err(DbError::new(DbErrorKind::DatabaseMissing, format!("the path {shown} cannot be used: {error}"))
                .hint("check the path"))
        }
    }
}

fn missing(path: &Path, access: Access) -> Result<(), DbError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        let (folder, path) = (folder.display(), path.display());
        return Err(DbError::new(
            DbErrorKind::DatabaseMissing,
            format!("the folder {folder} of the database file {path} does not exist"),
        )
        .hint(format!("check the path, or make the folder: mkdir -p {folder}")));
    }
    if access == Access::Create {
        return Ok(());
    }
    let message = format!("the database file {} does not exist", path.display());
    Err(DbError::new(DbErrorKind::DatabaseMissing, message)
        .hint("check the path; a relative one counts from the folder in which the program was started"))
}

/// The error for a file or folder that this user may not use.
pub(crate) fn lacks_rights(path: &Path) -> DbError {
    DbError::new(DbErrorKind::PermissionDenied, format!("this user has no right to open {}", path.display()))
        .hint("check the rights of the file and of each folder above it")
}

/// The bundled library reads `file:...` as a URI whatever the flags, so a relative path never stands bare.
fn plain_path(path: &Path) -> PathBuf {
    if path.is_absolute() { path.to_owned() } else { Path::new(".").join(path) }
}

fn cannot_open(error: &rusqlite::Error, name: &str) -> DbError {
    let mut ours = database_error(error, name);
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            ours.message = format!("{name} is not a SQLite database, or it is encrypted");
            ours.hint = Some("check the path; encrypted databases are not supported".to_owned());
        }
        Some(ErrorCode::CannotOpen) => {
            ours.message = format!("the database file {name} cannot be opened: {}", ours.message);
        }
        _ => ours.message = format!("{name}: {}", ours.message),
    }
    ours
}

/// The library is compiled with foreign keys on and with strings in double quotes allowed; the shell has both off
/// (sqlite.org/foreignkeys.html section 2, sqlite.org/quirks.html section 8).
fn like_the_shell(connection: &Connection) -> rusqlite::Result<()> {
    for setting in
        [DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, DbConfig::SQLITE_DBCONFIG_DQS_DDL, DbConfig::SQLITE_DBCONFIG_DQS_DML]
    {
        connection.set_db_config(setting, false)?;
    }
    Ok(())
}

fn register_sha256(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("limosa_sha256", 1, flags, |context| match context.get_raw(0) {
        ValueRef::Null => Ok(None),
        ValueRef::Text(bytes) => Ok(Some(limosa_core::hex(&Sha256::digest(bytes)))),
        other => Err(rusqlite::Error::UserFunctionError(
            format!("limosa_sha256 takes a text, not a value of type {}", other.data_type()).into(),
        )),
    })
}

/// For durations: see [`crate::monotonic_ms`].
fn register_clock(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("limosa_monotonic_ms", 0, flags, |_| Ok(crate::monotonic_ms()))
}
