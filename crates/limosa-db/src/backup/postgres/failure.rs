//! What the last words of PostgreSQL's own programs mean.

use std::process::ExitStatus;

use crate::backup::tool::Ended;
use crate::{DbError, DbErrorKind};

/// How psql says that the connection broke; that it could not connect sounds differently.
const LOST: [&str; 3] =
    ["connection to server was lost", "server closed the connection unexpectedly", "terminating connection"];

/// How a program ended, as an error where it failed.
///
/// # Errors
/// What went wrong.
pub(super) fn success(ended: &Ended) -> Result<(), DbError> {
    match &ended.status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failure(ended.name, *status, &ended.complaint)),
        Err(error) => Err(DbError::new(DbErrorKind::Resources, format!("{} was lost: {error}", ended.name))),
    }
}

/// True where a program ended without hearing what the server made of its last words.
pub(super) fn is_open_question(ended: &Ended) -> bool {
    let Ok(status) = &ended.status else { return true };
    status.code().is_none() || LOST.iter().any(|words| ended.complaint.contains(words))
}

fn failure(name: &str, status: ExitStatus, complaint: &str) -> DbError {
    let says = |words: &str| complaint.contains(words);
    let (kind, hint) = if says("lock timeout") || (says("statement timeout") && says("LOCK TABLE")) {
        (DbErrorKind::LockTimeout, "end the other sessions that use the database, or wait longer")
    } else if says("terminated by user") || says("due to user request") || status.code().is_none() {
        (DbErrorKind::Cancelled, "it was interrupted")
    } else if LOST.iter().any(|words| says(words)) {
        (DbErrorKind::ConnectionLost, "look at the server, then run it again")
    } else if says("No space left on device") || says("File too large") {
        (DbErrorKind::Resources, "free some space on the disk of the backup")
    } else if says("password authentication failed") || says("no password supplied") {
        (DbErrorKind::Authentication, "check user and password")
    } else if says("permission denied") || says("must be owner") {
        (DbErrorKind::PermissionDenied, "use a role that may read, and for restoring own, every object of the database")
    } else if says("connection to server") {
        (DbErrorKind::CannotConnect, "check that the server runs and can be reached from here")
    } else if says("other objects depend on it") {
        (DbErrorKind::Statement, "drop what depends on what the backup holds, then restore again")
    } else if says("unrecognized configuration parameter") {
        (DbErrorKind::Statement, "use the pg_restore of the server's own major version")
    } else {
        (DbErrorKind::Statement, "see what the tool says")
    };
    let mut error = DbError::new(kind, format!("{name} failed ({status})")).hint(hint);
    if !complaint.is_empty() {
        error.detail = Some(complaint.to_owned());
    }
    error
}
