//! What another tool left half done, and the next step that is safe.

use super::{ForeignRow, ForeignState, ForeignTool};

/// Something that a person must settle before the database is taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What is wrong, in a line.
    pub what: String,
    /// What to do.
    pub next: String,
}

/// What the tool says of migrations that did not end well; `table` is its table as SQL writes it.
pub fn troubles(tool: ForeignTool, table: &str, rows: &[ForeignRow]) -> Vec<Trouble> {
    rows.iter().filter(|row| row.state == ForeignState::HalfDone).map(|row| half_done(tool, table, row)).collect()
}

/// What looks half done while the tool is at it; `who` runs it, in words.
pub fn under_way(tool: ForeignTool, who: &str) -> Trouble {
    Trouble {
        what: format!("{} is running now: its lock is held by {who}", tool.name()),
        next: "wait for its end; where it is no run but a session that was left open, end that".to_owned(),
    }
}

fn half_done(tool: ForeignTool, table: &str, row: &ForeignRow) -> Trouble {
    let key = &row.key;
    let look = "look how far its statements took effect, and finish them or take them back by hand; ";
    let (what, settle) = match tool {
        ForeignTool::GolangMigrate => (
            format!("golang-migrate calls version {key} dirty: that migration, or its way back, failed or was cut off"),
            format!(
                "then say what stands: 'migrate force {key}' where all of {key} stands, 'migrate force' with the version before it (-1 where there is none) where nothing does"
            ),
        ),
        ForeignTool::Flyway => (
            format!("Flyway has {key} on record as failed"),
            "then take the failed row away: 'flyway repair'".to_owned(),
        ),
        ForeignTool::Prisma => (
            format!("Prisma has {key} on record as begun and not ended"),
            format!(
                "then say what stands: 'prisma migrate resolve --applied {key}', or 'prisma migrate resolve --rolled-back {key}'"
            ),
        ),
        ForeignTool::Sqlx => (
            format!("sqlx has version {key} on record as begun and not ended"),
            format!(
                "then say what stands: 'update {table} set success = true where version = {key}', or 'delete from {table} where version = {key}'"
            ),
        ),
        _ => (
            format!("{} has {key} on record as failed", tool.name()),
            format!("then mend its row in {table} by the means of that tool"),
        ),
    };
    Trouble { what, next: format!("{look}{settle}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_is_settled_by_its_own_means() {
        let row = ForeignRow { key: "7".to_owned(), state: ForeignState::HalfDone, ..ForeignRow::default() };
        let applied = ForeignRow { key: "6".to_owned(), ..ForeignRow::default() };
        for (tool, expected) in [
            (ForeignTool::GolangMigrate, "migrate force 7"),
            (ForeignTool::Flyway, "flyway repair"),
            (ForeignTool::Prisma, "prisma migrate resolve --rolled-back 7"),
            (ForeignTool::Sqlx, "delete from _t where version = 7"),
            (ForeignTool::Liquibase, "by the means of that tool"),
        ] {
            let found = troubles(tool, "_t", &[applied.clone(), row.clone()]);
            assert_eq!(found.len(), 1);
            assert!(found[0].next.contains(expected), "{:?}", found[0]);
        }
    }
}
