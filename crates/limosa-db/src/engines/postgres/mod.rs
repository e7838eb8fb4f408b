//! PostgreSQL 14 and newer.
//!
//! A session is one connection. Inside a transaction it sends statements ahead without waiting for their answers, each
//! as a message of its own, so that every statement's end is seen as it happens and a whole migration waits once. limosa's own
//! statements without parameters share messages, and those with parameters are prepared once a connection.
//!
//! Surprises:
//!
//! - The connection is driven by whoever waits for an answer. A session that nobody awaits does nothing.
//! - An error of the server's counts characters from 1; [`DbError::position`](crate::DbError::position) is a byte offset.
//! - The failing item of a COPY is its [`Item::CopyStart`](crate::Item::CopyStart); the line of the data stands in
//!   [`DbError::context`](crate::DbError::context).
//! - A column of [`Item::Bound`](crate::Item::Bound) whose type is not read is an error that the server knows nothing
//!   of: it has run the statement, and what was sent behind it.
//! - Through a pooler nothing is set for the session: [`PostgresSession::role`] then says what each transaction must set.

mod answer;
mod blockers;
mod cancel;
mod connect;
mod control;
mod copy;
mod create;
mod environment;
mod error;
mod facts;
mod flight;
mod joined;
mod numeric;
mod parameters;
mod password_file;
mod prepared;
mod refusal;
mod session;
mod startup_options;
mod tap;
mod target;
mod tls;
mod wire;

pub use blockers::{Activity, Blocker, IndexBuild, blockers, concurrent_index_waits};
pub use cancel::PostgresCanceller;
pub use create::create_database;
pub use environment::libpq_environment;
pub use session::{PostgresSession, connect};
pub use tap::TransactionStatus;
pub use target::describe;
