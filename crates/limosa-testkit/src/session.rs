//! A connection that a thread holds open, so that blocking code can use it.

use std::fmt;
use std::sync::Mutex;
use std::sync::mpsc as blocking;
use std::thread;

use anyhow::{Context, Result, anyhow};
use tokio::sync::mpsc;

use crate::rows::Rows;

/// What a client of one engine does.
pub(crate) trait Connection: Sized {
    /// What it needs to connect.
    type Config: Send + 'static;

    /// Connects.
    fn open(config: Self::Config) -> impl Future<Output = Result<Self>>;

    /// Sends one string of statements and returns all rows of all of them.
    fn send(&mut self, sql: &str) -> impl Future<Output = Result<Rows>>;
}

/// One open connection. Dropping it closes the connection once its last statement has ended.
pub(crate) struct Worker {
    requests: mpsc::UnboundedSender<Request>,
}

struct Request {
    sql: String,
    answer: blocking::Sender<Result<Rows>>,
}

/// The answer of statements that were sent and not yet waited for.
pub struct Pending(Mutex<blocking::Receiver<Result<Rows>>>);

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending")
    }
}

impl Worker {
    /// Connects, and returns when the connection stands.
    pub(crate) fn open<C: Connection>(config: C::Config) -> Result<Self> {
        let (requests, received) = mpsc::unbounded_channel();
        let (opened, result) = blocking::channel();
        thread::Builder::new().name("session".to_owned()).spawn(move || {
            let _ = opened.send(serve::<C>(config, received, &opened));
        })?;
        result.recv().context("the session's thread ended")??;
        Ok(Self { requests })
    }

    /// Sends statements and returns at once.
    pub(crate) fn send(&self, sql: &str) -> Result<Pending> {
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
fn serve<C: Connection>(
    config: C::Config,
    mut requests: mpsc::UnboundedReceiver<Request>,
    opened: &blocking::Sender<Result<()>>,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = C::open(config).await?;
        let _ = opened.send(Ok(()));
        while let Some(request) = requests.recv().await {
            let _ = request.answer.send(connection.send(&request.sql).await);
        }
        Ok(())
    })
}
