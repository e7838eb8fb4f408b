//! A signal to stop, brought to the server while it works.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use limosa_db::{Canceller, DbError, DbErrorKind, FlightError, FlightObserver, Item, Landed, Notice, Row, Session};
use tokio::sync::oneshot;

use crate::Stop;

/// A cancel request may come between two statements, where the server drops it; it is sent again after this time.
const CANCEL_AGAIN: Duration = Duration::from_millis(200);

/// How long one cancel request may take.
const CANCEL_LIMIT: Duration = Duration::from_secs(5);

/// Cancels what the server runs once the run is asked to stop, again and again until the flight has ended.
pub(crate) async fn cancel_when_asked(
    stop: Stop,
    is_cancellable: impl Fn() -> bool + Send,
    canceller: Box<dyn Canceller>,
    mut end: oneshot::Receiver<()>,
) {
    tokio::select! {
        () = stop.asked() => {}
        _ = &mut end => return,
    }
    loop {
        if is_cancellable() {
            let _ = tokio::time::timeout(CANCEL_LIMIT, canceller.cancel()).await;
        }
        tokio::select! {
            () = tokio::time::sleep(CANCEL_AGAIN) => {}
            _ = &mut end => return,
        }
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
    let cancelling = tokio::spawn(cancel_when_asked(stop.clone(), is_cancellable, session.canceller(), end));
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
