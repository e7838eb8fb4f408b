//! Migration folders in, changes out: one folder of [`formats`] per format. Pure: no files, sockets, clock or
//! environment; the caller lists the folder and brings the bytes.
//!
//! ```
//! use limosa_formats::native::{Config, FileReader, FileRole, assemble, classify};
//! use limosa_sql::Engine;
//!
//! let folder = [
//!     ("migrations/001_create_jobs.sql", "-- Purpose: jobs\nCREATE TABLE jobs (id int);\n"),
//!     ("migrations/001_create_jobs.rollback.sql", "DROP TABLE jobs;\n"),
//!     ("migrations/migration_config.yaml", "defaults:\n  lock_timeout: 2s\n"),
//! ];
//! let mut problems = Vec::new();
//! let mut configs = Vec::new();
//! for (path, text) in folder {
//!     if classify(path) == FileRole::Config {
//!         let (config, found) = Config::read(path, text.as_bytes());
//!         configs.extend(config);
//!         problems.extend(found);
//!     }
//! }
//! let mut files = Vec::new();
//! for (path, text) in folder {
//!     if classify(path).is_script() {
//!         let mut reader = FileReader::new(Engine::Sqlite, path, &configs);
//!         reader.feed(text.as_bytes());
//!         let (facts, found) = reader.finish();
//!         files.extend(facts);
//!         problems.extend(found);
//!     }
//! }
//! let (set, found) = assemble(files, &configs, Engine::Sqlite);
//! problems.extend(found);
//! assert!(problems.is_empty());
//! assert_eq!(set.changes[0].headers.lock_timeout, Some(2000));
//! assert!(set.changes[0].rollback.is_some());
//! ```

pub mod checksums;
pub mod codes;
pub mod export;
pub mod formats;
mod layout;
mod ledger_table;
pub mod left_out;
mod recognise;
pub mod renumber;
mod sessions;
mod toml_table;

pub use formats::{Format, drizzle, flyway, native, pattern, sqlx};
pub use layout::{Layout, LayoutChoice, NewWayBack};
pub use ledger_table::LedgerTable;
pub use recognise::{HEAD_BYTES, Recognised};
