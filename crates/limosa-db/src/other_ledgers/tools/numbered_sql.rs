//! A service of an application's own with numbered files: `schema_migrations` with name, checksum and the way back of each. Its
//! `metadata` is JSON: `file_path`, `applied_by`, `applied_from`.

use super::{BARE, Cell, ForeignTool, PLAIN, Rows, Tool, Write};

pub(super) const TOOL: Tool = Tool {
    name: "a service with numbered SQL files",
    table: "schema_migrations",
    has: &["version", "name", "checksum", "rollback_sql"],
    lacks: &["identity", "dirty"],
    shape: &["rollback_sql", "version", "name", "checksum", "applied_at", "metadata"],
    rows: Some((
        ForeignTool::NumberedSql,
        Rows {
            needs: &["version", "name", "checksum", "applied_at", "rollback_sql"],
            name: "name",
            checksum: "checksum",
            applied_at: "applied_at",
            rollback: "rollback_sql",
            order: "applied_at, version",
            write: Write::Row(&[
                ("version", Cell::VersionText),
                ("name", Cell::Name),
                ("checksum", Cell::ChecksumText),
                ("applied_at", Cell::Now),
                ("rollback_sql", Cell::Rollback),
                ("metadata", Cell::Circumstances),
            ]),
            ..BARE
        },
    )),
    ..PLAIN
};
