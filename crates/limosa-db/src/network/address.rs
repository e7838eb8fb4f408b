//! What the addresses of all servers share: characters written as `%XX`.

use crate::{DbError, DbErrorKind};

/// What to do about characters that mean something in an address.
pub(crate) const ENCODE: &str =
    "write @ : / ? # % and blanks in a user name or password as %40 %3A %2F %3F %23 %25 %20";

/// Replaces `%XX`. A plus sign stays one. No error shows any of the text: it may be a password.
pub(crate) fn decode(text: &str) -> Result<String, DbError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = (rest.next().and_then(digit), rest.next().and_then(digit));
        let (Some(high), Some(low)) = digits else {
            return Err(
                malformed("the database URL has a % that is not followed by two hexadecimal digits").hint(ENCODE)
            );
        };
        match high * 16 + low {
            0 => return Err(malformed("the database URL contains %00, which the server takes nowhere")),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| malformed("the database URL, decoded, is not UTF-8"))
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn malformed(message: &str) -> DbError {
    DbError::new(DbErrorKind::Configuration, message)
}
