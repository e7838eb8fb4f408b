//! Sessions with real databases, one per engine, behind one trait.

mod address;
mod error;
mod monotonic;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod network;
mod open;
mod other_ledgers;
mod remembered;
mod session;
mod solitude;
mod target;
mod value;

pub mod backup;
pub mod catalogue;
pub mod ledger;

/// The engines, each with the same file names.
pub mod engines;

pub use address::in_database;
pub use error::{DbError, DbErrorKind};
pub use monotonic::monotonic_ms;
pub use open::{connect, engine_of};
pub use other_ledgers::{
    Contents, FoundLedger, HeldLock, NamedTable, OtherLedger, RunnerLock, Spent, Unread, contents, invalid_indexes,
    ledgers_to_adopt, missing_ledger, other_ledgers, stray_ledgers,
};
pub use remembered::SettingsMark;
pub use session::{
    Abort, Blocker, Canceller, Collector, FlightError, FlightObserver, FlightSource, Item, Landed, Notice, ServerFacts,
    Session,
};
pub use solitude::{Solitude, solitude};
pub use target::{ConnectOptions, Secret, TargetDescription};
pub use value::{Row, Value};
