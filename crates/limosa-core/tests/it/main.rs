//! Decisions, as tables: files on one side, a ledger on the other.

mod assessing;
mod build;
mod digests;
mod migrating;
mod ordering;
mod outlining;
mod recovering;
mod rolling_back;
