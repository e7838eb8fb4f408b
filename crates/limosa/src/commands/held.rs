//! Work on the ledger itself, under the lock: take it, write, record, give it back.

use async_trait::async_trait;
use limosa_core::{AuditHead, LedgerView};
use limosa_db::ledger::{AuditEntry, audit_head, statements as sql};
use limosa_db::{DbErrorKind, Item, Value};
use limosa_run::{Acquired, Events, Held, LockError, Stop, acquire, lock_alone, release, send_stoppable};
use limosa_sql::{Diagnostic, Engine};
use serde_json::json;

use super::adopt::{look_beside, look_there};
use super::{interrupted, stopped};
use crate::anchor::Reason;
use crate::event::{Listener, Progress, Told};
use crate::opened::{Opened, run_id};
use crate::report::DoneAnswer;
use crate::{Exit, Failure};

/// What is to be written under the lock.
pub(crate) struct Edit {
    /// The statements; the marks of the transaction are set before.
    pub(crate) items: Vec<Item>,
    /// One row of the audit log each: operation, identity, detail.
    pub(crate) audit: Vec<(&'static str, Option<String>, serde_json::Value)>,
}

/// What came of an edit.
pub(crate) struct Written {
    /// The head of the audit log.
    pub(crate) head: Option<AuditHead>,
    /// An anchor that could not be written.
    pub(crate) notices: Vec<Diagnostic>,
}

impl Written {
    /// The answer of a command that has written.
    pub(crate) fn answer(self, answer: DoneAnswer, done: Vec<String>) -> DoneAnswer {
        DoneAnswer { done, notices: self.notices, audit_head: self.head, ..answer }
    }
}

/// The marks under which rows are written.
#[derive(Debug, Clone)]
pub(crate) struct Marks {
    pub(crate) epoch: i64,
    pub(crate) step_mark: String,
}

/// Takes the lock, waiting for it as long as the configuration says.
///
/// # Errors
/// Another runner that keeps it, a signal to stop, whatever the server says.
pub(crate) async fn take(
    opened: &mut Opened<'_>,
    events: &dyn Events,
    stop: Stop,
    view: &LedgerView,
) -> Result<Held, Failure> {
    match take_while(opened, events, stop, view, &|_| true).await? {
        Acquired::Held(held) => Ok(*held),
        Acquired::NothingLeft(_) => Err(interrupted()),
    }
}

/// The same, as long as `still_wanted` says of each fresh look at the ledger that there is something left to do.
pub(crate) async fn take_while(
    opened: &mut Opened<'_>,
    events: &dyn Events,
    stop: Stop,
    view: &LedgerView,
    still_wanted: &(dyn Fn(&LedgerView) -> bool + Send + Sync),
) -> Result<Acquired, Failure> {
    Box::pin(look_beside(opened, view)).await?;
    let (session, context) = opened.run_parts(events, stop);
    acquire(session.as_mut(), &context, view.exists, still_wanted).await.map_err(|error| match error {
        LockError::Interrupted => interrupted(),
        LockError::HeldByOther(problem) => Failure::new(Exit::Person, *problem),
        LockError::Database(error) => (*error).into(),
    })
}

/// MySQL: takes the lock of the session alone, until the session ends: of the ledger a part may be missing, for a restore or a clean was begun
/// and has not come to its end.
///
/// # Errors
/// It is still under way, or what the server says.
pub(crate) async fn take_unfinished(opened: &mut Opened<'_>) -> Result<(), Failure> {
    let nobody = |_| {};
    let (session, context) = opened.run_parts(&nobody, Stop::new());
    if lock_alone(session.as_mut(), &context).await? {
        return Ok(());
    }
    let message = "another runner holds the lock: a restore or a clean of this database is still under way";
    Err(Failure::person("LIM-R001", message, "wait for it: the database is whole again when it has come to its end"))
}

/// Gives the lock back. Best effort: a lost connection gives it up by itself.
pub(crate) async fn give_back(opened: &mut Opened<'_>, epoch: i64) {
    let nobody = |_| {};
    let (session, context) = opened.run_parts(&nobody, Stop::new());
    let _ = release(session.as_mut(), &context, epoch).await;
}

/// What is looked at once the lock is held, before anything is decided.
#[async_trait]
pub(crate) trait Look: Sync {
    /// Refuses what must not be written over.
    ///
    /// # Errors
    /// That, and what the server says.
    async fn look(&self, opened: &mut Opened<'_>, view: &LedgerView) -> Result<(), Failure>;
}

/// Looks at nothing.
pub(crate) struct Nowhere;

#[async_trait]
impl Look for Nowhere {
    async fn look(&self, _: &mut Opened<'_>, _: &LedgerView) -> Result<(), Failure> {
        Ok(())
    }
}

/// Takes the lock, lets `edit` decide on the fresh ledger, writes what it says in one transaction with its audit rows. A
/// signal to stop cancels that on the server; nothing was changed then.
pub(crate) async fn under_lock<F>(
    opened: &mut Opened<'_>,
    listener: &dyn Listener,
    stop: &Stop,
    edit: F,
) -> Result<Written, Failure>
where
    F: FnOnce(&Opened<'_>, &LedgerView, &Marks) -> Result<Edit, Failure>,
{
    under_lock_after(opened, listener, stop, &Nowhere, edit).await
}

/// The same, once `first` has looked and refused nothing.
pub(crate) async fn under_lock_after<F>(
    opened: &mut Opened<'_>,
    listener: &dyn Listener,
    stop: &Stop,
    first: &dyn Look,
    edit: F,
) -> Result<Written, Failure>
where
    F: FnOnce(&Opened<'_>, &LedgerView, &Marks) -> Result<Edit, Failure>,
{
    let view = opened.look().await?;
    listener.progress(Progress::Target(opened.target.clone()));
    let events = Told(listener);
    let held = take(opened, &events, stop.clone(), &view).await?;
    let marks = Marks { epoch: held.epoch, step_mark: run_id() };
    let mut reason = Reason::Work;
    let there = match first.look(opened, &held.view).await {
        Ok(()) => look_there(opened, &held.view).await,
        refused => refused,
    };
    let written = match there.and_then(|()| edit(opened, &held.view, &marks)) {
        Ok(edit) => {
            if edit.audit.iter().any(|(operation, _, _)| *operation == "restore") {
                reason = Reason::Restore;
            }
            write(opened, &marks, edit, stop).await
        }
        Err(failure) => Err(failure),
    };
    give_back(opened, held.epoch).await;
    let head = written?;
    let mut notices = Vec::new();
    crate::anchor::append_for(reason, opened.configuration, head.as_ref(), &mut notices);
    Ok(Written { head, notices })
}

async fn write(opened: &mut Opened<'_>, marks: &Marks, edit: Edit, stop: &Stop) -> Result<Option<AuditHead>, Failure> {
    let ledger = opened.ledger.clone();
    let limits = opened.configuration.limits;
    let mut items = ledger.begin();
    items.push(ledger.bound(
        &sql::FENCE,
        vec![
            Value::Integer(marks.epoch),
            Value::Text(marks.step_mark.clone()),
            Value::Text(limits.lock_timeout_ms.to_string()),
            Value::Text(limits.statement_timeout_ms.to_string()),
        ],
    ));
    items.extend(edit.items);
    for (operation, identity, detail) in edit.audit {
        items.extend(ledger.audit(&AuditEntry {
            actor: opened.configuration.actor.clone(),
            operation: operation.to_owned(),
            identity,
            outcome: "done",
            detail: if detail.is_null() { json!({}).to_string() } else { detail.to_string() },
        }));
    }
    items.push(Item::Commit);
    let rows = match send_stoppable(opened.session.as_mut(), stop, items).await {
        Err(error) if error.kind == DbErrorKind::Cancelled && stop.is_asked() => {
            return Err(stopped(match opened.target.engine {
                // Whoever sends what commits by itself says what it has done.
                Engine::Mysql => "what ran was cancelled",
                _ => "what ran was cancelled and rolled back; nothing was changed",
            }));
        }
        sent => sent?,
    };
    Ok(audit_head(&rows))
}
