//! The columns of tables that limosa makes only without rows.

use limosa_core::ForeignTool;
use limosa_sql::Engine;

/// What stands behind the name of the table, as the tool itself writes it; `with_names` is the form that drizzle has since 1.0. None for a tool whose table is made elsewhere, or by nobody.
///
/// Sources: refinery `refinery_core/src/traits`, diesel `diesel_migrations/migrations_internals`, Prisma
/// `schema-engine/connectors/sql-schema-connector/src/flavour`, drizzle `drizzle-orm/src/*-core/dialect.ts`, gorp (sql-migrate)
/// `dialect_*.go`, node-pg-migrate `src/runner.ts`, Liquibase `CreateDatabaseChangeLogTableGenerator.java`.
pub(super) fn form(tool: ForeignTool, engine: Engine, with_names: bool) -> Option<String> {
    let by = |postgres: &str, mysql: &str, sqlite: &str| {
        let columns = match engine {
            Engine::Sqlite => sqlite,
            Engine::Mysql => mysql,
            _ => postgres,
        };
        Some(format!("({columns})"))
    };
    let alike = |columns: &str| by(columns, columns, columns);
    match tool {
        ForeignTool::Refinery => {
            alike("version int4 primary key, name varchar(255), applied_on varchar(255), checksum varchar(255)")
        }
        ForeignTool::Diesel => {
            alike("version varchar(50) primary key not null, run_on timestamp not null default current_timestamp")
        }
        ForeignTool::Prisma => {
            let prisma = |id: &str, hash: &str, name: &str, moment: &str, now: &str, count: &str| {
                format!(
                    "id {id} primary key not null, checksum {hash} not null, finished_at {moment}, migration_name {name} not null, \
                     logs text, rolled_back_at {moment}, started_at {moment} not null default {now}, \
                     applied_steps_count {count} not null default 0"
                )
            };
            let (id, hash, name) = ("varchar(36)", "varchar(64)", "varchar(255)");
            by(
                &prisma(id, hash, name, "timestamptz", "now()", "integer"),
                &prisma(id, hash, name, "datetime(3)", "current_timestamp(3)", "integer unsigned"),
                &prisma("text", "text", "text", "datetime", "current_timestamp", "integer unsigned"),
            )
            .map(|form| match engine {
                Engine::Mysql => form + " default character set utf8mb4 collate utf8mb4_unicode_ci",
                _ => form,
            })
        }
        ForeignTool::Drizzle if with_names => by(
            "id serial primary key, hash text not null, created_at bigint, name text, \
             applied_at timestamp with time zone default now()",
            "id serial primary key, hash text not null, created_at bigint, name text, \
             applied_at timestamp default current_timestamp",
            "id integer primary key, hash text not null, created_at numeric, name text, applied_at text",
        ),
        ForeignTool::Drizzle => by(
            "id serial primary key, hash text not null, created_at bigint",
            "id serial primary key, hash text not null, created_at bigint",
            "id serial primary key, hash text not null, created_at numeric",
        ),
        ForeignTool::SqlMigrate => by(
            "id text not null primary key, applied_at timestamp with time zone",
            "id varchar(255) not null primary key, applied_at datetime",
            "id varchar(255) not null primary key, applied_at datetime",
        )
        .map(|form| match engine {
            Engine::Mysql => form + " engine=InnoDB charset=utf8",
            _ => form,
        }),
        ForeignTool::NodePgMigrate => by(
            "id serial primary key, name varchar(255) not null, run_on timestamp not null",
            "id bigint unsigned not null auto_increment primary key, name varchar(255) not null, run_on timestamp not null",
            "id integer primary key, name varchar(255) not null, run_on timestamp not null",
        ),
        ForeignTool::Liquibase => {
            let liquibase = |moment: &str, number: &str| {
                format!(
                    "ID varchar(255) not null, AUTHOR varchar(255) not null, FILENAME varchar(255) not null, \
                     DATEEXECUTED {moment} not null, ORDEREXECUTED {number} not null, EXECTYPE varchar(10) not null, \
                     MD5SUM varchar(35), DESCRIPTION varchar(255), COMMENTS varchar(255), TAG varchar(255), \
                     LIQUIBASE varchar(20), CONTEXTS varchar(255), LABELS varchar(255), DEPLOYMENT_ID varchar(10)"
                )
            };
            by(&liquibase("timestamp", "integer"), &liquibase("datetime", "int"), &liquibase("text", "integer"))
        }
        _ => None,
    }
}
