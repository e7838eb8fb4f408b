//! Backup of a MySQL or MariaDB database by `mysqldump` or `mariadb-dump`, and the way back by `mysql` or `mariadb`.
//!
//! The programs must be of the server's own kind, and as new as the server or newer. How to connect reaches them in an option
//! file that is a pipe, and they read no other: no secret stands in a list of processes or on a disk.
//!
//! The dump is of one moment and blocks no writer; tables of engines without transactions are the exception, and the report
//! says so. The user must be able to see everything: what is hidden would be missing without a word.
//!
//! DDL commits by itself here, so that a restore that fails in the middle leaves what it has come to. Therefore all that can
//! be looked at is looked at before the first DROP: that the dump is whole, that it is for a server like this one and for one
//! database, that its statements fit into the server's packets, and that the user has the rights for it.

mod client;
mod drops;
mod dump_file;
mod dumping;
mod failure;
mod handover;
mod programs;
mod restorable;
mod restoring;
mod rights;
mod structure;
mod survey;
mod worth_knowing;

use std::collections::BTreeMap;
use std::fs::File;
use std::future::Future;
use std::io::{self, BufReader};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use self::dump_file::Contents;
use self::programs::Purpose;
pub use self::structure::structure;
use super::new_file::NewFile;
use super::tool::{Bell, Listening, conduct};
use super::{BackupReport, RestoreError, Standing};
use crate::engines::mysql::{ClientOptions, Flavor};
use crate::{DbError, DbErrorKind, Notice};

/// Bytes that are read at once.
const CHUNK: usize = 256 * 1024;

/// Where the programs are found and how they connect.
#[derive(Debug, Clone)]
pub struct MysqlTools<'a> {
    /// The folder that holds the programs; None to look in `PATH`.
    pub folder: Option<&'a Path>,
    /// The process environment. Its variables for the programs, such as `MYSQL_PWD`, are not passed on.
    pub environment: &'a BTreeMap<String, String>,
    /// Server, user, password and database.
    pub connection: &'a ClientOptions,
    /// The role to take on after connecting. The dump cannot take one on: there the user's default roles count.
    pub role: Option<&'a str>,
    /// Whose server it is.
    pub flavor: Flavor,
    /// The server's version number, such as 101119.
    pub server_version: u32,
    /// The table that stands while a restore is under way, so that nobody takes a part of the backup for all of it. Its name, unquoted.
    pub unfinished: &'a str,
    /// How long to wait for a lock that somebody else holds on a table; zero to wait as long as it takes.
    pub lock_timeout: Duration,
}

/// What a backup gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MysqlBackupReport {
    /// Size of the backup file in bytes.
    pub bytes: u64,
    /// What is to be known about the backup: what in it is not of one moment, what is missing, what its restore needs.
    pub warnings: Vec<Notice>,
}

/// Writes the database to the new file `to`, as SQL.
///
/// `progress` hears of the bytes of the file so far, about twice a second. When `cancelled` ends first, the program is
/// stopped; so it is when the returned future is dropped. A statement that waits for a lock on the server then ends with that
/// wait.
///
/// # Errors
/// [`DbErrorKind::Configuration`] where `to` exists or no fitting program is found; [`DbErrorKind::PermissionDenied`] where
/// something of the database is hidden from the user; [`DbErrorKind::LockTimeout`]; [`DbErrorKind::Cancelled`]; what the
/// program says otherwise. No file is left behind then.
pub async fn backup(
    tools: &MysqlTools<'_>,
    to: &Path,
    cancelled: impl Future<Output = ()>,
    mut progress: impl FnMut(u64),
) -> Result<MysqlBackupReport, DbError> {
    let (dump, client) = (tools.find(Purpose::Dump).await?, tools.find(Purpose::Client).await?);
    let new = NewFile::create(to, None)?;
    let size = || std::fs::metadata(new.partial()).map_or(0, |found| found.len());
    let bell = Bell::default();
    let work = async {
        // Without the role: the dump cannot take it on.
        let survey = tools.survey(&client, None, &bell).await?;
        worth_knowing::sees_everything(&survey, tools.role)?;
        let contents = tools.dump(&dump, &client, &survey, new.partial(), size, &bell).await?;
        Ok(worth_knowing::warnings(&survey, &dump, &contents))
    };
    let worked = conduct(work, cancelled, &bell, || progress(size())).await;
    let warnings = worked.map_err(|error| if bell.listen().is_rung() { stopped("backup", error) } else { error })?;
    Ok(MysqlBackupReport { bytes: new.keep()?, warnings })
}

