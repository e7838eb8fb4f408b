//! SQL for a test's own use: blocking, on a connection of its own, values as text.

use anyhow::{Context, Result, anyhow};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use crate::rows::{Rows, on_a_thread};

/// Sends one string of statements over a new connection and returns all rows of all of them.
pub(crate) fn run(config: &Config, sql: &str) -> Result<Rows> {
    on_a_thread(|| connect_and_send(config, sql))
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
