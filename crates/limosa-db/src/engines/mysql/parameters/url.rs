//! `mysql://user:password@host:port/database?name=value&...`.
//!
//! Nothing of the text is ever shown in an error: a password may stand anywhere in a URL that is written wrongly.

use super::malformed;
use crate::DbError;
use crate::network::address::{ENCODE, decode};

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
