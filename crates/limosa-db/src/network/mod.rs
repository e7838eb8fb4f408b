//! What the drivers of servers share: sockets, and TLS by the rules of the servers' own clients.

pub(crate) mod address;
mod certificates;
pub(crate) mod tls;
mod transport;
mod verifier;

#[cfg(feature = "postgres")]
pub(crate) use certificates::Identity;
pub(crate) use certificates::{certificates, identity};
pub(crate) use transport::{Endpoint, KeepAlive, Transport};
pub(crate) use verifier::{Demand, Verifier};
