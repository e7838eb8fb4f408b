//! A database that was taken over with other files than those at hand: another service's, another tenant's, or the same ones read as
//! another format.

use limosa_core::{ForeignTool, LedgerView, RowState};
use limosa_db::{Item, NamedTable};
use limosa_formats::LedgerTable;
use limosa_sql::{Diagnostic, Engine};

use super::format::other_format;
use super::memory::{Adopted, remembered};
use crate::Failure;
use crate::files::Loaded;
use crate::opened::Opened;

/// Why these files are not those that the database was taken over with; None where they may be.
///
/// # Errors
/// What the server says.
pub(super) async fn another(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    view: &LedgerView,
) -> Result<Option<Diagnostic>, Failure> {
    if !view.keeps_another && !view.rows.iter().any(|row| row.state == RowState::Baseline) {
        return Ok(None);
    }
    match remembered(opened, view).await? {
        Some(adopted) => another_than(opened, loaded, &adopted).await,
        None => Ok(None),
    }
}

/// The same of what is remembered.
///
/// # Errors
/// What the server says.
pub(super) async fn another_than(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    adopted: &Adopted,
) -> Result<Option<Diagnostic>, Failure> {
    let Some(tool) = adopted.tool() else { return Ok(None) };
    if loaded.layout.tool() != Some(tool) {
        let Some(format) = other_format(opened.configuration, loaded, tool) else { return Ok(None) };
        return Ok(Some(read_as_another(loaded.layout.name(), format, tool, &adopted.table)));
    }
    let Some(told) = &loaded.ledger_table else { return Ok(None) };
    if !is_another_table(opened, told, &NamedTable::parse(&adopted.table)).await? {
        return Ok(None);
    }
    let (name, written, project) = (tool.name(), told.written(), &opened.configuration.project);
    let message = format!(
        "the migrations of the project {project} in this database were taken over from {name} (table {}), and these files have their record in \
         another table: {written}",
        adopted.table
    );
    let help = "each such table is a project of its own: --project NAME, or project = \"NAME\" in limosa.toml, and then limosa adopt; where both \
                are the same migrations, name the table that was taken over: tool_table";
    Ok(Some(Diagnostic::error("LIM-U180", message).help(help)))
}

fn read_as_another(own: &str, format: &str, tool: ForeignTool, table: &str) -> Diagnostic {
    let name = tool.name();
    let message = format!(
        "the database was taken over from {name} (table {table}), and the files are read as {own}, though their names are those of {name} as well"
    );
    let help = format!(
        "say which it is: format = \"{format}\" in limosa.toml, or --format {format}, so that they run as with {name}; else --format {own}"
    );
    Diagnostic::error("LIM-U159", message).help(help)
}

/// True where the table that the files speak of is there, and is not the one that was taken over.
async fn is_another_table(opened: &mut Opened<'_>, told: &LedgerTable, adopted: &NamedTable) -> Result<bool, Failure> {
    let engine = opened.target.engine;
    let is_named_alike = told.table == adopted.table;
    let sql = match engine {
        Engine::Postgres => {
            let told = table_of(told.schema.as_deref(), &told.table);
            let adopted = table_of(adopted.schema.as_deref(), &adopted.table);
            format!("select coalesce({told} is distinct from {adopted} and {told} is not null, false)")
        }
        // There are no schemas that could hold another one of the same name, or they are databases.
        _ if is_named_alike => return Ok(false),
        Engine::Mysql => format!(
            "select count(*) > 0 from information_schema.tables where table_schema = coalesce({}, database()) and table_name = {}",
            told.schema.as_ref().map_or_else(|| "null".to_owned(), |schema| engine.quote_literal(schema)),
            engine.quote_literal(&told.table)
        ),
        _ => format!(
            "select count(*) > 0 from sqlite_master where type = 'table' and name = {}",
            engine.quote_literal(&told.table)
        ),
    };
    let rows = opened.session.query_item(Item::Bound { sql, parameters: Vec::new() }).await?;
    Ok(rows.first().is_some_and(|row| row.boolean(0)))
}

/// PostgreSQL: what stands for the number of a table, or for null where there is none. Whoever asks needs no right on its schema.
fn table_of(schema: Option<&str>, table: &str) -> String {
    let engine = Engine::Postgres;
    match schema {
        None => format!("pg_catalog.to_regclass({})::oid", engine.quote_literal(&engine.quote_identifier(table))),
        Some(schema) => format!(
            "(select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
             where n.nspname = {} and c.relname = {})",
            engine.quote_literal(schema),
            engine.quote_literal(table)
        ),
    }
}
