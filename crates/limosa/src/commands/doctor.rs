//! `doctor`: what could go wrong here, looked up before it does. Writes nothing.

use std::time::{Duration, SystemTime};

use limosa_db::{DbError, Row, Value};
use limosa_sql::{Diagnostic, Engine};

use crate::files::load;
use crate::opened::{Opened, Purpose, open};
use crate::report::{CheckLine, FindingsAnswer, SCHEMA_VERSION};
use crate::{Exit, Failure, Migrator};

/// The oldest PostgreSQL that is tested.
const OLDEST_POSTGRES: u32 = 140_000;

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
    checks.ok("server", format!("{} {}", opened.target.engine.title(), opened.target.server_version));
    match opened.target.engine {
        Engine::Sqlite => sqlite(opened, &mut checks).await?,
        _ => postgres(opened, &mut checks).await?,
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
        target: opened.target.clone(),
        findings: checks.findings,
        checks: checks.lines,
    })
}

async fn one(opened: &mut Opened<'_>, sql: &str, parameters: &[Value]) -> Result<Row, DbError> {
    Ok(opened.session.query(sql, parameters).await?.into_iter().next().unwrap_or_default())
}

async fn postgres(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let facts = opened.session.facts().clone();
    if facts.version_number < OLDEST_POSTGRES {
        checks.warn("version", &facts.version, "limosa is tested with PostgreSQL 14 to 18");
    }
    let standby = one(opened, "select pg_is_in_recovery()", &[]).await?.boolean(0);
    match standby {
        true => checks.bad("writable", "this is a standby", "use the address of the primary for migrations"),
        false => checks.ok("writable", "primary"),
    }
    match (opened.pooled, &opened.configuration.direct_url) {
        (true, None) => checks.warn(
            "pooler",
            "a pooler in transaction mode stands between",
            "transactional migrations work; for others set direct_url to the server itself",
        ),
        (true, Some(_)) => checks.ok("pooler", "transaction mode; direct_url is set"),
        (false, _) => checks.ok("pooler", "none"),
    }
    rights(opened, checks).await?;
    let settings = one(
        opened,
        "select current_setting('max_connections')::bigint - (select count(*) from pg_catalog.pg_stat_activity where backend_type = 'client backend'), \
         current_setting('lock_timeout'), current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout'), \
         pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'usage')",
        &[],
    )
    .await?;
    let free = settings.integer(0).unwrap_or(0);
    if free < 3 {
        checks.warn(
            "connections",
            format!("{free} left"),
            "limosa needs one, and a second one while it waits for locks",
        );
    } else {
        checks.ok("connections", format!("{free} left"));
    }
    checks.note(
        "settings",
        format!(
            "lock_timeout {}, statement_timeout {}, idle_in_transaction_session_timeout {} (limosa sets its own per step)",
            settings.text(1).unwrap_or_default(),
            settings.text(2).unwrap_or_default(),
            settings.text(3).unwrap_or_default()
        ),
    );
    if settings.boolean(4) {
        checks.ok("blockers", "the statements of other users can be shown");
    } else {
        let grant = format!("GRANT pg_read_all_stats TO {}", Engine::Postgres.quote_identifier(&opened.target.user));
        checks.note("blockers", format!("the statements of other users are hidden; to see them: {grant}"));
    }
    long_transactions(opened, checks).await?;
    invalid_indexes(opened, checks).await
}

async fn rights(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let schema = Value::Text(opened.configuration.ledger_schema.clone());
    let row = one(
        opened,
        "select has_database_privilege(current_database(), 'CREATE'), \
         exists (select from pg_catalog.pg_namespace where nspname = $1), \
         coalesce((select bool_and(has_table_privilege(c.oid, 'SELECT') and has_table_privilege(c.oid, 'INSERT') \
         and (c.relname = 'audit_log' or has_table_privilege(c.oid, 'UPDATE') and has_table_privilege(c.oid, 'DELETE'))) \
         from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
         where n.nspname = $1 and c.relkind = 'r' and has_schema_privilege(n.oid, 'USAGE')), false)",
        &[schema],
    )
    .await?;
    let (create, stands, writes) = (row.boolean(0), row.boolean(1), row.boolean(2));
    let help = "ask a database administrator to run: limosa init --print-ledger-sql";
    match (stands, writes, create) {
        (true, true, _) => checks.ok("ledger rights", "the ledger stands and can be written"),
        (true, false, _) => checks.bad("ledger rights", "the ledger stands but cannot be written", help),
        (false, _, true) => checks.ok("ledger rights", "the ledger can be made"),
        (false, _, false) => checks.bad("ledger rights", "the ledger does not stand and cannot be made", help),
    }
    Ok(())
}

