//! The library against real databases.
#![expect(clippy::unwrap_used, reason = "a test's own functions fail the test as the test does")]

mod answers;
mod auditing;
mod connection_loss;
mod documents;
mod bad_files;
mod dry_run;
mod errors;
mod journalled_findings;
mod locking;
mod loop_findings;
mod old_ledgers;
mod large_files;
mod maintenance;
mod place;
mod placeholders;
mod pooler;
mod recovery;
mod running;
mod sqlite_truths;
mod states;
mod timeouts;
mod transactions;
mod undo;
mod waits;
mod taking_back;
mod warehouse;
