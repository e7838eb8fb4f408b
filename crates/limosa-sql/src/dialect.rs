//! How a session reads scripts before any statement of theirs has changed that.

use serde::{Deserialize, Serialize};

use crate::classify::SqlMode;
use crate::{Engine, PlaceholderMarks};

/// An engine, with what its server decides of how scripts are read: on MySQL the `sql_mode` that a session begins with. And how
/// placeholders are written in them, and on SQLite whether foreign keys are enforced when one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    engine: Engine,
    pub(crate) sql_mode: SqlMode,
    marks: PlaceholderMarks,
    foreign_keys: ForeignKeys,
}

/// SQLite: what `PRAGMA foreign_keys` says when a script begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForeignKeys {
    /// OFF, which is SQLite's own default.
    #[default]
    Ignored,
    /// ON.
    Enforced,
    /// OFF, and a script that runs in one transaction cannot switch them: SQLite ignores the PRAGMA there, and its tool leaves it there.
    IgnoredThroughout,
}

impl ForeignKeys {
    /// True where a script begins with OFF.
    pub fn are_ignored(&self) -> bool {
        *self != ForeignKeys::Enforced
    }

    /// True for SQLite's own default.
    pub fn are_default(&self) -> bool {
        *self == ForeignKeys::default()
    }

    /// As a PRAGMA is given it.
    pub fn word(self) -> &'static str {
        if self.are_ignored() { "OFF" } else { "ON" }
    }
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

    /// The same for scripts that begin with foreign keys enforced, or not; of a meaning on SQLite alone.
    #[must_use]
    pub fn with_foreign_keys(self, foreign_keys: ForeignKeys) -> Dialect {
        Dialect { foreign_keys, ..self }
    }

    /// Whether foreign keys are enforced when a script begins. Elsewhere than on SQLite no session decides that.
    pub fn foreign_keys(self) -> ForeignKeys {
        if self.engine == Engine::Sqlite { self.foreign_keys } else { ForeignKeys::Ignored }
    }

    /// The engine.
    pub fn engine(self) -> Engine {
        self.engine
    }
}

/// That of a server which decides nothing.
impl From<Engine> for Dialect {
    fn from(engine: Engine) -> Dialect {
        Dialect {
            engine,
            sql_mode: SqlMode::default(),
            marks: PlaceholderMarks::default(),
            foreign_keys: ForeignKeys::default(),
        }
    }
}
