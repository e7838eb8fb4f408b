//! Backups: SQLite's own backup, `pg_dump`, or `mariadb-dump` and `mysqldump`; and the way back.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use limosa_db::backup::{RestoreError, Standing};
use limosa_db::{DbError, DbErrorKind, ServerFacts};
use limosa_run::Stop;
use limosa_sql::Engine;
#[cfg(feature = "sqlite")]
use tokio::sync::watch;

use crate::commands::stopped;
use crate::event::{CopyKind, CopyUnit, Copying, Listener, Progress};
use crate::opened::{Opened, Purpose, options};
use crate::{Configuration, Exit, Failure};

/// How much later than a tool of the server's this process may hear the same Ctrl-C.
const SIGNAL_LATE: Duration = Duration::from_secs(1);

/// What is backed up, or brought back.
pub(crate) struct Subject<'c> {
    configuration: &'c Configuration,
    engine: Engine,
    database: String,
    server: ServerFacts,
}

impl<'c> Subject<'c> {
    /// The database of a session.
    pub(crate) fn of(opened: &Opened<'c>) -> Self {
        Subject {
            configuration: opened.configuration,
            engine: opened.target.engine,
            database: opened.target.database.clone(),
            server: opened.session.facts().clone(),
        }
    }
}

/// What a backup is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// A run, which does not begin where the backup fails.
    Run,
    /// Nothing that limosa knows of.
    Nothing,
}

/// Makes a backup; gives its path.
///
/// # Errors
/// Whatever stands in its way, and a signal to stop: no file is left then, and the run does not begin.
pub(crate) async fn make(
    of: &Subject<'_>,
    listener: &dyn Listener,
    stop: &Stop,
    before: Before,
) -> Result<String, Failure> {
    let folder = &of.configuration.backup_directory;
    std::fs::create_dir_all(folder).map_err(|error| {
        let message = format!("the backup folder {} cannot be made: {error}", folder.display());
        Failure::usage("LIM-U060", message, "choose another: --backup-dir")
    })?;
    let path = fresh(folder, of);
    listener.progress(Progress::Note(format!("backup to {}", path.display())));
    let began = Instant::now();
    let written = write(of, &path, listener, stop).await;
    let done = written.is_ok();
    listener.progress(Progress::CopyEnded { what: CopyKind::Backup, done, elapsed: began.elapsed() });
    let run = if before == Before::Run { ", so nothing was run" } else { "" };
    match written {
        Ok(()) => Ok(path.display().to_string()),
        Err(error) if was_stopped(&error, stop).await => {
            Err(stopped(&format!("the backup was stopped and its file removed{run}")))
        }
        Err(error) => Err(refused(error, &format!("the backup failed{run}"))),
    }
}

/// True where the work ended because somebody asked for it. A tool of the server's hears Ctrl-C by itself, and may be quicker.
async fn was_stopped(error: &DbError, stop: &Stop) -> bool {
    error.kind == DbErrorKind::Cancelled && tokio::time::timeout(SIGNAL_LATE, stop.asked()).await.is_ok()
}

fn refused(error: DbError, what: &str) -> Failure {
    let mut failure = Failure::from(error);
    for diagnostic in &mut failure.diagnostics {
        diagnostic.message = format!("{what}: {}", diagnostic.message);
    }
    failure
}

/// A path that sorts by time and tells what it is a backup of. Where the clock was set back since the newest one, its time is
/// taken again: a later backup is always the newer one.
fn fresh(folder: &Path, of: &Subject<'_>) -> PathBuf {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let (start, ending) = frame(of);
    let now = crate::clock::stamp(now);
    let (stamp, mut count) = match newest_of(of) {
        Some((stamp, count, _)) if stamp >= now => (stamp, count + 1),
        _ => (now, 1),
    };
    loop {
        let number = if count == 1 { String::new() } else { format!("_{count}") };
        let path = folder.join(format!("{start}{stamp}{number}.{ending}"));
        if !path.exists() {
            return path;
        }
        count += 1;
    }
}

/// What stands before and behind the time in the names of this database's backups.
fn frame(of: &Subject<'_>) -> (String, &'static str) {
    let stem = Path::new(&of.database).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let stem: String = stem.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    let ending = match of.engine {
        Engine::Sqlite => "db",
        Engine::Mysql => "sql",
        _ => "dump",
    };
    (format!("{stem}-"), ending)
}

/// The programs of PostgreSQL's own, told how to connect.
#[cfg(feature = "postgres")]
pub(crate) fn tools<'a>(
    of: &'a Subject<'_>,
    options: &'a limosa_db::ConnectOptions,
    connection: &'a [(String, limosa_db::Secret)],
) -> limosa_db::backup::postgres::PostgresTools<'a> {
    limosa_db::backup::postgres::PostgresTools {
        folder: None,
        environment: &options.environment,
        connection,
        role: of.configuration.role.as_deref(),
        server_version: of.server.version_number,
        lock_timeout: Duration::from_millis(of.configuration.limits.lock_timeout_ms),
    }
}

