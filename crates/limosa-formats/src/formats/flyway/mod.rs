//! Flyway's folders as they stand: `V1__create.sql`, `U1__create.sql`, `R__views.sql`, `B10__all.sql`, callbacks, and settings
//! beside a script (`V1__create.sql.conf`). Their contents may hold all that limosa's own files may.
//!
//! Names: Flyway documentation, "Migrations", "Callbacks", "Script Configuration".

mod expression;
mod names;
mod script_settings;

pub use names::{BadNaming, Naming};
pub(crate) use script_settings::read as read_script_settings;

use super::Format;
use super::native::Place;

/// The line of the format table.
pub const FORMAT: Format = Format {
    name: "flyway",
    description: "Flyway's: V1__name.sql, U1__name.sql, R__name.sql, B10__name.sql, beforeMigrate.sql and its like",
    votes,
    sign: None,
};

fn votes(places: &[Place<'_>]) -> usize {
    let naming = Naming::default();
    places.iter().filter(|place| naming.has_place(place.file)).count()
}
