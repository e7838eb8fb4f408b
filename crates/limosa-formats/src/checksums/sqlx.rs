//! sqlx: SHA-384 over the text of the file up, in hexadecimal digits here; characters that `[migrate] ignored-chars` of
//! `sqlx.toml` names are left out first (sqlx-core, `src/migrate/migration.rs` and `source.rs`).

use limosa_core::{Agreement, ForeignRow, hex};
use sha2::{Digest, Sha384};

use super::text;

/// What `ignored-chars` usually names: carriage returns, carriage returns and a byte-order mark, all blanks.
const IGNORED: [&[char]; 3] = [&['\r'], &['\r', '\u{feff}'], &[' ', '\t', '\r', '\n', '\u{feff}']];

fn sha384(bytes: &[u8]) -> String {
    hex(&Sha384::digest(bytes))
}

pub(super) fn record(bytes: &[u8], _row: &ForeignRow) -> Option<String> {
    Some(sha384(bytes))
}

pub(super) fn agrees(bytes: &[u8], _row: &ForeignRow, recorded: &str) -> Agreement {
    let usual = text::agrees(bytes, &|form| sha384(form) == recorded);
    let (Agreement::Different, Ok(text)) = (usual, std::str::from_utf8(bytes)) else { return usual };
    let without = |ignored: &&[char]| sha384(text.replace(*ignored, "").as_bytes()) == recorded;
    match IGNORED.iter().any(without) {
        true => Agreement::SameBut("characters that its checksum ignores"),
        false => Agreement::Different,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_that_sqlx_made() {
        // As `sqlx migrate run` of sqlx-cli wrote them.
        let row = ForeignRow::default();
        let unix = "c482963a5531717a6ac03197bab8086bf72f1f9af0b21c6ab49acbd1b97f33c5a892e5de1b1fe654a3f12a018f027f8d";
        let dos = "d01998c5238c34235ac0413a76f89c2fdf72dc421a38cd9eb480fc594c325d88d0cd8ac2e553585c80d227501b722ec6";
        assert_eq!(agrees(b"create table a (n int);\n", &row, unix), Agreement::Same);
        assert_eq!(agrees(b"create table b (n int);\r\n", &row, dos), Agreement::Same);
        assert_eq!(agrees(b"create table b (n int);\n", &row, dos), Agreement::SameBut(text::ENDINGS));
        // By Python's hashlib over the text without blanks.
        let bare = "d02d2d8d6a8e99e39263cd32d3d688d6f8666407204f72d82c0a659247ef2ddef730ecacc0c49b054ac3e99ca3fc980e";
        assert_eq!(
            agrees(b"create table a (n int);\n", &row, bare),
            Agreement::SameBut("characters that its checksum ignores")
        );
        assert_eq!(agrees(b"create table b (n int);\n", &row, bare), Agreement::Different);
    }
}
