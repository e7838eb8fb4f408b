//! The table of another tool without rows, for migrations that use it themselves: some give rights on it, or delete from it.

use limosa_sql::Engine;

/// Table, tool, and columns; `{bytes}` and `{moment}` are types that engines call otherwise. The tables are those that each tool makes.
const FORMS: &[(&str, &str, &str)] = &[
    (
        "_sqlx_migrations",
        "sqlx",
        "version bigint primary key, description text not null, installed_on {moment} not null default current_timestamp, \
         success boolean not null, checksum {bytes} not null, execution_time bigint not null",
    ),
    (
        "__diesel_schema_migrations",
        "diesel",
        "version varchar(50) primary key not null, run_on timestamp not null default current_timestamp",
    ),
    (
        "_prisma_migrations",
        "Prisma",
        "id varchar(36) primary key not null, checksum varchar(64) not null, finished_at {moment} null, \
         migration_name varchar(255) not null, logs text null, rolled_back_at {moment} null, \
         started_at {moment} not null default current_timestamp, applied_steps_count integer not null default 0",
    ),
    (
        "refinery_schema_history",
        "refinery",
        "version integer primary key not null, name varchar(255), applied_on varchar(255), checksum varchar(255)",
    ),
    (
        "goose_db_version",
        "goose",
        "id integer primary key not null, version_id bigint not null, is_applied boolean not null, \
         tstamp timestamp not null default current_timestamp",
    ),
    ("schema_migrations", "golang-migrate", "version bigint primary key not null, dirty boolean not null"),
    ("gorp_migrations", "sql-migrate", "id varchar(255) primary key not null, applied_at {moment} null"),
    (
        "pgmigrations",
        "node-pg-migrate",
        "id integer primary key not null, name varchar(255) not null, run_on timestamp not null",
    ),
    (
        "flyway_schema_history",
        "Flyway",
        "installed_rank integer primary key not null, version varchar(50), description varchar(200) not null, \
         type varchar(20) not null, script varchar(1000) not null, checksum integer, installed_by varchar(100) not null, \
         installed_on timestamp not null default current_timestamp, execution_time integer not null, success boolean not null",
    ),
];

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
    let (_, tool, columns) = FORMS.iter().find(|(name, ..)| *name == table)?;
    let (bytes, moment) = match engine {
        Engine::Postgres => ("bytea", "timestamptz"),
        _ => ("blob", "timestamp"),
    };
    let columns = columns.replace("{bytes}", bytes).replace("{moment}", moment);
    Some((tool, format!("create table {} ({columns});", engine.quote_qualified(schema, table))))
}

#[cfg(test)]
mod tests {
    use super::*;

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
