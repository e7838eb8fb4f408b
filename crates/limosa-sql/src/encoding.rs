//! Scripts are UTF-8 without NUL; everything else is told apart so that the message can say what it is.

use crate::search::find;

/// Number of bytes at the start of a file that [`recognise`] wants to see.
pub(crate) const SIGNATURE_BYTES: usize = 16;

/// What a file is that is no script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// A Unicode encoding other than UTF-8.
    Wide(&'static str),
    /// A binary format: its name, and what to do with it.
    Binary(&'static str, &'static str),
}

/// Recognises files that are no UTF-8 text by their first bytes.
pub(crate) fn recognise(start: &[u8]) -> Option<Foreign> {
    const SIGNATURES: &[(&[u8], &str, &str)] = &[
        (
            b"PGDMP",
            "a PostgreSQL archive (pg_dump -Fc)",
            "turn it into a script: pg_restore --file=out.sql --no-owner FILE",
        ),
        (b"SQLite format 3\0", "an SQLite database", "turn it into a script with the sqlite3 shell: .dump"),
        (&[0x1F, 0x8B], "a gzip file", "unpack it first: gunzip FILE"),
        (&[0x28, 0xB5, 0x2F, 0xFD], "a zstd file", "unpack it first: unzstd FILE"),
        (&[0xFD, b'7', b'z', b'X', b'Z', 0], "an xz file", "unpack it first: unxz FILE"),
        (b"PK\x03\x04", "a zip file", "unpack it first: unzip FILE"),
        (b"\x7FELF", "a program", "give a text file that holds SQL"),
    ];
    let wide = match start {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Some("UTF-32"),
        [0xFF, 0xFE, ..] => Some("UTF-16 (little-endian)"),
        [0xFE, 0xFF, ..] => Some("UTF-16 (big-endian)"),
        [0, second, 0, fourth, ..] if *second != 0 && *fourth != 0 => Some("UTF-16 (big-endian)"),
        [first, 0, third, 0, ..] if *first != 0 && *third != 0 => Some("UTF-16 (little-endian)"),
        _ => None,
    };
    if let Some(name) = wide {
        return Some(Foreign::Wide(name));
    }
    SIGNATURES.iter().find(|(signature, ..)| start.starts_with(signature)).map(|(_, n, a)| Foreign::Binary(n, a))
}

/// The first thing wrong with a run of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A NUL byte at this offset.
    Nul(usize),
    /// Not UTF-8 at this offset.
    Invalid(usize),
}

/// Checks `bytes`; gives how many of them are good for certain (fewer than all where a character is cut off at the
/// end and `last` is false).
pub(crate) fn check(bytes: &[u8], last: bool) -> Result<usize, Flaw> {
    let nul = find(bytes, 0, 0);
    let until = nul.unwrap_or(bytes.len());
    match std::str::from_utf8(&bytes[..until]) {
        Ok(_) => match nul {
            Some(at) => Err(Flaw::Nul(at)),
            None => Ok(until),
        },
        Err(error) if error.error_len().is_none() && nul.is_none() && !last => Ok(error.valid_up_to()),
        Err(error) => Err(Flaw::Invalid(error.valid_up_to())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaws_are_found_at_their_place() {
        assert_eq!(check("aé".as_bytes(), true), Ok(3));
        assert_eq!(check(&"aé".as_bytes()[..2], false), Ok(1));
        assert_eq!(check(&"aé".as_bytes()[..2], true), Err(Flaw::Invalid(1)));
        assert_eq!(check(b"a\0\xFF", true), Err(Flaw::Nul(1)));
        assert_eq!(check(b"a\xFF\0", true), Err(Flaw::Invalid(1)));
        assert_eq!(check(b"\xC3\0", false), Err(Flaw::Invalid(0)));
    }

    #[test]
    fn foreign_files_are_recognised() {
        assert_eq!(recognise(b"\xFF\xFEs\0"), Some(Foreign::Wide("UTF-16 (little-endian)")));
        assert_eq!(recognise(b"s\0e\0l\0"), Some(Foreign::Wide("UTF-16 (little-endian)")));
        assert_eq!(recognise(b"\0s\0e"), Some(Foreign::Wide("UTF-16 (big-endian)")));
        assert_eq!(recognise(b"\xFF\xFE\0\0"), Some(Foreign::Wide("UTF-32")));
        assert!(matches!(recognise(b"PGDMP\x01\x0e"), Some(Foreign::Binary(..))));
        assert_eq!(recognise(b"select 1;"), None);
        assert_eq!(recognise(b"\xEF\xBB\xBFselect 1"), None);
    }
}
