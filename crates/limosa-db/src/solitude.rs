//! Whether anybody else uses a database.

use limosa_sql::Engine;

use crate::{DbError, Item, Session, Value};

/// Who could be hindered, and what could run unseen, while a session changes several things at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Solitude {
    /// No other session is connected to the database, no prepared transaction waits in it, no event trigger is told of changes,
    /// transactions may last as long as they like, and it has so few partitions that a statement cannot drop hundreds at once.
    pub alone: bool,
    /// Each table that was asked for is an ordinary one of up to a megabyte, and nothing else happens when rows of it go: it has no trigger,
    /// rule, policy, child or foreign key, and none refers to it.
    pub quiet: bool,
}

/// PostgreSQL: whether this session is alone in its database, and tables, which are named as in SQL, are quiet. Elsewhere neither.
///
/// # Errors
/// What the server says.
pub async fn solitude(session: &mut dyn Session, tables: &[String]) -> Result<Solitude, DbError> {
    // Of the sessions of others the server hides what kind they are, but not which database they use. Where one is there, its locks may be, for
    // which the size of a table would be waited for.
    const ASKED: &str = "select s.alone, case when s.alone then \
         not exists (select from pg_catalog.json_array_elements_text($1::json) t (name) \
         left join pg_catalog.pg_class c on c.oid = pg_catalog.to_regclass(t.name) and c.relkind = 'r' \
         and not (c.relhastriggers or c.relhasrules or c.relhassubclass or c.relrowsecurity) \
         where c.oid is null or pg_catalog.pg_relation_size(c.oid) > 1048576) else false end \
         from (select not exists (select from pg_catalog.pg_stat_get_activity(null) a, pg_catalog.pg_database d \
         where d.datname = pg_catalog.current_database() and a.datid = d.oid and a.pid <> pg_catalog.pg_backend_pid() \
         and a.backend_type is distinct from 'autovacuum worker') \
         and not exists (select from pg_catalog.pg_prepared_xacts where database = pg_catalog.current_database()) \
         and not exists (select from pg_catalog.pg_event_trigger) \
         and not exists (select from pg_catalog.pg_inherits offset 100) \
         and coalesce(pg_catalog.current_setting('transaction_timeout', true), '0') = '0' as alone offset 0) s";
    if session.facts().engine() != Engine::Postgres {
        return Ok(Solitude::default());
    }
    let tables = Value::Text(serde_json::json!(tables).to_string());
    let items = vec![
        Item::Begin,
        // Somebody may come right now.
        Item::Control("set local lock_timeout = '200ms'".to_owned()),
        Item::Bound { sql: ASKED.to_owned(), parameters: vec![tables] },
        Item::Commit,
    ];
    let rows = session.send(items).await?;
    let is = |column: usize| rows.get(2).and_then(|rows| rows.first()).is_some_and(|row| row.boolean(column));
    Ok(Solitude { alone: is(0), quiet: is(1) })
}
