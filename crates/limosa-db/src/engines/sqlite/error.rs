//! What SQLite's result codes mean for a runner. Source: sqlite.org/rescode.html.

use rusqlite::{Error, ErrorCode, ffi};

use crate::{DbError, DbErrorKind};

/// An error of the driver as ours. `database` is the path, for hints.
///
/// The position, where SQLite gives one, counts from the text that the driver was given.
pub(crate) fn database_error(error: &Error, database: &str) -> DbError {
    let (failure, message, position) = match error {
        Error::SqlInputError { error, msg, offset, .. } => (error, msg.clone(), usize::try_from(*offset).ok()),
        Error::SqliteFailure(error, Some(message)) => (error, message.clone(), None),
        Error::SqliteFailure(error, None) => (error, ffi::code_to_str(error.extended_code).to_owned(), None),
        other => return DbError::new(DbErrorKind::Statement, other.to_string()),
    };
    let kind = kind(failure.code, failure.extended_code, &message);
    DbError {
        kind,
        code: Some(code_name(failure.extended_code)),
        hint: hint(failure.code, failure.extended_code, database).or_else(|| quotes(&message)),
        message,
        position,
        ..DbError::default()
    }
}

/// Many drivers take what stands in double quotes and names no column for a text (sqlite.org/quirks.html section 8).
fn quotes(message: &str) -> Option<String> {
    message.ends_with("should this be a string literal in single-quotes?").then(|| {
        "write it in single quotes; where files that ran elsewhere mean texts by double quotes, put \
         ?double_quoted_strings=on behind the address of the database"
            .to_owned()
    })
}

fn kind(code: ErrorCode, extended: i32, message: &str) -> DbErrorKind {
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            DbErrorKind::LockTimeout
        }
        ErrorCode::OperationInterrupted => DbErrorKind::Cancelled,
        ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory => DbErrorKind::Resources,
        ErrorCode::ReadOnly => DbErrorKind::ReadOnly,
        ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied | ErrorCode::CannotOpen => {
            DbErrorKind::PermissionDenied
        }
        ErrorCode::ConstraintViolation if extended == ffi::SQLITE_CONSTRAINT_NOTNULL => DbErrorKind::NotNull,
        ErrorCode::Unknown => kind_by_words(message),
        _ => DbErrorKind::Statement,
    }
}

/// SQLITE_ERROR says everything else in words only.
fn kind_by_words(message: &str) -> DbErrorKind {
    if message.starts_with("no such table: ") {
        DbErrorKind::UndefinedTable
    } else if message.ends_with(" already exists")
        || message.starts_with("there is already ")
        || message.starts_with("duplicate column name: ")
    {
        DbErrorKind::Duplicate
    } else {
        DbErrorKind::Statement
    }
}

fn hint(code: ErrorCode, extended: i32, database: &str) -> Option<String> {
    let text = match code {
        ErrorCode::DatabaseBusy if extended == ffi::SQLITE_BUSY_SNAPSHOT => {
            "another connection wrote after this transaction had read; begin with BEGIN IMMEDIATE".to_owned()
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            format!(
                "another connection holds {database}: where it is a runner in a large transaction, not even its name can be read meanwhile; wait for it \
                 (--lock-wait), or end its transaction"
            )
        }
        ErrorCode::DiskFull => format!(
            "free some space where {database} and its temporary files are, or raise PRAGMA max_page_count where it is set"
        ),
        ErrorCode::SystemIoFailure => {
            format!("the system could not read or write {database} or a file beside it; check the disk and its quota")
        }
        ErrorCode::ReadOnly if extended == ffi::SQLITE_READONLY_DIRECTORY => {
            format!("SQLite keeps its journal beside the database; allow writing in the folder of {database}")
        }
        ErrorCode::ReadOnly
            if extended == ffi::SQLITE_READONLY_ROLLBACK || extended == ffi::SQLITE_READONLY_RECOVERY =>
        {
            format!(
                "a writer died before it had ended, and {database} is mended when it is opened for writing next: limosa migrate does that, and limosa \
                 backup, which changes nothing"
            )
        }
        ErrorCode::ReadOnly => format!("{database} is open for reading only, or its file is write-protected"),
        ErrorCode::CannotOpen => format!(
            "SQLite opens files beside {database} (-journal, -wal, -shm) and temporary files; check the rights of the folder"
        ),
        ErrorCode::DatabaseCorrupt => {
            format!(
                "{database} is damaged; run PRAGMA integrity_check, then restore a backup or use the shell's .recover"
            )
        }
        ErrorCode::NotADatabase => {
            format!("check the path; {database} may be another kind of file, or encrypted, which is not supported")
        }
        _ => return None,
    };
    Some(text)
}

