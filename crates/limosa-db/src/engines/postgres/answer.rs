//! One request and its answer: what is sent for an item, and what comes back.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, pin_mut};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, RowStream, SimpleQueryMessage};

use super::error::{self, Sent};
use super::joined::{GUARD, Joined};
use super::numeric::Numeric;
use super::{control, copy};
use crate::{DbError, DbErrorKind, Row, Value};

/// The end of a request.
#[derive(Debug)]
pub(super) struct Answer {
    /// Number of the item in its flight.
    pub(super) item: u64,
    /// Items of the same message that succeeded before it.
    pub(super) before: Vec<(u64, Reply)>,
    /// Bytes that were sent.
    pub(super) weight: usize,
    pub(super) outcome: Result<Reply, DbError>,
    /// The server sent what nobody asked for: the connection cannot be used any more.
    pub(super) out_of_step: bool,
}

/// What a statement that succeeded gave.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) rows: Vec<Row>,
    pub(super) affected: Option<u64>,
}

/// A text without parameters, by the simple protocol. Its rows are thrown away.
pub(super) fn plain(client: Arc<Client>, item: u64, sql: String) -> BoxFuture<'static, Answer> {
    async move {
        let weight = plain_weight(&sql);
        let counts = control::changes_rows(&sql);
        let stream = client.simple_query_raw(&sql).await;
        drop(client);
        let sent = Sent::new(sql);
        let stream = match stream {
            Ok(stream) => stream,
            Err(failure) => return failed(item, weight, &failure, &sent),
        };
        pin_mut!(stream);
        let mut reply = Reply::default();
        let mut has_rows = false;
        let mut failure = None;
        while let Some(message) = stream.next().await {
            match message {
                Ok(SimpleQueryMessage::RowDescription(_)) => has_rows = true,
                Ok(SimpleQueryMessage::CommandComplete(count)) => {
                    // The driver gives 0 where the tag has no number.
                    reply.affected = (counts || (!has_rows && count > 0)).then_some(count);
                }
                Ok(_) => {}
                // After the server's error its ReadyForQuery is still to come.
                Err(error) if error.as_db_error().is_some() => failure = failure.or(Some(error)),
                Err(error) => return failed(item, weight, failure.as_ref().unwrap_or(&error), &sent),
            }
        }
        match failure {
            Some(failure) => failed(item, weight, &failure, &sent),
            None => Answer { item, before: Vec::new(), weight, outcome: Ok(reply), out_of_step: false },
        }
    }
    .boxed()
}

/// Several texts without parameters in one message.
pub(super) fn joined(client: Arc<Client>, joined: Joined) -> BoxFuture<'static, Answer> {
    async move {
        let Joined { text, parts, guarded, .. } = joined;
        let weight = plain_weight(&text);
        let guard = if guarded { client.simple_query_raw(GUARD).await.ok() } else { None };
        let stream = client.simple_query_raw(&text).await;
        drop(client);
        if let Some(guard) = guard {
            pin_mut!(guard);
            // Where this one is hit, the BEGIN behind it is not.
            while let Some(message) = guard.next().await {
                if message.is_err_and(|error| error.as_db_error().is_none()) {
                    break;
                }
            }
        }
        let mut landed: Vec<(u64, Reply)> = Vec::with_capacity(parts.len());
        let mut at = 0;
        let mut left = parts[0].commands;
        let mut reply = Reply::default();
        let mut has_rows = false;
        let mut failure = None;
        match stream {
            Err(error) => failure = Some(error),
            Ok(stream) => {
                pin_mut!(stream);
                while let Some(message) = stream.next().await {
                    match message {
                        Ok(SimpleQueryMessage::RowDescription(_)) => has_rows = true,
                        Ok(SimpleQueryMessage::Row(row)) if parts.get(at).is_some_and(|part| part.bound) => {
                            let values = (0..row.len()).map(|column| Value::optional(row.get(column))).collect();
                            reply.rows.push(Row(values));
                        }
                        Ok(SimpleQueryMessage::CommandComplete(count)) if at < parts.len() => {
                            let part = parts[at];
                            reply.affected = (part.counts || (!has_rows && count > 0)).then_some(count);
                            left -= 1;
                            if left == 0 {
                                landed.push((part.item, std::mem::take(&mut reply)));
                                has_rows = false;
                                at += 1;
                                left = parts.get(at).map_or(0, |next| next.commands);
                            }
                        }
                        Ok(_) => {}
                        // After the server's error its ReadyForQuery is still to come.
                        Err(error) if error.as_db_error().is_some() => failure = failure.or(Some(error)),
                        Err(error) => {
                            failure = failure.or(Some(error));
                            break;
                        }
                    }
                }
            }
        }
        match (failure, landed.pop()) {
            (None, Some((item, reply))) if at == parts.len() => {
                Answer { item, before: landed, weight, outcome: Ok(reply), out_of_step: false }
            }
            (failure, last) => {
                landed.extend(last);
                // An error behind the last command can only be one of the connection.
                let part = parts[at.min(parts.len() - 1)];
                landed.truncate(parts.len() - 1);
                let mut answer = match failure {
                    Some(failure) => failed(part.item, weight, &failure, &Sent::new(text)),
                    None => Answer {
                        item: part.item,
                        before: Vec::new(),
                        weight,
                        outcome: Err(DbError::new(
                            DbErrorKind::Statement,
                            "the server answered fewer commands than were sent to it",
                        )),
                        out_of_step: true,
                    },
                };
                answer.before = landed;
                if let Err(error) = &mut answer.outcome {
                    error.position = error.position.map(|position| position.saturating_sub(part.start));
                    if part.bound && error.code.as_deref().is_some_and(|code| STALE.contains(&code)) {
                        // The transaction can be tried again, for then the statement is sent whole.
                        error.kind = DbErrorKind::Serialization;
                    }
                }
                answer
            }
        }
    }
    .boxed()
}

