//! The library against real databases.
#![expect(clippy::unwrap_used, reason = "a test's own functions fail the test as the test does")]

mod answers;
mod auditing;
mod backups;
mod bad_files;
mod checkups;
mod clocks;
mod connection_loss;
mod documents;
mod dry_run;
mod errors;
mod journalled_findings;
mod large_files;
mod locking;
mod loop_findings;
mod maintenance;
mod mysql;
mod names;
mod old_ledgers;
mod place;
mod placeholders;
mod pooler;
mod recovery;
mod running;
mod sqlite_truths;
mod states;
mod stream;
mod taking_back;
mod timeouts;
mod transactions;
mod undo;
mod waits;
mod warehouse;
