//! Opens a connection: which server of the list, which of its addresses, with TLS or without.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::config::{SslMode as DriverSslMode, SslNegotiation};
use tokio_postgres::{Client, Connection};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::parameters::{HostName, Parameters, Place, SslMode, socket_in};
use super::tap::{Heard, Socket};
use super::tls::TlsAbove;
use super::wire::Stream;
use super::{password_file, refusal};
use crate::network::{Endpoint, KeepAlive, Transport};
use crate::{DbError, DbErrorKind, Notice, Secret};

/// How the server was reached; enough to reach it again for a cancel request.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) endpoint: Endpoint,
    pub(super) shown: String,
    pub(super) keep_alive: KeepAlive,
    pub(super) limit: Option<Duration>,
    pub(super) direct_tls: bool,
    tls: MakeRustlsConnect,
    tls_name: String,
}

impl Route {
    /// Opens the socket.
    pub(super) async fn socket(&self, place: &Place, heard: &Arc<Heard>) -> Result<Socket, DbError> {
        let opening = Transport::open(&self.endpoint, &self.keep_alive);
        match within(self.limit, opening).await {
            Some(Ok(transport)) => Ok(Socket::on_socket(transport, Arc::clone(heard))),
            Some(Err(error)) => Err(refusal::no_socket(place, &error)),
            None => Err(refusal::silence(place, self.limit.unwrap_or_default())),
        }
    }

    /// What the driver needs for TLS on a socket.
    pub(super) fn tls(&self, heard: &Arc<Heard>) -> TlsAbove {
        TlsAbove::new(&self.tls, &self.tls_name, Arc::clone(heard))
    }
}

/// An open connection.
pub(super) struct Opened {
    pub(super) client: Client,
    pub(super) connection: Connection<Socket, Stream>,
    pub(super) heard: Arc<Heard>,
    pub(super) route: Route,
    pub(super) place: Place,
    pub(super) notices: Vec<Notice>,
}

/// The servers of the list in the order in which they are tried.
pub(super) fn order(parameters: &Parameters) -> Vec<Place> {
    let mut places = parameters.places.clone();
    if parameters.shuffled {
        shuffle(&mut places);
    }
    places
}

/// The keys of the standard library's hash tables are the only randomness at hand; it need not be a good one.
fn shuffle<T>(list: &mut [T]) {
    use std::hash::{BuildHasher, RandomState};
    let state = RandomState::new();
    for end in (1..list.len()).rev() {
        let random = usize::try_from(state.hash_one(end) >> 33).unwrap_or(0);
        list.swap(end, random % (end + 1));
    }
}

/// The ways to one server: one for each of its addresses.
pub(super) async fn routes(
    parameters: &Parameters,
    tls: &MakeRustlsConnect,
    place: &Place,
) -> Result<Vec<Route>, DbError> {
    let endpoints = endpoints(parameters, place).await?;
    if endpoints.is_empty() {
        return Err(DbError::new(
            DbErrorKind::CannotConnect,
            format!("the host {:?} has no address", place.host.shown()),
        ));
    }
    let route = |endpoint| Route {
        endpoint,
        shown: place.shown(),
        keep_alive: parameters.keep_alive.clone(),
        limit: parameters.connect_timeout,
        direct_tls: parameters.tls.direct,
        tls: tls.clone(),
        // Certificates name hosts; where only an address is known it stands for the name.
        tls_name: place.host.shown(),
    };
    Ok(endpoints.into_iter().map(route).collect())
}

/// Opens a connection by one way.
pub(super) async fn open(parameters: &Parameters, place: &Place, route: Route) -> Result<Opened, DbError> {
    let mut notices = Vec::new();
    let password = password(parameters, place, &mut notices);
    let opened = open_route(parameters, place, &route, &password).await;
    let (client, connection, heard) = opened.map_err(|error| refusal::with_notices(error, &notices))?;
    Ok(Opened { client, connection, heard, route, place: place.clone(), notices })
}

/// The password and where it came from.
type Password = (Option<Secret>, Option<String>);

