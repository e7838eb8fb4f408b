//! Ledgers of other migration tools, recognised by the names and columns of their tables.
//!
//! Names and columns are those that each tool makes: Flyway 7 to 11, Liquibase 3 to 4, golang-migrate 4, dbmate 2 (Rails has the
//! same table), goose 3, sqlx 0.5 on, refinery 0.5 on, diesel 1.4 on, Prisma 2 on, drizzle 0.20 on, sql-migrate 1,
//! node-pg-migrate 3 on, Knex, Alembic, Django, Sqitch 1.

mod columns;
mod empty;
mod failures;
mod found;
mod making;
mod runner_lock;
mod stray;
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
pub use stray::stray_ledgers;
use tools::{Tool, all};
pub use writing::Spent;

/// What another tool says that it has done here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherLedger {
    /// The tool.
    pub tool: &'static str,
    /// The same, where limosa can take its ledger over.
    pub from: Option<ForeignTool>,
    /// Its table, with the schema where that is one of the tool's own, or not where the tool keeps it by itself.
    pub table: String,
    /// It stands in another schema, or under another name than its tool gives it.
    pub is_stray: bool,
    /// How many migrations it has on record; 0 where that is not known.
    pub count: u64,
    /// The newest migration as the tool calls it, where that can be read.
    pub newest: Option<String>,
    /// What it says of one that did not end well, in words; None where it has none.
    pub broken: Option<&'static str>,
    /// Columns that no version of the tool is known to make.
    pub unknown_columns: Vec<String>,
    /// Why its rows say nothing; None where they were read.
    pub unread: Option<Unread>,
    /// The schema of the table as the catalogue has it, and the table.
    pub place: (Option<String>, String),
}

/// Why a table says nothing of what its tool has applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// The user may not read it, in the server's words.
    Denied(String),
    /// It holds rows, and its form is none that the tool is known to make: how it differs.
    Unknown(String),
    /// Settings name it, and it is not there, or the user may not see it.
    Missing,
    /// There are many that stand elsewhere, and this one was not looked at.
    Uncounted,
}

impl Tool {
    fn is(&self, schema: Option<&str>, table: &str, columns: &[&str]) -> bool {
        self.schema == schema && self.table.eq_ignore_ascii_case(table) && self.fits(columns)
    }

    /// True where the columns by which its forms are told apart are there, and those that it has not are not.
    fn fits(&self, columns: &[&str]) -> bool {
        let has = |column: &&str| columns.iter().any(|found| found.eq_ignore_ascii_case(column));
        self.has.iter().all(&has) && !self.lacks.iter().any(has)
    }
}

