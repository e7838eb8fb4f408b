//! The testkit tests itself on real servers.

#![expect(clippy::unwrap_used, reason = "a test's own functions fail the test as the test does")]

mod binary;
mod mysql;
mod pgbouncer;
mod proxy;
mod server;
mod session;
mod tls;