/// The programs of MariaDB's or MySQL's own, told how to connect.
#[cfg(feature = "mysql")]
pub(crate) fn mysql_tools<'a>(
    of: &'a Subject<'_>,
    options: &'a limosa_db::ConnectOptions,
    connection: &'a limosa_db::engines::mysql::ClientOptions,
    unfinished: &'a str,
) -> limosa_db::backup::mysql::MysqlTools<'a> {
    use limosa_db::engines::mysql::Flavor;
    limosa_db::backup::mysql::MysqlTools {
        folder: None,
        environment: &options.environment,
        connection,
        role: of.configuration.role.as_deref(),
        flavor: if of.server.is_mariadb() { Flavor::MariaDb } else { Flavor::Mysql },
        server_version: of.server.version_number,
        unfinished,
        lock_timeout: Duration::from_millis(of.configuration.limits.lock_timeout_ms),
    }
}

/// The table that stands while a restore is under way.
#[cfg(feature = "mysql")]
pub(crate) fn mark_of_restore(of: &Subject<'_>) -> String {
    format!("{}_{}", of.configuration.ledger_schema, limosa_db::ledger::UNFINISHED)
}

async fn write(of: &Subject<'_>, path: &Path, listener: &dyn Listener, stop: &Stop) -> Result<(), DbError> {
    let options = options(of.configuration, Purpose::Change);
    let copying = Teller { listener, what: CopyKind::Backup };
    copying.begin(of.engine);
    match of.engine {
        #[cfg(feature = "sqlite")]
        Engine::Sqlite => {
            let (tell, told) = watch::channel((0, 0));
            let work = limosa_db::backup::sqlite::backup(&options, path, stop.asked(), pages_into(tell));
            copying.pages(told, work).await.map(|_| ())
        }
        #[cfg(feature = "postgres")]
        Engine::Postgres => {
            let connection = limosa_db::engines::postgres::libpq_environment(&options)?;
            let tools = tools(of, &options, &connection);
            let progress = |done| copying.bytes(done, None);
            limosa_db::backup::postgres::backup(&tools, path, stop.asked(), progress).await.map(|_| ())
        }
        #[cfg(feature = "mysql")]
        Engine::Mysql => {
            let connection = limosa_db::engines::mysql::ClientOptions::read(&options)?;
            let mark = mark_of_restore(of);
            let tools = mysql_tools(of, &options, &connection, &mark);
            let progress = |done| copying.bytes(done, None);
            let report = limosa_db::backup::mysql::backup(&tools, path, stop.asked(), progress).await?;
            for warning in report.warnings {
                let hint = warning.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                listener.progress(Progress::Note(format!("warning: {}{hint}", warning.message)));
            }
            Ok(())
        }
        #[allow(unreachable_patterns, reason = "reached only where an engine was left out of the build")]
        engine => Err(not_built(engine)),
    }
}

/// Brings a database back to a backup.
///
/// # Errors
/// Whatever stands in its way, and a signal to stop; the words say what stands.
pub(crate) async fn bring_back(
    of: &Subject<'_>,
    from: &Path,
    listener: &dyn Listener,
    stop: &Stop,
) -> Result<(), Failure> {
    listener.progress(Progress::Note(format!("restoring from {}", from.display())));
    let began = Instant::now();
    let read = read(of, from, listener, stop).await;
    let done = read.is_ok();
    listener.progress(Progress::CopyEnded { what: CopyKind::Restore, done, elapsed: began.elapsed() });
    let Err(RestoreError { standing, error }) = read else { return Ok(()) };
    let stands = match standing {
        Standing::Unchanged => "nothing was changed".to_owned(),
        Standing::Restored => format!("the database is restored from {}, but", from.display()),
        Standing::Partial => {
            "the restore ended in the middle, so the database is neither what it was nor the backup".to_owned()
        }
        Standing::Unknown => "it is not known whether the restore took effect".to_owned(),
    };
    let mut failure = if was_stopped(&error, stop).await {
        stopped(&match standing {
            Standing::Unchanged => "the restore was cancelled and rolled back; nothing was changed".to_owned(),
            Standing::Restored => format!("{stands} the look through the result was stopped"),
            Standing::Partial => format!("{stands}; restore again: limosa restore {}", from.display()),
            Standing::Unknown => format!("{stands}; see limosa status"),
        })
    } else {
        let between = if standing == Standing::Restored { "" } else { ":" };
        let mut failure = refused(error, "");
        for diagnostic in &mut failure.diagnostics {
            diagnostic.message = format!("{stands}{between} {}", diagnostic.message.trim_start_matches(": "));
        }
        failure
    };
    if standing == Standing::Partial {
        failure.exit = Exit::Person;
    }
    Err(failure)
}

