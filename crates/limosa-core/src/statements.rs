//! Hashes that prove which statements of a file already ran.

use sha2::{Digest, Sha256};

use crate::checksum::{Checksum, TextHasher, hex};

/// A hash over the statements of a script, one after the other: `h(n) = sha256(h(n-1) || statement_hash(n))`, `h(0)` empty.
/// Two scripts with the same value agree in all statements so far, whatever their comments and line endings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatementHasher {
    value: String,
}

impl StatementHasher {
    /// The hash before the first statement.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on from a stored value.
    pub fn resume(value: impl Into<String>) -> Self {
        StatementHasher { value: value.into() }
    }

    /// Adds the hash of the next statement.
    pub fn add(&mut self, statement_hash: &str) {
        let mut hasher = Sha256::new();
        hasher.update(self.value.as_bytes());
        hasher.update(statement_hash.as_bytes());
        self.value = hex(&hasher.finalize());
    }

    /// The value over all statements added.
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// The hash of one statement, as written (placeholders unreplaced), line endings made equal.
pub fn statement_hash(text: &str) -> String {
    let mut hasher = TextHasher::new();
    hasher.update(text.as_bytes());
    let checksum: Checksum = hasher.finish();
    checksum.as_str().trim_start_matches("sha256:").to_owned()
}
