//! MariaDB 10.5 and newer, MySQL 8.0 and newer.
//!
//! A session is one connection; what stands on it is the protocol of the server, so that a message of a user's is one statement and
//! never more, whatever a script holds, and so that a flight that was dropped can be read to its end.
//!
//! Surprises:
//!
//! - DDL commits, and what came before it with it. A flight looks after each statement of a user's whether the transaction is
//!   still open, and fails with [`ImplicitCommit`](crate::DbErrorKind::ImplicitCommit) where it is not.
//! - Messages wait one for the other: the server goes on after one that failed. Within a message of several statements it
//!   stops, so limosa's own statements that follow each other go out in one.
//! - A place in a text is found by the words that the server quotes; most errors have none.
//! - What a script sets holds for what is sent behind it in the same flight, limosa's own statements too.
//! - `update` counts the rows that it found, not those that it changed (CLIENT_FOUND_ROWS).
//! - Warnings come as notices, at most 64 of one statement.

mod authentication;
mod blockers;
mod cancel;
mod client_options;
mod connect;
mod create;
mod diagnostics;
mod error;
mod facts;
mod flight;
mod joined;
mod login;
mod markers;
mod packets;
mod parameters;
mod place;
mod refusal;
mod reply;
mod session;
mod settings;
mod statements;
mod target;
mod tls;
mod traces;
mod value;
mod wire;

pub use cancel::MysqlCanceller;
pub use client_options::{ClientOptions, Flavor};
pub use create::create_database;
pub(crate) use error::kind;
pub use facts::backend_identity;
pub use session::{MysqlSession, connect};
pub use target::describe;
