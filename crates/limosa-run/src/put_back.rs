//! Engines where settings outlive the transaction: what a file set is put back behind it.

use limosa_core::Step;
use limosa_db::{DbError, Item, Notice, Session};
use limosa_sql::Engine;

use crate::atomic::together;
use crate::attempt::Failure;
use crate::conduct::Run;
use crate::entries::{self, Marks};
use crate::feed::{Purpose, SharedLog, lock};
use crate::{Event, forgiven, pragmas, shared_session};

/// Runs steps in one transaction and puts the settings back, however it ends.
pub(crate) async fn around(
    run: &Run<'_>,
    session: &mut dyn Session,
    block: &[Step],
    first: usize,
    marks: &Marks,
    log: &SharedLog,
) -> Result<(), Failure> {
    let mark = session.remember_settings().await.map_err(|error| Failure::server(Purpose::Settings, error))?;
    let begun = begin_with(session, block).await.map_err(|error| Failure::server(Purpose::Settings, error));
    let result = match (begun, run.engine) {
        (Err(failure), _) => Err(failure),
        (Ok(()), Engine::Sqlite) => pragmas::around(run, session, block, first, marks, log).await,
        (Ok(()), _) => together(run, session, block, first, marks, log).await.map(Ok),
    };
    if result.is_err() {
        let _ = session.settle().await;
    }
    let hands_on = match &result {
        Ok(_) => block.last().is_some_and(|step| step.hands_on),
        Err(failure) => forgiven::goes_on(block, first, failure),
    };
    let restored = match hands_on {
        true => shared_session::hand_on(session, mark, run.engine, block).await,
        false => session.restore_settings(mark).await,
    };
    let committed = result?;
    for error in committed.err().into_iter().chain(restored.err()) {
        tell_afterwards(run, block, first, log, error);
    }
    Ok(())
}

/// Sets what steps begin with besides the settings of a fresh session.
pub(crate) async fn begin_with(session: &mut dyn Session, block: &[Step]) -> Result<(), DbError> {
    let statements = block.iter().flat_map(|step| &step.begins_with);
    let items: Vec<Item> = statements.cloned().map(Item::Control).collect();
    if items.is_empty() { Ok(()) } else { session.send(items).await.map(drop) }
}

/// PostgreSQL: what is put back between two steps of one transaction that callbacks run around.
pub(crate) fn before(run: &Run<'_>, step: &Step) -> Option<Item> {
    let back = (run.engine == Engine::Postgres).then(|| entries::put_back(run.context, step))?;
    back.map(Item::Control)
}

/// What failed behind a commit, for a person.
pub(crate) fn afterwards(run: &Run<'_>, error: DbError) -> Notice {
    let error = run.context.values.hide_in_error(Box::new(error));
    Notice {
        severity: "WARNING".to_owned(),
        message: format!("committed, but afterwards: {}", error.message),
        detail: error.detail,
        hint: error.hint,
        code: error.code,
    }
}

/// The changes stand, whatever fails now: it is told, and never a reason to run them again.
fn tell_afterwards(run: &Run<'_>, block: &[Step], first: usize, log: &SharedLog, error: DbError) {
    let notice = afterwards(run, error);
    let number = block.len().saturating_sub(1);
    let label = block.get(number).map(|step| step.label.clone()).unwrap_or_default();
    run.context.events.event(Event::Notice { label, notice: notice.clone() });
    lock(log).notices.push((first + number, notice));
}
