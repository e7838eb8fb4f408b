//! What the catalogue shows of the objects that a statement names: before it begins, and after a death.

mod mysql;

pub use mysql::tables_without_transactions;

use limosa_core::{After, Before, IndexState};
use limosa_sql::{Class, Effect, Engine, QualifiedName};

use crate::{DbError, Row, Session, Value};

/// Schema, name, number, validity, table, and whether we may name it: pg_toast is closed to all but superusers.
const TABLE_INDEXES: &str = "select n.nspname::text, c.relname::text, c.oid::bigint, i.indisvalid, i.indrelid::bigint, \
    pg_catalog.has_schema_privilege(n.oid, 'usage') \
    from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid \
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace";

fn quoted(name: &QualifiedName) -> String {
    Engine::Postgres.quote_qualified(name.schema.as_deref(), &name.name)
}

fn index_states(rows: &[Row]) -> Vec<IndexState> {
    rows.iter()
        .map(|row| IndexState {
            schema: row.text(0).unwrap_or_default(),
            name: row.text(1).unwrap_or_default(),
            oid: row.integer(2).unwrap_or(0),
            valid: row.boolean(3),
            reachable: row.boolean(5),
        })
        .collect()
}

/// What the catalogue shows before a statement begins that will not run in a transaction, as JSON for the journal; None where
/// the statement names nothing that could prove it.
///
/// # Errors
/// What the server says.
pub async fn before(session: &mut dyn Session, class: &Class) -> Result<Option<String>, DbError> {
    match session.facts().engine() {
        Engine::Postgres => {}
        Engine::Mysql => {
            let image = mysql::before(session, class).await?;
            return Ok(image.and_then(|image| serde_json::to_string(&image).ok()));
        }
        _ => return Ok(None),
    }
    let image = match &class.effect {
        Effect::CreatesIndex { table, .. } => {
            let oid = table_oid(session, table).await?;
            Before { table: oid, indexes: indexes_of(session, oid).await?, ..Before::default() }
        }
        Effect::DropsIndex { indexes, .. } => {
            let mut found = Vec::new();
            for name in indexes {
                found.extend(index_named(session, name).await?);
            }
            Before { indexes: found, ..Before::default() }
        }
        Effect::Reindexes { name: Some(name), target, .. } if !rebuilds_many(&class.effect) => {
            let oid = match target.as_str() {
                "TABLE" => table_oid(session, name).await?,
                _ => table_of_index(session, name).await?,
            };
            Before { table: oid, indexes: invalid_indexes_below(session, oid).await?, ..Before::default() }
        }
        Effect::Reindexes { .. } => Before { indexes: invalid_indexes(session).await?, ..Before::default() },
        Effect::CreatesDatabase { .. } | Effect::DropsDatabase { .. } | Effect::CreatesTablespace { .. } => {
            Before { existed: exists(session, class).await?, ..Before::default() }
        }
        Effect::DetachesPartition { parent, partition } => {
            // By number: the next run may look the names up along another search path.
            let (table, partition) = (table_oid(session, parent).await?, table_oid(session, partition).await?);
            let (existed, _) = attached(session, table, partition).await?;
            Before { table, partition, existed: Some(existed), ..Before::default() }
        }
        _ => return Ok(None),
    };
    Ok(serde_json::to_string(&image).ok())
}

/// What the catalogue shows now, for a statement that was begun and not seen to end.
///
/// # Errors
/// What the server says.
pub async fn after(
    session: &mut dyn Session,
    class: &Class,
    before: Option<&Before>,
    backend: Option<&str>,
) -> Result<After, DbError> {
    let mut after = After::default();
    match session.facts().engine() {
        Engine::Postgres => {}
        Engine::Mysql => return mysql::after(session, class, before, backend).await,
        _ => return Ok(after),
    }
    if let Some(backend) = backend {
        after.backend_alive = backend_runs(session, backend).await?;
    }
    match &class.effect {
        Effect::CreatesIndex { .. } | Effect::Reindexes { .. } => {
            let table = before.and_then(|before| before.table);
            after.indexes = match &class.effect {
                Effect::CreatesIndex { .. } => indexes_of(session, table).await?,
                effect if rebuilds_many(effect) => invalid_indexes(session).await?,
                _ => invalid_indexes_below(session, table).await?,
            };
            let sql = "select index_relid::bigint from pg_catalog.pg_stat_progress_create_index \
                       where datid = (select oid from pg_catalog.pg_database where datname = current_database())";
            after.building = session.query(sql, &[]).await?.iter().filter_map(|row| row.integer(0)).collect();
        }
        Effect::DropsIndex { .. } => {
            for index in before.iter().flat_map(|before| &before.indexes) {
                let sql = format!("{TABLE_INDEXES} where c.oid::bigint = $1");
                after.indexes.extend(index_states(&session.query(&sql, &[Value::Integer(index.oid)]).await?));
            }
        }
        Effect::DetachesPartition { .. } => {
            let (table, partition) = before.map_or((None, None), |before| (before.table, before.partition));
            let (exists, pending) = attached(session, table, partition).await?;
            after.exists = Some(exists);
            after.detach_pending = pending;
        }
        _ => after.exists = exists(session, class).await?,
    }
    Ok(after)
}

async fn backend_runs(session: &mut dyn Session, backend: &str) -> Result<bool, DbError> {
    let sql = "select exists (select from pg_catalog.pg_stat_activity a where a.pid <> pg_backend_pid() \
               and a.pid::text = split_part($1, ':', 1) \
               and (a.backend_start is null or extract(epoch from a.backend_start)::text = split_part($1, ':', 2)))";
    let rows = session.query(sql, &[Value::from(backend)]).await?;
    Ok(rows.first().is_some_and(|row| row.boolean(0)))
}

