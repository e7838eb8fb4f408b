//! Backup of a PostgreSQL database by `pg_dump` in its custom format, and the way back by `pg_restore` and `psql`.
//!
//! The tools must be as new as the server or newer; of several in PATH, those of the server's own major version are taken.
//! How to connect reaches them in their environment only, so that no secret stands in a list of processes.
//!
//! `pg_restore --clean` alone drops only what the backup holds, and fails where something made after the backup depends on
//! it (a new table with a foreign key, a new view). So every table, view, sequence, routine and type goes first, then
//! `pg_restore` writes its script, all in one transaction that `psql` runs. What stays although it was made after the
//! backup: extensions, and rarer objects such as casts, operators, publications and event triggers.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use limosa_sql::Engine;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::BackupReport;
use super::new_file::NewFile;
use crate::{DbError, DbErrorKind, Secret};

/// Bytes of a tool's complaints that are kept, from the end.
const COMPLAINT_BYTES: usize = 16 * 1024;

/// Empties the database but for extensions and their members. Schemas that are still needed stay.
const CLEAR: &str = include_str!("clear_postgres.sql");

/// Where the tools are found and how they connect.
#[derive(Debug, Clone)]
pub struct PostgresTools<'a> {
    /// The folder that holds `pg_dump`, `pg_restore` and `psql`; None to look in `PATH`.
    pub folder: Option<&'a Path>,
    /// The process environment. Its `PG*` variables are not passed on.
    pub environment: &'a BTreeMap<String, String>,
    /// `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGDATABASE`, `PGSSLMODE` and the like, complete.
    pub connection: &'a [(String, Secret)],
    /// The role to take on after connecting.
    pub role: Option<&'a str>,
    /// The server's version number, such as 150018.
    pub server_version: u32,
    /// How long to wait for a lock that somebody else holds on a table.
    pub lock_timeout: Duration,
}

/// Writes the database to the new file `to` in `pg_dump`'s custom format.
///
/// When `cancelled` ends first, the tool is killed; so it is when the returned future is dropped.
///
/// # Errors
/// [`DbErrorKind::Configuration`] where `to` exists or no fitting `pg_dump` is found; [`DbErrorKind::LockTimeout`];
/// [`DbErrorKind::Cancelled`]; what the tool says otherwise. No file is left behind then.
pub async fn backup(
    tools: &PostgresTools<'_>,
    to: &Path,
    cancelled: impl Future<Output = ()>,
) -> Result<BackupReport, DbError> {
    let program = tools.find("pg_dump").await?;
    let new = NewFile::create(to, None)?;
    let mut command = tools.connecting(&program);
    command.args(["--format=custom", "--no-password"]);
    command.arg(format!("--lock-wait-timeout={}", tools.lock_timeout.as_millis()));
    command.args(tools.role.map(|role| format!("--role={role}")));
    command.arg("--file").arg(new.partial());
    let mut dump = start(command, "pg_dump")?;
    let ended = until(cancelled, dump.end()).await;
    let Some(status) = ended else {
        dump.kill().await;
        return Err(stopped("backup"));
    };
    status?;
    Ok(BackupReport { bytes: new.keep()? })
}

