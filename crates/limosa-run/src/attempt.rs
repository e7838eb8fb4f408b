//! One flight of a run: sent, watched, interruptible, and its end understood.

use std::sync::{Arc, Mutex};

use limosa_core::Step;
use limosa_db::{DbError, DbErrorKind, FlightError, FlightObserver, Session};
use limosa_sql::Engine;
use tokio::sync::oneshot;

use crate::cancelling::cancel_when_due;
use crate::feed::{Feed, GaveUp, Log, Purpose, SharedLog, SharedProgress, Watch, lock};
use crate::guard::Refused;
use crate::problem::purpose_of;
use crate::{Context, Outcome, StepState, not_taken_back};

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
    /// Its guard does not hold: it was not begun.
    Guarded(Box<Refused>),
    /// What an attempt left behind could not be settled.
    Unsettled(Box<Outcome>),
}

impl Failure {
    /// The server refused something that was no COMMIT.
    pub(crate) fn server(purpose: Purpose, error: DbError) -> Failure {
        Failure::Server { purpose: Some(purpose), error: Box::new(error), commit_sent: false }
    }

    /// How a step ended of which no statement is committed.
    pub(crate) fn state_of_nothing_committed(&self) -> StepState {
        match self {
            Failure::Server { error, .. } if error.rows_stay => StepState::RowsStay,
            _ => StepState::RolledBack,
        }
    }

    /// True where it is not the statement that failed: somebody has cancelled it, or the connection broke.
    pub(crate) fn is_of_somebody(&self) -> bool {
        let cancelled = matches!(self, Failure::Server { error, .. } if error.kind == DbErrorKind::Cancelled);
        cancelled || self.is_connection_lost()
    }

    /// True where the connection broke: what took effect on the server is not known from here.
    pub(crate) fn is_connection_lost(&self) -> bool {
        matches!(self, Failure::Server { error, .. } if error.kind == DbErrorKind::ConnectionLost)
    }
}

pub(crate) fn new_log() -> SharedLog {
    Arc::new(Mutex::new(Log::default()))
}

/// Sends a feed. A signal to stop cancels the running statement on the server; the flight then ends by itself.
pub(crate) async fn fly(
    session: &mut dyn Session,
    context: &Context<'_>,
    feed: Feed<'_>,
    log: &SharedLog,
    progress: &SharedProgress,
    steps: &[Step],
    first_step: usize,
) -> Result<(), Failure> {
    let mut watch =
        Watch { context, log: Arc::clone(log), progress: Arc::clone(progress), steps, first_step, current: first_step };
    fly_watched(session, context, feed, log, progress, &mut watch).await
}

/// As [`fly`], told to somebody else.
pub(crate) async fn fly_watched(
    session: &mut dyn Session,
    context: &Context<'_>,
    mut feed: Feed<'_>,
    log: &SharedLog,
    progress: &SharedProgress,
    watch: &mut dyn FlightObserver,
) -> Result<(), Failure> {
    let (ended, end) = oneshot::channel();
    let engine = session.facts().engine();
    // PostgreSQL ends what runs too long by itself.
    let watched = (engine != Engine::Postgres).then(|| Arc::clone(progress));
    let (stop, seen) = (context.stop.clone(), Arc::clone(log));
    let cancelling =
        tokio::spawn(cancel_when_due(stop, watched, move || is_cancellable(&seen, engine), session.canceller(), end));
    let flown = session.flight(&mut feed, watch).await;
    drop(ended);
    // A request that is under way is let arrive: later it would hit a statement that nobody wants to stop.
    let timed_out = cancelling.await.ok().flatten();
    let flown = match flown {
        Err(FlightError::Failed { item, mut error }) if engine == Engine::Mysql => {
            not_taken_back::note(session, &mut error).await;
            Err(FlightError::Failed { item, error })
        }
        flown => flown,
    };
    let log = lock(log);
    match flown {
        Ok(()) => Ok(()),
        Err(FlightError::Aborted) => Err(Failure::GaveUp(log.gave_up.clone().unwrap_or(GaveUp::Interrupted))),
        Err(FlightError::Failed { item, error }) => {
            let mut error = context.values.hide_in_error(error);
            if let (DbErrorKind::Cancelled, Some(limit)) = (error.kind, timed_out) {
                error.message = format!("cancelled by limosa after its statement timeout of {} ms", limit.as_millis());
            }
            Err(Failure::Server { purpose: purpose_of(&log, item), error, commit_sent: log.commit_sent })
        }
    }
}

/// Once the commit is all that is on its way, the work is done as far as we are concerned: its answer is awaited. And a
/// transaction is let begin: what was sent behind it relies on that.
fn is_cancellable(log: &SharedLog, engine: Engine) -> bool {
    let log = lock(log);
    // Elsewhere a BEGIN may wait for the lock of another writer.
    if engine == Engine::Postgres && matches!(log.open.front(), Some((_, Purpose::Begin | Purpose::Commit))) {
        return false;
    }
    !log.commit_sent || log.open.iter().any(|(_, purpose)| matches!(purpose, Purpose::Statement(_)))
}
