//! After a death: what one look at the catalogue proves about a statement that was begun and not seen to end.

mod objects;
mod table_image;

use std::collections::HashSet;

use limosa_sql::{Class, Effect, TransactionRule};
use serde::{Deserialize, Serialize};

pub use objects::ObjectState;
pub use table_image::Image;

/// An index as the catalogue shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexState {
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// Object identifier; tells an index from one of the same name that came later.
    pub oid: i64,
    /// False where it was left INVALID.
    pub valid: bool,
    /// False where it stands in a schema that is closed to the user of the session: the server refuses to drop it.
    #[serde(default)]
    pub reachable: bool,
}

/// What the catalogue showed before the statement began.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Before {
    /// The table that the statement names, by its object identifier.
    #[serde(default)]
    pub table: Option<i64>,
    /// The partition that the statement names, likewise.
    #[serde(default)]
    pub partition: Option<i64>,
    /// Indexes of the table that the statement names, or the indexes it names. For REINDEX those that are invalid, of its
    /// partitions and TOAST tables too.
    #[serde(default)]
    pub indexes: Vec<IndexState>,
    /// Whether the database, tablespace or partition that it names was there (attached).
    pub existed: Option<bool>,
    /// MySQL: the objects that the statement names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectState>,
}

/// What the catalogue shows now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct After {
    /// As in [`Before`].
    pub indexes: Vec<IndexState>,
    /// Object identifiers of indexes that are being built right now (pg_stat_progress_create_index).
    pub building: Vec<i64>,
    /// As in [`Before`].
    pub exists: Option<bool>,
    /// A partition is marked as being detached.
    pub detach_pending: bool,
    /// The backend that ran the statement is still there.
    pub backend_alive: bool,
    /// As in [`Before`].
    pub objects: Vec<ObjectState>,
}

/// What to do with the statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    /// It took effect: mark it done and go on.
    Done {
        /// What proves it.
        proof: String,
    },
    /// It took no effect, or running it again is harmless: run it.
    Retry {
        /// What proves it.
        proof: String,
    },
    /// It left invalid indexes; drop those that can be dropped, concurrently, then run it again.
    DropAndRetry {
        /// The indexes to drop.
        indexes: Vec<IndexState>,
        /// Invalid ones that the user of the session may not drop.
        beyond: Vec<IndexState>,
    },
    /// A detach was begun and must be finished with FINALIZE; then it is done.
    FinalizeDetach,
    /// It still runs on the server.
    StillRunning,
    /// Nothing proves what it did: a person decides.
    Ask {
        /// Why.
        reason: String,
    },
}

/// Decides from the statement, the catalogue before and the catalogue now.
pub fn recover(class: &Class, retry_wished: bool, before: Option<&Before>, after: &After) -> Recovery {
    if after.backend_alive {
        return Recovery::StillRunning;
    }
    if retry_wished {
        return Recovery::Retry { proof: "you asked for it with 'limosa repair --retry'".to_owned() };
    }
    let Some(before) = before else {
        return unprovable(class);
    };
    match &class.effect {
        Effect::CreatesIndex { index, if_not_exists, .. } => {
            created_index(index.as_ref().map(|name| name.name.as_str()), *if_not_exists, before, after)
        }
        Effect::DropsIndex { .. } => dropped_index(before, after),
        Effect::Reindexes { target, .. } if before.table.is_none() && ["INDEX", "TABLE"].contains(&target.as_str()) => {
            unknown_table()
        }
        Effect::Reindexes { .. } => reindexed(before, after),
        Effect::CreatesDatabase { name } | Effect::CreatesTablespace { name } => appeared(name, before, after),
        Effect::DropsDatabase { name, .. } => disappeared(name, before, after),
        Effect::DetachesPartition { partition, .. } => detached(&partition.name, before, after),
        Effect::ChangesSchema { changes } => objects::changed(changes, &before.objects, &after.objects),
        Effect::Idempotent | Effect::SetsSession { .. } | Effect::SetsSeveral { .. } | Effect::LiftedPragma { .. } => {
            Recovery::Retry { proof: format!("{} may be run twice without harm", class.verb) }
        }
        _ => unprovable(class),
    }
}

fn unprovable(class: &Class) -> Recovery {
    let harmless = matches!(class.effect, Effect::Idempotent | Effect::LiftedPragma { .. })
        || !class.effect.session_settings().is_empty()
        || class.transaction == TransactionRule::Begins;
    if harmless {
        return Recovery::Retry { proof: format!("{} may be run twice without harm", class.verb) };
    }
    Recovery::Ask { reason: format!("nothing in the catalogue proves whether this {} took effect", class.verb) }
}

fn new_indexes<'a>(before: &Before, after: &'a After) -> impl Iterator<Item = &'a IndexState> {
    let old: Vec<i64> = before.indexes.iter().map(|index| index.oid).collect();
    after.indexes.iter().filter(move |index| !old.contains(&index.oid))
}

