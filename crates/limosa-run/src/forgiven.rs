//! Changes that may fail: where nothing of one stands, the run goes on behind it. What one set for its session goes back with its transaction
//! on PostgreSQL; elsewhere no server takes it back, and it reaches the changes behind it, as with Liquibase.

use limosa_core::{Otherwise, Step};
use limosa_db::{DbErrorKind, Notice, Session};

use crate::attempt::Failure;
use crate::conduct::Run;
use crate::feed::{AROUND, Purpose};
use crate::{Event, guard};

/// True where the run goes on behind the only step of a block, with what it has set for the session.
pub(crate) fn goes_on(block: &[Step], number: usize, failure: &Failure) -> bool {
    matches!(block, [step] if step.hands_on && is_forgiven(step, number, failure))
}

/// True where a failure is one of the step's own SQL, and none of it stands.
fn is_forgiven(step: &Step, number: usize, failure: &Failure) -> bool {
    let may_fail = step.guard.as_deref().is_some_and(|guard| guard.on_failure == Otherwise::Leave);
    let Failure::Server { purpose: Some(Purpose::Statement(sent)), error, .. } = failure else { return false };
    let is_of_session =
        matches!(error.kind, DbErrorKind::ConnectionLost | DbErrorKind::Cancelled | DbErrorKind::ImplicitCommit);
    let is_its_own = !error.is_transient() && !is_of_session && sent.is_around == (number == AROUND);
    let may_stand = error.rows_stay || !step.outline.is_atomic();
    may_fail && is_its_own && !may_stand
}

/// Puts the session right where a step failed that may, and tells what failed; None where the run has to stop. What runs around steps
/// has the number [`AROUND`].
pub(crate) async fn told(
    run: &Run<'_>,
    session: &mut dyn Session,
    block: &[Step],
    number: usize,
    failure: &Failure,
) -> Option<Notice> {
    let [step] = block else { return None };
    if !is_forgiven(step, number, failure) || run.context.stop.is_asked() {
        return None;
    }
    session.settle().await.ok()?;
    let outcome = run.explain(failure, block, number).0;
    let notice = guard::notice(outcome.problem()?, "it may fail, and is left for the next run");
    run.context.events.event(Event::Notice { label: step.label.clone(), notice: notice.clone() });
    Some(notice)
}
