//! Liquibase: `databasechangelog`, a row for each changeset (Liquibase, `CreateDatabaseChangeLogTableGenerator.java`). Its checksums
//! are of what it has parsed, and no file tells them.

use super::{BARE, ForeignTool, PLAIN, Rows, Tool, Write};

pub(super) const TOOL: Tool = Tool {
    name: "Liquibase",
    table: "databasechangelog",
    has: &["id", "author", "filename", "orderexecuted", "md5sum"],
    newest: ("filename::id::author", "orderexecuted desc"),
    rows: Some((
        ForeignTool::Liquibase,
        Rows {
            needs: &["id", "author", "filename", "dateexecuted", "orderexecuted", "exectype", "md5sum"],
            key: "concat(filename, '::', id, '::', author)",
            version: "",
            name: "id",
            file: "filename",
            checksum: "md5sum",
            state: "case exectype when 'FAILED' then 'half_done' when 'SKIPPED' then 'undone' else 'applied' end",
            applied_at: "dateexecuted",
            order: "orderexecuted, dateexecuted",
            write: Write::Never("its rows say what stands in a changelog, which no SQL file tells"),
            ..BARE
        },
    )),
    ..PLAIN
};
