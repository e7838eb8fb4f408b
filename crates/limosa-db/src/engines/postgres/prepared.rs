//! Statements of limosa's own that a server keeps, so that it does not parse and plan them anew for each migration.
//!
//! A statement is prepared with its use of the third time, in the same message: nobody waits for it, and what runs once or
//! twice a connection costs nothing. From then on it is a short text (`EXECUTE`), which travels with others. Never through a
//! pooler, where the next transaction meets another server connection.
//!
//! Texts of users may do away with prepared statements, or prepare some under our names. Where a text seems to, all are dropped
//! before it is sent, and none is prepared on that connection any more.

use limosa_sql::Engine;
use tokio_postgres::types::Type;

use super::answer;
use crate::Value;

/// Statements that are remembered. A run has about a dozen of them.
const MOST: usize = 24;

/// Uses before a statement is worth preparing.
const ENOUGH: u32 = 3;

/// Bytes of parameters from which a statement is not worth preparing.
const LONG: usize = 16 << 10;

/// Words of SQL that create or drop prepared statements.
const WORDS: &[&str] = &["prepare", "deallocate", "discard"];

/// How a statement with parameters is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// Parsed for this one use.
    Once,
    /// By a text of so many commands, the last of which runs it.
    Text {
        /// The text.
        sql: String,
        /// Its commands.
        commands: usize,
    },
}

struct Known {
    sql: String,
    types: Vec<Type>,
    uses: u32,
    /// Its name on the server, which has it, or gets it within the flight.
    name: Option<String>,
    /// A flight that used it has arrived.
    is_there: bool,
}

impl Known {
    /// A NULL goes for any type.
    fn is(&self, sql: &str, parameters: &[Value]) -> bool {
        let fits = |(known, value): (&Type, &Value)| {
            let kind = answer::type_of(value);
            *known == kind || *known == Type::UNKNOWN || kind == Type::UNKNOWN
        };
        self.sql == sql && self.types.len() == parameters.len() && self.types.iter().zip(parameters).all(fits)
    }
}

/// What is known of the statements of one connection.
#[derive(Default)]
pub(super) struct Prepared {
    allowed: bool,
    known: Vec<Known>,
    /// Names that were given so far; none is given twice.
    named: u64,
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

    /// Forgets all, and gives the text that drops those that the server has.
    pub(super) fn close(&mut self) -> String {
        let names = self.known.drain(..).filter_map(|known| known.name);
        names.map(|name| format!("deallocate {name}")).collect::<Vec<_>>().join("; ")
    }

    /// Whether statements may be prepared on this connection.
    pub(super) fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// True while the server has, or is about to have, a statement of ours.
    pub(super) fn is_in_use(&self) -> bool {
        self.known.iter().any(|known| known.name.is_some())
    }

    /// A flight has arrived, or not: then what it was about to prepare may not be there.
    pub(super) fn settle(&mut self, arrived: bool) {
        for known in self.known.iter_mut().filter(|known| !known.is_there) {
            known.is_there = arrived && known.name.is_some();
            if !arrived {
                known.name = None;
            }
        }
    }

    /// How to send a statement now, within a transaction. What runs once a migration has parameters; one without may be a query of
    /// the user's, which can be of a kind that is not prepared, or end in a comment.
    pub(super) fn form(&mut self, sql: &str, parameters: &[Value]) -> Form {
        let length = |value: &Value| if let Value::Text(text) = value { text.len() } else { 0 };
        // As a constant in a text a long value costs more to read than a statement.
        let is_long = parameters.iter().map(length).sum::<usize>() > LONG;
        if !self.allowed || parameters.is_empty() || is_long {
            return Form::Once;
        }
        let Some(known) = self.known.iter_mut().find(|known| known.is(sql, parameters)) else {
            self.remember(sql, parameters);
            return Form::Once;
        };
        known.uses = known.uses.saturating_add(1);
        if let Some(name) = &known.name {
            return Form::Text { sql: execute(name, parameters), commands: 1 };
        }
        if known.uses < ENOUGH {
            return Form::Once;
        }
        self.named += 1;
        let name = format!("limosa_{}", self.named);
        let types: Vec<&str> = known.types.iter().map(Type::name).collect();
        let types = types.join(", ");
        let text = format!("prepare {name} ({types}) as {sql}; {}", execute(&name, parameters));
        known.name = Some(name);
        Form::Text { sql: text, commands: 2 }
    }

    fn remember(&mut self, sql: &str, parameters: &[Value]) {
        if self.known.len() == MOST {
            // One that runs now and then makes room; where all are prepared the new one goes without.
            let unprepared = self.known.iter().enumerate().filter(|(_, known)| known.name.is_none());
            let Some((least, _)) = unprepared.min_by_key(|(_, known)| known.uses) else { return };
            self.known.remove(least);
        }
        let types = parameters.iter().map(answer::type_of).collect();
        self.known.push(Known { sql: sql.to_owned(), types, uses: 1, name: None, is_there: false });
    }
}

/// Runs a prepared statement. The constants mean the same under all settings of the session.
fn execute(name: &str, parameters: &[Value]) -> String {
    let constant = |value: &Value| match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => Engine::Postgres.quote_literal(text),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
    };
    let constants: Vec<String> = parameters.iter().map(constant).collect();
    format!("execute {name} ({})", constants.join(", "))
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
    fn a_statement_is_prepared_with_its_third_use() {
        let mut prepared = Prepared::default();
        let values = [Value::Integer(1), Value::Null];
        let text = |sql: &str, commands| Form::Text { sql: sql.to_owned(), commands };
        for _ in 0..5 {
            assert_eq!(prepared.form("select $1, $2", &values), Form::Once);
        }
        prepared.start();
        assert_eq!(prepared.form("select $1, $2", &values), Form::Once);
        assert_eq!(prepared.form("select $1, $2", &[Value::Integer(1), "x".into()]), Form::Once);
        assert_eq!(prepared.form("select $1, $2", &["x".into(), Value::Integer(1)]), Form::Once);
        assert!(!prepared.is_in_use());
        let first = "prepare limosa_1 (int8, unknown) as select $1, $2; execute limosa_1 (-3, E'it''s \\\\')";
        assert_eq!(prepared.form("select $1, $2", &[Value::Integer(-3), "it's \\".into()]), text(first, 2));
        assert!(prepared.is_in_use());
        assert_eq!(prepared.form("select $1, $2", &values), text("execute limosa_1 (1, null)", 1));

        // It may not have come to the preparing.
        prepared.settle(false);
        assert_eq!(
            prepared.form("select $1, $2", &values),
            text("prepare limosa_2 (int8, unknown) as select $1, $2; execute limosa_2 (1, null)", 2)
        );
        prepared.settle(true);
        prepared.settle(false);
        assert_eq!(prepared.form("select $1, $2", &values), text("execute limosa_2 (1, null)", 1));
        prepared.stop();
        assert!(prepared.is_in_use());
        assert_eq!(prepared.close(), "deallocate limosa_2");
        assert!(!prepared.is_in_use());
        assert_eq!(prepared.form("select $1, $2", &values), Form::Once);
    }

    #[test]
    fn what_runs_once_makes_room() {
        let mut prepared = Prepared::default();
        prepared.start();
        for number in 0..100 {
            prepared.form(&format!("select {number}, $1"), &[Value::Null]);
            prepared.form("select 'again', $1", &[Value::Null]);
            assert_eq!(prepared.form("select 1 -- the user's", &[]), Form::Once);
        }
        assert_eq!(prepared.known.len(), MOST);
        assert!(prepared.is_in_use());
    }
}
