//! One flight of a run: sent, watched, interruptible, and its end understood.

use std::sync::{Arc, Mutex};

use limosa_core::Step;
use limosa_db::{DbError, FlightError, Session};

use crate::Context;
use crate::feed::{Feed, GaveUp, Log, Purpose, SharedLog, SharedProgress, Watch, lock};
use crate::problem::purpose_of;

/// How a flight failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server refused an item.
    Server {
        purpose: Option<Purpose>,
        error: Box<DbError>,
        /// A COMMIT was on its way: only the ledger knows whether it took effect.
        commit_sent: bool,
    },
    /// The run was asked to stop, or the script could not be read on.
    GaveUp(GaveUp),
}

pub(crate) fn new_log() -> SharedLog {
    Arc::new(Mutex::new(Log::default()))
}

/// Sends a feed. A signal to stop cancels the running statement on the server; the flight then ends by itself.
pub(crate) async fn fly(
    session: &mut dyn Session,
    context: &Context<'_>,
    mut feed: Feed<'_>,
    log: &SharedLog,
    progress: &SharedProgress,
    steps: &[Step],
    first_step: usize,
) -> Result<(), Failure> {
    let mut watch = Watch { context, log: Arc::clone(log), progress: Arc::clone(progress), steps, first_step };
    let canceller = session.canceller();
    let stop = context.stop.clone();
    let guard = Arc::clone(log);
    let cancelling = tokio::spawn(async move {
        stop.asked().await;
        // Once the commit is on its way, the work is done as far as we are concerned: its answer is awaited.
        if !lock(&guard).commit_sent || lock(&guard).open.iter().any(|(_, p)| matches!(p, Purpose::Statement(_))) {
            let _ = canceller.cancel().await;
        }
    });
    let flown = session.flight(&mut feed, &mut watch).await;
    cancelling.abort();
    let log = lock(log);
    match flown {
        Ok(()) => Ok(()),
        Err(FlightError::Aborted) => Err(Failure::GaveUp(log.gave_up.clone().unwrap_or(GaveUp::Interrupted))),
        Err(FlightError::Failed { item, error }) => {
            Err(Failure::Server { purpose: purpose_of(&log, item), error, commit_sent: log.commit_sent })
        }
    }
}