fn created_index(name: Option<&str>, if_not_exists: bool, before: &Before, after: &After) -> Recovery {
    let ours: Vec<&IndexState> =
        new_indexes(before, after).filter(|index| name.is_none_or(|name| index.name == name)).collect();
    if ours.iter().any(|index| after.building.contains(&index.oid)) {
        return Recovery::StillRunning;
    }
    match ours.as_slice() {
        [] if if_not_exists && before.indexes.iter().any(|index| Some(index.name.as_str()) == name && index.valid) => {
            Recovery::Done { proof: "the index was there before, and IF NOT EXISTS leaves it alone".to_owned() }
        }
        [] if before.table.is_none() => unknown_table(),
        [] => Recovery::Retry { proof: "no new index stands in the catalogue".to_owned() },
        [index] if index.valid => Recovery::Done { proof: format!("index {} is there and valid", index.name) },
        [index] => Recovery::DropAndRetry { indexes: vec![(*index).clone()], beyond: Vec::new() },
        several => Recovery::Ask {
            reason: format!(
                "several new indexes stand on the table: {}",
                several.iter().map(|index| index.name.as_str()).collect::<Vec<_>>().join(", ")
            ),
        },
    }
}

/// Nothing was looked at: what stands cannot be told from what was there.
fn unknown_table() -> Recovery {
    Recovery::Ask { reason: "its table was not found in the catalogue when it began".to_owned() }
}

fn dropped_index(before: &Before, after: &After) -> Recovery {
    let left: Vec<&str> = before
        .indexes
        .iter()
        .filter(|old| after.indexes.iter().any(|index| index.oid == old.oid))
        .map(|index| index.name.as_str())
        .collect();
    match (before.indexes.is_empty(), left.as_slice()) {
        (true, _) => Recovery::Retry { proof: "the index was not there before".to_owned() },
        (false, []) => Recovery::Done { proof: "the index is gone".to_owned() },
        (false, left) => Recovery::Retry { proof: format!("index {} is still there", left.join(", ")) },
    }
}

fn reindexed(before: &Before, after: &After) -> Recovery {
    // REINDEX CONCURRENTLY builds NAME_ccnew beside NAME, lets them change names, and drops what is NAME_ccold by then. When it
    // dies it leaves one of them INVALID; the second has the number of the index that was there before.
    let was_invalid: HashSet<i64> = before.indexes.iter().filter(|index| !index.valid).map(|index| index.oid).collect();
    let left: Vec<IndexState> = after
        .indexes
        .iter()
        .filter(|index| !index.valid && !was_invalid.contains(&index.oid))
        .filter(|index| index.name.contains("_ccnew") || index.name.contains("_ccold"))
        .cloned()
        .collect();
    if left.iter().any(|index| after.building.contains(&index.oid)) {
        return Recovery::StillRunning;
    }
    let (indexes, beyond): (Vec<IndexState>, Vec<IndexState>) = left.into_iter().partition(|index| index.reachable);
    match (indexes.is_empty(), beyond.is_empty()) {
        (true, true) => Recovery::Retry { proof: "REINDEX may be run twice without harm".to_owned() },
        (true, false) => {
            Recovery::Retry { proof: format!("it left {} invalid, which only a superuser may drop", names(&beyond)) }
        }
        (false, _) => Recovery::DropAndRetry { indexes, beyond },
    }
}

fn names(indexes: &[IndexState]) -> String {
    indexes.iter().map(|index| format!("{}.{}", index.schema, index.name)).collect::<Vec<_>>().join(", ")
}

fn appeared(name: &str, before: &Before, after: &After) -> Recovery {
    match (before.existed, after.exists) {
        (Some(false), Some(true)) => Recovery::Done { proof: format!("{name} is there and was not before") },
        (_, Some(false)) => Recovery::Retry { proof: format!("{name} is not there") },
        _ => Recovery::Ask { reason: format!("{name} was there before the statement began") },
    }
}

fn disappeared(name: &str, before: &Before, after: &After) -> Recovery {
    match (before.existed, after.exists) {
        (Some(true), Some(false)) => Recovery::Done { proof: format!("{name} is gone") },
        _ => Recovery::Retry { proof: format!("{name} is as it was before") },
    }
}

fn detached(name: &str, before: &Before, after: &After) -> Recovery {
    if after.detach_pending {
        return Recovery::FinalizeDetach;
    }
    match (before.existed, after.exists) {
        (Some(true), Some(false)) => Recovery::Done { proof: format!("{name} is detached") },
        (Some(false), _) if before.table.is_none() || before.partition.is_none() => unknown_table(),
        _ => Recovery::Retry { proof: format!("{name} is still attached") },
    }
}
