//! Opens a connection: which address, with TLS or without.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::login::{self, LoggedIn};
use super::packets::Packets;
use super::parameters::{Parameters, Place, SslMode};
use super::refusal;
use super::tls::{self, TlsAbove};
use crate::DbError;
use crate::network::{Endpoint, Transport};

/// How a server is reached, again and again.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) parameters: Arc<Parameters>,
    tls: Option<TlsAbove>,
}

impl Route {
    /// Reads the files of TLS; connects to nothing.
    pub(super) fn new(parameters: Parameters) -> Result<Route, DbError> {
        let mode = parameters.tls.mode;
        let tls = match &parameters.place {
            _ if mode == SslMode::Disabled => None,
            // As MySQL's client: on a socket only where it is asked for.
            Place::Socket(_) if mode == SslMode::Preferred => None,
            Place::Socket(_) => Some(tls::above(&parameters.tls, "localhost")?),
            Place::Tcp { host, .. } => Some(tls::above(&parameters.tls, host)?),
        };
        Ok(Route { parameters: Arc::new(parameters), tls })
    }

    /// Opens a session, with a database or without.
    pub(super) async fn open(&self, database: Option<&str>) -> Result<LoggedIn, DbError> {
        let mut last = None;
        for endpoint in self.endpoints().await? {
            let opening = async {
                let transport = Transport::open(&endpoint, &self.parameters.keep_alive)
                    .await
                    .map_err(|error| refusal::no_socket(&self.parameters.place, &error))?;
                let packets = Packets::new(Box::new(transport));
                login::log_in(&self.parameters, packets, self.tls.as_ref(), database).await
            };
            match within(self.parameters.connect_timeout, opening).await {
                Some(Ok(opened)) => return Ok(opened),
                // One that is there and refuses ends the search, one that is not there does not.
                Some(Err(error)) if error.kind != crate::DbErrorKind::CannotConnect => return Err(error),
                Some(Err(error)) => last = Some(error),
                None => last = Some(self.silence()),
            }
        }
        Err(last.unwrap_or_else(|| {
            DbError::new(crate::DbErrorKind::CannotConnect, format!("{} has no address", self.parameters.place.shown()))
        }))
    }

    pub(super) fn silence(&self) -> DbError {
        refusal::silence(&self.parameters.place, self.parameters.connect_timeout.unwrap_or_default())
    }

    async fn endpoints(&self) -> Result<Vec<Endpoint>, DbError> {
        let (host, port) = match &self.parameters.place {
            Place::Socket(path) => return Ok(vec![Endpoint::Unix(path.clone())]),
            Place::Tcp { host, port } => (host.as_str(), *port),
        };
        let looking = tokio::net::lookup_host((host, port));
        let found: Vec<SocketAddr> = match within(self.parameters.connect_timeout, looking).await {
            Some(Ok(found)) => found.collect(),
            Some(Err(error)) => return Err(refusal::unknown_host(host, &error)),
            None => return Err(self.silence()),
        };
        let mut endpoints: Vec<Endpoint> = found.into_iter().map(Endpoint::Tcp).collect();
        endpoints.dedup();
        Ok(endpoints)
    }
}

/// Waits at most so long.
pub(super) async fn within<F: Future>(limit: Option<Duration>, future: F) -> Option<F::Output> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, future).await.ok(),
        None => Some(future.await),
    }
}
