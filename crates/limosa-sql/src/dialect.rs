//! How a session reads scripts before any statement of theirs has changed that.

use crate::classify::SqlMode;
use crate::{Engine, PlaceholderMarks};

/// An engine, with what its server decides of how scripts are read: on MySQL the `sql_mode` that a session begins with. And how
/// placeholders are written in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    engine: Engine,
    pub(crate) sql_mode: SqlMode,
    marks: PlaceholderMarks,
}

impl Dialect {
    /// That of a MySQL or MariaDB server whose sessions begin with this `sql_mode`, a list of modes.
    pub fn mysql(sql_mode: &str) -> Dialect {
        Dialect { sql_mode: SqlMode::read(sql_mode), ..Dialect::from(Engine::Mysql) }
    }

    /// The same for scripts in which placeholders are written like this.
    #[must_use]
    pub fn with_marks(self, marks: PlaceholderMarks) -> Dialect {
        Dialect { marks, ..self }
    }

    /// How placeholders are written.
    pub fn marks(self) -> PlaceholderMarks {
        self.marks
    }

    /// The engine.
    pub fn engine(self) -> Engine {
        self.engine
    }
}

/// That of a server which decides nothing.
impl From<Engine> for Dialect {
    fn from(engine: Engine) -> Dialect {
        Dialect { engine, sql_mode: SqlMode::default(), marks: PlaceholderMarks::default() }
    }
}
