//! Flyway: CRC-32 over the lines without their ends, as a signed number of 32 bits; a byte-order mark is left out. So neither line
//! endings nor empty lines make a difference (Flyway, `ChecksumCalculator.java`, `BomFilter.java`).
//!
//! A repeatable's is over the text with the values of its placeholders put in; over the text as it is counts as well.

use limosa_core::{Agreement, ForeignRow};

use super::text;

fn checksum(bytes: &[u8]) -> String {
    let mut hasher = crc32fast::Hasher::new();
    text::unmarked(bytes).split(|byte| matches!(byte, b'\r' | b'\n')).for_each(|line| hasher.update(line));
    hasher.finalize().cast_signed().to_string()
}

/// The text where each byte was a character of ISO 8859-1, which `flyway.encoding` may say.
fn from_latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

pub(super) fn record(bytes: &[u8], _row: &ForeignRow) -> Option<String> {
    Some(checksum(bytes))
}

pub(super) fn agrees(bytes: &[u8], _row: &ForeignRow, recorded: &str) -> Agreement {
    if checksum(bytes) == recorded || checksum(from_latin(bytes).as_bytes()) == recorded {
        return Agreement::Same;
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => Agreement::Different,
        Err(_) => Agreement::Unknowable("its encoding is not UTF-8, so its checksum cannot be told"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_endings_empty_lines_and_a_mark_make_no_difference() {
        // By Python's zlib over the lines without their ends.
        for (text, expected) in [
            (&b"create table a (n int);\n"[..], "1112043886"),
            (b"create table a (n int);", "1112043886"),
            (b"\xEF\xBB\xBFcreate table a\r (n int);\r\n\r\n", "1112043886"),
            (b"a\nb\n", "-1635563411"),
            (b"", "0"),
            ("\u{feff}select '\u{f6}';\r\n".as_bytes(), "675721805"),
            (b"select '\xF6';\n", "675721805"),
        ] {
            assert_eq!(agrees(text, &ForeignRow::default(), expected), Agreement::Same, "{text:?}");
        }
        assert_eq!(agrees(b"a\nc\n", &ForeignRow::default(), "-1635563411"), Agreement::Different);
        assert!(matches!(agrees(b"\xF6", &ForeignRow::default(), "1"), Agreement::Unknowable(_)));
    }
}
