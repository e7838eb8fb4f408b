//! Knows at each semicolon whether it ends the statement.

mod mysql;
mod mysql_head;
mod postgres;
mod sqlite;

use crate::Engine;
use crate::lexer::Token;
use mysql::MysqlBoundary;
use postgres::PostgresBoundary;
use sqlite::SqliteBoundary;

/// What is still open where a script ends; the offset says where it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hanging {
    Parenthesis(usize),
    /// `BEGIN ATOMIC` of a routine.
    Routine(usize),
    /// `BEGIN` of a trigger.
    Trigger(usize),
    /// A block of a stored program of MySQL: the word that opens it, and what closes it.
    Block(usize, &'static str, &'static str),
}

/// Follows the tokens of one statement.
#[derive(Debug)]
pub(crate) enum Boundary {
    Postgres(PostgresBoundary),
    Sqlite(SqliteBoundary),
    Mysql(MysqlBoundary),
}

impl Boundary {
    pub(crate) fn new(engine: Engine) -> Self {
        match engine {
            Engine::Postgres => Boundary::Postgres(PostgresBoundary::default()),
            Engine::Sqlite => Boundary::Sqlite(SqliteBoundary::default()),
            Engine::Mysql => Boundary::Mysql(MysqlBoundary::default()),
        }
    }

    /// Begins with a new statement.
    pub(crate) fn reset(&mut self) {
        match self {
            Boundary::Postgres(state) => state.reset(),
            Boundary::Sqlite(state) => *state = SqliteBoundary::default(),
            Boundary::Mysql(state) => state.reset(),
        }
    }

    /// Takes the next token of the statement; true where it is the semicolon that ends it.
    #[inline]
    pub(crate) fn take(&mut self, token: Token, text: &[u8]) -> bool {
        match self {
            Boundary::Postgres(state) => state.take(token, text),
            Boundary::Sqlite(state) => state.take(token, text),
            Boundary::Mysql(state) => state.take(token, text),
        }
    }

    /// True where only semicolons and parentheses matter for the rest of the statement.
    pub(crate) fn is_calm(&self) -> bool {
        match self {
            Boundary::Postgres(state) => state.is_calm(),
            Boundary::Sqlite(state) => state.is_calm(),
            Boundary::Mysql(state) => state.is_calm(),
        }
    }

    /// Says that the first `count` bytes of the text were taken away.
    pub(crate) fn shift(&mut self, count: usize) {
        match self {
            Boundary::Postgres(state) => state.shift(count),
            Boundary::Sqlite(state) => state.shift(count),
            Boundary::Mysql(state) => state.shift(count),
        }
    }

    /// What is open if the script ends here.
    pub(crate) fn hanging(&self) -> Option<Hanging> {
        match self {
            Boundary::Postgres(state) => state.hanging(),
            Boundary::Sqlite(state) => state.hanging(),
            Boundary::Mysql(state) => state.hanging(),
        }
    }

    /// MySQL: where a statement began whose end only a DELIMITER shows.
    pub(crate) fn opaque(&self) -> Option<usize> {
        match self {
            Boundary::Mysql(state) => state.opaque(),
            _ => None,
        }
    }

    /// MySQL: says whether `sql_mode` holds ORACLE, which gives stored programs another language.
    pub(crate) fn set_oracle(&mut self, oracle: bool) {
        if let Boundary::Mysql(state) = self {
            state.set_oracle(oracle);
        }
    }
}

/// How far the first words of a statement have been recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Head {
    #[default]
    Start,
    /// EXPLAIN, EXPLAIN QUERY, EXPLAIN QUERY PLAN
    Explain,
    Create,
    CreateOr,
    /// It is a CREATE FUNCTION, CREATE PROCEDURE or CREATE TRIGGER.
    Routine,
    Other,
}

/// What the last tokens were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tail {
    #[default]
    Other,
    /// `;` inside a body, or the ATOMIC that begins one: where a statement of the body begins.
    Semicolon,
    /// END at such a place.
    End,
    /// BEGIN
    Begin,
}
