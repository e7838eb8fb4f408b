//! drizzle: `__drizzle_migrations`, on PostgreSQL in the schema `drizzle`. That of 0.x knows a migration by its hash and the time of
//! its journal; that of 1.0 by its name too (drizzle-orm, `src/pg-core/dialect.ts`, `src/up-migrations`).

use super::{BARE, Cell, ForeignTool, PLAIN, Rows, Tool, Write};

const NAMED: Tool = Tool {
    name: "drizzle",
    table: "__drizzle_migrations",
    has: &["hash", "created_at", "name"],
    shape: &["hash", "id", "created_at", "name", "applied_at"],
    newest: ("created_at", "created_at desc"),
    rows: Some((
        ForeignTool::Drizzle,
        Rows {
            needs: &["hash", "created_at", "name", "applied_at"],
            key: "coalesce(name, hash)",
            version: "created_at",
            name: "name",
            checksum: "hash",
            applied_at: "applied_at",
            order: "created_at, name",
            write: Write::Row(&[
                ("hash", Cell::ChecksumText),
                ("created_at", Cell::VersionNumber),
                ("name", Cell::Name),
                ("applied_at", Cell::Now),
            ]),
            ..BARE
        },
    )),
    ..PLAIN
};

const HASHED: Tool = Tool {
    has: &["hash", "created_at"],
    // A hash and a time may be anybody's.
    shape: &[],
    shape_beside: &["id"],
    rows: Some((
        ForeignTool::Drizzle,
        Rows {
            needs: &["hash", "created_at"],
            key: "hash",
            version: "created_at",
            checksum: "hash",
            order: "created_at",
            write: Write::Row(&[("hash", Cell::ChecksumText), ("created_at", Cell::VersionNumber)]),
            ..BARE
        },
    )),
    ..NAMED
};

pub(super) const TOOLS: [Tool; 4] =
    [Tool { schema: Some("drizzle"), ..NAMED }, Tool { schema: Some("drizzle"), ..HASHED }, NAMED, HASHED];
