//! Private PostgreSQL servers: found, started, given databases, hurt on purpose, stopped.

mod database;
mod lease;
mod options;
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
pub use server::PostgresServer;
pub use session::Session;
pub use version::{PostgresVersion, newest, tested, versions};

pub use crate::certificates::Certificates;
pub use crate::rows::Rows;

static SHARED: LazyLock<Mutex<HashMap<PathBuf, &'static PostgresServer>>> = LazyLock::new(Mutex::default);

/// The server of this version that all tests of this binary share, started by the first that asks.
///
/// Don't stop it and don't change its settings; [`PostgresServer::start`] gives one to play with.
pub fn shared(version: &PostgresVersion) -> Result<&'static PostgresServer> {
    let mut servers = SHARED.lock().map_err(|_| anyhow!("a test panicked while it started a server"))?;
    if let Some(server) = servers.get(version.bin()) {
        return Ok(server);
    }
    let server: &'static PostgresServer = Box::leak(Box::new(PostgresServer::start(version)?));
    servers.insert(version.bin().to_owned(), server);
    Ok(server)
}
