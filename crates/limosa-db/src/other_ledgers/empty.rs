//! The table of another tool that a server misses, where a migration uses it.

use limosa_core::ForeignTool;
use limosa_sql::Engine;

use super::FoundLedger;

/// Where a server says in these words that a table is missing, and the table is the one in which another tool keeps its record: the
/// tool, and the statement that makes the table without rows.
///
/// The name is taken as the server writes it, with its schema: between quotes, or at the end.
pub fn missing_ledger(engine: Engine, message: &str) -> Option<(&'static str, String)> {
    let quoted = message.split(['"', '\'']).nth(1);
    let named = quoted.or_else(|| message.split_whitespace().next_back())?;
    let (schema, table) = match named.rsplit_once('.') {
        // MySQL names the database that it looked in.
        Some((schema, table)) if engine != Engine::Mysql => (Some(schema), table),
        Some((_, table)) => (None, table),
        None => (None, named),
    };
    // Where tools share a name, the first is as good as any: nothing says whose files these are.
    let is_usual = |usual: &str| match engine {
        Engine::Postgres => usual == table,
        // Liquibase's stands in capitals there.
        _ => usual.eq_ignore_ascii_case(table),
    };
    let tool = ForeignTool::all().find(|tool| tool.usual_table().is_some_and(is_usual))?;
    let statements = FoundLedger::empty(tool, schema, Some(table))?.create_empty(engine);
    (!statements.is_empty()).then(|| (tool.name(), format!("{};", statements.join("; "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_called_as_their_tools_are_known_by() {
        for tool in ForeignTool::all() {
            let Some(table) = tool.usual_table() else { continue };
            assert!(super::super::all().any(|known| known.table.eq_ignore_ascii_case(table)), "{table}");
            for engine in [Engine::Postgres, Engine::Mysql, Engine::Sqlite] {
                let made = FoundLedger::empty(tool, None, None).unwrap().create_empty(engine);
                assert!(made.first().is_some_and(|statement| statement.starts_with("create table ")), "{table}");
            }
        }
    }

    #[test]
    fn tables_of_tools_are_known_by_what_servers_say() {
        for (engine, message, tool, begins) in [
            (
                Engine::Postgres,
                "relation \"public._sqlx_migrations\" does not exist",
                "sqlx",
                "create table \"public\".\"_sqlx_migrations\" (version bigint primary key",
            ),
            (
                Engine::Mysql,
                "Table 'shop.goose_db_version' doesn't exist",
                "goose",
                "create table `goose_db_version` (",
            ),
            (
                Engine::Mysql,
                "Table 'shop.DATABASECHANGELOG' doesn't exist",
                "Liquibase",
                "create table `DATABASECHANGELOG` (ID varchar(255)",
            ),
            (
                Engine::Sqlite,
                "no such table: __diesel_schema_migrations",
                "diesel",
                "create table \"__diesel_schema_migrations\" (",
            ),
        ] {
            let (found, statement) = missing_ledger(engine, message).unwrap();
            assert_eq!(found, tool);
            assert!(statement.starts_with(begins), "{statement}");
            assert!(!statement.contains('{'), "{statement}");
        }
        assert_eq!(missing_ledger(Engine::Postgres, "relation \"users\" does not exist"), None);
    }
}
