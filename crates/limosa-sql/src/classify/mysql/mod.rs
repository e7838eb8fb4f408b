//! Statements of MySQL and MariaDB.
//!
//! A statement that commits by itself cannot share a transaction with others, whatever the server says of it. Which ones
//! do stands in "Statements That Cause an Implicit Commit" of the manual of MySQL and "SQL statements That Cause an
//! Implicit Commit" of MariaDB's. What may commit, such as CALL, is treated alike, and so is a statement that is not
//! known here: alone it is right in any case.

mod alter;
mod alter_parts;
mod create;
mod drop;
mod mode;
mod names;
mod rows;
mod set;
mod transaction;

use super::{behind_opening_parentheses, ruled, verb};
use crate::words::{Words, written};
use crate::{Class, Effect, TransactionRule};
pub(crate) use mode::{FollowedMode, SqlMode};
pub(crate) use rows::behind_use;
pub(crate) use set::{Scope, assignments, sets_autocommit, variable};

use TransactionRule::{Either, Outside};

/// Statements that are known by their first words alone: the words, and whether running one twice leaves the same state as
/// running it once.
const ALONE: &[(&[&str], bool)] = &[
    (&["ALTER", "INSTANCE"], false),
    (&["BACKUP", "STAGE"], false),
    (&["BACKUP"], false),
    (&["BINLOG"], false),
    (&["CACHE", "INDEX"], true),
    (&["CASE"], false),
    (&["CHANGE", "MASTER"], true),
    (&["CHANGE", "REPLICATION"], true),
    (&["CHANGE"], false),
    (&["CHECK", "TABLE"], true),
    (&["CHECK", "TABLES"], true),
    (&["CHECK", "VIEW"], true),
    (&["CLONE"], false),
    (&["DECLARE"], false),
    (&["EXECUTE", "IMMEDIATE"], false),
    (&["FOR"], false),
    (&["GRANT"], true),
    (&["IF"], false),
    (&["IMPORT", "TABLE"], false),
    (&["INSTALL", "COMPONENT"], false),
    (&["INSTALL", "PLUGIN"], false),
    (&["INSTALL", "SONAME"], false),
    (&["LOAD", "INDEX"], true),
    (&["LOCK", "INSTANCE"], false),
    (&["LOCK", "TABLES"], false),
    (&["LOCK", "TABLE"], false),
    (&["LOOP"], false),
    (&["PURGE"], false),
    (&["REPEAT"], false),
    (&["RESET"], false),
    (&["RESTART"], false),
    (&["REVOKE"], false),
    (&["SHUTDOWN"], false),
    (&["START"], false),
    (&["STOP"], false),
    (&["UNINSTALL", "COMPONENT"], false),
    (&["UNINSTALL", "PLUGIN"], false),
    (&["UNINSTALL", "SONAME"], false),
    (&["UNLOCK", "INSTANCE"], false),
    (&["UNLOCK", "TABLES"], false),
    (&["UNLOCK", "TABLE"], false),
    (&["WHILE"], false),
];

/// Statements that fit into any transaction.
const ANYWHERE: &[&str] = &[
    "CHECKSUM",
    "DEALLOCATE",
    "DESC",
    "DESCRIBE",
    "DO",
    "GET",
    "HANDLER",
    "HELP",
    "KILL",
    "PREPARE",
    "RESIGNAL",
    "SHOW",
    "SIGNAL",
];