/// SQLite's own name of an extended result code; the primary code's name where the extended one is unknown here.
fn code_name(extended: i32) -> String {
    let find = |code: i32| NAMES.iter().find(|(number, _)| *number == code).map(|(_, name)| (*name).to_owned());
    find(extended).or_else(|| find(extended & 0xff)).unwrap_or_else(|| format!("SQLITE_{extended}"))
}

macro_rules! names {
    ($($name:ident)*) => { &[$((ffi::$name, stringify!($name))),*] };
}

const NAMES: &[(i32, &str)] = names! {
    SQLITE_ERROR SQLITE_INTERNAL SQLITE_PERM SQLITE_ABORT SQLITE_BUSY SQLITE_LOCKED SQLITE_NOMEM SQLITE_READONLY
    SQLITE_INTERRUPT SQLITE_IOERR SQLITE_CORRUPT SQLITE_NOTFOUND SQLITE_FULL SQLITE_CANTOPEN SQLITE_PROTOCOL SQLITE_EMPTY
    SQLITE_SCHEMA SQLITE_TOOBIG SQLITE_CONSTRAINT SQLITE_MISMATCH SQLITE_MISUSE SQLITE_NOLFS SQLITE_AUTH SQLITE_FORMAT
    SQLITE_RANGE SQLITE_NOTADB
    SQLITE_ERROR_MISSING_COLLSEQ SQLITE_ERROR_RETRY SQLITE_ERROR_SNAPSHOT
    SQLITE_IOERR_READ SQLITE_IOERR_SHORT_READ SQLITE_IOERR_WRITE SQLITE_IOERR_FSYNC SQLITE_IOERR_DIR_FSYNC
    SQLITE_IOERR_TRUNCATE SQLITE_IOERR_FSTAT SQLITE_IOERR_UNLOCK SQLITE_IOERR_RDLOCK SQLITE_IOERR_DELETE
    SQLITE_IOERR_BLOCKED SQLITE_IOERR_NOMEM SQLITE_IOERR_ACCESS SQLITE_IOERR_CHECKRESERVEDLOCK SQLITE_IOERR_LOCK
    SQLITE_IOERR_CLOSE SQLITE_IOERR_DIR_CLOSE SQLITE_IOERR_SHMOPEN SQLITE_IOERR_SHMSIZE SQLITE_IOERR_SHMLOCK
    SQLITE_IOERR_SHMMAP SQLITE_IOERR_SEEK SQLITE_IOERR_DELETE_NOENT SQLITE_IOERR_MMAP SQLITE_IOERR_GETTEMPPATH
    SQLITE_IOERR_CONVPATH SQLITE_IOERR_VNODE SQLITE_IOERR_AUTH SQLITE_IOERR_BEGIN_ATOMIC SQLITE_IOERR_COMMIT_ATOMIC
    SQLITE_IOERR_ROLLBACK_ATOMIC SQLITE_IOERR_DATA SQLITE_IOERR_CORRUPTFS
    SQLITE_LOCKED_SHAREDCACHE SQLITE_LOCKED_VTAB SQLITE_BUSY_RECOVERY SQLITE_BUSY_SNAPSHOT SQLITE_BUSY_TIMEOUT
    SQLITE_CANTOPEN_NOTEMPDIR SQLITE_CANTOPEN_ISDIR SQLITE_CANTOPEN_FULLPATH SQLITE_CANTOPEN_CONVPATH
    SQLITE_CANTOPEN_SYMLINK
    SQLITE_CORRUPT_VTAB SQLITE_CORRUPT_SEQUENCE SQLITE_CORRUPT_INDEX
    SQLITE_READONLY_RECOVERY SQLITE_READONLY_CANTLOCK SQLITE_READONLY_ROLLBACK SQLITE_READONLY_DBMOVED
    SQLITE_READONLY_CANTINIT SQLITE_READONLY_DIRECTORY
    SQLITE_ABORT_ROLLBACK
    SQLITE_CONSTRAINT_CHECK SQLITE_CONSTRAINT_COMMITHOOK SQLITE_CONSTRAINT_FOREIGNKEY SQLITE_CONSTRAINT_FUNCTION
    SQLITE_CONSTRAINT_NOTNULL SQLITE_CONSTRAINT_PRIMARYKEY SQLITE_CONSTRAINT_TRIGGER SQLITE_CONSTRAINT_UNIQUE
    SQLITE_CONSTRAINT_VTAB SQLITE_CONSTRAINT_ROWID SQLITE_CONSTRAINT_PINNED SQLITE_CONSTRAINT_DATATYPE
    SQLITE_AUTH_USER
};

