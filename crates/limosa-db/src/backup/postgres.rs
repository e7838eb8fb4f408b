//! Backup of a PostgreSQL database by `pg_dump` in its custom format, and the way back by `pg_restore` and `psql`.
//!
//! The tools must be as new as the server or newer; of several in PATH, those of the server's own major version are taken.
//! How to connect reaches them in their environment only, so that no secret stands in a list of processes.
//!
//! `pg_restore --clean` alone drops only what the backup holds, and fails where something made after the backup depends on
//! it (a new table with a foreign key, a new view). So every table, view, sequence, routine and type goes first, then
//! `pg_restore` writes its script, all in one transaction that `psql` runs. What stays although it was made after the
//! backup: extensions, and rarer objects such as casts, operators, publications and event triggers.

mod failure;
mod script;
mod structure;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use limosa_sql::Engine;
use tokio::process::Command;

use self::failure::{is_open_question, success};
use self::script::Script;
pub use self::structure::{Without, structure};
use super::new_file::NewFile;
use super::tool::{Bell, Ended, Tool, conduct};
use super::{BackupReport, RestoreError, Standing};
use crate::{DbError, DbErrorKind, Secret};

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
/// `progress` hears of the bytes of the file so far, about twice a second. When `cancelled` ends first, the tool is asked to
/// cancel what it does on the server, and killed where it does not end soon; when the returned future is dropped, it is
/// killed at once.
///
/// # Errors
/// [`DbErrorKind::Configuration`] where `to` exists or no fitting `pg_dump` is found; [`DbErrorKind::LockTimeout`];
/// [`DbErrorKind::Cancelled`]; what the tool says otherwise. No file is left behind then.
pub async fn backup(
    tools: &PostgresTools<'_>,
    to: &Path,
    cancelled: impl Future<Output = ()>,
    mut progress: impl FnMut(u64),
) -> Result<BackupReport, DbError> {
    let program = tools.find("pg_dump").await?;
    let new = NewFile::create(to, None)?;
    let mut command = tools.connecting(&program);
    command.args(["--format=custom", "--no-password"]);
    command.arg(format!("--lock-wait-timeout={}", tools.lock_timeout.as_millis()));
    command.args(tools.role.map(|role| format!("--role={role}")));
    command.arg("--file").arg(new.partial());
    let bell = Bell::default();
    let dump = Tool::start(command, "pg_dump")?.end(bell.listen());
    let size = || std::fs::metadata(new.partial()).map_or(0, |found| found.len());
    success(&conduct(dump, cancelled, &bell, || progress(size())).await)?;
    Ok(BackupReport { bytes: new.keep()? })
}

/// Brings the database back to the backup `from`, in one transaction: it is as before, or as it was then.
///
/// `progress` hears of the bytes of the script that the server was given so far, about twice a second. `cancelled` as for
/// [`backup`]; once the script is with the server whole, its end is awaited.
///
/// # Errors
/// [`DbErrorKind::DatabaseMissing`] where `from` is not there; [`DbErrorKind::Configuration`] where no fitting `pg_restore`
/// and `psql` are found; [`DbErrorKind::LockTimeout`]; [`DbErrorKind::Cancelled`]; what the tools say otherwise. The error
/// says what stands.
pub async fn restore(
    tools: &PostgresTools<'_>,
    from: &Path,
    cancelled: impl Future<Output = ()>,
    mut progress: impl FnMut(u64),
) -> Result<BackupReport, RestoreError> {
    let bytes = std::fs::metadata(from).map(|found| found.len()).map_err(|error| {
        DbError::new(DbErrorKind::DatabaseMissing, format!("the backup {} cannot be read: {error}", from.display()))
            .hint("check the path")
    })?;
    let (unpacker, client) = (tools.find("pg_restore").await?, tools.find("psql").await?);
    let mut command = tools.command(&unpacker);
    command.args(["--clean", "--if-exists", "--single-transaction", "--exit-on-error", "--file=-"]).arg(from);
    command.stdout(Stdio::piped());
    let mut unpack = Tool::start(command, "pg_restore")?;
    let mut command = tools.connecting(&client);
    command.args(["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"]).stdin(Stdio::piped());
    let mut run = Tool::start(command, "psql")?;
    let bell = Bell::default();
    let script = Script::default();
    let preface = tools.preface();
    let (text, input) = (unpack.stdout(), run.stdin());
    let work = async {
        let pump = script.pump(&preface, text, input, bell.listen());
        let (_, ran, unpacked) = tokio::join!(pump, run.end(bell.listen()), unpack.end(bell.listen()));
        (ran, unpacked)
    };
    let (ran, unpacked) = conduct(work, cancelled, &bell, || progress(script.sent())).await;
    ended(&script, &ran, &unpacked).map(|()| BackupReport { bytes })
}

/// How a restore ended. The script's last statement is its COMMIT, which `pg_restore` writes when all went well: a script
/// that is cut off before it is rolled back when `psql` leaves.
fn ended(script: &Script, ran: &Ended, unpacked: &Ended) -> Result<(), RestoreError> {
    if script.has_committed() {
        let standing = if is_open_question(ran) { Standing::Unknown } else { Standing::Unchanged };
        return success(ran).map_err(|error| RestoreError { standing, error });
    }
    // Where psql failed, pg_restore only says that nobody reads on.
    success(ran).and(success(unpacked))?;
    Err(DbError::new(DbErrorKind::Cancelled, "the restore was cancelled").into())
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
        let hint =
            format!("install the PostgreSQL {server} client tools, and put their folder into PATH before others");
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
