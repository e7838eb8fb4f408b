//! The ledger migrates itself: the first run that holds the lock brings its tables to the newest version.

use limosa_core::{LEDGER_VERSION, LedgerView};
use limosa_db::ledger::statements as sql;
use limosa_db::{DbError, DbErrorKind, Item, Notice, Session};

use crate::{Context, Event};

/// Brings the ledger's tables to the newest version, in one transaction. A role that lacks the rights goes on without a step
/// that is not needed, and is told what the owner may run.
pub(crate) async fn upgrade(
    session: &mut dyn Session,
    context: &Context<'_>,
    view: &mut LedgerView,
) -> Result<(), DbError> {
    let from = view.version.unwrap_or(LEDGER_VERSION);
    let steps = context.ledger.upgrades(from);
    if steps.is_empty() {
        return Ok(());
    }
    let mut items = context.ledger.begin();
    items.extend(steps);
    items.push(Item::Commit);
    let needed = sql::UPGRADES.iter().any(|step| step.to > from && step.needed);
    match session.send(items).await {
        Ok(_) => {
            view.version = Some(LEDGER_VERSION);
            Ok(())
        }
        Err(error) if error.kind == DbErrorKind::PermissionDenied => {
            let hint = format!(
                "its owner may bring the ledger to version {LEDGER_VERSION}:\n{}",
                context.ledger.upgrade_script(from)
            );
            if needed {
                return Err(error.hint(hint));
            }
            let notice = Notice {
                severity: "WARNING".to_owned(),
                message: format!("the ledger stays at version {from}: {}", error.message),
                detail: None,
                hint: Some(hint),
                code: error.code,
            };
            let notice = context.values.hide_in_notice(notice);
            context.events.event(Event::Notice { label: "ledger".into(), notice });
            Ok(())
        }
        Err(error) => Err(error),
    }
}