#[cfg(test)]
mod tests {
    use super::*;

    fn map(code: i32, message: &str) -> DbError {
        database_error(&Error::SqliteFailure(ffi::Error::new(code), Some(message.to_owned())), "app.db")
    }

    #[test]
    fn kinds_and_names() {
        for (code, message, kind, name) in [
            (ffi::SQLITE_BUSY, "database is locked", DbErrorKind::LockTimeout, "SQLITE_BUSY"),
            (ffi::SQLITE_BUSY_SNAPSHOT, "database is locked", DbErrorKind::LockTimeout, "SQLITE_BUSY_SNAPSHOT"),
            (ffi::SQLITE_LOCKED, "database table is locked", DbErrorKind::LockTimeout, "SQLITE_LOCKED"),
            (ffi::SQLITE_INTERRUPT, "interrupted", DbErrorKind::Cancelled, "SQLITE_INTERRUPT"),
            (ffi::SQLITE_FULL, "database or disk is full", DbErrorKind::Resources, "SQLITE_FULL"),
            (ffi::SQLITE_IOERR_WRITE, "disk I/O error", DbErrorKind::Resources, "SQLITE_IOERR_WRITE"),
            (ffi::SQLITE_NOMEM, "out of memory", DbErrorKind::Resources, "SQLITE_NOMEM"),
            (ffi::SQLITE_READONLY_DIRECTORY, "readonly", DbErrorKind::ReadOnly, "SQLITE_READONLY_DIRECTORY"),
            (ffi::SQLITE_CANTOPEN, "unable to open", DbErrorKind::PermissionDenied, "SQLITE_CANTOPEN"),
            (ffi::SQLITE_NOTADB, "file is not a database", DbErrorKind::Statement, "SQLITE_NOTADB"),
            (ffi::SQLITE_CORRUPT_INDEX, "malformed", DbErrorKind::Statement, "SQLITE_CORRUPT_INDEX"),
            (ffi::SQLITE_CONSTRAINT_NOTNULL, "NOT NULL", DbErrorKind::NotNull, "SQLITE_CONSTRAINT_NOTNULL"),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, "UNIQUE", DbErrorKind::Statement, "SQLITE_CONSTRAINT_UNIQUE"),
            (ffi::SQLITE_ERROR, "no such table: main.t", DbErrorKind::UndefinedTable, "SQLITE_ERROR"),
            (ffi::SQLITE_ERROR, "no such column: t", DbErrorKind::Statement, "SQLITE_ERROR"),
            (ffi::SQLITE_ERROR, "table t already exists", DbErrorKind::Duplicate, "SQLITE_ERROR"),
            (ffi::SQLITE_ERROR, "there is already a table named t", DbErrorKind::Duplicate, "SQLITE_ERROR"),
            (ffi::SQLITE_ERROR, "duplicate column name: c", DbErrorKind::Duplicate, "SQLITE_ERROR"),
        ] {
            let error = map(code, message);
            assert_eq!((error.kind, error.code.as_deref()), (kind, Some(name)), "{message}");
            assert_eq!(error.message, message);
        }
    }

    #[test]
    fn unknown_extended_codes_fall_back_to_the_primary_name() {
        assert_eq!(map(ffi::SQLITE_IOERR | (200 << 8), "x").code.as_deref(), Some("SQLITE_IOERR"));
    }

    #[test]
    fn hints_name_the_file() {
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_FULL, ffi::SQLITE_CANTOPEN, ffi::SQLITE_NOTADB, ffi::SQLITE_CORRUPT]
        {
            assert!(map(code, "x").hint.is_some_and(|hint| hint.contains("app.db")), "{code}");
        }
    }
}
