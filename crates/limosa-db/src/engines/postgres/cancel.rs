//! Cancels what a session runs.
//!
//! A cancel request hits whatever the session runs when it arrives, so nobody may go on before it has: the server closes
//! the request's connection when it has passed the signal on, and that is waited for, even if the caller gives up.
//!
//! PostgreSQL documentation, chapter "Frontend/Backend Protocol", "Canceling Requests in Progress".

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio_postgres::tls::TlsConnect;

use super::connect::{self, Route};
use super::parameters::Place;
use super::tap::{Heard, SSL_REQUEST};
use crate::{Canceller, DbError, DbErrorKind};

/// How long requests that are under way may take.
const LIMIT: Duration = Duration::from_secs(10);

/// Length and code of a cancel request.
const CANCEL_REQUEST: [u8; 8] = [0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e];

/// The cancel requests of one session that are under way.
#[derive(Debug, Clone)]
pub(super) struct UnderWay(Arc<watch::Sender<usize>>);

impl Default for UnderWay {
    fn default() -> UnderWay {
        UnderWay(Arc::new(watch::Sender::new(0)))
    }
}

impl UnderWay {
    /// Waits until all have arrived.
    pub(super) async fn wait(&self) {
        let mut number = self.0.subscribe();
        // After the limit a request is as good as lost; and the sender lives as long as this.
        let _ = tokio::time::timeout(LIMIT, number.wait_for(|number| *number == 0)).await;
    }
}

/// Counts one request for as long as it lives.
struct OnItsWay(UnderWay);

impl OnItsWay {
    fn new(all: &UnderWay) -> OnItsWay {
        all.0.send_modify(|number| *number += 1);
        OnItsWay(all.clone())
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.0.0.send_modify(|number| *number -= 1);
    }
}

/// Cancels what one session runs, over a connection of its own with the same TLS.
#[derive(Clone)]
pub struct PostgresCanceller {
    pub(super) heard: Arc<Heard>,
    pub(super) route: Route,
    pub(super) place: Place,
    pub(super) under_way: UnderWay,
}

impl fmt::Debug for PostgresCanceller {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PostgresCanceller").field("server", &self.route.shown).finish_non_exhaustive()
    }
}

#[async_trait]
impl Canceller for PostgresCanceller {
    async fn cancel(&self) -> Result<(), DbError> {
        let request = self.clone();
        let counted = OnItsWay::new(&self.under_way);
        let task = tokio::spawn(async move {
            let _counted = counted;
            request.send().await
        });
        task.await.unwrap_or_else(|error| Err(self.failed(&error)))
    }
}

impl PostgresCanceller {
    async fn send(&self) -> Result<(), DbError> {
        let heard = Arc::default();
        let mut socket = self.route.socket(&self.place, &heard).await?;
        let work = async {
            if !self.heard.encrypted() {
                return self.ask(socket).await;
            }
            if !self.route.direct_tls {
                socket.write_all(&SSL_REQUEST).await?;
                if socket.read_u8().await? != b'S' {
                    return Err(io::Error::other("the server has no TLS any more"));
                }
            }
            self.ask(self.route.tls(&heard).connect(socket).await?).await
        };
        match connect::within(Some(self.route.limit.unwrap_or(LIMIT).min(LIMIT)), work).await {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(self.failed(&error)),
            None => Err(self.failed(&"no answer")),
        }
    }

    /// Sends the request and waits for the end of the stream.
    async fn ask(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let mut request = CANCEL_REQUEST.to_vec();
        request.extend(self.heard.cancel_key());
        stream.write_all(&request).await?;
        stream.flush().await?;
        // Nothing is answered; a server that resets the connection, or closes it without TLS's farewell, has done its
        // work too.
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        Ok(())
    }

    fn failed(&self, why: &dyn fmt::Display) -> DbError {
        let message = format!("the cancel request to {} failed: {why}", self.route.shown);
        DbError::new(DbErrorKind::CannotConnect, message)
    }
}
