//! SQLite: the lease, taken under the write lock of the file.

use limosa_db::ledger::statements as sql;
use limosa_db::{DbError, Item, Row, Session, Value};

use super::{Held, Try, Watched, takers};
use crate::Context;

pub(super) async fn try_once(
    session: &mut dyn Session,
    context: &Context<'_>,
    exists: bool,
    silent: Option<&Watched>,
) -> Result<Try, DbError> {
    let ledger = &context.ledger;
    let mut gone = -1;
    if exists {
        let rows = session.send(vec![ledger.bound(&sql::LEASE, Vec::new())]).await?;
        if let Some(row) = rows.first().and_then(|rows| rows.first()) {
            let holder = row.text(1).and(row.text(4));
            match holder.and_then(|backend| session.backend_is_gone(&backend)) {
                Some(true) => gone = row.integer(0).unwrap_or(-1),
                // It lives on this machine: however long it is silent, it may still be at work.
                Some(false) => return Ok(Try::Refused(context.ledger.look(session).await?)),
                None => {}
            }
        }
    }
    let mut items = vec![Item::Begin];
    if !exists {
        items.push(ledger.create());
    }
    let taken_at = items.len();
    let mut takers = takers(session, context, silent);
    takers.push(Value::Integer(gone));
    items.push(ledger.bound(&sql::TAKE_LEASE, takers));
    items.push(ledger.bound(&sql::ENSURE_HEAD, Vec::new()));
    let reads_at = items.len();
    items.extend(ledger.reads());
    items.push(Item::Commit);
    let rows: Vec<Vec<Row>> = session.send(items).await?;
    let view = ledger.view(&rows[reads_at..])?;
    Ok(match rows[taken_at].first().and_then(|row| row.integer(0)) {
        Some(epoch) => {
            // This process may outlive the run by far, and as long as it lives nobody takes the lease from it.
            session.when_dropped(Some(ledger.bound(&sql::RELEASE_LEASE, vec![Value::Integer(epoch)])));
            Try::Held(Held { epoch, view })
        }
        None => Try::Refused(view),
    })
}
