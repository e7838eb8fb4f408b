//! What `databasechangelog` says of a change: its checksum, and what else stands in its row (Liquibase, `MarkChangeSetRanGenerator.java`).

use limosa_core::{Agreement, ForeignRow, Identity};

use super::attributes::{Named, Often};
use super::changesets::ChangeSet;
use super::{Changelogs, OfChangelog, lines};
use crate::checksums::Hashed;

/// Where a change stands, and what its line says with the values of its properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    /// Its file and those that include it, the nearest first.
    pub(super) files: Vec<String>,
    /// The place among the changes of the file; None where the file is the change.
    pub(super) at: Option<usize>,
    /// How many properties it sees.
    pub(super) properties: usize,
    pub(super) named: Named,
    /// What Liquibase may have called it before.
    pub(super) others: Vec<String>,
    /// The contexts that stand in its row.
    pub(super) contexts: Option<String>,
    /// The labels that stand there.
    pub(super) labels: Option<String>,
}

impl Known {
    /// What limosa knows a change of this name by.
    pub(super) fn identity(&self, name: &str) -> Identity {
        match self.named.often() {
            Often::Once => Identity::new(name),
            Often::OnChange | Often::Always => Identity::of_repeatable(name),
        }
    }
}

/// Letters that a column takes.
const LONGEST: usize = 250;

/// True where two names mean one change, the paths of which count from different folders.
pub(super) fn is_alike(one: &str, other: &str) -> bool {
    let ends = |long: &str, short: &str| long == short || long.ends_with(&format!("/{short}"));
    match (one.split_once("::"), other.split_once("::")) {
        (Some((path, part)), Some((other_path, other_part))) => {
            part == other_part && (ends(path, other_path) || ends(other_path, path))
        }
        _ => false,
    }
}

impl Changelogs {
    fn known(&self, identity: &str) -> Option<(&Known, Option<&ChangeSet>)> {
        let name = identity.strip_prefix("R:").unwrap_or(identity);
        let known = self.known.get(name)?;
        let formatted = known.files.first().and_then(|path| self.scripts.get(path))?.formatted.as_ref();
        Some((known, formatted.zip(known.at).and_then(|(file, at)| file.changes.get(at))))
    }

    fn of_changelog(&self, known: &Known) -> Option<&OfChangelog> {
        known.files.first().and_then(|path| self.scripts.get(path))?.of_changelog.as_ref()
    }

    /// What the checksum of a change is of, in the bytes of its file.
    fn hashed(&self, known: &Known, change: Option<&ChangeSet>, bytes: &[u8]) -> Hashed {
        let Some(change) = change else {
            let sql = String::from_utf8_lossy(bytes).trim_start_matches('\u{feff}').to_owned();
            return Hashed { sql, end_delimiter: None, splits: false, strips: false };
        };
        let sql = lines::sql_of(&String::from_utf8_lossy(change.part_of(bytes)));
        let sql = self.properties.seen(&known.files, known.properties, &self.given).expanded(&sql);
        let script = known.files.first().and_then(|path| self.scripts.get(path));
        let file = script.and_then(|script| script.formatted.as_ref());
        let is_last = file.is_some_and(|file| known.at.is_some_and(|at| at + 1 == file.changes.len()));
        let named = &change.named;
        let end_delimiter = named.get("endDelimiter").map(str::to_owned);
        // The last change of a file may end with a slash.
        let ends_with_slash = || is_last && sql.trim_end_matches(|letter| letter <= ' ').ends_with("\n/");
        let end_delimiter = end_delimiter.or_else(|| ends_with_slash().then(|| "\n/$".to_owned()));
        let splits = named.is_not_denied("splitStatements");
        Hashed { sql, end_delimiter, splits, strips: named.is_not_denied("stripComments") }
    }

    /// Whether a change is the one that a recorded checksum was made of; None where no such change is known.
    pub(crate) fn agreement(&self, identity: &str, bytes: &[u8], recorded: &str) -> Option<Agreement> {
        let (known, change) = self.known(identity)?;
        if self.of_changelog(known).is_some() {
            return Some(Agreement::Unknowable(
                "Liquibase makes the checksum of a change in a changelog by what it is modelled of",
            ));
        }
        let valid = change.map(|change| change.valid.as_slice()).unwrap_or_default();
        Some(self.hashed(known, change, bytes).agrees(valid, recorded))
    }

    /// Fills in what Liquibase would record of a change.
    pub(crate) fn complete(&self, identity: &str, bytes: &[u8], row: &mut ForeignRow) {
        let Some((known, change)) = self.known(identity) else { return };
        // Where there is none, Liquibase puts its own there with its next run.
        let of_changelog = self.of_changelog(known);
        row.checksum = of_changelog.is_none().then(|| self.hashed(known, change, bytes).checksum());
        row.more.extend(of_changelog.and_then(|it| it.tag.clone()).map(|tag| ("tag", tag)));
        let short = |text: &str| text.chars().take(LONGEST).collect::<String>();
        let comment = change.and_then(|change| change.comment.as_deref()).unwrap_or_default().trim();
        row.more.insert("comments", short(comment));
        row.more.extend(known.contexts.as_ref().map(|contexts| ("contexts", contexts.clone())));
        row.more.extend(known.labels.as_ref().map(|labels| ("labels", labels.clone())));
    }
}

#[cfg(test)]
mod tests;
