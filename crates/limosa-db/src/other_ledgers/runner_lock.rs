//! The lock that a run of another tool takes: where it has one, nobody else of its kind runs at the same time.
//!
//! Flyway: `PostgreSQLAdvisoryLockTemplate.java`, `MySQLNamedLockTemplate.java`; golang-migrate: `database/util.go`,
//! `database/postgres/postgres.go`, `database/mysql/mysql.go`; goose: `lock/postgres.go`; sqlx: `sqlx-postgres/src/migrate.rs`,
//! `sqlx-mysql/src/migrate.rs`. dbmate has none. On SQLite none of them has.

use limosa_core::ForeignTool;
use limosa_sql::Engine;

use super::found::FoundLedger;

/// The lock of a tool's runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunnerLock {
    /// PostgreSQL: the key of an advisory lock.
    Key(i64),
    /// PostgreSQL: two keys, for runs that call the database differently.
    Keys(i64, i64),
    /// MySQL: the name of a lock that `GET_LOCK` takes.
    Name(String),
}

/// `Flyway`, as six bytes of a number.
const FLYWAY: i64 = 0x466C_7977_6179;

/// golang-migrate's salt.
const MIGRATE: u32 = 1_486_364_155;

/// goose's default.
const GOOSE: i64 = 4_097_083_626;

/// sqlx's factor.
const SQLX: i64 = 0x3d32_ad9e;

impl FoundLedger {
    /// The lock of the tool's runs on a database; None where it takes none there.
    pub fn runner_lock(&self, engine: Engine, database: &str) -> Option<RunnerLock> {
        let schema = self.schema.as_deref();
        let crc = |text: &str| crc32fast::hash(text.as_bytes());
        match (self.tool?, engine) {
            (ForeignTool::Flyway, Engine::Postgres) => {
                Some(RunnerLock::Key(FLYWAY + i64::from(hash_code(&doubly_quoted(schema, &self.table, '"')))))
            }
            (ForeignTool::Flyway, Engine::Mysql) => {
                let table = doubly_quoted(schema.or(Some(database)), &self.table, '`');
                Some(RunnerLock::Name(format!("Flyway-{}", hash_code(&table))))
            }
            (ForeignTool::GolangMigrate, Engine::Postgres) => {
                // Where it was given an address, the database is called by the path of that, with its slash.
                let key = |slash: &str| {
                    let names = format!("{}\0{}\0{slash}{database}", schema.unwrap_or("public"), self.table);
                    i64::from(crc(&names).wrapping_mul(MIGRATE))
                };
                Some(RunnerLock::Keys(key("/"), key("")))
            }
            (ForeignTool::GolangMigrate, Engine::Mysql) => {
                let names = format!("{}:{}", schema.unwrap_or(database), self.table);
                Some(RunnerLock::Name(crc(&names).wrapping_mul(MIGRATE).to_string()))
            }
            (ForeignTool::Goose, Engine::Postgres) => Some(RunnerLock::Key(GOOSE)),
            (ForeignTool::Sqlx, Engine::Postgres) => Some(RunnerLock::Key(SQLX.wrapping_mul(i64::from(crc(database))))),
            (ForeignTool::Sqlx, Engine::Mysql) => {
                Some(RunnerLock::Name(format!("{:x}", SQLX.wrapping_mul(i64::from(crc(database))))))
            }
            _ => None,
        }
    }
}

/// A table as Flyway writes it when it makes the number of it: names in quotes, whatever they are.
fn doubly_quoted(schema: Option<&str>, table: &str, quote: char) -> String {
    let schema = schema.map(|schema| format!("{quote}{schema}{quote}.")).unwrap_or_default();
    format!("{schema}{quote}{table}{quote}")
}

/// `String.hashCode` of Java, over UTF-16.
fn hash_code(text: &str) -> i32 {
    text.encode_utf16().fold(0, |hash: i32, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(tool: ForeignTool, table: &str) -> FoundLedger {
        FoundLedger {
            tool: Some(tool),
            schema: Some("public".to_owned()),
            table: table.to_owned(),
            ..FoundLedger::of_nothing()
        }
    }

    #[test]
    fn locks_are_those_of_the_tools() {
        // By Python's zlib and by java.lang.String's definition; sqlx's as its own tests have it.
        let key = |tool, table: &str, database: &str| ledger(tool, table).runner_lock(Engine::Postgres, database);
        assert_eq!(
            key(ForeignTool::Sqlx, "_sqlx_migrations", "zone"),
            Some(RunnerLock::Key(2_771_974_297_191_923_538))
        );
        assert_eq!(key(ForeignTool::Goose, "goose_db_version", "app"), Some(RunnerLock::Key(4_097_083_626)));
        // golang-migrate's own test has this number for these two names and this database.
        let migrate = FoundLedger {
            schema: Some("schema_name_1".to_owned()),
            ..ledger(ForeignTool::GolangMigrate, "schema_name_2")
        };
        assert_eq!(
            migrate.runner_lock(Engine::Postgres, "database_name"),
            Some(RunnerLock::Keys(18_967_220, 3_743_845_847))
        );
        assert_eq!(key(ForeignTool::Dbmate, "schema_migrations", "app"), None);
        assert_eq!(ledger(ForeignTool::Goose, "goose_db_version").runner_lock(Engine::Sqlite, "app.db"), None);
        assert_eq!(
            (hash_code("Flyway"), hash_code("\"public\".\"flyway_schema_history\"")),
            (2_107_503_036, 2_125_624_436)
        );
    }
}
