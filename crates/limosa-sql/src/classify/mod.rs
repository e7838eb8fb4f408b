//! Says what a statement is, from its words alone.

mod block;
mod ddl;
mod leftover;
mod modes;
mod mysql;
mod postgres;
mod session;
mod sharing;
mod sqlite;

use crate::lexer::Reading;
use crate::words::{Words, written};
use crate::{Class, Engine, Loss, TransactionRule};
pub use leftover::{Leftover, SessionChange, session_change};
pub(crate) use modes::Modes;
pub(crate) use mysql::{Scope, SqlMode, assignments, behind_use, sets_autocommit, variable};
pub use session::sets_for_transaction;
pub use sharing::{Sharing, Telltale, sharing, telltale};

/// Says what a statement is, from its words alone. A statement that is not recognised has its first word as verb and
/// nothing else.
///
/// ```
/// use limosa_sql::{Engine, TransactionRule, classify};
/// let class = classify(Engine::Postgres, "create index concurrently job_state on job (state)");
/// assert_eq!(class.verb, "CREATE INDEX CONCURRENTLY");
/// assert_eq!(class.transaction, TransactionRule::Outside);
/// ```
pub fn classify(engine: Engine, statement: &str) -> Class {
    classify_with(engine, statement, Reading::of(engine))
}

/// As [`classify`], where settings of the session decide how quotes are read.
pub(crate) fn classify_with(engine: Engine, statement: &str, reading: Reading) -> Class {
    let mut words = Words::new(engine, statement, reading);
    match engine {
        Engine::Postgres => postgres::classify(&mut words),
        Engine::Sqlite => sqlite::classify(&mut words),
        Engine::Mysql => mysql::classify(&mut words, 0),
    }
}

/// SQLite: true for a statement that leaves something in its session which no setting names: ATTACH, and whatever makes temporary
/// objects. A name may make it true without need.
pub fn stays_in_session(statement: &str, class: &Class) -> bool {
    sqlite::stays_in_session(statement, class)
}

fn verb(verb: impl Into<String>) -> Class {
    Class { verb: verb.into(), ..Class::default() }
}

/// The number of opening parentheses that a query may stand in.
fn behind_opening_parentheses(words: &mut Words<'_>) -> usize {
    let mut at = 0;
    while words.symbol(at, b'(') {
        at += 1;
    }
    at
}

/// Statements on rows, which look alike on all engines. `at` is the first word.
fn rows(words: &mut Words<'_>, at: usize) -> Option<Class> {
    let first = words.capitals(at);
    let target = match &*first {
        "INSERT" => {
            let at = if words.is(at + 1, "OR") { at + 3 } else { at + 1 };
            words.skip(at, &["INTO"])
        }
        "REPLACE" if words.engine() == Engine::Sqlite => words.skip(at + 1, &["INTO"]),
        "UPDATE" => {
            let at = if words.is(at + 1, "OR") && words.engine() == Engine::Sqlite { at + 3 } else { at + 1 };
            words.skip(at, &["ONLY"])
        }
        "DELETE" => {
            let at = words.skip(at + 1, &["FROM"]);
            words.skip(at, &["ONLY"])
        }
        "MERGE" => {
            let at = words.skip(at + 1, &["INTO"]);
            words.skip(at, &["ONLY"])
        }
        "SELECT" | "VALUES" | "TABLE" => return Some(verb(&*first)),
        "WITH" => return Some(with(words, at, rows)),
        _ => return None,
    };
    let name = words.name(target);
    let mut class = Class { object: name.map(|name| name.written.to_owned()), ..verb(&*first) };
    let deletes = &*first == "DELETE" || (&*first == "MERGE" && merge_deletes(words, target));
    if deletes {
        class.loss = Some(rows_lost(class.object.clone()));
    }
    Some(class)
}

/// Reads a statement on rows.
type Rows = fn(&mut Words<'_>, usize) -> Option<Class>;

/// A query with common table expressions takes the verb of its main statement; a DELETE in any of them counts.
fn with(words: &mut Words<'_>, at: usize, rows: Rows) -> Class {
    let mut next = words.skip(at + 1, &["RECURSIVE"]);
    let mut lost = None;
    loop {
        let Some(name) = words.name(next) else { return verb("WITH") };
        next = words.behind_parentheses(name.next);
        next = words.skip(next, &["AS"]);
        next = words.skip(next, &["NOT"]);
        next = words.skip(next, &["MATERIALIZED"]);
        if !words.symbol(next, b'(') {
            return verb("WITH");
        }
        let inner = words.inside(|words| rows(words, next + 1)).flatten();
        lost = lost.or(inner.and_then(|class| class.loss));
        next = words.behind_parentheses(next);
        // SEARCH and CYCLE clauses hold no parentheses and no commas at their end but those of their lists.
        while words.is_any(next, &["SEARCH", "CYCLE"]) {
            next = behind_search(words, next);
        }
        if !words.symbol(next, b',') {
            break;
        }
        next += 1;
    }
    while words.symbol(next, b'(') {
        next += 1;
    }
    let main = words.inside(|words| rows(words, next)).flatten();
    let mut class = main.unwrap_or_else(|| verb("WITH"));
    class.loss = class.loss.or(lost);
    class
}

/// Behind `SEARCH ... SET name` or `CYCLE ... SET name [TO value DEFAULT value] USING name`.
fn behind_search(words: &mut Words<'_>, at: usize) -> usize {
    let cycle = words.is(at, "CYCLE");
    let mut next = at + 1;
    while words.get(next).is_some() && !words.is(next, "SET") {
        next += 1;
    }
    next += 2;
    if cycle {
        while words.get(next).is_some() && !words.is(next, "USING") {
            next += 1;
        }
        next += 2;
    }
    next
}

/// True where a MERGE has a branch `THEN DELETE`.
fn merge_deletes(words: &mut Words<'_>, from: usize) -> bool {
    let mut at = from;
    while words.get(at).is_some() {
        if words.are(at, &["THEN", "DELETE"]) {
            return true;
        }
        at += 1;
    }
    false
}

fn rows_lost(object: Option<String>) -> Loss {
    Loss { kind: "rows".to_owned(), object: object.unwrap_or_default() }
}

/// `TRUNCATE [TABLE] names`, where `at` is the first word.
fn truncate(words: &mut Words<'_>) -> Class {
    let at = words.skip(1, &["TABLE"]);
    let (names, _) = words.names(at);
    let object = written(&names);
    Class { object: Some(object.clone()), loss: Some(rows_lost(Some(object))), ..verb("TRUNCATE") }
}

fn ruled(name: impl Into<String>, transaction: TransactionRule) -> Class {
    Class { transaction, ..verb(name) }
}
