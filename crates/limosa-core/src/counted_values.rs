//! Repeatables of tools that count the values of placeholders as a part of the text: they run again where a value changed.

use sha2::{Digest, Sha256};

use crate::checksum::checksum;
use crate::{AppliedRow, Checksum};

/// What such a repeatable is known by besides. Its `up_checksum` covers text and values then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedValues {
    /// The checksum of the text alone: what the ledger has where it was recorded before values counted.
    pub text_checksum: Checksum,
    /// Its placeholders, each once, as the text writes them first; with whether there is a value.
    pub names: Vec<(String, bool)>,
    /// One of them has another value at each time: it runs with each run.
    pub runs_always: bool,
}

impl CountedValues {
    /// Why a repeatable that ran as this row says runs again; None where it does not. `file` and `up` are its checksums of today.
    pub(crate) fn outdated(&self, row: &AppliedRow, file: &Checksum, up: &Checksum) -> Option<String> {
        if self.runs_always {
            return Some("a placeholder in it is the time: it runs with each run".to_owned());
        }
        // What its values were is not known where they did not count yet.
        if row.up_checksum == *up || row.up_checksum == self.text_checksum {
            return None;
        }
        if row.file_checksum != *file {
            return Some("its text or a value in it changed".to_owned());
        }
        Some(match self.names.as_slice() {
            [(name, false)] => format!("its placeholder {name} has no value"),
            [(name, true)] => format!("the value of its placeholder {name} changed"),
            names => {
                let all: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
                let or_missing = if names.iter().all(|(_, has_value)| *has_value) { "" } else { " or is missing" };
                format!("the value of one of its placeholders changed{or_missing}: {}", all.join(", "))
            }
        })
    }
}

impl Checksum {
    /// SHA-256 over the checksum of a text and the values of its placeholders, by names. A value never stands alone in it: it may be a
    /// secret.
    pub fn with_values<'v>(&self, values: impl Iterator<Item = (&'v str, Option<&'v str>)>) -> Checksum {
        let mut hasher = Sha256::new();
        // Lengths keep parts from running into each other.
        let mut part = |text: &str| {
            hasher.update((text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        };
        part("text with values");
        part(&self.to_string());
        for (name, value) in values {
            part(name);
            part(if value.is_some() { "is" } else { "has none" });
            part(value.unwrap_or_default());
        }
        checksum(hasher.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Identity, RowState};

    fn row(file: &str, up: &str) -> AppliedRow {
        AppliedRow {
            identity: Identity::of_repeatable("v"),
            version: None,
            name: "v".to_owned(),
            file_checksum: Checksum::stored(file),
            up_checksum: Checksum::stored(up),
            state: RowState::Applied,
            statements_done: 1,
            statements_total: 1,
            rank: 1,
            applied_at: String::new(),
            applied_by: String::new(),
            execution_ms: 0,
            has_rollback: false,
            plan_digest: None,
            depends_on: Vec::new(),
        }
    }

    #[test]
    fn why_it_runs_again() {
        let counted = |names: &[(&str, bool)], runs_always| CountedValues {
            text_checksum: Checksum::stored("text"),
            names: names.iter().map(|(name, has)| ((*name).to_owned(), *has)).collect(),
            runs_always,
        };
        let of = |counted: &CountedValues, file: &str, up: &str| {
            counted.outdated(&row(file, up), &Checksum::stored("file"), &Checksum::stored("up"))
        };
        let one = counted(&[("p", true)], false);
        assert_eq!(of(&one, "file", "up"), None);
        // As an older limosa has recorded it.
        assert_eq!(of(&one, "file", "text"), None);
        assert_eq!(of(&one, "file", "other").unwrap(), "the value of its placeholder p changed");
        assert_eq!(of(&one, "old", "other").unwrap(), "its text or a value in it changed");
        let several = counted(&[("p", true), ("q", true)], false);
        assert_eq!(of(&several, "file", "other").unwrap(), "the value of one of its placeholders changed: p, q");
        let missing = counted(&[("q", false)], false);
        assert_eq!(of(&missing, "file", "other").unwrap(), "its placeholder q has no value");
        let either = counted(&[("p", true), ("q", false)], false);
        let said = of(&either, "file", "other").unwrap();
        assert_eq!(said, "the value of one of its placeholders changed or is missing: p, q");
        for up in ["up", "text"] {
            assert!(of(&counted(&[("p", true)], true), "file", up).unwrap().contains("with each run"), "{up}");
        }
    }

    #[test]
    fn a_checksum_covers_text_names_and_values() {
        let text = Checksum::of(b"select '${p}';");
        let first = text.with_values([("p", Some("1"))].into_iter());
        assert_eq!(first, text.with_values([("p", Some("1"))].into_iter()));
        for other in [
            text.with_values([("p", Some("2"))].into_iter()),
            text.with_values([("q", Some("1"))].into_iter()),
            text.with_values([("p", None)].into_iter()),
            text.with_values([("p", Some(""))].into_iter()),
            text.with_values([("p", Some("1")), ("q", Some(""))].into_iter()),
            Checksum::of(b"select '${p}' ;").with_values([("p", Some("1"))].into_iter()),
            text.clone(),
            Checksum::of(b"1"),
        ] {
            assert_ne!(first, other);
        }
    }
}
