//! A session that a test keeps open beside the code under test.

use std::fmt;

use anyhow::{Context, Result};
use tokio_postgres::{Client, Config, NoTls};

use super::sql;
use crate::rows::Rows;
use crate::session::{Connection, Pending, Worker};

/// One open connection, used from blocking code. Dropping it closes the connection, and with it
/// its transaction and its locks.
pub struct Session {
    worker: Worker,
    pid: i32,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("pid", &self.pid).finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn open(config: Config) -> Result<Self> {
        let mut session = Self { worker: Worker::open::<Client>(config)?, pid: 0 };
        let rows = session.query("select pg_backend_pid()")?;
        let pid = rows.first().and_then(|row| row.first()?.as_deref());
        session.pid = pid.context("the server does not say its process number")?.parse()?;
        Ok(session)
    }

    /// The number of the server's process that serves this session.
    pub fn pid(&self) -> i32 {
        self.pid
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

impl Connection for Client {
    type Config = Config;

    async fn open(config: Config) -> Result<Self> {
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    async fn send(&mut self, sql: &str) -> Result<Rows> {
        sql::send(self, sql).await
    }
}
