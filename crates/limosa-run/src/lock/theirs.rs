//! The lock of the tool whose ledger is kept: taken while limosa holds its own, so that the tool does not run meanwhile.

use std::time::Instant;

use limosa_db::{DbError, RunnerLock, Session, Value};
use limosa_sql::Diagnostic;

use super::{LockError, jitter};
use crate::{Context, Event};

/// Takes it, asking again until `context.lock_wait`, counted from `began`, is over. Nothing to do where there is none.
pub(super) async fn take(session: &mut dyn Session, context: &Context<'_>, began: Instant) -> Result<(), LockError> {
    let Some((tool, lock)) = of(context) else { return Ok(()) };
    let refused = |error: DbError| LockError::Database(context.values.hide_in_error(Box::new(error)));
    let mut told = false;
    let mut pause = std::time::Duration::from_millis(50);
    loop {
        if context.stop.is_asked() {
            return Err(LockError::Interrupted);
        }
        if attempt(session, lock).await.map_err(refused)? {
            return Ok(());
        }
        let holder = foreign_run(session, lock).await.unwrap_or_default();
        let holder = holder.unwrap_or_else(|| "somebody who has given it back just now".to_owned());
        if began.elapsed() >= context.lock_wait {
            let waited = context.lock_wait.as_secs_f64();
            let message = format!("a run of {tool} holds its lock, which limosa takes too: {holder}");
            let help = format!(
                "waited {waited:.1} s; wait for its end, or longer with --lock-wait; where it is no run but a session that \
                 was left open, end that"
            );
            return Err(LockError::HeldByOther(Box::new(Diagnostic::error("LIM-R001", message).help(help))));
        }
        if !told {
            context.events.event(Event::LockHeld { holder: Some(format!("{tool}: {holder}")), since: None });
            told = true;
        }
        let left = context.lock_wait.saturating_sub(began.elapsed());
        tokio::select! {
            () = tokio::time::sleep(jitter(pause).min(left)) => {}
            () = context.stop.asked() => return Err(LockError::Interrupted),
        }
        pause = (pause * 2).min(std::time::Duration::from_secs(1));
    }
}

/// Gives it back, where this session holds it.
pub(super) async fn give_back(session: &mut dyn Session, context: &Context<'_>) -> Result<(), DbError> {
    match of(context) {
        Some((_, RunnerLock::Key(key))) => super::postgres::unlock_key(session, *key).await,
        Some((_, RunnerLock::Keys(one, other))) => {
            super::postgres::unlock_key(session, *one).await?;
            super::postgres::unlock_key(session, *other).await
        }
        Some((_, RunnerLock::Name(name))) => {
            session.query("select release_lock($1)", &[Value::Text(name.clone())]).await.map(|_| ())
        }
        None => Ok(()),
    }
}

fn of<'c>(context: &Context<'c>) -> Option<(&'static str, &'c RunnerLock)> {
    let kept = context.kept?;
    Some((kept.ledger.name, kept.lock.as_ref()?))
}

async fn attempt(session: &mut dyn Session, lock: &RunnerLock) -> Result<bool, DbError> {
    let rows = match lock {
        RunnerLock::Key(key) => session.query("select pg_try_advisory_lock($1)", &[Value::Integer(*key)]).await?,
        RunnerLock::Keys(one, other) => {
            let sql = "select pg_try_advisory_lock($1)";
            let mut rows = session.query(sql, &[Value::Integer(*one)]).await?;
            if rows.first().is_some_and(|row| row.boolean(0)) {
                rows = session.query(sql, &[Value::Integer(*other)]).await?;
                if !rows.first().is_some_and(|row| row.boolean(0)) {
                    super::postgres::unlock_key(session, *one).await?;
                }
            }
            rows
        }
        RunnerLock::Name(name) => {
            session.query("select coalesce(get_lock($1, 0), 0)", &[Value::Text(name.clone())]).await?
        }
    };
    Ok(rows.first().is_some_and(|row| row.boolean(0)))
}

/// Who else holds the lock that the runs of another tool take, in words, as far as this user may see that. None where nobody does, or
/// this session itself.
///
/// # Errors
/// What the server says.
pub async fn foreign_run(session: &mut dyn Session, lock: &RunnerLock) -> Result<Option<String>, DbError> {
    let (sql, parameters) = match lock {
        RunnerLock::Key(key) | RunnerLock::Keys(key, _) => (
            "select concat('backend ', l.pid, coalesce(' of ' || a.usename, ''), coalesce(' at ' || host(a.client_addr), ''), \
             coalesce(' (' || nullif(a.application_name, '') || ')', ''), \
             coalesce(', connected since ' || to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '')) \
             from pg_catalog.pg_locks l left join pg_catalog.pg_stat_activity a on a.pid = l.pid \
             where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.pid <> pg_backend_pid() \
             and l.database = (select oid from pg_catalog.pg_database where datname = current_database()) \
             and ((l.classid::bigint << 32) | l.objid::bigint) in ($1, $2)",
            vec![
                Value::Integer(*key),
                Value::Integer(if let RunnerLock::Keys(_, other) = lock { *other } else { *key }),
            ],
        ),
        RunnerLock::Name(name) => (
            "select concat('connection ', u.id, coalesce(concat(' of ', p.user, ' at ', p.host), '')) \
             from (select is_used_lock($1) as id) u left join information_schema.processlist p on p.id = u.id \
             where u.id <> connection_id()",
            vec![Value::Text(name.clone())],
        ),
    };
    let rows = session.query(sql, &parameters).await?;
    Ok(rows.first().and_then(|row| row.text(0)))
}
