//! After a death during DDL that commits by itself: the objects that it names, before and now.
//!
//! A statement of DDL is atomic on the servers that limosa supports: it took effect as a whole, or not at all. So one that
//! none of its expected changes shows did not run, and one that all show did.

use limosa_sql::{AfterState, PartChange, PartState, QualifiedName, SchemaChange, SchemaObject, TablePart};
use serde::{Deserialize, Serialize};

use super::Recovery;
use super::table_image::Image;

/// An object, and what SHOW CREATE shows of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectState {
    /// The object, with its database.
    pub object: SchemaObject,
    /// None where it does not exist.
    pub image: Option<Image>,
    /// Whether the table holds no rows, where that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty: Option<bool>,
}

/// What one change shows.
enum Shown {
    Ran,
    DidNotRun,
    /// Running it again is harmless, whether it ran or not.
    Harmless,
    Unclear(String),
}

/// Decides from what the statement changes and from the objects before and now.
pub(super) fn changed(changes: &[SchemaChange], before: &[ObjectState], now: &[ObjectState]) -> Recovery {
    if !changes.is_empty() && changes.iter().all(|change| matches!(change.after, AfterState::RenamedTo { .. })) {
        return renamed(changes, before, now);
    }
    let mut ran = Vec::new();
    let mut did_not_run = Vec::new();
    for change in changes {
        let name = &change.object.name.name;
        match shown(change, before, now) {
            Shown::Ran => ran.push(name.as_str()),
            Shown::DidNotRun => did_not_run.push(name.as_str()),
            Shown::Harmless => {}
            Shown::Unclear(reason) => return Recovery::Ask { reason },
        }
    }
    match (ran.as_slice(), did_not_run.as_slice()) {
        ([], []) if changes.is_empty() => {
            Recovery::Ask { reason: "it names nothing that could be looked up".to_owned() }
        }
        ([], []) => Recovery::Retry { proof: "it may be run twice without harm".to_owned() },
        ([], left) => Recovery::Retry { proof: format!("{} shows no change", left.join(", ")) },
        (done, []) => Recovery::Done { proof: format!("{} shows its change", done.join(", ")) },
        (done, left) => {
            Recovery::Ask { reason: format!("{} shows its change, {} does not", done.join(", "), left.join(", ")) }
        }
    }
}

/// Names may trade places (`RENAME TABLE t TO t_old, t_new TO t`), so all are followed together.
fn renamed(changes: &[SchemaChange], before: &[ObjectState], now: &[ObjectState]) -> Recovery {
    let mut names: Vec<SchemaObject> = Vec::new();
    let mut expected: Vec<Option<&Image>> = Vec::new();
    for change in changes {
        let AfterState::RenamedTo { name: target, .. } = &change.after else { continue };
        for name in [&change.object.name, target] {
            let object = SchemaObject { kind: change.object.kind, name: name.clone() };
            if !names.contains(&object) {
                expected.push(state(before, &object).and_then(|state| state.image.as_ref()));
                names.push(object);
            }
        }
    }
    let as_before = expected.clone();
    for change in changes {
        let AfterState::RenamedTo { name: target, .. } = &change.after else { continue };
        let place = |name: &QualifiedName| names.iter().position(|object| object.name == *name);
        let (Some(from), Some(to)) = (place(&change.object.name), place(target)) else { continue };
        expected[to] = expected[from].take();
    }
    let found: Vec<Option<&Image>> =
        names.iter().map(|object| state(now, object).and_then(|state| state.image.as_ref())).collect();
    let fits = |wanted: &[Option<&Image>]| wanted.iter().zip(&found).all(|(wanted, found)| is_same(*wanted, *found));
    let listed = names.iter().map(|object| object.name.name.as_str()).collect::<Vec<_>>().join(", ");
    match (fits(&expected), fits(&as_before)) {
        (true, false) => Recovery::Done { proof: format!("{listed} have their new names") },
        (false, true) => Recovery::Retry { proof: format!("{listed} are as they were") },
        (true, true) => {
            Recovery::Ask { reason: format!("{listed} look alike, so nothing tells whether they were renamed") }
        }
        (false, false) => Recovery::Ask { reason: format!("{listed} are neither as before nor as after it") },
    }
}

