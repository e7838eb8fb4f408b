//! What a statement makes of the objects it names, as far as its words alone say.
//!
//! A run that died needs it: it compares what the server shows of these objects now with what it showed before the
//! statement began, and so knows whether the statement took effect.

use serde::{Deserialize, Serialize};

use crate::QualifiedName;

/// One object, and what is known of it after the statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaChange {
    /// The object as the statement finds it, or makes it.
    pub object: SchemaObject,
    /// What is known of it afterwards.
    pub after: AfterState,
}

/// An object of a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SchemaObject {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name, unquoted. For users `name@host` in the part `name`, with the host `%` where none is written.
    pub name: QualifiedName,
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ObjectKind {
    /// A base table.
    Table,
    /// A view.
    View,
    /// A stored procedure.
    Procedure,
    /// A stored function.
    Function,
    /// A function that stands in a library (CREATE FUNCTION ... SONAME); `SHOW CREATE` does not know it.
    LoadableFunction,
    /// A trigger.
    Trigger,
    /// An event of the scheduler.
    Event,
    /// A sequence (MariaDB).
    Sequence,
    /// A package (MariaDB).
    Package,
    /// The body of a package (MariaDB).
    PackageBody,
    /// A database, which MySQL calls a schema too.
    Database,
    /// A user.
    User,
    /// A role.
    Role,
    /// A foreign server.
    Server,
    /// A tablespace.
    Tablespace,
    /// A resource group.
    ResourceGroup,
}

impl ObjectKind {
    /// Whether more belongs to it than its definition says, which is lost when it is made anew: rows, the next number, rights.
    pub fn holds_data(self) -> bool {
        matches!(self, Self::Table | Self::Sequence | Self::Database | Self::User | Self::Role | Self::Tablespace)
    }
}

/// What is known of an object after the statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AfterState {
    /// It is there.
    Exists {
        /// With IF NOT EXISTS: one that was there stays as it was.
        if_not_exists: bool,
        /// With OR REPLACE, or by ALTER VIEW: one that was there is replaced.
        or_replace: bool,
        /// CREATE TABLE ... SELECT: rows come with it. Servers without atomic DDL may leave the table without them.
        from_query: bool,
    },
    /// It is not there.
    Gone {
        /// With IF EXISTS.
        if_exists: bool,
    },
    /// It is there under this name, and no longer under the old one.
    RenamedTo {
        /// The new name.
        name: QualifiedName,
        /// With IF EXISTS.
        if_exists: bool,
    },
    /// It is there, and these parts of it have changed.
    Altered {
        /// Each change that the statement names, in order.
        parts: Vec<PartChange>,
        /// With IF EXISTS: where there is no such object, nothing is done.
        if_exists: bool,
    },
    /// It is there and holds no rows.
    Emptied,
    /// The words do not say it.
    Unknown,
}

/// One part of a table, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartChange {
    /// What it is.
    pub part: TablePart,
    /// Its name, unquoted, to be compared without regard to capitals; None where the server chooses it, or where there is only
    /// one such part.
    pub name: Option<String>,
    /// What becomes of it.
    pub change: PartState,
    /// With IF EXISTS or IF NOT EXISTS: nothing happens where there is nothing to do.
    pub conditional: bool,
}

/// What a part of a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TablePart {
    /// A column.
    Column,
    /// An index, a unique constraint.
    Index,
    /// The primary key.
    PrimaryKey,
    /// A foreign key, a check; DROP CONSTRAINT may mean a unique constraint too.
    Constraint,
    /// An option of the table, by its words in lower case: `engine`, `comment`, `default charset`.
    Option,
    /// A partition.
    Partition,
    /// The way the table is partitioned.
    Partitioning,
    /// A period (MariaDB).
    Period,
    /// System versioning (MariaDB).
    Versioning,
}

impl TablePart {
    /// Whether what its definition does not show is lost when it is made anew: the values of a column, the rows of a
    /// partition, the history of rows.
    pub fn holds_data(self) -> bool {
        matches!(self, Self::Column | Self::Partition | Self::Versioning)
    }
}

/// What becomes of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    /// It was not there and is there now.
    Appears,
    /// It was there and is gone.
    Disappears,
    /// It is set to what the statement says. It may have been that before, and doing it twice does no harm.
    Changes,
}
