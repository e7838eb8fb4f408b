//! Checksums that name their algorithm.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::digest::Output;
use sha2::{Digest, Sha256};

/// A checksum, stored and shown as `sha256:` and 64 hexadecimal digits. A copy is cheap.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Checksum(Form);

/// A folder may have a hundred thousand files, and of each two checksums are known: they are held as bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Form {
    Sha256([u8; 32]),
    /// As it was found, where it is no SHA-256 as limosa writes them.
    Other(Arc<str>),
}

const ALGORITHM: &str = "sha256:";

impl Checksum {
    /// The SHA-256 of some bytes.
    pub fn of(bytes: &[u8]) -> Checksum {
        let mut hasher = FileHasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    /// Takes a stored checksum as it stands.
    pub fn stored(text: &str) -> Checksum {
        Checksum(match text.strip_prefix(ALGORITHM).and_then(bytes_of) {
            Some(bytes) => Form::Sha256(bytes),
            None => Form::Other(text.into()),
        })
    }

    /// The digits, without the name of the algorithm before them.
    pub fn digits(&self) -> String {
        match &self.0 {
            Form::Sha256(bytes) => hex(bytes),
            Form::Other(text) => text.split_once(':').map_or(&**text, |(_, digits)| digits).to_owned(),
        }
    }

    /// True for the whole text, and for [`Checksum::short`] with the name of the hash before it or without.
    pub fn is_meant_by(&self, text: &str) -> bool {
        let own = self.to_string();
        let digits = match (text.split_once(':'), own.split_once(':')) {
            (Some((name, digits)), Some((own, _))) if name == own => digits,
            _ => text,
        };
        *text == *own || digits == self.digits() || digits == self.short()
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> String {
        let mut digits = self.digits();
        if digits.is_char_boundary(12) {
            digits.truncate(12);
        }
        digits
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Sha256(bytes) => write!(formatter, "{ALGORITHM}{}", hex(bytes)),
            Form::Other(text) => formatter.write_str(text),
        }
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Checksum({:?})", self.to_string())
    }
}

impl Serialize for Checksum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Checksum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Checksum::stored(&text))
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
        checksum(self.0.finalize())
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

/// The checksum that a hash stands for.
pub(crate) fn checksum(hash: Output<Sha256>) -> Checksum {
    Checksum(Form::Sha256(hash.into()))
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
        checksum(self.hasher.finalize())
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

/// The bytes of 64 lower-case hexadecimal digits; None for any other text.
fn bytes_of(digits: &str) -> Option<[u8; 32]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let digits: &[u8; 64] = digits.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_has_two_digits() {
        assert_eq!(hex(&[0x00, 0x09, 0xa0, 0xff, 0x1f]), "0009a0ff1f");
        assert_eq!(hex(&[]), "");
    }

    #[test]
    fn what_is_stored_comes_back_as_it_was() {
        let digits = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Checksum::stored(&format!("sha256:{digits}")), Checksum::of(b"abc"));
        assert_eq!(Checksum::of(b"abc").digits(), digits);
        for text in [
            "",
            ":",
            "sha256:",
            "sha256:ba78",
            "md5:900150983cd24fb0d6963f7d28e17f72",
            digits,
            &format!("sha256:{}", digits.to_uppercase()),
            &format!("sha256:{digits}0"),
            &format!("sha256:{}\u{fc}", &digits[..62]),
            &format!("sha256:{digits}"),
            "\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}",
        ] {
            let stored = Checksum::stored(text);
            assert_eq!(stored.to_string(), text);
            assert_eq!(serde_json::to_value(&stored).unwrap(), text);
            assert_eq!(serde_json::from_value::<Checksum>(text.into()).unwrap(), stored);
            assert_eq!(stored == Checksum::of(b"abc"), text.len() == 71 && text.ends_with("15ad"), "{text}");
            assert!(stored.is_meant_by(text) && stored.is_meant_by(&stored.digits()));
            assert!(stored.digits().starts_with(&stored.short()));
        }
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
        let long = digest.to_string();
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
