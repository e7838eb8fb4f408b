//! The table in which the tool that the files were written for keeps its record, where a migration uses it and it is missing.

use limosa_core::{CallbackWork, MissingLedger};
use limosa_db::FoundLedger;
use limosa_formats::LedgerTable;
use limosa_sql::{Engine, TableUse};

use crate::Failure;
use crate::files::Loaded;
use crate::opened::Opened;

/// What would be made here; None where no file needs it, or the table is there. Asks the database only where a file needs it.
///
/// # Errors
/// What the server says.
pub(crate) async fn missing_ledger(opened: &mut Opened<'_>, loaded: &Loaded) -> Result<Option<MissingLedger>, Failure> {
    let of_callbacks = loaded.callbacks.iter().filter_map(|callback| match &callback.work {
        CallbackWork::Script(script) => Some(&script.outline),
        CallbackWork::Command(_) | CallbackWork::Code(_) => None,
    });
    let mut outlines = loaded.changes.iter().map(|change| &change.script.outline).chain(of_callbacks);
    if !outlines.any(|outline| matches!(outline.ledger_use, Some(TableUse::Needs { .. }))) {
        return Ok(None);
    }
    let engine = opened.target.engine;
    let (Some(tool), Some(LedgerTable { schema, table, .. })) = (loaded.layout.tool(), &loaded.ledger_table) else {
        return Ok(None);
    };
    let named = schema.as_deref().filter(|_| engine != Engine::Sqlite);
    let (question, is_there) = asked(engine, named, table);
    let rows = opened.session.query(&question, &[]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    // Without a schema in sight the tool could make none either.
    let Some(place) = row.text(0).filter(|_| !row.boolean(is_there)) else { return Ok(None) };
    // Elsewhere a bare name means the database at hand, and SQLite takes no other for an index.
    let written = if engine == Engine::Postgres { Some(place.as_str()) } else { named };
    let Some(ledger) = FoundLedger::empty(tool, written, Some(table)) else { return Ok(None) };
    let ledger = if loaded.layout.records_names() { ledger.with_names() } else { ledger };
    // drizzle makes the schema of its table, too.
    let own = loaded.layout.ledger_schema(engine).map(|own| named.unwrap_or(own));
    let schema = own.map(|own| format!("create schema if not exists {}", engine.quote_identifier(own)));
    Ok(Some(MissingLedger {
        tool: ledger.name,
        table: ledger.table(),
        schema: Some(place),
        statements: schema.into_iter().chain(ledger.create_empty(engine)).collect(),
    }))
}

/// The question where the table would stand, and whether a table or view of its name is there, with the column of the latter.
fn asked(engine: Engine, schema: Option<&str>, table: &str) -> (String, usize) {
    let literal = engine.quote_literal(table);
    let place = schema.map(|schema| engine.quote_literal(schema));
    let question = match engine {
        Engine::Postgres => {
            let name = engine.quote_literal(&engine.quote_qualified(schema, table));
            let place = place.unwrap_or_else(|| "pg_catalog.current_schema()".to_owned());
            format!("select cast({place} as text), pg_catalog.to_regclass({name}) is not null")
        }
        Engine::Mysql => {
            let place = place.unwrap_or_else(|| "database()".to_owned());
            format!(
                "select {place}, (select count(*) from information_schema.tables where table_schema = {place} \
                 and table_name = {literal}) > 0"
            )
        }
        _ => format!(
            "select 'main', (select count(*) from sqlite_schema where type in ('table', 'view') \
             and lower(name) = lower({literal})) > 0"
        ),
    };
    (question, 1)
}
