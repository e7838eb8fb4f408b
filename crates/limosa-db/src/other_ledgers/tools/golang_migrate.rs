//! golang-migrate: `schema_migrations` with one row, which stands for its version and all before it (golang-migrate,
//! `database/postgres/postgres.go` and its like, `SetVersion`).

use super::{BARE, ForeignTool, PLAIN, Rows, Tool, Write};

pub(super) const TOOL: Tool = Tool {
    name: "golang-migrate",
    table: "schema_migrations",
    has: &["version", "dirty"],
    lacks: &["identity"],
    shape: &["dirty", "version"],
    broken: Some(("dirty", "it calls that version dirty")),
    rows: Some((
        ForeignTool::GolangMigrate,
        Rows {
            needs: &["version", "dirty"],
            state: "case when dirty then 'half_done' else 'up_to' end",
            write: Write::Only,
            ..BARE
        },
    )),
    ..PLAIN
};
