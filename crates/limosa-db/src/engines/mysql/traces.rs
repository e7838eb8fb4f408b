//! What scripts leave in a session that no server lists: temporary tables and open handlers. Known by the words of the
//! statements that made them.

use std::collections::BTreeSet;

use super::wire::Wire;
use crate::DbError;

/// What is known to be left.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Traces {
    /// Names as they were written.
    tables: BTreeSet<String>,
    handlers: BTreeSet<String>,
}

impl Traces {
    /// Notes what a statement that succeeded has made.
    pub(super) fn note(&mut self, sql: &str) {
        let words = words(sql);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut rest = &words[..];
        let is = |word: &str, expected: &str| word.eq_ignore_ascii_case(expected);
        let skip = |rest: &mut &[&str], expected: &[&str]| {
            let found = rest.len() >= expected.len() && rest.iter().zip(expected).all(|(word, other)| is(word, other));
            if found {
                *rest = &rest[expected.len()..];
            }
            found
        };
        if skip(&mut rest, &["create"]) {
            skip(&mut rest, &["or", "replace"]);
            if skip(&mut rest, &["temporary", "table"]) {
                skip(&mut rest, &["if", "not", "exists"]);
                self.tables.extend(rest.first().map(|name| (*name).to_owned()));
            }
        } else if skip(&mut rest, &["handler"])
            && let [name, open, behind @ ..] = rest
            && is(open, "open")
        {
            let alias = behind.iter().find(|word| !is(word, "as")).unwrap_or(name);
            self.handlers.insert((*alias).to_owned());
        }
    }

    /// Takes away what is left, as far as it is found from here.
    pub(super) async fn remove(&self, wire: &mut Wire) -> Result<(), DbError> {
        for name in &self.handlers {
            // Closed meanwhile, or opened elsewhere: both are no error.
            let closed = wire.command(format!("handler {name} close")).await;
            lost(wire, closed)?;
        }
        for name in &self.tables {
            let dropped = wire.command(format!("drop temporary table if exists {name}")).await;
            lost(wire, dropped)?;
        }
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        *self = Traces::default();
    }
}

fn lost<T>(wire: &Wire, result: Result<T, DbError>) -> Result<(), DbError> {
    match result {
        Err(error) if wire.is_lost() => Err(error),
        _ => Ok(()),
    }
}

/// The first words of a statement; a name with its quotes and its qualifier is one.
fn words(sql: &str) -> Vec<String> {
    /// More than any statement needs that is looked for.
    const ENOUGH: usize = 12;
    let mut words = Vec::new();
    let mut rest = sql;
    while words.len() < ENOUGH {
        rest = rest.trim_start();
        if rest.starts_with("-- ") || rest.starts_with('#') {
            rest = rest.split_once('\n').map_or("", |(_, behind)| behind);
        } else if rest.starts_with("/*") {
            rest = rest.split_once("*/").map_or("", |(_, behind)| behind);
        } else {
            let end = word_end(rest);
            if end == 0 {
                break;
            }
            words.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
    }
    words
}

/// Where the first word ends: at a blank or a sign outside of backticks.
fn word_end(text: &str) -> usize {
    let mut quoted = false;
    text.char_indices()
        .find(|(_, letter)| {
            quoted ^= *letter == '`';
            !(quoted || letter.is_alphanumeric() || matches!(letter, '`' | '_' | '$' | '.'))
        })
        .map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(statements: &[&str]) -> (Vec<String>, Vec<String>) {
        let mut traces = Traces::default();
        for sql in statements {
            traces.note(sql);
        }
        (traces.tables.into_iter().collect(), traces.handlers.into_iter().collect())
    }

    #[test]
    fn temporary_tables_and_handlers_are_noted() {
        for (sql, tables, handlers) in [
            ("create temporary table t (n int)", &["t"][..], &[][..]),
            ("CREATE TEMPORARY TABLE IF NOT EXISTS `a b`(n int)", &["`a b`"], &[]),
            ("create or replace temporary table d.`t` select 1", &["d.`t`"], &[]),
            ("-- comment\n/* more */ create # again\n temporary table t(n int)", &["t"], &[]),
            ("create table temporary (n int)", &[], &[]),
            ("create temporary sequence s", &[], &[]),
            ("insert into t values ('create temporary table t')", &[], &[]),
            ("handler t open", &[], &["t"]),
            ("HANDLER d.t OPEN AS a", &[], &["a"]),
            ("handler t open a", &[], &["a"]),
            ("handler t close", &[], &[]),
            ("", &[], &[]),
            ("'", &[], &[]),
        ] {
            let (found, opened) = noted(&[sql]);
            assert_eq!((found.as_slice(), opened.as_slice()), (&own(tables)[..], &own(handlers)[..]), "{sql}");
        }
    }

    fn own(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }
}
