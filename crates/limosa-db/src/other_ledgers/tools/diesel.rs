//! diesel: `__diesel_schema_migrations`, its versions without dashes (diesel, `migrations_internals`).

use super::{BARE, Cell, ForeignTool, PLAIN, Rows, Tool, Write};

pub(super) const TOOL: Tool = Tool {
    name: "diesel",
    table: "__diesel_schema_migrations",
    has: &["version", "run_on"],
    shape: &["run_on", "version"],
    rows: Some((
        ForeignTool::Diesel,
        Rows {
            needs: &["version", "run_on"],
            applied_at: "run_on",
            order: "run_on, version",
            write: Write::Row(&[("version", Cell::VersionText)]),
            ..BARE
        },
    )),
    ..PLAIN
};
