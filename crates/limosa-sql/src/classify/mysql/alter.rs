//! ALTER of MySQL.

use super::alter_parts::{Specifications, specifications};
use super::create::object_kind;
use super::ddl;
use super::drop::behind_wait;
use super::names::{account, change, changes};
use crate::words::{Name, Words};
use crate::{AfterState, Class, Effect, Loss, ObjectKind};

/// `at` is the token behind ALTER.
pub(super) fn alter(words: &mut Words<'_>, from: usize) -> Class {
    let mut at = from;
    loop {
        at = match &*words.capitals(at) {
            "ONLINE" | "OFFLINE" | "IGNORE" | "UNDO" => at + 1,
            "ALGORITHM" if words.symbol(at + 1, b'=') => at + 3,
            "SQL" if words.is(at + 1, "SECURITY") => at + 3,
            "DEFINER" if words.symbol(at + 1, b'=') => account(words, at + 2).map_or(at + 2, |(_, next)| next),
            _ => break,
        };
    }
    let Some((kind, name, at)) = object_kind(words, at) else {
        return ddl(format!("ALTER {}", &*words.capitals(at)).trim_end(), None, Effect::Unknown);
    };
    let verb = format!("ALTER {name}");
    let behind = words.skip(at, &["IF", "EXISTS"]);
    let (if_exists, at) = (behind > at, behind);
    if kind == Some(ObjectKind::User) {
        let object = account(words, at).map(|(name, _)| name);
        return ddl(verb, object, twice_unless(words, at, &["RANDOM", "RETAIN", "DISCARD"]));
    }
    let Some(name) = words.name(at) else { return ddl(verb, None, Effect::Unknown) };
    let object = Some(name.written.to_owned());
    match kind {
        Some(ObjectKind::Table) => alter_table(words, &name, if_exists),
        Some(ObjectKind::View) => {
            let after = AfterState::Exists { if_not_exists: false, or_replace: true, from_query: false };
            let change = change(ObjectKind::View, words.parts(&name), after);
            ddl(verb, object, changes(vec![change]))
        }
        Some(kind @ (ObjectKind::Event | ObjectKind::Tablespace)) => {
            let effect = match renamed(words, name.next) {
                Some(to) => {
                    let after = AfterState::RenamedTo { name: words.parts(&to), if_exists };
                    changes(vec![change(kind, words.parts(&name), after)])
                }
                None if kind == ObjectKind::Event => Effect::Idempotent,
                None => Effect::Unknown,
            };
            ddl(verb, object, effect)
        }
        Some(ObjectKind::Sequence) => ddl(verb, object, twice_unless(words, name.next, &["RESTART"])),
        // `ALTER DATABASE CHARACTER SET ...` without a name is read as one named CHARACTER, which does no harm here.
        Some(ObjectKind::Database) => ddl(verb, object, twice_unless(words, at, &["UPGRADE"])),
        Some(ObjectKind::Procedure | ObjectKind::Function | ObjectKind::Server | ObjectKind::ResourceGroup) => {
            ddl(verb, object, Effect::Idempotent)
        }
        _ => ddl(verb, object, Effect::Unknown),
    }
}

/// Running it twice leaves the same state as once, unless one of the words stands in it.
fn twice_unless(words: &mut Words<'_>, from: usize, keys: &[&str]) -> Effect {
    let mut at = from;
    while words.get(at).is_some() {
        if words.is_any(at, keys) {
            return Effect::Unknown;
        }
        at += 1;
    }
    Effect::Idempotent
}

/// The name behind RENAME TO, before the body of an event.
fn renamed<'a>(words: &mut Words<'a>, from: usize) -> Option<Name<'a>> {
    let mut at = from;
    while words.get(at).is_some() && !words.is(at, "DO") {
        if words.are(at, &["RENAME", "TO"]) {
            return words.name(at + 2);
        }
        at += 1;
    }
    None
}

fn alter_table<'a>(words: &mut Words<'a>, table: &Name<'a>, if_exists: bool) -> Class {
    let at = behind_wait(words, table.next);
    let Specifications { parts, renamed, lost } = specifications(words, at);
    let name = words.parts(table);
    let after = match (parts, renamed) {
        (None, _) => AfterState::Unknown,
        // Both happen or neither, and the new name is easier to see.
        (_, Some(to)) => AfterState::RenamedTo { name: to, if_exists },
        (Some(parts), None) => AfterState::Altered { parts, if_exists },
    };
    let object = table.written.to_owned();
    let loss = lost.first().map(|(kind, _)| Loss {
        kind: (*kind).to_owned(),
        object: lost
            .iter()
            .map(|(_, part)| if part.is_empty() { object.clone() } else { format!("{object}.{part}") })
            .collect::<Vec<_>>()
            .join(", "),
    });
    let change = change(ObjectKind::Table, name, after);
    Class { loss, ..ddl("ALTER TABLE", Some(object), changes(vec![change])) }
}
