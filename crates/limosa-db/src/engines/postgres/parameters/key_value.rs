//! `host=localhost port=5432 password='it\'s'`, as libpq reads it.
//!
//! PostgreSQL documentation, chapter "libpq", "Keyword/Value Connection Strings". No value is ever shown in an error.

use super::malformed;
use crate::DbError;

/// Reads names and values in order.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>, DbError> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let Some(after) = after.trim_start().strip_prefix('=') else {
            return Err(without_equals(&found));
        };
        let (value, after) = value(after.trim_start())?;
        found.push((name.to_owned(), value));
        rest = after.trim_start();
    }
    Ok(found)
}

fn without_equals(found: &[(String, String)]) -> DbError {
    let message = match found.last() {
        Some((name, _)) => format!("after the parameter {name} of the connection string comes a word without ="),
        None => "the database is given neither as a URL nor as name=value pairs".to_owned(),
    };
    malformed(&message).hint("write postgres://user@host:5432/database, or host=... dbname=..., with values that hold blanks in single quotes")
}

fn value(text: &str) -> Result<(String, &str), DbError> {
    let quoted = text.strip_prefix('\'');
    let mut chars = quoted.unwrap_or(text).char_indices();
    let whole = quoted.unwrap_or(text);
    let mut value = String::new();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            '\'' if quoted.is_some() => return Ok((value, &whole[at + 1..])),
            c if quoted.is_none() && c.is_whitespace() => return Ok((value, &whole[at..])),
            c => value.push(c),
        }
    }
    if quoted.is_some() {
        return Err(malformed("the connection string has a quoted value without its closing quote"));
    }
    Ok((value, ""))
}
