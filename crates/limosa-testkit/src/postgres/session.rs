//! A session that a test keeps open beside the code under test.

use std::fmt;
use std::sync::Mutex;
use std::sync::mpsc as blocking;
use std::thread;

use anyhow::{Context, Result, anyhow};
use tokio::sync::mpsc;
use tokio_postgres::Config;

use crate::sql::{self, Rows};

/// One open connection, used from blocking code. Dropping it closes the connection, and with it
/// its transaction and its locks.
pub struct Session {
    requests: mpsc::UnboundedSender<Request>,
    pid: i32,
}

struct Request {
    sql: String,
    answer: blocking::Sender<Result<Rows>>,
}

/// The answer of a statement that was sent by [`Session::send`].
pub struct Pending(Mutex<blocking::Receiver<Result<Rows>>>);

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("pid", &self.pid).finish_non_exhaustive()
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending")
    }
}

impl Session {
    pub(super) fn open(config: Config) -> Result<Self> {
        let (requests, received) = mpsc::unbounded_channel();
        let (opened, result) = blocking::channel();
        let runtime = thread::Builder::new().name("session".to_owned());
        runtime.spawn(move || {
            let _ = opened.send(serve(&config, received, &opened));
        })?;
        let first = result.recv().context("the session's thread ended")?;
        first?;
        let mut session = Self { requests, pid: 0 };
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
        let (answer, received) = blocking::channel();
        self.requests.send(Request { sql: sql.to_owned(), answer }).map_err(|_| anyhow!("this session is over"))?;
        Ok(Pending(Mutex::new(received)))
    }
}

impl Pending {
    /// Waits for the statements' end and returns their rows.
    pub fn wait(self) -> Result<Rows> {
        let received = self.0.into_inner().map_err(|_| anyhow!("this answer was given up"))?;
        received.recv().context("the session ended before the statement")?
    }
}

/// Says over `opened` when the connection stands, then answers requests until there are no more.
fn serve(
    config: &Config,
    mut requests: mpsc::UnboundedReceiver<Request>,
    opened: &blocking::Sender<Result<()>>,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        let _ = opened.send(Ok(()));
        while let Some(request) = requests.recv().await {
            let _ = request.answer.send(sql::send(&client, &request.sql).await);
        }
        Ok(())
    })
}
