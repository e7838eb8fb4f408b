//! CREATE, ALTER and DROP.

use super::{ruled, verb};
use crate::literal::constant;
use crate::words::{Name, Words, written};
use crate::{Class, Effect, Engine, Loss, TransactionRule};

/// Kinds of objects that have more than one word, and the verb's word for them.
const KINDS: &[&[&str]] = &[
    &["MATERIALIZED", "VIEW"],
    &["FOREIGN", "TABLE"],
    &["FOREIGN", "DATA", "WRAPPER"],
    &["EVENT", "TRIGGER"],
    &["ACCESS", "METHOD"],
    &["TEXT", "SEARCH", "CONFIGURATION"],
    &["TEXT", "SEARCH", "DICTIONARY"],
    &["TEXT", "SEARCH", "PARSER"],
    &["TEXT", "SEARCH", "TEMPLATE"],
    &["OPERATOR", "CLASS"],
    &["OPERATOR", "FAMILY"],
    &["USER", "MAPPING"],
    &["DEFAULT", "PRIVILEGES"],
    &["LARGE", "OBJECT"],
    &["VIRTUAL", "TABLE"],
];

/// Words between CREATE and the kind of the object that say how, not what.
const MODIFIERS: &[&str] =
    &["TEMP", "TEMPORARY", "UNLOGGED", "GLOBAL", "LOCAL", "RECURSIVE", "UNIQUE", "CONSTRAINT", "TRUSTED", "PROCEDURAL"];

/// Kinds whose objects have no name where names stand.
const NAMELESS: &[&str] = &["CAST", "USER MAPPING", "DEFAULT PRIVILEGES", "LARGE OBJECT", "TRANSFORM", "OPERATOR"];

/// The kind of object at `at`, and the token behind it.
pub(super) fn kind(words: &mut Words<'_>, at: usize) -> (String, usize) {
    let first = words.capitals(at);
    for kind in KINDS.iter().filter(|kind| kind[0] == &*first) {
        if words.are(at, kind) {
            return (kind.join(" "), at + kind.len());
        }
    }
    (String::from(&*first), at + 1)
}

/// CREATE ...
pub(super) fn create(words: &mut Words<'_>) -> Class {
    let mut at = words.skip(1, &["OR", "REPLACE"]);
    while MODIFIERS.contains(&&*words.capitals(at)) {
        at += 1;
    }
    // CREATE DEFAULT CONVERSION
    if words.are(at, &["DEFAULT", "CONVERSION"]) {
        at += 1;
    }
    let (kind, mut at) = kind(words, at);
    if kind == "INDEX" {
        return create_index(words, at);
    }
    at = words.skip(at, &["IF", "NOT", "EXISTS"]);
    let mut class = verb(format!("CREATE {kind}"));
    if NAMELESS.contains(&kind.as_str()) {
        return class;
    }
    // CREATE SCHEMA AUTHORIZATION role
    at = if kind == "SCHEMA" { words.skip(at, &["AUTHORIZATION"]) } else { at };
    let Some(name) = words.name(at) else { return class };
    class.object = Some(name.written.to_owned());
    match (words.engine(), kind.as_str()) {
        (Engine::Postgres, "TYPE" | "DOMAIN") => {
            class.effect = Effect::CreatesType { type_name: name.written.to_owned() };
        }
        (Engine::Postgres, "DATABASE") => {
            class.transaction = TransactionRule::Outside;
            class.effect = Effect::CreatesDatabase { name: words.parts(&name).name };
        }
        (Engine::Postgres, "TABLESPACE") => {
            class.transaction = TransactionRule::Outside;
            class.effect = Effect::CreatesTablespace { name: words.parts(&name).name };
        }
        (Engine::Postgres, "SUBSCRIPTION") if creates_slot(words, name.next) => {
            class.transaction = TransactionRule::Outside;
        }
        _ => {}
    }
    class
}

/// CREATE SUBSCRIPTION makes a replication slot, outside of any transaction, unless it is told not to.
fn creates_slot(words: &mut Words<'_>, from: usize) -> bool {
    match (option(words, from, "create_slot"), option(words, from, "connect")) {
        (Some(create_slot), _) => create_slot,
        (None, Some(connect)) => connect,
        (None, None) => true,
    }
}

/// The value of a switch in `(name = value, ...)` behind `from`; None where it is not given.
pub(super) fn option(words: &mut Words<'_>, from: usize, name: &str) -> Option<bool> {
    let mut at = from;
    while words.get(at).is_some() {
        let begins = words.symbol(at, b'(') || words.symbol(at, b',');
        at += 1;
        if !begins || !words.is(at, name) {
            continue;
        }
        let value = if words.symbol(at + 1, b'=') { at + 2 } else { at + 1 };
        let text = words.text(value).trim_matches('\'').to_ascii_lowercase();
        return Some(!matches!(text.as_str(), "false" | "off" | "no" | "0" | "f" | "n"));
    }
    None
}

