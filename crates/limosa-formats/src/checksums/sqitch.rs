//! Sqitch: SHA-1 over the bytes of the deploy script, in hexadecimal digits (sqitch 1, `lib/App/Sqitch/Plan/Change.pm`,
//! `_deploy_hash`). A registry that was made before it had that column holds the id of the change there, until a deploy renews it
//! (`lib/App/Sqitch/Engine.pm`, `_update_script_hashes`).

use limosa_core::{Agreement, ForeignRow, hex};
use sha1::{Digest, Sha1};

use super::text;

fn sha1(bytes: &[u8]) -> String {
    hex(&Sha1::digest(bytes))
}

pub(super) fn record(bytes: &[u8], _row: &ForeignRow) -> Option<String> {
    Some(sha1(bytes))
}

pub(super) fn agrees(bytes: &[u8], row: &ForeignRow, recorded: &str) -> Agreement {
    if row.id.as_deref() == Some(recorded) {
        return Agreement::Unknowable("it was deployed by a sqitch that kept no hash of its script");
    }
    text::agrees(bytes, &|form| sha1(form) == recorded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_known_by_their_hash() {
        // sha1sum of "a\n".
        let hash = "3f786850e387550fdab836ed7e6dc881de23001b";
        let mut row = ForeignRow::default();
        assert_eq!(agrees(b"a\n", &row, hash), Agreement::Same);
        assert_eq!(agrees(b"a\r\n", &row, hash), Agreement::SameBut(text::ENDINGS));
        assert_eq!(agrees(b"b\n", &row, hash), Agreement::Different);
        row.id = Some(hash.to_owned());
        assert!(matches!(agrees(b"b\n", &row, hash), Agreement::Unknowable(_)));
    }
}
