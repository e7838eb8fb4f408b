//! Backups of whole databases, and the way back.
//!
//! A backup is written under a temporary name beside its target, checked, forced to disk, and only then given its name:
//! a file with the target's name is always whole. An existing file is never replaced.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod new_file;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;

/// What a backup or a restore gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupReport {
    /// Size of the backup file in bytes.
    pub bytes: u64,
}
