//! Sessions with real databases, one per engine, behind one trait.

mod error;
mod session;
mod target;
mod value;

pub mod catalogue;
pub mod ledger;

/// The engines, each with the same file names.
pub mod engines;

pub use error::{DbError, DbErrorKind};
pub use session::{
    Abort, Blocker, Canceller, Collector, FlightError, FlightObserver, FlightSource, Item, Landed, Notice, ServerFacts,
    Session,
};
pub use target::{ConnectOptions, Secret};
pub use value::{Row, Value};
