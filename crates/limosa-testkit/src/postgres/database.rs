//! One fresh database of one test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use tokio_postgres::Config;

use super::lease::Lease;
use super::session::Session;
use super::sql;
use crate::rows::Rows;

/// An empty database with a name of its own. It may be dropped some time after its last handle, so keep
/// one as long as a URL taken from it is in use.
#[derive(Clone, Debug)]
pub struct TestDatabase {
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(crate) socket_folder: PathBuf,
    pub(crate) password: Option<String>,
    /// `None` where the database is not the testkit's to drop.
    #[expect(dead_code, reason = "it is held, not read")]
    pub(super) lease: Option<Arc<Lease>>,
}

impl TestDatabase {
    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Connection URL over TCP, as user `postgres`.
    pub fn url(&self) -> String {
        self.url_as("postgres", self.password.as_deref(), self.port)
    }

    /// Connection URL over TCP through another port of 127.0.0.1, such as a proxy's.
    pub fn url_on_port(&self, port: u16) -> String {
        self.url_as("postgres", self.password.as_deref(), port)
    }

    /// Connection URL over TCP for another role. Name and password must need no URL escapes.
    pub fn url_for(&self, role: &str, password: &str) -> String {
        self.url_as(role, Some(password), self.port)
    }

    /// Connection URL over the unix socket, as user `postgres`.
    pub fn socket_url(&self) -> String {
        format!("postgres:///{}?host={}&port={}&user=postgres", self.name, self.socket_folder.display(), self.port)
    }

    /// The server's TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the server's unix socket.
    pub fn socket_folder(&self) -> &Path {
        &self.socket_folder
    }

    /// Runs statements over a connection of their own, as one string, and drops their rows.
    pub fn execute(&self, sql: &str) -> Result<()> {
        sql::run(&self.config(), sql).map(drop)
    }

    /// Runs statements like [`execute`](Self::execute) and returns their rows.
    pub fn query(&self, sql: &str) -> Result<Rows> {
        sql::run(&self.config(), sql)
    }

    /// A session that stays open: for locks held, transactions left open, settings.
    pub fn session(&self) -> Result<Session> {
        Session::open(self.config())
    }

    /// What `tokio_postgres` needs to connect over the unix socket as user `postgres`.
    pub fn config(&self) -> Config {
        let mut config = Config::new();
        config
            .host_path(&self.socket_folder)
            .port(self.port)
            .user("postgres")
            .dbname(&self.name)
            .application_name("limosa-testkit");
        config
    }

    fn url_as(&self, role: &str, password: Option<&str>, port: u16) -> String {
        let secret = password.map(|word| format!(":{word}")).unwrap_or_default();
        format!("postgres://{role}{secret}@127.0.0.1:{port}/{}", self.name)
    }
}
