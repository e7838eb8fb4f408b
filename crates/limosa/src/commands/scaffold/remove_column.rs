//! A column that goes.

use limosa_sql::Engine;

use super::template::{Draft, Table};

/// The two files. Where the column is NOT NULL, `value` is what rows get that were written without it, when that is taken
/// back.
pub(super) fn drafts(engine: Engine, table: &Table, column: &str, data_type: &str, value: Option<&str>) -> Vec<Draft> {
    let (table, column) = (table.quoted(engine), engine.quote_identifier(column));
    // MySQL writes a column as a whole, and makes one of some types NOT NULL where nothing is said.
    let nullable = |required: bool| match (engine, required) {
        (Engine::Mysql, true) => format!("ALTER TABLE {table} MODIFY COLUMN {column} {data_type} NOT NULL;"),
        (Engine::Mysql, false) => format!("ALTER TABLE {table} MODIFY COLUMN {column} {data_type} NULL;"),
        (_, true) => format!("ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;"),
        (_, false) => format!("ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL;"),
    };
    let required_again = match value {
        Some(value) => {
            let fill = format!("UPDATE {table} SET {column} = {value} WHERE {column} IS NULL;");
            format!("-- Rows that were written without the column.\n{fill}\n{}", nullable(true))
        }
        None => "-- It may be empty as before.\nSELECT 'the column stays as it is' AS note;".to_owned(),
    };
    let null = if engine == Engine::Mysql { " NULL" } else { "" };
    let obstacle = match engine {
        Engine::Postgres => {
            "-- Indexes and constraints of the column go with it; a view that uses it stands in the way."
        }
        Engine::Mysql => "-- The column leaves its indexes; a view that uses it is broken then.",
        _ => "-- An index, a view or a trigger that uses the column stands in the way: drop it above.",
    };
    let whole = match engine {
        Engine::Mysql => {
            "\n-- MODIFY writes the column anew: a DEFAULT, COMMENT or character set that the type leaves out is gone."
        }
        _ => "",
    };
    vec![
        Draft {
            step: "release",
            purpose: "step 1 of 2, writers may leave the column out".to_owned(),
            headers: &[],
            up: format!(
                "-- Run it before the code that no longer writes the column is deployed.{whole}\n\n{}",
                nullable(false)
            ),
            back: required_again,
        },
        Draft {
            step: "drop",
            purpose: "step 2 of 2, the column goes".to_owned(),
            headers: &["Data-loss: allowed"],
            up: format!(
                "-- Run it when no code that reads or writes the column is left; until then, stop before it: limosa migrate --to.\n\
                 -- The values are lost: limosa migrate --backup keeps them.\n\
                 {obstacle}\n\n\
                 ALTER TABLE {table} DROP COLUMN {column};"
            ),
            back: format!(
                "-- The column comes back empty.\nALTER TABLE {table} ADD COLUMN {column} {data_type}{null};"
            ),
        },
    ]
}
