//! drizzle: SHA-256 over the text of `0000_tag.sql` or `migration.sql`, in hexadecimal digits (drizzle-orm, `src/migrator.ts`).
//! drizzle itself never compares it.

use limosa_core::{Agreement, ForeignRow};

use super::text;

pub(super) fn record(bytes: &[u8], _row: &ForeignRow) -> Option<String> {
    Some(text::sha256(bytes))
}

pub(super) fn agrees(bytes: &[u8], _row: &ForeignRow, recorded: &str) -> Agreement {
    text::agrees(bytes, &|form| text::sha256(form) == recorded)
}