async fn table_oid(session: &mut dyn Session, table: &QualifiedName) -> Result<Option<i64>, DbError> {
    let rows = session.query("select to_regclass($1)::oid::bigint", &[Value::Text(quoted(table))]).await?;
    Ok(rows.first().and_then(|row| row.integer(0)))
}

async fn table_of_index(session: &mut dyn Session, index: &QualifiedName) -> Result<Option<i64>, DbError> {
    Ok(index_rows(session, index).await?.first().and_then(|row| row.integer(4)))
}

async fn index_rows(session: &mut dyn Session, index: &QualifiedName) -> Result<Vec<Row>, DbError> {
    let sql = format!("{TABLE_INDEXES} where c.oid = to_regclass($1)::oid");
    session.query(&sql, &[Value::Text(quoted(index))]).await
}

async fn index_named(session: &mut dyn Session, index: &QualifiedName) -> Result<Vec<IndexState>, DbError> {
    Ok(index_states(&index_rows(session, index).await?))
}

async fn indexes_of(session: &mut dyn Session, table: Option<i64>) -> Result<Vec<IndexState>, DbError> {
    let Some(table) = table else { return Ok(Vec::new()) };
    let sql = format!("{TABLE_INDEXES} where i.indrelid::bigint = $1 order by c.oid");
    Ok(index_states(&session.query(&sql, &[Value::Integer(table)]).await?))
}

/// The invalid indexes of a table, of its partitions down to the last, and of their TOAST tables. Read from pg_inherits, which
/// takes no lock on any of them.
async fn invalid_indexes_below(session: &mut dyn Session, table: Option<i64>) -> Result<Vec<IndexState>, DbError> {
    let Some(table) = table else { return Ok(Vec::new()) };
    let sql = format!(
        "with recursive below (oid, relkind, reltoastrelid) as ( \
         select c.oid, c.relkind, c.reltoastrelid from pg_catalog.pg_class c where c.oid::bigint = $1 \
         union select c.oid, c.relkind, c.reltoastrelid from below \
         join pg_catalog.pg_inherits h on h.inhparent = below.oid and below.relkind = 'p' \
         join pg_catalog.pg_class c on c.oid = h.inhrelid) \
         {TABLE_INDEXES} where not i.indisvalid \
         and i.indrelid in (select oid from below union all select reltoastrelid from below) order by c.oid"
    );
    Ok(index_states(&session.query(&sql, &[Value::Integer(table)]).await?))
}

/// REINDEX of a schema or a whole database.
fn rebuilds_many(effect: &Effect) -> bool {
    matches!(effect, Effect::Reindexes { target, .. } if target != "INDEX" && target != "TABLE")
}

async fn invalid_indexes(session: &mut dyn Session) -> Result<Vec<IndexState>, DbError> {
    let sql = format!("{TABLE_INDEXES} where not i.indisvalid order by c.oid");
    Ok(index_states(&session.query(&sql, &[]).await?))
}

/// Whether the database or tablespace is there; None for other statements.
async fn exists(session: &mut dyn Session, class: &Class) -> Result<Option<bool>, DbError> {
    let (sql, name) = match &class.effect {
        Effect::CreatesDatabase { name } | Effect::DropsDatabase { name, .. } => {
            ("select exists (select from pg_catalog.pg_database where datname = $1)", name)
        }
        Effect::CreatesTablespace { name } => {
            ("select exists (select from pg_catalog.pg_tablespace where spcname = $1)", name)
        }
        _ => return Ok(None),
    };
    let rows = session.query(sql, &[Value::from(name.as_str())]).await?;
    Ok(rows.first().map(|row| row.boolean(0)))
}

/// Whether a partition is attached, and whether its detach was begun.
async fn attached(
    session: &mut dyn Session,
    table: Option<i64>,
    partition: Option<i64>,
) -> Result<(bool, bool), DbError> {
    let (Some(table), Some(partition)) = (table, partition) else { return Ok((false, false)) };
    let sql = "select count(*) > 0, coalesce(bool_or(inhdetachpending), false) from pg_catalog.pg_inherits \
               where inhparent::bigint = $1 and inhrelid::bigint = $2";
    let rows = session.query(sql, &[Value::Integer(table), Value::Integer(partition)]).await?;
    Ok(rows.first().map_or((false, false), |row| (row.boolean(0), row.boolean(1))))
}

/// The statement that removes an index that a death left invalid.
pub fn drop_invalid(index: &IndexState) -> String {
    format!("drop index concurrently if exists {}", Engine::Postgres.quote_qualified(Some(&index.schema), &index.name))
}

/// The statement that finishes a detach that a death left pending; None where the tables are gone.
///
/// # Errors
/// What the server says.
pub async fn finalize_detach(session: &mut dyn Session, before: &Before) -> Result<Option<String>, DbError> {
    let (Some(table), Some(partition)) = (before.table, before.partition) else { return Ok(None) };
    let sql = "select n.nspname::text, c.relname::text from pg_catalog.pg_class c \
               join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid::bigint = $1";
    let mut names = Vec::new();
    for oid in [table, partition] {
        let rows = session.query(sql, &[Value::Integer(oid)]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (schema, name) = (row.text(0).unwrap_or_default(), row.text(1).unwrap_or_default());
        names.push(Engine::Postgres.quote_qualified(Some(&schema), &name));
    }
    Ok(Some(format!("alter table {} detach partition {} finalize", names[0], names[1])))
}
