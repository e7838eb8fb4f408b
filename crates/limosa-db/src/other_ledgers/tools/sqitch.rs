//! Sqitch: `sqitch.changes` (sqitch 1, `lib/App/Sqitch/Engine/pg.sql`, `mysql.sql`, `sqlite.sql`). A row goes when its change is reverted.
//!
//! Several projects share the table. A reworked change has a row for each time, which differ in the hashes only; they were deployed in
//! the order of the plan.
//!
//! There are three forms of the registry (`lib/App/Sqitch/Engine/Upgrade`): that of before sqitch 0.998, without `releases` and `script_hash`; 1.0,
//! which brought both; 1.1, in which a hash is unique for its project only. What is read of them is the same but for the hash.

use super::{BARE, ForeignTool, PLAIN, Rows, Tool, Write};

const NEWEST: Rows = Rows {
    needs: &["change_id", "script_hash", "change", "project", "committed_at", "committer_name"],
    key: "case row_number() over (partition by project, [change] order by committed_at) when 1 then [change] \
          else concat([change], ' (', row_number() over (partition by project, [change] order by committed_at), ')') end",
    project: "project",
    id: "change_id",
    version: "",
    name: "[change]",
    checksum: "script_hash",
    applied_at: "committed_at",
    applied_by: "committer_name",
    order: "committed_at",
    write: Write::Never("its rows hold hashes of its plan, which 'sqitch deploy --log-only' writes"),
    ..BARE
};

pub(super) const TOOL: Tool = Tool {
    name: "Sqitch",
    schema: Some("sqitch"),
    table: "changes",
    has: &["change_id", "script_hash", "change", "committed_at"],
    shape: &[
        "change_id",
        "change",
        "project",
        "note",
        "committed_at",
        "committer_name",
        "committer_email",
        "planned_at",
        "planner_name",
        "planner_email",
    ],
    shape_beside: &["script_hash"],
    newest: ("change", "committed_at desc"),
    rows: Some((ForeignTool::Sqitch, NEWEST)),
    ..PLAIN
};

/// Where there is no hash, an upgrade of sqitch's puts the id of the change in its place.
pub(super) const BEFORE_1: Tool = Tool {
    has: &["change_id", "change", "committed_at"],
    lacks: &["script_hash"],
    rows: Some((
        ForeignTool::Sqitch,
        Rows {
            needs: &["change_id", "change", "project", "committed_at", "committer_name"],
            checksum: "change_id",
            ..NEWEST
        },
    )),
    ..TOOL
};
