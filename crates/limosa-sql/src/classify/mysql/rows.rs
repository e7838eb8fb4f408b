//! Statements on rows.

use super::super::{rows_lost, verb, with};
use super::names;
use crate::Class;
use crate::words::{Words, written};

const MODIFIERS: &[&str] = &["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "QUICK"];

fn behind_modifiers(words: &mut Words<'_>, mut at: usize) -> usize {
    while words.is_any(at, MODIFIERS) {
        at += 1;
    }
    at
}

/// SELECT, INSERT, REPLACE, UPDATE, DELETE, VALUES, TABLE, WITH; `at` is the first word.
pub(super) fn rows(words: &mut Words<'_>, at: usize) -> Option<Class> {
    let first = words.capitals(at);
    let target = behind_modifiers(words, at + 1);
    let target = match &*first {
        "SELECT" | "VALUES" | "TABLE" => return Some(verb(&*first)),
        "WITH" => return Some(with(words, at, rows)),
        "INSERT" | "REPLACE" => words.skip(target, &["INTO"]),
        "UPDATE" => target,
        "DELETE" => return Some(delete(words, target)),
        _ => return None,
    };
    let object = words.name(target).map(|name| name.written.to_owned());
    Some(Class { object, ..verb(&*first) })
}

/// `DELETE FROM t`, `DELETE HISTORY FROM t`, `DELETE a, b FROM a JOIN b`, `DELETE FROM a, b USING a JOIN b`.
fn delete(words: &mut Words<'_>, at: usize) -> Class {
    let at = if words.are(at, &["HISTORY", "FROM"]) { at + 1 } else { at };
    let at = words.skip(at, &["FROM"]);
    let (found, _) = names::list(words, at);
    let object = Some(written(&found)).filter(|object| !object.is_empty());
    Class { object: object.clone(), loss: Some(rows_lost(object)), ..verb("DELETE") }
}

/// `LOAD DATA [LOCAL] INFILE ... INTO TABLE t`; `at` is the word behind LOAD.
pub(super) fn load(words: &mut Words<'_>, at: usize) -> Class {
    let what = words.capitals(at);
    let mut next = at + 1;
    while words.is_any(next, &["LOW_PRIORITY", "CONCURRENT"]) {
        next += 1;
    }
    let local = if words.is(next, "LOCAL") { " LOCAL" } else { "" };
    let mut object = None;
    while object.is_none() && words.get(next).is_some() {
        if words.are(next, &["INTO", "TABLE"]) {
            object = words.name(next + 2).map(|name| name.written.to_owned());
        }
        next += 1;
    }
    Class { object, ..verb(format!("LOAD {}{local}", &*what)) }
}

/// Where something follows the database that a USE names: `;` was left out, as the client allows at the end of a line.
pub(crate) fn behind_use(words: &mut Words<'_>) -> Option<usize> {
    let name = words.name(1)?;
    words.get(name.next).map(|token| token.start)
}
