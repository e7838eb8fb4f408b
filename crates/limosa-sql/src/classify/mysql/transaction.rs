//! Transactions of MySQL.

use super::super::{block::loss_in, ruled};
use crate::words::Words;
use crate::{Class, TransactionRule};

/// BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE and XA; `first` is the word at `at`.
pub(super) fn control(words: &mut Words<'_>, at: usize, first: &str) -> Class {
    match first {
        "BEGIN" if words.are(at + 1, &["NOT", "ATOMIC"]) => {
            let loss = loss_in(words.engine(), words.reading(), words.rest(at));
            Class { loss, ..ruled("BEGIN NOT ATOMIC", TransactionRule::Outside) }
        }
        "BEGIN" => ruled("BEGIN", TransactionRule::Begins),
        "COMMIT" => ruled(ending(words, at), TransactionRule::Commits),
        "ROLLBACK" => {
            let behind = words.skip(at + 1, &["WORK"]);
            if !words.is(behind, "TO") {
                return ruled(ending(words, at), TransactionRule::RollsBack);
            }
            let name = words.skip(behind + 1, &["SAVEPOINT"]);
            named(words, "ROLLBACK TO SAVEPOINT", name)
        }
        "SAVEPOINT" => named(words, "SAVEPOINT", at + 1),
        "RELEASE" => {
            let name = words.skip(at + 1, &["SAVEPOINT"]);
            named(words, "RELEASE SAVEPOINT", name)
        }
        _ => {
            let what = words.capitals(at + 1);
            ruled(format!("XA {}", &*what).trim_end(), TransactionRule::Outside)
        }
    }
}

fn named(words: &mut Words<'_>, verb: &str, at: usize) -> Class {
    let object = words.name(at).map(|name| name.written.to_owned());
    Class { object, ..ruled(verb, TransactionRule::Controls) }
}

/// COMMIT or ROLLBACK with what it says of the time after it: another transaction at once, or the end of the session.
fn ending(words: &mut Words<'_>, at: usize) -> String {
    let first = words.capitals(at);
    let mut name = String::from(&*first);
    let mut next = words.skip(at + 1, &["WORK"]);
    if words.are(next, &["AND", "CHAIN"]) {
        name.push_str(" AND CHAIN");
        next += 2;
    } else {
        next = words.skip(next, &["AND", "NO", "CHAIN"]);
    }
    if words.is(next, "RELEASE") {
        name.push_str(" RELEASE");
    }
    name
}
