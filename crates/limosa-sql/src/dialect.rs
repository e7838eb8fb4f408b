//! How a session reads scripts before any statement of theirs has changed that.

use crate::Engine;
use crate::classify::SqlMode;

/// An engine, with what its server decides of how scripts are read: on MySQL the `sql_mode` that a session begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    engine: Engine,
    pub(crate) sql_mode: SqlMode,
}

impl Dialect {
    /// That of a MySQL or MariaDB server whose sessions begin with this `sql_mode`, a list of modes.
    pub fn mysql(sql_mode: &str) -> Dialect {
        Dialect { engine: Engine::Mysql, sql_mode: SqlMode::read(sql_mode) }
    }

    /// The engine.
    pub fn engine(self) -> Engine {
        self.engine
    }
}

/// That of a server which decides nothing.
impl From<Engine> for Dialect {
    fn from(engine: Engine) -> Dialect {
        Dialect { engine, sql_mode: SqlMode::default() }
    }
}
