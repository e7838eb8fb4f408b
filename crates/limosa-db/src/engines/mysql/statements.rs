//! limosa's own statements: sent as text where they have no parameters, else prepared once and executed.

use std::collections::HashMap;
use std::io;

use bytes::Bytes;
use mysql_common::constants::Command;

use super::error;
use super::markers::{self, Marked};
use super::reply::{Columns, ServerError, Success};
use super::value::{self, Unread};
use super::wire::{Event, Failure, Wire};
use crate::{DbError, DbErrorKind, Row, Value};

/// Prepared statements that are kept; limosa has fewer.
const KEPT: usize = 128;

/// Errors of a prepared statement that the server has forgotten, or whose tables have changed too often meanwhile.
const FORGOTTEN: [u16; 2] = [1243, 1615];

/// What a statement gave.
pub(super) struct Answer {
    pub(super) rows: Vec<Row>,
    pub(super) success: Success,
}

/// The prepared statements of one session.
#[derive(Default)]
pub(super) struct Statements {
    kept: HashMap<String, Prepared>,
}

#[derive(Clone)]
struct Prepared {
    id: u32,
    marked: Marked,
}

impl Statements {
    /// Runs one statement and gives the rows of its first result set.
    pub(super) async fn run(&mut self, wire: &mut Wire, sql: &str, parameters: &[Value]) -> Result<Answer, DbError> {
        if parameters.is_empty() {
            return text(wire, sql).await.map_err(|failure| explained(failure, sql));
        }
        let mut again = true;
        loop {
            let prepared = self.prepare(wire, sql, parameters.len()).await?;
            let ordered: Vec<Value> = prepared.marked.order.iter().map(|index| parameters[*index].clone()).collect();
            wire.send(Command::COM_STMT_EXECUTE, value::execution(prepared.id, &ordered)).await?;
            match collect(wire, value::binary_row).await {
                Err(Failure::Server(said)) if again && FORGOTTEN.contains(&said.number) => {
                    self.kept.remove(sql);
                    again = false;
                }
                Err(Failure::Server(said)) => return Err(in_marked(said, &prepared.marked)),
                Err(Failure::Ours(error)) => return Err(error),
                Ok(answer) => return Ok(answer),
            }
        }
    }

    async fn prepare(&mut self, wire: &mut Wire, sql: &str, parameters: usize) -> Result<Prepared, DbError> {
        if let Some(prepared) = self.kept.get(sql) {
            return Ok(prepared.clone());
        }
        let marked = markers::mark(sql, parameters)?;
        wire.send_prepare(Bytes::from(marked.sql.clone())).await?;
        let statement = loop {
            match wire.event().await? {
                Event::Prepared(statement) => break statement,
                Event::Failed(said) => return Err(in_marked(said, &marked)),
                _ => {}
            }
        };
        if usize::from(statement.num_params()) != marked.order.len() {
            let message = format!(
                "the server reads {} parameters in the statement, limosa {}",
                statement.num_params(),
                marked.order.len()
            );
            return Err(DbError::new(DbErrorKind::Statement, message));
        }
        if self.kept.len() >= KEPT {
            // Rare enough not to look for the one that was used last.
            for (_, prepared) in self.kept.drain() {
                wire.tell(Command::COM_STMT_CLOSE, Bytes::copy_from_slice(&prepared.id.to_le_bytes())).await?;
            }
        }
        let prepared = Prepared { id: statement.statement_id(), marked };
        self.kept.insert(sql.to_owned(), prepared.clone());
        Ok(prepared)
    }
}

/// Runs a statement without parameters and gives the rows of its first result set.
pub(super) async fn text(wire: &mut Wire, sql: &str) -> Result<Answer, Failure> {
    wire.send(Command::COM_QUERY, Bytes::copy_from_slice(sql.as_bytes())).await?;
    collect(wire, value::text_row).await
}

fn explained(failure: Failure, sql: &str) -> DbError {
    match failure {
        Failure::Server(said) => error::of_statement(said, sql),
        Failure::Ours(error) => error,
    }
}

/// An error whose place is counted in the text that was sent.
fn in_marked(said: ServerError, marked: &Marked) -> DbError {
    let mut error = error::of_statement(said, &marked.sql);
    error.position = error.position.map(|position| marked.original(position));
    error
}

/// One of the results of a message of several statements.
pub(super) struct Part {
    pub(super) answer: Answer,
    /// Another one follows.
    pub(super) more: bool,
    /// Why rows could not be read. The statement has run all the same, and so have those behind it.
    pub(super) unread: Option<DbError>,
}

/// The next result of several statements that were sent in one message; its rows, where somebody `keeps` them.
pub(super) async fn next_result(wire: &mut Wire, keeps: bool) -> Result<Part, Failure> {
    let mut columns: Option<Columns> = None;
    let mut rows = Vec::new();
    let mut unread = None;
    loop {
        match wire.event().await? {
            Event::Columns(these) => columns = Some(these),
            Event::Row(packet) => {
                let Some(columns) = columns.as_ref().filter(|_| keeps && unread.is_none()) else { continue };
                match value::text_row(&packet, columns) {
                    Ok(row) => rows.push(row),
                    Err(Unread::Column(error)) => unread = Some(error),
                    Err(Unread::Malformed(failure)) => unread = Some(unreadable(&failure)),
                }
            }
            Event::Done { success, more } => return Ok(Part { answer: Answer { rows, success }, more, unread }),
            Event::Failed(said) => return Err(Failure::Server(said)),
            Event::Prepared(_) | Event::Switched => {}
        }
    }
}

/// What is wrong where the server ends its answer before the last of several statements.
pub(super) fn unanswered() -> DbError {
    DbError::new(DbErrorKind::Statement, "the server ended its answer before this statement, without an error")
        .hint("nothing was done from this statement on; run it again")
}

async fn collect(wire: &mut Wire, read: fn(&Bytes, &Columns) -> Result<Row, Unread>) -> Result<Answer, Failure> {
    let mut columns: Option<Columns> = None;
    let mut rows = Vec::new();
    let mut first = true;
    let mut wrong = None;
    loop {
        match wire.event().await? {
            Event::Columns(these) => columns = Some(these),
            Event::Row(packet) => {
                let Some(columns) = columns.as_ref().filter(|_| first && wrong.is_none()) else { continue };
                match read(&packet, columns) {
                    Ok(row) => rows.push(row),
                    Err(Unread::Column(error)) => wrong = Some(error),
                    Err(Unread::Malformed(failure)) => wrong = Some(unreadable(&failure)),
                }
            }
            Event::Done { more: true, .. } => first = false,
            Event::Done { success, more: false } => {
                return match wrong {
                    Some(error) => Err(Failure::Ours(error)),
                    None => Ok(Answer { rows, success }),
                };
            }
            Event::Failed(said) => return Err(Failure::Server(said)),
            Event::Prepared(_) | Event::Switched => {}
        }
    }
}

fn unreadable(failure: &io::Error) -> DbError {
    DbError::new(DbErrorKind::Statement, failure.to_string())
}
