//! Ledgers that stand where a tool keeps none by itself: in another schema, or under another name.
//!
//! A table is known by its name, whatever its schema, or by its columns, whatever its name. By columns only where they are exactly those
//! that a tool makes and one of them is a word of that tool's own: `version`, or `id` with `applied_at`, may be anybody's.

use limosa_core::ForeignTool;
use limosa_sql::Engine;

use super::tools::{Tool, all};
use super::{OtherLedger, Seen, Unread};
use crate::ledger::Ledger;
use crate::{DbError, Item, Row, Session};

/// So many are read; of more it is only told that they are there, as where each tenant has a schema of his own.
const READ: usize = 20;

/// Tools that keep their ledger in another database than that of the session where somebody says so (MySQL), with the names of its table.
const IN_ANOTHER_DATABASE: &[(ForeignTool, &str)] = &[
    (ForeignTool::Flyway, "'flyway_schema_history'"),
    (ForeignTool::Liquibase, "'DATABASECHANGELOG', 'databasechangelog'"),
    (ForeignTool::Goose, "'goose_db_version'"),
    (ForeignTool::Sqitch, "'changes'"),
];

/// What else tools make beside their ledgers: a database that holds nothing but such tables keeps them for others.
const BESIDE: &str = "'databasechangeloglock', 'releases', 'projects', 'tags', 'dependencies', 'events'";

/// Tables that may be such ledgers, in one question, in the columns of [`super::tables`]. Those that [`super::tables`] tells are not
/// among them.
///
/// Where the catalogue is large, it is read once: for the columns by which tools are known, and for names.
pub(super) fn tables(engine: Engine, own_schema: &str, of_files: Option<ForeignTool>) -> String {
    let list = |names: Vec<&str>| names.iter().map(|name| engine.quote_literal(name)).collect::<Vec<_>>().join(", ");
    let usual = list(all().filter(|tool| tool.schema.is_none()).map(|tool| tool.table).collect());
    let names = list(all().map(|tool| tool.table).collect());
    let marks = list(all().filter_map(|tool| tool.shape.first().copied()).collect());
    match engine {
        Engine::Postgres => {
            let own = all().filter_map(|tool| {
                Some(format!("({}, {})", engine.quote_literal(tool.schema?), engine.quote_literal(tool.table)))
            });
            format!(
                "select false, n.nspname::text, c.relname::text, (select pg_catalog.string_agg(a.attname, ',') \
                 from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) \
                 from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
                 where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', {}) \
                 and n.nspname !~ '^pg_' and (pg_catalog.lower(c.relname) in ({names}) or c.oid in (select a.attrelid \
                 from pg_catalog.pg_attribute a where a.attname in ({marks}) and a.attnum > 0 and not a.attisdropped)) \
                 and not (c.relname in ({usual}) and pg_catalog.pg_table_is_visible(c.oid)) \
                 and (n.nspname, c.relname) not in ({}) order by 2, 3",
                engine.quote_literal(own_schema),
                own.collect::<Vec<_>>().join(", ")
            )
        }
        Engine::Mysql => {
            // A database without tables has no history, and one with tables of an application's has that one's ledger.
            let further = IN_ANOTHER_DATABASE.iter().find(|(tool, _)| Some(*tool) == of_files).map(|(_, tables)| {
                format!(
                    " union all select 0, c.table_schema, c.table_name, group_concat(c.column_name) from information_schema.columns c \
                     where c.table_name in ({tables}) and c.table_schema <> database() and c.table_schema not in \
                     ('mysql', 'information_schema', 'performance_schema', 'sys') and exists (select 1 from information_schema.tables t \
                     where t.table_schema = database() and t.table_type = 'BASE TABLE') and not exists (select 1 from information_schema.tables x \
                     where x.table_schema = c.table_schema and lower(x.table_name) not in ({names}, {BESIDE})) \
                     group by c.table_schema, c.table_name"
                )
            });
            format!(
                "select 0, null, c.table_name, group_concat(c.column_name) from information_schema.columns c \
                 where c.table_schema = database() and lower(c.table_name) not in ({usual}) group by c.table_name \
                 having max(lower(c.table_name) in ({names}) or lower(c.column_name) in ({marks})) = 1{} order by 2, 3",
                further.unwrap_or_default()
            )
        }
        // Tables of modules may need a module that is not here.
        _ => format!(
            "select 0, null, t.name, group_concat(c.name) from sqlite_schema t join pragma_table_info(t.name) c \
             where t.type = 'table' and t.sql not like 'create virtual%' and lower(t.name) not in ({usual}) group by t.name \
             having lower(t.name) in ({names}) or max(lower(c.name) in ({marks})) = 1 order by 3"
        ),
    }
}

