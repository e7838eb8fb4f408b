//! Statements of limosa's own that a server keeps, so that it does not parse and plan them anew for each migration.
//!
//! A statement is prepared behind its use of the third time, within the same flight: nobody waits for it, and what runs once
//! or twice a connection costs nothing. Never through a pooler, where the next transaction meets another server connection.
//!
//! Texts of users may do away with prepared statements, or prepare some under the names that the driver gives (`s0`, `s1`,
//! ...). Where a text seems to, all are closed before it is sent, and none is prepared on that connection any more.

use std::sync::{Arc, OnceLock};

use tokio_postgres::Statement;
use tokio_postgres::types::Type;

use super::answer;
use crate::Value;

/// Statements that are remembered. A run has about a dozen of them.
const MOST: usize = 24;

/// Uses before a statement is worth preparing.
const ENOUGH: u32 = 3;

/// Words of SQL that create or drop prepared statements.
const WORDS: &[&str] = &["prepare", "deallocate", "discard"];

/// Filled when the answer to the preparing has come: None where it failed.
pub(super) type Slot = Arc<OnceLock<Option<Statement>>>;

/// How a statement with parameters is sent.
pub(super) enum Form {
    /// Parsed for this one use.
    Once,
    /// The same, and prepared behind it.
    ThenPrepare(Slot),
    /// The server has it.
    Prepared(Statement),
}

struct Known {
    sql: String,
    types: Vec<Type>,
    uses: u32,
    slot: Option<Slot>,
}

impl Known {
    fn is(&self, sql: &str, parameters: &[Value]) -> bool {
        self.sql == sql
            && self.types.len() == parameters.len()
            && self.types.iter().zip(parameters).all(|(kind, value)| *kind == answer::type_of(value))
    }

    fn statement(&self) -> Option<&Statement> {
        self.slot.as_ref()?.get()?.as_ref()
    }
}

/// What is known of the statements of one connection.
#[derive(Default)]
pub(super) struct Prepared {
    allowed: bool,
    known: Vec<Known>,
}

impl Prepared {
    /// From now on statements are prepared.
    pub(super) fn start(&mut self) {
        self.allowed = true;
    }

    /// From now on none is used or prepared; those that the server has stay there.
    pub(super) fn stop(&mut self) {
        self.allowed = false;
    }

    /// Closes those that the server has. The messages go out with the next request.
    pub(super) fn close(&mut self) {
        self.known.clear();
    }

    /// Whether statements may be prepared on this connection.
    pub(super) fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// True while the server has, or is about to have, a statement of ours.
    pub(super) fn is_in_use(&self) -> bool {
        self.known.iter().any(|known| known.slot.is_some())
    }

    /// How to send a statement now, within a transaction.
    pub(super) fn form(&mut self, sql: &str, parameters: &[Value]) -> Form {
        if !self.allowed {
            return Form::Once;
        }
        let Some(known) = self.known.iter_mut().find(|known| known.is(sql, parameters)) else {
            self.remember(sql, parameters);
            return Form::Once;
        };
        known.uses = known.uses.saturating_add(1);
        if let Some(statement) = known.statement() {
            return Form::Prepared(statement.clone());
        }
        let under_way = known.slot.as_ref().is_some_and(|slot| slot.get().is_none());
        if under_way || known.uses < ENOUGH {
            return Form::Once;
        }
        let slot = Slot::default();
        known.slot = Some(Arc::clone(&slot));
        Form::ThenPrepare(slot)
    }

    fn remember(&mut self, sql: &str, parameters: &[Value]) {
        if self.known.len() == MOST {
            // One that runs now and then makes room; where all are prepared the new one goes without.
            let unprepared = self.known.iter().enumerate().filter(|(_, known)| known.slot.is_none());
            let Some((least, _)) = unprepared.min_by_key(|(_, known)| known.uses) else { return };
            self.known.remove(least);
        }
        let types = parameters.iter().map(answer::type_of).collect();
        self.known.push(Known { sql: sql.to_owned(), types, uses: 1, slot: None });
    }
}

/// True for a text that may create or drop prepared statements, be it within a string or a comment.
pub(super) fn may_touch(sql: &str) -> bool {
    let bytes = sql.as_bytes();
    let is_inner = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    bytes.iter().enumerate().any(|(at, first)| {
        matches!(first, b'p' | b'P' | b'd' | b'D')
            && WORDS.iter().any(|word| {
                bytes.get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
                    && !is_inner(bytes.get(at + word.len()))
            })
            && !(at > 0 && is_inner(bytes.get(at - 1)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_touch_prepared_statements_are_found() {
        for (sql, expected) in [
            ("deallocate all", true),
            ("DEALLOCATE s1", true),
            ("do $$ begin execute 'Discard Plans'; end $$", true),
            ("prepare s0 as select 1", true),
            ("prepare transaction 'x'", true),
            ("execute 'x;deallocate all'", true),
            ("select prepared, prepare_it, \"discarded\" from undiscard", false),
            ("create table orders (id int)", false),
            ("prepar", false),
            ("", false),
            ("é prepare", true),
        ] {
            assert_eq!(may_touch(sql), expected, "{sql}");
        }
    }

    #[test]
    fn a_statement_is_prepared_with_its_third_use_and_not_asked_for_twice() {
        let mut prepared = Prepared::default();
        let values = [Value::Integer(1), Value::Null];
        for _ in 0..5 {
            assert!(matches!(prepared.form("select $1, $2", &values), Form::Once));
        }
        prepared.start();
        assert!(matches!(prepared.form("select $1, $2", &values), Form::Once));
        assert!(matches!(prepared.form("select $1, $2", &values), Form::Once));
        assert!(matches!(prepared.form("select $1, $2", &[Value::Integer(1), "x".into()]), Form::Once));
        let Form::ThenPrepare(slot) = prepared.form("select $1, $2", &values) else { panic!("not prepared") };
        assert!(prepared.is_in_use());
        assert!(matches!(prepared.form("select $1, $2", &values), Form::Once));
        assert!(slot.set(None).is_ok());
        assert!(matches!(prepared.form("select $1, $2", &values), Form::ThenPrepare(_)));
        prepared.stop();
        assert!(prepared.is_in_use());
        prepared.close();
        assert!(!prepared.is_in_use());
        assert!(matches!(prepared.form("select $1, $2", &values), Form::Once));
    }

    #[test]
    fn what_runs_once_makes_room() {
        let mut prepared = Prepared::default();
        prepared.start();
        for number in 0..100 {
            prepared.form(&format!("select {number}"), &[]);
            prepared.form("select 'again'", &[]);
        }
        assert_eq!(prepared.known.len(), MOST);
        assert!(prepared.is_in_use());
    }
}
