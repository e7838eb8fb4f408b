//! The ledger: its names, its SQL (one table with a column per engine), and reading it into records.

mod glance;
mod items;
mod names;
mod read;
mod several;
pub mod statements;

pub use glance::{Glance, GlanceRow};
pub use items::{AuditEntry, JournalEntry, Ledger, RowEntry, audit_head};
pub use names::{LedgerNames, TABLES, UNFINISHED};
pub use read::{applied_row, audit_row, journal_row};
pub use several::Several;
