//! Empties the database and runs a dump in it.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use limosa_sql::Engine;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::dump_file::Contents;
use super::programs::Program;
use super::survey::{self, Survey};
use super::{CHUNK, MysqlTools, drops, failure, unreadable};
use crate::backup::tool::{Bell, Ended};
use crate::backup::{RestoreError, Standing};
use crate::engines::mysql::Flavor;
use crate::{DbError, DbErrorKind};

impl MysqlTools<'_> {
    /// Drops all that is there.
    pub(super) async fn clear(&self, client: &Program, survey: &Survey, bell: &Bell) -> Result<(), RestoreError> {
        let mark = Engine::Mysql.quote_identifier(self.unfinished);
        let marks = format!("CREATE TABLE IF NOT EXISTS {mark} (n INT) COMMENT = 'restore';\n");
        let sql = format!("{}{marks}{}", self.settings(), drops::drops(survey));
        let (ended, _) = self.ask(client, &sql, bell.listen()).await?;
        let Err(mut error) = failure::success(&ended) else { return Ok(()) };
        // What stands is asked over a new connection, and by nobody who could have been told to stop.
        let standing = match self.survey(client, self.role, &Bell::default()).await {
            Ok(now) if now.objects == survey.objects => Standing::Unchanged,
            Ok(_) => Standing::Partial,
            Err(_) => Standing::Unknown,
        };
        if standing == Standing::Unchanged && !survey.is_unfinished {
            // Where it stays, limosa says more than is so.
            let _ = self.unmark(client).await;
        }
        if standing != Standing::Unchanged {
            error.hint = Some(again(error.hint.take(), "a part of what stood may be dropped"));
        }
        Err(RestoreError { standing, error })
    }

    /// Runs the dump.
    pub(super) async fn fill(
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

    /// Takes the mark away, whoever asks to stop by now.
    pub(super) async fn unmark(&self, client: &Program) -> Result<(), DbError> {
        let drop = format!("DROP TABLE IF EXISTS {};\n", Engine::Mysql.quote_identifier(self.unfinished));
        let (ended, _) = self.ask(client, &format!("{}{drop}", self.settings()), Bell::default().listen()).await?;
        failure::success(&ended)
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