async fn read(of: &Subject<'_>, from: &Path, listener: &dyn Listener, stop: &Stop) -> Result<(), RestoreError> {
    let options = options(of.configuration, Purpose::Write);
    let copying = Teller { listener, what: CopyKind::Restore };
    copying.begin(of.engine);
    match of.engine {
        #[cfg(feature = "sqlite")]
        Engine::Sqlite => {
            let (tell, told) = watch::channel((0, 0));
            let work = limosa_db::backup::sqlite::restore(&options, from, stop.asked(), pages_into(tell));
            copying.pages(told, work).await.map(|_| ())
        }
        #[cfg(feature = "postgres")]
        Engine::Postgres => {
            let connection = limosa_db::engines::postgres::libpq_environment(&options)?;
            let tools = tools(of, &options, &connection);
            let progress = |done| copying.bytes(done, None);
            limosa_db::backup::postgres::restore(&tools, from, stop.asked(), progress).await.map(|_| ())
        }
        #[cfg(feature = "mysql")]
        Engine::Mysql => {
            let connection = limosa_db::engines::mysql::ClientOptions::read(&options)?;
            let mark = mark_of_restore(of);
            let tools = mysql_tools(of, &options, &connection, &mark);
            // The script that the server is given is the file itself.
            let total = std::fs::metadata(from).ok().map(|found| found.len());
            let progress = |done| copying.bytes(done, total);
            limosa_db::backup::mysql::restore(&tools, from, stop.asked(), progress).await.map(|_| ())
        }
        #[allow(unreachable_patterns, reason = "reached only where an engine was left out of the build")]
        engine => Err(not_built(engine).into()),
    }
}

/// Tells how far a copy is.
struct Teller<'l> {
    listener: &'l dyn Listener,
    what: CopyKind,
}

impl Teller<'_> {
    fn begin(&self, engine: Engine) {
        let unit = if engine == Engine::Sqlite { CopyUnit::Pages } else { CopyUnit::Bytes };
        self.listener.progress(Progress::Copying(Copying { what: self.what, unit, done: 0, total: None }));
    }

    #[cfg(any(feature = "postgres", feature = "mysql"))]
    fn bytes(&self, done: u64, total: Option<u64>) {
        let copying = Copying { what: self.what, unit: CopyUnit::Bytes, done, total };
        self.listener.progress(Progress::Copying(copying));
    }

    /// Awaits the work, whose thread says how far it is.
    #[cfg(feature = "sqlite")]
    async fn pages<T>(&self, mut told: watch::Receiver<(u64, u64)>, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                Ok(()) = told.changed() => {
                    let (done, total) = *told.borrow_and_update();
                    let copying = Copying { what: self.what, unit: CopyUnit::Pages, done, total: Some(total) };
                    self.listener.progress(Progress::Copying(copying));
                }
            }
        }
    }
}

/// Only the newest counts: who hears it is slower than who tells it.
#[cfg(feature = "sqlite")]
fn pages_into(tell: watch::Sender<(u64, u64)>) -> impl FnMut(u64, u64) -> std::ops::ControlFlow<()> + Send + 'static {
    move |done, total| {
        tell.send_replace((done, total));
        std::ops::ControlFlow::Continue(())
    }
}

#[allow(dead_code, reason = "used only where an engine was left out of the build")]
pub(crate) fn not_built(engine: Engine) -> DbError {
    DbError::new(limosa_db::DbErrorKind::Configuration, format!("this limosa was built without {}", engine.title()))
}

/// The newest backup of this database in its folder.
pub(crate) fn newest(of: &Subject<'_>) -> Option<PathBuf> {
    newest_of(of).map(|(_, _, path)| path)
}

/// Its time and its number among those of the same time, from 1, and its path.
fn newest_of(of: &Subject<'_>) -> Option<(String, u64, PathBuf)> {
    let (start, ending) = frame(of);
    let place = |path: PathBuf| {
        let name = path.file_name()?.to_str()?;
        let rest = name.strip_prefix(&start)?.strip_suffix(&format!(".{ending}"))?;
        let (stamp, number) = rest.split_once('_').unwrap_or((rest, "1"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = Some(number).filter(|number| digits(number)).and_then(|number| number.parse().ok())?;
        (stamp.len() == 14 && digits(stamp)).then(|| (stamp.to_owned(), number, path.clone()))
    };
    let entries = std::fs::read_dir(&of.configuration.backup_directory).ok()?;
    entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).filter_map(place).max()
}
