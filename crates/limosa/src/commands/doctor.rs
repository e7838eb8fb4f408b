//! `doctor`: what could go wrong here, looked up before it does. Writes nothing.

mod mysql;
mod postgres;
mod sqlite;

use std::time::{Duration, SystemTime};

use limosa_core::{LedgerView, RowState};
use limosa_db::{DbError, Row, Value};
use limosa_sql::{Diagnostic, Engine};

use super::adopt;
use super::status::living_runner;
use crate::files::load;
use crate::opened::{Opened, Purpose, open};
use crate::report::{CheckLine, FindingsAnswer, SCHEMA_VERSION};
use crate::{Exit, Failure, Migrator};

/// A difference of clocks that is worth saying.
const CLOCK_SECONDS: i64 = 5;

struct Checks {
    lines: Vec<CheckLine>,
    findings: Vec<Diagnostic>,
}

impl Checks {
    fn ok(&mut self, name: &str, seen: impl Into<String>) {
        self.lines.push(CheckLine { name: name.to_owned(), result: "ok", seen: seen.into() });
    }

    fn note(&mut self, name: &str, seen: impl Into<String>) {
        self.lines.push(CheckLine { name: name.to_owned(), result: "note", seen: seen.into() });
    }

    fn bad(&mut self, name: &str, seen: impl Into<String>, help: impl Into<String>) {
        let seen = seen.into();
        self.findings.push(Diagnostic::error("LIM-U080", format!("{name}: {seen}")).help(help));
        self.lines.push(CheckLine { name: name.to_owned(), result: "error", seen });
    }

    fn warn(&mut self, name: &str, seen: impl Into<String>, help: impl Into<String>) {
        let seen = seen.into();
        self.findings.push(Diagnostic::warning("LIM-U081", format!("{name}: {seen}")).help(help));
        self.lines.push(CheckLine { name: name.to_owned(), result: "warning", seen });
    }
}

impl Migrator {
    /// Looks at server, rights, settings, pooler, extensions, clock, and what stands in the way.
    ///
    /// # Errors
    /// Where the database cannot be reached.
    pub async fn doctor(&self) -> Result<FindingsAnswer, Failure> {
        let mut opened = open(&self.configuration, Purpose::Read).await?;
        let answer = examine(&mut opened).await;
        opened.close().await;
        answer
    }
}

async fn examine(opened: &mut Opened<'_>) -> Result<FindingsAnswer, Failure> {
    let mut checks = Checks { lines: Vec::new(), findings: Vec::new() };
    checks.ok(
        "server",
        format!("{} {}", opened.target.engine.product(&opened.target.server_version), opened.target.server_version),
    );
    match opened.target.engine {
        Engine::Sqlite => sqlite::look(opened, &mut checks).await?,
        Engine::Mysql => mysql::look(opened, &mut checks).await?,
        _ => postgres::look(opened, &mut checks).await?,
    }
    clock(opened, &mut checks).await?;
    match ledger(opened, &mut checks).await {
        Err(Failure { diagnostics, .. }) if diagnostics.iter().any(|problem| problem.code == "LIM-D005") => {
            opened.session.settle().await?;
            let seen = diagnostics.into_iter().next().map(|problem| problem.message).unwrap_or_default();
            checks.bad("ledger", seen, "grant the rights of: limosa init --print-ledger-sql");
        }
        result => result?,
    }
    files(opened, &mut checks).await;
    let exit = if checks.findings.iter().any(Diagnostic::is_error) { Exit::No } else { Exit::Done };
    Ok(FindingsAnswer {
        schema_version: SCHEMA_VERSION,
        command: "doctor",
        exit_code: exit.into(),
        target: Some(opened.target.clone()),
        against: None,
        findings: checks.findings,
        checks: checks.lines,
    })
}

async fn one(opened: &mut Opened<'_>, sql: &str, parameters: &[Value]) -> Result<Row, DbError> {
    Ok(opened.session.query(sql, parameters).await?.into_iter().next().unwrap_or_default())
}

async fn clock(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let sql = match opened.target.engine {
        Engine::Sqlite => "select cast(strftime('%s', 'now') as integer)",
        Engine::Mysql => "select unix_timestamp()",
        _ => "select extract(epoch from clock_timestamp())::bigint",
    };
    let server = one(opened, sql, &[]).await?.integer(0).unwrap_or(0);
    let here =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs().cast_signed();
    let apart = (server - here).abs();
    if apart > CLOCK_SECONDS {
        checks.note("clock", format!("the server's differs from ours by {apart} s; limosa uses the server's"));
    } else {
        checks.ok("clock", "as the server's");
    }
    Ok(())
}

async fn ledger(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let view = opened.look().await?;
    another_tool(opened, checks, &view).await?;
    if !view.exists {
        checks.note("ledger", "not made yet; the first migrate makes it");
        return Ok(());
    }
    let applied = view.rows.iter().filter(|row| matches!(row.state, RowState::Applied | RowState::Baseline)).count();
    checks.ok("ledger", format!("version {}, {applied} changes applied", view.version.unwrap_or(0)));
    match view.lease.as_ref().and_then(|lease| lease.holder.as_ref().map(|holder| (lease, holder))) {
        None => checks.ok("lock", "free"),
        Some((lease, holder)) => {
            let silent = lease.silent_seconds.unwrap_or(0);
            let is_late = u64::try_from(silent).is_ok_and(|silent| silent > opened.configuration.lease.as_secs());
            let more = if is_late { "; it may have ended without a word, which the next run finds out" } else { "" };
            checks.note("lock", format!("held by {holder}, last sign of life {silent} s ago{more}"));
        }
    }
    if living_runner(&view, opened.configuration.lease).is_some() {
        for row in &view.journal {
            checks.note("running", row.identity.to_string());
        }
        return Ok(());
    }
    for row in view.journal.iter().filter(|row| !view.stands_untouched(&row.identity)) {
        checks.warn("interrupted", row.identity.to_string(), "run limosa migrate to go on, or look: limosa repair");
    }
    Ok(())
}

/// What another tool that has migrated this database left half done.
async fn another_tool(opened: &mut Opened<'_>, checks: &mut Checks, view: &LedgerView) -> Result<(), Failure> {
    for problem in adopt::left_half_done(opened, view, "limosa adopt").await? {
        checks.bad("another tool", problem.message, problem.help.unwrap_or_default());
    }
    Ok(())
}

async fn files(opened: &mut Opened<'_>, checks: &mut Checks) {
    let loaded = match load(opened.configuration, &opened.configuration.directories, opened.dialect()) {
        Ok(loaded) => loaded,
        Err(failure) => {
            let problem = failure.diagnostics.first().map(|diagnostic| diagnostic.message.clone()).unwrap_or_default();
            return checks.warn("files", problem, "check --dir");
        }
    };
    let errors = loaded.diagnostics.iter().filter(|problem| problem.is_error()).count();
    match errors {
        0 => checks.ok("files", format!("{} changes read", loaded.changes.len())),
        _ => checks.bad("files", format!("{errors} errors"), "see them: limosa validate"),
    }
    let Ok(around) = opened.surroundings(true).await else { return };
    for change in &loaded.changes {
        let lacking = limosa_core::not_applicable(change, &around);
        if let Some(reason) = lacking.filter(|reason| reason.starts_with("extension")) {
            checks.warn("extension", format!("{}: {reason}", change.script.file), "install it on the server");
        }
    }
}
