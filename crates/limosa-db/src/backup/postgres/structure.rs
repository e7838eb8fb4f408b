//! The structure of a database as a script, without its rows.

use std::future::Future;
use std::process::Stdio;

use super::PostgresTools;
use super::failure::success;
use crate::backup::tool::{Bell, Tool, conduct, written};
use crate::{DbError, DbErrorKind};

/// What is left out of the script.
#[derive(Debug, Clone, Default)]
pub struct Without {
    /// Schemas.
    pub schemas: Vec<String>,
    /// Tables, with their sequences: schema and name.
    pub tables: Vec<(String, String)>,
}

/// The script of `pg_dump --schema-only`, without owners and rights.
///
/// # Errors
/// [`DbErrorKind::Configuration`] where no fitting `pg_dump` is found; [`DbErrorKind::LockTimeout`];
/// [`DbErrorKind::Cancelled`]; what the tool says otherwise.
pub async fn structure(
    tools: &PostgresTools<'_>,
    without: &Without,
    cancelled: impl Future<Output = ()>,
) -> Result<String, DbError> {
    let program = tools.find("pg_dump").await?;
    let mut command = tools.connecting(&program);
    command.args(["--schema-only", "--no-owner", "--no-acl", "--no-password"]);
    command.arg(format!("--lock-wait-timeout={}", tools.lock_timeout.as_millis()));
    command.args(tools.role.map(|role| format!("--role={role}")));
    command.args(without.schemas.iter().map(|schema| format!("--exclude-schema={}", literal(schema))));
    for (schema, table) in &without.tables {
        let name = format!("{}.{}", literal(schema), literal(table));
        command.arg(format!("--exclude-table={name}")).arg(format!("--exclude-table={name}_*_seq"));
    }
    command.stdout(Stdio::piped());
    let bell = Bell::default();
    let mut dump = Tool::start(command, "pg_dump")?;
    let output = dump.stdout();
    let work = async { tokio::join!(written(output), dump.end(bell.listen())) };
    let (text, ended) = conduct(work, cancelled, &bell, || {}).await;
    success(&ended)?;
    String::from_utf8(text?)
        .map_err(|_| DbError::new(DbErrorKind::Statement, "pg_dump wrote something that is not UTF-8"))
}

/// A name in the patterns of `pg_dump`, where quotes make all letters stand for themselves.
fn literal(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
