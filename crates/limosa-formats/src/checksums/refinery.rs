//! refinery: SipHash-1-3 with keys of zero, as a decimal number, over the name and `0xFF`, the version in little-endian bytes, the
//! text and `0xFF`. The version has four bytes, or eight where refinery was built with `int8-versions` (refinery_core,
//! `src/runner.rs`, through Rust's `Hash`).

use std::hash::Hasher;

use limosa_core::{Agreement, ForeignRow};
use siphasher::sip::SipHasher13;

use super::text;

/// How wide the version is.
#[derive(Clone, Copy)]
enum Width {
    Four,
    Eight,
}

fn checksum(bytes: &[u8], row: &ForeignRow, width: Width) -> Option<String> {
    let version: i64 = row.version.as_deref()?.parse().ok()?;
    let mut hasher = SipHasher13::new();
    hasher.write(row.name.as_deref()?.as_bytes());
    hasher.write_u8(0xFF);
    match width {
        Width::Four => hasher.write(&i32::try_from(version).ok()?.to_le_bytes()),
        Width::Eight => hasher.write(&version.to_le_bytes()),
    }
    hasher.write(bytes);
    hasher.write_u8(0xFF);
    Some(hasher.finish().to_string())
}

pub(super) fn record(bytes: &[u8], row: &ForeignRow) -> Option<String> {
    checksum(bytes, row, Width::Four).or_else(|| checksum(bytes, row, Width::Eight))
}

pub(super) fn agrees(bytes: &[u8], row: &ForeignRow, recorded: &str) -> Agreement {
    let is_it = |form: &[u8]| {
        [Width::Four, Width::Eight].iter().any(|width| checksum(form, row, *width).as_deref() == Some(recorded))
    };
    text::agrees(bytes, &is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(version: &str, name: &str) -> ForeignRow {
        ForeignRow { version: Some(version.to_owned()), name: Some(name.to_owned()), ..ForeignRow::default() }
    }

    #[test]
    fn checksums_that_refinery_made() {
        // As the command line of refinery 0.10 wrote them.
        let (first, second) = ("1587222337465993703", "3875201721628784444");
        assert_eq!(agrees(b"create table a (n int);\n", &row("1", "first_one"), first), Agreement::Same);
        assert_eq!(agrees(b"create table b (n int);\r\n", &row("2", "b"), second), Agreement::Same);
        assert_eq!(agrees(b"create table b (n int);\n", &row("2", "b"), second), Agreement::SameBut(text::ENDINGS));
        for other in [row("2", "first_one"), row("1", "first one")] {
            assert_eq!(agrees(b"create table a (n int);\n", &other, first), Agreement::Different, "{other:?}");
        }
    }

    #[test]
    fn a_version_has_four_bytes_or_eight() {
        let row = row("1", "a");
        let [four, eight] = [Width::Four, Width::Eight].map(|width| checksum(b"x", &row, width).unwrap());
        assert_ne!(four, eight);
        assert_eq!(record(b"x", &row), Some(four));
        assert_eq!(agrees(b"x", &row, &eight), Agreement::Same);
    }
}
