//! Ledgers of other migration tools, recognised by the names and columns of their tables.
//!
//! Names and columns are those that each tool makes: Flyway 7 to 11, Liquibase 3 to 4, golang-migrate 4, dbmate 2 (Rails has the
//! same table), goose 3, sqlx 0.5 on, refinery 0.5 on, diesel 1.4 on, Prisma 2 on, drizzle 0.20 on, sql-migrate 1,
//! node-pg-migrate 3 on, Knex, Alembic, Django, Sqitch 1.

use limosa_sql::Engine;

use crate::{DbError, Row, Session};

/// What another tool says that it has done here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherLedger {
    /// The tool.
    pub tool: &'static str,
    /// Its table, with the schema where that is one of the tool's own.
    pub table: String,
    /// The newest migration as the tool calls it, where that can be read.
    pub newest: Option<String>,
    /// What it says of one that did not end well, in words; None where it has none.
    pub broken: Option<&'static str>,
}

struct Tool {
    name: &'static str,
    /// The schema, where the tool has one of its own; else the table is looked for where a bare name is.
    schema: Option<&'static str>,
    table: &'static str,
    /// Columns that it has, all of them.
    has: &'static [&'static str],
    /// Columns that it has not.
    lacks: &'static [&'static str],
    /// Which rows stand for migrations; all where empty.
    counts: &'static str,
    /// The column that names a migration, and the order in which the newest comes first.
    newest: (&'static str, &'static str),
    /// Which rows stand for migrations that did not end well, and how the tool calls them.
    broken: Option<(&'static str, &'static str)>,
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "Flyway",
        schema: None,
        table: "flyway_schema_history",
        has: &["installed_rank", "version", "success"],
        lacks: &[],
        counts: "version is not null",
        newest: ("version", "installed_rank desc"),
        broken: Some(("not success", "one of its migrations failed")),
    },
    Tool {
        name: "Liquibase",
        schema: None,
        table: "databasechangelog",
        has: &["id", "orderexecuted", "md5sum"],
        lacks: &[],
        counts: "",
        newest: ("id", "orderexecuted desc"),
        broken: None,
    },
    Tool {
        name: "golang-migrate",
        schema: None,
        table: "schema_migrations",
        has: &["version", "dirty"],
        lacks: &["identity"],
        counts: "",
        newest: ("version", "version desc"),
        broken: Some(("dirty", "it calls that version dirty")),
    },
    Tool {
        name: "dbmate or Rails",
        schema: None,
        table: "schema_migrations",
        has: &["version"],
        lacks: &["dirty", "identity"],
        counts: "",
        newest: ("version", "version desc"),
        broken: None,
    },
    Tool {
        name: "goose",
        schema: None,
        table: "goose_db_version",
        has: &["version_id", "is_applied"],
        lacks: &[],
        counts: "version_id > 0",
        newest: ("version_id", "version_id desc"),
        broken: None,
    },
    Tool {
        name: "sqlx",
        schema: None,
        table: "_sqlx_migrations",
        has: &["version", "checksum"],
        lacks: &[],
        counts: "",
        newest: ("version", "version desc"),
        broken: Some(("not success", "one of its migrations failed")),
    },
    Tool {
        name: "refinery",
        schema: None,
        table: "refinery_schema_history",
        has: &["version", "checksum"],
        lacks: &[],
        counts: "",
        newest: ("version", "version desc"),
        broken: None,
    },
    Tool {
        name: "diesel",
        schema: None,
        table: "__diesel_schema_migrations",
        has: &["version", "run_on"],
        lacks: &[],
        counts: "",
        newest: ("version", "version desc"),
        broken: None,
    },
    Tool {
        name: "Prisma",
        schema: None,
        table: "_prisma_migrations",
        has: &["migration_name", "started_at"],
        lacks: &[],
        counts: "",
        newest: ("migration_name", "started_at desc"),
        broken: Some(("finished_at is null and rolled_back_at is null", "one of its migrations failed")),
    },
    Tool {
        name: "drizzle",
        schema: Some("drizzle"),
        table: "__drizzle_migrations",
        has: &["hash", "created_at"],
        lacks: &[],
        counts: "",
        newest: ("created_at", "created_at desc"),
        broken: None,
    },
    Tool {
        name: "drizzle",
        schema: None,
        table: "__drizzle_migrations",
        has: &["hash", "created_at"],
        lacks: &[],
        counts: "",
        newest: ("created_at", "created_at desc"),
        broken: None,
    },
    Tool {
        name: "sql-migrate",
        schema: None,
        table: "gorp_migrations",
        has: &["id", "applied_at"],
        lacks: &[],
        counts: "",
        newest: ("id", "id desc"),
        broken: None,
    },
    Tool {
        name: "node-pg-migrate",
        schema: None,
        table: "pgmigrations",
        has: &["id", "name", "run_on"],
        lacks: &[],
        counts: "",
        newest: ("name", "id desc"),
        broken: None,
    },
    Tool {
        name: "Knex",
        schema: None,
        table: "knex_migrations",
        has: &["id", "name", "batch"],
        lacks: &[],
        counts: "",
        newest: ("name", "id desc"),
        broken: None,
    },
    Tool {
        name: "Alembic",
        schema: None,
        table: "alembic_version",
        has: &["version_num"],
        lacks: &[],
        counts: "",
        newest: ("version_num", "version_num desc"),
        broken: None,
    },
    Tool {
        name: "Django",
        schema: None,
        table: "django_migrations",
        has: &["id", "app", "name"],
        lacks: &[],
        counts: "",
        newest: ("name", "id desc"),
        broken: None,
    },
    Tool {
        name: "Sqitch",
        schema: Some("sqitch"),
        table: "changes",
        has: &["change_id", "change", "committed_at"],
        lacks: &[],
        counts: "",
        newest: ("change", "committed_at desc"),
        broken: None,
    },
];

