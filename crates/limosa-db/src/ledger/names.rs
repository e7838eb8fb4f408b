//! What the ledger's tables are called.

use limosa_sql::Engine;

/// The names of the ledger's tables, quoted. In PostgreSQL they stand in a schema, elsewhere they share a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerNames {
    /// The engine.
    pub engine: Engine,
    /// The schema (PostgreSQL) or the prefix without its underscore (elsewhere); `limosa` by default.
    pub schema: String,
    /// MySQL: the database that the tables stand in, for a script may change to another. None for the one of the session.
    pub database: Option<String>,
}

impl LedgerNames {
    /// The names for an engine.
    pub fn new(engine: Engine, schema: impl Into<String>) -> Self {
        LedgerNames { engine, schema: schema.into(), database: None }
    }

    /// The names for a database of MySQL, qualified by it.
    #[must_use]
    pub fn within(mut self, database: &str) -> Self {
        self.database = (self.engine == Engine::Mysql).then(|| database.to_owned());
        self
    }

    /// A table, quoted and qualified.
    pub fn table(&self, name: &str) -> String {
        match self.engine {
            Engine::Postgres => self.engine.quote_qualified(Some(&self.schema), name),
            _ => self.engine.quote_qualified(self.database.as_deref(), &format!("{}_{name}", self.schema)),
        }
    }

    /// Puts the names into a statement: `{schema_migrations}`, `{lease}`, ..., `{schema}`; with `_text` behind it, the name as
    /// a text constant. What a name itself holds is left alone.
    pub fn fill(&self, sql: &str) -> String {
        let mut filled = String::with_capacity(sql.len() + 256);
        self.fill_into(sql, &mut filled);
        filled
    }

    /// The same, behind another text.
    pub(super) fn fill_into(&self, sql: &str, filled: &mut String) {
        let mut rest = sql;
        while let Some(at) = rest.find('{') {
            filled.push_str(&rest[..at]);
            rest = &rest[at..];
            let named = rest.find('}').and_then(|end| Some((self.filling(&rest[1..end])?, end + 1)));
            let (text, length) = named.unwrap_or(("{".to_owned(), 1));
            filled.push_str(&text);
            rest = &rest[length..];
        }
        filled.push_str(rest);
    }

    /// What stands for `{name}`; None where the name is none of ours.
    fn filling(&self, name: &str) -> Option<String> {
        if name == "schema" {
            return Some(self.engine.quote_identifier(&self.schema));
        }
        if name == "database_text" {
            let quoted = self.database.as_deref().map(|database| self.engine.quote_literal(database));
            return Some(quoted.unwrap_or_else(|| "database()".to_owned()));
        }
        if let Some(bare) = name.strip_suffix("_text") {
            let text = match self.engine {
                _ if bare == "schema" => self.schema.clone(),
                Engine::Postgres => bare.to_owned(),
                _ => format!("{}_{bare}", self.schema),
            };
            return Some(self.engine.quote_literal(&text));
        }
        (TABLES.contains(&name) || name == UNFINISHED).then(|| self.table(name))
    }
}

/// MySQL: the table that stands while objects are dropped or brought back one by one.
pub const UNFINISHED: &str = "unfinished";

/// The tables of the ledger.
pub const TABLES: &[&str] =
    &["schema_migrations", "audit_log", "audit_head", "application_metadata", "lease", "journal"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_once() {
        let names = LedgerNames::new(Engine::Postgres, "{lease} \"o'x\"");
        assert_eq!(
            names.fill("'{}' {schema_text} {lease} {unknown} {"),
            "'{}' '{lease} \"o''x\"' \"{lease} \"\"o'x\"\"\".\"lease\" {unknown} {"
        );
        let names = LedgerNames::new(Engine::Sqlite, "o'x");
        assert_eq!(names.fill("{lease_text} {lease}"), "'o''x_lease' \"o'x_lease\"");
        let names = LedgerNames::new(Engine::Mysql, "o'x");
        assert_eq!(names.fill("{lease} {database_text}"), "`o'x_lease` database()");
        assert_eq!(names.within("d`b").fill("{lease} {database_text}"), "`d``b`.`o'x_lease` 'd`b'");
    }
}
