//! refinery: `refinery_schema_history`, its times and checksums as text (refinery_core, `src/traits/mod.rs`).

use super::{BARE, Cell, ForeignTool, PLAIN, Rows, Tool, Write};

pub(super) const TOOL: Tool = Tool {
    name: "refinery",
    table: "refinery_schema_history",
    has: &["version", "checksum"],
    shape: &["applied_on", "version", "name", "checksum"],
    rows: Some((
        ForeignTool::Refinery,
        Rows {
            needs: &["version", "name", "applied_on", "checksum"],
            name: "name",
            checksum: "checksum",
            applied_at: "applied_on",
            write: Write::Row(&[
                ("version", Cell::VersionNumber),
                ("name", Cell::Name),
                ("applied_on", Cell::NowText),
                ("checksum", Cell::ChecksumText),
            ]),
            ..BARE
        },
    )),
    ..PLAIN
};
