//! What applications need that run their migrations themselves: a builder, files that are compiled in, migrations in Rust,
//! a summary for the log, scratch databases for tests.

mod builder;
mod code;
mod files;
mod scratch;
mod summary;

pub use builder::Builder;
pub use code::{RustCallback, RustMigration};
pub use files::Embedded;
pub use scratch::Scratch;
pub use summary::Summary;
