//! How the tool of a folder runs its files: in which sessions and transactions, and with what they begin.

use limosa_sql::ForeignKeys;

use crate::Layout;
use crate::formats::drizzle;

impl Layout {
    /// True where the tool holds a transaction open around a file, on the engines where it can. golang-migrate and Prisma send the
    /// text of a file as it is.
    pub fn holds_transaction(&self) -> bool {
        let others = matches!(self, Layout::UpDown | Layout::Prisma | Layout::Sqitch(_) | Layout::Liquibase(_));
        self.is_foreign() && !others
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

    /// SQLite: what the tool was seen to begin each file with. sqlx switches foreign keys on; refinery, Diesel and Prisma come with a
    /// SQLite that is compiled with them on; of drizzle the driver decides. All others have SQLite's own default.
    pub fn foreign_keys(&self) -> ForeignKeys {
        match self {
            Layout::Sqlx(_) | Layout::Refinery | Layout::Diesel | Layout::Prisma => ForeignKeys::Enforced,
            Layout::Drizzle(journals) => journals.foreign_keys(),
            _ => ForeignKeys::Ignored,
        }
    }

    /// True where the tool, on PostgreSQL, looks at the search path before each file, and puts its default schema at the head of it where
    /// another one stands there: the schema that settings name, else the one in which its session begins.
    pub fn puts_schema_first(&self) -> bool {
        matches!(self, Layout::Liquibase(_))
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

    /// The file beside the folder, or above it, that says what is meant on SQLite, where there may be one.
    pub fn told_on_sqlite_by(&self) -> Option<&'static str> {
        matches!(self, Layout::Drizzle(_)).then_some(drizzle::PACKAGE)
    }
}
