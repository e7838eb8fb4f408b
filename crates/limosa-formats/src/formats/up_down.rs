//! Folders with a file up and a file down for each version: `000001_create_users.up.sql` and `000001_create_users.down.sql`, as
//! golang-migrate has them, and sqlx for migrations that can be taken back.
//!
//! Names: golang-migrate, `source/parse.go`: digits, `_`, a title, `.up` or `.down`, and any ending, of which those of SQL are read
//! here (`.sql`, `.pgsql`, ...), and no others. They stand in the folder itself. These tools have no placeholders: `${...}` is text.

use limosa_core::Version;

use super::Format;
use super::native::{FileRole, Place, RollbackTarget, is_sql, split, spoken, unclear};
use crate::codes;

/// The line of the format table.
pub const FORMAT: Format = Format {
    name: "up_down",
    description: "a file up and a file down: 001_name.up.sql, 001_name.down.sql, as golang-migrate and sqlx have them",
    votes,
    sign: None,
};

fn votes(places: &[Place<'_>]) -> usize {
    places.iter().filter(|place| named(place.file).is_some()).count()
}

enum Direction {
    Up,
    Down,
}

/// The version as written, the title, and the direction, of a file with any ending.
fn named(file: &str) -> Option<(&str, &str, Direction)> {
    let (stem, _) = file.rsplit_once('.')?;
    let (rest, direction) = match stem.rsplit_once('.')? {
        (rest, "up") => (rest, Direction::Up),
        (rest, "down") => (rest, Direction::Down),
        _ => return None,
    };
    let (label, title) = rest.split_once('_')?;
    let is_version = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
    is_version.then_some((label, title, direction))
}

/// Says what a file is for. Both `/` and `\` separate folders.
pub fn classify(path: &str) -> FileRole {
    let file = split(path).1;
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_other = !is_sql(file) && !ending.to_ascii_lowercase().ends_with("sql");
    if file.starts_with('.') || (is_other && named(file).is_none()) {
        return FileRole::Ignored;
    }
    if is_other {
        let message = format!("{file} is named as a migration, and does not end in .sql; the file is left out");
        return unclear(
            codes::UNCLEAR_NAME,
            path,
            message,
            "golang-migrate runs it: give it the ending .sql, or move it elsewhere",
        );
    }
    let understood =
        named(file).and_then(|(label, title, direction)| Some((label, title, direction, Version::parse(label).ok()?)));
    match understood {
        Some((label, title, Direction::Up, version)) => {
            let name = if title.is_empty() { label.to_owned() } else { spoken(title) };
            FileRole::Versioned { version, label: label.into(), name: name.into() }
        }
        Some((_, _, Direction::Down, version)) => {
            FileRole::Rollback { of: RollbackTarget::Version(version), beside: None }
        }
        None => {
            let message = format!("the name {file} is not one of a file up or down; the file is left out");
            let help =
                "expected VERSION_title.up.sql and VERSION_title.down.sql; rename the file, or move it elsewhere";
            unclear(codes::UNCLEAR_NAME, path, message, help)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_files_are_for() {
        let said = |path: &str| match classify(path) {
            FileRole::Versioned { version, label, name } => format!("up {version} {label} {name}"),
            FileRole::Rollback { of: RollbackTarget::Version(version), beside: None } => format!("down {version}"),
            FileRole::Unclear(problem) => problem.code.to_owned(),
            FileRole::Ignored => "ignored".to_owned(),
            role => format!("{role:?}"),
        };
        for (path, expected) in [
            ("m/000001_create_users.up.sql", "up 1 000001 create users"),
            ("m/000001_create_users.down.sql", "down 1"),
            ("20240102030405_a.b_c.up.sql", "up 20240102030405 20240102030405 a.b c"),
            ("7_.up.sql", "up 7 7 7"),
            ("7.up.sql", "LIM-F001"),
            ("a_b.up.sql", "LIM-F001"),
            ("1_a.sql", "LIM-F001"),
            ("1_a.UP.sql", "LIM-F001"),
            ("1_a.up.SQL", "up 1 1 a"),
            ("1_a.up.pgsql", "up 1 1 a"),
            ("1_a.down.mysql", "down 1"),
            ("1_a.up.txt", "LIM-F001"),
            ("1_a.pgsql", "LIM-F001"),
            ("notes.txt", "ignored"),
            (".1_a.up.sql", "ignored"),
            ("README.md", "ignored"),
        ] {
            assert_eq!(said(path), expected, "{path}");
        }
    }
}
