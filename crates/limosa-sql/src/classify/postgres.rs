//! Statements of PostgreSQL. Which of them the server refuses inside a transaction is what calls
//! `PreventInTransactionBlock` in its source.

use super::{behind_opening_parentheses, block, ddl, rows, ruled, session, truncate, verb};
use crate::lexer::Kind;
use crate::literal::{copied_table, copy_from_stdin};
use crate::words::{Words, written};
use crate::{Class, Effect, TransactionRule};

pub(super) fn classify(words: &mut Words<'_>) -> Class {
    let at = behind_opening_parentheses(words);
    if let Some(class) = query(words, at) {
        return class;
    }
    let first = words.capitals(0);
    match &*first {
        "CREATE" => ddl::create(words),
        "ALTER" => ddl::alter(words),
        "DROP" => ddl::drop(words),
        "TRUNCATE" => truncate(words),
        "COPY" => copy(words),
        "BEGIN" => ruled("BEGIN", TransactionRule::Begins),
        "START" if words.is(1, "TRANSACTION") => ruled("START TRANSACTION", TransactionRule::Begins),
        "COMMIT" | "END" => commit(words, &first),
        "ROLLBACK" | "ABORT" => rollback(words, &first),
        "SAVEPOINT" | "RELEASE" => savepoint(words, &first),
        "PREPARE" if words.is(1, "TRANSACTION") && words.is_text(2) => {
            ruled("PREPARE TRANSACTION", TransactionRule::Controls)
        }
        "SET" | "RESET" => session::set(words, &first),
        "DISCARD" => discard(words),
        "REINDEX" => reindex(words),
        "VACUUM" => maintained(words, "VACUUM", TransactionRule::Outside),
        "ANALYZE" | "ANALYSE" => maintained(words, "ANALYZE", TransactionRule::Either),
        "CLUSTER" => cluster(words),
        "CHECKPOINT" => Class { effect: Effect::Idempotent, ..verb("CHECKPOINT") },
        "COMMENT" => comment(words),
        "DO" => block::block(words),
        "REFRESH" => refresh(words),
        "EXPLAIN" => explain(words),
        "LOCK" => {
            let at = words.skip(1, &["TABLE"]);
            let (names, _) = words.names(at);
            Class { object: Some(written(&names)).filter(|object| !object.is_empty()), ..verb("LOCK") }
        }
        "CALL" | "EXECUTE" | "PREPARE" | "DEALLOCATE" => {
            Class { object: words.name(1).map(|name| name.written.to_owned()), ..verb(&*first) }
        }
        _ => verb(&*first),
    }
}

/// SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES, TABLE, WITH.
fn query(words: &mut Words<'_>, at: usize) -> Option<Class> {
    let mut class = rows(words, at)?;
    if class.verb == "SELECT" {
        class.effect = session::set_config(words, at);
    }
    Some(class)
}

fn copy(words: &mut Words<'_>) -> Class {
    let at = copied_table(words);
    let object = words.name(at).map(|name| name.written.to_owned());
    let effect = match copy_from_stdin(words) {
        Some(_) => Effect::CopyFromStdin,
        None => Effect::Unknown,
    };
    Class { object, effect, ..verb("COPY") }
}

/// Behind COMMIT, ROLLBACK and their like.
fn behind_work(words: &mut Words<'_>) -> usize {
    if words.is_any(1, &["WORK", "TRANSACTION"]) { 2 } else { 1 }
}

fn chained(words: &mut Words<'_>, name: &str) -> String {
    let at = behind_work(words);
    if words.are(at, &["AND", "CHAIN"]) { format!("{name} AND CHAIN") } else { name.to_owned() }
}

fn commit(words: &mut Words<'_>, name: &str) -> Class {
    if words.is(1, "PREPARED") {
        return ruled("COMMIT PREPARED", TransactionRule::Outside);
    }
    ruled(chained(words, name), TransactionRule::Commits)
}

fn rollback(words: &mut Words<'_>, name: &str) -> Class {
    if words.is(1, "PREPARED") {
        return ruled("ROLLBACK PREPARED", TransactionRule::Outside);
    }
    let at = behind_work(words);
    if words.is(at, "TO") {
        let at = words.skip(at + 1, &["SAVEPOINT"]);
        let object = words.name(at).map(|name| name.written.to_owned());
        return Class { object, ..ruled("ROLLBACK TO SAVEPOINT", TransactionRule::Controls) };
    }
    ruled(chained(words, name), TransactionRule::RollsBack)
}

