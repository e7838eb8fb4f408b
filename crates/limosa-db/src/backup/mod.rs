//! Backups of whole databases, and the way back.
//!
//! A backup is written under a temporary name beside its target, checked, forced to disk, and only then given its name:
//! a file with the target's name is always whole. An existing file is never replaced.

#[cfg(feature = "mysql")]
pub mod mysql;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod new_file;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod tool;

use crate::DbError;

/// What a backup or a restore gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupReport {
    /// Size of the backup file in bytes.
    pub bytes: u64,
}

/// How the database stands after a restore that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As before: nothing was changed.
    Unchanged,
    /// As the backup has it.
    Restored,
    /// Neither: what stood is gone, or a part of it, and the backup is not whole in its place. Only where DDL does not roll
    /// back.
    Partial,
    /// The connection or the tool was lost at the commit: one or the other.
    Unknown,
}

/// A restore that failed, and what it left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct RestoreError {
    /// How the database stands.
    pub standing: Standing,
    /// What went wrong.
    #[source]
    pub error: DbError,
}

impl From<DbError> for RestoreError {
    fn from(error: DbError) -> Self {
        RestoreError { standing: Standing::Unchanged, error }
    }
}
