//! The checksum of a file's up part, taken while the file streams past.

use limosa_core::{Checksum, TextHasher};

/// A longer run of blanks at the end of a file is hashed after all, so that memory stays bounded.
const BLANKS_LIMIT: usize = 64 * 1024;

/// Hashes the up part. Bytes that may still turn out to belong to the rollback section are held back by the caller's
/// choice; blanks at the end are left out, so that a rollback section added later is no change.
pub(crate) struct UpText {
    hasher: TextHasher,
    held: Vec<u8>,
    blanks: Vec<u8>,
    /// Offset after the last byte hashed or held in `blanks`.
    passed: u64,
    /// Blanks and line ends count as one blank, however many stand together.
    of_words: bool,
    /// Something was hashed.
    has_begun: bool,
    /// Blanks stand behind it that are not held any more.
    is_apart: bool,
}

impl UpText {
    pub(crate) fn new() -> Self {
        UpText {
            hasher: TextHasher::new(),
            held: Vec::new(),
            blanks: Vec::new(),
            passed: 0,
            of_words: false,
            has_begun: false,
            is_apart: false,
        }
    }

    /// The same for a text in which white space makes no difference, as to Liquibase's checksum (Liquibase 4.33, `NormalizingStream`).
    pub(crate) fn of_words() -> Self {
        UpText { of_words: true, ..UpText::new() }
    }

    /// Adds bytes and counts everything before `offset` as up part for certain.
    pub(crate) fn add(&mut self, bytes: &[u8], offset: u64) {
        let end = self.passed + (self.held.len() + bytes.len()) as u64;
        if self.held.is_empty() && offset >= end {
            self.pass(bytes);
            return;
        }
        self.held.extend_from_slice(bytes);
        self.settle(offset);
    }

    /// Counts everything before `offset` as up part for certain.
    fn settle(&mut self, offset: u64) {
        let wanted = usize::try_from(offset.saturating_sub(self.passed)).unwrap_or(usize::MAX);
        let mut held = std::mem::take(&mut self.held);
        let rest = held.split_off(wanted.min(held.len()));
        self.held = rest;
        self.pass(&held);
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.passed += bytes.len() as u64;
        let solid = bytes.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |at| at + 1);
        if solid > 0 && self.of_words {
            self.words(&bytes[..solid]);
        } else if solid > 0 {
            self.hasher.update(&self.blanks);
            self.blanks.clear();
            self.hasher.update(&bytes[..solid]);
        }
        self.blanks.extend_from_slice(&bytes[solid..]);
        while self.blanks.len() >= BLANKS_LIMIT {
            let rest = self.blanks.split_off(BLANKS_LIMIT);
            if self.of_words {
                self.is_apart = true;
            } else {
                self.hasher.update(&self.blanks);
            }
            self.blanks = rest;
        }
    }

    /// Hashes what ends with no blank.
    fn words(&mut self, bytes: &[u8]) {
        let mut is_apart = !self.blanks.is_empty() || std::mem::take(&mut self.is_apart);
        self.blanks.clear();
        for run in bytes.chunk_by(|one, other| one.is_ascii_whitespace() == other.is_ascii_whitespace()) {
            if run[0].is_ascii_whitespace() {
                is_apart = true;
                continue;
            }
            if is_apart && self.has_begun {
                self.hasher.update(b" ");
            }
            self.hasher.update(run);
            (self.has_begun, is_apart) = (true, false);
        }
    }

    /// Ends the up part at `offset`: its checksum, its end without blanks, and the bytes held back from `offset` on.
    pub(crate) fn finish(mut self, offset: u64) -> (Checksum, u64, Vec<u8>) {
        self.settle(offset);
        let end = self.passed - self.blanks.len() as u64;
        (self.hasher.finish(), end, self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashed(text: &str, end: usize, chunk: usize, hold: u64) -> (Checksum, u64, Vec<u8>) {
        let mut up = UpText::new();
        let mut seen = 0;
        for part in text.as_bytes().chunks(chunk) {
            seen += part.len() as u64;
            up.add(part, seen.saturating_sub(hold).min(end as u64));
        }
        up.finish(end as u64)
    }

    #[test]
    fn blanks_at_the_end_do_not_count() {
        let plain = Checksum::of(b"select 1;\n\n-- a");
        for chunk in [1, 2, 5, 100] {
            for hold in [0, 3, 50] {
                for text in ["select 1;\n\n-- a", "select 1;\n\n-- a\n", "select 1;\r\n\r\n-- a \t\r\n\n"] {
                    let (checksum, end, rest) = hashed(text, text.len(), chunk, hold);
                    assert_eq!((&checksum, text[..end as usize].trim_end().len()), (&plain, end as usize), "{text:?}");
                    assert!(rest.is_empty());
                }
                let (checksum, end, rest) = hashed("select 1;\n\n-- a\n\nREST", 17, chunk, hold + 4);
                assert_eq!((checksum, end, rest.as_slice()), (plain.clone(), 15, b"REST".as_slice()));
            }
        }
    }

    #[test]
    fn of_words_blanks_are_one() {
        let plain = Checksum::of(b"create table t (x int); insert into t values (1);");
        let text = "\n  create table\tt (x int);   \r\n\n insert into t\n  values (1);\n\n";
        for chunk in [1, 2, 5, 100] {
            let mut up = UpText::of_words();
            for (at, part) in text.as_bytes().chunks(chunk).enumerate() {
                up.add(part, (at * chunk + part.len()) as u64);
            }
            let (checksum, end, _) = up.finish(text.len() as u64);
            assert_eq!((checksum, text[..end as usize].trim_end().len()), (plain.clone(), end as usize), "{chunk}");
        }
        let mut other = UpText::of_words();
        other.add(b"create table t(x int); insert into t values (1);", 100);
        assert_ne!(other.finish(100).0, plain);
    }

    #[test]
    fn endless_blanks_are_not_held() {
        let text = format!("x{}", " ".repeat(3 * BLANKS_LIMIT + 5));
        let (one, end, _) = hashed(&text, text.len(), 7, 0);
        let (other, same_end, _) = hashed(&text, text.len(), text.len(), 0);
        assert_eq!((one, end), (other, same_end));
        assert_eq!(end as usize, 1 + 3 * BLANKS_LIMIT);
    }
}
