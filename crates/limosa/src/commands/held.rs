//! Work on the ledger itself, under the lock: take it, write, record, give it back.

use limosa_core::{AuditHead, LedgerView};
use limosa_db::ledger::{AuditEntry, statements as sql};
use limosa_db::{DbErrorKind, Item, Value};
use limosa_run::{Acquired, LockError, Stop, acquire, release, send_stoppable};
use limosa_sql::Diagnostic;
use serde_json::json;

use super::{interrupted, stopped};
use crate::anchor::Reason;
use crate::event::{Listener, Progress};
use crate::opened::Opened;
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

/// The marks under which rows are written.
#[derive(Debug, Clone)]
pub(crate) struct Marks {
    pub(crate) epoch: i64,
    pub(crate) step_mark: String,
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
    let view = opened.look().await?;
    listener.progress(Progress::Target(opened.target.clone()));
    let events = |event| listener.progress(Progress::Run(event));
    let (held, mark) = {
        let (session, context) = opened.run_parts(&events, stop.clone());
        let mark = context.run_id.clone();
        match acquire(session.as_mut(), &context, view.exists, &|_| true).await {
            Ok(Acquired::Held(held)) => (held, mark),
            Ok(Acquired::NothingLeft(_)) | Err(LockError::Interrupted) => return Err(interrupted()),
            Err(LockError::HeldByOther(problem)) => return Err(Failure::new(Exit::Person, *problem)),
            Err(LockError::Database(error)) => return Err((*error).into()),
        }
    };
    let marks = Marks { epoch: held.epoch, step_mark: mark };
    let mut reason = Reason::Work;
    let written = match edit(opened, &held.view, &marks) {
        Ok(edit) => {
            if edit.audit.iter().any(|(operation, _, _)| *operation == "restore") {
                reason = Reason::Restore;
            }
            write(opened, &marks, edit, stop).await
        }
        Err(failure) => Err(failure),
    };
    let (session, context) = opened.run_parts(&events, Stop::new());
    let _ = release(session.as_mut(), &context, held.epoch).await;
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
    let mut appended = None;
    for (operation, identity, detail) in edit.audit {
        appended = Some(items.len());
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
            return Err(stopped("what ran was cancelled and rolled back; nothing was changed"));
        }
        sent => sent?,
    };
    Ok(appended
        .and_then(|at| rows.get(at))
        .and_then(|rows| rows.first())
        .and_then(|row| Some(AuditHead { sequence: row.integer(0)?, hash: row.text(1)? })))
}
