//! A short look: enough to see that nothing is pending. The first statement of a session that meets a table is dear, so there are few.

use super::{Statement, all};

/// The rows of a project ($1) in no order: identity, checksum of the file, and the state where it is another one than applied.
pub const ROWS_IN_SHORT: Statement =
    all("select identity, checksum, nullif(state, 'applied') from {schema_migrations} where project = $1");

/// What the other tables say, with the name of the column that is a reserved word of MySQL's.
macro_rules! rest {
    ($key:literal) => {
        concat!(
            "select (select value from {application_metadata} where project = '' and ",
            $key,
            " = 'ledger_version'), exists (select 1 from {journal} where project = $1), \
             exists (select 1 from {application_metadata} where project = $1 and ",
            $key,
            " = 'kept'), (select sequence from {audit_head} where project = $1), \
             (select hash from {audit_head} where project = $1)"
        )
    };
}

/// What the other tables say of a project ($1): the version of the tables, whether a script was interrupted, whether the ledger of
/// another tool is kept, and the head of the audit log.
pub const REST_IN_SHORT: Statement = Statement { postgres: rest!("key"), sqlite: rest!("key"), mysql: rest!("`key`") };
