//! A proxy in front of PostgreSQL, MariaDB or MySQL that counts how often a client waits, and breaks connections.
//!
//! **Waits.** A round trip is a wait for the server before sending on. The proxy lets the client's
//! bytes through at once and holds the server's back until the client has been silent for a while
//! ([`Proxy::set_quiet`]). A client that can go on without the answer has then gone on; one that is
//! silent waits. The release of the held bytes counts one wait, if the client has sent anything since
//! the last release. So a pipeline of any length is one wait, three queries one after the other are
//! three, and notices in between are none. Connecting, until the session is ready for commands, does not count;
//! neither does the final message that ends it. A client that is slowed down by a busy machine in the middle of
//! a pipeline may be counted too high, never too low.
//!
//! **Faults.** [`Proxy::cut`] ends a connection at an exact message, [`Proxy::set_traffic`] stops,
//! swallows or refuses traffic.
//!
//! **MySQL.** A client library may look for the server's unix socket and go on over that, past the proxy: switch that
//! off (`prefer_socket` in `mysql_async`).

mod connection;
mod cut;
mod wire;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

pub use cut::{Cut, Ending};
pub use wire::{Message, Protocol, Side};

use crate::mysql::{self, MysqlServer};
use crate::postgres::{self, PostgresServer};

/// How long a client must be silent before it counts as waiting, unless [`Proxy::set_quiet`] says
/// otherwise.
const QUIET: Duration = Duration::from_millis(100);

/// Where a proxy sends what it gets, and what is spoken there.
#[derive(Clone, Debug)]
pub struct Target {
    pub(crate) address: Address,
    pub(crate) protocol: Protocol,
}

/// Where a server listens.
#[derive(Clone, Debug)]
pub enum Address {
    /// A TCP address.
    Tcp(SocketAddr),
    /// The path of a unix socket.
    Unix(PathBuf),
}

impl Target {
    /// A server that speaks this protocol.
    pub fn new(protocol: Protocol, address: impl Into<Address>) -> Self {
        Self { address: address.into(), protocol }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl From<PathBuf> for Address {
    fn from(path: PathBuf) -> Self {
        Self::Unix(path)
    }
}

/// PostgreSQL; [`Target::new`] says another protocol.
impl From<SocketAddr> for Target {
    fn from(address: SocketAddr) -> Self {
        Self::new(Protocol::Postgres, address)
    }
}

impl From<&PostgresServer> for Target {
    fn from(server: &PostgresServer) -> Self {
        Self::new(Protocol::Postgres, server.tcp_address())
    }
}

impl From<&MysqlServer> for Target {
    fn from(server: &MysqlServer) -> Self {
        Self::new(Protocol::Mysql, server.tcp_address())
    }
}

/// A database whose URL can name the port of a proxy.
pub trait UrlOnPort {
    /// The database's connection URL through this port of 127.0.0.1.
    fn url_on_port(&self, port: u16) -> String;
}

impl UrlOnPort for postgres::TestDatabase {
    fn url_on_port(&self, port: u16) -> String {
        self.url_on_port(port)
    }
}

impl UrlOnPort for mysql::TestDatabase {
    fn url_on_port(&self, port: u16) -> String {
        self.url_on_port(port)
    }
}

/// What happens to bytes and to new connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Traffic {
    /// They pass.
    #[default]
    Flowing,
    /// They wait until the traffic flows again; nothing is lost.
    Paused,
    /// They are taken and never arrive, in both directions, as behind a dead router.
    Swallowed,
    /// New connections are closed at once; open ones live on.
    Refused,
}

/// A proxy on a port of 127.0.0.1. Dropping it closes all its connections.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    _stop: oneshot::Sender<()>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("port", &self.port).field("waits", &self.waits()).finish_non_exhaustive()
    }
}

/// What the connections and the test both see.
struct Shared {
    target: Target,
    state: Mutex<State>,
    traffic: watch::Sender<Traffic>,
}

#[derive(Default)]
struct State {
    quiet: Duration,
    waits: usize,
    connections: usize,
    messages: Vec<Message>,
    /// Messages of the client and of the server, by [`Side`].
    counts: [usize; 2],
    cut: Option<Cut>,
    cuts_done: usize,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1 and forwards to `target`.
    pub fn start(target: impl Into<Target>) -> Result<Self> {
        let (traffic, _) = watch::channel(Traffic::Flowing);
        let state = State { quiet: QUIET, ..State::default() };
        let shared = Arc::new(Shared { target: target.into(), state: Mutex::new(state), traffic });
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot listen on 127.0.0.1")?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let port = listener.local_addr()?.port();
        let (stop, stopped) = oneshot::channel();
        let for_thread = Arc::clone(&shared);
        thread::Builder::new().name("proxy".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                tokio::select! {
                    () = connection::accept(listener, for_thread) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { port, shared, _stop: stop })
    }

    /// The port on 127.0.0.1 where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The database's connection URL through this proxy.
    pub fn url(&self, database: &impl UrlOnPort) -> String {
        database.url_on_port(self.port)
    }

    /// How often clients have waited for the server since the start or the last reset.
    pub fn waits(&self) -> usize {
        self.shared.state().waits
    }

    /// How many connections clients have opened since the start or the last reset.
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }

    /// Every message that came from either side since the start or the last reset, in the order in
    /// which the proxy read them. Messages inside TLS cannot be seen.
    pub fn messages(&self) -> Vec<Message> {
        self.shared.state().messages.clone()
    }

    /// How many messages one side has sent since the start or the last reset.
    pub fn count(&self, side: Side) -> usize {
        self.shared.state().counts[side as usize]
    }

    /// Forgets waits, connections and messages, and a cut that has not happened.
    pub fn reset(&self) {
        let mut state = self.shared.state();
        *state = State { quiet: state.quiet, ..State::default() };
    }

    /// How long a client must be silent before it counts as waiting. Longer is surer on a busy
    /// machine and slower. Zero holds nothing back, for tests that don't count.
    pub fn set_quiet(&self, quiet: Duration) {
        self.shared.state().quiet = quiet;
    }

    /// Ends a connection at one message, once. Later connections live.
    pub fn cut(&self, cut: Cut) {
        self.shared.state().cut = Some(cut);
    }

    /// How many connections a [`cut`](Self::cut) has ended since the start or the last reset.
    pub fn cuts_done(&self) -> usize {
        self.shared.state().cuts_done
    }

    /// Stops, swallows, refuses or restores traffic, for open and for new connections.
    pub fn set_traffic(&self, traffic: Traffic) {
        self.shared.traffic.send_replace(traffic);
    }

    /// Holds all traffic until [`resume`](Self::resume); nothing is lost.
    pub fn pause(&self) {
        self.set_traffic(Traffic::Paused);
    }

    /// Lets traffic flow.
    pub fn resume(&self) {
        self.set_traffic(Traffic::Flowing);
    }

    /// Takes all bytes and forwards none; new connections are accepted and never answered.
    pub fn black_hole(&self) {
        self.set_traffic(Traffic::Swallowed);
    }
}