fn savepoint(words: &mut Words<'_>, name: &str) -> Class {
    let at = if words.get(2).is_some() { words.skip(1, &["SAVEPOINT"]) } else { 1 };
    let object = words.name(at).map(|name| name.written.to_owned());
    Class { object, ..ruled(if name == "RELEASE" { "RELEASE SAVEPOINT" } else { name }, TransactionRule::Controls) }
}

fn discard(words: &mut Words<'_>) -> Class {
    let what = words.capitals(1);
    let transaction = if &*what == "ALL" { TransactionRule::Outside } else { TransactionRule::Either };
    Class { effect: Effect::Idempotent, ..ruled(format!("DISCARD {}", &*what), transaction) }
}

/// Behind the options of VACUUM, ANALYZE, CLUSTER and REINDEX, in parentheses or as words.
fn behind_options(words: &mut Words<'_>) -> usize {
    let mut at = words.behind_parentheses(1);
    while words.is_any(at, &["FULL", "FREEZE", "VERBOSE", "ANALYZE", "ANALYSE"]) {
        at += 1;
    }
    at
}

fn maintained(words: &mut Words<'_>, name: &str, transaction: TransactionRule) -> Class {
    let at = behind_options(words);
    let object = words.name(at).map(|name| name.written.to_owned());
    Class { object, effect: Effect::Idempotent, ..ruled(name, transaction) }
}

/// Without a table, CLUSTER commits after each table.
fn cluster(words: &mut Words<'_>) -> Class {
    let mut class = maintained(words, "CLUSTER", TransactionRule::Outside);
    if class.object.is_some() {
        class.transaction = TransactionRule::Either;
    }
    class
}

fn reindex(words: &mut Words<'_>) -> Class {
    let at = words.behind_parentheses(1);
    let asked = at > 1 && ddl::option(words, 1, "concurrently") == Some(true);
    let target = words.capitals(at);
    let behind = words.skip(at + 1, &["CONCURRENTLY"]);
    let concurrently = asked || behind > at + 1;
    let name = words.name(behind);
    let whole = matches!(&*target, "SCHEMA" | "DATABASE" | "SYSTEM");
    let transaction = if concurrently || whole { TransactionRule::Outside } else { TransactionRule::Either };
    let suffix = if concurrently { " CONCURRENTLY" } else { "" };
    Class {
        object: name.as_ref().map(|name| name.written.to_owned()),
        effect: Effect::Reindexes {
            target: String::from(&*target),
            name: name.map(|name| Box::new(words.parts(&name))),
            concurrently,
        },
        ..ruled(format!("REINDEX {}{suffix}", &*target), transaction)
    }
}

fn comment(words: &mut Words<'_>) -> Class {
    let (_, at) = ddl::kind(words, 2);
    let object = words.name(at).map(|name| name.written.to_owned());
    Class { object, effect: Effect::Idempotent, ..verb("COMMENT") }
}

fn refresh(words: &mut Words<'_>) -> Class {
    let at = words.skip(3, &["CONCURRENTLY"]);
    let object = words.name(at).map(|name| name.written.to_owned());
    let name = if at > 3 { "REFRESH MATERIALIZED VIEW CONCURRENTLY" } else { "REFRESH MATERIALIZED VIEW" };
    Class { object, effect: Effect::Idempotent, ..verb(name) }
}

/// EXPLAIN runs its statement where ANALYZE is asked for.
fn explain(words: &mut Words<'_>) -> Class {
    let options = words.behind_parentheses(1);
    let mut runs = options > 1 && ddl::option(words, 1, "analyze") == Some(true);
    let mut at = options;
    while words.is_any(at, &["ANALYZE", "ANALYSE", "VERBOSE"]) {
        runs |= !words.is(at, "VERBOSE");
        at += 1;
    }
    // EXPLAIN (SELECT 1) looks like options.
    if options > 1 && !matches!(words.get(options).map(|token| token.kind), Some(Kind::Word)) {
        return verb("EXPLAIN");
    }
    let inner = if runs { rows(words, at) } else { None };
    Class { verb: "EXPLAIN".to_owned(), ..inner.unwrap_or_default() }
}
