//! Backups: SQLite's own backup, or `pg_dump`; and the way back.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use limosa_db::DbError;
use limosa_sql::Engine;

use crate::Failure;
use crate::event::{Listener, Progress};
use crate::opened::{Opened, Purpose, options};

/// Makes a backup; gives its path.
///
/// # Errors
/// Whatever stands in its way: the run does not begin then.
pub(crate) async fn make(opened: &Opened<'_>, listener: &dyn Listener) -> Result<String, Failure> {
    let folder = &opened.configuration.backup_directory;
    std::fs::create_dir_all(folder).map_err(|error| {
        let message = format!("the backup folder {} cannot be made: {error}", folder.display());
        Failure::usage("LIM-U060", message, "choose another: --backup-dir")
    })?;
    let path = folder.join(name(opened));
    listener.progress(Progress::Note(format!("backup to {}", path.display())));
    write(opened, &path).await.map_err(|error| refused(error, "the backup failed, so nothing was run"))?;
    Ok(path.display().to_string())
}

fn refused(error: DbError, what: &str) -> Failure {
    let mut failure = Failure::from(error);
    for diagnostic in &mut failure.diagnostics {
        diagnostic.message = format!("{what}: {}", diagnostic.message);
    }
    failure
}

/// A name that sorts by time and tells what it is a backup of.
fn name(opened: &Opened<'_>) -> String {
    let stem = Path::new(&opened.target.database).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let stem: String = stem.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    let ending = if opened.target.engine == Engine::Sqlite { "db" } else { "dump" };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{stem}-{}.{ending}", crate::clock::stamp(now))
}

async fn write(opened: &Opened<'_>, path: &Path) -> Result<(), DbError> {
    let options = options(opened.configuration, Purpose::Write);
    match opened.target.engine {
        #[cfg(feature = "sqlite")]
        Engine::Sqlite => {
            limosa_db::backup::sqlite::backup(&options, path, |_, _| ControlFlow::Continue(())).await.map(|_| ())
        }
        #[cfg(feature = "postgres")]
        Engine::Postgres => {
            let connection = limosa_db::engines::postgres::libpq_environment(&options)?;
            let tools = limosa_db::backup::postgres::PostgresTools {
                folder: None,
                environment: &options.environment,
                connection: &connection,
                role: opened.configuration.role.as_deref(),
                server_version: opened.session.facts().version_number,
                lock_timeout: std::time::Duration::from_millis(opened.configuration.limits.lock_timeout_ms),
            };
            limosa_db::backup::postgres::backup(&tools, path, std::future::pending()).await.map(|_| ())
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
pub(crate) async fn bring_back(opened: &Opened<'_>, from: &Path, listener: &dyn Listener) -> Result<(), Failure> {
    listener.progress(Progress::Note(format!("restoring from {}", from.display())));
    let options = options(opened.configuration, Purpose::Write);
    let done = match opened.target.engine {
        #[cfg(feature = "sqlite")]
        Engine::Sqlite => {
            limosa_db::backup::sqlite::restore(&options, from, |_, _| ControlFlow::Continue(())).await.map(|_| ())
        }
        #[cfg(feature = "postgres")]
        Engine::Postgres => {
            let connection = limosa_db::engines::postgres::libpq_environment(&options)?;
            let tools = limosa_db::backup::postgres::PostgresTools {
                folder: None,
                environment: &options.environment,
                connection: &connection,
                role: opened.configuration.role.as_deref(),
                server_version: opened.session.facts().version_number,
                lock_timeout: std::time::Duration::from_millis(opened.configuration.limits.lock_timeout_ms),
            };
            limosa_db::backup::postgres::restore(&tools, from, std::future::pending()).await.map(|_| ())
        }
        #[allow(unreachable_patterns, reason = "reached only where an engine was left out of the build")]
        engine => Err(not_built(engine)),
    };
    done.map_err(|error| refused(error, "nothing was changed"))
}

/// Backups in the folder, oldest first.
pub(crate) fn found(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect();
    paths.sort();
    paths
}
