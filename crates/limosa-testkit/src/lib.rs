//! For tests only: private database servers, a proxy that counts and cuts, a runner for the binary.
//!
//! ```no_run
//! use limosa_testkit::{Proxy, postgres};
//!
//! # fn main() -> anyhow::Result<()> {
//! for version in postgres::tested()? {
//!     let server = postgres::shared(&version)?; // started once per test binary
//!     let database = server.create_database()?; // fresh, empty, this test's own
//!     let proxy = Proxy::start(server.tcp_address())?;
//!     let url = proxy.url(&database); // give this to the code under test
//!     assert_eq!(proxy.waits(), 0);
//!     assert_eq!(database.query("select 1")?, [[Some("1".to_owned())]]);
//!     # let _ = url;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`mysql`] has the same for MariaDB and MySQL.
//!
//! Surprises:
//!
//! - Everything here blocks; nothing needs a runtime. Servers and proxies live on their own
//!   processes and threads, so the same calls serve plain tests and `#[tokio::test]`.
//! - No server found is an error, never a skipped test. `cargo xtask test` installs what is missing.
//! - All servers of a test process live in one folder under the system's temporary directory. A
//!   guardian process stops them and removes the folder when the test process ends, even by `kill -9`.
//! - Where the tests run as root, the servers run as user 65534 (`nobody`), for PostgreSQL and MariaDB refuse root.

pub mod binary;
pub mod blocks;
mod cache;
mod certificates;
pub mod documents;
mod fake_clock;
mod filters;
mod folder;
mod guardian;
pub mod mysql;
mod pgbouncer;
mod poll;
mod port;
pub mod postgres;
pub mod proxy;
mod repository;
mod rows;
mod session;
mod signal;
mod template;

pub use binary::Limosa;
pub use fake_clock::FakeClock;
pub use filters::Filters;
pub use folder::Folder;
pub use mysql::{MysqlServer, MysqlVersion};
pub use pgbouncer::{PgBouncer, PoolMode};
pub use poll::eventually;
pub use port::free_port;
pub use postgres::{PostgresServer, PostgresVersion, ServerOptions, TestDatabase};
pub use proxy::Proxy;
pub use repository::Repository;
