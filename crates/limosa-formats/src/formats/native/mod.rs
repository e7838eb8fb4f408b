//! limosa's own format: plain SQL files, versioned or repeatable, with header comments and four ways to write the way
//! back.

mod assemble;
mod body;
mod comments;
mod config;
mod dependencies;
mod entry;
mod facts;
mod headers;
mod kinds;
mod misuse;
mod names;
mod reader;
mod rollback;
mod rules;
mod section;
mod sectioned;
mod up_text;
mod values;
mod wishes;
pub(crate) mod yaml;

pub use assemble::{ChangeSet, assemble};
pub use config::Config;
pub(crate) use entry::section;
pub use entry::{Entry, FilePart, OtherBack, OtherPart};
pub use facts::FileFacts;
pub use kinds::Kinds;
pub use names::{FileRole, RollbackTarget, classify};
pub(crate) use names::{Place, is_sql, program, split, spoken, stem_of, unclear, without_ending};
pub use reader::FileReader;
pub use rules::{HeaderRule, header_rules};
pub(crate) use values::nearest;
pub(crate) use wishes::{Reference, Wishes};

use super::Format;

/// The line of the format table.
pub const FORMAT: Format = Format {
    name: "native",
    description: "limosa's own: 001_name.sql, R__name.sql, rollbacks beside or inside, migration_config.yaml",
    votes,
    sign: None,
};

fn votes(places: &[Place<'_>]) -> usize {
    places.iter().filter(|place| names::has_place(place)).count()
}