/// The tables of known names with their columns: whether the schema is one of a tool's own, schema (PostgreSQL), table, columns
/// joined by commas; NULL where the user has no right to any of them (MySQL).
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
            "select 0, null, t.table_name, {} from information_schema.tables t \
             where t.table_schema = database() and lower(t.table_name) in ({}) order by 3",
            mysql_columns("database()"),
            names(false)
        ),
        _ => {
            // A tool's own schema is a database that is attached.
            // One that two forms of a tool have is asked for once.
            let is_first = |(at, tool): &(usize, &'static Tool)| {
                all().take(*at).all(|before| (before.schema, before.table) != (tool.schema, tool.table))
            };
            let own: String = all()
                .enumerate()
                .filter(is_first)
                .filter_map(|(_, tool)| {
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

/// The columns of each table `t` of one database, whose name is SQL that does not depend on rows. MySQL's servers that build this view anew
/// for each query look into one folder only where they know database and table beforehand, and else open each table of all databases.
fn mysql_columns(database: &str) -> String {
    format!(
        "(select group_concat(c.column_name) from information_schema.columns c \
         where c.table_schema = {database} and c.table_name = t.table_name)"
    )
}

/// Database, table and columns of a table in one of a SQLite session's databases; no row where there is no such database.
fn columns_of_attached(engine: Engine, database: &str, table: &str) -> String {
    format!(
        "d.name, {table}, group_concat(c.name) from pragma_database_list d join pragma_table_info({table}, d.name) c \
         where d.name = {} group by d.name",
        engine.quote_literal(database)
    )
}

/// A table to look at.
#[derive(Clone)]
struct Seen {
    /// The tool that made it; None where its columns are those of none.
    known: Option<&'static Tool>,
    /// The tool as people read it.
    tool: &'static str,
    schema: Option<String>,
    table: String,
    /// The table as it is shown.
    shown: String,
    /// Its columns, joined by commas; None where the user may not see them.
    columns: Option<String>,
    /// The files are of its tool, or settings name it: a form that is not known is no chance likeness then.
    is_meant: bool,
}

/// The ledgers of other tools that hold at least one migration, and those that cannot be read; of a form that no tool is known to make
/// only that of the files' tool, or the one that settings name. Behind them those that stand elsewhere, and last the one that settings name
/// and that is not there. Where settings name the table of a tool and it is there, that is the only one of this tool's: others are those of
/// other projects. Where it is not there, the settings may be those of another environment, and each other one counts. What [`contents`]
/// answered is taken from whoever has asked.
///
/// # Errors
/// What the server says, a table that somebody keeps locked among it.
pub async fn other_ledgers(
    session: &mut dyn Session,
    book: &Ledger,
    told: Option<(&NamedTable, Option<ForeignTool>)>,
    of_files: Option<ForeignTool>,
    tables_seen: Option<bool>,
) -> Result<Vec<OtherLedger>, DbError> {
    let engine = session.facts().engine();
    // Sqitch's registry is a database of its own on MySQL, and of all databases of the server: it says nothing of one without tables.
    let is_of_server = engine == Engine::Mysql && told.is_some_and(|(_, tool)| tool == Some(ForeignTool::Sqitch));
    let may_be_empty = is_of_server || (told.is_none() && engine == Engine::Postgres);
    let is_empty = match (may_be_empty, tables_seen) {
        (false, _) => false,
        (true, Some(has_tables)) => !has_tables,
        (true, None) => !contents(session).await?.tables,
    };
    if is_empty {
        return Ok(Vec::new());
    }
    let mut seen = Vec::new();
    let mut missing = None;
    let tool_told = told.and_then(|(_, tool)| tool);
    if let Some((named, tool)) = told {
        let rows = session.query(&named_table(engine, named), &[]).await?;
        match rows.first() {
            Some(row) => seen.push(told_of(row, named, tool)),
            None => missing = Some(missing_told(named, tool)),
        }
    }
    let is_told = |seen: &Seen| missing.is_none() && tool_told.is_some_and(|tool| tool.name() == seen.tool);
    let elsewhere_of = of_files.or(tool_told);
    let of_files = of_files.filter(|_| missing.is_some() || tool_told.is_none());
    let strays = stray::tables(engine, &book.names.schema, elsewhere_of);
    // One question, so that a network is waited for once.
    let usual = tables(engine);
    let both = format!("select u.*, 0 from ({usual}) u union all select s.*, 1 from ({strays}) s");
    let mut rows = session.query(&both, &[]).await?;
    rows.sort_by_key(|row| (row.text(1), row.text(2)));
    let (strays, in_sight): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.integer(4) == Some(1));
    let in_sight = in_sight.into_iter().filter_map(|row| seen_in(row, of_files));
    seen.extend(in_sight.filter(|seen| !is_told(seen)));
    let named: Vec<(Option<String>, String)> = seen.iter().map(|one| (one.schema.clone(), one.table.clone())).collect();
    let is_known = |stray: &Seen| named.iter().any(|(schema, table)| *schema == stray.schema && *table == stray.table);
    let strays: Vec<Seen> =
        strays.into_iter().filter_map(stray::seen).filter(|one| !is_told(one) && !is_known(one)).collect();
    let mut found = Vec::new();
    for one in seen {
        found.extend(one.look(session, book).await?);
    }
    // What is known for certain goes first.
    found.sort_by_key(|other| other.unread.is_some());
    found.extend(stray::look(strays.into_iter(), session, book).await?);
    found.extend(missing);
    Ok(found)
}

/// What a database holds besides what the server itself has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// Some table.
    pub tables: bool,
    /// Anything: on PostgreSQL a relation, a function, a type or an event trigger; or its transactions may not last as long as they like.
    pub anything: bool,
}

/// PostgreSQL, MySQL: what the database holds; a new one holds nothing. What is asked else is the dearest question of a first run, for a
/// session that has not looked into the catalogue before.
///
/// # Errors
/// What the server says.
pub async fn contents(session: &mut dyn Session) -> Result<Contents, DbError> {
    let sql = match session.facts().engine() {
        // FirstNormalObjectId of PostgreSQL's access/transam.h: what initdb makes has a lower one.
        Engine::Postgres => {
            "select exists (select from pg_catalog.pg_class where oid >= 16384 and relkind in ('r', 'p')), \
             exists (select from pg_catalog.pg_class where oid >= 16384) \
             or exists (select from pg_catalog.pg_proc where oid >= 16384) \
             or exists (select from pg_catalog.pg_type where oid >= 16384) \
             or exists (select from pg_catalog.pg_event_trigger) \
             or coalesce(current_setting('transaction_timeout', true), '0') <> '0'"
        }
        Engine::Mysql => {
            "select t.found, t.found from (select exists (select 1 from information_schema.tables \
             where table_schema = database() and table_type = 'BASE TABLE') as found) t"
        }
        _ => return Ok(Contents { tables: true, anything: true }),
    };
    let rows = session.query(sql, &[]).await?;
    let is = |column: usize| rows.first().is_none_or(|row| row.boolean(column));
    Ok(Contents { tables: is(0), anything: is(1) })
}

/// The table that settings name, where there is none.
fn missing_told(named: &NamedTable, tool: Option<ForeignTool>) -> OtherLedger {
    let shown = named.schema.as_ref().map(|schema| format!("{schema}.{}", named.table));
    OtherLedger {
        tool: tool.map_or("another tool", ForeignTool::name),
        from: tool,
        is_stray: false,
        count: 0,
        table: shown.unwrap_or_else(|| named.table.clone()),
        newest: None,
        broken: None,
        unknown_columns: Vec::new(),
        unread: Some(Unread::Missing),
        place: (named.schema.clone(), named.table.clone()),
    }
}

/// The table that settings name; its tool by its columns where they name none.
fn told_of(row: &Row, named: &NamedTable, tool: Option<ForeignTool>) -> Seen {
    let columns = row.text(3);
    let known = columns.as_deref().and_then(|columns| best_of(&columns.split(',').collect::<Vec<_>>(), tool));
    let table = row.text(2).unwrap_or_else(|| named.table.clone());
    let shown = named.schema.as_ref().map_or_else(|| table.clone(), |schema| format!("{schema}.{table}"));
    let name = known.map(|known| known.name).or(tool.map(ForeignTool::name));
    Seen { known, tool: name.unwrap_or("another tool"), schema: row.text(1), table, shown, columns, is_meant: true }
}

/// A table in sight of a name that tools use: one that a tool made, or may have made, where its columns are not to be seen or are
/// strange, and the files are of that tool.
fn seen_in(row: &Row, of_files: Option<ForeignTool>) -> Option<Seen> {
    if let Some((known, schema, table)) = recognised_for(row, of_files) {
        let shown = known.schema.map_or_else(|| table.clone(), |schema| format!("{schema}.{table}"));
        let is_meant = of_files.is_some() && known.rows.map(|(own, _)| own) == of_files;
        return Some(Seen {
            known: Some(known),
            tool: known.name,
            schema,
            table,
            shown,
            columns: row.text(3),
            is_meant,
        });
    }
    let known = named_as(row, of_files)?;
    let (schema, table, columns) = (row.text(1), row.text(2)?, row.text(3));
    let shown = known.schema.map_or_else(|| table.clone(), |schema| format!("{schema}.{table}"));
    Some(Seen { known: None, tool: known.name, schema, table, shown, columns, is_meant: true })
}

/// The tool whose usual name a table has, where its columns do not tell: that of the files, or the only one that uses the name where
/// the columns are not to be seen.
fn named_as(row: &Row, of_files: Option<ForeignTool>) -> Option<&'static Tool> {
    let (schema, table, columns) = (row.text(1), row.text(2)?, row.text(3));
    let own = schema.as_deref().filter(|_| row.boolean(0));
    let fits = |known: &&Tool| known.schema == own && known.table.eq_ignore_ascii_case(&table);
    let is_of_files = |known: &&Tool| of_files.is_some() && known.rows.map(|(own, _)| own) == of_files;
    let has = |column: &&str| {
        columns.iter().flat_map(|columns| columns.split(',')).any(|found| found.eq_ignore_ascii_case(column))
    };
    let known = match all().filter(fits).find(is_of_files) {
        Some(known) => known,
        None if columns.is_none() && all().filter(fits).count() == 1 => all().find(fits)?,
        None => return None,
    };
    // What it has not says that another one made it: limosa's own may be in sight.
    (!known.lacks.iter().any(has)).then_some(known)
}

