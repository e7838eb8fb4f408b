//! The testkit tests itself on real servers.

mod proxy;
mod server;
