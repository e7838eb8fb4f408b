//! node-pg-migrate's folders of SQL: `1712345678901_create-users.sql`, with sections below `-- Up Migration` and `-- Down Migration`, or
//! without any, where all of the file leads up.
//!
//! Names: node-pg-migrate, `src/migration.ts`, `src/utils/fileNameUtils.ts`: a migration is known by the name of its file without the
//! ending, and runs in the order of the number in front. Migrations in JavaScript or TypeScript are programs and cannot be run here.
//! There are no placeholders: `${...}` is text.

use limosa_core::Version;

use super::Format;
use super::native::{FileRole, program, split, spoken, unclear};
use crate::codes;

/// The line of the format table. Most names could be limosa's own: what the files hold speaks for it.
pub const FORMAT: Format = Format {
    name: "node_pg_migrate",
    description: "node-pg-migrate's SQL: 1712345678901_name.sql with '-- Up Migration' and '-- Down Migration'",
    votes: |_| 0,
    sign: None,
};

/// Endings of programs.
const PROGRAMS: &[&str] = &["js", "mjs", "cjs", "ts", "mts", "cts"];

/// Says what a file is for. Both `/` and `\` separate folders.
pub fn classify(path: &str) -> FileRole {
    let file = split(path).1;
    let Some((stem, ending)) = file.rsplit_once('.').filter(|_| !file.starts_with('.')) else {
        return FileRole::Ignored;
    };
    let (digits, title) = stem.split_at(stem.bytes().take_while(u8::is_ascii_digit).count());
    match (ending, Version::parse(digits)) {
        ("sql", Ok(number)) => FileRole::Versioned {
            version: number.named(stem),
            label: digits.into(),
            name: title_of(title, digits).into(),
        },
        ("sql", Err(_)) => {
            let message = format!("the name {file} has no number in front; the file is left out");
            unclear(
                codes::UNCLEAR_NAME,
                path,
                message,
                "expected NUMBER_title.sql; rename the file, or move it elsewhere",
            )
        }
        (ending, Ok(number)) if PROGRAMS.contains(&ending) => {
            let help = "write it as SQL into a file of the same name that ends in .sql, in its place";
            program(path, (number.named(stem), digits, title_of(title, digits)), "a program of node-pg-migrate", help)
        }
        _ => FileRole::Ignored,
    }
}

fn title_of(written: &str, digits: &str) -> String {
    let title = spoken(&written.trim_start_matches(|letter: char| !letter.is_alphanumeric()).replace('-', "_"));
    if title.is_empty() { digits.to_owned() } else { title }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_files_are_for() {
        let said = |path: &str| match classify(path) {
            FileRole::Versioned { version, label, name } => format!("{version}|{label}|{name}"),
            FileRole::Unclear(problem) | FileRole::Program { problem, .. } => problem.code.to_owned(),
            FileRole::Ignored => "ignored".to_owned(),
            role => format!("{role:?}"),
        };
        for (path, expected) in [
            ("m/1712345678901_create-users.sql", "1712345678901_create-users|1712345678901|create users"),
            ("0001_a.sql", "0001_a|0001|a"),
            ("20240102030405678_a.b.sql", "20240102030405678_a.b|20240102030405678|a.b"),
            ("7.sql", "7|7|7"),
            ("views.sql", "LIM-F001"),
            ("1712345678901_a.js", "LIM-F034"),
            ("1712345678901_a.ts", "LIM-F034"),
            ("helpers.js", "ignored"),
            (".1_a.sql", "ignored"),
            ("README.md", "ignored"),
        ] {
            assert_eq!(said(path), expected, "{path}");
        }
    }
}
