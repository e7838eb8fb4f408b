//! The database engines that limosa speaks.

use serde::{Deserialize, Serialize};

/// A database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Engine {
    /// PostgreSQL 14 and newer.
    Postgres,
    /// SQLite 3.
    Sqlite,
}

impl Engine {
    /// All engines, in the order in which they are listed for users.
    pub const ALL: &'static [Engine] = &[Engine::Postgres, Engine::Sqlite];

    /// The name that users write in headers and settings.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Postgres => "postgres",
            Engine::Sqlite => "sqlite",
        }
    }

    /// The name in running text.
    pub fn title(self) -> &'static str {
        match self {
            Engine::Postgres => "PostgreSQL",
            Engine::Sqlite => "SQLite",
        }
    }

    /// Reads a name that users write; `postgresql`, `pg` and `sqlite3` are understood too.
    pub fn from_name(name: &str) -> Option<Engine> {
        match name.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" | "pg" => Some(Engine::Postgres),
            "sqlite" | "sqlite3" => Some(Engine::Sqlite),
            _ => None,
        }
    }
}
