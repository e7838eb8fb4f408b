//! DROP, RENAME and TRUNCATE of MySQL.

use super::super::{rows_lost, verb};
use super::create::{account_list, object_kind};
use super::names::{account, change, changes, list, plain, user};
use super::{ddl, temporary};
use crate::words::{Words, written};
use crate::{AfterState, Class, Loss, ObjectKind, PartChange, PartState, QualifiedName, TablePart};

/// `at` is the token behind DROP.
pub(super) fn drop(words: &mut Words<'_>, at: usize) -> Class {
    if words.is(at, "PREPARE") {
        return verb("DROP PREPARE");
    }
    let behind = words.skip(at, &["TEMPORARY"]);
    let is_temporary = behind > at;
    let at = behind;
    let at = if words.is_any(at, &["ONLINE", "OFFLINE", "UNDO"]) { at + 1 } else { at };
    if words.is(at, "INDEX") {
        return drop_index(words, at + 1);
    }
    let Some((kind, name, at)) = object_kind(words, at) else {
        return ddl(format!("DROP {}", &*words.capitals(at)).trim_end(), None, changes(Vec::new()));
    };
    let verb = format!("DROP {name}");
    let behind = words.skip(at, &["IF", "EXISTS"]);
    let (if_exists, at) = (behind > at, behind);
    let gone = AfterState::Gone { if_exists };
    let (names, object) = dropped(words, kind, at);
    if is_temporary && kind == Some(ObjectKind::Table) {
        return temporary(format!("DROP TEMPORARY {name}"), object);
    }
    let list = kind.into_iter().flat_map(|kind| names.iter().map(move |name| (kind, name.clone())));
    let list = list.map(|(kind, name)| change(kind, name, gone.clone())).collect();
    let loss = match kind {
        Some(ObjectKind::Table) => Some("table"),
        Some(ObjectKind::Database) => Some("database"),
        Some(ObjectKind::Sequence) => Some("sequence"),
        Some(ObjectKind::Tablespace) => Some("tablespace"),
        _ => None,
    };
    let loss = loss.map(|kind| Loss { kind: kind.to_owned(), object: object.clone().unwrap_or_default() });
    Class { loss, ..ddl(verb, object, changes(list)) }
}

/// What is dropped, and how it is written.
fn dropped(words: &mut Words<'_>, kind: Option<ObjectKind>, at: usize) -> (Vec<QualifiedName>, Option<String>) {
    let (names, object) = match kind {
        Some(ObjectKind::User) => {
            let (found, written) = account_list(words, at);
            (found.into_iter().map(user).collect(), written)
        }
        Some(ObjectKind::Role) => {
            let (found, written) = account_list(words, at);
            (found.into_iter().map(plain).collect(), written)
        }
        _ => {
            let (names, _) = list(words, at);
            (names.iter().map(|name| words.parts(name)).collect::<Vec<_>>(), written(&names))
        }
    };
    (names, Some(object).filter(|object| !object.is_empty()))
}

/// `DROP INDEX i ON t` is a change of the table.
fn drop_index(words: &mut Words<'_>, at: usize) -> Class {
    let behind = words.skip(at, &["IF", "EXISTS"]);
    let (conditional, at) = (behind > at, behind);
    let Some(index) = words.name(at) else { return ddl("DROP INDEX", None, changes(Vec::new())) };
    let object = Some(index.written.to_owned());
    let table = if words.is(index.next, "ON") { words.name(index.next + 1) } else { None };
    let Some(table) = table else { return ddl("DROP INDEX", object, changes(Vec::new())) };
    let name = words.parts(&index).name;
    let part = match name.eq_ignore_ascii_case("primary") {
        true => PartChange { part: TablePart::PrimaryKey, name: None, change: PartState::Disappears, conditional },
        false => PartChange { part: TablePart::Index, name: Some(name), change: PartState::Disappears, conditional },
    };
    let after = AfterState::Altered { parts: vec![part], if_exists: false };
    let change = change(ObjectKind::Table, words.parts(&table), after);
    ddl("DROP INDEX", object, changes(vec![change]))
}

/// `RENAME TABLE a TO b, ...`, `RENAME USER a TO b, ...`; `at` is the token behind RENAME.
pub(super) fn rename(words: &mut Words<'_>, at: usize) -> Class {
    let users = words.is(at, "USER");
    let kind = if users { ObjectKind::User } else { ObjectKind::Table };
    let behind = words.skip(at + 1, &["IF", "EXISTS"]);
    let (if_exists, mut next) = (behind > at + 1, behind);
    let (mut list, mut written) = (Vec::new(), Vec::new());
    while let Some((from, text, behind)) = renamed(words, next, users) {
        let behind = behind_wait(words, behind);
        if !words.is(behind, "TO") {
            break;
        }
        let Some((to, _, behind)) = renamed(words, behind + 1, users) else { break };
        written.push(text);
        list.push(change(kind, from, AfterState::RenamedTo { name: to, if_exists }));
        if !words.symbol(behind, b',') {
            break;
        }
        next = behind + 1;
    }
    let verb = if users { "RENAME USER" } else { "RENAME TABLE" };
    ddl(verb, Some(written.join(", ")).filter(|object| !object.is_empty()), changes(list))
}

fn renamed(words: &mut Words<'_>, at: usize, users: bool) -> Option<(QualifiedName, String, usize)> {
    if users {
        let (name, next) = account(words, at)?;
        return Some((user(name.clone()), name, next));
    }
    let name = words.name(at)?;
    Some((words.parts(&name), name.written.to_owned(), name.next))
}

/// Behind `WAIT n` or `NOWAIT` of MariaDB.
pub(super) fn behind_wait(words: &mut Words<'_>, at: usize) -> usize {
    match &*words.capitals(at) {
        "NOWAIT" => at + 1,
        "WAIT" => at + 2,
        _ => at,
    }
}

/// `TRUNCATE [TABLE] t`; `at` is the token behind TRUNCATE.
pub(super) fn truncate(words: &mut Words<'_>, at: usize) -> Class {
    let at = words.skip(at, &["TABLE"]);
    let Some(name) = words.name(at) else { return ddl("TRUNCATE", None, changes(Vec::new())) };
    let object = Some(name.written.to_owned());
    let change = change(ObjectKind::Table, words.parts(&name), AfterState::Emptied);
    Class { loss: Some(rows_lost(object.clone())), ..ddl("TRUNCATE", object, changes(vec![change])) }
}