/// The names of constraints follow the name of their table; columns stay.
fn is_same(one: Option<&Image>, other: Option<&Image>) -> bool {
    let columns = |image: &Image| -> Vec<(String, String)> {
        let names = image.names(TablePart::Column);
        names.filter_map(|name| Some((name.clone(), image.parts.get(name)?.clone()))).collect()
    };
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => one.digest == other.digest || columns(one) == columns(other),
        _ => false,
    }
}

fn state<'s>(states: &'s [ObjectState], object: &SchemaObject) -> Option<&'s ObjectState> {
    states.iter().find(|state| {
        state.object.kind == object.kind
            && state.object.name.name == object.name.name
            && (object.name.schema.is_none() || state.object.name.schema == object.name.schema)
    })
}

fn shown(change: &SchemaChange, before: &[ObjectState], now: &[ObjectState]) -> Shown {
    let name = &change.object.name.name;
    let (Some(before_it), Some(now_it)) = (state(before, &change.object), state(now, &change.object)) else {
        return Shown::Unclear(format!("{name} was not looked up when it began"));
    };
    let (old, new) = (before_it.image.as_ref(), now_it.image.as_ref());
    match &change.after {
        AfterState::Exists { or_replace: true, .. } if change.object.kind.holds_data() => replaced(name, old, now_it),
        AfterState::Exists { if_not_exists, or_replace, .. } => exists(name, old, new, *if_not_exists, *or_replace),
        AfterState::Gone { if_exists } => gone(name, old, new, *if_exists),
        // Among other changes of the same statement a new name is not followed.
        AfterState::RenamedTo { name: target, .. } => {
            Shown::Unclear(format!("{name} may be called {} by now", target.name))
        }
        AfterState::Altered { parts, if_exists } => altered(name, old, new, parts, *if_exists),
        AfterState::Emptied if now_it.empty == Some(true) => Shown::Ran,
        AfterState::Emptied => Shown::Unclear(format!("{name} holds rows, which may be old or new")),
        _ => Shown::Unclear(format!("nothing in the catalogue proves whether {name} was changed")),
    }
}

fn exists(name: &str, old: Option<&Image>, new: Option<&Image>, if_not_exists: bool, or_replace: bool) -> Shown {
    match (old, new) {
        (None, Some(_)) => Shown::Ran,
        // The server refuses it, or replaces what is there by the same.
        (None, None) => Shown::DidNotRun,
        (Some(old), Some(new)) if old.digest == new.digest && (if_not_exists || or_replace) => Shown::Harmless,
        (Some(old), Some(new)) if old.digest == new.digest => Shown::DidNotRun,
        (Some(_), Some(_)) if or_replace => Shown::Ran,
        (Some(_), Some(_)) => Shown::Unclear(format!("{name} was there before and is another one now")),
        (Some(_), None) => Shown::Unclear(format!("{name} was there before and is gone")),
    }
}

/// OR REPLACE of what holds more than its definition. One that looks as before may be the new one, and in use since.
fn replaced(name: &str, old: Option<&Image>, now: &ObjectState) -> Shown {
    match (old, now.image.as_ref()) {
        (Some(old), Some(new)) if old.digest == new.digest && now.empty == Some(true) => Shown::Harmless,
        (Some(old), Some(new)) if old.digest == new.digest => {
            Shown::Unclear(format!("{name} looks as before, and it is replaced by one like it"))
        }
        (old, new) => exists(name, old, new, false, true),
    }
}

fn gone(name: &str, old: Option<&Image>, new: Option<&Image>, if_exists: bool) -> Shown {
    match (old, new) {
        (Some(_), None) if if_exists => Shown::Harmless,
        (Some(_), None) => Shown::Ran,
        (Some(old), Some(new)) if old.digest == new.digest => Shown::DidNotRun,
        (Some(_), Some(_)) => Shown::Unclear(format!("{name} is another one than before")),
        (None, None) if if_exists => Shown::Harmless,
        // The server refuses it.
        (None, None) => Shown::DidNotRun,
        (None, Some(_)) => Shown::Unclear(format!("{name} was not there before and is now")),
    }
}