/// Says what the statement is that begins at the word `at`.
pub(super) fn classify(words: &mut Words<'_>, at: usize) -> Class {
    let query = if at == 0 { behind_opening_parentheses(words) } else { at };
    if let Some(class) = rows::rows(words, query) {
        return class;
    }
    let first = words.capitals(at);
    match &*first {
        "CREATE" => create::create(words, at + 1),
        "ALTER" if !words.is(at + 1, "INSTANCE") => alter::alter(words, at + 1),
        "DROP" => drop::drop(words, at + 1),
        "RENAME" => drop::rename(words, at + 1),
        "TRUNCATE" => drop::truncate(words, at + 1),
        "SET" => set::set(words, at + 1),
        "USE" => Class {
            object: words.name(at + 1).map(|name| name.written.to_owned()),
            effect: Effect::SetsSession { name: "database".to_owned() },
            ..verb("USE")
        },
        "BEGIN" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" | "XA" => transaction::control(words, at, &first),
        "START" if words.is(at + 1, "TRANSACTION") => ruled("START TRANSACTION", TransactionRule::Begins),
        "LOAD" if words.is_any(at + 1, &["DATA", "XML"]) => rows::load(words, at + 1),
        "ANALYZE" | "OPTIMIZE" | "REPAIR" => maintain(words, at, &first),
        "FLUSH" => flush(words, at + 1),
        "EXPLAIN" => verb("EXPLAIN"),
        "RESET" if words.is(at + 1, "PERSIST") => Class { effect: Effect::Idempotent, ..verb("RESET PERSIST") },
        "REVOKE" if words.are(at + 1, &["IF", "EXISTS"]) => {
            Class { effect: Effect::Idempotent, ..ruled("REVOKE", Outside) }
        }
        "CALL" | "EXECUTE" if !words.is(at + 1, "IMMEDIATE") => {
            let object = words.name(at + 1).map(|name| name.written.to_owned());
            Class { object, ..ruled(&*first, Outside) }
        }
        other if ANYWHERE.contains(&other) => verb(&*first),
        _ => alone(words, at),
    }
}

fn alone(words: &mut Words<'_>, at: usize) -> Class {
    let known = ALONE.iter().find(|(key, _)| words.are(at, key));
    let (name, twice) = match known {
        Some((key, twice)) => (key.join(" "), *twice),
        None => (String::from(&*words.capitals(at)), false),
    };
    let effect = if twice { Effect::Idempotent } else { Effect::Unknown };
    Class { effect, ..ruled(name, Outside) }
}

/// `ANALYZE [NO_WRITE_TO_BINLOG | LOCAL] TABLE t, ...`. On MariaDB ANALYZE is also an EXPLAIN that runs its statement.
fn maintain(words: &mut Words<'_>, at: usize, name: &str) -> Class {
    let mut next = at + 1;
    while words.is_any(next, &["NO_WRITE_TO_BINLOG", "LOCAL"]) {
        next += 1;
    }
    if !words.is_any(next, &["TABLE", "TABLES", "VIEW"]) {
        let inner = if words.is(next, "FORMAT") { next + 3 } else { next };
        return match rows::rows(words, inner) {
            Some(class) if name == "ANALYZE" => Class { verb: "ANALYZE".to_owned(), ..class },
            _ => ruled(name, Outside),
        };
    }
    let kind = if words.is(next, "VIEW") { "VIEW" } else { "TABLE" };
    let (found, _) = names::list(words, next + 1);
    let object = Some(written(&found)).filter(|object| !object.is_empty());
    Class { object, effect: Effect::Idempotent, ..ruled(format!("{name} {kind}"), Outside) }
}

/// FLUSH, and whether it keeps everyone from writing.
fn flush(words: &mut Words<'_>, at: usize) -> Class {
    let mut next = at;
    let mut locks = false;
    while words.get(next).is_some() {
        locks |= words.are(next, &["WITH", "READ", "LOCK"]) || words.are(next, &["FOR", "EXPORT"]);
        next += 1;
    }
    let class = ruled(if locks { "FLUSH TABLES WITH READ LOCK" } else { "FLUSH" }, Outside);
    Class { effect: if locks { Effect::Unknown } else { Effect::Idempotent }, ..class }
}

/// A statement of one kind, to be run outside of transactions, and what it does.
fn ddl(name: impl Into<String>, object: Option<String>, effect: Effect) -> Class {
    Class { object, effect, ..ruled(name, Outside) }
}

/// One that does not commit.
fn temporary(name: impl Into<String>, object: Option<String>) -> Class {
    Class { object, ..ruled(name, Either) }
}
