//! Settings of a session that a script may have changed, so that they never reach the next script.
//!
//! Kept on purpose, as properties of the database and not of the session: page_size, auto_vacuum, encoding, user_version,
//! application_id, and journal_mode as far as it stands in the file (WAL or not).

use std::collections::BTreeSet;

use limosa_sql::Engine;
use rusqlite::types::Value;
use rusqlite::{Connection, Error};

use super::error::database_error;
use super::worker::Worker;
use crate::{DbError, DbErrorKind};

/// PRAGMAs that read as one value and are set by it, in the order in which they are put back: first what forbids or
/// changes the meaning of other work.
const SETTINGS: &[&str] = &[
    "query_only",
    "writable_schema",
    "foreign_keys",
    "defer_foreign_keys",
    "ignore_check_constraints",
    "recursive_triggers",
    "legacy_alter_table",
    "trusted_schema",
    "reverse_unordered_selects",
    "automatic_index",
    "read_uncommitted",
    "count_changes",
    "full_column_names",
    "short_column_names",
    "cell_size_check",
    "checkpoint_fullfsync",
    "fullfsync",
    "synchronous",
    "secure_delete",
    "cache_size",
    "cache_spill",
    "mmap_size",
    "max_page_count",
    "journal_size_limit",
    "wal_autocheckpoint",
    "analysis_limit",
    "threads",
    "soft_heap_limit",
    "locking_mode",
    "temp_store",
];

/// The settings of a session at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionSettings {
    /// In the order of [`SETTINGS`]; None where SQLite gives no value.
    values: Vec<Option<Value>>,
    journal_mode: String,
    /// Names of attached databases.
    attached: BTreeSet<String>,
    /// Kind and name of temporary objects.
    temporary: BTreeSet<(String, String)>,
}

impl SessionSettings {
    pub(super) fn read(worker: &Worker) -> Result<SessionSettings, DbError> {
        let read = |connection: &Connection| {
            Ok(SessionSettings {
                values: SETTINGS.iter().map(|name| current(connection, name)).collect::<Result<_, Error>>()?,
                journal_mode: journal_mode(connection)?,
                attached: attached(connection)?,
                temporary: temporary(connection)?,
            })
        };
        read(&worker.connection).map_err(|error| database_error(&error, &worker.database))
    }

    /// What differs from other settings, as statements that set it; foreign keys are each script's own.
    pub(super) fn differing(&self, from: &SessionSettings) -> Vec<String> {
        let all = SETTINGS.iter().zip(self.values.iter().zip(&from.values));
        all.filter(|(name, (here, there))| here != there && **name != "foreign_keys")
            .filter_map(|(name, (here, _))| Some(format!("PRAGMA {name} = {}", written(name, here.as_ref()?)?)))
            .collect()
    }

    pub(super) fn restore(&self, worker: &mut Worker) -> Result<(), DbError> {
        if !worker.connection.is_autocommit() {
            return Err(DbError::new(
                DbErrorKind::Statement,
                "the settings of the session cannot be put back while a transaction is open",
            )
            .hint("end the transaction first"));
        }
        let put_back = |worker: &mut Worker| {
            worker.wait_for_writers()?;
            let connection = &worker.connection;
            connection.execute_batch("PRAGMA case_sensitive_like = OFF")?;
            for (name, value) in SETTINGS.iter().zip(&self.values) {
                put_back(connection, name, value.as_ref())?;
            }
            self.put_back_journal_mode(connection)?;
            self.drop_temporary(connection)?;
            for name in attached(connection)?.difference(&self.attached) {
                connection.execute_batch(&format!("DETACH DATABASE {}", Engine::Sqlite.quote_identifier(name)))?;
            }
            // An exclusive lock is let go by the next access only.
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        };
        put_back(worker).map_err(|error| database_error(&error, &worker.database))?;
        self.verify(worker)
    }

    /// SQLite refuses some changes without a word.
    fn verify(&self, worker: &Worker) -> Result<(), DbError> {
        let now = SessionSettings::read(worker)?;
        let mut values = SETTINGS.iter().zip(self.values.iter().zip(&now.values));
        let Some((name, _)) = values.find(|(_, (wanted, found))| wanted != found) else { return Ok(()) };
        Err(DbError::new(DbErrorKind::Statement, format!("the setting PRAGMA {name} could not be put back"))
            .hint(format!("take the PRAGMA {name} out of the script, or let the script set it back itself")))
    }

    /// DELETE, TRUNCATE, PERSIST, MEMORY and OFF belong to the session, only WAL stands in the file.
    fn put_back_journal_mode(&self, connection: &Connection) -> Result<(), Error> {
        let now = journal_mode(connection)?;
        if now == self.journal_mode || now == "wal" {
            return Ok(());
        }
        let wanted = if self.journal_mode == "wal" { "delete" } else { self.journal_mode.as_str() };
        connection.execute_batch(&format!("PRAGMA main.journal_mode = {wanted}"))
    }

    fn drop_temporary(&self, connection: &Connection) -> Result<(), Error> {
        let made: Vec<_> = temporary(connection)?.difference(&self.temporary).cloned().collect();
        for kind in ["trigger", "view", "table"] {
            for (_, name) in made.iter().filter(|(its_kind, _)| its_kind == kind) {
                // Dropping a virtual table drops its shadow tables too, hence IF EXISTS.
                connection
                    .execute_batch(&format!("DROP {kind} IF EXISTS temp.{}", Engine::Sqlite.quote_identifier(name)))?;
            }
        }
        Ok(())
    }
}

fn current(connection: &Connection, name: &str) -> Result<Option<Value>, Error> {
    match connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)) {
        Ok(value) => Ok(Some(value)),
        Err(Error::QueryReturnedNoRows) => Ok(None),
        Err(error) => Err(error),
    }
}

fn put_back(connection: &Connection, name: &str, wanted: Option<&Value>) -> Result<(), Error> {
    let Some(wanted) = wanted else { return Ok(()) };
    if current(connection, name)?.as_ref() == Some(wanted) {
        return Ok(());
    }
    match written(name, wanted) {
        Some(value) => connection.execute_batch(&format!("PRAGMA {name} = {value}")),
        None => Ok(()),
    }
}

/// A value as its pragma takes it.
fn written(name: &str, value: &Value) -> Option<String> {
    match value {
        // Read as 2, which would be taken for a plain ON.
        Value::Integer(2) if name == "secure_delete" => Some("fast".to_owned()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Text(text) => Some(text.clone()),
        Value::Null | Value::Real(_) | Value::Blob(_) => None,
    }
}

/// How `main` keeps its journal.
pub(super) fn journal_mode(connection: &Connection) -> Result<String, Error> {
    connection.query_row("PRAGMA main.journal_mode", [], |row| row.get(0))
}

fn attached(connection: &Connection) -> Result<BTreeSet<String>, Error> {
    let mut statement =
        connection.prepare("SELECT name FROM pragma_database_list WHERE name NOT IN ('main', 'temp')")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// SQLite's own tables cannot be dropped and go with what they serve.
fn temporary(connection: &Connection) -> Result<BTreeSet<(String, String)>, Error> {
    let mut statement = connection.prepare(
        "SELECT type, name FROM temp.sqlite_schema WHERE type IN ('table', 'view', 'trigger') AND name NOT GLOB 'sqlite_*'",
    )?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
