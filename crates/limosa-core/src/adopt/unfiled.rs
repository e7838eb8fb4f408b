//! What another tool had applied and had no file when the database was taken over: files of it that turn up later never run.

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::compare::version;
use super::{Agreement, Compared, ForeignRow, ForeignState, ForeignTool, KnownBy, Verdict, compare};
use crate::{AppliedRow, Change, Identity, Kind, Version};

/// Rows of another tool without files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Stored", try_from = "Stored")]
pub struct Unfiled {
    /// The tool.
    pub tool: ForeignTool,
    /// Its rows, in the order in which it wrote them.
    pub rows: Vec<ForeignRow>,
    /// Where one of the rows stands for all versions up to its own: the newest of these that had a file. Files of versions between the two
    /// were not there; what was passed over below is not known, and comes late.
    pub above: Option<String>,
    /// Identities that were counted as applied since, by these rows: what became of them afterwards is in limosa's ledger alone.
    pub counted: BTreeSet<String>,
}

/// The same as it is kept, without what nobody asks for.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    tool: String,
    rows: Vec<StoredRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    above: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    counted: BTreeSet<String>,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredRow {
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checksum: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    up_to: bool,
}

impl From<Unfiled> for Stored {
    fn from(unfiled: Unfiled) -> Stored {
        let row = |row: ForeignRow| StoredRow {
            key: row.key,
            id: row.id,
            version: row.version,
            name: row.name,
            file: row.file,
            checksum: row.checksum,
            up_to: row.state == ForeignState::UpTo,
        };
        Stored {
            tool: unfiled.tool.word().to_owned(),
            rows: unfiled.rows.into_iter().map(row).collect(),
            above: unfiled.above,
            counted: unfiled.counted,
        }
    }
}

impl TryFrom<Stored> for Unfiled {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Unfiled, String> {
        let row = |row: StoredRow| ForeignRow {
            key: row.key,
            id: row.id,
            version: row.version,
            name: row.name,
            file: row.file,
            checksum: row.checksum,
            state: if row.up_to { ForeignState::UpTo } else { ForeignState::Applied },
            ..ForeignRow::default()
        };
        Ok(Unfiled {
            tool: ForeignTool::of_word(&stored.tool).ok_or_else(|| format!("no tool is called {}", stored.tool))?,
            rows: stored.rows.into_iter().map(row).collect(),
            above: stored.above,
            counted: stored.counted,
        })
    }
}

impl Unfiled {
    /// What is to be kept of a comparison, besides what was kept before; None where each row has its file.
    pub fn of(tool: ForeignTool, lines: &[Compared<'_>], before: Option<&Unfiled>) -> Option<Unfiled> {
        let missing = lines.iter().filter(|line| line.verdict == Verdict::Missing);
        let mut rows: Vec<ForeignRow> = missing.filter_map(|line| line.row.cloned()).collect();
        let keys: HashSet<String> = rows.iter().map(|row| row.key.clone()).collect();
        let earlier = before.into_iter().flat_map(|before| &before.rows);
        rows.splice(0..0, earlier.filter(|row| !keys.contains(&row.key)).cloned());
        if rows.is_empty() {
            return None;
        }
        let reaches = rows.iter().filter(|row| row.state == ForeignState::UpTo);
        let to = reaches.filter_map(|row| Version::parse(row.version.as_deref()?).ok()).max();
        let taken = lines.iter().filter(|line| matches!(line.verdict, Verdict::Verified | Verdict::Stamped));
        let newest = || taken.filter_map(|line| version(line.change?)).filter(|own| Some(*own) <= to.as_ref()).max();
        let above = match before {
            Some(before) => before.above.clone(),
            None => newest().map(Version::to_string),
        };
        let counted = before.map(|before| before.counted.clone()).unwrap_or_default();
        Some(Unfiled { tool, rows, above, counted })
    }

    /// The changes that the tool had applied: their files have turned up since. `by_other_name` and `agreement` as for
    /// [`compare`].
    ///
    /// Repeatables are left out: they run whenever their text is new.
    pub fn turned_up<'a>(
        &'a self,
        changes: &'a [Change],
        ours: &[AppliedRow],
        by_other_name: &dyn Fn(&str) -> Option<String>,
        agreement: &mut dyn FnMut(&Change, &ForeignRow) -> Agreement,
    ) -> Vec<Compared<'a>> {
        let compared = |version: &Version| match self.tool {
            ForeignTool::Flyway => version.without_trailing_zeros(),
            _ => version.clone(),
        };
        let ours: HashSet<&Identity> = ours.iter().map(|row| &row.identity).collect();
        let above = self.above.as_deref().and_then(|written| Version::parse(written).ok());
        let is_by_place = |line: &Compared<'_>| {
            // Where rows have no other mark than hashes, the order of files says nothing of a file that came later.
            let is_known = line.row.is_some_and(|row| row.name.is_some());
            self.tool.known_by() == KnownBy::Hash && line.verdict == Verdict::Diverged && !is_known
        };
        let mut lines = compare(self.tool, &self.rows, changes, &compared, by_other_name, agreement);
        lines.retain(|line| {
            let Some(change) = line.change else { return false };
            let is_new = !ours.contains(&change.identity) && !self.counted.contains(change.identity.as_str());
            let is_there = line.row.is_some() || version(change) > above.as_ref();
            let is_applied = matches!(line.verdict, Verdict::Verified | Verdict::Stamped | Verdict::Diverged);
            is_new && is_there && is_applied && change.kind != Kind::Repeatable && !is_by_place(line)
        });
        lines
    }

    /// The same where only their identities are asked for, and files are not read.
    pub fn identities(&self, changes: &[Change], ours: &[AppliedRow]) -> HashSet<Identity> {
        let mut agreement = |change: &Change, row: &ForeignRow| {
            let read = change.script.file_checksum.digits();
            match self.tool.known_by() {
                KnownBy::Hash if row.checksum.as_ref() != Some(&read) => Agreement::Different,
                _ => Agreement::Same,
            }
        };
        // Other names stand in the files of the tool: what is known by them alone is counted by the run that reads those.
        let lines = self.turned_up(changes, ours, &|_| None, &mut agreement);
        lines.iter().filter_map(|line| Some(line.change?.identity.clone())).collect()
    }
}
