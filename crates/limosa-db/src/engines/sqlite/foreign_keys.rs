//! Rows whose parent is missing.

use crate::Row;

/// Lists rows that violate a foreign key, at most 20, in every table of the session: table, rowid (NULL in a table without
/// one), parent table, number of the constraint within `PRAGMA foreign_key_list`.
///
/// It changes nothing and works inside an open transaction, whether foreign keys are enforced or not.
pub const FOREIGN_KEY_VIOLATIONS: &str =
    "SELECT \"table\", \"rowid\", \"parent\", \"fkid\" FROM pragma_foreign_key_check LIMIT 20";

/// A row whose parent is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKeyViolation {
    /// The table of the row.
    pub table: String,
    /// The row; None in a table without row ids.
    pub rowid: Option<i64>,
    /// The table that should hold the parent.
    pub parent: String,
    /// Number of the constraint within `PRAGMA foreign_key_list(table)`.
    pub constraint_index: i64,
}

impl ForeignKeyViolation {
    /// Reads a row of [`FOREIGN_KEY_VIOLATIONS`]; None where it is not one.
    pub fn from_row(row: &Row) -> Option<ForeignKeyViolation> {
        Some(ForeignKeyViolation {
            table: row.text(0)?,
            rowid: row.integer(1),
            parent: row.text(2)?,
            constraint_index: row.integer(3)?,
        })
    }
}
