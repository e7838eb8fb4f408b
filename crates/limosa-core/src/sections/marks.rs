//! The markers of each tool, as that tool reads them.

use limosa_sql::ExecutableCommentMask;
use serde::{Deserialize, Serialize};

use super::liquibase;
use crate::Direction;

/// Whose comments say where the sections of a file begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Markers {
    /// `-- +goose Up`, `-- +goose Down` (goose 3, `internal/sqlparser/parser.go`).
    Goose,
    /// `-- migrate:up`, `-- migrate:down` (dbmate 2, `pkg/dbmate/migration.go`).
    Dbmate,
    /// `-- +migrate Up`, `-- +migrate Down` (sql-migrate 1, `sqlparse/sqlparse.go`).
    SqlMigrate,
    /// `-- Up Migration`, `-- Down Migration` (node-pg-migrate, `src/sqlMigration.ts`).
    NodePgMigrate,
    /// The comments within one change of Liquibase's formatted SQL: `--rollback`, `--comment` and their like.
    Liquibase,
    /// The same on MySQL, where comments that the server would run are taken out of the text before it is sent (`stripComments`).
    LiquibaseStripped,
}

/// What a marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A section begins here.
    Section {
        /// Where it leads.
        direction: Direction,
        /// Its statements run outside of transactions.
        is_outside: bool,
    },
    /// What follows is one statement, whatever semicolons stand in it.
    StatementBegin,
    /// That statement ends.
    StatementEnd,
    /// Nothing of the file runs in a transaction.
    NoTransaction,
    /// From here on variables of the environment are replaced, or no more.
    Variables(bool),
    /// It looks like a marker, and the tool knows none of that name.
    Unknown,
    /// A change begins: the file holds several.
    Change,
    /// It says something of the change and leads nowhere.
    Note,
    /// What follows on this line, from this byte on, leads back.
    BackLine {
        /// The first byte.
        start: usize,
    },
    /// What leads back begins with the next line, and ends where the comment does.
    BackBegin,
    /// So many lines that follow count for nothing.
    Ignore(u64),
    /// Nothing counts up to [`Mark::IgnoreEnd`].
    IgnoreBegin,
    /// Lines count again.
    IgnoreEnd,
}

impl Markers {
    /// Those of tools whose files hold one change, below markers.
    pub const ALL: [Markers; 4] = [Markers::Goose, Markers::Dbmate, Markers::SqlMigrate, Markers::NodePgMigrate];

    /// The name of the tool.
    pub fn tool(self) -> &'static str {
        match self {
            Markers::Goose => "goose",
            Markers::Dbmate => "dbmate",
            Markers::SqlMigrate => "sql-migrate",
            Markers::NodePgMigrate => "node-pg-migrate",
            Markers::Liquibase | Markers::LiquibaseStripped => "Liquibase",
        }
    }

    /// The name of the format that has them.
    pub fn format_name(self) -> &'static str {
        match self {
            Markers::Goose => "goose",
            Markers::Dbmate => "dbmate",
            Markers::SqlMigrate => "sql_migrate",
            Markers::NodePgMigrate => "node_pg_migrate",
            Markers::Liquibase | Markers::LiquibaseStripped => "liquibase",
        }
    }

    /// The marker of a section, as it is written.
    pub fn of(self, direction: Direction) -> &'static str {
        match (self, direction) {
            (Markers::Goose, Direction::Apply) => "-- +goose Up",
            (Markers::Goose, Direction::Revert) => "-- +goose Down",
            (Markers::Dbmate, Direction::Apply) => "-- migrate:up",
            (Markers::Dbmate, Direction::Revert) => "-- migrate:down",
            (Markers::SqlMigrate, Direction::Apply) => "-- +migrate Up",
            (Markers::SqlMigrate, Direction::Revert) => "-- +migrate Down",
            (Markers::NodePgMigrate, Direction::Apply) => "-- Up Migration",
            (Markers::NodePgMigrate, Direction::Revert) => "-- Down Migration",
            (Markers::Liquibase | Markers::LiquibaseStripped, Direction::Apply) => "--changeset",
            (Markers::Liquibase | Markers::LiquibaseStripped, Direction::Revert) => "--rollback",
        }
    }

    /// What a line says; None where it is no marker. A line end may be part of it.
    pub fn read(self, line: &str) -> Option<Mark> {
        match self {
            Markers::Goose => goose(line),
            Markers::Dbmate => dbmate(line),
            Markers::SqlMigrate => sql_migrate(line),
            Markers::NodePgMigrate => node_pg_migrate(line),
            Markers::Liquibase | Markers::LiquibaseStripped => liquibase::read(line),
        }
    }

    /// True for those of Liquibase.
    pub fn are_liquibases(self) -> bool {
        matches!(self, Markers::Liquibase | Markers::LiquibaseStripped)
    }

    /// What takes out of a text what the tool does not send.
    pub fn strips(self) -> Option<ExecutableCommentMask> {
        (self == Markers::LiquibaseStripped).then(ExecutableCommentMask::default)
    }

    /// The section that a file, or the part of it that is read, begins in.
    pub(super) fn first_section(self) -> Option<Direction> {
        (self == Markers::NodePgMigrate || self.are_liquibases()).then_some(Direction::Apply)
    }

    /// True where the tool reads a file line by line and joins the lines with LF: a CR before it never reaches the server, not even within a
    /// string or the body of a function.
    pub fn joins_lines(self) -> bool {
        matches!(self, Markers::Goose | Markers::SqlMigrate) || self.are_liquibases()
    }

    /// True for a line that may be a marker although it begins with no `--`.
    pub(super) fn have_blocks(self) -> bool {
        self.are_liquibases()
    }

    /// A longer line is no marker.
    pub(super) fn line_limit(self) -> usize {
        match self {
            // A way back may stand on one line.
            Markers::Liquibase | Markers::LiquibaseStripped => 16 * 1024 * 1024,
            _ => 4096,
        }
    }

    /// True where a direction has one section only, and other lines of its kind are comments.
    pub(super) fn are_single(self) -> bool {
        self == Markers::NodePgMigrate
    }
}

