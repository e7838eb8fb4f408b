//! What the drivers of servers share: sockets, and TLS by the rules of the servers' own clients.

mod certificates;
mod transport;
mod verifier;

#[cfg(feature = "postgres")]
pub(crate) use certificates::Identity;
pub(crate) use certificates::{certificates, identity, revocations};
pub(crate) use transport::{Endpoint, KeepAlive, Transport};
pub(crate) use verifier::{Demand, Verifier};
