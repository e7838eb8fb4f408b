//! A service with numbered files: SHA-256 in hexadecimal digits over the text as Python reads it, in which each end of a line
//! is LF. A byte-order mark stays part of the text.

use limosa_core::{Agreement, ForeignRow};

use super::text;

pub(super) fn record(bytes: &[u8], _row: &ForeignRow) -> Option<String> {
    Some(text::sha256(&text::with_endings(bytes, b"\n")))
}

pub(super) fn agrees(bytes: &[u8], row: &ForeignRow, recorded: &str) -> Agreement {
    if record(bytes, row).as_deref() == Some(recorded) {
        return Agreement::Same;
    }
    text::agrees(bytes, &|form| text::sha256(form) == recorded)
}
