//! Writing into the ledger of another tool: as that tool would have written it.

use limosa_core::ForeignRow;
use limosa_sql::Engine;

use super::found::{FoundLedger, named, text_type};
use super::tools::{Cell, Write};
use crate::{Item, Value};

/// How long a migration took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// Nobody knows.
    Unknown,
    /// Milliseconds as [`crate::ledger::RowEntry::execution_ms`] has them: the server adds those of the transaction.
    Before(i64),
}

impl Spent {
    /// As SQL, in units of which a millisecond has so many; adds its parameter.
    fn in_sql(self, engine: Engine, unit: i64, parameters: &mut Vec<Value>) -> String {
        let Spent::Before(milliseconds) = self else { return "0".to_owned() };
        parameters.push(Value::Integer(milliseconds));
        let before = mark(engine, parameters.len());
        let spent = match engine {
            Engine::Postgres => format!(
                "(cast({before} as bigint) + greatest(0, \
                 (extract(epoch from clock_timestamp() - transaction_timestamp()) * 1000::numeric)::bigint))"
            ),
            Engine::Sqlite => format!("max(0, {before} + limosa_monotonic_ms())"),
            _ => format!("({before} + coalesce(@limosa_took, 0))"),
        };
        format!("{spent} * {unit}")
    }
}

impl FoundLedger {
    /// The items that make the tool know a migration as applied, which took as long as is said.
    ///
    /// # Errors
    /// Why it cannot be told, in words.
    pub fn write(&self, engine: Engine, row: &ForeignRow, spent: Spent) -> Result<Vec<Item>, &'static str> {
        let rows = self.rows.as_ref().ok_or("its rows are not written by limosa")?;
        let table = self.quoted(engine);
        let mut parameters = Vec::new();
        match rows.write {
            Write::Never(why) => Err(why),
            Write::Only => {
                let version = cell(engine, Cell::VersionNumber, row, &table, &mut parameters);
                Ok(vec![
                    self.clear(engine),
                    Item::Bound {
                        sql: format!("insert into {table} (version, dirty) select {version}, false"),
                        parameters,
                    },
                ])
            }
            Write::Row(cells) => {
                let unit = rows.execution_unit;
                let value = |value: &Cell| match value {
                    Cell::Spent => spent.in_sql(engine, unit, &mut parameters),
                    value => cell(engine, *value, row, &table, &mut parameters),
                };
                // Older versions of the tool made fewer columns.
                let cells = || cells.iter().filter(|(column, _)| self.has(column));
                let values: Vec<String> = cells().map(|(_, value)| value).map(value).collect();
                let columns: Vec<String> = cells().map(|(column, _)| self.column(engine, column)).collect();
                let sql = format!("insert into {table} ({}) select {}", columns.join(", "), values.join(", "));
                Ok(vec![Item::Bound { sql, parameters }])
            }
        }
    }

    /// True where the table has a column, and where its columns are not known.
    fn has(&self, column: &str) -> bool {
        self.columns.is_empty() || self.columns.iter().any(|found| found.eq_ignore_ascii_case(column))
    }

    /// A column as the catalogue writes it.
    fn column(&self, engine: Engine, column: &str) -> String {
        let found = self.columns.iter().find(|found| found.eq_ignore_ascii_case(column));
        engine.quote_identifier(found.map_or(column, String::as_str))
    }

    /// The item that makes the tool know of nothing applied.
    pub fn clear(&self, engine: Engine) -> Item {
        Item::Bound { sql: format!("delete from {}", self.quoted(engine)), parameters: Vec::new() }
    }

    /// True where one row stands for all versions up to its own.
    pub fn is_one_row(&self) -> bool {
        self.rows.as_ref().is_some_and(|rows| matches!(rows.write, Write::Only))
    }

    /// True where a migration has no other key than the hash of its file.
    pub fn is_keyed_by_hash(&self) -> bool {
        self.rows.as_ref().is_some_and(|rows| rows.key == rows.checksum && !rows.key.is_empty())
    }

    /// The item that makes the tool forget a migration.
    ///
    /// # Errors
    /// Why it cannot be told, in words.
    pub fn erase(&self, engine: Engine, key: &str) -> Result<Item, &'static str> {
        let rows = self.rows.as_ref().ok_or("its rows are not written by limosa")?;
        if let Write::Never(why) = rows.write {
            return Err(why);
        }
        let kind = text_type(engine);
        let sql = format!(
            "delete from {} where cast({} as {kind}) = {}",
            self.quoted(engine),
            named(engine, rows.key),
            mark(engine, 1)
        );
        Ok(Item::Bound { sql, parameters: vec![Value::Text(key.to_owned())] })
    }
}

