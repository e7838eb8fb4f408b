//! MySQL: tables of MyISAM, Aria and MEMORY keep what a transaction did to them when it is rolled back.

use limosa_db::{DbError, DbErrorKind, Session};

/// "Some non-transactional changed tables couldn't be rolled back", a warning of ROLLBACK.
const STAYS: i64 = 1196;

/// Right behind a flight that failed: says in the error that rows stay changed. It is not tried again then, which would change
/// them twice.
pub(crate) async fn note(session: &mut dyn Session, error: &mut DbError) {
    if error.kind == DbErrorKind::ConnectionLost {
        return;
    }
    let Ok(rows) = session.query("show warnings", &[]).await else { return };
    if !rows.iter().any(|row| row.integer(1) == Some(STAYS)) {
        return;
    }
    if error.is_transient() {
        error.kind = DbErrorKind::Statement;
    }
    let stays = "rows that it changed in tables without transactions (MyISAM, Aria, MEMORY) stay changed, whatever is said \
        about rolling back: look at them before you run it again; limosa doctor names the tables";
    error.hint = Some(error.hint.as_ref().map_or_else(|| stays.to_owned(), |hint| format!("{hint}\n{stays}")));
}
