//! What a `sqlite:` address means.

use std::path::{Path, PathBuf};

use crate::{ConnectOptions, DbError, DbErrorKind};

/// The forms an address may have, for messages.
const FORMS: &str = "write `sqlite:path`, `sqlite:///absolute/path` or `sqlite::memory:`, with `?mode=ro`, `?mode=rw`, \
                     `?mode=rwc` or `?double_quoted_strings=on` behind it where needed";

/// Where a database is and what may be done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) place: Place,
    pub(crate) access: Access,
    /// What stands in double quotes and names no column is a text, as it is in databases of many drivers.
    pub(crate) has_double_quoted_strings: bool,
}

/// A file, or the memory of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Memory,
    File(PathBuf),
}

/// What may be done with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
    /// A missing file is made.
    Create,
}

impl Location {
    /// Reads the address of the options.
    ///
    /// The path ends at the first `?`. In it `%` and two hexadecimal digits stand for one byte, as in URLs, so that `%3F`
    /// and `%25` can name any file; a `%` without two such digits is itself.
    pub(crate) fn of(options: &ConnectOptions) -> Result<Location, DbError> {
        let address = options.database.expose().trim();
        let known = |scheme: &str| ["sqlite", "sqlite3"].iter().any(|name| scheme.eq_ignore_ascii_case(name));
        let Some((_, rest)) = address.split_once(':').filter(|(scheme, _)| known(scheme)) else {
            return Err(wrong("the address of a SQLite database begins with `sqlite:`"));
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let path = path.strip_prefix("//").unwrap_or(path);
        let (access, has_double_quoted_strings) = parameters(query)?;
        if path.is_empty() {
            return Err(wrong("the address `sqlite:` names no file"));
        }
        let place = if path == ":memory:" { Place::Memory } else { Place::File(decoded(path)?) };
        let access = match access {
            _ if options.read_only => Access::Read,
            Access::Create if !options.create => Access::Write,
            access => access,
        };
        Ok(Location { place, access, has_double_quoted_strings })
    }

    /// How the database is called in messages and in the plan's identity.
    pub(crate) fn name(&self) -> String {
        match &self.place {
            Place::Memory => ":memory:".to_owned(),
            Place::File(path) => path.display().to_string(),
        }
    }

    /// The file; None for a database in memory.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::Memory => None,
            Place::File(path) => Some(path),
        }
    }
}

/// The path of the database that the options name, or `:memory:`, without opening it.
///
/// # Errors
/// [`DbErrorKind::Configuration`] where the address cannot be understood.
pub fn describe(options: &ConnectOptions) -> Result<String, DbError> {
    Location::of(options).map(|location| location.name())
}

/// What the address itself allows, and whether double quotes may stand around texts.
fn parameters(query: &str) -> Result<(Access, bool), DbError> {
    let mut found = Access::Create;
    let mut has_double_quoted_strings = false;
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name == "double_quoted_strings" {
            has_double_quoted_strings = match value {
                "on" => true,
                "off" => false,
                _ => return Err(wrong("double_quoted_strings in the SQLite address is neither on nor off")),
            };
            continue;
        }
        if name != "mode" {
            return Err(wrong(format!("the SQLite address has the unknown parameter `{name}`")));
        }
        found = match value {
            "ro" => Access::Read,
            "rw" => Access::Write,
            "rwc" => Access::Create,
            _ => return Err(wrong(format!("the SQLite address has the unknown mode `{value}`"))),
        };
    }
    Ok((found, has_double_quoted_strings))
}

fn decoded(path: &str) -> Result<PathBuf, DbError> {
    let bytes = path.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let escape = escape.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) if byte == b'%' => {
                plain.push(value);
                at += 3;
            }
            _ => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    if plain.contains(&0) {
        return Err(wrong("the path of the SQLite database holds a zero byte"));
    }
    let text = String::from_utf8(plain);
    text.map(PathBuf::from).map_err(|_| wrong("the path of the SQLite database is not UTF-8 after its `%` escapes"))
}

fn wrong(message: impl Into<String>) -> DbError {
    DbError::new(DbErrorKind::Configuration, message).hint(FORMS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    fn parse(address: &str, read_only: bool, create: bool) -> Result<(String, Access), String> {
        let options = ConnectOptions { database: Secret::new(address), read_only, create, ..ConnectOptions::default() };
        Location::of(&options)
            .map(|location| (location.name(), location.access))
            .map_err(|error| format!("{:?}: {}", error.kind, error.message))
    }

    #[test]
    fn addresses() {
        for (address, name, access) in [
            ("sqlite:app.db", "app.db", Access::Create),
            ("sqlite:data/app.db", "data/app.db", Access::Create),
            ("sqlite:../app.db?", "../app.db", Access::Create),
            ("sqlite:/srv/app.db", "/srv/app.db", Access::Create),
            ("sqlite:///srv/app.db", "/srv/app.db", Access::Create),
            ("sqlite://app.db", "app.db", Access::Create),
            ("sqlite::memory:", ":memory:", Access::Create),
            ("sqlite:app.db?mode=ro", "app.db", Access::Read),
            ("sqlite:app.db?mode=rw", "app.db", Access::Write),
            ("sqlite:app.db?mode=rwc", "app.db", Access::Create),
            ("sqlite:app.db?double_quoted_strings=on&mode=rw", "app.db", Access::Write),
            ("sqlite:a%20b%3F.db?mode=rw", "a b?.db", Access::Write),
            ("sqlite:100%.db", "100%.db", Access::Create),
            ("sqlite:%+1.db", "%+1.db", Access::Create),
            ("sqlite:Größe.db", "Größe.db", Access::Create),
            ("sqlite:file:x.db", "file:x.db", Access::Create),
            (" SQLite3:app.db ", "app.db", Access::Create),
        ] {
            assert_eq!(parse(address, false, true), Ok((name.to_owned(), access)), "{address}");
        }
    }

    #[test]
    fn rights_asked_for_and_given() {
        for (address, read_only, create, access) in [
            ("sqlite:app.db", true, true, Access::Read),
            ("sqlite:app.db?mode=rwc", true, true, Access::Read),
            ("sqlite:app.db?mode=rwc", false, false, Access::Write),
            ("sqlite:app.db", false, false, Access::Write),
            ("sqlite:app.db?mode=rw", false, true, Access::Write),
            ("sqlite:app.db?mode=ro", false, true, Access::Read),
        ] {
            assert_eq!(parse(address, read_only, create).map(|found| found.1), Ok(access), "{address}");
        }
    }

    #[test]
    fn refused_addresses_say_why() {
        for (address, part) in [
            ("postgres://host/db", "begins with `sqlite:`"),
            ("sqlite:", "names no file"),
            ("sqlite://", "names no file"),
            ("sqlite:?mode=ro", "names no file"),
            ("sqlite:a.db?cache=shared", "unknown parameter `cache`"),
            ("sqlite:a.db?mode=ro&vfs=unix", "unknown parameter `vfs`"),
            ("sqlite:a.db?mode=memory", "unknown mode `memory`"),
            ("sqlite:a.db?mode", "unknown mode ``"),
            ("sqlite:a.db?double_quoted_strings", "neither on nor off"),
            ("sqlite:a%00.db", "zero byte"),
            ("sqlite:a%FF.db", "not UTF-8"),
        ] {
            let error = parse(address, false, true).unwrap_err();
            assert!(error.starts_with("Configuration: ") && error.contains(part), "{address}: {error}");
        }
    }
}
