//! Every statement that touches the ledger, once, with a column per engine.
//!
//! Parameters are written `$n`; where an engine has no column of its own it takes the PostgreSQL text. SQLite reads `$n`
//! as `?n`; the session of MySQL puts `?` in their place. Times are the server's: RFC 3339 in UTC with milliseconds.
//!
//! On MySQL a guard fails by a subquery of two rows: unlike a NULL it does so whatever `sql_mode` a script has set.

mod audit;
mod changes;
mod journal;
mod lease;
mod tables;

use limosa_sql::Engine;

use super::LedgerNames;
pub use audit::*;
pub use changes::*;
pub use journal::*;
pub use lease::*;
pub use tables::*;

/// One statement in the forms of the engines.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    postgres: &'static str,
    sqlite: &'static str,
    mysql: &'static str,
}

impl Statement {
    /// The text for an engine, with the names of the tables.
    pub fn render(&self, names: &LedgerNames) -> String {
        match names.engine {
            Engine::Sqlite => names.fill(&self.sqlite.replace('$', "?")),
            Engine::Mysql => names.fill(self.mysql),
            _ => names.fill(self.postgres),
        }
    }
}

impl Statement {
    /// The text for a list of so many parameters in the place of `(...)`, the first of which is `$2`.
    pub fn render_for(&self, names: &LedgerNames, count: usize) -> String {
        let sign = if names.engine == Engine::Sqlite { '?' } else { '$' };
        let list: Vec<String> = (2..count + 2).map(|number| format!("{sign}{number}")).collect();
        self.render(names).replace("(...)", &format!("({})", list.join(", ")))
    }
}

const fn all(sql: &'static str) -> Statement {
    Statement { postgres: sql, sqlite: sql, mysql: sql }
}
