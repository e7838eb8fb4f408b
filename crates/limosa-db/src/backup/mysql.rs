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

mod drops;
mod dump_file;
mod failure;
mod handover;
mod programs;
mod restorable;
mod rights;
mod survey;
mod worth_knowing;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::{self, BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use self::dump_file::Contents;
use self::handover::Handover;
use self::programs::{Program, Purpose};
use self::survey::Survey;
use super::new_file::NewFile;
use super::tool::{Bell, Ended, Listening, Tool, conduct};
use super::{BackupReport, RestoreError, Standing};
use crate::engines::mysql::{ClientOptions, Flavor};
use crate::{DbError, DbErrorKind, Notice};

/// Bytes that are read at once.
const CHUNK: usize = 256 * 1024;

/// From this version on MariaDB's programs can dump the history of system-versioned tables.
const DUMPS_HISTORY: u32 = 101_100;

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
        filled.map_err(|error| RestoreError { standing: Standing::Partial, error })
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

impl MysqlTools<'_> {
    /// A program on its way to the server.
    fn connecting(&self, program: &Program) -> Result<(Command, Handover), DbError> {
        let handover = Handover::new(&self.connection.option_file(self.flavor)?)?;
        let mut command = self.command(&program.path);
        command.arg(handover.argument()).args(["--default-character-set=utf8mb4", "--max-allowed-packet=1G"]);
        Ok((command, handover))
    }

    /// The client, which reads statements. In binary mode it understands no commands of its own but DELIMITER, and leaves line
    /// breaks alone; comments belong to the texts of routines.
    fn client(&self, program: &Program) -> Result<(Tool, Handover), DbError> {
        let (mut command, handover) = self.connecting(program)?;
        command.args(["--batch", "--raw", "--skip-column-names", "--binary-mode", "--comments", "--"]);
        command.arg(self.connection.database()).stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok((Tool::start(command, program.name)?, handover))
    }

    /// Runs statements and gives what the client wrote.
    async fn ask(&self, program: &Program, sql: &str, bell: Listening) -> Result<(Ended, String), DbError> {
        let (mut tool, _handover) = self.client(program)?;
        let (input, output) = (tool.stdin(), tool.stdout());
        let send = async {
            // Where the client has gone, its own words say why.
            let Some(mut input) = input else { return };
            let _ = input.write_all(sql.as_bytes()).await;
            let _ = input.shutdown().await;
        };
        let listen = async {
            let mut text = Vec::new();
            if let Some(mut output) = output {
                let _ = output.read_to_end(&mut text).await;
            }
            String::from_utf8_lossy(&text).into_owned()
        };
        let ((), text, ended) = tokio::join!(send, listen, tool.end(bell));
        Ok((ended, text))
    }

    async fn survey(&self, client: &Program, role: Option<&str>, bell: &Bell) -> Result<Survey, DbError> {
        let (ended, text) = self.ask(client, &survey::questions(self.flavor, role), bell.listen()).await?;
        failure::success(&ended)?;
        Survey::read(&text)
    }

