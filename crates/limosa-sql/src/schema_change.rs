//! What a statement of DDL changes, as far as its words tell.

use serde::{Deserialize, Serialize};

use crate::QualifiedName;

/// What happens to one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaChange {
    /// The object.
    pub object: SchemaObject,
    /// What is known of it once the statement has run.
    pub after: AfterState,
}

/// An object that a statement names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SchemaObject {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name.
    pub name: QualifiedName,
}

/// Kinds of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ObjectKind {
    /// A table.
    Table,
    /// A view.
    View,
    /// A procedure.
    Procedure,
    /// A function.
    Function,
    /// A trigger.
    Trigger,
    /// An event.
    Event,
    /// A sequence.
    Sequence,
    /// A database.
    Database,
    /// A user.
    User,
    /// A role.
    Role,
}

/// What is known of an object once a statement has run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterState {
    /// It is there.
    Exists {
        /// IF NOT EXISTS.
        if_not_exists: bool,
        /// OR REPLACE.
        or_replace: bool,
        /// CREATE TABLE ... SELECT.
        from_query: bool,
    },
    /// It is not there.
    Gone {
        /// IF EXISTS.
        if_exists: bool,
    },
    /// It has this name.
    RenamedTo(QualifiedName),
    /// These parts of it differ, and no others.
    Altered(Vec<PartChange>),
    /// Nothing.
    Unknown,
}

/// What happens to one part of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartChange {
    /// Which kind of part.
    pub part: TablePart,
    /// Its name; None where the server chooses it, or it has none.
    pub name: Option<String>,
    /// What happens to it.
    pub change: Change,
}

/// Parts of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TablePart {
    /// A column.
    Column,
    /// An index.
    Index,
    /// A foreign key or check.
    Constraint,
    /// The primary key.
    PrimaryKey,
    /// Engine, character set, comment and the like.
    Option,
    /// Partitions.
    Partition,
}

/// What happens to a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was not there before.
    Appears,
    /// It is not there any more.
    Disappears,
    /// It is another one than before.
    Changes,
}