fn mark(engine: Engine, number: usize) -> String {
    if engine == Engine::Sqlite { format!("?{number}") } else { format!("${number}") }
}

/// A value for a column; adds its parameter where it has one.
fn cell(engine: Engine, cell: Cell, row: &ForeignRow, table: &str, parameters: &mut Vec<Value>) -> String {
    let kind = text_type(engine);
    let number = match engine {
        Engine::Mysql => "signed",
        Engine::Sqlite => "integer",
        _ => "bigint",
    };
    let mut text = |value: Option<&String>| {
        parameters.push(Value::optional(value.cloned()));
        format!("cast({} as {kind})", mark(engine, parameters.len()))
    };
    let empty = String::new();
    match cell {
        Cell::More(column) => text(Some(row.more.get(column).unwrap_or(&empty))),
        Cell::MoreOrNull(column) => text(row.more.get(column)),
        Cell::Milliseconds => match engine {
            Engine::Postgres => "right(cast(cast(extract(epoch from now()) * 1000 as bigint) as text), 10)",
            Engine::Mysql => "right(cast(cast(unix_timestamp(now(3)) * 1000 as signed) as char), 10)",
            _ => "substr(cast(cast(strftime('%s', 'now') as integer) * 1000 as text), -10)",
        }
        .to_owned(),
        Cell::Key => text(Some(&row.key)),
        Cell::VersionText => text(row.version.as_ref()),
        Cell::VersionNumber => format!("cast({} as {number})", text(row.version.as_ref())),
        Cell::Name => text(row.name.as_ref()),
        Cell::File => text(row.file.as_ref()),
        Cell::ChecksumText => text(row.checksum.as_ref()),
        Cell::ChecksumNumber => format!("cast({} as {number})", text(row.checksum.as_ref())),
        Cell::ChecksumBytes => match engine {
            Engine::Postgres => format!("decode({}, 'hex')", text(row.checksum.as_ref())),
            _ => format!("unhex({})", text(row.checksum.as_ref())),
        },
        Cell::AppliedBy => text(row.applied_by.as_ref()),
        Cell::Rollback => text(row.rollback.as_ref()),
        Cell::Circumstances => {
            let function = if engine == Engine::Postgres { "jsonb_build_object" } else { "json_object" };
            let (file, by) = (text(row.file.as_ref()), text(row.applied_by.as_ref()));
            format!("{function}('file_path', {file}, 'applied_by', {by}, 'applied_from', 'limosa')")
        }
        // Its parameter is a number: see `Spent::in_sql`.
        Cell::Spent => "0".to_owned(),
        Cell::Sql(sql) => sql.replace("{table}", table),
        Cell::Now => "current_timestamp".to_owned(),
        Cell::NowText => match engine {
            Engine::Postgres => "to_char(now() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
            Engine::Mysql => "date_format(utc_timestamp(), '%Y-%m-%dT%H:%i:%sZ')",
            _ => "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')",
        }
        .to_owned(),
        Cell::Uuid => match engine {
            Engine::Postgres => "cast(gen_random_uuid() as text)",
            Engine::Mysql => "uuid()",
            _ => "lower(hex(randomblob(16)))",
        }
        .to_owned(),
    }
}
