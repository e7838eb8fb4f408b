//! refinery's folders as they stand: `V1__create_users.sql`, and `U2__late.sql`, which may come late. Folders below are read, too.
//!
//! Names: refinery, `refinery_core/src/util.rs`. The two kinds share their versions and run in one order; a `V` that is older than
//! what ran is refused, a `U` runs (`refinery_core/src/traits/mod.rs`). refinery has no placeholders: `${...}` is text.

use std::collections::HashSet;

use limosa_core::Version;

use super::Format;
use super::native::{FileRole, Place, is_sql, program, split, spoken, unclear};
use crate::codes;

/// The line of the format table.
pub const FORMAT: Format = Format {
    name: "refinery",
    description: "refinery's: V1__name.sql, and U2__name.sql, which may come late; beside a refinery.toml or migrations in Rust",
    votes,
    sign: Some(|places, around| {
        around.contains(&"refinery.toml") || places.iter().any(|place| is_rust(place.file)) || leads_up_by_u(places)
    }),
};

fn votes(places: &[Place<'_>]) -> usize {
    places.iter().filter(|place| named(place.file).is_some()).count()
}

/// There are files `U`, and beside none of them the `V` that they would take back if they were Flyway's.
fn leads_up_by_u(places: &[Place<'_>]) -> bool {
    let names = || places.iter().filter_map(|place| named(place.file));
    let versions: HashSet<&str> = names().filter(|(is_late, ..)| !is_late).map(|(_, version, _)| version).collect();
    let mut late = names().filter(|(is_late, ..)| *is_late).peekable();
    late.peek().is_some() && late.all(|(_, version, _)| !versions.contains(version))
}

fn is_rust(file: &str) -> bool {
    file.ends_with(".rs") && named(file).is_some()
}

/// Whether it may come late, the version as written, and the title.
fn named(file: &str) -> Option<(bool, &str, &str)> {
    let stem = file.strip_suffix(".sql").or_else(|| file.strip_suffix(".rs"))?;
    let may_come_late = match stem.chars().next()? {
        'V' => false,
        'U' => true,
        _ => return None,
    };
    let (label, title) = stem[1..].split_once("__")?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_version = match label.split_once('.') {
        Some((whole, part)) => is_number(whole) && is_number(part),
        None => is_number(label),
    };
    let is_title = !title.is_empty() && title.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    (is_version && is_title).then_some((may_come_late, label, title))
}

/// Says what a file is for. Both `/` and `\` separate folders.
pub fn classify(path: &str) -> FileRole {
    let file = split(path).1;
    if file.starts_with('.') {
        return FileRole::Ignored;
    }
    if is_rust(file) {
        let help = "write it as SQL into a file of the same version, or register it in your application (limosa::RustMigration)";
        let known = named(file).and_then(|(_, label, title)| Some((Version::parse(label).ok()?, label, spoken(title))));
        return known.map_or(FileRole::Ignored, |known| program(path, known, "a migration in Rust", help));
    }
    if !is_sql(file) {
        return FileRole::Ignored;
    }
    let understood =
        named(file).and_then(|(late, label, title)| Some((late, label, title, Version::parse(label).ok()?)));
    match understood {
        Some((false, label, title, version)) => {
            FileRole::Versioned { version, label: label.into(), name: spoken(title).into() }
        }
        Some((true, label, title, version)) => {
            FileRole::Late { version, label: label.into(), name: spoken(title).into() }
        }
        None => {
            let message = format!("the name {file} is not one of a migration of refinery; the file is left out");
            let help = "expected V1__title.sql or U1__title.sql, with letters, digits and _ in the title; rename the file, or \
                        move it elsewhere";
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
            FileRole::Versioned { version, label, name } => format!("V {version} {label} '{name}'"),
            FileRole::Late { version, label, name } => format!("U {version} {label} '{name}'"),
            FileRole::Unclear(problem) | FileRole::Program { problem, .. } => problem.code.to_owned(),
            FileRole::Ignored => "ignored".to_owned(),
            role => format!("{role:?}"),
        };
        for (path, expected) in [
            ("m/V1__create_users.sql", "V 1 1 'create users'"),
            ("m/sub/U010__late.sql", "U 10 010 'late'"),
            ("V1.2__x.sql", "V 1.2 1.2 'x'"),
            ("V1__naïve.sql", "V 1 1 'naïve'"),
            ("V1__a__b.sql", "V 1 1 'a  b'"),
            ("V3__code.rs", "LIM-F034"),
            ("mod.rs", "ignored"),
            ("V1_x.sql", "LIM-F001"),
            ("V1__a-b.sql", "LIM-F001"),
            ("V1.2.3__x.sql", "LIM-F001"),
            ("V1__.sql", "LIM-F001"),
            ("R__views.sql", "LIM-F001"),
            ("1_a.sql", "LIM-F001"),
            ("V1__a.SQL", "LIM-F001"),
            ("README.md", "ignored"),
            (".V1__a.sql", "ignored"),
        ] {
            assert_eq!(said(path), expected, "{path}");
        }
    }
}