impl Seen {
    /// What stands in it; None where that is no migration.
    async fn look(self, session: &mut dyn Session, book: &Ledger) -> Result<Option<OtherLedger>, DbError> {
        let engine = session.facts().engine();
        let quoted = engine.quote_qualified(self.schema.as_deref(), &self.table);
        let Some(known) = self.known else {
            let question = format!("select count(*) from (select 1 from {quoted} limit 1) found");
            let item = Item::Bound { sql: question, parameters: Vec::new() };
            return match (book.transact(session, vec![item]).await, &self.columns) {
                (Ok(answers), Some(columns)) => {
                    let count = answers.first().and_then(|rows| rows.first()).and_then(|row| row.integer(0));
                    let has = format!("its columns are {}", columns.replace(',', ", "));
                    Ok(count.is_some_and(|count| count > 0).then(|| self.unread(Unread::Unknown(has))))
                }
                (Ok(_), None) => Ok(None),
                (Err(error), _) => self.refused(error),
            };
        };
        let questions = known.questions(engine, &quoted);
        // A table that an unusual version of the tool made may not tell what failed.
        let mut first = None;
        for asked in [&questions[..], &questions[..2]] {
            let items = asked.iter().map(|sql| Item::Bound { sql: sql.clone(), parameters: Vec::new() }).collect();
            match book.transact(session, items).await {
                Ok(answers) => return Ok(known.told(self, &answers)),
                Err(error) if error.kind == DbErrorKind::Statement && first.is_none() => first = Some(error),
                Err(error) => return self.refused(error),
            }
        }
        Ok(None)
    }

