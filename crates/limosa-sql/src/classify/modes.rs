//! Settings of the session that decide how the statements after them are read.

use super::mysql::FollowedMode;
use super::session::Conforming;
use crate::lexer::Reading;
use crate::{Class, Dialect, Engine};

/// Follows them through a script.
#[derive(Debug)]
pub(crate) enum Modes {
    Postgres(Conforming),
    Sqlite,
    Mysql(Box<FollowedMode>),
}

impl Modes {
    /// Those of a fresh session.
    pub(crate) fn new(dialect: Dialect) -> Modes {
        match dialect.engine() {
            Engine::Postgres => Modes::Postgres(Conforming::default()),
            Engine::Sqlite => Modes::Sqlite,
            Engine::Mysql => Modes::Mysql(Box::new(FollowedMode::new(dialect.sql_mode))),
        }
    }

    /// Takes notice of a statement.
    pub(crate) fn follow(&mut self, statement: &str, class: &Class) {
        match self {
            Modes::Postgres(conforming) => conforming.follow(statement, class),
            Modes::Sqlite => {}
            Modes::Mysql(mode) => mode.follow(statement, class),
        }
    }

    /// How quotes are read.
    pub(crate) fn reading(&self) -> Reading {
        match self {
            Modes::Postgres(conforming) => conforming.reading(),
            Modes::Sqlite => Reading::of(Engine::Sqlite),
            Modes::Mysql(mode) => mode.reading(),
        }
    }

    /// True where stored programs are written in Oracle's language.
    pub(crate) fn oracle(&self) -> bool {
        matches!(self, Modes::Mysql(mode) if mode.oracle())
    }
}
