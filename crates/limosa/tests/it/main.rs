//! The library against real databases.

#![expect(clippy::unwrap_used, reason = "a test's own functions fail the test as the test does")]

mod answers;
mod documents;
mod place;
mod states;
mod warehouse;
mod running;
mod transactions;
mod waits;
