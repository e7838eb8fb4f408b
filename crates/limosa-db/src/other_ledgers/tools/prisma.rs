//! Prisma: `_prisma_migrations`; a migration may have several rows, of which failed ones that were settled have `rolled_back_at`
//! (prisma-engines, `schema-connector/src/migration_persistence.rs`).

use super::{BARE, Cell, ForeignTool, PLAIN, Rows, Tool, Write};

pub(super) const TOOL: Tool = Tool {
    name: "Prisma",
    table: "_prisma_migrations",
    has: &["migration_name", "started_at"],
    shape: &[
        "applied_steps_count",
        "id",
        "checksum",
        "finished_at",
        "migration_name",
        "logs",
        "rolled_back_at",
        "started_at",
    ],
    newest: ("migration_name", "started_at desc"),
    broken: Some(("finished_at is null and rolled_back_at is null", "one of its migrations failed")),
    rows: Some((
        ForeignTool::Prisma,
        Rows {
            needs: &["id", "checksum", "finished_at", "migration_name", "rolled_back_at", "started_at"],
            key: "migration_name",
            version: "",
            name: "migration_name",
            checksum: "checksum",
            state: "case when rolled_back_at is not null then 'undone' when finished_at is null then 'half_done' \
                    else 'applied' end",
            applied_at: "finished_at",
            order: "started_at, migration_name",
            write: Write::Row(&[
                ("id", Cell::Uuid),
                ("checksum", Cell::ChecksumText),
                ("finished_at", Cell::Now),
                ("migration_name", Cell::Name),
                ("started_at", Cell::Now),
                ("applied_steps_count", Cell::Sql("1")),
            ]),
            ..BARE
        },
    )),
    ..PLAIN
};
