//! One fresh database of one test.

use std::path::{Path, PathBuf};

use anyhow::Result;
use mysql_async::{Opts, OptsBuilder};

use super::session::Session;
use super::sql;
use crate::rows::Rows;

/// The user of the URLs, who may do everything, from everywhere.
pub(super) const USER: &str = "tester";

/// The password of [`USER`], unless a test's own server has another.
pub(super) const PASSWORD: &str = "only-for-tests";

/// An empty database with a name of its own. It stays until its server stops, so that a URL taken from it stays good.
#[derive(Clone, Debug)]
pub struct TestDatabase {
    pub(super) name: String,
    pub(super) port: u16,
    pub(super) socket: PathBuf,
    pub(super) password: String,
}

impl TestDatabase {
    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Connection URL over TCP, as user `tester`, who has every privilege.
    pub fn url(&self) -> String {
        self.url_as(USER, &self.password, self.port)
    }

    /// Connection URL over TCP through another port of 127.0.0.1, such as a proxy's.
    pub fn url_on_port(&self, port: u16) -> String {
        self.url_as(USER, &self.password, port)
    }

    /// Connection URL over TCP for another user. Name and password must need no URL escapes.
    pub fn url_for(&self, user: &str, password: &str) -> String {
        self.url_as(user, password, self.port)
    }

    /// The user of the URLs.
    pub fn user(&self) -> &str {
        USER
    }

    /// The password in the URLs.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The server's TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path of the server's unix socket. Every user of the URLs can come over it too.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Runs statements over a connection of their own, as one string, and drops their rows.
    pub fn execute(&self, sql: &str) -> Result<()> {
        sql::run(&self.opts(), sql).map(drop)
    }

    /// Runs statements like [`execute`](Self::execute) and returns their rows, of all statements in one list.
    pub fn query(&self, sql: &str) -> Result<Rows> {
        sql::run(&self.opts(), sql)
    }

    /// A session that stays open: for locks held, transactions left open, settings.
    pub fn session(&self) -> Result<Session> {
        Session::open(self.opts())
    }

    /// A session of another user, over the unix socket.
    pub fn session_for(&self, user: &str, password: &str) -> Result<Session> {
        let opts = OptsBuilder::from_opts(self.opts()).user(Some(user)).pass(Some(password));
        Session::open(opts.into())
    }

    /// What `mysql_async` needs to connect over the unix socket as `root`.
    pub fn opts(&self) -> Opts {
        OptsBuilder::default()
            .socket(Some(self.socket.to_string_lossy()))
            .prefer_socket(false)
            .user(Some("root"))
            .db_name(Some(&self.name))
            .stmt_cache_size(0)
            .into()
    }

    fn url_as(&self, user: &str, password: &str, port: u16) -> String {
        format!("mysql://{user}:{password}@127.0.0.1:{port}/{}", self.name)
    }
}
