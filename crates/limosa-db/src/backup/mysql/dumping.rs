//! Runs the dump.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::dump_file::Contents;
use super::programs::Program;
use super::survey::{Kind, Survey};
use super::{MysqlTools, contents, failure};
use crate::backup::tool::{Bell, Tool};
use crate::engines::mysql::Flavor;
use crate::{DbError, DbErrorKind};

/// From this version on MariaDB's programs can dump the history of system-versioned tables.
const DUMPS_HISTORY: u32 = 101_100;

impl MysqlTools<'_> {
    /// Runs the dump into the file and reads what came of it.
    pub(super) async fn dump(
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
pub(super) fn keeps_history(survey: &Survey, program: &Program) -> bool {
    program.version >= DUMPS_HISTORY && survey.of(&[Kind::VersionedTable]).next().is_some()
}
