//! goose's folders: `00001_create_users.sql`, with sections below `-- +goose Up` and `-- +goose Down`.
//!
//! Names: goose 3, `migration.go`: the version is an integer of 64 bits from 1 on, before the first `_`; other files are left out.
//! Migrations in Go are programs, which only the application that holds them can run. Variables of the environment are replaced
//! below `-- +goose ENVSUB ON` only; elsewhere `${...}` is text.

use limosa_core::Version;

use super::Format;
use super::native::{FileRole, is_sql, program, split, spoken, unclear};
use crate::codes;

/// The line of the format table. The names could be limosa's own: what the files hold speaks for it.
pub const FORMAT: Format = Format {
    name: "goose",
    description: "goose's: 00001_name.sql with '-- +goose Up' and '-- +goose Down'",
    votes: |_| 0,
    sign: None,
};

/// The version as written, and the title.
fn named(stem: &str) -> Option<(&str, &str)> {
    let (label, title) = stem.split_once('_')?;
    let is_version =
        label.bytes().all(|byte| byte.is_ascii_digit()) && label.parse::<i64>().is_ok_and(|number| number > 0);
    is_version.then_some((label, title))
}

/// Says what a file is for. Both `/` and `\` separate folders.
pub fn classify(path: &str) -> FileRole {
    let file = split(path).1;
    if file.starts_with('.') {
        return FileRole::Ignored;
    }
    if let Some(stem) = file.strip_suffix(".go") {
        let understood = named(stem).filter(|_| !stem.ends_with("_test"));
        return match understood.and_then(|(label, title)| Some((Version::parse(label).ok()?, label, spoken(title)))) {
            Some(known) => program(path, known, "a migration in Go", "write it as SQL into a file of the same number"),
            None => FileRole::Ignored,
        };
    }
    if !is_sql(file) {
        return FileRole::Ignored;
    }
    let understood = file.strip_suffix(".sql").and_then(named);
    match understood.and_then(|(label, title)| Some((label, title, Version::parse(label).ok()?))) {
        Some((label, title, version)) => {
            let name = if title.is_empty() { label.to_owned() } else { spoken(title) };
            FileRole::Versioned { version, label: label.into(), name: name.into() }
        }
        None => {
            let message = format!("the name {file} is none of goose's; the file is left out");
            let help = "expected NUMBER_title.sql, the number from 1 on; rename the file, or move it elsewhere";
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
            FileRole::Versioned { version, label, name } => format!("{version} {label} {name}"),
            FileRole::Unclear(problem) | FileRole::Program { problem, .. } => problem.code.to_owned(),
            FileRole::Ignored => "ignored".to_owned(),
            role => format!("{role:?}"),
        };
        for (path, expected) in [
            ("m/00001_create_users.sql", "1 00001 create users"),
            ("20240102030405_a.b_c.sql", "20240102030405 20240102030405 a.b c"),
            ("7_.sql", "7 7 7"),
            ("0_x.sql", "LIM-F001"),
            ("7.sql", "LIM-F001"),
            ("1.2_x.sql", "LIM-F001"),
            ("9223372036854775808_x.sql", "LIM-F001"),
            ("schema.sql", "LIM-F001"),
            ("1_x.SQL", "LIM-F001"),
            ("m/00002_seed.go", "LIM-F034"),
            ("m/00002_seed_test.go", "ignored"),
            ("m/main.go", "ignored"),
            (".1_x.sql", "ignored"),
            ("README.md", "ignored"),
        ] {
            assert_eq!(said(path), expected, "{path}");
        }
    }
}
