//! Cancels what a session runs, by KILL QUERY over a connection of its own.
//!
//! KILL QUERY hits whatever the session runs when it arrives; where that is nothing, the server may keep it for the next
//! statement. So nobody may go on before a request has arrived, and whoever goes on after one proves first that none is left.
//!
//! MySQL documentation, "KILL Statement".

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use super::connect::{Route, within};
use super::error;
use super::wire::Wire;
use crate::{Canceller, DbError, DbErrorKind};

/// How long requests that are under way may take.
const LIMIT: Duration = Duration::from_secs(10);

/// The session is no more: there is nothing to stop.
const NO_SUCH_THREAD: u16 = 1094;

/// What a session and those who cancel it know of each other.
#[derive(Debug)]
pub(super) struct Shared {
    /// A flight is under way.
    flying: AtomicBool,
    /// A request has been sent since the session last proved that none is left.
    asked: AtomicBool,
    /// Requests that are under way.
    under_way: watch::Sender<usize>,
    /// One request at a time.
    one: tokio::sync::Mutex<()>,
}

impl Default for Shared {
    fn default() -> Shared {
        Shared {
            flying: AtomicBool::new(false),
            asked: AtomicBool::new(false),
            under_way: watch::Sender::new(0),
            one: tokio::sync::Mutex::new(()),
        }
    }
}

impl Shared {
    /// Says whether a flight is under way; requests outside of one are not sent.
    pub(super) fn set_flying(&self, flying: bool) {
        self.flying.store(flying, Ordering::SeqCst);
    }

    /// Waits until all requests have arrived.
    pub(super) async fn wait(&self) {
        let mut number = self.under_way.subscribe();
        // After the limit a request is as good as lost; and the sender lives as long as this.
        let _ = tokio::time::timeout(LIMIT, number.wait_for(|number| *number == 0)).await;
    }

    /// True where a request was sent since the flight began.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// True once where a request was sent since the last time.
    pub(super) fn take_asked(&self) -> bool {
        self.asked.swap(false, Ordering::SeqCst)
    }
}

/// Counts one request for as long as it lives.
struct OnItsWay(Arc<Shared>);

impl OnItsWay {
    fn new(shared: &Arc<Shared>) -> OnItsWay {
        shared.under_way.send_modify(|number| *number += 1);
        OnItsWay(Arc::clone(shared))
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|number| *number -= 1);
    }
}

/// Cancels what one session runs.
#[derive(Clone)]
pub struct MysqlCanceller {
    pub(super) route: Route,
    /// The server's number for the session.
    pub(super) connection: u64,
    pub(super) shared: Arc<Shared>,
}

impl fmt::Debug for MysqlCanceller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MysqlCanceller")
            .field("server", &self.route.parameters.place.shown())
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Canceller for MysqlCanceller {
    async fn cancel(&self) -> Result<(), DbError> {
        let request = self.clone();
        // Counted before it is known whether a flight is under way: one that begins now waits for this.
        let counted = OnItsWay::new(&self.shared);
        let task = tokio::spawn(async move {
            let _counted = counted;
            request.send().await
        });
        task.await.unwrap_or_else(|failure| Err(self.failed(&failure)))
    }
}

impl MysqlCanceller {
    async fn send(&self) -> Result<(), DbError> {
        let _one = self.shared.one.lock().await;
        if !self.shared.flying.load(Ordering::SeqCst) {
            return Ok(());
        }
        let limit = self.route.parameters.connect_timeout.unwrap_or(LIMIT).min(LIMIT);
        match within(Some(limit), self.kill()).await {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(self.failed(&error)),
            None => Err(self.failed(&"no answer")),
        }
    }

    async fn kill(&self) -> Result<(), DbError> {
        let opened = self.route.open(None).await?;
        let mut wire = Wire::new(opened.packets, opened.status, usize::MAX);
        self.shared.asked.store(true, Ordering::SeqCst);
        let killed = wire.run(format!("KILL QUERY {}", self.connection).into()).await;
        wire.close().await;
        match killed {
            Ok(_) => Ok(()),
            Err(super::wire::Failure::Server(said)) if said.number == NO_SUCH_THREAD => Ok(()),
            Err(failure) => Err(failure.into_error()),
        }
    }

    fn failed(&self, why: &dyn fmt::Display) -> DbError {
        let message = format!("the cancel request to {} failed: {why}", self.route.parameters.place.shown());
        DbError::new(DbErrorKind::CannotConnect, message)
    }
}

/// What a flight fails with that was cancelled between two statements, or in one that took no notice: the server's `SLEEP()`
/// just ends when it is killed.
pub(super) fn cancelled() -> DbError {
    DbError::new(DbErrorKind::Cancelled, "the flight was cancelled before this statement was sent")
}

/// Sends a statement of the session's own until no request that came late hits it.
pub(super) async fn undisturbed(wire: &mut Wire, sql: &str) -> Result<(), DbError> {
    const ATTEMPTS: usize = 5;
    let mut result = Ok(());
    for _ in 0..ATTEMPTS {
        result = wire.command(sql).await.map(drop);
        match &result {
            Err(error) if error.kind == DbErrorKind::Cancelled => {}
            _ => break,
        }
    }
    result.map_err(|error| if wire.is_lost() { error::lost(error) } else { error })
}
