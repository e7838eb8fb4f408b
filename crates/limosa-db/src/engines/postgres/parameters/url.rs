//! `postgres://user:password@host:port/dbname?name=value&...`, as libpq reads it.
//!
//! PostgreSQL documentation, chapter "libpq", "Connection URIs". Nothing of the text is ever shown in an error: a
//! password may stand anywhere in a URL that is written wrongly.

use super::malformed;
use crate::DbError;
use crate::network::address::{ENCODE, decode};

/// What follows `postgres://` or `postgresql://`, if the text begins so.
pub(super) fn after_scheme(text: &str) -> Option<&str> {
    ["postgresql://", "postgres://"].iter().find_map(|scheme| text.strip_prefix(scheme))
}

/// Reads what follows the scheme into names and values, in the order in which they count (later ones win).
pub(super) fn parse(rest: &str) -> Result<Vec<(String, String)>, DbError> {
    let mut found = Vec::new();
    let (rest, query) = split_query(rest);
    let rest = user_and_password(rest, &mut found)?;
    let (hosts, database) = match rest.split_once('/') {
        Some((hosts, database)) => (hosts, Some(database)),
        None => (rest, None),
    };
    if hosts.contains('@') || database.is_some_and(|name| name.contains('@')) {
        return Err(malformed("the database URL has an @ in the wrong place").hint(ENCODE));
    }
    hosts_and_ports(hosts, &mut found)?;
    if let Some(database) = database.filter(|name| !name.is_empty()) {
        found.push(("dbname".to_owned(), decode(database)?));
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        found.push(parameter(pair)?);
    }
    Ok(found)
}

/// Splits at the first `?` behind the user's part, in which libpq lets it stand for itself.
fn split_query(text: &str) -> (&str, &str) {
    let from = match text.find(['@', '/']) {
        Some(at) if text.as_bytes()[at] == b'@' => at,
        _ => 0,
    };
    match text[from..].find('?') {
        Some(at) => (&text[..from + at], &text[from + at + 1..]),
        None => (text, ""),
    }
}

/// The user's part ends at the first `@` that comes before any `/`.
fn user_and_password<'a>(rest: &'a str, found: &mut Vec<(String, String)>) -> Result<&'a str, DbError> {
    let Some(at) = rest.find(['@', '/']).filter(|at| rest.as_bytes()[*at] == b'@') else {
        return Ok(rest);
    };
    let (user, password) = match rest[..at].split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (&rest[..at], None),
    };
    if !user.is_empty() {
        found.push(("user".to_owned(), decode(user)?));
    }
    if let Some(password) = password.filter(|password| !password.is_empty()) {
        found.push(("password".to_owned(), decode(password)?));
    }
    Ok(&rest[at + 1..])
}

fn hosts_and_ports(text: &str, found: &mut Vec<(String, String)>) -> Result<(), DbError> {
    if text.is_empty() {
        return Ok(());
    }
    let mut hosts = Vec::new();
    let mut ports = Vec::new();
    for place in text.split(',') {
        let (host, port) = host_and_port(place)?;
        hosts.push(decode(host)?);
        ports.push(decode(port)?);
    }
    if hosts.iter().any(|host| !host.is_empty()) || hosts.len() > 1 {
        found.push(("host".to_owned(), hosts.join(",")));
    }
    if ports.iter().any(|port| !port.is_empty()) {
        found.push(("port".to_owned(), ports.join(",")));
    }
    Ok(())
}

fn host_and_port(place: &str) -> Result<(&str, &str), DbError> {
    let Some(inside) = place.strip_prefix('[') else {
        return Ok(place.split_once(':').unwrap_or((place, "")));
    };
    let Some((address, after)) = inside.split_once(']') else {
        return Err(malformed("the database URL has a [ without its ]"));
    };
    if address.is_empty() {
        return Err(malformed("the database URL has an empty IPv6 address"));
    }
    match after.strip_prefix(':') {
        Some(port) => Ok((address, port)),
        None if after.is_empty() => Ok((address, "")),
        None => Err(malformed("the database URL has something between an IPv6 address and its port")),
    }
}

fn parameter(pair: &str) -> Result<(String, String), DbError> {
    let Some((name, value)) = pair.split_once('=') else {
        return Err(malformed("a parameter of the database URL has no value").hint("write ?name=value&name=value"));
    };
    if value.contains('=') {
        return Err(malformed("a parameter of the database URL has two =")
            .hint("write = in a value as %3D, and & between parameters"));
    }
    let (name, value) = (decode(name)?, decode(value)?);
    // What JDBC writes; libpq understands it too.
    if name == "ssl" && value == "true" {
        return Ok(("sslmode".to_owned(), "require".to_owned()));
    }
    Ok((name, value))
}
