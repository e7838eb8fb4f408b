//! SQL for a test's own use: values as text.

use anyhow::{Result, anyhow};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Opts, Row, Value};

use crate::rows::{Rows, on_a_thread};

/// Sends one string of statements over a new connection and returns all rows of all of them.
pub(super) fn run(opts: &Opts, sql: &str) -> Result<Rows> {
    on_a_thread(|| async {
        let mut connection = connect(opts).await?;
        let rows = send(&mut connection, sql).await?;
        connection.disconnect().await?;
        Ok(rows)
    })
}

pub(super) async fn connect(opts: &Opts) -> Result<Conn> {
    Conn::new(opts.clone()).await.map_err(|error| anyhow!("cannot connect: {}", text_of(&error)))
}

/// Sends one string of statements and returns all rows of all of them. Statements after one that fails do not run.
pub(super) async fn send(connection: &mut Conn, sql: &str) -> Result<Rows> {
    collect(connection, sql).await.map_err(|error| anyhow!("{}, sent: {sql}", text_of(&error)))
}

async fn collect(connection: &mut Conn, sql: &str) -> mysql_async::Result<Rows> {
    let mut rows = Rows::new();
    let mut result = connection.query_iter(sql).await?;
    while !result.is_empty() {
        let set: Vec<Row> = result.collect().await?;
        rows.extend(set.into_iter().map(|row| row.unwrap_raw().into_iter().map(|value| text(value?)).collect()));
    }
    // An error after the last rows is kept back until the rest is asked for.
    result.drop_result().await?;
    Ok(rows)
}

/// The text protocol sends every value as text; NULL alone stands apart.
fn text(value: Value) -> Option<String> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        other => Some(other.as_sql(true).trim_matches('\'').to_owned()),
    }
}

fn text_of(error: &Error) -> String {
    match error {
        Error::Server(server) => format!("{} ({}, {})", server.message, server.code, server.state),
        other => other.to_string(),
    }
}
