//! sqlx: `_sqlx_migrations` (sqlx-postgres, sqlx-mysql, sqlx-sqlite, `src/migrate.rs`).
//!
//! An `execution_time` of -1 says that the runner died after the commit: the migration stands. Not `success` says that it was begun,
//! on MySQL, and never seen to end.

use super::{BARE, Cell, ForeignTool, PLAIN, Rows, Tool, Write};

pub(super) const TOOL: Tool = Tool {
    name: "sqlx",
    table: "_sqlx_migrations",
    has: &["version", "checksum"],
    shape: &["execution_time", "version", "description", "installed_on", "success", "checksum"],
    broken: Some(("not success", "one of its migrations failed")),
    rows: Some((
        ForeignTool::Sqlx,
        Rows {
            needs: &["version", "description", "installed_on", "success", "checksum", "execution_time"],
            name: "description",
            checksum: "checksum",
            checksum_is_bytes: true,
            state: "case when success then 'applied' else 'half_done' end",
            applied_at: "installed_on",
            execution: "execution_time",
            execution_unit: 1_000_000,
            order: "installed_on, version",
            write: Write::Row(&[
                ("version", Cell::VersionNumber),
                ("description", Cell::Name),
                ("success", Cell::Sql("true")),
                ("checksum", Cell::ChecksumBytes),
                ("execution_time", Cell::Spent),
            ]),
            ..BARE
        },
    )),
    ..PLAIN
};
