//! MySQL: tables of MyISAM, Aria and MEMORY keep what a transaction did to them when it is rolled back.

use limosa_db::{DbError, DbErrorKind, Session};
use limosa_sql::Diagnostic;

/// "Some non-transactional changed tables couldn't be rolled back", a warning of ROLLBACK.
const STAYS: i64 = 1196;

/// Right behind a flight that failed: says in the error that rows stay changed. It is not tried again then, which would change
/// them twice.
pub(crate) async fn note(session: &mut dyn Session, error: &mut DbError) {
    if error.kind == DbErrorKind::ConnectionLost || !rows_stay(session).await {
        return;
    }
    if error.is_transient() {
        error.kind = DbErrorKind::Statement;
    }
    error.rows_stay = true;
    let stays = "rows that it changed in tables without transactions (MyISAM, Aria, MEMORY) stay changed: look at them before \
        you run it again; limosa doctor names the tables";
    error.hint = Some(error.hint.as_ref().map_or_else(|| stays.to_owned(), |hint| format!("{hint}\n{stays}")));
}

/// Right behind a ROLLBACK: whether rows stay changed.
async fn rows_stay(session: &mut dyn Session) -> bool {
    let warnings = session.query("show warnings", &[]).await.unwrap_or_default();
    warnings.iter().any(|row| row.integer(1) == Some(STAYS))
}

/// Right behind the ROLLBACK of a rehearsal that went well.
pub(crate) async fn after_rehearsal(session: &mut dyn Session) -> Option<Box<Diagnostic>> {
    if !rows_stay(session).await {
        return None;
    }
    let message = "rows that the dry run changed in tables without transactions (MyISAM, Aria, MEMORY) stay changed";
    let help = "look at these rows, and use limosa plan in place of a dry run with such tables: ALTER TABLE ... ENGINE = InnoDB \
        gives them transactions";
    Some(Box::new(Diagnostic::error("LIM-R013", message).help(help)))
}

/// Why a rehearsal would change rows for good; None where it would not, as far as the current database shows.
pub(crate) async fn reason_against_rehearsal(session: &mut dyn Session) -> Result<Option<String>, DbError> {
    let tables = limosa_db::catalogue::tables_without_transactions(session).await?;
    Ok((!tables.is_empty()).then(|| {
        format!("rows changed in {} would stay changed: their engine knows no transactions", tables.join(", "))
    }))
}
