//! The one place where names and texts are quoted for SQL.

use crate::Engine;

impl Engine {
    /// An identifier, quoted always, so that no name is ever read as anything else.
    pub fn quote_identifier(self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// A schema-qualified identifier.
    pub fn quote_qualified(self, schema: Option<&str>, name: &str) -> String {
        match schema {
            Some(schema) => format!("{}.{}", self.quote_identifier(schema), self.quote_identifier(name)),
            None => self.quote_identifier(name),
        }
    }

    /// A text constant. On PostgreSQL the form is safe whatever `standard_conforming_strings` says.
    pub fn quote_literal(self, text: &str) -> String {
        let doubled = text.replace('\'', "''");
        match self {
            Engine::Postgres if text.contains('\\') => format!("E'{}'", doubled.replace('\\', "\\\\")),
            _ => format!("'{doubled}'"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_survive_hostile_names() {
        assert_eq!(Engine::Postgres.quote_identifier(r#"a"; drop table b --"#), r#""a""; drop table b --""#);
        assert_eq!(Engine::Postgres.quote_literal(r"it's \n"), r"E'it''s \\n'");
        assert_eq!(Engine::Sqlite.quote_literal(r"it's \n"), r"'it''s \n'");
    }
}
