//! Backup of a PostgreSQL database by `pg_dump` in its custom format, and the way back by `pg_restore`.
//!
//! The tools must be as new as the server or newer; of several in PATH, those of the server's own major version are taken.
//! How to connect reaches them in their environment only, so that no secret stands in a list of processes.
//!
//! Limit: `pg_restore --clean` drops what the backup holds. What was made after the backup stays, and where it depends on
//! something that the backup holds (a new foreign key, a view), the restore fails and changes nothing.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::BackupReport;
use super::new_file::NewFile;
use crate::{DbError, DbErrorKind, Secret};

/// Bytes of a tool's complaints that are kept, from the end.
const COMPLAINT_BYTES: usize = 16 * 1024;

/// Where the tools are found and how they connect.
#[derive(Debug, Clone)]
pub struct PostgresTools<'a> {
    /// The folder that holds `pg_dump` and `pg_restore`; None to look in `PATH`.
    pub folder: Option<&'a Path>,
    /// The process environment. Its `PG*` variables are not passed on.
    pub environment: &'a BTreeMap<String, String>,
    /// `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGDATABASE`, `PGSSLMODE` and the like, complete.
    pub connection: &'a [(String, Secret)],
    /// The server's version number, such as 150018.
    pub server_version: u32,
}

/// Writes the database to the new file `to` in `pg_dump`'s custom format.
///
/// When `cancelled` ends first, the tool is killed; so it is when the returned future is dropped.
///
/// # Errors
/// [`DbErrorKind::Configuration`] where `to` exists or no fitting `pg_dump` is found; [`DbErrorKind::Cancelled`]; what the
/// tool says otherwise. No file is left behind then.
pub async fn backup(
    tools: &PostgresTools<'_>,
    to: &Path,
    cancelled: impl Future<Output = ()>,
) -> Result<BackupReport, DbError> {
    let program = tools.find("pg_dump").await?;
    let new = NewFile::create(to, None)?;
    let mut command = tools.command(&program);
    command.args(["--format=custom", "--no-password", "--file"]).arg(new.partial());
    run(command, "pg_dump", cancelled).await?;
    Ok(BackupReport { bytes: new.keep()? })
}

/// Brings the database back to the backup `from`, in one transaction: it is as before, or as it was then.
///
/// # Errors
/// [`DbErrorKind::DatabaseMissing`] where `from` is not there; [`DbErrorKind::Configuration`] where no fitting `pg_restore`
/// is found; [`DbErrorKind::Cancelled`]; what the tool says otherwise. Nothing was changed then.
pub async fn restore(
    tools: &PostgresTools<'_>,
    from: &Path,
    cancelled: impl Future<Output = ()>,
) -> Result<BackupReport, DbError> {
    let bytes = std::fs::metadata(from).map(|found| found.len()).map_err(|error| {
        DbError::new(DbErrorKind::DatabaseMissing, format!("the backup {} cannot be read: {error}", from.display()))
            .hint("check the path")
    })?;
    let program = tools.find("pg_restore").await?;
    let database = tools.connection.iter().find(|(name, _)| name == "PGDATABASE");
    let Some((_, database)) = database else {
        return Err(DbError::new(DbErrorKind::Configuration, "pg_restore needs the name of the database")
            .hint("name it in the URL"));
    };
    let mut command = tools.command(&program);
    command.args(["--clean", "--if-exists", "--single-transaction", "--exit-on-error", "--no-password"]);
    // Without a database pg_restore writes a script to its output. A name with `=` or `://` would be read as more.
    command.arg(format!("--dbname=dbname='{}'", database.expose().replace('\\', "\\\\").replace('\'', "\\'")));
    command.arg(from);
    run(command, "pg_restore", cancelled).await?;
    Ok(BackupReport { bytes })
}

