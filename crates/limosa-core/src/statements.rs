//! Hashes that prove which statements of a file already ran, and with which values of placeholders.

use sha2::{Digest, Sha256};

use crate::checksum::{TextHasher, hex};

/// A hash over the statements of a script, one after the other: `h(n) = sha256(h(n-1) || statement_hash(n))`, `h(0)` empty.
/// Two scripts with the same value agree in all statements so far, whatever their comments and line endings. Beside it, in the same
/// way, one over what values made of those statements that have placeholders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatementHasher {
    text: String,
    /// Empty before the first statement with placeholders.
    values: String,
}

/// How the first statements of a script, as they are now, compare with those that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstPart {
    /// They are those that ran.
    Same,
    /// Their text was changed.
    OtherText,
    /// Their placeholders have other values; with the names of all that they use and that count, each once.
    OtherValues(Vec<String>),
}

/// Between the hash of a text and that of the text with values.
const WITH_VALUES: char = '+';

impl StatementHasher {
    /// The hash before the first statement.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on from a stored value.
    pub fn resume(value: &str) -> Self {
        let (text, values) = value.split_once(WITH_VALUES).unwrap_or((value, ""));
        StatementHasher { text: text.to_owned(), values: values.to_owned() }
    }

    /// Adds the hash of the next statement, by [`statement_hash`] and, where values count, [`hash_with_values`].
    pub fn add(&mut self, statement_hash: &str) {
        let (text, values) = statement_hash.split_once(WITH_VALUES).unwrap_or((statement_hash, ""));
        self.text = chained(&self.text, text);
        if !values.is_empty() {
            self.values = chained(&self.values, values);
        }
    }

    /// The value over all statements added, to be stored.
    pub fn value(&self) -> String {
        match self.values.is_empty() {
            true => self.text.clone(),
            false => format!("{}{WITH_VALUES}{}", self.text, self.values),
        }
    }

    /// How statements of today, of which `names` are the placeholders, compare with those that were `recorded`. Where nothing was recorded
    /// of values, as before they counted, texts alone are compared.
    pub fn compared_with(&self, recorded: &StatementHasher, names: Vec<String>) -> FirstPart {
        if self.text != recorded.text {
            FirstPart::OtherText
        } else if self.values != recorded.values && !recorded.values.is_empty() {
            FirstPart::OtherValues(names)
        } else {
            FirstPart::Same
        }
    }
}

fn chained(before: &str, next: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(before.as_bytes());
    hasher.update(next.as_bytes());
    hex(&hasher.finalize())
}

/// The hash of one statement, as written (placeholders unreplaced), line endings made equal.
pub fn statement_hash(text: &str) -> String {
    let mut hasher = TextHasher::new();
    hasher.update(text.as_bytes());
    hasher.finish().digits()
}

/// The hash of one statement as written, and of what values made of it. Nothing in `expanded` may be a secret: whoever reads the ledger
/// could try out short ones.
pub fn hash_with_values(text: &str, expanded: &str) -> String {
    format!("{}{WITH_VALUES}{}", statement_hash(text), statement_hash(expanded))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(hashes: &[String]) -> StatementHasher {
        let mut hasher = StatementHasher::new();
        hashes.iter().for_each(|hash| hasher.add(hash));
        hasher
    }

    #[test]
    fn what_was_recorded_is_compared() {
        let plain = || statement_hash("select 1");
        let with = |value: &str| hash_with_values("select '${p}'", &format!("select '{value}'"));
        let names = || vec!["p".to_owned()];
        let recorded = over(&[plain(), with("blue"), plain()]);
        let stored = StatementHasher::resume(&recorded.value());
        assert_eq!(stored, recorded);
        let compared = |now: &[String]| over(now).compared_with(&stored, names());
        assert_eq!(compared(&[plain(), with("blue"), plain()]), FirstPart::Same);
        assert_eq!(compared(&[plain(), with("green"), plain()]), FirstPart::OtherValues(names()));
        assert_eq!(compared(&[plain(), statement_hash("select '${p}'"), plain()]), FirstPart::OtherValues(names()));
        assert_eq!(compared(&[statement_hash("select 2"), with("blue"), plain()]), FirstPart::OtherText);
        assert_eq!(compared(&[plain(), with("blue")]), FirstPart::OtherText);
        // As it was recorded before values counted.
        let old = StatementHasher::resume(&over(&[plain(), statement_hash("select '${p}'")]).value());
        assert_eq!(over(&[plain(), with("green")]).compared_with(&old, names()), FirstPart::Same);
        assert_eq!(over(&[with("green"), plain()]).compared_with(&old, names()), FirstPart::OtherText);
    }
}