    /// The same where nothing that goes wrong with the table is a reason to stop: somebody may keep it locked.
    async fn look_patiently(self, session: &mut dyn Session, book: &Ledger) -> Result<Option<OtherLedger>, DbError> {
        let again = self.clone();
        match self.look(session, book).await {
            Err(error) if error.kind == DbErrorKind::LockTimeout => {
                Ok(Some(again.unread(Unread::Denied(error.message))))
            }
            other => other,
        }
    }

    /// What an error says of the table.
    fn refused(self, error: DbError) -> Result<Option<OtherLedger>, DbError> {
        match error.kind {
            DbErrorKind::PermissionDenied => Ok(Some(self.unread(Unread::Denied(error.message)))),
            DbErrorKind::Statement if self.is_meant => Ok(Some(self.unread(Unread::Unknown(error.message)))),
            // Gone since, or another one's of the same name.
            DbErrorKind::UndefinedTable | DbErrorKind::Statement => Ok(None),
            _ => Err(error),
        }
    }

    fn unread(self, why: Unread) -> OtherLedger {
        OtherLedger {
            tool: self.tool,
            from: self.known.and_then(|known| known.rows).map(|(tool, _)| tool),
            is_stray: false,
            count: 0,
            table: self.shown,
            newest: None,
            broken: None,
            unknown_columns: Vec::new(),
            unread: Some(why),
            place: (self.schema, self.table),
        }
    }
}

/// The same, unless the table has the name that the files' tool gives its own, and lacks columns of that one: what is known of it then is
/// that a part of it is missing.
fn recognised_for(row: &Row, of_files: Option<ForeignTool>) -> Option<(&'static Tool, Option<String>, String)> {
    let (known, schema, table) = recognised(row)?;
    let (own, rows) = known.rows.unzip();
    let is_of_files = |meant: &&Tool| meant.rows.is_some_and(|(tool, _)| Some(tool) == of_files && own != of_files);
    let is_part = |meant: &Tool| {
        let needs = meant.rows.map_or(&[][..], |(_, rows)| rows.needs);
        let has = rows.map_or(&[][..], |rows| rows.needs);
        meant.schema == known.schema && meant.table == known.table && has.iter().all(|column| needs.contains(column))
    };
    (!all().filter(is_of_files).any(is_part)).then_some((known, schema, table))
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
    fn told(&self, seen: Seen, answers: &[Vec<Row>]) -> Option<OtherLedger> {
        let first = |at: usize| answers.get(at).and_then(|rows| rows.first());
        let count = |at: usize| first(at).and_then(|row| row.integer(0)).unwrap_or(0);
        let newest = first(1).and_then(|row| row.text(0));
        let broken = self.broken.filter(|_| count(2) > 0).map(|(_, words)| words);
        let columns = seen.columns.as_deref().unwrap_or_default();
        let unknown_columns = self.unknown_among(columns.split(',').filter(|column| !column.is_empty()));
        let place = (seen.schema, seen.table);
        (count(0) > 0).then_some(OtherLedger {
            tool: self.name,
            from: self.rows.map(|(tool, _)| tool),
            table: seen.shown,
            is_stray: false,
            count: count(0).unsigned_abs(),
            newest,
            broken,
            unknown_columns,
            unread: None,
            place,
        })
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