    /// Runs the dump into the file and reads what came of it.
    async fn dump(
        &self,
        program: &Program,
        client: &Program,
        survey: &Survey,
        to: &Path,
        size: impl Fn() -> u64,
        bell: &Bell,
    ) -> Result<Contents, DbError> {
        let file = begin(to, survey).map_err(|error| {
            DbError::new(DbErrorKind::Resources, format!("the backup cannot be written: {error}"))
                .hint("check the disk that holds it")
        })?;
        let (mut command, _handover) = self.connecting(program)?;
        command.args(["--single-transaction", "--quick", "--skip-lock-tables", "--skip-add-locks", "--no-tablespaces"]);
        command.args(["--routines", "--events", "--triggers", "--hex-blob"]);
        match self.flavor {
            Flavor::Mysql => {
                command.args(["--set-gtid-purged=OFF", "--column-statistics=0"]);
            }
            Flavor::MariaDb if keeps_history(survey, program) => {
                command.arg("--dump-history");
            }
            Flavor::MariaDb => {}
        }
        command.arg("--").arg(self.connection.database()).stdout(file);
        let hurry = Bell::default();
        let dump = Tool::start(command, program.name)?.end(hurry.listen());
        let blocked = self.blocked(client, size);
        tokio::pin!(dump, blocked);
        let ended = tokio::select! {
            ended = &mut dump => ended,
            () = bell.listen().rung() => {
                hurry.ring();
                dump.await
            }
            () = &mut blocked => {
                hurry.ring();
                dump.await;
                let seconds = self.lock_timeout.as_secs_f64();
                let message = format!("{} has waited for {seconds} s for a table that another session has locked", program.name);
                return Err(DbError::new(DbErrorKind::LockTimeout, message)
                    .hint("end the other sessions that use the database, or wait longer"));
            }
        };
        failure::success(&ended)?;
        // Its own word that it is whole, whatever it returned.
        let contents = contents(to, self.connection.database(), bell.listen()).await?;
        if !contents.completed {
            let message = format!("{} ended without saying that the dump is complete", program.name);
            return Err(
                DbError::new(DbErrorKind::Statement, message).hint("check the disk of the backup, then run it again")
            );
        }
        Ok(contents)
    }

    /// Returns where the dump stands still and a session of this user has been waiting for somebody's lock on a table. The
    /// programs have no such limit of their own.
    async fn blocked(&self, client: &Program, size: impl Fn() -> u64) {
        const WAITS: &str = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() \
             AND USER = SUBSTRING_INDEX(USER(), '@', 1) AND STATE LIKE 'Waiting for table metadata lock%';\n";
        if self.lock_timeout.is_zero() {
            std::future::pending::<()>().await;
        }
        loop {
            let before = size();
            tokio::time::sleep(self.lock_timeout).await;
            if size() != before {
                continue;
            }
            let answer = self.ask(client, WAITS, Bell::default().listen()).await;
            let waits = answer.is_ok_and(|(_, text)| text.trim().parse::<u32>().is_ok_and(|count| count > 0));
            if waits && size() == before {
                return;
            }
        }
    }

    /// Drops all that is there.
    async fn clear(&self, client: &Program, survey: &Survey, bell: &Bell) -> Result<(), RestoreError> {
        let sql = format!("{}{}", self.settings(), drops::drops(survey));
        let (ended, _) = self.ask(client, &sql, bell.listen()).await?;
        let Err(mut error) = failure::success(&ended) else { return Ok(()) };
        // What stands is asked over a new connection, and by nobody who could have been told to stop.
        let standing = match self.survey(client, self.role, &Bell::default()).await {
            Ok(now) if now.objects == survey.objects => Standing::Unchanged,
            Ok(_) => Standing::Partial,
            Err(_) => Standing::Unknown,
        };
        if standing != Standing::Unchanged {
            error.hint = Some(again(error.hint.take(), "a part of what stood may be dropped"));
        }
        Err(RestoreError { standing, error })
    }

