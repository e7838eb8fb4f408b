//! PostgreSQL: primary or standby, pooler, rights, settings, old transactions, invalid indexes.

use limosa_db::Value;
use limosa_sql::Engine;

use super::{Checks, one};
use crate::Failure;
use crate::opened::Opened;

/// The oldest PostgreSQL that is tested.
const OLDEST_POSTGRES: u32 = 140_000;

pub(super) async fn look(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let facts = opened.session.facts().clone();
    if facts.version_number < OLDEST_POSTGRES {
        checks.warn("version", &facts.version, "limosa is tested with PostgreSQL 14 to 18");
    }
    // The session of this command is read-only itself, so that what others begin with is asked of the catalogue.
    let writable = one(
        opened,
        "select pg_is_in_recovery(), exists (select from pg_catalog.pg_db_role_setting s \
         where s.setdatabase in (0, (select oid from pg_catalog.pg_database where datname = current_database())) \
         and s.setrole in (0, (select oid from pg_catalog.pg_roles where rolname = current_user)) \
         and exists (select from unnest(s.setconfig) one where one ~* '^default_transaction_read_only=(on|true|yes|1)$'))",
        &[],
    )
    .await?;
    match (writable.boolean(0), writable.boolean(1)) {
        (true, _) => checks.bad("writable", "this is a standby", "use the address of the primary for migrations"),
        (_, true) => checks.bad(
            "writable",
            "sessions of this database or role begin read-only (default_transaction_read_only)",
            "alter database or alter role ... reset default_transaction_read_only, or write options=-cdefault_transaction_read_only%3Doff into the address",
        ),
        _ => checks.ok("writable", "primary"),
    }
    match (opened.pooled, &opened.configuration.direct_url) {
        (true, None) => checks.warn(
            "pooler",
            "a pooler in transaction mode stands between",
            "transactional migrations work; for others set direct_url to the server itself",
        ),
        (true, Some(_)) => checks.ok("pooler", "transaction mode; direct_url is set"),
        (false, _) => checks.ok("pooler", "none"),
    }
    rights(opened, checks).await?;
    let settings = one(
        opened,
        "select current_setting('max_connections')::bigint - (select count(*) from pg_catalog.pg_stat_activity where backend_type = 'client backend'), \
         current_setting('lock_timeout'), current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout'), \
         pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'usage')",
        &[],
    )
    .await?;
    let free = settings.integer(0).unwrap_or(0);
    if free < 3 {
        checks.warn(
            "connections",
            format!("{free} left"),
            "limosa needs one, and a second one while it waits for locks",
        );
    } else {
        checks.ok("connections", format!("{free} left"));
    }
    checks.note(
        "settings",
        format!(
            "lock_timeout {}, statement_timeout {} (limosa sets its own per step), idle_in_transaction_session_timeout {} (holds as it is)",
            settings.text(1).unwrap_or_default(),
            settings.text(2).unwrap_or_default(),
            settings.text(3).unwrap_or_default()
        ),
    );
    if settings.boolean(4) {
        checks.ok("blockers", "the statements of other users can be shown");
    } else {
        let grant = format!("GRANT pg_read_all_stats TO {}", Engine::Postgres.quote_identifier(&opened.target.user));
        checks.note("blockers", format!("the statements of other users are hidden; to see them: {grant}"));
    }
    long_transactions(opened, checks).await?;
    invalid_indexes(opened, checks).await
}

async fn rights(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let schema = Value::Text(opened.configuration.ledger_schema.clone());
    let row = one(
        opened,
        "select has_database_privilege(current_database(), 'CREATE'), \
         exists (select from pg_catalog.pg_namespace where nspname = $1), \
         coalesce((select bool_and(has_table_privilege(c.oid, 'SELECT') and has_table_privilege(c.oid, 'INSERT') \
         and (c.relname = 'audit_log' or has_table_privilege(c.oid, 'UPDATE') and has_table_privilege(c.oid, 'DELETE'))) \
         from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
         where n.nspname = $1 and c.relkind = 'r' and has_schema_privilege(n.oid, 'USAGE')), false)",
        &[schema],
    )
    .await?;
    let (create, stands, writes) = (row.boolean(0), row.boolean(1), row.boolean(2));
    let help = "ask a database administrator to run: limosa init --print-ledger-sql";
    match (stands, writes, create) {
        (true, true, _) => checks.ok("ledger rights", "the ledger stands and can be written"),
        (true, false, _) => checks.bad("ledger rights", "the ledger stands but cannot be written", help),
        (false, _, true) => checks.ok("ledger rights", "the ledger can be made"),
        (false, _, false) => checks.bad("ledger rights", "the ledger does not stand and cannot be made", help),
    }
    let row = one(
        opened,
        "select current_schema()::text, coalesce(has_schema_privilege(current_schema(), 'CREATE'), false), current_user::text",
        &[],
    )
    .await?;
    match (row.text(0), row.boolean(1)) {
        (Some(schema), true) => checks.ok("schema rights", format!("tables can be made in {schema}")),
        (Some(schema), false) => {
            let engine = Engine::Postgres;
            let (name, user) =
                (engine.quote_identifier(&schema), engine.quote_identifier(&row.text(2).unwrap_or_default()));
            checks.warn(
                "schema rights",
                format!("tables cannot be made in {schema}, where names without a schema go"),
                format!("grant create on schema {name} to {user}; or take on the owner's role: --role"),
            );
        }
        (None, _) => checks.warn(
            "schema rights",
            "no schema of the search path stands",
            "make one, or name schemas in the files",
        ),
    }
    Ok(())
}

async fn long_transactions(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let rows = opened
        .session
        .query(
            "select pid::bigint, usename::text, application_name, state, extract(epoch from clock_timestamp() - xact_start)::bigint \
             from pg_catalog.pg_stat_activity where xact_start < clock_timestamp() - interval '60 s' and pid <> pg_backend_pid() \
             and datname = current_database() order by xact_start limit 5",
            &[],
        )
        .await?;
    if rows.is_empty() {
        checks.ok("old transactions", "none older than a minute");
    }
    for row in rows {
        let seen = format!(
            "process {} of {} ({}), {} for {} s",
            row.integer(0).unwrap_or(0),
            row.text(1).unwrap_or_default(),
            row.text(2).unwrap_or_default(),
            row.text(3).unwrap_or_default(),
            row.integer(4).unwrap_or(0)
        );
        checks.warn(
            "old transaction",
            seen,
            "it may hold locks that a migration waits for; CONCURRENTLY waits for it in any case",
        );
    }
    Ok(())
}

async fn invalid_indexes(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let rows = opened
        .session
        .query(
            "select i.indexrelid::regclass::text from pg_catalog.pg_index i where not i.indisvalid and not exists \
             (select from pg_catalog.pg_stat_progress_create_index p where p.index_relid = i.indexrelid) order by 1 limit 10",
            &[],
        )
        .await?;
    let names: Vec<String> = rows.iter().filter_map(|row| row.text(0)).collect();
    match names.is_empty() {
        true => checks.ok("invalid indexes", "none"),
        false => checks.warn(
            "invalid indexes",
            names.join(", "),
            "left by a CREATE INDEX CONCURRENTLY that died; DROP INDEX CONCURRENTLY, or let the interrupted migration go on",
        ),
    }
    Ok(())
}
