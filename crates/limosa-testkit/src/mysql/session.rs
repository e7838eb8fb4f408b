//! A session that a test keeps open beside the code under test.

use std::fmt;

use anyhow::{Context, Result};
use mysql_async::{Conn, Opts};

use super::sql;
use crate::rows::Rows;
use crate::session::{Connection, Pending, Worker};

/// One open connection, used from blocking code. Dropping it closes the connection, and with it its transaction and
/// its locks.
pub struct Session {
    worker: Worker,
    id: u64,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn open(opts: Opts) -> Result<Self> {
        let mut session = Self { worker: Worker::open::<Conn>(opts)?, id: 0 };
        let rows = session.query("select connection_id()")?;
        let id = rows.first().and_then(|row| row.first()?.as_deref());
        session.id = id.context("the server does not say the connection's number")?.parse()?;
        Ok(session)
    }

    /// The number of this connection, as in the server's process list and in `KILL`.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Runs statements and waits for their end.
    pub fn execute(&self, sql: &str) -> Result<()> {
        self.query(sql).map(drop)
    }

    /// Runs statements, waits for their end and returns their rows.
    pub fn query(&self, sql: &str) -> Result<Rows> {
        self.send(sql)?.wait()
    }

    /// Sends statements and returns at once, for statements that will wait for a lock.
    pub fn send(&self, sql: &str) -> Result<Pending> {
        self.worker.send(sql)
    }
}

impl Connection for Conn {
    type Config = Opts;

    async fn open(opts: Opts) -> Result<Self> {
        sql::connect(&opts).await
    }

    async fn send(&mut self, sql: &str) -> Result<Rows> {
        sql::send(self, sql).await
    }
}
