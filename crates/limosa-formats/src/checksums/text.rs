//! A text as it may have been when its checksum was made: with other line endings, with or without a byte-order mark.

use limosa_core::{Agreement, hex};
use sha2::{Digest, Sha256};

/// U+FEFF in UTF-8.
const MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// Line endings differ.
pub(super) const ENDINGS: &str = "its line endings";

/// A byte-order mark was added or taken away.
pub(super) const ORDER_MARK: &str = "a byte-order mark";

/// The text without a byte-order mark.
pub(super) fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK).unwrap_or(bytes)
}

/// The text with LF alone, or with CR LF, at the ends of lines; a lone CR counts as an end of line.
pub(super) fn with_endings(bytes: &[u8], ending: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len() + bytes.len() / 16);
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
        text.extend_from_slice(&rest[..at]);
        text.extend_from_slice(ending);
        let width = if rest[at..].starts_with(b"\r\n") { 2 } else { 1 };
        rest = &rest[at + width..];
    }
    text.extend_from_slice(rest);
    text
}

/// Whether some form of a text has the checksum that was recorded: the text as it is, with other line endings, without or with a
/// byte-order mark. `is_it` says whether a text has it.
pub(super) fn agrees(bytes: &[u8], is_it: &dyn Fn(&[u8]) -> bool) -> Agreement {
    if is_it(bytes) {
        return Agreement::Same;
    }
    let bare = unmarked(bytes);
    let marked = || [MARK, bare].concat();
    let forms: [(&'static str, &dyn Fn() -> Vec<u8>); 6] = [
        (ENDINGS, &|| with_endings(bytes, b"\n")),
        (ENDINGS, &|| with_endings(bytes, b"\r\n")),
        (ORDER_MARK, &|| if bare.len() < bytes.len() { bare.to_vec() } else { marked() }),
        (ORDER_MARK, &|| with_endings(bare, b"\n")),
        (ORDER_MARK, &|| with_endings(&marked(), b"\n")),
        (ORDER_MARK, &|| with_endings(&marked(), b"\r\n")),
    ];
    let same = forms.iter().find(|(_, form)| is_it(&form()));
    same.map_or(Agreement::Different, |(but, _)| Agreement::SameBut(but))
}

/// SHA-256 in hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_made_equal() {
        for text in ["a\nb\n\nc", "a\r\nb\r\n\r\nc", "a\rb\r\rc", "a\nb\r\n\rc"] {
            assert_eq!(with_endings(text.as_bytes(), b"\n"), b"a\nb\n\nc", "{text:?}");
            assert_eq!(with_endings(text.as_bytes(), b"\r\n"), b"a\r\nb\r\n\r\nc", "{text:?}");
        }
    }

    #[test]
    fn a_text_is_known_in_other_forms() {
        for (now, then, expected) in [
            ("a\n", "a\n", Agreement::Same),
            ("a\n", "a\r\n", Agreement::SameBut(ENDINGS)),
            ("a\r\n", "a\n", Agreement::SameBut(ENDINGS)),
            ("\u{feff}a\n", "a\n", Agreement::SameBut(ORDER_MARK)),
            ("a\n", "\u{feff}a\n", Agreement::SameBut(ORDER_MARK)),
            ("\u{feff}a\r\n", "a\n", Agreement::SameBut(ORDER_MARK)),
            ("a\n", "\u{feff}a\r\n", Agreement::SameBut(ORDER_MARK)),
            ("a\n", "a\n\n", Agreement::Different),
            ("a\n", "a", Agreement::Different),
        ] {
            assert_eq!(agrees(now.as_bytes(), &|form| form == then.as_bytes()), expected, "{now:?} {then:?}");
        }
    }
}