/// A statement with parameters, by the extended protocol: parse, bind, describe, execute and sync in one message.
pub(super) fn bound(client: Arc<Client>, item: u64, sql: String, parameters: Vec<Value>) -> BoxFuture<'static, Answer> {
    async move {
        let weight = bound_weight(&sql, &parameters);
        let result = ask(&client, &sql, &parameters).await;
        drop(client);
        match result {
            Ok(outcome) => Answer { item, before: Vec::new(), weight, outcome, out_of_step: false },
            Err(failure) => failed(item, weight, &failure, &Sent::new(sql)),
        }
    }
    .boxed()
}

fn failed(item: u64, weight: usize, failure: &tokio_postgres::Error, sent: &Sent) -> Answer {
    let out_of_step = error::is_out_of_step(failure);
    let error = if out_of_step { copy::unannounced() } else { error::of_statement(failure, sent) };
    Answer { item, before: Vec::new(), weight, outcome: Err(error), out_of_step }
}

/// A prepared statement of ours is gone, or gives other columns than when it was prepared: something on the server has dropped
/// it, or changed the ledger's tables.
///
/// `invalid_sql_statement_name`, and `feature_not_supported` ("cached plan must not change result type").
pub(super) const STALE: [&str; 2] = ["26000", "0A000"];

/// The type under which a value is sent.
pub(super) fn type_of(value: &Value) -> Type {
    match value {
        // The server finds the type, as for a NULL that stands in the text.
        Value::Null => Type::UNKNOWN,
        Value::Text(_) => Type::TEXT,
        Value::Integer(_) => Type::INT8,
        Value::Boolean(_) => Type::BOOL,
    }
}

/// A value on its way to the server, under the type that [`type_of`] says or, for a NULL, any that the server found.
#[derive(Debug)]
struct Parameter<'a>(&'a Value);

impl ToSql for Parameter<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Text(text) => text.to_sql(kind, out),
            Value::Integer(number) => number.to_sql(kind, out),
            Value::Boolean(truth) => truth.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The outer error is the server's or the driver's, the inner one ours about a column.
type Asked = Result<Result<Reply, DbError>, tokio_postgres::Error>;

async fn ask(client: &Client, sql: &str, parameters: &[Value]) -> Asked {
    let typed = parameters.iter().map(|value| (Parameter(value), type_of(value)));
    collect(client.query_typed_raw(sql, typed).await?, sql).await
}

async fn collect(stream: RowStream, sql: &str) -> Asked {
    let counts = control::changes_rows(sql);
    pin_mut!(stream);
    let mut reply = Reply::default();
    let mut has_columns = false;
    let mut wrong = None;
    while let Some(row) = stream.next().await {
        has_columns = true;
        match read(&row?) {
            Ok(row) => reply.rows.push(row),
            Err(error) => wrong = wrong.or(Some(error)),
        }
    }
    reply.affected = stream.rows_affected().filter(|count| counts || (!has_columns && *count > 0));
    Ok(wrong.map_or(Ok(reply), Err))
}

fn read(row: &tokio_postgres::Row) -> Result<Row, DbError> {
    let mut values = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        let kind = column.type_();
        let value = if *kind == Type::INT8 {
            row.try_get::<_, Option<i64>>(index).map(|value| value.map(Value::Integer))
        } else if *kind == Type::INT4 {
            row.try_get::<_, Option<i32>>(index).map(|value| value.map(|number| Value::Integer(number.into())))
        } else if *kind == Type::INT2 {
            row.try_get::<_, Option<i16>>(index).map(|value| value.map(|number| Value::Integer(number.into())))
        } else if *kind == Type::OID {
            row.try_get::<_, Option<u32>>(index).map(|value| value.map(|number| Value::Integer(number.into())))
        } else if *kind == Type::BOOL {
            row.try_get::<_, Option<bool>>(index).map(|value| value.map(Value::Boolean))
        } else if *kind == Type::NUMERIC {
            row.try_get::<_, Option<Numeric>>(index).map(|value| value.map(|Numeric(text)| Value::Text(text)))
        } else if [Type::TEXT, Type::VARCHAR, Type::NAME, Type::BPCHAR, Type::UNKNOWN].contains(kind) {
            row.try_get::<_, Option<String>>(index).map(|value| value.map(Value::Text))
        } else {
            let message = format!("column {:?} has type {kind}, which is not read", column.name());
            return Err(DbError::new(DbErrorKind::Statement, message).hint("cast it to text in the query"));
        };
        let value = value.map_err(|failure| error::of_driver(&failure))?;
        values.push(value.unwrap_or(Value::Null));
    }
    Ok(Row(values))
}

/// Bytes that a text takes in a message, about.
pub(super) fn plain_weight(sql: &str) -> usize {
    sql.len() + 6
}

/// Bytes that a statement with parameters takes in its messages, about.
pub(super) fn bound_weight(sql: &str, parameters: &[Value]) -> usize {
    let values = parameters.iter().map(|value| match value {
        Value::Text(text) => text.len() + 10,
        Value::Integer(_) => 18,
        Value::Boolean(_) | Value::Null => 11,
    });
    sql.len() + 48 + values.sum::<usize>()
}
