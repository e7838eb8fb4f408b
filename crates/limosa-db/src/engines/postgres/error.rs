//! The server's and the driver's errors in limosa's words.

use std::error::Error as _;
use std::io;

use tokio_postgres::error::{DbError as ServerError, ErrorPosition};

use crate::{DbError, DbErrorKind, Notice};

/// A text that was sent, kept for finding places in it.
///
/// The server counts characters, limosa bytes. Where both are the same the text need not be kept.
#[derive(Debug)]
pub(super) enum Sent {
    /// Only ASCII, of this length.
    Plain(usize),
    /// Anything.
    Text(String),
}

impl Sent {
    pub(super) fn new(text: String) -> Sent {
        if text.is_ascii() { Sent::Plain(text.len()) } else { Sent::Text(text) }
    }

    /// The byte offset of a character, counted from 1 as the server does.
    fn offset(&self, position: u32) -> usize {
        let index = position.saturating_sub(1) as usize;
        match self {
            Sent::Plain(length) => index.min(*length),
            Sent::Text(text) => text.char_indices().nth(index).map_or(text.len(), |(offset, _)| offset),
        }
    }
}

/// What the server says about a statement that was sent.
pub(super) fn of_statement(error: &tokio_postgres::Error, sent: &Sent) -> DbError {
    let Some(server) = error.as_db_error() else {
        return of_driver(error);
    };
    let mut said = of_server(server);
    if let Some(ErrorPosition::Original(position)) = server.position() {
        said.position = Some(sent.offset(*position));
    }
    said
}

/// What the server says, without a place in a text of ours.
pub(super) fn of_server(server: &ServerError) -> DbError {
    let code = server.code().code();
    let mut said = DbError {
        kind: kind(code, server.message()),
        code: Some(code.to_owned()),
        message: server.message().to_owned(),
        detail: server.detail().map(str::to_owned),
        hint: server.hint().map(str::to_owned).or_else(|| of_pooler(server.message())),
        position: None,
        context: server.where_().map(str::to_owned),
        internal_query: None,
        rows_stay: false,
    };
    if let Some(ErrorPosition::Internal { query, .. }) = server.position() {
        said.internal_query = Some(query.clone());
    }
    said
}

