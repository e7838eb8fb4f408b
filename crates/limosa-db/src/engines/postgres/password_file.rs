//! `.pgpass`: which password belongs to which server, port, database and user.
//!
//! PostgreSQL documentation, chapter "libpq", "The Password File".

use std::path::Path;

use super::parameters::{Parameters, Place};
use crate::{Notice, Secret};

/// What a line must match.
pub(super) struct Wanted<'a> {
    pub(super) host: &'a str,
    pub(super) port: &'a str,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

/// Looks for the password of one server. A file that may not be used is reported in words.
pub(super) fn look_up(parameters: &Parameters, place: &Place) -> (Option<Secret>, Option<Notice>) {
    let Some(file) = &parameters.password_file else { return (None, None) };
    let text = match read(&file.path) {
        Ok(Some(text)) => text,
        Ok(None) => return (None, None),
        Err(problem) => return (None, Some(warning(&file.path, &problem))),
    };
    let port = place.port.to_string();
    let wanted = Wanted {
        host: &place.host.in_password_file(),
        port: &port,
        database: &parameters.database,
        user: &parameters.user,
    };
    (find(&text, &wanted), None)
}

fn warning(path: &Path, problem: &str) -> Notice {
    Notice {
        severity: "WARNING".to_owned(),
        message: format!("the password file {} is ignored: {problem}", path.display()),
        detail: None,
        hint: Some(format!("chmod 600 {}", path.display())).filter(|_| problem.contains("others")),
        code: None,
    }
}

/// The text of the file; None where there is none.
fn read(path: &Path) -> Result<Option<String>, String> {
    let about = match std::fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if !about.is_file() {
        return Err("it is not a plain file".to_owned());
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o077 != 0 {
        return Err("others than its owner may read or write it".to_owned());
    }
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) => Err(error.to_string()),
    }
}

/// The password of the first line that matches.
pub(super) fn find(text: &str, wanted: &Wanted<'_>) -> Option<Secret> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut rest = line;
        for expected in [wanted.host, wanted.port, wanted.database, wanted.user] {
            let (field, after) = field(rest)?;
            if field != "*" && unescape(field) != expected {
                return None;
            }
            rest = after;
        }
        Some(Secret::new(unescape(rest)))
    })
}

/// The text up to the next colon that no backslash escapes, and what follows it.
fn field(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    let end = text.find(|c: char| {
        let ends = c == ':' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some((&text[..end], &text[end + 1..]))
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' { chars.next().unwrap_or('\\') } else { c });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_matches_gives_the_password() {
        let text = "# comment\n\
                    db.example.com:5432:shop:alice:one\n\
                    db.example.com:*:*:alice:two\n\
                    ::1:5432:shop:alice:wrong\n\
                    \\:\\:1:5432:shop:alice:six\n\
                    localhost:5432:a\\:b:c\\\\d:p\\:q\\\\r:s\n\
                    *:*:*:bob:four:and more\n\
                    short:line\n\
                    \\*:*:*:carol:star\n";
        for (host, port, database, user, expected) in [
            ("db.example.com", "5432", "shop", "alice", Some("one")),
            ("db.example.com", "5433", "shop", "alice", Some("two")),
            ("::1", "5432", "shop", "alice", Some("six")),
            ("localhost", "5432", "a:b", "c\\d", Some("p:q\\r:s")),
            ("anything", "1", "any", "bob", Some("four:and more")),
            ("*", "1", "any", "carol", Some("star")),
            ("other", "1", "any", "carol", None),
            ("short", "line", "", "", None),
        ] {
            let wanted = Wanted { host, port, database, user };
            let found = find(text, &wanted);
            assert_eq!(found.as_ref().map(Secret::expose), expected, "{host} {port} {database} {user}");
        }
    }
}
