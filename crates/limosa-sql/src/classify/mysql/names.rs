//! Names of tables, users and roles.

use super::super::super::words::Name;
use crate::lexer::{Form, Kind};
use crate::words::Words;
use crate::{AfterState, Effect};
use crate::{ObjectKind, QualifiedName, SchemaChange, SchemaObject};

/// Names separated by commas, and the token behind. A `.*` behind one is gone past.
pub(super) fn list<'a>(words: &mut Words<'a>, at: usize) -> (Vec<Name<'a>>, usize) {
    let (mut names, mut next) = (Vec::new(), at);
    while let Some(name) = words.name(next) {
        next = name.next;
        names.push(name);
        if words.symbol(next, b'.') && words.symbol(next + 1, b'*') {
            next += 2;
        }
        if !words.symbol(next, b',') {
            break;
        }
        next += 1;
    }
    (names, next)
}

/// A user or role: `name`, `name@host`, `'name'@'host'`, CURRENT_USER; with the token behind.
pub(super) fn account(words: &mut Words<'_>, at: usize) -> Option<(String, usize)> {
    let name = words.get(at).and_then(|token| match token.kind {
        Kind::Word | Kind::Placeholder => Some(words.text(at).to_owned()),
        Kind::QuotedName | Kind::Text(Form::Plain | Form::Double) => Some(words.part(at)),
        _ => None,
    })?;
    let next = at + 1;
    // `@localhost` is one token, as a variable is.
    if let Some(host) = words.text(next).strip_prefix('@')
        && !host.is_empty()
    {
        return Some((format!("{name}@{host}"), next + 1));
    }
    if words.symbol(next, b'@') && words.get(next + 1).is_some() {
        return Some((format!("{name}@{}", words.part(next + 1)), next + 2));
    }
    let next = if words.symbol(next, b'(') { words.behind_parentheses(next) } else { next };
    Some((name, next))
}

/// The change of one object.
pub(super) fn change(kind: ObjectKind, name: QualifiedName, after: AfterState) -> SchemaChange {
    SchemaChange { object: SchemaObject { kind, name }, after }
}

/// The effect of a statement that changes these objects.
pub(super) fn changes(changes: Vec<SchemaChange>) -> Effect {
    if changes.is_empty() { Effect::Unknown } else { Effect::ChangesSchema { changes } }
}

/// The name of a user as [`SchemaObject`] has it.
pub(super) fn user(name: String) -> QualifiedName {
    let name = if name.contains('@') { name } else { format!("{name}@%") };
    QualifiedName { schema: None, name }
}

/// A name without schema.
pub(super) fn plain(name: String) -> QualifiedName {
    QualifiedName { schema: None, name }
}
