//! CREATE of MySQL.

use super::names::{account, change, changes, plain, user};
use super::{ddl, temporary};
use crate::words::{Name, Words};
use crate::{AfterState, Class, Loss, ObjectKind, PartChange, PartState, SchemaChange, TablePart};

/// What stands between CREATE and the kind of the object.
#[derive(Default)]
struct Modifiers {
    or_replace: bool,
    temporary: bool,
}

/// `at` is the token behind CREATE.
pub(super) fn create(words: &mut Words<'_>, at: usize) -> Class {
    let (modifiers, at) = modifiers(words, at);
    let Some((kind, name, at)) = kind(words, at) else {
        return ddl(format!("CREATE {}", &*words.capitals(at)).trim_end(), None, changes(Vec::new()));
    };
    let verb = format!("CREATE {name}");
    let behind = words.skip(at, &["IF", "NOT", "EXISTS"]);
    let if_not_exists = behind > at;
    let at = behind;
    let exists = AfterState::Exists { if_not_exists, or_replace: modifiers.or_replace, from_query: false };
    match kind {
        Kind::Index => create_index(words, at, modifiers.or_replace, if_not_exists),
        Kind::Object(ObjectKind::User) => accounts(words, at, verb, ObjectKind::User, &exists),
        Kind::Object(ObjectKind::Role) => accounts(words, at, verb, ObjectKind::Role, &exists),
        Kind::Object(kind) => {
            let Some(name) = words.name(at) else { return ddl(verb, None, changes(Vec::new())) };
            let written = name.written.to_owned();
            if modifiers.temporary && kind == ObjectKind::Table {
                return temporary("CREATE TEMPORARY TABLE", Some(written));
            }
            let change = object(words, kind, &name, exists);
            let mut class = ddl(verb, Some(written.clone()), changes(vec![change]));
            class.loss =
                loss_of_replace(kind, modifiers.or_replace).map(|kind| Loss { kind: kind.to_owned(), object: written });
            class
        }
        Kind::Other => {
            let object = words.name(at).map(|name| name.written.to_owned());
            ddl(verb, object, changes(Vec::new()))
        }
    }
}

fn object<'a>(words: &mut Words<'a>, kind: ObjectKind, name: &Name<'a>, exists: AfterState) -> SchemaChange {
    let parts = words.parts(name);
    // A function of a library has no parameters where they would stand.
    let kind = match kind {
        ObjectKind::Function if words.is(name.next, "RETURNS") => ObjectKind::LoadableFunction,
        kind => kind,
    };
    let after = match exists {
        AfterState::Exists { if_not_exists, or_replace, .. } if kind == ObjectKind::Table => {
            AfterState::Exists { if_not_exists, or_replace, from_query: has_query(words, name.next) }
        }
        other => other,
    };
    change(kind, parts, after)
}

/// OR REPLACE drops what was there.
fn loss_of_replace(kind: ObjectKind, or_replace: bool) -> Option<&'static str> {
    match kind {
        _ if !or_replace => None,
        ObjectKind::Table => Some("table"),
        ObjectKind::Database => Some("database"),
        ObjectKind::Sequence => Some("sequence"),
        _ => None,
    }
}

/// True where rows come with the table, behind its name: `... SELECT`, `... (SELECT ...)`, `... VALUES`, `... TABLE t`.
fn has_query(words: &mut Words<'_>, from: usize) -> bool {
    let (mut at, mut depth) = (from, 0_usize);
    while words.get(at).is_some() {
        let begins = words.is(at, "SELECT")
            || (words.is(at, "WITH") && !words.is_any(at + 1, &["SYSTEM", "PARSER", "CONSISTENT"]))
            || words.is_any(at, &["VALUES", "TABLE"]);
        // `(PARTITION p VALUES LESS THAN ...` and generated columns stand in parentheses.
        let query = begins && (depth == 0 || (words.symbol(at - 1, b'(') && words.is_any(at, &["SELECT", "WITH"])));
        if query && depth <= 1 {
            return true;
        }
        if words.symbol(at, b'(') {
            depth += 1;
        } else if words.symbol(at, b')') {
            depth = depth.saturating_sub(1);
        }
        at += 1;
    }
    false
}

fn modifiers(words: &mut Words<'_>, mut at: usize) -> (Modifiers, usize) {
    let mut found = Modifiers::default();
    loop {
        at = match &*words.capitals(at) {
            "OR" if words.is(at + 1, "REPLACE") => {
                found.or_replace = true;
                at + 2
            }
            "TEMPORARY" => {
                found.temporary = true;
                at + 1
            }
            "SPATIAL" if words.is(at + 1, "REFERENCE") => return (found, at),
            // Kinds of indexes, and words that say how.
            "UNIQUE" | "FULLTEXT" | "SPATIAL" | "VECTOR" | "ONLINE" | "OFFLINE" | "AGGREGATE" | "UNDO" => at + 1,
            "ALGORITHM" if words.symbol(at + 1, b'=') => at + 3,
            "SQL" if words.is(at + 1, "SECURITY") => at + 3,
            "DEFINER" if words.symbol(at + 1, b'=') => account(words, at + 2).map_or(at + 2, |(_, next)| next),
            _ => return (found, at),
        };
    }
}

