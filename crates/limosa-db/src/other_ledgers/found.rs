//! Ledgers of other tools that limosa can take over: found, and read row by row.

use std::collections::BTreeMap;

use limosa_core::{ForeignRow, ForeignState, ForeignTool, settled};
use limosa_sql::Engine;

use super::tools::{Rows, Tool, all};
use super::{columns_of_attached, mysql_columns, named_as, recognised_for, tables};
use crate::ledger::Ledger;
use crate::{DbError, DbErrorKind, Item, Row, Session};

/// A table that a person names: `name`, or `schema.name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTable {
    /// The schema (MySQL: the database); None where a bare name is looked for.
    pub schema: Option<String>,
    /// The table.
    pub table: String,
}

impl NamedTable {
    /// Reads what a person wrote.
    pub fn parse(text: &str) -> NamedTable {
        match text.split_once('.') {
            Some((schema, table)) => NamedTable { schema: Some(schema.to_owned()), table: table.to_owned() },
            None => NamedTable { schema: None, table: text.to_owned() },
        }
    }
}

/// The ledger of another tool.
#[derive(Debug, Clone)]
pub struct FoundLedger {
    /// The name of the tool that people read.
    pub name: &'static str,
    /// The tool; None where it is recognised, and its rows cannot be taken over.
    pub tool: Option<ForeignTool>,
    pub(super) schema: Option<String>,
    /// The schema is the tool's own, and holds nothing else.
    pub(super) owns_schema: bool,
    pub(super) table: String,
    pub(super) columns: Vec<String>,
    /// Those of them that no version of the tool is known to make.
    pub(super) unknown: Vec<String>,
    pub(super) rows: Option<Rows>,
}

/// A lock of another tool that was never given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLock {
    /// Who took it.
    pub by: String,
    /// When.
    pub since: String,
    /// The table that it stands in, as SQL writes it.
    pub table: String,
}

/// The ledgers in sight, or the one that is named, as tables of `tool` where that is given. Empty ones are among them. Where no tool
/// is given, the one that the files are of tells whose a table is whose columns are strange.
///
/// # Errors
/// What the server says; a named table that is not there; a table whose tool its columns do not tell.
pub async fn ledgers_to_adopt(
    session: &mut dyn Session,
    named: Option<&NamedTable>,
    tool: Option<ForeignTool>,
    of_files: Option<ForeignTool>,
) -> Result<Vec<FoundLedger>, DbError> {
    let engine = session.facts().engine();
    let is_meant = |known: &Tool| tool.is_none() || known.rows.is_some_and(|(own, _)| Some(own) == tool);
    let Some(named) = named else {
        let rows = session.query(&tables(engine), &[]).await?;
        let known = rows.iter().filter_map(|row| {
            let (known, schema, table) = recognised_for(row, tool.or(of_files))?;
            is_meant(known).then(|| FoundLedger::new(known, schema, table, columns_of(row)))
        });
        let mut found: Vec<FoundLedger> = known.collect();
        if found.is_empty() {
            let wanted = tool.or(of_files);
            let strange = rows.iter().filter(|row| recognised_for(row, wanted).is_none());
            let mut strange = strange.filter_map(|row| Some((row, named_as(row, wanted)?)));
            if let Some((row, known)) = strange.next() {
                let (schema, table) = (row.text(1), row.text(2).unwrap_or_default());
                if row.text(3).is_some() {
                    let written = engine.quote_qualified(schema.as_deref(), &table);
                    return Err(strange_columns(&written, Some(known.name), &columns_of(row)));
                }
                found.push(FoundLedger::unseen(known, schema, table));
            }
        }
        return Ok(found);
    };
    let rows = session.query(&named_table(engine, named), &[]).await?;
    let written = engine.quote_qualified(named.schema.as_deref(), &named.table);
    let Some(row) = rows.first() else {
        let message = format!("there is no table {written}, or this user may not see it");
        return Err(DbError::new(DbErrorKind::UndefinedTable, message)
            .hint("check its name: --ledger-table [SCHEMA.]NAME; names are written as the catalogue has them"));
    };
    let columns = columns_of(row);
    let of_tool = |known: &&Tool| tool.is_some() && known.rows.map(|(own, _)| own) == tool;
    if let Some(known) = all().find(of_tool).filter(|_| row.text(3).is_none()) {
        return Ok(vec![FoundLedger::unseen(known, row.text(1), named.table.clone())]);
    }
    let Some(known) = best_of(&columns.iter().map(String::as_str).collect::<Vec<_>>(), tool) else {
        return Err(strange_columns(&written, tool.map(ForeignTool::name), &columns));
    };
    Ok(vec![FoundLedger::new(known, row.text(1), row.text(2).unwrap_or_else(|| named.table.clone()), columns)])
}

