//! Ledgers of other migration tools, recognised by the names and columns of their tables.
//!
//! Names and columns are those that each tool makes: Flyway 7 to 11, Liquibase 3 to 4, golang-migrate 4, dbmate 2 (Rails has the
//! same table), goose 3, sqlx 0.5 on, refinery 0.5 on, diesel 1.4 on, Prisma 2 on, drizzle 0.20 on, sql-migrate 1,
//! node-pg-migrate 3 on, Knex, Alembic, Django, Sqitch 1.

mod empty;
mod failures;
mod found;
mod making;
mod runner_lock;
mod tools;
mod writing;

use limosa_core::ForeignTool;
use limosa_sql::Engine;

use crate::ledger::Ledger;
use crate::{DbError, DbErrorKind, Item, Row, Session};
pub use empty::missing_ledger;
pub use found::{FoundLedger, HeldLock, NamedTable, invalid_indexes, ledgers_to_adopt};
use found::{best_of, named_table};
pub use runner_lock::RunnerLock;
use tools::{Tool, all};
pub use writing::Spent;

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

impl Tool {
    fn is(&self, schema: Option<&str>, table: &str, columns: &[&str]) -> bool {
        let has = |column: &&str| columns.iter().any(|found| found.eq_ignore_ascii_case(column));
        self.schema == schema
            && self.table.eq_ignore_ascii_case(table)
            && self.has.iter().all(&has)
            && !self.lacks.iter().any(has)
    }
}

/// The tables of known names with their columns: whether the schema is one of a tool's own, schema (PostgreSQL), table, columns
/// joined by commas.
fn tables(engine: Engine) -> String {
    let names = |own: bool| {
        let tables = all().filter(|tool| tool.schema.is_some() == own);
        tables.map(|tool| engine.quote_literal(tool.table)).collect::<Vec<_>>().join(", ")
    };
    match engine {
        Engine::Postgres => {
            let own = all().filter_map(|tool| {
                Some(format!("({}, {})", engine.quote_literal(tool.schema?), engine.quote_literal(tool.table)))
            });
            format!(
                "select not pg_catalog.pg_table_is_visible(c.oid), n.nspname::text, c.relname::text, \
                 pg_catalog.string_agg(a.attname, ',') from pg_catalog.pg_class c \
                 join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
                 join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped \
                 where c.relkind in ('r', 'p') and ((c.relname in ({}) and pg_catalog.pg_table_is_visible(c.oid)) \
                 or (n.nspname, c.relname) in ({})) group by c.oid, n.nspname, c.relname order by 3",
                names(false),
                own.collect::<Vec<_>>().join(", ")
            )
        }
        Engine::Mysql => format!(
            "select 0, null, table_name, group_concat(column_name) from information_schema.columns \
             where table_schema = database() and lower(table_name) in ({}) group by table_name order by 3",
            names(false)
        ),
        _ => {
            // A tool's own schema is a database that is attached.
            let own: String = all()
                .filter_map(|tool| {
                    let columns = columns_of_attached(engine, tool.schema?, &engine.quote_literal(tool.table));
                    Some(format!(" union all select 1, {columns}"))
                })
                .collect();
            format!(
                "select 0, null, t.name, group_concat(c.name) from sqlite_schema t join pragma_table_info(t.name) c \
                 where t.type = 'table' and lower(t.name) in ({}) group by t.name{own} order by 3",
                names(false)
            )
        }
    }
}

/// Database, table and columns of a table in one of a SQLite session's databases; no row where there is no such database.
fn columns_of_attached(engine: Engine, database: &str, table: &str) -> String {
    format!(
        "d.name, {table}, group_concat(c.name) from pragma_database_list d join pragma_table_info({table}, d.name) c \
         where d.name = {} group by d.name",
        engine.quote_literal(database)
    )
}

/// Errors that say nothing of the table.
const PASSING: &[DbErrorKind] = &[DbErrorKind::LockTimeout, DbErrorKind::Cancelled, DbErrorKind::ConnectionLost];

