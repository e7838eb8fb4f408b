//! goose: `goose_db_version`; its first row is version 0, and a goose of old added a row with `is_applied` false for each step back
//! (goose, `internal/dialects`).

use super::{BARE, Cell, ForeignTool, PLAIN, Rows, Tool, Write};

pub(super) const TOOL: Tool = Tool {
    name: "goose",
    table: "goose_db_version",
    has: &["version_id", "is_applied"],
    shape: &["version_id", "id", "is_applied", "tstamp"],
    counts: "version_id > 0",
    newest: ("version_id", "version_id desc"),
    rows: Some((
        ForeignTool::Goose,
        Rows {
            needs: &["id", "version_id", "is_applied", "tstamp"],
            key: "version_id",
            version: "version_id",
            state: "case when is_applied and version_id > 0 then 'applied' else 'undone' end",
            applied_at: "tstamp",
            order: "id",
            write: Write::Row(&[("version_id", Cell::VersionNumber), ("is_applied", Cell::Sql("true"))]),
            ..BARE
        },
    )),
    ..PLAIN
};
