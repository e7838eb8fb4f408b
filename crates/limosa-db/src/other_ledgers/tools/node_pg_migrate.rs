//! node-pg-migrate: `pgmigrations`, which holds names of files without their endings (node-pg-migrate, `src/runner.ts`).

use super::{BARE, Cell, ForeignTool, PLAIN, Rows, Tool, Write};

pub(super) const TOOL: Tool = Tool {
    name: "node-pg-migrate",
    table: "pgmigrations",
    has: &["id", "name", "run_on"],
    shape: &["run_on", "id", "name"],
    newest: ("name", "id desc"),
    rows: Some((
        ForeignTool::NodePgMigrate,
        Rows {
            needs: &["id", "name", "run_on"],
            key: "name",
            version: "",
            name: "name",
            applied_at: "run_on",
            order: "id",
            write: Write::Row(&[("name", Cell::Name), ("run_on", Cell::Now)]),
            ..BARE
        },
    )),
    ..PLAIN
};