/// The ledgers of other tools that hold at least one migration. One that our rights do not show is passed over. Where settings name
/// the table of a tool, that is the only one of this tool's: others are those of other projects.
///
/// # Errors
/// What the server says, a table that somebody keeps locked among it.
pub async fn other_ledgers(
    session: &mut dyn Session,
    book: &Ledger,
    told: Option<(&NamedTable, Option<ForeignTool>)>,
) -> Result<Vec<OtherLedger>, DbError> {
    let engine = session.facts().engine();
    let mut tables_found = Vec::new();
    if let Some((named, tool)) = told {
        let rows = session.query(&named_table(engine, named), &[]).await?;
        tables_found.extend(rows.first().and_then(|row| told_of(row, named, tool)));
    }
    let is_told = |known: &Tool| told.is_some_and(|(_, tool)| tool.is_some() && known.rows.map(|(own, _)| own) == tool);
    let in_sight = session.query(&tables(engine), &[]).await?;
    let in_sight = in_sight.iter().filter_map(recognised).filter(|(known, ..)| !is_told(known));
    tables_found.extend(in_sight.map(|(known, schema, table)| (known, schema, table, known.schema.map(str::to_owned))));
    let mut found = Vec::new();
    for (tool, schema, table, shown) in tables_found {
        let shown = shown.map_or_else(|| table.clone(), |shown| format!("{shown}.{table}"));
        let quoted = engine.quote_qualified(schema.as_deref(), &table);
        let questions = tool.questions(engine, &quoted);
        // A table that an unusual version of the tool made may not tell what failed.
        for asked in [&questions[..], &questions[..2]] {
            let items = asked.iter().map(|sql| Item::Bound { sql: sql.clone(), parameters: Vec::new() }).collect();
            match book.transact(session, items).await {
                Ok(answers) => {
                    found.extend(tool.told(shown, &answers));
                    break;
                }
                Err(error) if PASSING.contains(&error.kind) => return Err(error),
                Err(_) => {}
            }
        }
    }
    Ok(found)
}

/// The tool of a table that settings name, by its columns where they name no tool, as [`recognised`] tells it, and the schema as they
/// name it.
fn told_of(
    row: &Row,
    named: &NamedTable,
    tool: Option<ForeignTool>,
) -> Option<(&'static Tool, Option<String>, String, Option<String>)> {
    let columns = row.text(3).unwrap_or_default();
    let known = best_of(&columns.split(',').collect::<Vec<_>>(), tool)?;
    Some((known, row.text(1), row.text(2).unwrap_or_else(|| named.table.clone()), named.schema.clone()))
}

/// The tool, the schema where the server has told it, and the table.
fn recognised(row: &Row) -> Option<(&'static Tool, Option<String>, String)> {
    let (schema, table, columns) = (row.text(1), row.text(2)?, row.text(3)?);
    let columns: Vec<&str> = columns.split(',').collect();
    let own = schema.as_deref().filter(|_| row.boolean(0));
    let tool = all().find(|tool| tool.is(own, &table, &columns))?;
    Some((tool, schema, table))
}

impl Tool {
    /// How many migrations, the newest, and how many that did not end well.
    fn questions(&self, engine: Engine, table: &str) -> [String; 3] {
        let which = if self.counts.is_empty() { String::new() } else { format!(" where {}", self.counts) };
        let (column, order) = self.newest;
        let text = if engine == Engine::Mysql { "char" } else { "text" };
        let columns: Vec<String> = column.split("::").map(|column| engine.quote_identifier(column)).collect();
        let column = match columns.as_slice() {
            [column] => column.clone(),
            several => format!("concat({})", several.join(", '::', ")),
        };
        let broken = self.broken.map_or("1 = 0", |(which, _)| which);
        [
            format!("select count(*) from {table}{which}"),
            format!("select cast({column} as {text}) from {table}{which} order by {order} limit 1"),
            format!("select count(*) from {table} where {broken}"),
        ]
    }

    /// The answers to the questions; None where there is no migration.
    fn told(&self, table: String, answers: &[Vec<Row>]) -> Option<OtherLedger> {
        let first = |at: usize| answers.get(at).and_then(|rows| rows.first());
        let count = |at: usize| first(at).and_then(|row| row.integer(0)).unwrap_or(0);
        let newest = first(1).and_then(|row| row.text(0));
        let broken = self.broken.filter(|_| count(2) > 0).map(|(_, words)| words);
        (count(0) > 0).then_some(OtherLedger { tool: self.name, table, newest, broken })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_that_share_a_name_are_told_apart_by_their_columns() {
        let tool = |table: &str, columns: &str| {
            let row = Row(vec![false.into(), crate::Value::Null, table.into(), columns.into()]);
            recognised(&row).map(|(tool, _, _)| tool.name)
        };
        assert_eq!(tool("schema_migrations", "version,dirty"), Some("golang-migrate"));
        assert_eq!(tool("schema_migrations", "version"), Some("dbmate or Rails"));
        // limosa's own, in a schema in sight.
        assert_eq!(tool("schema_migrations", "project,identity,version,name"), None);
        assert_eq!(tool("DATABASECHANGELOG", "ID,AUTHOR,FILENAME,ORDEREXECUTED,MD5SUM"), Some("Liquibase"));
        assert_eq!(tool("flyway_schema_history", "note"), None);
        assert_eq!(tool("changes", "change_id,change,committed_at"), None);
    }
}
