//! limosa's values in SQLite's types.

use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::{DbError, DbErrorKind, Row, Value};

/// A parameter as SQLite takes it. Truth values are numbers there.
pub(super) fn bound(value: &Value) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match value {
        Value::Null => ValueRef::Null,
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
        Value::Integer(number) => ValueRef::Integer(*number),
        Value::Boolean(truth) => ValueRef::Integer(i64::from(*truth)),
    })
}

/// A row of a statement of limosa's own. Such statements select text and whole numbers; a real number becomes text, a blob
/// or text that is not UTF-8 is an error.
pub(super) fn row(row: &rusqlite::Row<'_>, columns: usize) -> Result<Row, DbError> {
    (0..columns)
        .map(|column| match row.get_ref(column) {
            Ok(value) => read(value, column),
            Err(error) => Err(DbError::new(DbErrorKind::Statement, error.to_string())),
        })
        .collect::<Result<Vec<Value>, DbError>>()
        .map(Row)
}

fn read(value: ValueRef<'_>, column: usize) -> Result<Value, DbError> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Integer(number)),
        ValueRef::Real(number) => Ok(Value::Text(format!("{number:?}"))),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Value::Text(text.to_owned())),
            Err(_) => Err(not_text(column, "text that is not UTF-8", bytes)),
        },
        ValueRef::Blob(bytes) => Err(not_text(column, "a blob", bytes)),
    }
}

fn not_text(column: usize, what: &str, bytes: &[u8]) -> DbError {
    let shown = limosa_core::hex(&bytes[..bytes.len().min(16)]);
    let more = if bytes.len() > 16 { "..." } else { "" };
    DbError::new(
        DbErrorKind::Statement,
        format!(
            "column {} of the result holds {what} (x'{shown}{more}') where text or a number was expected",
            column + 1
        ),
    )
}
