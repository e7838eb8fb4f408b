//! SET of MySQL.

use super::super::{ruled, verb};
use super::classify;
use crate::lexer::{Kind, Token};
use crate::words::Words;
use crate::{Class, Effect, TransactionRule};
use TransactionRule::Outside;

/// Whose setting it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Session,
    /// Of the server: GLOBAL, PERSIST, PERSIST_ONLY.
    Server,
    /// A variable of the user's: `@name`.
    User,
}

/// One part of a SET.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) scope: Scope,
    /// In lower case, without `@`.
    pub(crate) name: String,
    /// Where its name begins.
    pub(crate) target: usize,
    /// The tokens of its value.
    pub(crate) value: std::ops::Range<usize>,
}

/// The verb of a statement that sets nothing but `autocommit`.
const AUTOCOMMIT: &str = "SET AUTOCOMMIT";

/// True for a SET that says when to commit and nothing else, but for keeping the old value in variables of the user's.
pub(crate) fn sets_autocommit(class: &Class) -> bool {
    class.verb == AUTOCOMMIT
}

/// `at` is the token behind SET.
pub(super) fn set(words: &mut Words<'_>, at: usize) -> Class {
    match &*words.capitals(at) {
        "PASSWORD" => idempotent("SET PASSWORD", TransactionRule::Outside),
        "DEFAULT" if words.is(at + 1, "ROLE") => idempotent("SET DEFAULT ROLE", TransactionRule::Outside),
        "ROLE" if !assigns(words, at + 1) => session(vec!["role".to_owned()]),
        "RESOURCE" if words.is(at + 1, "GROUP") => session(vec!["resource group".to_owned()]),
        "STATEMENT" => statement(words, at + 1),
        "TRANSACTION" if !assigns(words, at + 1) => verb("SET TRANSACTION"),
        "SESSION" | "LOCAL" if words.is(at + 1, "TRANSACTION") => session(characteristics(words, at + 2)),
        "GLOBAL" if words.is(at + 1, "TRANSACTION") => idempotent("SET GLOBAL TRANSACTION", TransactionRule::Either),
        _ => variables(words, at),
    }
}

fn idempotent(name: &str, transaction: TransactionRule) -> Class {
    Class { effect: Effect::Idempotent, ..ruled(name, transaction) }
}

fn session(names: Vec<String>) -> Class {
    let object = names.first().cloned();
    let effect = match <[String; 1]>::try_from(names) {
        Ok([name]) => Effect::SetsSession { name },
        Err(names) if names.is_empty() => Effect::Unknown,
        Err(names) => Effect::SetsSeveral { names },
    };
    let transaction = match effect.session_settings().iter().any(|name| NOT_INSIDE.contains(&name.as_str())) {
        true => Outside,
        false => TransactionRule::Either,
    };
    Class { object, effect, ..ruled("SET", transaction) }
}

/// Settings of the binary log that the servers refuse to change inside a transaction. Dumps of servers with GTIDs begin with them.
const NOT_INSIDE: &[&str] = &[
    "binlog_direct_non_transactional_updates",
    "binlog_format",
    "gtid_domain_id",
    "gtid_next",
    "gtid_seq_no",
    "skip_replication",
    "sql_log_bin",
];

/// True where `=` or `:=` stands at `at`.
fn assigns(words: &mut Words<'_>, at: usize) -> bool {
    words.symbol(at, b'=') || (words.symbol(at, b':') && words.symbol(at + 1, b'='))
}

/// What SET SESSION TRANSACTION sets.
fn characteristics(words: &mut Words<'_>, from: usize) -> Vec<String> {
    let mut names = Vec::new();
    let mut at = from;
    while words.get(at).is_some() {
        if words.is(at, "ISOLATION") {
            names.push("transaction_isolation".to_owned());
        } else if words.is(at, "READ") && words.is_any(at + 1, &["ONLY", "WRITE"]) {
            names.push("transaction_read_only".to_owned());
        }
        at += 1;
    }
    names
}

/// `SET STATEMENT name = value, ... FOR statement` of MariaDB is that statement.
fn statement(words: &mut Words<'_>, from: usize) -> Class {
    let mut at = from;
    while words.get(at).is_some() {
        if words.is(at, "FOR") {
            return words.inside(|words| classify(words, at + 1)).unwrap_or_else(|| ruled("SET STATEMENT", Outside));
        }
        at = if words.symbol(at, b'(') { words.behind_parentheses(at) } else { at + 1 };
    }
    verb("SET STATEMENT")
}