/// A table that is not the tool's by its columns.
fn strange_columns(table: &str, tool: Option<&str>, columns: &[String]) -> DbError {
    let whose = tool.unwrap_or("any tool that limosa knows");
    let message = format!("the table {table} has not the columns of {whose}; it has: {}", columns.join(", "));
    DbError::new(DbErrorKind::Configuration, message)
        .hint("name the tool: --from TOOL, and its table: --ledger-table; or count versions as applied: limosa baseline --to VERSION")
}

/// The tool that made a table with these columns, which is this one where one is given.
pub(super) fn best_of(columns: &[&str], tool: Option<ForeignTool>) -> Option<&'static Tool> {
    let has = |column: &&str| columns.iter().any(|found| found.eq_ignore_ascii_case(column));
    let fits = |known: &&Tool| {
        known.rows.is_some_and(|(own, rows)| tool.is_none_or(|tool| own == tool) && rows.needs.iter().all(&has))
            && !known.lacks.iter().any(&has)
    };
    // The tool that needs most of the columns is the one that made them.
    all().filter(fits).max_by_key(|known| known.rows.map_or(0, |(_, rows)| rows.needs.len()))
}

fn columns_of(row: &Row) -> Vec<String> {
    row.text(3).unwrap_or_default().split(',').map(str::to_owned).collect()
}

/// As [`tables`] tells it, of one table. Where no table has just this name, that is meant which a tool makes that does not quote it: in
/// small letters on PostgreSQL.
pub(super) fn named_table(engine: Engine, named: &NamedTable) -> String {
    let table = engine.quote_literal(&named.table);
    let schema = named.schema.as_deref().map(|schema| engine.quote_literal(schema));
    match engine {
        Engine::Postgres => format!(
            "select false, n.nspname::text, c.relname::text, pg_catalog.string_agg(a.attname, ',') \
             from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
             join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped \
             where c.relkind in ('r', 'p', 'v') and c.relname in ({table}, pg_catalog.lower({table})) and {} \
             group by c.oid, n.nspname, c.relname \
             order by (c.relname = {table})::int + {} desc",
            match &schema {
                Some(schema) => format!("n.nspname in ({schema}, pg_catalog.lower({schema}))"),
                None => "pg_catalog.pg_table_is_visible(c.oid)".to_owned(),
            },
            schema.as_ref().map_or("0".to_owned(), |schema| format!("(n.nspname = {schema})::int")),
        ),
        Engine::Mysql => format!(
            "select 0, {}, t.table_name, {} from information_schema.tables t where t.table_schema = {} and t.table_name = {table}",
            schema.as_deref().unwrap_or("null"),
            mysql_columns(schema.as_deref().unwrap_or("database()")),
            schema.as_deref().unwrap_or("database()")
        ),
        _ if named.schema.is_some() => {
            let database = named.schema.as_deref().unwrap_or_default();
            format!("select 0, {}", columns_of_attached(engine, database, &table))
        }
        _ => format!(
            "select 0, null, t.name, group_concat(c.name) from sqlite_schema t join pragma_table_info(t.name) c \
             where t.type in ('table', 'view') and lower(t.name) = lower({table}) group by t.name"
        ),
    }
}

