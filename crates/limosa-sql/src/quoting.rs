//! The one place where names and texts are quoted for SQL.

use crate::Engine;

impl Engine {
    /// An identifier, quoted always, so that no name is ever read as anything else.
    ///
    /// On MySQL in backticks: double quotes mark identifiers only where `sql_mode` holds ANSI_QUOTES, backticks always.
    pub fn quote_identifier(self, name: &str) -> String {
        match self {
            Engine::Postgres | Engine::Sqlite => between("", '"', name),
            Engine::Mysql => between("", '`', name),
        }
    }

    /// A schema-qualified identifier; on MySQL the schema is a database.
    pub fn quote_qualified(self, schema: Option<&str>, name: &str) -> String {
        match schema {
            Some(schema) => format!("{}.{}", self.quote_identifier(schema), self.quote_identifier(name)),
            None => self.quote_identifier(name),
        }
    }

    /// A text constant, for wherever an expression may stand.
    ///
    /// On PostgreSQL the form is safe whatever `standard_conforming_strings` says. On MySQL `sql_mode` decides
    /// (NO_BACKSLASH_ESCAPES) whether a backslash in quotes stands for itself or escapes what follows, and the session
    /// that reads the constant may have either. A text that holds a backslash is therefore written as the hexadecimal
    /// digits of its UTF-8 bytes, which mean the same in each mode; so is one with a NUL, which not every server and
    /// client passes on. An apostrophe is doubled, which is right in each mode too. COMMENT, IDENTIFIED BY and ENUM take no
    /// expression: there a text with a backslash gives a syntax error, never another text.
    pub fn quote_literal(self, text: &str) -> String {
        match self {
            Engine::Postgres if text.contains('\\') => between("E", '\'', &text.replace('\\', "\\\\")),
            Engine::Mysql if text.contains(['\\', '\0']) => hexadecimal(text),
            Engine::Postgres | Engine::Sqlite | Engine::Mysql => between("", '\'', text),
        }
    }

    /// A text constant for a session whose encoding a script may have changed: as [`Engine::quote_literal`], and on MySQL
    /// written in ASCII whatever the text holds, which means the same in each `character_set_client`.
    pub fn quote_literal_in_any_encoding(self, text: &str) -> String {
        if self == Engine::Mysql && !text.is_ascii() { hexadecimal(text) } else { self.quote_literal(text) }
    }
}

/// A text between two quotes, those within it doubled, with something before the first. A migration's own statements have a hundred.
fn between(before: &str, quote: char, text: &str) -> String {
    let mut quoted = String::with_capacity(before.len() + text.len() + text.matches(quote).count() + 2);
    quoted.push_str(before);
    quoted.push(quote);
    for part in text.split_inclusive(quote) {
        quoted.push_str(part);
        if part.ends_with(quote) {
            quoted.push(quote);
        }
    }
    quoted.push(quote);
    quoted
}

/// The UTF-8 bytes of a text, for MySQL.
fn hexadecimal(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |index: u8| char::from(DIGITS[usize::from(index)]);
    let digits: String = text.bytes().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    format!("_utf8mb4 X'{digits}'")
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

    #[test]
    fn quotes_of_mysql_hold_in_each_mode() {
        assert_eq!(Engine::Mysql.quote_identifier("a`; drop table b -- \""), "`a``; drop table b -- \"`");
        assert_eq!(Engine::Mysql.quote_qualified(Some("shop"), "order"), "`shop`.`order`");
        assert_eq!(Engine::Mysql.quote_literal("it's \"so\""), "'it''s \"so\"'");
        assert_eq!(Engine::Mysql.quote_literal("é\\'"), "_utf8mb4 X'C3A95C27'");
        assert_eq!(Engine::Mysql.quote_literal("\0"), "_utf8mb4 X'00'");
        assert_eq!(Engine::Mysql.quote_literal(""), "''");
        assert_eq!(Engine::Mysql.quote_literal("é"), "'é'");
        assert_eq!(Engine::Mysql.quote_literal_in_any_encoding("é"), "_utf8mb4 X'C3A9'");
        assert_eq!(Engine::Mysql.quote_literal_in_any_encoding("it's"), "'it''s'");
        assert_eq!(Engine::Sqlite.quote_literal_in_any_encoding("é"), "'é'");
    }
}
