//! PostgreSQL: an advisory lock of the session, and the lease beside it; through a pooler the lease alone.

use limosa_core::LedgerView;
use limosa_db::ledger::statements as sql;
use limosa_db::{DbError, DbErrorKind, Item, Session, Value};
use limosa_sql::Engine;

use super::{Held, Try, Watched, lock_key, takers};
use crate::Context;

/// How the ledger's tables come to be, where they are missing.
#[derive(Debug, Clone, Copy)]
enum Making {
    /// They stand.
    Nothing,
    /// With their schema, and behind a guard that fails where that is there already or the lock is not ours: the server is waited for once.
    WithSchema,
    /// Under the lock, which is ours already.
    UnderLock { schema_exists: bool },
}

pub(super) async fn try_once(
    session: &mut dyn Session,
    context: &Context<'_>,
    exists: bool,
    silent: Option<&Watched>,
) -> Result<Try, DbError> {
    let making = if exists { Making::Nothing } else { Making::WithSchema };
    match take_postgres(session, context, making, silent).await {
        Err(error) if !exists && error.code.as_deref() == Some(sql::GUARD_FAILED) => {
            let mut items = context.ledger.begin();
            let locked_at = items.len();
            items.push(try_lock(context, context.pooled));
            items.push(context.ledger.plain(&sql::SCHEMA_EXISTS, Vec::new()));
            items.push(Item::Commit);
            let rows = session.send(items).await?;
            let answer = |at: usize| rows[at].first().is_some_and(|row| row.boolean(0));
            if !answer(locked_at) {
                return Ok(Try::Refused(context.ledger.look(session).await?));
            }
            take_postgres(session, context, Making::UnderLock { schema_exists: answer(locked_at + 1) }, silent).await
        }
        result => result,
    }
}

/// `held` says that it need not be taken: it is ours already, or there is none behind a pooler.
fn try_lock(context: &Context<'_>, held: bool) -> Item {
    let key = lock_key(&context.ledger.names.schema, &context.ledger.project);
    context.ledger.plain(&sql::TRY_LOCK, vec![Value::Integer(key), Value::Boolean(held)])
}

/// Names this session for the lease, with the rights of the user that connected.
fn known(context: &Context<'_>) -> Vec<Item> {
    let role = context.ledger.role.as_ref().or(context.session_role.as_ref());
    let local = |role: &str| Item::Control(format!("set local role {role}"));
    let back = role.map(|role| local(&Engine::Postgres.quote_identifier(role)));
    let mut items: Vec<Item> = role.map(|_| local("none")).into_iter().collect();
    items.push(context.ledger.plain(&sql::KNOW_BACKEND, Vec::new()));
    items.extend(back);
    items
}

async fn take_postgres(
    session: &mut dyn Session,
    context: &Context<'_>,
    making: Making,
    silent: Option<&Watched>,
) -> Result<Try, DbError> {
    let ledger = &context.ledger;
    let mut items = ledger.begin();
    items.extend(known(context));
    items.push(Item::Control("set local lock_timeout = '200ms'".to_owned()));
    let locked_at = items.len();
    items.push(try_lock(context, context.pooled || matches!(making, Making::UnderLock { .. })));
    match making {
        Making::Nothing => {}
        Making::WithSchema => {
            items.push(ledger.plain(&sql::MAY_MAKE, Vec::new()));
            items.extend(ledger.create_under_lock(false));
        }
        Making::UnderLock { schema_exists } => items.extend(ledger.create_under_lock(schema_exists)),
    }
    let taken_at = items.len();
    items.push(ledger.bound(&sql::TAKE_LEASE, takers(session, context, silent)));
    items.push(ledger.bound(&sql::ENSURE_HEAD, Vec::new()));
    let reads_at = items.len();
    if matches!(making, Making::Nothing) {
        items.extend(ledger.reads());
    }
    items.push(Item::Commit);
    let rows = match session.send(items).await {
        Ok(rows) => rows,
        Err(error) => return Err(let_go(session, context, error).await?),
    };
    let locked = rows[locked_at].first().is_some_and(|row| row.boolean(0));
    let epoch = rows[taken_at].first().and_then(|row| row.integer(0));
    let view = match making {
        Making::Nothing => ledger.view(&rows[reads_at..]),
        Making::WithSchema | Making::UnderLock { .. } => Ok(LedgerView::just_made()),
    };
    let view = match view {
        Ok(view) => view,
        Err(error) => return Err(let_go(session, context, error).await?),
    };
    match epoch {
        Some(epoch) => Ok(Try::Held(Held { epoch, view })),
        None => {
            if locked && !context.pooled {
                unlock(session, context).await?;
            }
            Ok(Try::Refused(view))
        }
    }
}

/// Behind an error: the advisory lock of a session outlives the transaction that failed after taking it.
async fn let_go(session: &mut dyn Session, context: &Context<'_>, error: DbError) -> Result<DbError, DbError> {
    if !context.pooled && error.kind != DbErrorKind::ConnectionLost {
        unlock(session, context).await?;
    }
    Ok(error)
}

pub(super) async fn unlock(session: &mut dyn Session, context: &Context<'_>) -> Result<(), DbError> {
    unlock_key(session, lock_key(&context.ledger.names.schema, &context.ledger.project)).await
}

/// Gives the lease back, and the lock behind it; waits once.
pub(super) async fn give_up(session: &mut dyn Session, context: &Context<'_>, lease: Item) -> Result<(), DbError> {
    let mut items = context.ledger.begin();
    let unlock = unlocking(lock_key(&context.ledger.names.schema, &context.ledger.project));
    items.extend([lease, Item::Commit, Item::BeginAhead, unlock, Item::Commit]);
    session.send(items).await.map(|_| ())
}

/// Gives an advisory lock back, where this session holds it.
pub(super) async fn unlock_key(session: &mut dyn Session, key: i64) -> Result<(), DbError> {
    session.send(vec![unlocking(key)]).await.map(|_| ())
}

fn unlocking(key: i64) -> Item {
    // `pg_advisory_unlock_all` would also free locks that an embedding application took on this session. Where the lock is not held the
    // server only warns, which is not to be seen; `pg_locks` would know, and holds up all who lock anything while it is read.
    let sql = "select set_config('client_min_messages', 'error', true), pg_advisory_unlock($1)";
    Item::Bound { sql: sql.to_owned(), parameters: vec![Value::Integer(key)] }
}
