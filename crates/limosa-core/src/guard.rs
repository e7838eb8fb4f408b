//! What must hold right before a change runs, and what becomes of the change where it does not.

use limosa_sql::{Engine, Position};
use serde::{Deserialize, Serialize};

/// What is asked before a change, all of which must hold; and what becomes of it otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// What is asked, in order. Without any it always holds.
    pub checks: Vec<Check>,
    /// What becomes of the change where the answer is no.
    pub on_no: Otherwise,
    /// What becomes of it where the database refuses the question.
    pub on_error: Otherwise,
    /// What becomes of it where it runs and fails: the run stops, or goes on behind it ([`Otherwise::Leave`]), where nothing of it stands.
    #[serde(default, skip_serializing_if = "Otherwise::is_stop")]
    pub on_failure: Otherwise,
    /// What the author says to people where the answer is no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words_on_no: Option<String>,
    /// The same where the database refuses the question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words_on_error: Option<String>,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What is asked.
    pub question: Question,
    /// Where it stands in the file of the change.
    pub position: Position,
    /// Its line as written.
    pub line: String,
}

/// What is asked. Placeholders in it are replaced when it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "asks", rename_all = "snake_case")]
pub enum Question {
    /// A query of the user's: its first value must be this text.
    Sql {
        /// The query as written, without `;` behind it.
        text: String,
        /// What it must give.
        expected: String,
    },
    /// Whether a table is there.
    Table {
        /// Its schema; None for where the session finds it.
        schema: Option<String>,
        /// Its name.
        name: String,
    },
    /// Whether a view is there.
    View {
        /// Its schema; None for where the session finds it.
        schema: Option<String>,
        /// Its name.
        name: String,
    },
}

/// What becomes of a change whose guard does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// The run stops before it.
    #[default]
    Stop,
    /// It is left for the next run, and this one goes on behind it.
    Leave,
    /// It counts as applied without having run.
    Count,
    /// It runs, and the answer is told.
    Warn,
}

impl Otherwise {
    fn is_stop(&self) -> bool {
        *self == Otherwise::Stop
    }

    /// What becomes of it, for plans.
    pub fn words(self) -> &'static str {
        match self {
            Otherwise::Stop => "else the run stops",
            Otherwise::Leave => "else it is left for the next run",
            Otherwise::Count => "else it counts as applied",
            Otherwise::Warn => "else limosa warns",
        }
    }
}

impl Question {
    /// What is asked, for people.
    pub fn words(&self) -> String {
        let named = |schema: &Option<String>, name: &str| match schema {
            Some(schema) => format!("{schema}.{name}"),
            None => name.to_owned(),
        };
        match self {
            Question::Sql { text, expected } => format!("{text} gives '{expected}'"),
            Question::Table { schema, name } => format!("there is a table {}", named(schema, name)),
            Question::View { schema, name } => format!("there is a view {}", named(schema, name)),
        }
    }

    /// Its parts, in which placeholders may stand.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Question::Sql { text, expected } => vec![text, expected],
            Question::Table { schema, name } | Question::View { schema, name } => {
                schema.iter().chain([name]).map(String::as_str).collect()
            }
        }
    }

    /// The same with each part replaced.
    ///
    /// # Errors
    /// The first that the replacement gives.
    pub fn replaced<E>(&self, replace: impl Fn(&str) -> Result<String, E>) -> Result<Question, E> {
        let schema_of = |schema: &Option<String>| schema.as_deref().map(&replace).transpose();
        Ok(match self {
            Question::Sql { text, expected } => Question::Sql { text: replace(text)?, expected: replace(expected)? },
            Question::Table { schema, name } => Question::Table { schema: schema_of(schema)?, name: replace(name)? },
            Question::View { schema, name } => Question::View { schema: schema_of(schema)?, name: replace(name)? },
        })
    }

    /// The query that answers it, and what it must give.
    pub fn query(&self, engine: Engine) -> (String, &str) {
        match self {
            Question::Sql { text, expected } => (text.clone(), expected),
            Question::Table { schema, name } => (existence(engine, Kind::Table, schema.as_deref(), name), "1"),
            Question::View { schema, name } => (existence(engine, Kind::View, schema.as_deref(), name), "1"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Table,
    View,
}

/// A query that gives 1 where something of this kind and name is there, and 0 where it is not. As Liquibase 4.33 looks for it: on
/// PostgreSQL by the name in small letters, in the first schema of the session where none is named; on SQLite by the name as it stands,
/// whatever schema is named.
fn existence(engine: Engine, kind: Kind, schema: Option<&str>, name: &str) -> String {
    let literal = |text: &str| engine.quote_literal(&text.to_lowercase());
    match engine {
        Engine::Postgres => {
            let kinds = if kind == Kind::Table { "'r', 'p', 'f'" } else { "'v'" };
            let (name, place) = (literal(name), schema.map_or("current_schema()".to_owned(), literal));
            format!(
                "select count(*) from (select 1 from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
                 where c.relkind in ({kinds}) and c.relname = {name} and n.nspname = {place} limit 1) found"
            )
        }
        Engine::Mysql => {
            let kinds = if kind == Kind::Table { "'BASE TABLE', 'SYSTEM VERSIONED'" } else { "'VIEW'" };
            let (name, place) = (literal(name), schema.map_or("lower(database())".to_owned(), literal));
            format!(
                "select count(*) from (select 1 from information_schema.tables where table_type in ({kinds}) \
                 and lower(table_name) = {name} and lower(table_schema) = {place} limit 1) found"
            )
        }
        _ => {
            let kind = if kind == Kind::Table { "table" } else { "view" };
            let name = engine.quote_literal(name);
            format!(
                "select count(*) from (select 1 from main.sqlite_master where type = '{kind}' and name = {name} limit 1)"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_become_queries() {
        let table = Question::Table { schema: Some("App".to_owned()), name: "O'Hara".to_owned() };
        for (engine, place, name) in [
            (Engine::Postgres, "n.nspname = 'app'", "relname = 'o''hara'"),
            (Engine::Mysql, "lower(table_schema) = 'app'", "hara'"),
            (Engine::Sqlite, "from main.sqlite_master", "name = 'O''Hara'"),
        ] {
            let (query, expected) = table.query(engine);
            assert!(query.contains(place) && query.contains(name), "{query}");
            assert_eq!(expected, "1");
        }
        let view = Question::View { schema: None, name: "v".to_owned() };
        assert!(view.query(Engine::Postgres).0.contains("n.nspname = current_schema()"));
        assert!(view.query(Engine::Mysql).0.contains("lower(database())"));
        let sql = Question::Sql { text: "select '${a}'".to_owned(), expected: "${a}".to_owned() };
        let replaced = sql.replaced(|text| Ok::<_, ()>(text.replace("${a}", "b"))).unwrap();
        assert_eq!(replaced.query(Engine::Sqlite), ("select 'b'".to_owned(), "b"));
    }
}
