//! A database that holds tables and no ledger, where the settings say `baselineOnMigrate`: Flyway counts it as migrated up to a version, and
//! never runs what comes before. Nobody runs that here either, unless a person says so.

use limosa_core::{LedgerView, Version};
use limosa_db::ledger::TABLES;
use limosa_sql::Engine;

use crate::Failure;
use crate::opened::Opened;

/// What is said of it, and what to do; None where the settings do not ask for it, limosa has done anything here, the version is the one before
/// all others, or the database is empty.
///
/// # Errors
/// What the server says.
pub(crate) async fn told(opened: &mut Opened<'_>, view: &LedgerView) -> Result<Option<(String, String)>, Failure> {
    let asked = opened.configuration.baseline_on_migrate.clone();
    let Some(version) = asked.filter(|_| view.head.is_none()) else { return Ok(None) };
    if Version::parse(&version).ok() == Version::parse("0").ok() || !holds_anything(opened).await? {
        return Ok(None);
    }
    Ok(Some((
        format!(
            "this database holds tables, and limosa has no migration on record here: Flyway would count all up to version {version} as \
             applied, for flyway.baselineOnMigrate says so"
        ),
        format!(
            "where they stand in it: limosa baseline --to {version}; where they must run here all the same: --ignore-other-ledgers"
        ),
    )))
}

/// True where the schema in which the files work holds a table, a view or a sequence that is not limosa's own.
async fn holds_anything(opened: &mut Opened<'_>) -> Result<bool, Failure> {
    let names = &opened.ledger.names;
    let own: Vec<String> = TABLES.iter().map(|table| names.fill(&format!("{{{table}_text}}"))).collect();
    let own = own.join(", ");
    let sql = match opened.target.engine {
        Engine::Postgres => format!(
            "select exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
             where n.nspname = pg_catalog.current_schema() and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') \
             and not (n.nspname = {} and c.relname in ({own})) \
             and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass \
             and d.objid = c.oid and d.deptype = 'e'))",
            names.fill("{schema_text}")
        ),
        Engine::Mysql => format!(
            "select exists (select 1 from information_schema.tables where table_schema = database() and table_name not in ({own}))"
        ),
        _ => format!(
            "select exists (select 1 from sqlite_schema where type in ('table', 'view') and name not like 'sqlite\\_%' escape '\\' \
             and name not in ({own}))"
        ),
    };
    let rows = opened.session.query(&sql, &[]).await?;
    Ok(rows.first().is_some_and(|row| row.boolean(0)))
}
