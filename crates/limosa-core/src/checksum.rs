//! Checksums that name their algorithm.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A checksum as it is stored and shown: `sha256:` and 64 hexadecimal digits. A copy is cheap.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Checksum(Arc<str>);

impl Checksum {
    /// The SHA-256 of some bytes.
    pub fn of(bytes: &[u8]) -> Checksum {
        let mut hasher = FileHasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    /// Takes a stored checksum as it stands.
    pub fn stored(text: impl Into<String>) -> Checksum {
        Checksum(text.into().into())
    }

    /// The text with its algorithm.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for the whole text, and for [`Checksum::short`] with the name of the hash before it or without.
    pub fn is_meant_by(&self, text: &str) -> bool {
        let digits = match (text.split_once(':'), self.0.split_once(':')) {
            (Some((name, digits)), Some((own, _))) if name == own => digits,
            _ => text,
        };
        *text == *self.0 || digits == self.short()
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        let digits = self.0.split_once(':').map_or(&*self.0, |(_, digits)| digits);
        digits.get(..12).unwrap_or(digits)
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Hashes the bytes of a file as they are.
#[derive(Clone, Default)]
pub struct FileHasher(Sha256);

impl FileHasher {
    /// An empty hasher.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of all bytes added.
    pub fn finish(self) -> Checksum {
        checksum(&self.0.finalize())
    }
}

impl std::io::Write for FileHasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The text of a SHA-256.
fn checksum(hash: &[u8]) -> Checksum {
    const ALGORITHM: &str = "sha256:";
    let mut text = String::with_capacity(ALGORITHM.len() + 2 * hash.len());
    text.push_str(ALGORITHM);
    write_hex(hash, &mut text);
    Checksum(text.into())
}

/// Hashes text so that line endings and a byte-order mark make no difference: a leading U+FEFF is left out, CR LF and a
/// lone CR count as LF.
#[derive(Clone, Default)]
pub struct TextHasher {
    hasher: Sha256,
    seen: usize,
    head: Vec<u8>,
    after_carriage_return: bool,
}

impl TextHasher {
    /// An empty hasher.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes; chunks may be cut anywhere.
    pub fn update(&mut self, mut bytes: &[u8]) {
        const MARK: &[u8] = &[0xEF, 0xBB, 0xBF];
        while self.seen < 3 && !bytes.is_empty() {
            self.head.push(bytes[0]);
            self.seen += 1;
            bytes = &bytes[1..];
            if self.seen == 3 && self.head != MARK {
                let head = std::mem::take(&mut self.head);
                self.lines(&head);
            }
        }
        self.lines(bytes);
    }

    fn lines(&mut self, mut bytes: &[u8]) {
        if self.after_carriage_return && bytes.first() == Some(&b'\n') {
            bytes = &bytes[1..];
            self.after_carriage_return = false;
        }
        if !bytes.is_empty() {
            self.after_carriage_return = false;
        }
        while let Some(at) = bytes.iter().position(|&byte| byte == b'\r') {
            self.hasher.update(&bytes[..at]);
            self.hasher.update(b"\n");
            bytes = &bytes[at + 1..];
            match bytes.first() {
                Some(b'\n') => bytes = &bytes[1..],
                Some(_) => {}
                None => self.after_carriage_return = true,
            }
        }
        self.hasher.update(bytes);
    }

    /// The checksum of all text added.
    pub fn finish(mut self) -> Checksum {
        if self.seen < 3 {
            let head = std::mem::take(&mut self.head);
            self.lines(&head);
        }
        checksum(&self.hasher.finalize())
    }
}

/// Lower-case hexadecimal digits, two for each byte.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    write_hex(bytes, &mut text);
    text
}

fn write_hex(bytes: &[u8], text: &mut String) {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value & 15)]);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(*byte));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_has_two_digits() {
        assert_eq!(hex(&[0x00, 0x09, 0xa0, 0xff, 0x1f]), "0009a0ff1f");
        assert_eq!(hex(&[]), "");
    }

    fn text(bytes: &[u8], chunk: usize) -> Checksum {
        let mut hasher = TextHasher::new();
        for part in bytes.chunks(chunk) {
            hasher.update(part);
        }
        hasher.finish()
    }

    #[test]
    fn line_endings_and_mark_are_no_change() {
        let plain = text(b"a\nb\n\nc\n", 100);
        for variant in ["a\r\nb\r\n\r\nc\r\n", "a\rb\r\rc\r", "\u{feff}a\nb\r\n\nc\n"] {
            for chunk in 1..5 {
                assert_eq!(text(variant.as_bytes(), chunk), plain, "{variant:?} in chunks of {chunk}");
            }
        }
        assert_ne!(text(b"a\nb\nc\n", 100), plain);
    }

    #[test]
    fn a_short_form_means_it() {
        let digest = Checksum::of(b"abc");
        let long = digest.as_str().to_owned();
        for (text, expected) in [
            (long.as_str(), true),
            ("sha256:ba7816bf8f01", true),
            ("ba7816bf8f01", true),
            ("md5:ba7816bf8f01", false),
            ("sha256:ba7816bf8f0", false),
            ("ba7816bf8f02", false),
            ("", false),
        ] {
            assert_eq!(digest.is_meant_by(text), expected, "{text}");
        }
    }

    #[test]
    fn short_texts_count() {
        assert_eq!(text(b"a", 1), Checksum::of(b"a"));
        assert_eq!(text(b"", 1), Checksum::of(b""));
        assert_eq!(Checksum::of(b"abc").short(), "ba7816bf8f01");
    }
}
