//! Flyway: `flyway_schema_history` (Flyway, `PostgreSQLDatabase.java`, `MySQLDatabase.java`, `SQLiteDatabase.java`).
//!
//! Ranks of 0 and below are the creation of the schema and its own lock. A version is undone by a later row whose type begins with
//! `UNDO`, and forgotten by one of type `DELETE`, which `repair` writes.

use super::{BARE, Cell, ForeignTool, PLAIN, Rows, Tool, Write};

const COLUMNS: &[&str] = &[
    "installed_rank",
    "version",
    "description",
    "type",
    "script",
    "checksum",
    "installed_by",
    "installed_on",
    "execution_time",
    "success",
];

pub(super) const TOOL: Tool = Tool {
    name: "Flyway",
    table: "flyway_schema_history",
    has: &["installed_rank", "version", "success"],
    shape: COLUMNS,
    shape_beside: &["version_rank"],
    counts: "version is not null",
    newest: ("version", "installed_rank desc"),
    broken: Some(("not success", "one of its migrations failed")),
    rows: Some((
        ForeignTool::Flyway,
        Rows {
            needs: COLUMNS,
            key: "case when [type] = 'SCHEMA' then '<schema>' else coalesce(version, concat('R:', description)) end",
            name: "description",
            file: "script",
            checksum: "checksum",
            state: "case when [type] = 'SCHEMA' or installed_rank <= 0 then 'undone' when not success then 'half_done' \
                    when [type] like 'UNDO%' or [type] = 'DELETE' then 'undone' \
                    when [type] like '%BASELINE' then 'up_to' else 'applied' end",
            applied_at: "installed_on",
            applied_by: "installed_by",
            execution: "execution_time",
            order: "installed_rank",
            write: Write::Row(&[
                ("installed_rank", Cell::Sql("(select coalesce(max(h.installed_rank), 0) + 1 from {table} h)")),
                ("version", Cell::VersionText),
                ("description", Cell::Name),
                ("type", Cell::Sql("'SQL'")),
                ("script", Cell::File),
                ("checksum", Cell::ChecksumNumber),
                ("installed_by", Cell::AppliedBy),
                ("execution_time", Cell::Spent),
                ("success", Cell::Sql("true")),
            ]),
            ..BARE
        },
    )),
    ..PLAIN
};
