//! What is known of each tool's table: by what it is recognised, how its rows are read, how one is written.
//!
//! Expressions are SQL that all engines read alike; a name in `[brackets]` is quoted for the engine.

mod dbmate;
mod diesel;
mod drizzle;
mod flyway;
mod golang_migrate;
mod goose;
mod liquibase;
mod node_pg_migrate;
mod numbered_sql;
mod prisma;
mod recognised;
mod refinery;
mod sqitch;
mod sql_migrate;
mod sqlx;

use limosa_core::ForeignTool;

/// A table of a tool.
pub(super) struct Tool {
    /// The name that people read.
    pub(super) name: &'static str,
    /// The schema, where the tool has one of its own; else the table is looked for where a bare name is.
    pub(super) schema: Option<&'static str>,
    pub(super) table: &'static str,
    /// Columns that it has, all of them.
    pub(super) has: &'static [&'static str],
    /// Columns that it has not.
    pub(super) lacks: &'static [&'static str],
    /// All columns that it has, where no other table is likely to have just these: it is known by them under any name. The first is the
    /// word that is the tool's own most of all; empty where they are words that anybody uses.
    pub(super) shape: &'static [&'static str],
    /// Columns that some versions of the tool make besides.
    pub(super) shape_beside: &'static [&'static str],
    /// Which rows stand for migrations; all where empty.
    pub(super) counts: &'static str,
    /// The column that names a migration, or several, joined by `::` as their values are, and the order in which the newest comes first.
    pub(super) newest: (&'static str, &'static str),
    /// Which rows stand for migrations that did not end well, and how the tool calls them.
    pub(super) broken: Option<(&'static str, &'static str)>,
    /// How its rows are read and written, where limosa can take them over.
    pub(super) rows: Option<(ForeignTool, Rows)>,
}

/// A table where a bare name is, all of whose rows stand for migrations.
const PLAIN: Tool = Tool {
    name: "",
    schema: None,
    table: "",
    has: &[],
    lacks: &[],
    shape: &[],
    shape_beside: &[],
    counts: "",
    newest: ("version", "version desc"),
    broken: None,
    rows: None,
};

/// How the rows of a table are read, an expression for each part; NULL where it is empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows {
    /// The columns that the expressions name.
    pub(super) needs: &'static [&'static str],
    pub(super) key: &'static str,
    /// The project, where the table is of several.
    pub(super) project: &'static str,
    /// The tool's own id of what its plan says.
    pub(super) id: &'static str,
    pub(super) version: &'static str,
    pub(super) name: &'static str,
    pub(super) file: &'static str,
    pub(super) checksum: &'static str,
    /// The checksum is bytes, to be read in hexadecimal digits.
    pub(super) checksum_is_bytes: bool,
    /// `applied`, `up_to`, `half_done` or `undone`; applied where it is empty.
    pub(super) state: &'static str,
    pub(super) applied_at: &'static str,
    pub(super) applied_by: &'static str,
    pub(super) execution: &'static str,
    /// How many of its units are a millisecond.
    pub(super) execution_unit: i64,
    /// The SQL of the way back.
    pub(super) rollback: &'static str,
    /// The order in which they were written.
    pub(super) order: &'static str,
    /// How a row is written.
    pub(super) write: Write,
}

/// A table that tells nothing but keys.
const BARE: Rows = Rows {
    needs: &[],
    key: "version",
    project: "",
    id: "",
    version: "version",
    name: "",
    file: "",
    checksum: "",
    checksum_is_bytes: false,
    state: "",
    applied_at: "",
    applied_by: "",
    execution: "",
    execution_unit: 1,
    rollback: "",
    order: "version",
    write: Write::Never("its rows are not written by limosa"),
};

/// How a row of a tool's table is written, so that the tool knows a migration as applied.
#[derive(Debug, Clone, Copy)]
pub(super) enum Write {
    /// A row of its own, column by column.
    Row(&'static [(&'static str, Cell)]),
    /// The one row that there is gets the version.
    Only,
    /// It cannot be, for a reason.
    Never(&'static str),
}

/// What goes into a column.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell {
    /// The key, as text.
    Key,
    /// The version, as text.
    VersionText,
    /// The version, as a whole number.
    VersionNumber,
    /// The name.
    Name,
    /// The name of the file.
    File,
    /// The checksum, as text.
    ChecksumText,
    /// The checksum, as a whole number.
    ChecksumNumber,
    /// The checksum, as bytes.
    ChecksumBytes,
    /// The SQL of the way back.
    Rollback,
    /// The file and who applied it, as a JSON object.
    Circumstances,
    /// Who applied it.
    AppliedBy,
    /// How long it took.
    Spent,
    /// SQL that all engines read alike.
    Sql(&'static str),
    /// The time, as the engine keeps times.
    Now,
    /// The time as text, RFC 3339 in UTC.
    NowText,
    /// A new UUID as text.
    Uuid,
    /// What else the tool keeps of it, as text; empty where nothing is known.
    More(&'static str),
    /// The same; NULL where nothing is known.
    MoreOrNull(&'static str),
    /// The last ten digits of the milliseconds since 1970, as text.
    Milliseconds,
}

/// All tables. Where several could be meant, the first is.
pub(super) fn all() -> impl Iterator<Item = &'static Tool> {
    TABLE.iter().copied().flatten()
}

const TABLE: &[&[Tool]] = &[
    &[flyway::TOOL],
    &[liquibase::TOOL],
    &[golang_migrate::TOOL],
    &[numbered_sql::TOOL],
    &[dbmate::TOOL],
    &[goose::TOOL],
    &[sqlx::TOOL],
    &[refinery::TOOL],
    &[diesel::TOOL],
    &[prisma::TOOL],
    &drizzle::TOOLS,
    &[sql_migrate::TOOL],
    &[node_pg_migrate::TOOL],
    &recognised::TOOLS,
    &[sqitch::TOOL, sqitch::BEFORE_1],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_that_can_be_taken_over_has_a_table() {
        for tool in ForeignTool::all() {
            assert!(all().any(|table| table.rows.is_some_and(|(own, _)| own == tool)), "{}", tool.name());
        }
        for table in all() {
            assert!(table.rows.is_none_or(|(tool, _)| tool.name() == table.name), "{}", table.name);
        }
    }
}
