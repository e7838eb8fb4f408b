//! SQLite: a connection on a thread of its own, driven from asynchronous code.
//!
//! ```no_run
//! use limosa_db::{ConnectOptions, Secret, Session, engines::sqlite};
//!
//! # async fn example() -> Result<(), limosa_db::DbError> {
//! let options = ConnectOptions {
//!     database: Secret::new("sqlite:app.db"),
//!     create: true,
//!     busy_timeout_ms: 5_000,
//!     ..ConnectOptions::default()
//! };
//! let mut session: Box<dyn Session> = Box::new(sqlite::connect(&options).await?);
//! let rows = session.query("select ?1 || 'b'", &["a".into()]).await?;
//! assert_eq!(rows[0].text(0).as_deref(), Some("ab"));
//! session.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! Surprises:
//!
//! - A connection starts as one of the sqlite3 shell does: foreign keys are not enforced, and text in double quotes is a
//!   name, never a string (shell 3.41 and later). Both differ from what SQLite's library is compiled with here.
//! - `limosa_sha256(text)` is an SQL function of every session: the SHA-256 of the text's UTF-8 bytes in hexadecimal.
//! - Waiting for another writer ends early when the session is cancelled, which SQLite's own busy time-out does not do.
//! - `ROLLBACK` where no transaction is open succeeds with a warning; `COMMIT` there is an error.
//! - A statement with a parameter (`?`, `:name`, `@name`, `$name`) in a script is refused. SQLite would bind NULL.

mod backend;
mod busy;
mod error;
mod execute;
mod flight;
mod foreign_keys;
mod location;
mod open;
mod session;
mod settings;
mod together;
mod value;
mod worker;

pub use backend::{backend_is_gone, this_process};
pub use foreign_keys::{FOREIGN_KEY_VIOLATIONS, ForeignKeyViolation};
pub use location::describe;
pub use session::{SqliteSession, connect};
pub use settings::SessionSettings;

pub(crate) use busy::{Patience, wait_for_writers};
pub(crate) use error::database_error;
pub(crate) use location::{Access, Location, Place};
pub(crate) use open::{lacks_rights, open};
