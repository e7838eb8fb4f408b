//! `mysql://user:password@host:port/database?name=value&...`.
//!
//! Nothing of the text is ever shown in an error: a password may stand anywhere in a URL that is written wrongly.

use super::malformed;
use crate::DbError;

pub(super) const ENCODE: &str =
    "write @ : / ? # % and blanks in a user name or password as %40 %3A %2F %3F %23 %25 %20";

/// What follows the scheme, if the text begins with one.
pub(super) fn after_scheme(text: &str) -> Option<&str> {
    let text = text.trim();
    ["mysql://", "mariadb://"].iter().find_map(|scheme| {
        let (begin, rest) = text.split_at_checked(scheme.len())?;
        begin.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

/// Reads what follows the scheme into names and values, in the order in which they count (later ones win).
pub(super) fn parse(rest: &str) -> Result<Vec<(String, String)>, DbError> {
    let mut found = Vec::new();
    if rest.contains('#') {
        return Err(malformed("the database URL has a # in it").hint(ENCODE));
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, place) = match authority.split_once('@') {
        Some((user, place)) => (user, place),
        None => ("", authority),
    };
    if place.contains('@') || database.contains('@') || database.contains('/') {
        return Err(malformed("the database URL has an @ or a / in the wrong place").hint(ENCODE));
    }
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let (host, port) = host_and_port(place)?;
    for (name, value) in
        [("user", user), ("password", password), ("host", host), ("port", port), ("database", database)]
    {
        if !value.is_empty() {
            found.push((name.to_owned(), decode(value)?));
        }
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if value.contains('=') {
            return Err(malformed("a parameter of the database URL has two =")
                .hint("write = in a value as %3D, and & between parameters"));
        }
        found.push((decode(name)?, decode(value)?));
    }
    Ok(found)
}

fn host_and_port(place: &str) -> Result<(&str, &str), DbError> {
    if place.contains(',') {
        return Err(malformed("the database URL names several hosts")
            .hint("name one: a migration runs on the primary, whichever that is"));
    }
    let Some(inside) = place.strip_prefix('[') else {
        let (host, port) = place.split_once(':').unwrap_or((place, ""));
        if port.contains(':') {
            return Err(malformed("the database URL has too many colons behind the user")
                .hint("write an IPv6 address in brackets, [::1]:3306, and a : in a password as %3A"));
        }
        return Ok((host, port));
    };
    let Some((address, after)) = inside.split_once(']') else {
        return Err(malformed("the database URL has a [ without its ]"));
    };
    match after.strip_prefix(':') {
        Some(port) => Ok((address, port)),
        None if after.is_empty() => Ok((address, "")),
        None => Err(malformed("the database URL has something between an IPv6 address and its port")),
    }
}

/// Replaces `%XX`. A plus sign stays one.
fn decode(text: &str) -> Result<String, DbError> {
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
