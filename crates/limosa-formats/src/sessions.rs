//! How the tool of a folder runs its files: in which sessions and transactions, and with what they begin.

use limosa_core::ToolTransaction;
use limosa_sql::{EndDelimiter, Engine, ForeignKeys};

use crate::Layout;
use crate::formats::drizzle;

impl Layout {
    /// The transaction that the tool has around a file, on the engines where it can. golang-migrate and Prisma send the text of a file as it
    /// is, and the server has one around it; psql and Liquibase's connection pass over COMMIT as well.
    pub fn transaction(&self) -> Option<ToolTransaction> {
        let around = match self {
            Layout::UpDown | Layout::Prisma | Layout::Sqitch(_) => ToolTransaction::Implicit,
            Layout::Liquibase(_) => ToolTransaction::OfConnection,
            _ => ToolTransaction::Held,
        };
        self.is_foreign().then_some(around)
    }

    /// True where the tool was seen to run all files of a run in one session, so that what one of them sets holds for those behind it,
    /// but for what it puts back. Sqitch runs each script in a session of its own.
    pub fn shares_session(&self) -> bool {
        self.is_foreign() && !matches!(self, Layout::Sqitch(_))
    }

    /// True where the tool was seen to run all files of a run in one transaction, on the engines where it can: what one of them sets for its
    /// transaction holds for those behind it.
    pub fn runs_all_in_one_transaction(&self) -> bool {
        matches!(self, Layout::Drizzle(_) | Layout::NodePgMigrate)
    }

    /// What ends statements besides `;` in all files.
    pub fn end_delimiter(&self) -> Option<EndDelimiter> {
        matches!(self, Layout::Drizzle(_)).then(|| EndDelimiter::of_text(drizzle::BREAKPOINT))
    }

    /// What the tool was seen to set for its session before it runs any file: names, and their values as SQL. sqlx 0.9,
    /// Diesel 2.3 (which has set no mode since 2.0), drizzle 0.45 by way of mysql2 3, Flyway 12 and Liquibase 4.33 by way of
    /// mariadb-java-client 3, the driver for MariaDB.
    pub fn session_settings(&self, engine: Engine, is_mariadb: bool) -> &'static [(&'static str, &'static str)] {
        match (self, engine) {
            (Layout::Flyway(_) | Layout::Liquibase(_), Engine::Mysql) if is_mariadb => {
                &[("sql_mode", "concat(@@sql_mode, ',IGNORE_SPACE')")]
            }
            (Layout::Sqlx(_), Engine::Postgres) => {
                &[("datestyle", "'ISO, MDY'"), ("timezone", "'UTC'"), ("extra_float_digits", "2")]
            }
            (Layout::Sqlx(_), Engine::Mysql) => &[
                ("time_zone", "'+00:00'"),
                ("sql_mode", "concat(@@sql_mode, ',PIPES_AS_CONCAT,IGNORE_SPACE,NO_ENGINE_SUBSTITUTION')"),
            ],
            (Layout::Diesel, Engine::Postgres) => &[("timezone", "'UTC'")],
            (Layout::Diesel, Engine::Mysql) => &[("time_zone", "'+00:00'")],
            (Layout::Drizzle(_), Engine::Mysql) => {
                &[("collation_connection", "'utf8mb4_unicode_ci'"), ("sql_mode", "concat(@@sql_mode, ',IGNORE_SPACE')")]
            }
            _ => &[],
        }
    }

    /// SQLite: what the tool was seen to begin each file with. sqlx switches foreign keys on; refinery, Diesel and Prisma come with a
    /// SQLite that is compiled with them on; of drizzle the driver decides. All others have SQLite's own default.
    pub fn foreign_keys(&self) -> ForeignKeys {
        match self {
            Layout::Sqlx(_) | Layout::Refinery | Layout::Diesel | Layout::Prisma => ForeignKeys::Enforced,
            Layout::Drizzle(journals) => journals.foreign_keys(),
            _ if self.leaves_pragmas_in_transaction() => ForeignKeys::IgnoredThroughout,
            _ => ForeignKeys::Ignored,
        }
    }

    /// True where the tool, on PostgreSQL, looks at the search path before each file, and puts its default schema at the head of it where
    /// another one stands there: the schema that settings name, else the one in which its session begins.
    pub fn puts_schema_first(&self) -> bool {
        matches!(self, Layout::Liquibase(_))
    }

    /// MySQL: the database that settings of the tool's name for its changes, whichever one the address names.
    pub fn told_database(&self) -> Option<&str> {
        match self {
            Layout::Liquibase(changelogs) => changelogs.defaults().first_database().map(String::as_str),
            _ => None,
        }
    }

    /// The schema that settings of the tool's name for that, and whether they let its record stand elsewhere.
    pub fn told_schema(&self) -> Option<(String, bool)> {
        match self {
            Layout::Liquibase(changelogs) => {
                let defaults = changelogs.defaults();
                Some((defaults.first_schema()?, defaults.keeps_record_elsewhere()))
            }
            _ => None,
        }
    }

    /// SQLite: true where the tool leaves `PRAGMA foreign_keys` within its transaction, in which it has no effect. Flyway runs a file with one
    /// outside of transactions.
    pub fn leaves_pragmas_in_transaction(&self) -> bool {
        let in_transaction = self.transaction() == Some(ToolTransaction::Held) || matches!(self, Layout::UpDown);
        in_transaction && !matches!(self, Layout::Flyway(_))
    }

    /// The file beside the folder, or above it, that says what is meant on SQLite, where there may be one.
    pub fn told_on_sqlite_by(&self) -> Option<&'static str> {
        matches!(self, Layout::Drizzle(_)).then_some(drizzle::PACKAGE)
    }
}