impl Tool {
    fn is(&self, schema: Option<&str>, table: &str, columns: &[&str]) -> bool {
        let has = |column: &&str| columns.iter().any(|found| found.eq_ignore_ascii_case(column));
        self.schema == schema
            && self.table.eq_ignore_ascii_case(table)
            && self.has.iter().all(&has)
            && !self.lacks.iter().any(has)
    }
}

/// The tables of known names with their columns: schema where it is a tool's own, table, columns joined by commas.
fn tables(engine: Engine) -> String {
    let names = |own: bool| {
        let tables = TOOLS.iter().filter(|tool| tool.schema.is_some() == own);
        tables.map(|tool| engine.quote_literal(tool.table)).collect::<Vec<_>>().join(", ")
    };
    match engine {
        Engine::Postgres => {
            let own = TOOLS.iter().filter_map(|tool| {
                Some(format!("({}, {})", engine.quote_literal(tool.schema?), engine.quote_literal(tool.table)))
            });
            format!(
                "select case when pg_catalog.pg_table_is_visible(c.oid) then null else n.nspname end::text, c.relname::text, \
                 pg_catalog.string_agg(a.attname, ',') from pg_catalog.pg_class c \
                 join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
                 join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped \
                 where c.relkind in ('r', 'p') and ((c.relname in ({}) and pg_catalog.pg_table_is_visible(c.oid)) \
                 or (n.nspname, c.relname) in ({})) group by c.oid, n.nspname, c.relname order by 2",
                names(false),
                own.collect::<Vec<_>>().join(", ")
            )
        }
        Engine::Mysql => format!(
            "select null, table_name, group_concat(column_name) from information_schema.columns \
             where table_schema = database() and lower(table_name) in ({}) group by table_name order by 2",
            names(false)
        ),
        _ => format!(
            "select null, t.name, group_concat(c.name) from sqlite_schema t join pragma_table_info(t.name) c \
             where t.type = 'table' and lower(t.name) in ({}) group by t.name order by 2",
            names(false)
        ),
    }
}

/// The ledgers of other tools that hold at least one migration. One that may not be read is passed over.
///
/// # Errors
/// What the server says of the list of tables.
pub async fn other_ledgers(session: &mut dyn Session) -> Result<Vec<OtherLedger>, DbError> {
    let engine = session.facts().engine();
    let mut found = Vec::new();
    for row in session.query(&tables(engine), &[]).await? {
        let Some((tool, table)) = recognised(&row) else { continue };
        if let Ok(Some(ledger)) = read(session, tool, &table).await {
            found.push(ledger);
        }
    }
    Ok(found)
}

fn recognised(row: &Row) -> Option<(&'static Tool, String)> {
    let (schema, table, columns) = (row.text(0), row.text(1)?, row.text(2)?);
    let columns: Vec<&str> = columns.split(',').collect();
    let tool = TOOLS.iter().find(|tool| tool.is(schema.as_deref(), &table, &columns))?;
    Some((tool, table))
}

async fn read(session: &mut dyn Session, tool: &'static Tool, table: &str) -> Result<Option<OtherLedger>, DbError> {
    let engine = session.facts().engine();
    let quoted = engine.quote_qualified(tool.schema, table);
    let which = if tool.counts.is_empty() { String::new() } else { format!(" where {}", tool.counts) };
    let count = session.query(&format!("select count(*) from {quoted}{which}"), &[]).await?;
    if count.first().and_then(|row| row.integer(0)).unwrap_or(0) == 0 {
        return Ok(None);
    }
    let (column, order) = tool.newest;
    let text = if engine == Engine::Mysql { "char" } else { "text" };
    let column = engine.quote_identifier(column);
    let newest = format!("select cast({column} as {text}) from {quoted}{which} order by {order} limit 1");
    let newest = session.query(&newest, &[]).await.ok();
    let newest = newest.and_then(|rows| rows.first().and_then(|row| row.text(0)));
    let mut broken = None;
    if let Some((which, words)) = tool.broken {
        let count = session.query(&format!("select count(*) from {quoted} where {which}"), &[]).await.ok();
        let count = count.and_then(|rows| rows.first().and_then(|row| row.integer(0)));
        broken = count.filter(|count| *count > 0).map(|_| words);
    }
    let table = tool.schema.map_or_else(|| table.to_owned(), |schema| format!("{schema}.{table}"));
    Ok(Some(OtherLedger { tool: tool.name, table, newest, broken }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_that_share_a_name_are_told_apart_by_their_columns() {
        let tool = |table: &str, columns: &str| {
            let row = Row(vec![crate::Value::Null, table.into(), columns.into()]);
            recognised(&row).map(|(tool, _)| tool.name)
        };
        assert_eq!(tool("schema_migrations", "version,dirty"), Some("golang-migrate"));
        assert_eq!(tool("schema_migrations", "version"), Some("dbmate or Rails"));
        // limosa's own, in a schema in sight.
        assert_eq!(tool("schema_migrations", "project,identity,version,name"), None);
        assert_eq!(tool("DATABASECHANGELOG", "ID,ORDEREXECUTED,MD5SUM"), Some("Liquibase"));
        assert_eq!(tool("flyway_schema_history", "note"), None);
        assert_eq!(tool("changes", "change_id,change,committed_at"), None);
    }
}
