//! What another tool has on record, in one shape for all tools.

use std::collections::{BTreeMap, HashMap};

/// A row of another tool's ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForeignRow {
    /// What the tool knows the migration by: its version, or its name.
    pub key: String,
    /// The project, where the tool keeps several in one table.
    pub project: Option<String>,
    /// The id that the tool gives it besides, made of what its plan says.
    pub id: Option<String>,
    /// The version, where the tool has versions.
    pub version: Option<String>,
    /// The name or description, where the tool keeps one.
    pub name: Option<String>,
    /// The name of the file, where the tool keeps it.
    pub file: Option<String>,
    /// The checksum as text: decimal, or hexadecimal digits in lower case.
    pub checksum: Option<String>,
    /// What became of it.
    pub state: ForeignState,
    /// When, as the server writes that column.
    pub applied_at: Option<String>,
    /// By whom, where the tool keeps it.
    pub applied_by: Option<String>,
    /// Milliseconds, where the tool keeps them.
    pub execution_ms: Option<i64>,
    /// The SQL of the way back, where the tool keeps it.
    pub rollback: Option<String>,
    /// What else the tool keeps of it, by the name of the column.
    pub more: BTreeMap<&'static str, String>,
}

/// What became of a migration, as the tool has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForeignState {
    /// It was applied.
    #[default]
    Applied,
    /// This version and all versions before it count as applied.
    UpTo,
    /// It failed, or it was never seen to end.
    HalfDone,
    /// It was taken back, or the tool was told to forget it.
    Undone,
}

impl ForeignState {
    /// The word in the column that the rows are read with.
    pub fn parse(word: &str) -> ForeignState {
        match word {
            "up_to" => ForeignState::UpTo,
            "half_done" => ForeignState::HalfDone,
            "undone" => ForeignState::Undone,
            _ => ForeignState::Applied,
        }
    }
}

/// What stands in the end: the newest row of each migration, without those that were taken back. Rows come in the order in
/// which the tool wrote them, and go out in it.
pub fn settled(rows: Vec<ForeignRow>) -> Vec<ForeignRow> {
    let whose = |row: &ForeignRow| (row.project.clone(), row.key.clone());
    let newest: HashMap<_, usize> = rows.iter().enumerate().map(|(at, row)| (whose(row), at)).collect();
    let stands =
        |at: usize, row: &ForeignRow| newest.get(&whose(row)) == Some(&at) && row.state != ForeignState::Undone;
    rows.into_iter().enumerate().filter(|(at, row)| stands(*at, row)).map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_row_of_a_migration_counts() {
        let row = |text: &str| {
            let (key, state) = text.split_once(' ').unwrap_or((text, ""));
            ForeignRow { key: key.to_owned(), state: ForeignState::parse(state), ..ForeignRow::default() }
        };
        for (given, expected) in [
            (&["1", "2", "3"][..], &["1", "2", "3"][..]),
            // goose of old: a row for each step up and down.
            (&["1", "2", "2 undone"], &["1"]),
            (&["1", "2", "2 undone", "2"], &["1", "2"]),
            (&["1", "2", "1 undone", "1"], &["2", "1"]),
            // Prisma: a failed attempt that was settled, then one that worked.
            (&["a half_done", "a undone", "a"], &["a"]),
            (&["a half_done", "a"], &["a"]),
            (&["a", "b half_done"], &["a", "b"]),
            (&[], &[]),
        ] {
            let stands = settled(given.iter().map(|text| row(text)).collect());
            let keys: Vec<&str> = stands.iter().map(|row| row.key.as_str()).collect();
            assert_eq!(keys, expected, "{given:?}");
        }
    }
}
