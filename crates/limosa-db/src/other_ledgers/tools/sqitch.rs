//! Sqitch: `sqitch.changes`; its plan is a chain of hashes (Sqitch, `lib/App/Sqitch/Engine/pg.sql`).

use super::{BARE, ForeignTool, PLAIN, Rows, Tool, Write};

pub(super) const TOOL: Tool = Tool {
    name: "Sqitch",
    schema: Some("sqitch"),
    table: "changes",
    has: &["change_id", "change", "committed_at"],
    newest: ("change", "committed_at desc"),
    rows: Some((
        ForeignTool::Sqitch,
        Rows {
            needs: &["change_id", "change", "committed_at", "committer_name"],
            key: "[change]",
            version: "",
            name: "[change]",
            applied_at: "committed_at",
            applied_by: "committer_name",
            order: "committed_at",
            write: Write::Never("its rows hold hashes of its plan, which no SQL file tells"),
            ..BARE
        },
    )),
    ..PLAIN
};
