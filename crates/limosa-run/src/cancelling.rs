//! A signal to stop, brought to the server while it works.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use limosa_db::{Canceller, DbError, DbErrorKind, FlightError, FlightObserver, Item, Landed, Notice, Row, Session};
use tokio::sync::oneshot;

use crate::Stop;
use crate::feed::SharedProgress;

/// A cancel request may come between two statements, where the server drops it; it is sent again after this time.
const CANCEL_AGAIN: Duration = Duration::from_millis(200);

/// How long one cancel request may take.
const CANCEL_LIMIT: Duration = Duration::from_secs(5);

/// How often a flight is looked at for a statement that has run too long.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Cancels what the server runs once the run is asked to stop, or once the statement has run for its time-out where the progress
/// is watched for it; again and again until the flight has ended. Gives the time-out that was passed.
pub(crate) async fn cancel_when_due(
    stop: Stop,
    watched: Option<SharedProgress>,
    is_cancellable: impl Fn() -> bool + Send + Sync,
    canceller: Box<dyn Canceller>,
    mut end: oneshot::Receiver<()>,
) -> Option<Duration> {
    let passed = tokio::select! {
        () = stop.asked() => None,
        limit = time_out(watched, &is_cancellable) => Some(limit),
        _ = &mut end => return None,
    };
    loop {
        if is_cancellable() {
            let _ = tokio::time::timeout(CANCEL_LIMIT, canceller.cancel()).await;
        }
        tokio::select! {
            () = tokio::time::sleep(CANCEL_AGAIN) => {}
            _ = &mut end => return passed,
        }
    }
}

/// Returns once a statement of the user's has run for its time-out, with that.
async fn time_out(watched: Option<SharedProgress>, is_cancellable: &(impl Fn() -> bool + Send + Sync)) -> Duration {
    let Some(progress) = watched else { return std::future::pending().await };
    loop {
        let (since, limit) = {
            let progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
            (progress.since, progress.statement_timeout)
        };
        let left = match since {
            Some(since) if !limit.is_zero() => limit.saturating_sub(since.elapsed()),
            _ => LOOK_AGAIN,
        };
        if left.is_zero() && is_cancellable() {
            return limit;
        }
        // Another statement may have begun meanwhile, with another limit.
        tokio::time::sleep(left.clamp(Duration::from_millis(5), LOOK_AGAIN)).await;
    }
}

/// Sends one transaction, from its begin to its commit, and gives the rows of each item. A signal to stop cancels it on the
/// server, as long as more than the commit is under way.
///
/// # Errors
/// The first failure; nothing took effect then. [`DbErrorKind::Cancelled`] where the signal came first.
pub async fn send_stoppable(
    session: &mut dyn Session,
    stop: &Stop,
    items: Vec<Item>,
) -> Result<Vec<Vec<Row>>, DbError> {
    let cancelled = || DbError::new(DbErrorKind::Cancelled, "it was cancelled before it began");
    if stop.is_asked() {
        return Err(cancelled());
    }
    let before_the_last = items.len().saturating_sub(1);
    let mut collector = Counted::default();
    let landed = Arc::clone(&collector.landed);
    let is_cancellable = move || landed.load(Ordering::SeqCst) < before_the_last;
    let (ended, end) = oneshot::channel();
    let cancelling = tokio::spawn(cancel_when_due(stop.clone(), None, is_cancellable, session.canceller(), end));
    let flown = session.flight(&mut items.into_iter(), &mut collector).await;
    drop(ended);
    // A request that is under way is let arrive: later it would hit a statement that nobody wants to stop.
    let _ = cancelling.await;
    match flown {
        Ok(()) => Ok(collector.rows),
        Err(FlightError::Failed { error, .. }) => Err(*error),
        Err(FlightError::Aborted) => Err(cancelled()),
    }
}

/// Collects rows and counts what has landed.
#[derive(Default)]
struct Counted {
    rows: Vec<Vec<Row>>,
    landed: Arc<AtomicUsize>,
}

impl FlightObserver for Counted {
    fn landed(&mut self, _item: u64, landed: Landed) {
        self.rows.push(landed.rows);
        self.landed.fetch_add(1, Ordering::SeqCst);
    }

    fn notice(&mut self, _notice: Notice) {}
}
