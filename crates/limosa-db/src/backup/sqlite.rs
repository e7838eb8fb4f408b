//! Backup of a SQLite file by SQLite's own backup interface, and the way back. Source: sqlite.org/backup.html.

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::oneshot;

use super::new_file::NewFile;
use super::{BackupReport, RestoreError, Standing};
use crate::engines::sqlite::{Access, Location, Patience, Place, database_error, lacks_rights, open, wait_for_writers};
use crate::{ConnectOptions, DbError, DbErrorKind};

/// Pages copied between two looks at the progress: 1 MiB at the usual page size.
const PAGES_PER_STEP: i32 = 256;

/// Writers that may make the copy begin again before it holds them off.
const RESTARTS: u32 = 3;

/// Instructions of SQLite's between two looks whether the work is cancelled: well under a millisecond.
const INSTRUCTIONS_PER_LOOK: i32 = 10_000;

/// The first bytes of every SQLite database (sqlite.org/fileformat.html section 1.3).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Copies the database to the new file `to`, as it is at one moment.
///
/// Others may go on reading; they may write too, but after a few writes of theirs the copy holds them off until it is whole.
/// `progress` hears of pages done and pages in all (which may grow), and ends the copy by [`ControlFlow::Break`]. When
/// `cancelled` ends first, so does the copy, whatever it is at: waiting for others, copying, looking the copy through.
/// Dropping the future ends it too, without waiting for that end.
///
/// # Errors
/// What is wrong with either file; [`DbErrorKind::Configuration`] where `to` exists; [`DbErrorKind::LockTimeout`] where a
/// writer does not end within the busy time-out; [`DbErrorKind::Cancelled`]. No file is left behind then.
pub async fn backup(
    options: &ConnectOptions,
    to: &Path,
    cancelled: impl Future<Output = ()>,
    progress: impl FnMut(u64, u64) -> ControlFlow<()> + Send + 'static,
) -> Result<BackupReport, DbError> {
    let mut location = Location::of(options)?;
    if location.access == Access::Create {
        location.access = Access::Write;
    }
    let (patience, to) = (Duration::from_millis(options.busy_timeout_ms), to.to_owned());
    on_thread(cancelled, progress, move |reins| {
        back_up(&location, patience, &to, reins).map_err(|error| reins.explain(error))
    })
    .await
}

/// Replaces the content of the database by that of the backup `from`.
///
/// It happens in one transaction of SQLite's: whatever goes wrong, and if the process dies, the old content stays.
/// A missing database file is made where the options allow it.
///
/// # Errors
/// Where `from` is not a healthy SQLite database; what is wrong with the database's file; [`DbErrorKind::LockTimeout`]
/// where others do not let go of it within the busy time-out; [`DbErrorKind::ReadOnly`] where the options ask for reading
/// only; [`DbErrorKind::Cancelled`]. The error says what stands: only the look at the result comes after the replacement.
pub async fn restore(
    options: &ConnectOptions,
    from: &Path,
    cancelled: impl Future<Output = ()>,
    progress: impl FnMut(u64, u64) -> ControlFlow<()> + Send + 'static,
) -> Result<BackupReport, RestoreError> {
    let location = Location::of(options)?;
    if location.access == Access::Read {
        return Err(DbError::new(DbErrorKind::ReadOnly, format!("{} is open for reading only", location.name()))
            .hint("restore with an address that allows writing")
            .into());
    }
    let (patience, from) = (Duration::from_millis(options.busy_timeout_ms), from.to_owned());
    on_thread(cancelled, progress, move |reins| {
        bring_back(&location, patience, &from, reins)
            .map_err(|failed| RestoreError { error: reins.explain(failed.error), ..failed })
    })
    .await
}

/// How the work is told to end, and tells how far it is.
struct Reins {
    stopped: Arc<AtomicBool>,
    progress: Box<dyn FnMut(u64, u64) -> ControlFlow<()> + Send>,
}

