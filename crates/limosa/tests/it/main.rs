//! The library against real databases.
#![expect(clippy::unwrap_used, reason = "a test's own functions fail the test as the test does")]

mod answers;
mod auditing;
mod documents;
mod errors;
mod locking;
mod old_ledgers;
mod place;
mod running;
mod states;
mod timeouts;
mod transactions;
mod undo;
mod waits;
mod warehouse;
