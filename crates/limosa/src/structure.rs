//! The structure of a database as a script, so that two can be compared.

use limosa_db::ledger::TABLES;
use limosa_db::{FoundLedger, Value};
use limosa_run::Stop;
use limosa_sql::Engine;

use crate::Failure;
use crate::backup::{self, Subject};
use crate::opened::{Opened, Purpose, options};

/// The statements that would make what stands in a database, without limosa's ledger and without that of another tool.
///
/// # Errors
/// What the server, or its program that writes dumps, says; a signal to stop.
pub(crate) async fn of(opened: &mut Opened<'_>, without: &FoundLedger, stop: &Stop) -> Result<String, Failure> {
    let ledger = opened.configuration.ledger_schema.clone();
    let (schema, table) = without.place();
    let mut tables: Vec<String> = TABLES.iter().map(|name| format!("{ledger}_{name}")).collect();
    let of_tool = || std::iter::once(table).chain(without.beside().iter().copied()).map(str::to_owned);
    tables.extend(of_tool());
    let (options, subject) = (options(opened.configuration, Purpose::Change), Subject::of(opened));
    match opened.target.engine {
        Engine::Sqlite => {
            let signs: Vec<String> = (1..=tables.len()).map(|number| format!("?{number}")).collect();
            let sql = format!(
                "select sql from sqlite_schema where sql is not null and name not like 'sqlite~_%' escape '~' \
                 and tbl_name not in ({}) order by type, name",
                signs.join(", ")
            );
            let names: Vec<Value> = tables.into_iter().map(Value::Text).collect();
            let rows = opened.session.query(&sql, &names).await?;
            Ok(rows.iter().filter_map(|row| row.text(0)).map(|text| format!("{text};\n")).collect())
        }
        #[cfg(feature = "postgres")]
        Engine::Postgres => {
            let connection = limosa_db::engines::postgres::libpq_environment(&options)?;
            let tools = backup::tools(&subject, &options, &connection);
            let schema = schema.unwrap_or("public");
            let of_tool = of_tool().map(|table| (schema.to_owned(), table)).collect();
            let schemas = std::iter::once(ledger).chain(without.own_schema().map(str::to_owned)).collect();
            let without = limosa_db::backup::postgres::Without { schemas, tables: of_tool };
            Ok(limosa_db::backup::postgres::structure(&tools, &without, stop.asked()).await?)
        }
        #[cfg(feature = "mysql")]
        Engine::Mysql => {
            let connection = limosa_db::engines::mysql::ClientOptions::read(&options)?;
            let mark = backup::mark_of_restore(&subject);
            let tools = backup::mysql_tools(&subject, &options, &connection, &mark);
            Ok(limosa_db::backup::mysql::structure(&tools, &tables, stop.asked()).await?)
        }
        #[allow(unreachable_patterns, reason = "reached only where an engine was left out of the build")]
        engine => Err(backup::not_built(engine).into()),
    }
}