impl Reins {
    /// Lets a connection wait for others, and end what it does once the work is cancelled.
    fn put_on(&self, connection: &mut Connection, patience: Duration) -> rusqlite::Result<()> {
        wait_for_writers(connection, &Patience::new(Some(patience)), &self.stopped)?;
        let stopped = Arc::clone(&self.stopped);
        connection.progress_handler(INSTRUCTIONS_PER_LOOK, Some(move || stopped.load(Ordering::SeqCst)))
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// A wait for others that was cancelled looks to SQLite like one that was too long.
    fn explain(&self, error: DbError) -> DbError {
        if error.kind == DbErrorKind::LockTimeout && self.is_stopped() { cancelled_copy() } else { error }
    }

    fn tell(&mut self, done: u64, total: u64) -> Result<(), DbError> {
        if self.is_stopped() || (self.progress)(done, total).is_break() { Err(cancelled_copy()) } else { Ok(()) }
    }
}

fn cancelled_copy() -> DbError {
    DbError::new(DbErrorKind::Cancelled, "the copy was cancelled")
}

/// Runs the work on a thread of its own and waits for its end, which comes early where it is cancelled.
async fn on_thread<E: From<DbError> + Send + 'static>(
    cancelled: impl Future<Output = ()>,
    progress: impl FnMut(u64, u64) -> ControlFlow<()> + Send + 'static,
    work: impl FnOnce(&mut Reins) -> Result<BackupReport, E> + Send + 'static,
) -> Result<BackupReport, E> {
    struct StopOnDrop(Arc<AtomicBool>);
    impl Drop for StopOnDrop {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let stopped = Arc::new(AtomicBool::new(false));
    let guard = StopOnDrop(Arc::clone(&stopped));
    let (answer, mut result) = oneshot::channel();
    let run = move || {
        let _ = answer.send(work(&mut Reins { stopped, progress: Box::new(progress) }));
    };
    std::thread::Builder::new().name("limosa-backup".to_owned()).spawn(run).map_err(|error| {
        DbError::new(DbErrorKind::Resources, format!("no thread for the backup could be started: {error}"))
    })?;
    let ended = tokio::select! {
        biased;
        ended = &mut result => ended,
        () = cancelled => {
            guard.0.store(true, Ordering::SeqCst);
            // Half a file is gone, and half a transaction rolled back, only once the thread is done.
            result.await
        }
    };
    drop(guard);
    let gone = || DbError::new(DbErrorKind::ConnectionLost, "the thread of the backup has ended unexpectedly");
    ended.unwrap_or_else(|_| Err(gone().into()))
}

fn back_up(location: &Location, patience: Duration, to: &Path, reins: &mut Reins) -> Result<BackupReport, DbError> {
    let Some(file) = location.file() else {
        return Err(DbError::new(DbErrorKind::Configuration, "a database in memory cannot be backed up")
            .hint("use a database in a file"));
    };
    let name = location.name();
    let source = open_to_read(location, patience, reins)?;
    let new = NewFile::create(to, Some(file))?;
    let shown = to.display().to_string();
    let mut target = open_partial(new.partial(), &shown, reins)?;
    // A reader of a WAL file disturbs no writer, so one moment can be held from the start.
    let wal = source.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0)).map(|mode| mode == "wal");
    if wal.map_err(|error| database_error(&error, &name))? {
        hold(&source).map_err(|error| database_error(&error, &name))?;
    }
    copy(&source, &mut target, &shown, reins)?;
    check(&target, &format!("the copy of {name}"), "look at the database itself with PRAGMA integrity_check")?;
    drop(target);
    if reins.is_stopped() {
        return Err(cancelled_copy());
    }
    Ok(BackupReport { bytes: new.keep()? })
}

/// Reads without writing; but a connection that may write removes the files beside a WAL database when it closes.
fn open_to_read(location: &Location, patience: Duration, reins: &Reins) -> Result<Connection, DbError> {
    match open(location, |connection| reins.put_on(connection, patience)) {
        Err(error) if error.kind == DbErrorKind::ReadOnly && location.access != Access::Read => {
            let location = Location { access: Access::Read, ..location.clone() };
            open(&location, |connection| reins.put_on(connection, patience))
        }
        opened => opened,
    }
}

fn bring_back(
    location: &Location,
    patience: Duration,
    from: &Path,
    reins: &mut Reins,
) -> Result<BackupReport, RestoreError> {
    if location.file().is_none() {
        return Err(DbError::new(DbErrorKind::Configuration, "a backup cannot be restored into a database in memory")
            .hint("use a database in a file")
            .into());
    }
    let shown = from.display().to_string();
    let source = open_backup(from, &shown, patience, reins)?;
    check(&source, &shown, "look for another backup; nothing was changed")?;
    let name = location.name();
    let mut target =
        open(location, |connection| reins.put_on(connection, patience)).map_err(|error| damaged(error, from))?;
    in_matching_mode(&source, &mut target, &name, reins)?;
    check(&target, &name, "the backup was whole, so check the disk, then restore again")
        .map_err(|error| RestoreError { standing: Standing::Restored, error })?;
    let bytes = std::fs::metadata(from).map(|found| found.len()).unwrap_or_default();
    Ok(BackupReport { bytes })
}

