//! A database that holds tables and no ledger: Flyway refuses to migrate it, or, where the settings say `baselineOnMigrate`, counts it as
//! migrated up to a version, and never runs what comes before. Nobody runs that here either, unless a person says so.

use limosa_core::{ForeignTool, LedgerView, Version};
use limosa_db::ledger::TABLES;
use limosa_sql::{Diagnostic, Engine};

use crate::Failure;
use crate::opened::Opened;

/// What is said of it; None where the files are not Flyway's, limosa has done anything here, the version is the one before all others, or the
/// database is empty.
///
/// # Errors
/// What the server says.
pub(crate) async fn told(opened: &mut Opened<'_>, view: &LedgerView) -> Result<Option<Diagnostic>, Failure> {
    let counted = opened.configuration.baseline_on_migrate.clone();
    let is_asked = counted.is_some() || opened.tool == Some(ForeignTool::Flyway);
    let counts_nothing =
        counted.as_ref().is_some_and(|version| Version::parse(version).is_ok_and(|it| it.is_nothing()));
    if !is_asked || counts_nothing || view.head.is_some() || !holds_anything(opened).await? {
        return Ok(None);
    }
    let holds = "this database holds tables, and limosa has no migration on record here";
    let (message, help) = match counted {
        Some(version) => (
            format!(
                "{holds}: Flyway would count all up to version {version} as applied, for flyway.baselineOnMigrate says so"
            ),
            format!(
                "where they stand in it: limosa baseline --to {version}; where they must run here all the same: --ignore-other-ledgers"
            ),
        ),
        None => (
            format!("{holds}: Flyway would not migrate it either"),
            "see whether it is the database that is meant. Where its tables are what migrations have made: limosa baseline --to VERSION counts \
             all up to that one as applied; where they have nothing to do with these files: --ignore-other-ledgers"
                .to_owned(),
        ),
    };
    Ok(Some(Diagnostic::error("LIM-P040", message).help(help)))
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