async fn long_transactions(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let rows = opened
        .session
        .query(
            "select pid::bigint, usename::text, application_name, state, extract(epoch from clock_timestamp() - xact_start)::bigint \
             from pg_catalog.pg_stat_activity where xact_start < clock_timestamp() - interval '60 s' and pid <> pg_backend_pid() \
             and datname = current_database() order by xact_start limit 5",
            &[],
        )
        .await?;
    if rows.is_empty() {
        checks.ok("old transactions", "none older than a minute");
    }
    for row in rows {
        let seen = format!(
            "process {} of {} ({}), {} for {} s",
            row.integer(0).unwrap_or(0),
            row.text(1).unwrap_or_default(),
            row.text(2).unwrap_or_default(),
            row.text(3).unwrap_or_default(),
            row.integer(4).unwrap_or(0)
        );
        checks.warn(
            "old transaction",
            seen,
            "it may hold locks that a migration waits for; CONCURRENTLY waits for it in any case",
        );
    }
    Ok(())
}

async fn invalid_indexes(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let rows = opened
        .session
        .query(
            "select i.indexrelid::regclass::text from pg_catalog.pg_index i where not i.indisvalid and not exists \
             (select from pg_catalog.pg_stat_progress_create_index p where p.index_relid = i.indexrelid) order by 1 limit 10",
            &[],
        )
        .await?;
    let names: Vec<String> = rows.iter().filter_map(|row| row.text(0)).collect();
    match names.is_empty() {
        true => checks.ok("invalid indexes", "none"),
        false => checks.warn(
            "invalid indexes",
            names.join(", "),
            "left by a CREATE INDEX CONCURRENTLY that died; DROP INDEX CONCURRENTLY, or let the interrupted migration go on",
        ),
    }
    Ok(())
}

async fn sqlite(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let journal = one(opened, "pragma journal_mode", &[]).await?.text(0).unwrap_or_default();
    checks.note("journal mode", journal);
    let health = one(opened, "pragma quick_check(1)", &[]).await?.text(0).unwrap_or_default();
    match health.as_str() {
        "ok" => checks.ok("integrity", "quick_check finds nothing"),
        _ => checks.bad("integrity", health, "restore a backup: limosa restore"),
    }
    let violations =
        opened.session.query("select distinct \"table\" from pragma_foreign_key_check limit 10", &[]).await?;
    let tables: Vec<String> = violations.iter().filter_map(|row| row.text(0)).collect();
    match tables.is_empty() {
        true => checks.ok("foreign keys", "all point somewhere"),
        false => checks.warn(
            "foreign keys",
            format!("rows of {} point nowhere", tables.join(", ")),
            "see: pragma foreign_key_check",
        ),
    }
    let path = &opened.target.database;
    match std::fs::metadata(path) {
        Ok(found) if found.permissions().readonly() => {
            checks.bad(
                "writable",
                format!("{path} is read-only"),
                "give the user that runs limosa the right to write it",
            );
        }
        Ok(found) => checks.ok("writable", format!("{path}, {} bytes", found.len())),
        Err(_) if path == ":memory:" => checks.note("writable", "a database in memory"),
        Err(_) => checks.note("file", format!("{path} does not exist yet; the first migrate makes it")),
    }
    Ok(())
}

async fn clock(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let sql = match opened.target.engine {
        Engine::Sqlite => "select cast(strftime('%s', 'now') as integer)",
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
    if !view.exists {
        checks.note("ledger", "not made yet; the first migrate makes it");
        return Ok(());
    }
    checks.ok("ledger", format!("version {}, {} changes applied", view.version.unwrap_or(0), view.rows.len()));
    match view.lease.as_ref().and_then(|lease| lease.holder.as_ref().map(|holder| (lease, holder))) {
        None => checks.ok("lock", "free"),
        Some((lease, holder)) => {
            let silent = lease.silent_seconds.unwrap_or(0);
            checks.note("lock", format!("held by {holder}, last sign of life {silent} s ago"));
        }
    }
    for row in &view.journal {
        checks.warn("interrupted", row.identity.to_string(), "run limosa migrate to go on, or look: limosa repair");
    }
    Ok(())
}

async fn files(opened: &mut Opened<'_>, checks: &mut Checks) {
    let loaded = match load(&opened.configuration.directories, opened.target.engine) {
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
