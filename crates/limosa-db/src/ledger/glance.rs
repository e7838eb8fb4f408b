//! A short look at the ledger: enough to see that nothing is pending.

use limosa_core::{AuditHead, SEED_PREFIX};

use super::read;
use crate::{DbError, Row, Value};

/// What a short look shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Glance {
    /// The rows of migrations, in no order.
    pub rows: Vec<GlanceRow>,
    /// True where a script was interrupted between commits.
    pub has_journal: bool,
    /// The ledger of the tool that the database was taken over from is kept beside this one.
    pub keeps_another: bool,
    /// The head of the audit log.
    pub head: Option<AuditHead>,
}

/// A migration, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlanceRow {
    /// Identity within the project.
    pub identity: String,
    /// SHA-256 of the file that was applied, as it is stored.
    pub file_checksum: String,
    /// True where all of it ran here: it counts not only as applied, is not half done, and was not left out.
    pub is_applied: bool,
}

impl Glance {
    /// From the rows of each statement of [`super::Ledger::glance`].
    pub(super) fn of(rows: Vec<Vec<Row>>) -> Result<Glance, DbError> {
        let mut parts = rows.into_iter();
        let rows = parts.next().unwrap_or_default();
        let rest = parts.next().unwrap_or_default();
        let rest = rest.first();
        read::version(rest)?;
        Ok(Glance {
            rows: rows.into_iter().filter_map(row).filter(|row| !row.identity.starts_with(SEED_PREFIX)).collect(),
            has_journal: rest.is_some_and(|rest| rest.boolean(1)),
            keeps_another: rest.is_some_and(|rest| rest.boolean(2)),
            head: rest.and_then(|rest| read::head(rest, 3)),
        })
    }
}

/// A row in the columns of [`super::statements::ROWS_IN_SHORT`].
fn row(row: Row) -> Option<GlanceRow> {
    let mut values = row.0.into_iter();
    let Some(Value::Text(identity)) = values.next() else { return None };
    let Some(Value::Text(file_checksum)) = values.next() else { return None };
    let is_applied = matches!(values.next(), Some(Value::Null));
    Some(GlanceRow { identity, file_checksum, is_applied })
}
