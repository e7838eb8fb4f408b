//! Backups: SQLite's own backup, `pg_dump`, or `mariadb-dump` and `mysqldump`; and the way back.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use limosa_db::backup::{RestoreError, Standing};
use limosa_db::{DbError, ServerFacts};
use limosa_sql::Engine;

use crate::event::{Listener, Progress};
use crate::opened::{Opened, Purpose, options};
use crate::{Configuration, Failure};

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

/// Makes a backup; gives its path.
///
/// # Errors
/// Whatever stands in its way: the run does not begin then.
pub(crate) async fn make(of: &Subject<'_>, listener: &dyn Listener) -> Result<String, Failure> {
    let folder = &of.configuration.backup_directory;
    std::fs::create_dir_all(folder).map_err(|error| {
        let message = format!("the backup folder {} cannot be made: {error}", folder.display());
        Failure::usage("LIM-U060", message, "choose another: --backup-dir")
    })?;
    let path = fresh(folder, of);
    listener.progress(Progress::Note(format!("backup to {}", path.display())));
    write(of, &path, listener).await.map_err(|error| refused(error, "the backup failed, so nothing was run"))?;
    Ok(path.display().to_string())
}

fn refused(error: DbError, what: &str) -> Failure {
    let mut failure = Failure::from(error);
    for diagnostic in &mut failure.diagnostics {
        diagnostic.message = format!("{what}: {}", diagnostic.message);
    }
    failure
}

/// A path that sorts by time and tells what it is a backup of.
fn fresh(folder: &Path, of: &Subject<'_>) -> PathBuf {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let (start, ending) = frame(of);
    let stamp = crate::clock::stamp(now);
    let mut path = folder.join(format!("{start}{stamp}.{ending}"));
    // '_' sorts behind '.', so a second backup of the same second is the newer one.
    let mut count = 1;
    while path.exists() {
        count += 1;
        path = folder.join(format!("{start}{stamp}_{count}.{ending}"));
    }
    path
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
fn tools<'a>(
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
        lock_timeout: std::time::Duration::from_millis(of.configuration.limits.lock_timeout_ms),
    }
}

/// The programs of MariaDB's or MySQL's own, told how to connect.
#[cfg(feature = "mysql")]
fn mysql_tools<'a>(
    of: &'a Subject<'_>,
    options: &'a limosa_db::ConnectOptions,
    connection: &'a limosa_db::engines::mysql::ClientOptions,
) -> limosa_db::backup::mysql::MysqlTools<'a> {
    use limosa_db::engines::mysql::Flavor;
    limosa_db::backup::mysql::MysqlTools {
        folder: None,
        environment: &options.environment,
        connection,
        role: of.configuration.role.as_deref(),
        flavor: if of.server.is_mariadb() { Flavor::MariaDb } else { Flavor::Mysql },
        server_version: of.server.version_number,
        lock_timeout: std::time::Duration::from_millis(of.configuration.limits.lock_timeout_ms),
    }
}

async fn write(of: &Subject<'_>, path: &Path, listener: &dyn Listener) -> Result<(), DbError> {
    let options = options(of.configuration, Purpose::Change);
    match of.engine {
        #[cfg(feature = "sqlite")]
        Engine::Sqlite => {
            limosa_db::backup::sqlite::backup(&options, path, |_, _| ControlFlow::Continue(())).await.map(|_| ())
        }
        #[cfg(feature = "postgres")]
        Engine::Postgres => {
            let connection = limosa_db::engines::postgres::libpq_environment(&options)?;
            let tools = tools(of, &options, &connection);
            limosa_db::backup::postgres::backup(&tools, path, std::future::pending()).await.map(|_| ())
        }
        #[cfg(feature = "mysql")]
        Engine::Mysql => {
            let connection = limosa_db::engines::mysql::ClientOptions::read(&options)?;
            let tools = mysql_tools(of, &options, &connection);
            let report = limosa_db::backup::mysql::backup(&tools, path, std::future::pending(), |_| {}).await?;
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

#[allow(dead_code, reason = "used only where an engine was left out of the build")]
fn not_built(engine: Engine) -> DbError {
    DbError::new(limosa_db::DbErrorKind::Configuration, format!("this limosa was built without {}", engine.title()))
}

/// Brings a database back to a backup.
pub(crate) async fn bring_back(of: &Subject<'_>, from: &Path, listener: &dyn Listener) -> Result<(), Failure> {
    listener.progress(Progress::Note(format!("restoring from {}", from.display())));
    let Err(RestoreError { standing, error }) = read(of, from).await else { return Ok(()) };
    let stands = match standing {
        Standing::Unchanged => "nothing was changed".to_owned(),
        Standing::Restored => format!("the database is restored from {}, but not all is well", from.display()),
        Standing::Partial => {
            "the restore failed in the middle, so the database is neither what it was nor the backup".to_owned()
        }
        Standing::Unknown => "it is not known whether the restore took effect".to_owned(),
    };
    Err(refused(error, &stands))
}

async fn read(of: &Subject<'_>, from: &Path) -> Result<(), RestoreError> {
    let options = options(of.configuration, Purpose::Write);
    match of.engine {
        #[cfg(feature = "sqlite")]
        Engine::Sqlite => {
            limosa_db::backup::sqlite::restore(&options, from, |_, _| ControlFlow::Continue(())).await?;
            Ok(())
        }
        #[cfg(feature = "postgres")]
        Engine::Postgres => {
            let connection = limosa_db::engines::postgres::libpq_environment(&options)?;
            let tools = tools(of, &options, &connection);
            limosa_db::backup::postgres::restore(&tools, from, std::future::pending()).await?;
            Ok(())
        }
        #[cfg(feature = "mysql")]
        Engine::Mysql => {
            let connection = limosa_db::engines::mysql::ClientOptions::read(&options)?;
            let tools = mysql_tools(of, &options, &connection);
            limosa_db::backup::mysql::restore(&tools, from, std::future::pending(), |_| {}).await?;
            Ok(())
        }
        #[allow(unreachable_patterns, reason = "reached only where an engine was left out of the build")]
        engine => Err(not_built(engine).into()),
    }
}

/// The newest backup of this database in its folder.
pub(crate) fn newest(of: &Subject<'_>) -> Option<PathBuf> {
    let (start, ending) = frame(of);
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let rest = name.strip_prefix(&start).and_then(|rest| rest.strip_suffix(&format!(".{ending}")));
        rest.is_some_and(|time| time.len() >= 14 && time.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_'))
    };
    let entries = std::fs::read_dir(&of.configuration.backup_directory).ok()?;
    entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file() && is_ours(path)).max()
}