impl FoundLedger {
    /// The same in a database that is named, where the catalogue names none (MySQL): a script may go into another one.
    #[must_use]
    pub fn within(mut self, engine: Engine, database: &str) -> FoundLedger {
        if engine == Engine::Mysql && self.schema.is_none() {
            self.schema = Some(database.to_owned());
        }
        self
    }

    #[cfg(test)]
    pub(super) fn of_nothing() -> FoundLedger {
        FoundLedger {
            name: "",
            tool: None,
            schema: None,
            owns_schema: false,
            table: String::new(),
            columns: Vec::new(),
            unknown: Vec::new(),
            rows: None,
        }
    }

    fn new(known: &Tool, schema: Option<String>, table: String, columns: Vec<String>) -> FoundLedger {
        let rows = known.rows;
        FoundLedger {
            name: known.name,
            tool: rows.map(|(tool, _)| tool),
            owns_schema: known.schema.is_some() && known.schema == schema.as_deref(),
            schema,
            table,
            unknown: known.unknown_among(columns.iter().map(String::as_str)),
            columns,
            rows: rows.map(|(_, rows)| rows),
        }
    }

    /// One whose columns the user may not see: as if it had those that the tool gives it.
    fn unseen(known: &Tool, schema: Option<String>, table: String) -> FoundLedger {
        let columns = known.rows.map_or(&[][..], |(_, rows)| rows.needs);
        FoundLedger::new(known, schema, table, columns.iter().map(|column| (*column).to_owned()).collect())
    }

    /// The table as a person may name it again.
    pub fn table(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.table),
            None => self.table.clone(),
        }
    }

    /// The schema, where it is known, and the table.
    pub fn place(&self) -> (Option<&str>, &str) {
        (self.schema.as_deref(), &self.table)
    }

    /// Other tables that the tool makes beside it, in the same schema, as it may write them.
    pub fn beside(&self) -> &'static [&'static str] {
        match self.tool {
            Some(ForeignTool::Liquibase) => &["databasechangeloglock", "DATABASECHANGELOGLOCK"],
            _ => &[],
        }
    }

    /// The schema, where it is one that the tool made for itself.
    pub fn own_schema(&self) -> Option<&str> {
        self.schema.as_deref().filter(|_| self.owns_schema)
    }

    /// The table as SQL writes it.
    pub fn quoted(&self, engine: Engine) -> String {
        engine.quote_qualified(self.schema.as_deref(), &self.table)
    }

    /// All rows, in the order in which the tool wrote them; of several of one migration the newest, and none of one that was taken
    /// back. One question.
    ///
    /// # Errors
    /// What the server says, a missing right among it; a table that lacks columns which the tool gives it.
    pub async fn read(&self, session: &mut dyn Session, book: &Ledger) -> Result<Vec<ForeignRow>, DbError> {
        let Some(rows) = &self.rows else { return Ok(Vec::new()) };
        let has = |column: &&&str| self.columns.iter().any(|found| found.eq_ignore_ascii_case(column));
        let lacking: Vec<&str> = rows.needs.iter().filter(|column| !has(column)).copied().collect();
        if !lacking.is_empty() {
            let message =
                format!("the table {} lacks columns that {} gives it: {}", self.table(), self.name, lacking.join(", "));
            return Err(DbError::new(DbErrorKind::Configuration, message)
                .hint("an unusual version made it, or another tool: name that one with --from; or count versions as applied: limosa baseline --to VERSION"));
        }
        let sql = self.question(book.names.engine, rows);
        let mut answers = book.transact(session, vec![Item::Bound { sql, parameters: Vec::new() }]).await?;
        let unit = rows.execution_unit;
        let answers = answers.pop().unwrap_or_default();
        // Each answer is given up for its row: there may be hundreds of thousands.
        Ok(settled(answers.into_iter().map(|row| foreign_row(&row, unit)).collect()))
    }

    fn question(&self, engine: Engine, rows: &Rows) -> String {
        let kind = text_type(engine);
        let text = |expression: &str| match expression {
            "" => format!("cast(null as {kind})"),
            _ => format!("cast({} as {kind})", named(engine, expression)),
        };
        let checksum = match (rows.checksum_is_bytes, engine) {
            (false, _) => text(rows.checksum),
            (true, Engine::Postgres) => format!("encode({}, 'hex')", named(engine, rows.checksum)),
            (true, _) => format!("lower(hex({}))", named(engine, rows.checksum)),
        };
        let columns = [
            text(rows.key),
            text(rows.version),
            text(rows.name),
            text(rows.file),
            checksum,
            text(rows.state),
            text(rows.applied_at),
            text(rows.applied_by),
            text(rows.execution),
            text(rows.project),
            text(rows.id),
            text(rows.rollback),
        ];
        format!("select {} from {} order by {}", columns.join(", "), self.quoted(engine), named(engine, rows.order))
    }

    /// The lock that a run of Liquibase took and never gave back; None where it has no such table.
    pub async fn lock(&self, session: &mut dyn Session, book: &Ledger) -> Option<HeldLock> {
        if self.tool != Some(ForeignTool::Liquibase) {
            return None;
        }
        let engine = book.names.engine;
        let ending = if self.table.ends_with(|last: char| last.is_ascii_uppercase()) { "LOCK" } else { "lock" };
        let table = engine.quote_qualified(self.schema.as_deref(), &format!("{}{ending}", self.table));
        let kind = text_type(engine);
        let sql = format!("select cast(lockedby as {kind}), cast(lockgranted as {kind}) from {table} where locked");
        let answers = book.transact(session, vec![Item::Bound { sql, parameters: Vec::new() }]).await.ok()?;
        let row = answers.first()?.first()?;
        Some(HeldLock { by: row.text(0).unwrap_or_default(), since: row.text(1).unwrap_or_default(), table })
    }
}