/// Brings the database back to the backup `from`, in one transaction: it is as before, or as it was then.
///
/// # Errors
/// [`DbErrorKind::DatabaseMissing`] where `from` is not there; [`DbErrorKind::Configuration`] where no fitting `pg_restore`
/// and `psql` are found; [`DbErrorKind::LockTimeout`]; [`DbErrorKind::Cancelled`]; what the tools say otherwise. Nothing
/// was changed then.
pub async fn restore(
    tools: &PostgresTools<'_>,
    from: &Path,
    cancelled: impl Future<Output = ()>,
) -> Result<BackupReport, DbError> {
    let bytes = std::fs::metadata(from).map(|found| found.len()).map_err(|error| {
        DbError::new(DbErrorKind::DatabaseMissing, format!("the backup {} cannot be read: {error}", from.display()))
            .hint("check the path")
    })?;
    let (unpacker, client) = (tools.find("pg_restore").await?, tools.find("psql").await?);
    let mut command = tools.command(&unpacker);
    command.args(["--clean", "--if-exists", "--single-transaction", "--exit-on-error", "--file=-"]).arg(from);
    command.stdout(Stdio::piped());
    let mut unpack = start(command, "pg_restore")?;
    let mut command = tools.connecting(&client);
    command.args(["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"]).stdin(Stdio::piped());
    let mut run = start(command, "psql")?;
    let (script, input) = (unpack.child.stdout.take(), run.child.stdin.take());
    let preface = tools.preface();
    let work = async {
        // The script's last line is its COMMIT, which pg_restore writes when all went well: a script that is cut off is
        // rolled back when psql leaves.
        let (_, ran, unpacked) = tokio::join!(pump(&preface, script, input), run.end(), unpack.end());
        // Where psql failed, pg_restore only says that nobody reads on.
        ran.and(unpacked)
    };
    let ended = until(cancelled, work).await;
    if ended.is_none() {
        tokio::join!(run.kill(), unpack.kill());
    }
    ended.ok_or_else(|| stopped("restore"))??;
    Ok(BackupReport { bytes })
}

impl PostgresTools<'_> {
    /// What stands before the script of `pg_restore`.
    fn preface(&self) -> String {
        let role = self
            .role
            .map(|role| format!("SET ROLE {};\n", Engine::Postgres.quote_identifier(role)))
            .unwrap_or_default();
        let timeout = self.lock_timeout.as_millis();
        // The script begins with a BEGIN of its own, whose warning nobody needs.
        format!("SET client_min_messages = error;\n{role}BEGIN;\nSET LOCAL lock_timeout = {timeout};\n{CLEAR}\n")
    }

    /// The tool with all that it needs to connect.
    fn connecting(&self, program: &Path) -> Command {
        let mut command = self.command(program);
        command.envs(self.connection.iter().map(|(name, value)| (name, value.expose())));
        command
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear();
        command.envs(self.environment.iter().filter(|(name, _)| !name.starts_with("PG")));
        // Its words are read for hints.
        command.env("LC_ALL", "C");
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

    /// The program's version: `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` gives `15.18` and 15; `17beta1` gives 17.
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

/// A tool that runs.
struct Tool {
    name: &'static str,
    child: Child,
}

fn start(mut command: Command, name: &'static str) -> Result<Tool, DbError> {
    let started = command.spawn().map(|child| Tool { name, child });
    started.map_err(|error| DbError::new(DbErrorKind::Resources, format!("{name} could not be started: {error}")))
}

impl Tool {
    /// Waits for the end and says what went wrong.
    async fn end(&mut self) -> Result<(), DbError> {
        let complaint = match self.child.stderr.take() {
            Some(stderr) => last_words(stderr).await,
            None => String::new(),
        };
        match self.child.wait().await {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(failure(self.name, status, &complaint)),
            Err(error) => Err(DbError::new(DbErrorKind::Resources, format!("{} was lost: {error}", self.name))),
        }
    }

    async fn kill(&mut self) {
        // It may have ended meanwhile, which is as good.
        let _ = self.child.kill().await;
    }
}

/// The work's result; None where `cancelled` ended first.
async fn until<T>(cancelled: impl Future<Output = ()>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = cancelled => None,
    }
}

fn stopped(what: &str) -> DbError {
    DbError::new(DbErrorKind::Cancelled, format!("the {what} was cancelled"))
}

/// Sends text and then all that comes. An error shows as the end of one of the tools.
async fn pump(text: &str, from: Option<impl AsyncRead + Unpin>, to: Option<impl AsyncWrite + Unpin>) -> io::Result<()> {
    let (Some(mut from), Some(mut to)) = (from, to) else { return Ok(()) };
    to.write_all(text.as_bytes()).await?;
    tokio::io::copy(&mut from, &mut to).await?;
    to.shutdown().await
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
    let (kind, hint) = if says("lock timeout") || (says("statement timeout") && says("LOCK TABLE")) {
        (DbErrorKind::LockTimeout, "end the other sessions that use the database, or wait longer")
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
