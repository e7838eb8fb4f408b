//! MySQL: a named lock of the session (`GET_LOCK`), asked for and never waited for, and the lease beside it.

use limosa_db::ledger::statements as sql;
use limosa_db::{DbError, DbErrorKind, Item, Session, Value};
use sha2::{Digest, Sha256};

use super::{Held, Try, takers};
use crate::Context;

/// The name of the lock: the server has one space of names for all its databases, and takes at most 64 characters.
pub fn lock_name(database: &str, schema: &str, project: &str) -> String {
    let digest = Sha256::digest(format!("limosa\n{database}\n{schema}\n{project}").as_bytes());
    format!("limosa:{}", limosa_core::hex(&digest[..16]))
}

fn name_of(session: &dyn Session, context: &Context<'_>) -> Value {
    let names = &context.ledger.names;
    Value::Text(lock_name(&session.facts().database, &names.schema, &context.ledger.project))
}

/// Takes the lock of the session without the lease, for the ledger may be a part of what is missing; false where another session has it.
///
/// # Errors
/// What the server says.
pub async fn lock_alone(session: &mut dyn Session, context: &Context<'_>) -> Result<bool, DbError> {
    let lock = context.ledger.plain(&sql::TRY_LOCK, vec![name_of(session, context)]);
    let rows = session.send(vec![lock]).await?;
    Ok(rows.last().and_then(|rows| rows.first()).is_some_and(|row| row.integer(0) == Some(1)))
}

/// Takes the lock of the session, then the lease; makes the ledger where it is missing.
pub(super) async fn try_once(session: &mut dyn Session, context: &Context<'_>, exists: bool) -> Result<Try, DbError> {
    if !lock_alone(session, context).await? {
        return Ok(Try::Refused(context.ledger.look(session).await?));
    }
    let taken = take(session, context, exists).await;
    if !matches!(taken, Ok(Try::Held(_))) && !matches!(&taken, Err(error) if error.kind == DbErrorKind::ConnectionLost)
    {
        session.settle().await?;
        unlock(session, context).await?;
    }
    taken
}

async fn take(session: &mut dyn Session, context: &Context<'_>, exists: bool) -> Result<Try, DbError> {
    let ledger = &context.ledger;
    if !exists {
        // Each table commits by itself; a run that died between two of them is followed by one that makes the rest.
        session.send(vec![ledger.create()]).await?;
    }
    let mut items = ledger.begin();
    items.push(ledger.bound(&sql::HOLD_LEASE, Vec::new()));
    let rows = session.send(items).await?;
    if let Some(row) = rows.last().and_then(|rows| rows.first()) {
        // With the lock in our hands its session is gone, but for a script that gave all its locks back.
        let held = row.text(1).is_some() && row.boolean(3) && row.text(2) != session.facts().backend;
        if held {
            session.send(vec![Item::Rollback]).await?;
            return Ok(Try::Refused(ledger.look(session).await?));
        }
    }
    let mut items = vec![
        ledger.bound(&sql::TAKE_LEASE, takers(session, context, None)),
        ledger.bound(&sql::ENSURE_HEAD, Vec::new()),
    ];
    let reads_at = items.len();
    items.extend(ledger.reads());
    items.push(Item::Commit);
    let rows = session.send(items).await?;
    let view = ledger.view(&rows[reads_at..])?;
    let epoch = view.lease.as_ref().map(|lease| lease.epoch);
    let epoch =
        epoch.ok_or_else(|| DbError::new(DbErrorKind::Statement, "the lease that was just taken is not there"))?;
    Ok(Try::Held(Held { epoch, view }))
}

/// Gives the lock of the session back.
pub(super) async fn unlock(session: &mut dyn Session, context: &Context<'_>) -> Result<(), DbError> {
    let name = name_of(session, context);
    session.query_item(context.ledger.plain(&sql::UNLOCK, vec![name])).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_differ_by_each_part() {
        let names = [("a", "b", "c"), ("a", "b", "d"), ("a", "d", "c"), ("d", "b", "c"), ("a\nb", "", "c")]
            .map(|(database, schema, project)| lock_name(database, schema, project));
        assert!(names.iter().all(|name| name.len() <= 64));
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
    }
}
