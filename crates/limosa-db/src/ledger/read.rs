//! Rows of the ledger's tables into records.

use limosa_core::{
    AppliedRow, AuditHead, AuditRow, Checksum, Direction, Failure, Identity, JournalRow, JournalStatement,
    LEDGER_VERSION, LeaseRow, RowState, Unfiled,
};

use crate::{DbError, DbErrorKind, Row};

/// The version of the tables, in the first column.
///
/// # Errors
/// A ledger that a newer limosa wrote.
pub(super) fn version(row: Option<&Row>) -> Result<Option<i64>, DbError> {
    match row.and_then(|row| row.integer(0)) {
        Some(newer) if newer > LEDGER_VERSION => {
            let message = format!("the ledger has version {newer}, this limosa writes version {LEDGER_VERSION}");
            Err(DbError::new(DbErrorKind::Configuration, message)
                .hint("a newer limosa has been here; use that one, or a newer one"))
        }
        version => Ok(version),
    }
}

/// A row of `schema_migrations`, in the columns of [`super::statements::ROWS`]; the truth says whether it is only skipped.
pub fn applied_row(row: &Row) -> Result<AppliedRow, Identity> {
    let identity = Identity::new(row.text(0).unwrap_or_default());
    let Some(state) = RowState::parse(&row.text(5).unwrap_or_default()) else {
        return Err(identity);
    };
    let depends_on: Vec<String> = row.text(14).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    Ok(AppliedRow {
        identity,
        version: row.text(1),
        name: row.text(2).unwrap_or_default(),
        file_checksum: Checksum::stored(&row.text(3).unwrap_or_default()),
        up_checksum: Checksum::stored(&row.text(4).unwrap_or_default()),
        state,
        statements_done: row.integer(6).unwrap_or(0),
        statements_total: row.integer(7).unwrap_or(0),
        rank: row.integer(8).unwrap_or(0),
        applied_at: row.text(9).unwrap_or_default(),
        applied_by: row.text(10).unwrap_or_default(),
        execution_ms: row.integer(11).unwrap_or(0),
        has_rollback: row.boolean(12),
        plan_digest: row.text(13),
        depends_on: depends_on.into_iter().map(Identity::new).collect(),
    })
}

/// A row of the journal, in the columns of [`super::statements::JOURNAL`].
pub fn journal_row(row: &Row) -> JournalRow {
    let current = row.integer(4).map(|number| JournalStatement {
        number,
        hash: row.text(5).unwrap_or_default(),
        before: row.text(6),
        started_at: row.text(7).unwrap_or_default(),
        retry: row.boolean(8),
    });
    JournalRow {
        identity: Identity::new(row.text(0).unwrap_or_default()),
        direction: Direction::parse(&row.text(1).unwrap_or_default()).unwrap_or(Direction::Apply),
        done: row.integer(2).unwrap_or(0),
        done_hash: row.text(3).unwrap_or_default(),
        current,
        backend: row.text(9),
    }
}

pub(super) fn lease_row(row: &Row) -> LeaseRow {
    LeaseRow {
        epoch: row.integer(0).unwrap_or(0),
        holder: row.text(1),
        since: row.text(2),
        silent_seconds: row.integer(3),
        backend: row.text(4),
        beat: row.text(5),
    }
}

/// The head of the audit log, in two columns from this one on.
pub(super) fn head(row: &Row, column: usize) -> Option<AuditHead> {
    let sequence = row.integer(column)?;
    (sequence > 0).then(|| AuditHead { sequence, hash: row.text(column + 1).unwrap_or_default() })
}

/// What another tool had applied and that had no file, in this column.
pub(super) fn unfiled(row: &Row, column: usize) -> Option<Result<Unfiled, DbError>> {
    let unreadable = |why: serde_json::Error| {
        let message =
            format!("the ledger's note of what another tool had applied without a file cannot be read: {why}");
        DbError::new(DbErrorKind::Configuration, message).hint("a newer limosa may have written it; use that one")
    };
    Some(serde_json::from_str(&row.text(column)?).map_err(unreadable))
}

pub(super) fn failure(row: &Row) -> Failure {
    let detail = row.text(2).unwrap_or_default();
    let message = serde_json::from_str::<serde_json::Value>(&detail)
        .ok()
        .and_then(|detail| detail.get("error").and_then(|error| error.as_str()).map(str::to_owned))
        .unwrap_or(detail);
    Failure { identity: Identity::new(row.text(0).unwrap_or_default()), at: row.text(1).unwrap_or_default(), message }
}

/// A row of the audit log, in the columns of [`super::statements::AUDIT_PAGE`].
pub fn audit_row(row: &Row) -> AuditRow {
    AuditRow {
        sequence: row.integer(0).unwrap_or(0),
        at: row.text(1).unwrap_or_default(),
        actor: row.text(2).unwrap_or_default(),
        operation: row.text(3).unwrap_or_default(),
        identity: row.text(4),
        outcome: row.text(5).unwrap_or_default(),
        detail: row.text(6).unwrap_or_default(),
        previous_hash: row.text(7).unwrap_or_default(),
        hash: row.text(8).unwrap_or_default(),
    }
}

/// Nothing that the ledger says holds.
pub(super) fn unfinished(command: &str) -> DbError {
    let message = format!(
        "a {command} of this database was begun and has not come to its end: a part of what stood, or of what should stand, is missing"
    );
    DbError::new(DbErrorKind::Unfinished, message)
        .hint(format!(
            "where it is still under way, wait for it; where it ended in the middle, run it again to its end: limosa {command}, which begins anew"
        ))
}
