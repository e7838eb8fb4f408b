//! What the ledger's tables are called.

use limosa_sql::Engine;

/// The names of the ledger's tables, quoted. In PostgreSQL they stand in a schema, elsewhere they share a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerNames {
    /// The engine.
    pub engine: Engine,
    /// The schema (PostgreSQL) or the prefix without its underscore (elsewhere); `limosa` by default.
    pub schema: String,
}

impl LedgerNames {
    /// The names for an engine.
    pub fn new(engine: Engine, schema: impl Into<String>) -> Self {
        LedgerNames { engine, schema: schema.into() }
    }

    /// A table, quoted and qualified.
    pub fn table(&self, name: &str) -> String {
        match self.engine {
            Engine::Postgres => self.engine.quote_qualified(Some(&self.schema), name),
            _ => self.engine.quote_identifier(&format!("{}_{name}", self.schema)),
        }
    }

    /// Puts the names into a statement: `{schema_migrations}`, `{lease}`, ..., `{schema}`, `{schema_text}`.
    pub fn fill(&self, sql: &str) -> String {
        let mut filled = sql.to_owned();
        for name in TABLES.iter().chain(&["audit_log_by_change", "schema_migrations_by_rank"]) {
            let mark = format!("{{{name}}}");
            if filled.contains(&mark) {
                filled = filled.replace(&mark, &self.table(name));
            }
        }
        filled
            .replace("{schema}", &self.engine.quote_identifier(&self.schema))
            .replace("{schema_text}", &self.engine.quote_literal(&self.schema))
    }
}

/// The tables of the ledger.
pub const TABLES: &[&str] =
    &["schema_migrations", "audit_log", "audit_head", "application_metadata", "lease", "journal"];