    /// Runs the dump.
    async fn fill(
        &self,
        client: &Program,
        from: &Path,
        contents: &Contents,
        sent: &AtomicU64,
        bell: &Bell,
    ) -> Result<(), DbError> {
        let mut file = tokio::fs::File::open(from).await.map_err(|error| unreadable(from, &error))?;
        let (mut tool, _handover) = self.client(client)?;
        let (input, output) = (tool.stdin(), tool.stdout());
        let settings = self.settings();
        let pump = async {
            let Some(mut input) = input else { return Ok(()) };
            input.write_all(settings.as_bytes()).await.ok();
            let mut chunk = vec![0; CHUNK];
            loop {
                let length = file.read(&mut chunk).await?;
                if length == 0 || input.write_all(&chunk[..length]).await.is_err() {
                    // Where the client has gone, its own words say why.
                    let _ = input.shutdown().await;
                    return Ok(());
                }
                sent.fetch_add(length as u64, Ordering::Relaxed);
            }
        };
        let pump = async {
            tokio::select! {
                biased;
                () = bell.listen().rung() => Ok(()),
                pumped = pump => pumped,
            }
        };
        let drain = async {
            if let Some(mut output) = output {
                let _ = tokio::io::copy(&mut output, &mut tokio::io::sink()).await;
            }
        };
        let (pumped, (), ended) = tokio::join!(pump, drain, tool.end(bell.listen()));
        pumped.map_err(|error: io::Error| unreadable(from, &error))?;
        let before = settings.lines().count() as u64;
        failure::success(&ended).map_err(|error| at_line(error, &ended, before, from, contents.lines))?;
        if bell.listen().is_rung()
            && sent.load(Ordering::Relaxed) < std::fs::metadata(from).map_or(0, |found| found.len())
        {
            let error = DbError::new(DbErrorKind::Cancelled, "the restore was cancelled");
            return Err(error.hint(again(None, "what stood before is dropped")));
        }
        Ok(())
    }

    /// What a session that restores sets first: it is not to wait for others, nor to be stopped for being slow, nor to refuse
    /// tables that the server once took.
    fn settings(&self) -> String {
        let mut sql = survey::set_role(self.role);
        if !self.lock_timeout.is_zero() {
            let seconds = self.lock_timeout.as_millis().div_ceil(1_000).max(1);
            sql.push_str(&format!(
                "SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds};\n"
            ));
        }
        if self.flavor == Flavor::MariaDb {
            sql.push_str("SET SESSION max_statement_time = 0, innodb_strict_mode = 0;\n");
        }
        sql
    }
}

/// Opens the file for the dump and writes what a dump of one database leaves out: its own character set.
fn begin(to: &Path, survey: &Survey) -> io::Result<File> {
    let mut file = OpenOptions::new().append(true).open(to)?;
    let is_word =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let (set, collation) = (&survey.character_set, &survey.collation);
    if is_word(set) && is_word(collation) {
        writeln!(file, "-- The database's own defaults; the rest is a dump of one database.")?;
        writeln!(file, "ALTER DATABASE CHARACTER SET {set} COLLATE {collation};")?;
    }
    Ok(file)
}

/// True where the dump is to hold the history of system-versioned tables.
fn keeps_history(survey: &Survey, program: &Program) -> bool {
    program.version >= DUMPS_HISTORY && survey.of(&[survey::Kind::VersionedTable]).next().is_some()
}

fn unreadable(from: &Path, error: &io::Error) -> DbError {
    DbError::new(DbErrorKind::DatabaseMissing, format!("the backup {} cannot be read: {error}", from.display()))
        .hint("check the path")
}

/// Whatever it was, it ended because it was asked to.
fn stopped(what: &str, error: DbError) -> DbError {
    DbError { kind: DbErrorKind::Cancelled, message: format!("the {what} was cancelled"), ..error }
}

/// Says how far the restore came. The client counts from the settings on.
fn at_line(mut error: DbError, ended: &Ended, before: u64, from: &Path, lines: u64) -> DbError {
    let shown = from.display();
    if let Some(line) = failure::line_of(&ended.complaint).and_then(|line| line.checked_sub(before)) {
        error.message = format!("{}, at line {line} of {lines} of {shown}", error.message);
    }
    error.hint = Some(again(error.hint.take(), "what stood before is dropped"));
    error
}

/// What to do about a database that is neither the old nor the backup.
fn again(hint: Option<String>, stands: &str) -> String {
    let hint = hint.map(|hint| format!("{hint}; ")).unwrap_or_default();
    format!("{hint}{stands}: once the cause is mended, restore the same backup again, which begins anew")
}
