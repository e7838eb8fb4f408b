//! The tools whose ledgers can be taken over.

/// A migration tool whose ledger limosa reads row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ForeignTool {
    /// Flyway 5 on: `flyway_schema_history`.
    Flyway,
    /// golang-migrate 4: one row in `schema_migrations`.
    GolangMigrate,
    /// goose 3: `goose_db_version`.
    Goose,
    /// dbmate 1 and 2, and Rails: `schema_migrations` with nothing but versions.
    Dbmate,
    /// sqlx 0.5 on: `_sqlx_migrations`.
    Sqlx,
    /// refinery 0.5 on: `refinery_schema_history`.
    Refinery,
    /// diesel 1.4 on: `__diesel_schema_migrations`.
    Diesel,
    /// drizzle, 0.x and 1.0: `__drizzle_migrations`.
    Drizzle,
    /// Prisma Migrate 2 on: `_prisma_migrations`.
    Prisma,
    /// sql-migrate 1: `gorp_migrations`.
    SqlMigrate,
    /// node-pg-migrate 3 on: `pgmigrations`.
    NodePgMigrate,
    /// Liquibase 3 on: `databasechangelog`.
    Liquibase,
    /// Sqitch 1: `sqitch.changes`.
    Sqitch,
    /// A migration service of an application's own with numbered files: `schema_migrations` with a checksum and `rollback_sql`.
    NumberedSql,
}

/// By what a tool knows its migrations again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBy {
    /// By the version.
    Version,
    /// By the name of the file, or of its folder.
    Name,
    /// By the name in a plan, where it may come again: `name`, `name (2)`.
    Plan,
    /// By the path of its file, its id and its author: `path::id::author`.
    Path,
    /// By the hash of the file; it has no other mark.
    Hash,
}

/// A tool, the name that people read, and the word after `--from`.
const NAMES: &[(ForeignTool, &str, &str)] = &[
    (ForeignTool::Flyway, "Flyway", "flyway"),
    (ForeignTool::GolangMigrate, "golang-migrate", "golang-migrate"),
    (ForeignTool::Goose, "goose", "goose"),
    (ForeignTool::Dbmate, "dbmate or Rails", "dbmate"),
    (ForeignTool::Sqlx, "sqlx", "sqlx"),
    (ForeignTool::Refinery, "refinery", "refinery"),
    (ForeignTool::Diesel, "diesel", "diesel"),
    (ForeignTool::Drizzle, "drizzle", "drizzle"),
    (ForeignTool::Prisma, "Prisma", "prisma"),
    (ForeignTool::SqlMigrate, "sql-migrate", "sql-migrate"),
    (ForeignTool::NodePgMigrate, "node-pg-migrate", "node-pg-migrate"),
    (ForeignTool::Liquibase, "Liquibase", "liquibase"),
    (ForeignTool::Sqitch, "Sqitch", "sqitch"),
    (ForeignTool::NumberedSql, "a service with numbered SQL files", "numbered-sql"),
];

impl ForeignTool {
    /// All tools, in the order of the help.
    pub fn all() -> impl Iterator<Item = ForeignTool> {
        NAMES.iter().map(|(tool, _, _)| *tool)
    }

    /// The words after `--from`, in the order of the help.
    pub const WORDS: [&'static str; NAMES.len()] = {
        let mut words = [""; NAMES.len()];
        let mut at = 0;
        while at < words.len() {
            words[at] = NAMES[at].2;
            at += 1;
        }
        words
    };

    /// The name that people read.
    pub fn name(self) -> &'static str {
        self.names().0
    }

    /// The word after `--from`.
    pub fn word(self) -> &'static str {
        self.names().1
    }

    /// The tool of a word after `--from`.
    pub fn of_word(word: &str) -> Option<ForeignTool> {
        NAMES.iter().find(|(_, _, known)| *known == word).map(|(tool, _, _)| *tool)
    }

    fn names(self) -> (&'static str, &'static str) {
        NAMES.iter().find(|(tool, _, _)| *tool == self).map_or(("", ""), |(_, name, word)| (name, word))
    }

    /// The table in which it keeps its record where nobody has said otherwise; None where that is more than one table, or not the
    /// tool's own to make.
    pub fn usual_table(self) -> Option<&'static str> {
        Some(match self {
            ForeignTool::Flyway => "flyway_schema_history",
            ForeignTool::GolangMigrate | ForeignTool::Dbmate => "schema_migrations",
            ForeignTool::Goose => "goose_db_version",
            ForeignTool::Sqlx => "_sqlx_migrations",
            ForeignTool::Refinery => "refinery_schema_history",
            ForeignTool::Diesel => "__diesel_schema_migrations",
            ForeignTool::Drizzle => "__drizzle_migrations",
            ForeignTool::Prisma => "_prisma_migrations",
            ForeignTool::SqlMigrate => "gorp_migrations",
            ForeignTool::NodePgMigrate => "pgmigrations",
            ForeignTool::Liquibase => "databasechangelog",
            ForeignTool::Sqitch | ForeignTool::NumberedSql => return None,
        })
    }

    /// Its own command that counts as applied what did not run; None where it has none.
    pub fn marks_as_applied(self) -> Option<&'static str> {
        match self {
            ForeignTool::GolangMigrate => Some("migrate force VERSION"),
            ForeignTool::Sqitch => Some("sqitch deploy --log-only"),
            ForeignTool::Prisma => Some("prisma migrate resolve --applied NAME"),
            ForeignTool::Liquibase => Some("liquibase changelog-sync"),
            ForeignTool::SqlMigrate => Some("sql-migrate skip"),
            ForeignTool::NodePgMigrate => Some("node-pg-migrate up --fake"),
            ForeignTool::Flyway
            | ForeignTool::Goose
            | ForeignTool::Dbmate
            | ForeignTool::Sqlx
            | ForeignTool::Refinery
            | ForeignTool::Diesel
            | ForeignTool::Drizzle
            | ForeignTool::NumberedSql => None,
        }
    }

    /// By what it knows its migrations again.
    pub fn known_by(self) -> KnownBy {
        match self {
            ForeignTool::Prisma | ForeignTool::SqlMigrate | ForeignTool::NodePgMigrate => KnownBy::Name,
            ForeignTool::Liquibase => KnownBy::Path,
            ForeignTool::Sqitch => KnownBy::Plan,
            ForeignTool::Drizzle => KnownBy::Hash,
            _ => KnownBy::Version,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_is_found_by_its_word() {
        for tool in ForeignTool::all() {
            assert_eq!(ForeignTool::of_word(tool.word()), Some(tool), "{}", tool.name());
        }
        assert_eq!(ForeignTool::WORDS.first(), Some(&"flyway"));
        assert_eq!(ForeignTool::of_word("knex"), None);
    }
}
