//! dbmate's folders: `20240102030405_create_users.sql`, with sections below `-- migrate:up` and `-- migrate:down`.
//!
//! Names: dbmate 2, `pkg/dbmate/db.go`: digits, anything, `.sql`; the digits are the version. dbmate goes by the names of the files,
//! limosa by the numbers: where these differ, a warning says so. dbmate has no placeholders: `${...}` is text.

use limosa_core::Version;
use limosa_sql::{Diagnostic, Label};

use super::Format;
use super::native::{FileRole, is_sql, split, spoken, unclear};
use crate::codes;

/// The line of the format table. Most names could be limosa's own: what the files hold speaks for it.
pub const FORMAT: Format = Format {
    name: "dbmate",
    description: "dbmate's: 20240102030405_name.sql with '-- migrate:up' and '-- migrate:down'",
    votes: |_| 0,
    sign: None,
};

/// What dbmate writes beside the migrations.
const DUMP: &str = "schema.sql";

/// Says what a file is for. Both `/` and `\` separate folders.
pub fn classify(path: &str) -> FileRole {
    let file = split(path).1;
    if file.starts_with('.') || file == DUMP || !is_sql(file) {
        return FileRole::Ignored;
    }
    let stem = file.strip_suffix(".sql").unwrap_or_default();
    let (label, title) = stem.split_at(stem.bytes().take_while(u8::is_ascii_digit).count());
    match Version::parse(label) {
        Ok(version) => {
            let title = spoken(title.trim_start_matches(|letter: char| !letter.is_alphanumeric()));
            let name = if title.is_empty() { label.to_owned() } else { title };
            FileRole::Versioned { version, label: label.into(), name: name.into() }
        }
        Err(_) => {
            let message = format!("the name {file} is none of dbmate's; the file is left out");
            let help = "expected NUMBER_title.sql; rename the file, or move it elsewhere";
            unclear(codes::UNCLEAR_NAME, path, message, help)
        }
    }
}

/// Says where dbmate runs files in another order, because it goes by their names. The files are given in any order.
pub(crate) fn other_order<'a>(files: impl Iterator<Item = (&'a str, &'a FileRole)>) -> Option<Diagnostic> {
    let mut versions: Vec<(&Version, &str, &str)> = files
        .filter_map(|(path, role)| match role {
            FileRole::Versioned { version, .. } => Some((version, split(path).1, path)),
            _ => None,
        })
        .collect();
    versions.sort();
    let (first, second) = versions.iter().zip(versions.iter().skip(1)).find(|(first, second)| first.1 > second.1)?;
    let message =
        format!("{} runs before {} here, and behind it in dbmate, which goes by the names", first.1, second.1);
    Some(
        Diagnostic::warning(codes::OTHER_ORDER, message).at(Label::file(first.2)).help(
            "give the numbers one width: leading zeros change nothing here; dbmate takes them for another version",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_files_are_for() {
        let said = |path: &str| match classify(path) {
            FileRole::Versioned { version, label, name } => format!("{version} {label} {name}"),
            FileRole::Unclear(problem) => problem.code.to_owned(),
            FileRole::Ignored => "ignored".to_owned(),
            role => format!("{role:?}"),
        };
        for (path, expected) in [
            ("db/migrations/20151129054053_test_migration.sql", "20151129054053 20151129054053 test migration"),
            ("001-create.sql", "1 001 create"),
            ("7.sql", "7 7 7"),
            ("7ab.sql", "7 7 ab"),
            ("db/schema.sql", "ignored"),
            ("users.sql", "LIM-F001"),
            ("7_x.SQL", "LIM-F001"),
            (".7_x.sql", "ignored"),
            ("README.md", "ignored"),
        ] {
            assert_eq!(said(path), expected, "{path}");
        }
    }

    #[test]
    fn another_order_is_said() {
        let warned = |paths: &[&str]| {
            let roles: Vec<FileRole> = paths.iter().map(|path| classify(path)).collect();
            other_order(paths.iter().copied().zip(&roles)).map(|problem| problem.message)
        };
        assert_eq!(warned(&["m/10_a.sql", "m/02_b.sql", "m/schema.sql"]), None);
        assert!(warned(&["m/10_a.sql", "m/2_b.sql"]).unwrap().starts_with("2_b.sql runs before 10_a.sql"));
    }
}
