//! SQLite: the scripts of a run begin with foreign keys enforced where they were written for a tool that has them so.

use limosa_core::{Plan, PlannedCallback};
use limosa_db::{DbError, Item, Session};
use limosa_sql::{Engine, ForeignKeys};

/// What the session has when a run begins and when it has ended: limosa's own statements need none.
const OWN: ForeignKeys = ForeignKeys::Ignored;

/// Switches them for the whole run, so that no script costs a statement: between scripts the session is put back to this. True where that
/// was to be done.
pub(crate) async fn begin(plan: &Plan, engine: Engine, session: &mut dyn Session) -> Result<bool, DbError> {
    let callbacks = plan.callbacks.iter().filter_map(PlannedCallback::step);
    let mut begins = plan.steps.iter().chain(callbacks).map(|step| step.outline.foreign_keys);
    if engine != Engine::Sqlite || !begins.any(|begins| !begins.are_ignored()) {
        return Ok(false);
    }
    // Within a transaction SQLite ignores it.
    session.settle().await?;
    session.send(vec![switch(ForeignKeys::Enforced)]).await?;
    Ok(true)
}

/// The session as it was, however the run ended.
pub(crate) async fn end(session: &mut dyn Session) -> Result<(), DbError> {
    session.settle().await?;
    session.send(vec![switch(OWN)]).await.map(drop)
}

/// What switches them, outside of transactions.
pub(crate) fn switch(to: ForeignKeys) -> Item {
    Item::Control(format!("pragma foreign_keys = {}", to.word()))
}
