//! SQL for a test's own use: blocking, on a connection of its own, values as text.

use std::thread;

use anyhow::{Context, Result, anyhow};
use tokio_postgres::{Config, NoTls, SimpleQueryMessage};

/// Rows of text; `None` is NULL.
pub type Rows = Vec<Vec<Option<String>>>;

/// Sends one string of statements over a new connection and returns all rows of all of them.
///
/// A thread with a runtime of its own does the work, so that it can be called from inside and
/// outside of an asynchronous test.
pub(crate) fn run(config: &Config, sql: &str) -> Result<Rows> {
    thread::scope(|scope| {
        scope
            .spawn(|| tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(send(config, sql)))
            .join()
            .map_err(|_| anyhow!("the thread that sent SQL panicked"))?
    })
}

async fn send(config: &Config, sql: &str) -> Result<Rows> {
    let (client, connection) = config.connect(NoTls).await.context("cannot connect")?;
    let driver = tokio::spawn(connection);
    let answer = client.simple_query(sql).await;
    drop(client);
    let messages = answer.map_err(|error| {
        let text = error.as_db_error().map_or_else(
            || error.to_string(),
            |from_server| format!("{} ({})", from_server.message(), from_server.code().code()),
        );
        anyhow!("{text}, sent: {sql}")
    })?;
    driver.await.context("the connection's task failed")?.context("the connection broke")?;
    Ok(messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
            }
            _ => None,
        })
        .collect())
}
