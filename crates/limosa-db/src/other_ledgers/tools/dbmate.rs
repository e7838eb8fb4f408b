//! dbmate, and Rails: `schema_migrations` with versions and nothing else (dbmate, `pkg/driver/postgres/postgres.go` and its like).

use super::{BARE, Cell, ForeignTool, PLAIN, Rows, Tool, Write};

pub(super) const TOOL: Tool = Tool {
    name: "dbmate or Rails",
    table: "schema_migrations",
    has: &["version"],
    lacks: &["dirty", "identity"],
    rows: Some((
        ForeignTool::Dbmate,
        Rows { needs: &["version"], write: Write::Row(&[("version", Cell::VersionText)]), ..BARE },
    )),
    ..PLAIN
};
