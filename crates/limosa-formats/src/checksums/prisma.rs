//! Prisma: SHA-256 over `migration.sql`, in hexadecimal digits; one that was made with other line endings counts as the same, and
//! so does one of old, in which each byte lost its leading zero (prisma-engines, `schema-connector/src/checksum.rs`).

use limosa_core::{Agreement, ForeignRow};
use sha2::{Digest, Sha256};

use super::text;

pub(super) fn record(bytes: &[u8], _row: &ForeignRow) -> Option<String> {
    Some(text::sha256(bytes))
}

pub(super) fn agrees(bytes: &[u8], _row: &ForeignRow, recorded: &str) -> Agreement {
    match text::agrees(bytes, &|form| text::sha256(form) == recorded) {
        Agreement::Different if recorded.len() < 64 => match text::agrees(bytes, &|form| unpadded(form) == recorded) {
            Agreement::Same => Agreement::SameBut("the older form of its checksum"),
            other => other,
        },
        other => other,
    }
}

/// The digits that old releases wrote: none for a leading zero of a byte.
fn unpadded(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_endings_and_the_form_of_old_are_known() {
        let row = ForeignRow::default();
        // sha256sum of "a\n", as it is, and each of its bytes by Python's "%x".
        let padded = "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7";
        let of_old = "87428fc522803d3165e7bce3cf03fe47596631e5e07bbd7afde60c4cf25c7";
        assert_eq!(agrees(b"a\n", &row, padded), Agreement::Same);
        assert_eq!(agrees(b"a\r\n", &row, padded), Agreement::SameBut(text::ENDINGS));
        assert_eq!(agrees(b"a\n", &row, of_old), Agreement::SameBut("the older form of its checksum"));
        assert_eq!(agrees(b"b\n", &row, of_old), Agreement::Different);
    }
}
