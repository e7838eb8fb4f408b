//! sql-migrate: `gorp_migrations`, which holds whole names of files (sql-migrate, `migrate.go`).

use super::{BARE, Cell, ForeignTool, PLAIN, Rows, Tool, Write};

pub(super) const TOOL: Tool = Tool {
    name: "sql-migrate",
    table: "gorp_migrations",
    has: &["id", "applied_at"],
    newest: ("id", "id desc"),
    rows: Some((
        ForeignTool::SqlMigrate,
        Rows {
            needs: &["id", "applied_at"],
            key: "id",
            version: "",
            file: "id",
            applied_at: "applied_at",
            order: "applied_at, id",
            write: Write::Row(&[("id", Cell::Key), ("applied_at", Cell::Now)]),
            ..BARE
        },
    )),
    ..PLAIN
};