/// What a value is cast to, to be text.
pub(super) fn text_type(engine: Engine) -> &'static str {
    if engine == Engine::Mysql { "char" } else { "text" }
}

/// Names in brackets, quoted.
pub(super) fn named(engine: Engine, expression: &str) -> String {
    let mut text = String::with_capacity(expression.len());
    let mut rest = expression;
    while let Some((before, behind)) = rest.split_once('[') {
        let (name, behind) = behind.split_once(']').unwrap_or((behind, ""));
        text.push_str(before);
        text.push_str(&engine.quote_identifier(name));
        rest = behind;
    }
    text.push_str(rest);
    text
}

fn foreign_row(row: &Row, unit: i64) -> ForeignRow {
    ForeignRow {
        key: row.text(0).unwrap_or_default(),
        project: row.text(9),
        id: row.text(10),
        version: row.text(1),
        name: row.text(2),
        file: row.text(3),
        checksum: row.text(4),
        state: row.text(5).map_or(ForeignState::Applied, |word| ForeignState::parse(&word)),
        applied_at: row.text(6),
        applied_by: row.text(7),
        execution_ms: row.integer(8).filter(|spent| *spent >= 0).map(|spent| spent / unit),
        rollback: row.text(11),
        more: BTreeMap::new(),
    }
}

/// Indexes that PostgreSQL calls INVALID, as SQL writes them: what a CREATE INDEX CONCURRENTLY left that failed. Those that are
/// being built now are among them.
///
/// # Errors
/// What the server says.
pub async fn invalid_indexes(session: &mut dyn Session) -> Result<Vec<String>, DbError> {
    if session.facts().engine() != Engine::Postgres {
        return Ok(Vec::new());
    }
    let sql = "select pg_catalog.format('%I.%I', n.nspname, c.relname) from pg_catalog.pg_index i \
               join pg_catalog.pg_class c on c.oid = i.indexrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
               where not i.indisvalid and c.relkind = 'i' and n.nspname not like 'pg\\_%' order by 1";
    Ok(session.query(sql, &[]).await?.iter().filter_map(|row| row.text(0)).collect())
}
