//! Two databases compared by the scripts that would make them: what one has and the other has not.

use std::collections::{BTreeMap, VecDeque};

use limosa_sql::{Class, Diagnostic, Dialect, Effect, Engine, PieceKind, split};

/// Something that two databases do not both have, or not alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Verb and object of the statement that makes it: `CREATE TABLE public.users`.
    pub what: String,
    /// The statement that makes it in the first; None where the first has it not.
    pub first: Option<String>,
    /// The same of the second.
    pub second: Option<String>,
}

/// What differs between two databases, given scripts that would make their structure, as `pg_dump --schema-only` and its like write
/// them. The order of statements makes no difference, nor do settings of the session, and names of the users who made something.
///
/// # Errors
/// A script that cannot be split into statements.
pub fn differences(dialect: impl Into<Dialect>, first: &str, second: &str) -> Result<Vec<Difference>, Box<Diagnostic>> {
    let dialect = dialect.into();
    let (first, second) = (statements(dialect, first)?, statements(dialect, second)?);
    let mut open: BTreeMap<&str, i64> = BTreeMap::new();
    first.iter().for_each(|(_, text)| *open.entry(text).or_default() += 1);
    second.iter().for_each(|(_, text)| *open.entry(text).or_default() -= 1);
    // Of each text as many remain as one side has more.
    let mut left = |all: &[(String, String)], sign: i64| -> VecDeque<(String, String)> {
        let remains = |text: &str, open: &mut BTreeMap<&str, i64>| {
            open.get_mut(text).filter(|count| **count * sign > 0).map(|count| *count -= sign).is_some()
        };
        all.iter().filter(|(_, text)| remains(text, &mut open)).cloned().collect()
    };
    let (first, mut second) = (left(&first, 1), left(&second, -1));
    let mut found = Vec::new();
    for (what, text) in first {
        let other = second.iter().position(|(other, _)| *other == what).and_then(|at| second.remove(at));
        found.push(Difference { what, first: Some(text), second: other.map(|(_, text)| text) });
    }
    found.extend(second.into_iter().map(|(what, text)| Difference { what, first: None, second: Some(text) }));
    Ok(found)
}

/// The statements that make something, each with what it makes, as far as they can be compared.
fn statements(dialect: Dialect, script: &str) -> Result<Vec<(String, String)>, Box<Diagnostic>> {
    let pieces = split(dialect, "the structure of the database", script.as_bytes())?;
    let made = pieces.iter().filter_map(|piece| match &piece.kind {
        PieceKind::Statement(class) if !only_prepares(class) => {
            let text = comparable(dialect.engine(), piece.statement());
            Some((named(class, &text), text))
        }
        _ => None,
    });
    Ok(made.collect())
}

/// What a dump sets for the statements behind it.
fn only_prepares(class: &Class) -> bool {
    let word = class.verb.split(' ').next().unwrap_or_default();
    matches!(class.effect, Effect::SetsSession { .. } | Effect::SetsSeveral { .. })
        || ["SET", "SELECT", "USE", "RESET"].contains(&word)
}

fn named(class: &Class, text: &str) -> String {
    match &class.object {
        Some(object) => format!("{} {object}", class.verb),
        None => text.lines().next().unwrap_or_default().chars().take(80).collect(),
    }
}

/// The statement without what says only when or by whom it was made: MySQL's DEFINER and AUTO_INCREMENT. PostgreSQL writes what it has
/// anew; SQLite keeps the text as it was sent, and the tools send blanks and line breaks in their own ways.
fn comparable(engine: Engine, statement: &str) -> String {
    if engine == Engine::Postgres {
        return statement.to_owned();
    }
    let is_kept = |word: &&str| {
        let upper = word.to_ascii_uppercase();
        let digits = upper.strip_prefix("AUTO_INCREMENT=");
        let is_counter = digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let names_maker = ["DEFINER=", "/*!50017", "/*!50013"].iter().any(|start| upper.starts_with(start));
        engine != Engine::Mysql || !(is_counter || names_maker)
    };
    statement.split_whitespace().filter(is_kept).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(engine: Engine, first: &str, second: &str) -> Vec<String> {
        let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        differences(engine, first, second)
            .unwrap()
            .iter()
            .map(|found| format!("{}: {} | {}", found.what, side(&found.first), side(&found.second)))
            .collect()
    }

    #[test]
    fn only_what_makes_something_counts_and_its_order_does_not() {
        let first = "SET client_encoding = 'UTF8';\n\\restrict abc\nSELECT pg_catalog.set_config('search_path', '', false);\n\
                     --\n-- Name: a\n--\nCREATE TABLE public.a (\n    n integer\n);\nCREATE TABLE public.b (n integer);\n\\unrestrict abc\n";
        let second = "CREATE TABLE public.b (n integer);\nCREATE TABLE public.a (\n    n integer\n);";
        assert!(told(Engine::Postgres, first, second).is_empty());
        let second = "CREATE TABLE public.b (n integer);\nCREATE TABLE public.a (\n    n bigint\n);";
        assert_eq!(
            told(Engine::Postgres, first, second),
            [
                "CREATE TABLE public.a: CREATE TABLE public.a (\n    n integer\n) | CREATE TABLE public.a (\n    n bigint\n)"
            ]
        );
        assert!(told(Engine::Sqlite, "create table a (\n  n int)", "create table a ( n int)").is_empty());
    }

    #[test]
    fn what_one_side_lacks_and_what_differs_is_told() {
        let first = "create table a (n int); create index i on a (n); create table c (n int);";
        let second = "create table a (n int); create index i on a (n, m); create table d (n int);";
        assert_eq!(
            told(Engine::Sqlite, first, second),
            [
                "CREATE INDEX i: create index i on a (n) | create index i on a (n, m)",
                "CREATE TABLE c: create table c (n int) | -",
                "CREATE TABLE d: - | create table d (n int)",
            ]
        );
        // As often as it is there.
        assert_eq!(told(Engine::Sqlite, "vacuum; vacuum;", "vacuum;").len(), 1);
    }

    #[test]
    fn counters_and_makers_make_no_difference() {
        let made = |counter: &str, maker: &str| {
            format!(
                "CREATE TABLE `a` (\n  `id` int NOT NULL AUTO_INCREMENT\n) ENGINE=InnoDB {counter} DEFAULT CHARSET=utf8mb4;\n\
                 /*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`{maker}`@`%` SQL SECURITY DEFINER */\n/*!50001 VIEW `v` AS select 1 AS `one` */;\n"
            )
        };
        assert!(told(Engine::Mysql, &made("AUTO_INCREMENT=7", "ann"), &made("", "bob")).is_empty());
    }
}
