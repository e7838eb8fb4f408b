//! SQL for a test's own use: blocking, on a connection of its own, values as text.

use std::thread;

use anyhow::{Context, Result, anyhow};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

/// Rows of text; `None` is NULL.
pub type Rows = Vec<Vec<Option<String>>>;

/// Sends one string of statements over a new connection and returns all rows of all of them.
///
/// A thread with a runtime of its own does the work, so that it can be called from inside and
/// outside of an asynchronous test.
pub(crate) fn run(config: &Config, sql: &str) -> Result<Rows> {
    thread::scope(|scope| {
        scope
            .spawn(|| {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?
                    .block_on(connect_and_send(config, sql))
            })
            .join()
            .map_err(|_| anyhow!("the thread that sent SQL panicked"))?
    })
}

async fn connect_and_send(config: &Config, sql: &str) -> Result<Rows> {
    let (client, connection) = config.connect(NoTls).await.context("cannot connect")?;
    let driver = tokio::spawn(connection);
    let answer = send(&client, sql).await;
    drop(client);
    let ended = driver.await.context("the connection's task failed")?;
    let rows = answer?;
    ended.context("the connection broke")?;
    Ok(rows)
}

/// Sends one string of statements and returns all rows of all of them.
pub(crate) async fn send(client: &Client, sql: &str) -> Result<Rows> {
    let messages = client.simple_query(sql).await.map_err(|error| {
        let text = error.as_db_error().map_or_else(
            || error.to_string(),
            |from_server| format!("{} ({})", from_server.message(), from_server.code().code()),
        );
        anyhow!("{text}, sent: {sql}")
    })?;
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