/// Brings the database back to the backup `from`: drops all that is there, limosa's own tables with it, and runs the dump.
///
/// `progress` hears of the bytes of the dump that the server was given so far, about twice a second. When `cancelled` ends
/// first, the statement that runs is cancelled on the server, and nothing more is sent.
///
/// # Errors
/// [`DbErrorKind::DatabaseMissing`] where `from` is not there; [`DbErrorKind::Configuration`] where no fitting program is
/// found, or the dump is not for this server or database; [`DbErrorKind::PermissionDenied`] with the rights that lack;
/// [`DbErrorKind::LockTimeout`]; [`DbErrorKind::Cancelled`]; what the program says otherwise. The error says what stands.
pub async fn restore(
    tools: &MysqlTools<'_>,
    from: &Path,
    cancelled: impl Future<Output = ()>,
    mut progress: impl FnMut(u64),
) -> Result<BackupReport, RestoreError> {
    let bytes = std::fs::metadata(from).map(|found| found.len()).map_err(|error| unreadable(from, &error))?;
    let client = tools.find(Purpose::Client).await?;
    let sent = AtomicU64::new(0);
    let bell = Bell::default();
    let work = async {
        let contents = contents(from, tools.connection.database(), bell.listen()).await?;
        restorable::is_whole(&contents, from, tools)?;
        let survey = tools.survey(&client, tools.role, &bell).await?;
        restorable::fits(&contents, from, &survey, tools.flavor)?;
        tools.clear(&client, &survey, &bell).await?;
        let filled = tools.fill(&client, from, &contents, &sent, &bell).await;
        filled.map_err(|error| RestoreError { standing: Standing::Partial, error })?;
        tools.unmark(&client).await.map_err(|error| RestoreError { standing: Standing::Restored, error })
    };
    let worked = conduct(work, cancelled, &bell, || progress(sent.load(Ordering::Relaxed))).await;
    worked.map_err(|mut failure| {
        if bell.listen().is_rung() {
            failure.error = stopped("restore", failure.error);
        }
        failure
    })?;
    Ok(BackupReport { bytes })
}

/// Reads the dump on a thread of its own.
async fn contents(from: &Path, database: &str, bell: Listening) -> Result<Contents, DbError> {
    let (path, database) = (from.to_owned(), database.to_owned());
    let reading = tokio::task::spawn_blocking(move || {
        let file = BufReader::with_capacity(CHUNK, File::open(path)?);
        dump_file::read(file, &database, &|| bell.is_rung())
    });
    match reading.await {
        Ok(Ok(Some(contents))) => Ok(contents),
        Ok(Ok(None)) => Err(DbError::new(DbErrorKind::Cancelled, "the restore was cancelled")),
        Ok(Err(error)) => Err(unreadable(from, &error)),
        Err(error) => Err(DbError::new(DbErrorKind::Resources, format!("the backup could not be read: {error}"))),
    }
}

fn unreadable(from: &Path, error: &io::Error) -> DbError {
    DbError::new(DbErrorKind::DatabaseMissing, format!("the backup {} cannot be read: {error}", from.display()))
        .hint("check the path")
}

/// Whatever it was, it ended because it was asked to.
fn stopped(what: &str, error: DbError) -> DbError {
    DbError { kind: DbErrorKind::Cancelled, message: format!("the {what} was cancelled"), ..error }
}