/// What is created.
enum Kind {
    Object(ObjectKind),
    Index,
    /// Something that recovery has no use for.
    Other,
}

/// Kinds of objects by their words.
const KINDS: &[(&[&str], Option<ObjectKind>)] = &[
    (&["TABLE"], Some(ObjectKind::Table)),
    (&["TABLES"], Some(ObjectKind::Table)),
    (&["VIEW"], Some(ObjectKind::View)),
    (&["VIEWS"], Some(ObjectKind::View)),
    (&["PROCEDURE"], Some(ObjectKind::Procedure)),
    (&["FUNCTION"], Some(ObjectKind::Function)),
    (&["TRIGGER"], Some(ObjectKind::Trigger)),
    (&["EVENT"], Some(ObjectKind::Event)),
    (&["SEQUENCE"], Some(ObjectKind::Sequence)),
    (&["PACKAGE", "BODY"], Some(ObjectKind::PackageBody)),
    (&["PACKAGE"], Some(ObjectKind::Package)),
    (&["DATABASE"], Some(ObjectKind::Database)),
    (&["SCHEMA"], Some(ObjectKind::Database)),
    (&["USER"], Some(ObjectKind::User)),
    (&["ROLE"], Some(ObjectKind::Role)),
    (&["SERVER"], Some(ObjectKind::Server)),
    (&["TABLESPACE"], Some(ObjectKind::Tablespace)),
    (&["RESOURCE", "GROUP"], Some(ObjectKind::ResourceGroup)),
    (&["LOGFILE", "GROUP"], None),
    (&["SPATIAL", "REFERENCE", "SYSTEM"], None),
    (&["INSTANCE"], None),
];

/// The kind of object at `at`, the words for the verb, and the token behind.
fn kind(words: &mut Words<'_>, at: usize) -> Option<(Kind, String, usize)> {
    if words.is(at, "INDEX") {
        return Some((Kind::Index, "INDEX".to_owned(), at + 1));
    }
    let (key, kind) = KINDS.iter().find(|(key, _)| words.are(at, key))?;
    let name = match kind {
        Some(ObjectKind::Table) => "TABLE".to_owned(),
        Some(ObjectKind::View) => "VIEW".to_owned(),
        Some(ObjectKind::Database) => "DATABASE".to_owned(),
        _ => key.join(" "),
    };
    Some((kind.map_or(Kind::Other, Kind::Object), name, at + key.len()))
}

/// The kind of object at `at` for ALTER and DROP: the kind where it is one that recovery knows, the words, the token behind.
pub(super) fn object_kind(words: &mut Words<'_>, at: usize) -> Option<(Option<ObjectKind>, String, usize)> {
    match kind(words, at)? {
        (Kind::Object(kind), name, next) => Some((Some(kind), name, next)),
        (Kind::Index, name, next) | (Kind::Other, name, next) => Some((None, name, next)),
    }
}

/// Users or roles separated by commas. What is said of one holds commas only behind DEFAULT ROLE.
fn accounts(words: &mut Words<'_>, at: usize, verb: String, kind: ObjectKind, after: &AfterState) -> Class {
    let (found, written) = account_list(words, at);
    let name = |name: String| if kind == ObjectKind::User { user(name) } else { plain(name) };
    let list = found.into_iter().map(|one| change(kind, name(one), after.clone())).collect();
    ddl(verb, Some(written).filter(|written| !written.is_empty()), changes(list))
}

/// Users or roles up to the end of the list, and how they are shown.
pub(super) fn account_list(words: &mut Words<'_>, from: usize) -> (Vec<String>, String) {
    let (mut at, mut found) = (from, Vec::new());
    while let Some((name, next)) = account(words, at) {
        found.push(name);
        at = next;
        while words.get(at).is_some() && !words.symbol(at, b',') && !words.are(at, &["DEFAULT", "ROLE"]) {
            at = if words.symbol(at, b'(') { words.behind_parentheses(at) } else { at + 1 };
        }
        if !words.symbol(at, b',') {
            break;
        }
        at += 1;
    }
    let written = found.join(", ");
    (found, written)
}

/// `CREATE INDEX i ON t (...)` is a change of the table.
fn create_index(words: &mut Words<'_>, at: usize, or_replace: bool, if_not_exists: bool) -> Class {
    let Some(index) = words.name(at) else { return ddl("CREATE INDEX", None, changes(Vec::new())) };
    let object = Some(index.written.to_owned());
    let on = if words.is(index.next, "USING") { index.next + 2 } else { index.next };
    let table = if words.is(on, "ON") { words.name(on + 1) } else { None };
    let Some(table) = table else { return ddl("CREATE INDEX", object, changes(Vec::new())) };
    let part = PartChange {
        part: TablePart::Index,
        name: Some(words.parts(&index).name),
        change: if or_replace { PartState::Changes } else { PartState::Appears },
        conditional: if_not_exists,
    };
    let after = AfterState::Altered { parts: vec![part], if_exists: false };
    let change = change(ObjectKind::Table, words.parts(&table), after);
    ddl("CREATE INDEX", object, changes(vec![change]))
}
