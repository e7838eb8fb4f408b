//! The library against real databases.
#![expect(clippy::unwrap_used, reason = "a test's own functions fail the test as the test does")]

mod answers;
mod auditing;
mod connection_loss;
mod documents;
mod dry_run;
mod errors;
mod locking;
mod loop_findings;
mod old_ledgers;
mod maintenance;
mod place;
mod pooler;
mod recovery;
mod running;
mod states;
mod timeouts;
mod transactions;
mod undo;
mod waits;
mod taking_back;
mod warehouse;
