//! Private MariaDB and MySQL servers: found, started, given databases, hurt on purpose, stopped.
//!
//! The same shape as [`postgres`](crate::postgres), with the words of this engine: a session has an
//! [`id`](Session::id) and no process.
//!
//! ```no_run
//! use limosa_testkit::mysql;
//!
//! # fn main() -> anyhow::Result<()> {
//! for version in mysql::tested()? {
//!     let server = mysql::shared(&version)?;
//!     let database = server.create_database()?;
//!     database.execute("create table t (n int); insert into t values (1)")?;
//!     assert_eq!(database.query("select n from t")?, [[Some("1".to_owned())]]);
//! }
//! # Ok(())
//! # }
//! ```

mod configuration;
mod database;
mod disk;
mod options;
mod processes;
mod server;
mod session;
mod sql;
mod template;
mod version;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};

use anyhow::{Result, anyhow};

pub use database::TestDatabase;
pub use options::ServerOptions;
pub use processes::Process;
pub use server::MysqlServer;
pub use session::Session;
pub use version::{Flavor, MysqlVersion, newest, tested, versions};

pub use crate::certificates::Certificates;
pub use crate::rows::Rows;

static SHARED: LazyLock<Mutex<HashMap<PathBuf, &'static MysqlServer>>> = LazyLock::new(Mutex::default);

/// The server of this version that all tests of this binary share, started by the first that asks.
///
/// Don't stop it and don't change its settings; [`MysqlServer::start`] gives one to play with.
pub fn shared(version: &MysqlVersion) -> Result<&'static MysqlServer> {
    let mut servers = SHARED.lock().map_err(|_| anyhow!("a test panicked while it started a server"))?;
    if let Some(server) = servers.get(version.server_program()) {
        return Ok(server);
    }
    let server: &'static MysqlServer = Box::leak(Box::new(MysqlServer::start(version)?));
    servers.insert(version.server_program().to_owned(), server);
    Ok(server)
}