fn variables(words: &mut Words<'_>, at: usize) -> Class {
    let found = assignments(words, at);
    let of = |scope: Scope| found.iter().filter(move |one| one.scope == scope);
    let mut names: Vec<String> = Vec::new();
    for one in of(Scope::Session) {
        if !names.contains(&one.name) {
            names.push(one.name.clone());
        }
    }
    let only_autocommit = names == ["autocommit"] && of(Scope::Server).next().is_none();
    if only_autocommit && of(Scope::User).all(|one| keeps_autocommit(words, one)) {
        return Class { verb: AUTOCOMMIT.to_owned(), ..session(names) };
    }
    if names.is_empty() {
        let global = of(Scope::Server).next().map(|one| one.name.clone());
        let user = of(Scope::User).next().map(|one| format!("@{}", one.name));
        return match (global, user) {
            (Some(name), None) => {
                let transaction = if name == "gtid_purged" { Outside } else { TransactionRule::Either };
                Class { object: Some(name), ..idempotent("SET GLOBAL", transaction) }
            }
            (name, user) => Class { object: user.or(name), ..verb("SET") },
        };
    }
    session(names)
}

/// `@old = @@autocommit`
fn keeps_autocommit(words: &mut Words<'_>, one: &Assignment) -> bool {
    let text = words.text(one.value.start).to_ascii_lowercase();
    one.value.len() == 1 && matches!(text.as_str(), "@@autocommit" | "@@session.autocommit" | "@@local.autocommit")
}

/// The parts of a SET from `at` on, which is behind SET; none for forms that assign nothing.
pub(crate) fn assignments(words: &mut Words<'_>, at: usize) -> Vec<Assignment> {
    let (mut found, mut next) = (Vec::new(), at);
    // A scope holds for the variables after it, too.
    let mut scope = Scope::Session;
    while words.get(next).is_some() {
        match &*words.capitals(next) {
            "GLOBAL" | "PERSIST" | "PERSIST_ONLY" if !assigns(words, next + 1) => {
                scope = Scope::Server;
                next += 1;
            }
            "SESSION" | "LOCAL" if !assigns(words, next + 1) => {
                scope = Scope::Session;
                next += 1;
            }
            _ => {}
        }
        let begins = next;
        let Some((scope, name, value)) = target(words, next, scope) else { break };
        let end = behind_value(words, value);
        found.push(Assignment { scope, name, target: begins, value: value..end });
        next = end + 1;
    }
    found
}

/// What is set at `at`, and where its value begins.
fn target(words: &mut Words<'_>, at: usize, scope: Scope) -> Option<(Scope, String, usize)> {
    let assigned = |words: &mut Words<'_>, at: usize| match () {
        () if words.symbol(at, b'=') => Some(at + 1),
        () if words.symbol(at, b':') && words.symbol(at + 1, b'=') => Some(at + 2),
        () => None,
    };
    let Token { kind, .. } = words.get(at)?;
    if kind == Kind::Parameter || kind == Kind::Symbol(b'@') {
        let (scope, name, next) = variable(words, at)?;
        return Some((scope, name, assigned(words, next)?));
    }
    if words.is(at, "NAMES") && !assigns(words, at + 1) {
        return Some((Scope::Session, "names".to_owned(), at + 1));
    }
    if words.are(at, &["CHARACTER", "SET"]) || words.are(at, &["CHAR", "SET"]) {
        return Some((Scope::Session, "character set".to_owned(), at + 2));
    }
    if words.is(at, "CHARSET") && !assigns(words, at + 1) {
        return Some((Scope::Session, "character set".to_owned(), at + 1));
    }
    let name = words.name(at)?;
    let value = assigned(words, name.next)?;
    Some((scope, words.dotted(&name).to_ascii_lowercase(), value))
}

/// A variable that is written with `@` or `@@`: whose it is, its name in lower case, and the token behind.
pub(crate) fn variable(words: &mut Words<'_>, at: usize) -> Option<(Scope, String, usize)> {
    let text = words.text(at);
    if text == "@" {
        // @'name', @`name`
        let quoted = matches!(words.get(at + 1)?.kind, Kind::QuotedName | Kind::Text(_));
        return quoted.then(|| (Scope::User, words.part(at + 1).to_ascii_lowercase(), at + 2));
    }
    let Some(system) = text.strip_prefix("@@") else {
        return text.strip_prefix('@').map(|name| (Scope::User, name.to_ascii_lowercase(), at + 1));
    };
    let (mut name, mut next) = (system.to_ascii_lowercase(), at + 1);
    // @@`name`, @@session.`name`
    if (name.is_empty() || name.ends_with('.')) && words.get(next).is_some_and(|token| token.kind == Kind::QuotedName) {
        name.push_str(&words.part(next).to_ascii_lowercase());
        next += 1;
    }
    let (scope, name) = match name.split_once('.') {
        Some(("global" | "persist" | "persist_only", name)) => (Scope::Server, name.to_owned()),
        Some(("session" | "local", name)) => (Scope::Session, name.to_owned()),
        _ => (Scope::Session, name),
    };
    Some((scope, name, next))
}

/// The comma behind the value that begins at `at`, or the end.
fn behind_value(words: &mut Words<'_>, at: usize) -> usize {
    let mut next = at;
    while words.get(next).is_some() && !words.symbol(next, b',') {
        next = if words.symbol(next, b'(') { words.behind_parentheses(next) } else { next + 1 };
    }
    next
}
