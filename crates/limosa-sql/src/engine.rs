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
    /// MySQL 8.0 and newer, and MariaDB 10.5 and newer: one engine, because they read the same scripts.
    Mysql,
}

impl Engine {
    /// All engines, in the order in which they are listed for users.
    pub const ALL: &'static [Engine] = &[Engine::Postgres, Engine::Sqlite, Engine::Mysql];

    /// The name that users write in headers and settings.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Postgres => "postgres",
            Engine::Sqlite => "sqlite",
            Engine::Mysql => "mysql",
        }
    }

    /// The name in running text.
    pub fn title(self) -> &'static str {
        match self {
            Engine::Postgres => "PostgreSQL",
            Engine::Sqlite => "SQLite",
            Engine::Mysql => "MySQL",
        }
    }

    /// The name of the product that calls its version so: MariaDB speaks as MySQL does, and is another one.
    pub fn product(self, version: &str) -> &'static str {
        match self {
            Engine::Mysql if version.to_ascii_lowercase().contains("mariadb") => "MariaDB",
            _ => self.title(),
        }
    }

    /// Reads a name that users write; `postgresql`, `pg`, `sqlite3` and `mariadb` are understood too.
    pub fn from_name(name: &str) -> Option<Engine> {
        match name.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" | "pg" => Some(Engine::Postgres),
            "sqlite" | "sqlite3" => Some(Engine::Sqlite),
            "mysql" | "mariadb" => Some(Engine::Mysql),
            _ => None,
        }
    }
}