/// SQLite cannot change the page size of a WAL file, so such a file leaves WAL for the time.
fn in_matching_mode(
    source: &Connection,
    target: &mut Connection,
    name: &str,
    reins: &mut Reins,
) -> Result<(), DbError> {
    let error = |error: rusqlite::Error| database_error(&error, name);
    let page_size = |connection: &Connection| connection.query_row("PRAGMA page_size", [], |row| row.get::<_, i64>(0));
    let mode: String = target.query_row("PRAGMA journal_mode", [], |row| row.get(0)).map_err(error)?;
    if mode != "wal" || page_size(source).map_err(error)? == page_size(target).map_err(error)? {
        return copy(source, target, name, reins);
    }
    target.execute_batch("PRAGMA journal_mode = DELETE").map_err(error)?;
    let copied = copy(source, target, name, reins);
    if copied.is_err() {
        // The old content stays, and so does its way of writing. What went wrong first is what counts.
        let _ = target.execute_batch("PRAGMA journal_mode = WAL");
    }
    copied
}

/// Copies all pages. `name` is the target's, for errors.
fn copy(source: &Connection, target: &mut Connection, name: &str, reins: &mut Reins) -> Result<(), DbError> {
    let error = |error: rusqlite::Error| database_error(&error, name);
    let backup = Backup::new(source, target).map_err(error)?;
    let (mut least, mut restarts) = (i32::MAX, 0);
    loop {
        let step = backup.step(PAGES_PER_STEP).map_err(error)?;
        let now = backup.progress();
        // Once the last page is in, the copy stands, whatever is asked for.
        let told = reins.tell(pages(now.pagecount - now.remaining), pages(now.pagecount));
        if step != StepResult::Done {
            told?;
        }
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More if now.remaining >= least => {
                // Nothing was gained: somebody wrote, and SQLite has begun again.
                restarts += 1;
                if restarts == RESTARTS {
                    hold(source).map_err(error)?;
                }
            }
            StepResult::More => {}
            _ => {
                let mut busy = DbError::new(DbErrorKind::LockTimeout, "database is locked")
                    .hint("another connection holds the database; end its transaction, or wait longer");
                busy.code = Some("SQLITE_BUSY".to_owned());
                return Err(busy);
            }
        }
        least = now.remaining;
    }
}

fn pages(number: i32) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// Begins reading and does not end it, so that what is read stays the same.
fn hold(source: &Connection) -> rusqlite::Result<()> {
    source.execute_batch("BEGIN")?;
    source.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

/// The temporary file needs no journal: where the copy fails, it goes.
fn open_partial(path: &Path, shown: &str, reins: &Reins) -> Result<Connection, DbError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(absolute(path)?, flags);
    let prepared = opened.and_then(|mut connection| {
        reins.put_on(&mut connection, Duration::ZERO)?;
        connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
        Ok(connection)
    });
    prepared.map_err(|error| database_error(&error, shown))
}

fn open_backup(from: &Path, shown: &str, patience: Duration, reins: &Reins) -> Result<Connection, DbError> {
    let mut magic = [0; 16];
    let read = File::open(from).and_then(|mut file| file.read_exact(&mut magic));
    match read {
        Ok(()) if &magic == MAGIC => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(DbError::new(DbErrorKind::DatabaseMissing, format!("the backup {shown} does not exist"))
                .hint("check the path"));
        }
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Err(lacks_rights(from)),
        Ok(()) | Err(_) => {
            return Err(DbError::new(DbErrorKind::Statement, format!("{shown} is not a SQLite database"))
                .hint("check the path; nothing was changed"));
        }
    }
    let location =
        Location { place: Place::File(from.to_owned()), access: Access::Read, has_double_quoted_strings: false };
    open(&location, |connection| reins.put_on(connection, patience))
}

/// SQLite's own look at every page and every index entry's place.
fn check(connection: &Connection, shown: &str, hint: &str) -> Result<(), DbError> {
    // A schema may use strings in double quotes, which the check would otherwise call a fault.
    let looked = connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, true)
        .and_then(|_| connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)));
    let found = looked.map_err(|error| database_error(&error, shown))?;
    if found == "ok" {
        return Ok(());
    }
    let mut error = DbError::new(DbErrorKind::Statement, format!("{shown} is a damaged database")).hint(hint);
    error.detail = Some(found);
    Err(error)
}

/// A damaged database cannot take the backup in; a new file can.
fn damaged(mut error: DbError, from: &Path) -> DbError {
    if matches!(error.code.as_deref(), Some(code) if code == "SQLITE_NOTADB" || code.starts_with("SQLITE_CORRUPT")) {
        error.hint = Some(format!(
            "move the damaged file away, with its -journal, -wal and -shm files; then restore {} again",
            from.display()
        ));
    }
    error
}

/// The library would read a relative `file:...` as a URI.
fn absolute(path: &Path) -> Result<PathBuf, DbError> {
    std::path::absolute(path).map_err(|error| {
        DbError::new(DbErrorKind::Configuration, format!("the path {} cannot be used: {error}", path.display()))
    })
}