/// What went wrong without the server saying anything.
pub(super) fn of_driver(error: &tokio_postgres::Error) -> DbError {
    if let Some(server) = error.as_db_error() {
        return of_server(server);
    }
    if error.is_closed() {
        return connection_lost("the server closed the connection");
    }
    let source = error.source();
    if let Some(io) = source.and_then(|source| source.downcast_ref::<io::Error>()) {
        if io.kind() == io::ErrorKind::InvalidInput {
            return DbError::new(DbErrorKind::Statement, format!("the text cannot be sent: {io}"))
                .hint("PostgreSQL takes no NUL byte in SQL or text, and no message of more than 1 GiB");
        }
        return connection_lost(&format!("the connection to the server broke: {io}"));
    }
    let message = match source {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    DbError::new(DbErrorKind::Statement, message)
}

/// True where the server sent something that the request before did not call for: the stream is out of step.
pub(super) fn is_out_of_step(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_none() && error.source().is_none() && !error.is_closed()
}

pub(super) fn connection_lost(message: &str) -> DbError {
    DbError::new(DbErrorKind::ConnectionLost, message)
}

/// What PgBouncer says of a BEGIN where it gives each statement another session.
const STATEMENT_MODE: &str = "statement pooling mode";

/// What to do about words that only a pooler says.
fn of_pooler(message: &str) -> Option<String> {
    let hint = "a pooler in statement mode stands between, and gives nobody a transaction: give the address of the server itself";
    message.contains(STATEMENT_MODE).then(|| hint.to_owned())
}

/// SQLSTATE to kind; PostgreSQL documentation, appendix "PostgreSQL Error Codes".
fn kind(code: &str, message: &str) -> DbErrorKind {
    match code {
        "55P03" => DbErrorKind::LockTimeout,
        "57014" => DbErrorKind::Cancelled,
        "40P01" => DbErrorKind::Deadlock,
        "40001" => DbErrorKind::Serialization,
        // idle_in_transaction_session_timeout, transaction_timeout and idle_session_timeout end the session too.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" => DbErrorKind::ConnectionLost,
        "3D000" => DbErrorKind::DatabaseMissing,
        "42501" => DbErrorKind::PermissionDenied,
        "25006" => DbErrorKind::ReadOnly,
        "42P01" => DbErrorKind::UndefinedTable,
        "42P04" | "42P05" | "42P06" | "42P07" | "42710" | "42723" => DbErrorKind::Duplicate,
        // Two sessions that create the same object at the same time collide in the catalogue.
        "23505" if message.contains("\"pg_") => DbErrorKind::Duplicate,
        "23502" => DbErrorKind::NotNull,
        "22012" => DbErrorKind::DivisionByZero,
        "58030" => DbErrorKind::Resources,
        "08P01" if message.contains(STATEMENT_MODE) => DbErrorKind::Configuration,
        _ if code.starts_with("08") => DbErrorKind::ConnectionLost,
        _ if code.starts_with("28") => DbErrorKind::Authentication,
        _ if code.starts_with("53") => DbErrorKind::Resources,
        _ => DbErrorKind::Statement,
    }
}

/// A notice of the server's.
pub(super) fn notice(server: &ServerError) -> Notice {
    // The other field is in the server's language.
    let severity =
        server.parsed_severity().map_or_else(|| server.severity().to_owned(), |severity| severity.to_string());
    Notice {
        severity,
        message: server.message().to_owned(),
        detail: server.detail().map(str::to_owned),
        hint: server.hint().map(str::to_owned),
        code: Some(server.code().code().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_from_one_become_byte_offsets() {
        let text = "select 'héllo €', x";
        for (position, (offset, _)) in text.char_indices().enumerate() {
            let position = u32::try_from(position + 1).unwrap();
            assert_eq!(Sent::new(text.to_owned()).offset(position), offset);
        }
        assert_eq!(Sent::new(text.to_owned()).offset(1000), text.len());
        assert_eq!(Sent::new("select x".to_owned()).offset(8), 7);
        assert_eq!(Sent::new("select x".to_owned()).offset(99), 8);
        assert_eq!(Sent::new("select x".to_owned()).offset(0), 0);
    }

    #[test]
    fn codes_have_their_kinds() {
        for (code, expected) in [
            ("55P03", DbErrorKind::LockTimeout),
            ("57014", DbErrorKind::Cancelled),
            ("40P01", DbErrorKind::Deadlock),
            ("40001", DbErrorKind::Serialization),
            ("08006", DbErrorKind::ConnectionLost),
            ("08P01", DbErrorKind::ConnectionLost),
            ("57P01", DbErrorKind::ConnectionLost),
            ("28P01", DbErrorKind::Authentication),
            ("28000", DbErrorKind::Authentication),
            ("3D000", DbErrorKind::DatabaseMissing),
            ("42501", DbErrorKind::PermissionDenied),
            ("25006", DbErrorKind::ReadOnly),
            ("53100", DbErrorKind::Resources),
            ("53300", DbErrorKind::Resources),
            ("42P01", DbErrorKind::UndefinedTable),
            ("42P07", DbErrorKind::Duplicate),
            ("23502", DbErrorKind::NotNull),
            ("22012", DbErrorKind::DivisionByZero),
            ("42601", DbErrorKind::Statement),
        ] {
            assert_eq!(kind(code, "x"), expected, "{code}");
        }
        let ours = "duplicate key value violates unique constraint \"t_pkey\"";
        let catalogue = "duplicate key value violates unique constraint \"pg_type_typname_nsp_index\"";
        assert_eq!(kind("23505", ours), DbErrorKind::Statement);
        assert_eq!(kind("23505", catalogue), DbErrorKind::Duplicate);
    }
}