/// What others changed at the same table meanwhile does not matter.
fn altered(name: &str, old: Option<&Image>, new: Option<&Image>, parts: &[PartChange], if_exists: bool) -> Shown {
    let (Some(old), Some(new)) = (old, new) else {
        return match (old, new) {
            (None, None) if if_exists => Shown::Harmless,
            (None, None) => Shown::DidNotRun,
            _ => Shown::Unclear(format!("{name} is neither as before nor as after it")),
        };
    };
    if parts.is_empty() {
        return Shown::Unclear(format!("nothing in the catalogue proves whether {name} was changed"));
    }
    let mut turns = Vec::new();
    let mut doubt = None;
    for part in parts {
        let is_replaced =
            was_there(part, old) && parts.iter().any(|other| is_same_part(part, other) && part.change != other.change);
        turns.push(match turn(part, old, new) {
            Turn::Missing if is_replaced && looks_replaced(part, old, new) => Turn::Happened,
            Turn::Missing if is_replaced => {
                // A column that is made anew is empty, and may have been filled since.
                doubt = doubt.or(part.part.holds_data().then_some(part));
                Turn::Neutral
            }
            turn => turn,
        });
    }
    let count = |wanted: Turn| turns.iter().filter(|turn| **turn == wanted).count();
    match (count(Turn::Happened), count(Turn::Missing), doubt) {
        (0, 0, Some(part)) => {
            let part = part.name.as_ref().map(|part| format!(".{part}")).unwrap_or_default();
            Shown::Unclear(format!("{name}{part} looks as before, and it is replaced by one like it"))
        }
        (0, 0, None) => Shown::Harmless,
        (0, ..) => Shown::DidNotRun,
        (_, 0, _) => Shown::Ran,
        (some, ..) => Shown::Unclear(format!("{name} shows {some} of {} changes", parts.len())),
    }
}

fn is_same_part(one: &PartChange, other: &PartChange) -> bool {
    let name = |part: &PartChange| part.name.as_ref().map(|name| name.to_lowercase());
    one.part == other.part && name(one) == name(other)
}

fn was_there(part: &PartChange, old: &Image) -> bool {
    old.part(part.part, part.name.as_deref()).iter().any(Option::is_some)
}

/// Dropped and made anew by one statement: it is there before and after, and has another definition.
fn looks_replaced(part: &PartChange, old: &Image, new: &Image) -> bool {
    let name = part.name.as_deref();
    old.part(part.part, name) != new.part(part.part, name)
}

/// What the two images say of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Happened,
    Missing,
    /// Nothing to see either way: it was so before, and may be done again.
    Neutral,
}

fn turn(part: &PartChange, old: &Image, new: &Image) -> Turn {
    let find = |image: &Image| image.part(part.part, part.name.as_deref()).map(Option::<&String>::cloned);
    let (was, is) = (find(old), find(new));
    let was_there = was_there(part, old);
    let any =
        |wanted: fn(&Option<String>, &Option<String>) -> bool| was.iter().zip(&is).any(|(was, is)| wanted(was, is));
    let several = !matches!(
        part.part,
        TablePart::PrimaryKey | TablePart::Option | TablePart::Partitioning | TablePart::Versioning
    );
    let happened = match part.change {
        PartState::Appears if part.name.is_none() && several => {
            new.names(part.part).any(|name| !old.parts.contains_key(name))
        }
        PartState::Appears if was_there && part.conditional => return Turn::Neutral,
        PartState::Appears => any(|was, is| was.is_none() && is.is_some()),
        PartState::Disappears if !was_there && part.conditional => return Turn::Neutral,
        PartState::Disappears => any(|was, is| was.is_some() && is.is_none()),
        PartState::Changes if was == is => return Turn::Neutral,
        PartState::Changes => true,
    };
    if happened { Turn::Happened } else { Turn::Missing }
}
