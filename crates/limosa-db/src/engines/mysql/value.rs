//! Values of limosa's own statements, as they go to the server and as they come back.
//!
//! MySQL documentation, "Client/Server Protocol", "Prepared Statements" and "Binary Protocol Resultset".

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use limosa_sql::Engine;
use mysql_common::constants::ColumnType;
use mysql_common::io::ParseBuf;
use mysql_common::packets::Column;
use mysql_common::proto::Binary;
use mysql_common::row::RowDeserializer;
use mysql_common::value::{ServerSide, Value as Sent};

use super::reply::{self, Columns};
use crate::{DbError, DbErrorKind, Row, Value};

/// The collation that stands for "no characters but bytes".
const BINARY: u16 = 63;

/// The body of a command that executes a prepared statement.
pub(super) fn execution(statement: u32, parameters: &[Value]) -> Bytes {
    let mut body = BytesMut::new();
    body.put_u32_le(statement);
    // No cursor; one execution.
    body.put_u8(0);
    body.put_u32_le(1);
    if parameters.is_empty() {
        return body.freeze();
    }
    let mut nulls = vec![0_u8; parameters.len().div_ceil(8)];
    for (index, _) in parameters.iter().enumerate().filter(|(_, value)| **value == Value::Null) {
        nulls[index / 8] |= 1 << (index % 8);
    }
    body.extend_from_slice(&nulls);
    // The types follow.
    body.put_u8(1);
    for parameter in parameters {
        let kind = match parameter {
            Value::Null => ColumnType::MYSQL_TYPE_NULL,
            Value::Text(_) => ColumnType::MYSQL_TYPE_VAR_STRING,
            Value::Integer(_) => ColumnType::MYSQL_TYPE_LONGLONG,
            Value::Boolean(_) => ColumnType::MYSQL_TYPE_TINY,
        };
        body.put_u8(kind as u8);
        // Signed.
        body.put_u8(0);
    }
    for parameter in parameters {
        match parameter {
            Value::Null => {}
            Value::Text(text) => put_text(&mut body, text),
            Value::Integer(number) => body.put_i64_le(*number),
            Value::Boolean(truth) => body.put_u8(u8::from(*truth)),
        }
    }
    body.freeze()
}

fn put_text(body: &mut BytesMut, text: &str) {
    match text.len() as u64 {
        length @ 0..=0xfa => body.put_uint_le(length, 1),
        length @ ..=0xffff => {
            body.put_u8(0xfc);
            body.put_uint_le(length, 2);
        }
        length @ ..=0xff_ffff => {
            body.put_u8(0xfd);
            body.put_uint_le(length, 3);
        }
        length => {
            body.put_u8(0xfe);
            body.put_u64_le(length);
        }
    }
    body.extend_from_slice(text.as_bytes());
}

/// A value as a constant in the text of a statement, which means the same in each `sql_mode` and encoding of a session.
pub(super) fn constant(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => Engine::Mysql.quote_literal_in_any_encoding(text),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => u8::from(*truth).to_string(),
    }
}

/// A row that is wrong in its form, or a column that is not read.
pub(super) enum Unread {
    Malformed(io::Error),
    Column(DbError),
}

/// A row of a statement that was sent as text.
pub(super) fn text_row(packet: &Bytes, columns: &Columns) -> Result<Row, Unread> {
    let mut rest = ParseBuf(packet);
    let mut values = Vec::with_capacity(columns.len());
    for column in columns.iter() {
        if rest.0.first() == Some(&0xfb) {
            rest.skip(1);
            values.push(Value::Null);
            continue;
        }
        let bytes = rest.checked_eat_lenenc_str().ok_or_else(|| Unread::Malformed(reply::malformed("row")))?;
        values.push(from_bytes(bytes, column).map_err(Unread::Column)?);
    }
    Ok(Row(values))
}

/// A row of a statement that was prepared.
pub(super) fn binary_row(packet: &Bytes, columns: &Columns) -> Result<Row, Unread> {
    let row = ParseBuf(packet)
        .parse::<RowDeserializer<ServerSide, Binary>>(columns.clone())
        .map_err(|_| Unread::Malformed(reply::malformed("row")))?
        .into_inner();
    let values = row.unwrap_raw().into_iter().zip(columns.iter()).map(|(sent, column)| match sent {
        None | Some(Sent::NULL) => Ok(Value::Null),
        Some(Sent::Int(number)) => Ok(Value::Integer(number)),
        Some(Sent::UInt(number)) => Ok(whole(number)),
        Some(Sent::Float(number)) => Ok(Value::Text(number.to_string())),
        Some(Sent::Double(number)) => Ok(Value::Text(number.to_string())),
        Some(Sent::Bytes(bytes)) => from_bytes(&bytes, column),
        Some(Sent::Date(year, month, day, hour, minute, second, micro)) => {
            let date = format!("{year:04}-{month:02}-{day:02}");
            if column.column_type() == ColumnType::MYSQL_TYPE_DATE {
                return Ok(Value::Text(date));
            }
            Ok(Value::Text(format!("{date} {hour:02}:{minute:02}:{second:02}{}", fraction(micro, column))))
        }
        Some(Sent::Time(negative, days, hours, minutes, seconds, micro)) => {
            let sign = if negative { "-" } else { "" };
            let hours = u64::from(days) * 24 + u64::from(hours);
            Ok(Value::Text(format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{}", fraction(micro, column))))
        }
    });
    values.collect::<Result<Vec<_>, _>>().map(Row).map_err(Unread::Column)
}

/// The fraction of a second with as many digits as the column has.
fn fraction(micro: u32, column: &Column) -> String {
    match usize::from(column.decimals()) {
        0 => String::new(),
        digits @ 1..=6 => format!(".{micro:06}")[..=digits].to_owned(),
        // More than the server keeps: the number of digits is not known.
        _ if micro == 0 => String::new(),
        _ => format!(".{micro:06}"),
    }
}

fn whole(number: u64) -> Value {
    i64::try_from(number).map_or_else(|_| Value::Text(number.to_string()), Value::Integer)
}

fn from_bytes(bytes: &[u8], column: &Column) -> Result<Value, DbError> {
    let kind = column.column_type();
    if kind == ColumnType::MYSQL_TYPE_BIT && bytes.len() <= 8 {
        return Ok(whole(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))));
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        let what = if column.character_set() == BINARY { "bytes" } else { "text that is not UTF-8" };
        let message = format!("column {:?} has {what}, which is not read", column.name_str());
        return Err(DbError::new(DbErrorKind::Statement, message).hint("read it as hex(column)"));
    };
    let whole_number = matches!(
        kind,
        ColumnType::MYSQL_TYPE_TINY
            | ColumnType::MYSQL_TYPE_SHORT
            | ColumnType::MYSQL_TYPE_INT24
            | ColumnType::MYSQL_TYPE_LONG
            | ColumnType::MYSQL_TYPE_LONGLONG
            | ColumnType::MYSQL_TYPE_YEAR
    );
    match text.parse() {
        Ok(number) if whole_number => Ok(Value::Integer(number)),
        _ => Ok(Value::Text(text.to_owned())),
    }
}