fn create_index(words: &mut Words<'_>, at: usize) -> Class {
    let behind = words.skip(at, &["CONCURRENTLY"]);
    let concurrently = behind > at;
    let at = words.skip(behind, &["IF", "NOT", "EXISTS"]);
    let if_not_exists = at > behind;
    let index = if words.is(at, "ON") { None } else { words.name(at) };
    let on = index.as_ref().map_or(at, |index| index.next);
    let table_at = words.skip(on + 1, &["ONLY"]);
    let class = concurrent("CREATE INDEX", concurrently);
    let object = index.as_ref().map(|index| index.written.to_owned());
    let table = if words.is(on, "ON") { words.name(table_at) } else { None };
    let Some(table) = table else { return Class { object, ..class } };
    let mut index = index.map(|index| words.parts(&index));
    let parts = words.parts(&table);
    // An index stands in the schema of its table; SQLite writes the schema with the index instead.
    if let Some(index) = &mut index
        && words.engine() == Engine::Postgres
    {
        index.schema = parts.schema.clone();
    }
    let effect =
        Effect::CreatesIndex { index: index.map(Box::new), table: Box::new(parts), concurrently, if_not_exists };
    Class { object: object.or(Some(table.written.to_owned())), effect, ..class }
}

fn concurrent(name: &str, concurrently: bool) -> Class {
    match concurrently {
        true => ruled(format!("{name} CONCURRENTLY"), TransactionRule::Outside),
        false => verb(name),
    }
}

/// DROP ...
pub(super) fn drop(words: &mut Words<'_>) -> Class {
    // DROP PROCEDURAL LANGUAGE
    let at = words.skip(1, &["PROCEDURAL"]);
    let (kind, at) = kind(words, at);
    if kind == "OWNED" {
        let at = words.skip(at, &["BY"]);
        let (names, _) = words.names(at);
        let object = written(&names);
        let loss = Loss { kind: "owned objects".to_owned(), object: object.clone() };
        return Class { object: Some(object), loss: Some(loss), ..verb("DROP OWNED") };
    }
    let behind = if kind == "INDEX" { words.skip(at, &["CONCURRENTLY"]) } else { at };
    let concurrently = behind > at;
    let at = words.skip(behind, &["IF", "EXISTS"]);
    let if_exists = at > behind;
    if NAMELESS.contains(&kind.as_str()) {
        return verb(format!("DROP {kind}"));
    }
    let (names, next) = words.names(at);
    let object = written(&names);
    let mut class = concurrent(&format!("DROP {kind}"), concurrently);
    if names.is_empty() {
        return class;
    }
    class.object = Some(object.clone());
    class.loss = loss_of_drop(words, &kind, next).map(|kind| Loss { kind: kind.to_owned(), object });
    let first = words.parts(&names[0]).name;
    match (words.engine(), kind.as_str()) {
        (_, "INDEX") => {
            let indexes = names.iter().map(|name| words.parts(name)).collect();
            class.effect = Effect::DropsIndex { indexes, concurrently, if_exists };
        }
        (Engine::Postgres, "DATABASE") => {
            class.transaction = TransactionRule::Outside;
            class.effect = Effect::DropsDatabase { name: first, if_exists };
        }
        (Engine::Postgres, "TABLESPACE" | "SUBSCRIPTION") => class.transaction = TransactionRule::Outside,
        _ => {}
    }
    class
}

