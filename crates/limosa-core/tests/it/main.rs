//! Decisions, as tables: files on one side, a ledger on the other.

#![expect(clippy::unwrap_used, reason = "builders of tests fail where they stand")]

mod adopting;
mod assessing;
mod build;
mod digests;
mod keeping;
mod meaning;
mod migrating;
mod ordering;
mod outlining;
mod recovering;
mod rolling_back;
