//! What must hold right before a change runs, and what becomes of the change where it does not.

use limosa_sql::{Engine, Position};
use serde::{Deserialize, Serialize};

use crate::Identity;

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
    /// Whether the session is one of this user, as it logged in; capitals make no difference.
    User {
        /// The name of the user.
        name: String,
    },
    /// Whether a change is on record as applied, or as counted so.
    Applied {
        /// Its identity.
        identity: Identity,
    },
    /// What was known when the files were read.
    Known {
        /// What was asked, in words.
        words: String,
        /// The answer.
        holds: bool,
    },
    /// Whether all of these hold; they are asked in order, up to the first that does not.
    All {
        /// What is asked.
        of: Vec<Question>,
    },
    /// Whether one of these holds; they are asked in order, up to the first that does.
    Any {
        /// What is asked.
        of: Vec<Question>,
    },
    /// Whether none of these holds.
    None {
        /// What is asked.
        of: Vec<Question>,
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
            Question::User { name } => format!("the user is {name}"),
            Question::Applied { identity } => format!("{identity} has run"),
            Question::Known { words, .. } => words.clone(),
            Question::All { of } => joined(of, " and "),
            Question::Any { of } => joined(of, " or "),
            Question::None { of } => format!("not {}", joined(of, ", not ")),
        }
    }

    /// Its parts, in which placeholders may stand.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Question::Sql { text, expected } => vec![text, expected],
            Question::Table { schema, name } | Question::View { schema, name } => {
                schema.iter().chain([name]).map(String::as_str).collect()
            }
            Question::User { name } => vec![name],
            Question::Applied { .. } | Question::Known { .. } => Vec::new(),
            Question::All { of } | Question::Any { of } | Question::None { of } => {
                of.iter().flat_map(Question::texts).collect()
            }
        }
    }

    /// The same with each part replaced.
    ///
    /// # Errors
    /// The first that the replacement gives.
    pub fn replaced<E>(&self, replace: &dyn Fn(&str) -> Result<String, E>) -> Result<Question, E> {
        let schema_of = |schema: &Option<String>| schema.as_deref().map(replace).transpose();
        let each = |of: &[Question]| of.iter().map(|one| one.replaced(replace)).collect::<Result<Vec<_>, E>>();
        Ok(match self {
            Question::Sql { text, expected } => Question::Sql { text: replace(text)?, expected: replace(expected)? },
            Question::Table { schema, name } => Question::Table { schema: schema_of(schema)?, name: replace(name)? },
            Question::View { schema, name } => Question::View { schema: schema_of(schema)?, name: replace(name)? },
            Question::User { name } => Question::User { name: replace(name)? },
            Question::Applied { .. } | Question::Known { .. } => self.clone(),
            Question::All { of } => Question::All { of: each(of)? },
            Question::Any { of } => Question::Any { of: each(of)? },
            Question::None { of } => Question::None { of: each(of)? },
        })
    }

    /// The query that answers it, and what it must give. None where it is made of others, known, or asked of the ledger.
    pub fn query(&self, engine: Engine) -> Option<(String, &str)> {
        match self {
            Question::Sql { text, expected } => Some((text.clone(), expected)),
            Question::Table { schema, name } => Some((existence(engine, Kind::Table, schema.as_deref(), name), "1")),
            Question::View { schema, name } => Some((existence(engine, Kind::View, schema.as_deref(), name), "1")),
            Question::User { name } => Some((is_user(engine, name), "1")),
            Question::Applied { .. }
            | Question::Known { .. }
            | Question::All { .. }
            | Question::Any { .. }
            | Question::None { .. } => None,
        }
    }
}

fn joined(of: &[Question], between: &str) -> String {
    let words: Vec<String> = of.iter().map(Question::words).collect();
    match words.len() {
        1 => words.concat(),
        _ => format!("({})", words.join(between)),
    }
}

/// A query that gives 1 where the session is one of this user, and 0 where it is not. The host behind `@` does not count, and SQLite has
/// no users, as with Liquibase 4.33.
fn is_user(engine: Engine, name: &str) -> String {
    let name = engine.quote_literal(&name.to_lowercase());
    match engine {
        Engine::Postgres => format!("select case when lower(session_user) = {name} then 1 else 0 end"),
        Engine::Mysql => {
            format!("select case when lower(substring_index(user(), '@', 1)) = {name} then 1 else 0 end")
        }
        _ => "select 0".to_owned(),
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
            let (query, expected) = table.query(engine).unwrap();
            assert!(query.contains(place) && query.contains(name), "{query}");
            assert_eq!(expected, "1");
        }
        let view = Question::View { schema: None, name: "v".to_owned() };
        assert!(view.query(Engine::Postgres).unwrap().0.contains("n.nspname = current_schema()"));
        assert!(view.query(Engine::Mysql).unwrap().0.contains("lower(database())"));
        let sql = Question::Sql { text: "select '${a}'".to_owned(), expected: "${a}".to_owned() };
        let put = |text: &str| Ok::<_, ()>(text.replace("${a}", "b"));
        let replaced = sql.replaced(&put).unwrap();
        assert_eq!(replaced.query(Engine::Sqlite), Some(("select 'b'".to_owned(), "b")));
    }

    #[test]
    fn questions_are_made_of_others() {
        let user = || Question::User { name: "${a}".to_owned() };
        let known = Question::Known { words: "this is sqlite".to_owned(), holds: true };
        let none = Question::None { of: vec![user(), known.clone()] };
        let question = Question::Any { of: vec![Question::All { of: vec![user()] }, none] };
        assert_eq!(question.words(), "(the user is ${a} or not (the user is ${a}, not this is sqlite))");
        assert_eq!((question.texts(), question.query(Engine::Postgres)), (vec!["${a}", "${a}"], None));
        let put = |text: &str| Ok::<_, ()>(text.replace("${a}", "Ann"));
        assert_eq!(question.replaced(&put).unwrap().texts(), ["Ann", "Ann"]);
        for (engine, wanted) in
            [(Engine::Postgres, "session_user) = 'ann'"), (Engine::Mysql, "'ann'"), (Engine::Sqlite, "select 0")]
        {
            let ann = Question::User { name: "Ann".to_owned() };
            let (query, _) = ann.query(engine).unwrap();
            assert!(query.contains(wanted), "{query}");
        }
        let stored = serde_json::to_string(&question).unwrap();
        assert_eq!(serde_json::from_str::<Question>(&stored).unwrap(), question);
    }
}