/// What kind of data goes with the object. With CASCADE, columns of a dropped type go too.
fn loss_of_drop(words: &mut Words<'_>, kind: &str, next: usize) -> Option<&'static str> {
    Some(match kind {
        "TABLE" => "table",
        "SCHEMA" => "schema",
        "DATABASE" => "database",
        "MATERIALIZED VIEW" => "view data",
        "SEQUENCE" => "sequence",
        "TYPE" if words.is(next, "CASCADE") => "type",
        "DOMAIN" if words.is(next, "CASCADE") => "domain",
        "EXTENSION" if words.is(next, "CASCADE") => "extension",
        _ => return None,
    })
}

/// ALTER ...
pub(super) fn alter(words: &mut Words<'_>) -> Class {
    if words.is(1, "SYSTEM") {
        return Class { effect: Effect::Idempotent, ..ruled("ALTER SYSTEM", TransactionRule::Outside) };
    }
    let at = words.skip(1, &["PROCEDURAL"]);
    let (kind, at) = kind(words, at);
    let at = words.skip(at, &["IF", "EXISTS"]);
    let at = words.skip(at, &["ONLY"]);
    let mut class = verb(format!("ALTER {kind}"));
    if NAMELESS.contains(&kind.as_str()) {
        return class;
    }
    // ALTER TABLE ALL IN TABLESPACE
    if words.are(at, &["ALL", "IN", "TABLESPACE"]) {
        return class;
    }
    let Some(name) = words.name(at) else { return class };
    class.object = Some(name.written.to_owned());
    let next = if words.symbol(name.next, b'*') { name.next + 1 } else { name.next };
    match (words.engine(), kind.as_str()) {
        (_, "TABLE") => alter_table(words, class, &name, next),
        (Engine::Postgres, "TYPE") if words.are(next, &["ADD", "VALUE"]) => {
            let at = words.skip(next + 2, &["IF", "NOT", "EXISTS"]);
            let value = constant(words, at);
            class.verb = "ALTER TYPE ADD VALUE".to_owned();
            if let Some(value) = value {
                class.effect = Effect::AddsEnumValue { type_name: name.written.into(), value: value.into() };
            }
            class
        }
        // Values in columns of the type lose the attribute too.
        (Engine::Postgres, "TYPE") if words.are(next, &["DROP", "ATTRIBUTE"]) => {
            let at = words.skip(next + 2, &["IF", "EXISTS"]);
            let attribute = words.text(at);
            class.loss = Some(Loss { kind: "attribute".to_owned(), object: format!("{}.{attribute}", name.written) });
            class
        }
        (Engine::Postgres, "DATABASE")
            if words.is(next, "TABLESPACE")
                || (words.is_any(next, &["SET", "WITH"]) && words.is(next + 1, "TABLESPACE")) =>
        {
            class.transaction = TransactionRule::Outside;
            class
        }
        (Engine::Postgres, "SUBSCRIPTION") if subscription_contacts(words, next) => {
            class.transaction = TransactionRule::Outside;
            class
        }
        _ => class,
    }
}

/// ALTER SUBSCRIPTION talks to the publisher, outside of any transaction, when it refreshes or alters the slot.
fn subscription_contacts(words: &mut Words<'_>, at: usize) -> bool {
    if words.is(at, "REFRESH") {
        return true;
    }
    if words.is_any(at, &["SET", "ADD", "DROP"]) && words.is(at + 1, "PUBLICATION") {
        return option(words, at, "refresh").unwrap_or(true);
    }
    words.is(at, "SET") && (option(words, at, "failover").is_some() || option(words, at, "two_phase").is_some())
}

fn alter_table<'a>(words: &mut Words<'a>, mut class: Class, table: &Name<'a>, from: usize) -> Class {
    let mut columns = Vec::new();
    let (mut depth, mut at, mut begins) = (0_usize, from, true);
    while let Some(token) = words.get(at) {
        use crate::lexer::Kind::Symbol;
        match token.kind {
            Symbol(b'(' | b'[') => depth += 1,
            Symbol(b')' | b']') => depth = depth.saturating_sub(1),
            Symbol(b',') if depth == 0 => {
                begins = true;
                at += 1;
                continue;
            }
            _ if begins && words.is(at, "DROP") && !words.is(at + 1, "CONSTRAINT") => {
                let column = words.skip(at + 1, &["COLUMN"]);
                let column = words.skip(column, &["IF", "EXISTS"]);
                columns.extend(words.name(column).map(|name| name.written));
            }
            _ if begins && words.are(at, &["DETACH", "PARTITION"]) => {
                detach(words, &mut class, table, at + 2);
            }
            _ => {}
        }
        begins = false;
        at += 1;
    }
    if !columns.is_empty() {
        let table = class.object.clone().unwrap_or_default();
        let object = columns.iter().map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(", ");
        class.loss = Some(Loss { kind: "column".to_owned(), object });
    }
    class
}

fn detach<'a>(words: &mut Words<'a>, class: &mut Class, parent: &Name<'a>, at: usize) {
    let Some(partition) = words.name(at) else { return };
    let concurrently = words.is(partition.next, "CONCURRENTLY");
    if concurrently {
        class.verb = "ALTER TABLE DETACH PARTITION CONCURRENTLY".to_owned();
        class.transaction = TransactionRule::Outside;
    }
    if concurrently || words.is(partition.next, "FINALIZE") {
        class.effect = Effect::DetachesPartition {
            parent: Box::new(words.parts(parent)),
            partition: Box::new(words.parts(&partition)),
        };
    }
}