fn section(direction: Direction, is_outside: bool) -> Mark {
    Mark::Section { direction, is_outside }
}

/// A comment that names `+goose` must be a marker, at the start of its line; capitals make no difference.
fn goose(line: &str) -> Option<Mark> {
    if !line.trim_start().starts_with("--") || !line.contains("+goose") {
        return None;
    }
    if line.starts_with([' ', '\t']) {
        return Some(Mark::Unknown);
    }
    let word = line.replace("--", "").replacen("+goose", "", 1).trim().to_ascii_lowercase();
    Some(match word.as_str() {
        "up" => section(Direction::Apply, false),
        "down" => section(Direction::Revert, false),
        "statementbegin" => Mark::StatementBegin,
        "statementend" => Mark::StatementEnd,
        "no transaction" => Mark::NoTransaction,
        "envsub on" => Mark::Variables(true),
        "envsub off" => Mark::Variables(false),
        _ => Mark::Unknown,
    })
}

fn dbmate(line: &str) -> Option<Mark> {
    let text = line.strip_prefix("--")?.trim_ascii_start();
    let (direction, options) = match text.strip_prefix("migrate:up") {
        Some(options) => (Direction::Apply, options),
        None => (Direction::Revert, text.strip_prefix("migrate:down")?),
    };
    let is_whole = options.is_empty() || options.starts_with(|letter: char| letter.is_ascii_whitespace());
    is_whole.then(|| section(direction, options.split_ascii_whitespace().any(|option| option == "transaction:false")))
}

fn sql_migrate(line: &str) -> Option<Mark> {
    let mut words = line.strip_prefix("-- +migrate ")?.split_whitespace();
    let mark = match words.next() {
        Some("Up") => section(Direction::Apply, words.any(|word| word == "notransaction")),
        Some("Down") => section(Direction::Revert, words.any(|word| word == "notransaction")),
        Some("StatementBegin") => Mark::StatementBegin,
        Some("StatementEnd") => Mark::StatementEnd,
        _ => Mark::Unknown,
    };
    Some(mark)
}

/// `--`, any blanks and dashes, `up` or `down`, `migration`, and anything behind it.
fn node_pg_migrate(line: &str) -> Option<Mark> {
    let text = line.trim_start().strip_prefix("--")?;
    let text = text.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '-');
    let (word, rest) = text.split_once(char::is_whitespace)?;
    let is_marker =
        rest.trim_start().get(.."migration".len()).is_some_and(|found| found.eq_ignore_ascii_case("migration"));
    match word.to_ascii_lowercase().as_str() {
        "up" if is_marker => Some(section(Direction::Apply, false)),
        "down" if is_marker => Some(section(Direction::Revert, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_the_tool_reads_them() {
        use Direction::{Apply, Revert};
        use Markers::{Dbmate, Goose, NodePgMigrate, SqlMigrate};
        for (markers, line, expected) in [
            (Goose, "-- +goose Up", Some(section(Apply, false))),
            (Goose, "--+goose down \r\n", Some(section(Revert, false))),
            (Goose, "-- +goose NO TRANSACTION", Some(Mark::NoTransaction)),
            (Goose, "-- +goose statementBegin", Some(Mark::StatementBegin)),
            (Goose, "-- +goose ENVSUB ON", Some(Mark::Variables(true))),
            (Goose, "-- +goose ENVSUB OFF", Some(Mark::Variables(false))),
            (Goose, " -- +goose Up", Some(Mark::Unknown)),
            (Goose, "-- +goose Upp", Some(Mark::Unknown)),
            (Goose, "-- run by +goose", Some(Mark::Unknown)),
            (Goose, "select '-- +goose Up'", None),
            (Goose, "-- goose Up", None),
            (Dbmate, "-- migrate:up", Some(section(Apply, false))),
            (Dbmate, "--migrate:down\r\n", Some(section(Revert, false))),
            (Dbmate, "-- migrate:up transaction:false", Some(section(Apply, true))),
            (Dbmate, "-- migrate:down x transaction:true", Some(section(Revert, false))),
            (Dbmate, "-- migrate:upper", None),
            (Dbmate, " -- migrate:up", None),
            (Dbmate, "-- Migrate:up", None),
            (SqlMigrate, "-- +migrate Up", Some(section(Apply, false))),
            (SqlMigrate, "-- +migrate Down notransaction", Some(section(Revert, true))),
            (SqlMigrate, "-- +migrate StatementEnd", Some(Mark::StatementEnd)),
            (SqlMigrate, "-- +migrate up", Some(Mark::Unknown)),
            (SqlMigrate, "--+migrate Up", None),
            (NodePgMigrate, "-- Up Migration", Some(section(Apply, false))),
            (NodePgMigrate, "  --- - DOWN   migrations of users", Some(section(Revert, false))),
            (NodePgMigrate, "-- Up", None),
            (NodePgMigrate, "-- update migration", None),
        ] {
            assert_eq!(markers.read(line), expected, "{markers:?} {line:?}");
        }
        for markers in Markers::ALL {
            for direction in [Apply, Revert] {
                assert_eq!(markers.read(markers.of(direction)), Some(section(direction, false)));
            }
        }
    }
}
