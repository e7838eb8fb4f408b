//! Running items on the connection, on its own thread.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use limosa_sql::Engine;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Batch, Connection, Error, ErrorCode, Statement};

use super::error::database_error;
use super::value;
use crate::engines::first_word::first_word;
use crate::{DbError, DbErrorKind, Item, Notice, Row, Value};

/// The connection with what errors need to know.
pub(super) struct Executor<'a> {
    pub(super) connection: &'a Connection,
    pub(super) database: &'a str,
    pub(super) cancelled: &'a AtomicBool,
    /// When the last sign of life was committed, or is about to be.
    pub(super) seldom: &'a Cell<Option<Instant>>,
}

/// What an item gave.
#[derive(Default)]
pub(super) struct Done {
    pub(super) rows: Vec<Row>,
    pub(super) affected: Option<u64>,
    pub(super) notice: Option<Notice>,
}

impl Executor<'_> {
    /// Runs one item.
    pub(super) fn run(&self, item: &Item) -> Result<Done, DbError> {
        if self.cancelled.load(Ordering::SeqCst) {
            return Err(cancelled());
        }
        match item {
            Item::Begin | Item::BeginGuarded | Item::BeginAhead => self.text("BEGIN IMMEDIATE"),
            Item::Await => Ok(Done::default()),
            Item::Commit => self.text("COMMIT"),
            Item::Rollback => self.rollback(),
            Item::Script(text) | Item::Control(text) => self.text(text),
            Item::Bound { sql, parameters } => self.bound(sql, parameters),
            Item::Seldom { every, sql, parameters } => self.seldom(*every, sql, parameters),
            Item::CopyStart(_) | Item::CopyData(_) | Item::CopyEnd => {
                Err(DbError::new(DbErrorKind::Statement, "COPY is PostgreSQL's; SQLite has no such statement")
                    .hint("load the rows with INSERT statements on SQLite"))
            }
        }
    }

    /// Rolls back what is open after a failure. SQLite itself has already done so after some errors and not after others.
    pub(super) fn clean_up(&self) -> Result<(), DbError> {
        // What the transaction said is gone with it.
        self.seldom.set(None);
        for attempt in 0_u32.. {
            if self.connection.is_autocommit() {
                break;
            }
            match self.connection.execute_batch("ROLLBACK") {
                // A cancel that comes late interrupts the ROLLBACK before it has begun.
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) && attempt < 100 => {}
                Err(error) => return Err(self.error(&error, "")),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    fn rollback(&self) -> Result<Done, DbError> {
        if self.connection.is_autocommit() {
            let notice = Notice {
                severity: "WARNING".to_owned(),
                message: "there is no transaction in progress".to_owned(),
                detail: None,
                hint: None,
                code: None,
            };
            return Ok(Done { notice: Some(notice), ..Done::default() });
        }
        self.text("ROLLBACK")
    }

    /// Runs every statement of the text and drops its rows. Affected rows are told where it is one statement.
    fn text(&self, text: &str) -> Result<Done, DbError> {
        if let Some(position) = text.find('\0') {
            // SQLite would stop reading there without a word.
            let mut error = DbError::new(DbErrorKind::Statement, "the statement holds a zero byte (NUL)")
                .hint("remove it; SQLite reads nothing behind it");
            error.position = Some(position);
            return Err(error);
        }
        let (mut statements, mut changed) = (0, None);
        let mut batch = Batch::new(self.connection, text);
        while let Some(mut statement) = batch.next().map_err(|error| self.error(&error, text))? {
            refuse_parameters(&statement)?;
            let mut rows = statement.raw_query();
            while rows.next().map_err(|error| self.error(&error, text))?.is_some() {}
            drop(rows);
            statements += 1;
            changed = self.affected(&statement, text);
        }
        let affected = changed.filter(|_| statements == 1);
        Ok(Done { affected, ..Done::default() })
    }

    fn seldom(&self, every: Duration, sql: &str, parameters: &[Value]) -> Result<Done, DbError> {
        if self.seldom.get().is_some_and(|last| last.elapsed() < every) {
            return Ok(Done::default());
        }
        let done = self.bound(sql, parameters)?;
        self.seldom.set(Some(Instant::now()));
        Ok(done)
    }

    fn bound(&self, sql: &str, parameters: &[Value]) -> Result<Done, DbError> {
        let mut statement = self.connection.prepare(sql).map_err(|error| self.error(&error, sql))?;
        if statement.parameter_count() != parameters.len() {
            return Err(DbError::new(
                DbErrorKind::Statement,
                format!(
                    "the statement has {} parameters, given were {}",
                    statement.parameter_count(),
                    parameters.len()
                ),
            ));
        }
        for (index, parameter) in parameters.iter().enumerate() {
            let parameter = value::bound(parameter);
            statement.raw_bind_parameter(index + 1, parameter).map_err(|error| self.error(&error, sql))?;
        }
        let columns = statement.column_count();
        let mut rows = Vec::new();
        let mut cursor = statement.raw_query();
        while let Some(row) = cursor.next().map_err(|error| self.error(&error, sql))? {
            rows.push(value::row(row, columns)?);
        }
        drop(cursor);
        let affected = self.affected(&statement, sql);
        Ok(Done { rows, affected, notice: None })
    }

    /// Rows that a finished INSERT, UPDATE or DELETE touched itself, without those of its triggers. SQLite keeps the
    /// number of the last such statement, so other kinds must not ask.
    fn affected(&self, statement: &Statement<'_>, sql: &str) -> Option<u64> {
        let word = first_word(Engine::Sqlite, sql);
        let changes_rows = !statement.readonly()
            && ["insert", "update", "delete", "replace", "with"].iter().any(|verb| word.eq_ignore_ascii_case(verb));
        changes_rows.then(|| self.connection.changes())
    }

    fn error(&self, error: &Error, text: &str) -> DbError {
        let mut ours = database_error(error, self.database);
        if let Error::SqlInputError { sql, .. } = error {
            // The driver counts from the rest of the text behind the statements that ran.
            ours.position = ours.position.map(|offset| text.len().saturating_sub(sql.len()) + offset);
        } else if ours.message == "incomplete input" {
            ours.position = Some(text.trim_end().len());
        }
        if ours.kind == DbErrorKind::LockTimeout && self.cancelled.load(Ordering::SeqCst) {
            return cancelled();
        }
        ours
    }
}

fn cancelled() -> DbError {
    let mut error = DbError::new(DbErrorKind::Cancelled, "the statement was cancelled");
    error.code = Some("SQLITE_INTERRUPT".to_owned());
    error
}

fn refuse_parameters(statement: &Statement<'_>) -> Result<(), DbError> {
    if statement.parameter_count() == 0 {
        return Ok(());
    }
    let name = statement.parameter_name(1).unwrap_or("?");
    Err(DbError::new(
        DbErrorKind::Statement,
        format!("the statement has the parameter {name}, for which there is no value"),
    )
    .hint("write the value itself; SQLite would take NULL"))
}
