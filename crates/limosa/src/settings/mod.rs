//! Settings: one table of keys, and the layers that give them values.
//!
//! The configuration file `limosa.toml`, an env file, the variables of the process and the command line each become a
//! [`Layer`]; [`resolve`] decides which value counts and says where it came from; [`load`] does it all for a [`World`].
//!
//! ```
//! use std::collections::BTreeMap;
//! use limosa::settings::{Layer, Machine, Need, World, load};
//!
//! let environment = BTreeMap::from([("LIMOSA_DATABASE".to_owned(), "sqlite:shop.db".to_owned())]);
//! let folder = std::env::temp_dir().join("limosa-settings-example-without-a-file");
//! let world = World { current_directory: folder, environment, outside: &Machine };
//! let flags = Layer::flags(|key| if key.name == "lock_timeout" { vec!["5s".to_owned()] } else { Vec::new() });
//! let loaded = load(&world, flags, Need::Secrets).unwrap();
//! assert_eq!(loaded.settings.lock_timeout.as_secs(), 5);
//! assert_eq!(loaded.settings.database.unwrap().expose(), "sqlite:shop.db");
//! assert_eq!(loaded.provenance.of("lock_timeout").unwrap().origin.to_string(), "flag --lock-timeout");
//! ```
//!
//! Surprises: `DATABASE_URL` is taken as it stands and never read as a reference. References in placeholders are followed
//! in the configuration file only. A database that belongs to a protected environment is protected however it was chosen.

mod address;
pub mod codes;
mod database;
mod destination;
mod env_file;
mod explain;
mod file;
mod flyway;
pub mod keys;
mod layer;
mod load;
mod origin;
mod resolve;
mod secrets;
#[cfg(test)]
mod tests;
mod typed;
mod value;
mod world;

pub use address::redact;
pub(crate) use database::names_differ;
pub(crate) use destination::user_of;
pub use explain::{Explained, explain, settings_reference, value_name};
pub use flyway::table as flyway_settings_reference;
pub use layer::{Layer, LayerKind};
pub use load::{FILE_NAME, Loaded, load};
pub use origin::Origin;
pub use resolve::{EnvironmentChoice, choose_environment, resolve};
pub use secrets::{Follower, Need};
pub use typed::{Color, LogFormat, Placeholder, Provenance, Settings, Source};
pub(crate) use world::answer_of;
pub use world::{Machine, Outside, ProgramFailure, World};
