//! Liquibase: `databasechangelog`, a row for each changeset (Liquibase, `CreateDatabaseChangeLogTableGenerator.java`,
//! `MarkChangeSetRanGenerator.java`). One that runs again writes into its row, with a new place in the order. Which version wrote, the
//! newest row says.

use super::{BARE, Cell, ForeignTool, PLAIN, Rows, Tool, Write};

pub(super) const TOOL: Tool = Tool {
    name: "Liquibase",
    table: "databasechangelog",
    has: &["id", "author", "filename", "orderexecuted", "md5sum"],
    shape: &["orderexecuted", "id", "author", "filename", "dateexecuted", "exectype", "md5sum"],
    shape_beside: &["description", "comments", "tag", "liquibase", "contexts", "labels", "deployment_id"],
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
            write: Write::Row(&[
                ("id", Cell::Name),
                ("author", Cell::More("author")),
                ("filename", Cell::File),
                ("dateexecuted", Cell::Now),
                ("orderexecuted", Cell::Sql("(select coalesce(max(h.orderexecuted), 0) + 1 from {table} h)")),
                ("exectype", Cell::More("exectype")),
                ("md5sum", Cell::ChecksumText),
                ("description", Cell::Sql("'sql'")),
                ("comments", Cell::More("comments")),
                ("tag", Cell::MoreOrNull("tag")),
                ("contexts", Cell::MoreOrNull("contexts")),
                ("labels", Cell::MoreOrNull("labels")),
                (
                    "liquibase",
                    Cell::Sql(
                        "(select h.liquibase from {table} h order by h.orderexecuted desc, h.dateexecuted desc limit 1)",
                    ),
                ),
                ("deployment_id", Cell::Milliseconds),
            ]),
            ..BARE
        },
    )),
    ..PLAIN
};