/// The tool whose ledger a table is, which stands where no tool keeps its own by itself.
fn known(table: &str, columns: &str) -> Option<&'static Tool> {
    let columns: Vec<&str> = columns.split(',').collect();
    all().find(|tool| tool.is(tool.schema, table, &columns)).or_else(|| all().find(|tool| tool.is_shaped(&columns)))
}

impl Tool {
    /// True where the columns are exactly those that the tool makes, one of which no other table is likely to have.
    fn is_shaped(&self, columns: &[&str]) -> bool {
        let is = |found: &str, column: &str| found.eq_ignore_ascii_case(column);
        let is_of_tool = |found: &&str| self.shape.iter().chain(self.shape_beside).any(|column| is(found, column));
        !self.shape.is_empty()
            && self.fits(columns)
            && self.shape.iter().all(|column| columns.iter().any(|found| is(found, column)))
            && columns.iter().all(is_of_tool)
    }
}

/// A row of [`tables`].
pub(super) fn seen(row: &Row) -> Option<Seen> {
    let (schema, table, columns) = (row.text(1), row.text(2)?, row.text(3)?);
    let known = known(&table, &columns)?;
    let shown = schema.as_ref().map_or_else(|| table.clone(), |schema| format!("{schema}.{table}"));
    Some(Seen { known: Some(known), tool: known.name, schema, table, shown, columns: Some(columns), is_meant: false })
}

/// What stands in them; those with no migration are left out.
pub(super) async fn look(
    seen: impl Iterator<Item = Seen>,
    session: &mut dyn Session,
    book: &Ledger,
) -> Result<Vec<OtherLedger>, DbError> {
    let mut found = Vec::new();
    for (at, one) in seen.enumerate() {
        let other = match at < READ {
            true => one.look_patiently(session, book).await?,
            false => Some(one.unread(Unread::Uncounted)),
        };
        found.extend(other.map(|other| OtherLedger { is_stray: true, ..other }));
    }
    Ok(found)
}

/// The ledgers of other tools that stand in another schema, or under another name than their tools give them; `of_files` is the tool
/// whose files are here.
///
/// # Errors
/// What the server says.
pub async fn stray_ledgers(
    session: &mut dyn Session,
    book: &Ledger,
    of_files: Option<ForeignTool>,
) -> Result<Vec<OtherLedger>, DbError> {
    let sql = tables(session.facts().engine(), &book.names.schema, of_files);
    let rows = session.query_item(Item::Bound { sql, parameters: Vec::new() }).await?;
    look(rows.iter().filter_map(seen), session, book).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_known_by_its_name_or_by_columns_that_are_nobody_elses() {
        for (table, columns, expected) in [
            ("goose_db_version", "id,version_id,is_applied,tstamp", Some("goose")),
            ("history", "id,version_id,is_applied,tstamp", Some("goose")),
            ("history", "ID,VERSION_ID,IS_APPLIED,TSTAMP", Some("goose")),
            // One more, one less.
            ("history", "id,version_id,is_applied,tstamp,note", None),
            ("history", "id,version_id,is_applied", None),
            (
                "schema_version",
                "installed_rank,version,description,type,script,checksum,installed_by,installed_on,execution_time,success",
                Some("Flyway"),
            ),
            ("ran", "version,dirty", Some("golang-migrate")),
            // Of both forms.
            (
                "deployed",
                "change_id,change,project,note,committed_at,committer_name,committer_email,planned_at,planner_name,planner_email",
                Some("Sqitch"),
            ),
            (
                "deployed",
                "change_id,change,project,note,committed_at,committer_name,committer_email,planned_at,planner_name,planner_email,script_hash",
                Some("Sqitch"),
            ),
            ("schema_migrations", "version", Some("dbmate or Rails")),
            // Words that anybody may use prove nothing.
            ("ran", "version", None),
            ("ran", "version_num", None),
            ("ran", "id,applied_at", None),
            ("ran", "id,hash,created_at", None),
            // limosa's own, of an earlier name of its schema.
            ("schema_migrations", "project,identity,version,name,checksum", None),
        ] {
            assert_eq!(known(table, columns).map(|tool| tool.name), expected, "{table} ({columns})");
        }
    }

    #[test]
    fn no_two_tools_have_one_shape() {
        for tool in all().filter(|tool| !tool.shape.is_empty()) {
            let same: Vec<&str> = all().filter(|other| other.is_shaped(tool.shape)).map(|other| other.name).collect();
            assert!(same.iter().all(|name| *name == tool.name), "{}: {same:?}", tool.name);
        }
    }
}