fn password(parameters: &Parameters, place: &Place, notices: &mut Vec<Notice>) -> Password {
    if let Some(password) = &parameters.password {
        return (Some(password.clone()), Some(parameters.password_from.to_owned()));
    }
    let (found, notice) = password_file::look_up(parameters, place);
    notices.extend(notice);
    let file = parameters.password_file.as_ref().filter(|_| found.is_some());
    let from = file.map(|file| format!("the password file {}", file.path.display()));
    (found, from)
}

async fn endpoints(parameters: &Parameters, place: &Place) -> Result<Vec<Endpoint>, DbError> {
    match &place.host {
        HostName::Folder { path, .. } => Ok(vec![Endpoint::Unix(socket_in(path, place.port))]),
        HostName::Address { address, .. } => Ok(vec![Endpoint::Tcp((*address, place.port).into())]),
        HostName::Name(name) => {
            let limit = parameters.connect_timeout;
            let looking = tokio::net::lookup_host((name.as_str(), place.port));
            let found = match within(limit, looking).await {
                Some(Ok(found)) => found,
                Some(Err(error)) => return Err(refusal::unknown_host(place, &error)),
                None => return Err(refusal::silence(place, limit.unwrap_or_default())),
            };
            let mut endpoints: Vec<Endpoint> = found.map(Endpoint::Tcp).collect();
            endpoints.dedup();
            if parameters.shuffled {
                shuffle(&mut endpoints);
            }
            Ok(endpoints)
        }
    }
}

async fn open_route(
    parameters: &Parameters,
    place: &Place,
    route: &Route,
    password: &Password,
) -> Result<Connected, DbError> {
    let mode = match &route.endpoint {
        // libpq does no TLS on sockets, whatever sslmode says.
        Endpoint::Unix(_) => SslMode::Disable,
        Endpoint::Tcp(_) => parameters.tls.mode,
    };
    let modes: &[DriverSslMode] = match mode {
        SslMode::Disable => &[DriverSslMode::Disable],
        SslMode::Allow => &[DriverSslMode::Disable, DriverSslMode::Require],
        SslMode::Prefer => &[DriverSslMode::Prefer, DriverSslMode::Disable],
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[DriverSslMode::Require],
    };
    let mut first = None;
    for mode in modes {
        let failure = match attempt(parameters, place, route, password, *mode).await? {
            Ok(opened) => return Ok(opened),
            Err(failure) => failure,
        };
        // The server may want the other way: no TLS for this user, or only TLS.
        let about_encryption = refusal::is_about_tls(&failure)
            || failure.as_db_error().is_some_and(|server| server.code().code().starts_with("28"));
        let error = refusal::refused(place, parameters, password.1.as_deref(), &failure);
        first.get_or_insert(error);
        if !about_encryption {
            break;
        }
    }
    Err(first.unwrap_or_default())
}

type Connected = (Client, Connection<Socket, Stream>, Arc<Heard>);

type Attempt = Result<Connected, tokio_postgres::Error>;

/// The outer error says that the server was not reached, the inner one that it refused.
async fn attempt(
    parameters: &Parameters,
    place: &Place,
    route: &Route,
    password: &Password,
    mode: DriverSslMode,
) -> Result<Attempt, DbError> {
    let mut config = tokio_postgres::Config::new();
    config
        .user(&parameters.user)
        .dbname(&parameters.database)
        .application_name(&parameters.application_name)
        .ssl_mode(mode)
        .channel_binding(parameters.channel_binding);
    if parameters.tls.direct && mode == DriverSslMode::Require {
        config.ssl_negotiation(SslNegotiation::Direct);
    }
    if let Some(password) = &password.0 {
        config.password(password.expose());
    }
    if let Some(options) = &parameters.options {
        config.options(options);
    }
    let heard = Arc::default();
    let socket = route.socket(place, &heard).await?;
    match within(parameters.connect_timeout, config.connect_raw(socket, route.tls(&heard))).await {
        Some(result) => Ok(result.map(|(client, connection)| (client, connection, heard))),
        None => Err(refusal::silence(place, parameters.connect_timeout.unwrap_or_default())),
    }
}

/// Waits at most so long.
pub(super) async fn within<F: Future>(limit: Option<Duration>, future: F) -> Option<F::Output> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, future).await.ok(),
        None => Some(future.await),
    }
}