impl PostgresTools<'_> {
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear();
        command.envs(self.environment.iter().filter(|(name, _)| !name.starts_with("PG")));
        // Its words are read for hints.
        command.env("LC_ALL", "C");
        command.envs(self.connection.iter().map(|(name, value)| (name, value.expose())));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// The tool of the server's major version, else the first that is newer.
    async fn find(&self, name: &str) -> Result<PathBuf, DbError> {
        let server = self.server_version / 10_000;
        let (mut newer, mut older) = (None, None);
        for program in self.candidates(name) {
            let Some((version, major)) = self.version(&program).await else { continue };
            match major {
                _ if major == server => return Ok(program),
                _ if major > server => newer = newer.or(Some(program)),
                _ => older = older.or(Some((program, version))),
            }
        }
        if let Some(program) = newer {
            return Ok(program);
        }
        let hint = format!("install the PostgreSQL {server} client tools, or name their folder");
        let message = match older {
            Some((program, version)) => {
                let program = program.display();
                format!(
                    "{program} has version {version}, the server has {}: {name} must not be older",
                    self.shown_version()
                )
            }
            None => match self.folder {
                Some(folder) => format!("no {name} that runs is in {}", folder.display()),
                None => format!("no {name} that runs was found in PATH"),
            },
        };
        Err(DbError::new(DbErrorKind::Configuration, message).hint(hint))
    }

    fn candidates(&self, name: &str) -> Vec<PathBuf> {
        if let Some(folder) = self.folder {
            return vec![folder.join(name)];
        }
        let path = self.environment.get("PATH").map(String::as_str).unwrap_or_default();
        let folders = std::env::split_paths(path).filter(|folder| folder.is_absolute());
        folders.map(|folder| folder.join(name)).filter(|program| program.is_file()).collect()
    }

    /// `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` gives `15.18` and 15; `17beta1` gives 17.
    async fn version(&self, program: &Path) -> Option<(String, u32)> {
        let output = self.command(program).arg("--version").stdout(Stdio::piped()).output().await.ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let version = text.split_once("(PostgreSQL) ")?.1.split_whitespace().next()?.to_owned();
        let digits = version.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(version.len());
        let major = version[..digits].parse().ok()?;
        Some((version, major))
    }

    fn shown_version(&self) -> String {
        format!("{}.{}", self.server_version / 10_000, self.server_version % 10_000)
    }
}

async fn run(mut command: Command, name: &str, cancelled: impl Future<Output = ()>) -> Result<(), DbError> {
    let mut child = command
        .spawn()
        .map_err(|error| DbError::new(DbErrorKind::Resources, format!("{name} could not be started: {error}")))?;
    let stderr = child.stderr.take();
    let work = async {
        let complaint = match stderr {
            Some(stderr) => last_words(stderr).await,
            None => String::new(),
        };
        (child.wait().await, complaint)
    };
    let ended = tokio::select! {
        ended = work => Some(ended),
        () = cancelled => None,
    };
    let Some((status, complaint)) = ended else {
        kill(&mut child).await;
        return Err(DbError::new(DbErrorKind::Cancelled, format!("{name} was cancelled")));
    };
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failure(name, status, &complaint)),
        Err(error) => Err(DbError::new(DbErrorKind::Resources, format!("{name} was lost: {error}"))),
    }
}

async fn kill(child: &mut Child) {
    // It may have ended meanwhile, which is as good.
    let _ = child.kill().await;
}

/// Reads to the end and keeps the end.
async fn last_words(mut from: impl AsyncRead + Unpin) -> String {
    let (mut kept, mut chunk) = (Vec::new(), vec![0; 4096]);
    while let Ok(length @ 1..) = from.read(&mut chunk).await {
        kept.extend_from_slice(&chunk[..length]);
        let surplus = kept.len().saturating_sub(COMPLAINT_BYTES);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

fn failure(name: &str, status: ExitStatus, complaint: &str) -> DbError {
    let says = |words: &str| complaint.contains(words);
    let (kind, hint) = if says("No space left on device") || says("File too large") {
        (DbErrorKind::Resources, "free some space on the disk of the backup")
    } else if says("password authentication failed") || says("no password supplied") {
        (DbErrorKind::Authentication, "check user and password")
    } else if says("permission denied") {
        (DbErrorKind::PermissionDenied, "use a role that may read, and for restoring own, every object of the database")
    } else if says("connection to server") {
        (DbErrorKind::CannotConnect, "check that the server runs and can be reached from here")
    } else if says("other objects depend on it") {
        (DbErrorKind::Statement, "drop what was made after the backup and depends on what it holds, then restore again")
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
