//! sql-migrate's folders: any name that ends in `.sql`, with sections below `-- +migrate Up` and `-- +migrate Down`.
//!
//! Names: sql-migrate 1, `migrate.go`: a migration is known by the whole name of its file. Those that begin with digits run first, in the
//! order of these numbers and then of the names; the others behind them, in the order of their names. Those run whenever they turn up. There
//! are no placeholders: `${...}` is text.

use limosa_core::Version;

use super::Format;
use super::native::{FileRole, split, spoken};

/// The line of the format table. The names could be any: what the files hold speaks for it.
pub const FORMAT: Format = Format {
    name: "sql_migrate",
    description: "sql-migrate's: NAME.sql with '-- +migrate Up' and '-- +migrate Down'",
    votes: |_| 0,
    sign: None,
};

/// Says what a file is for. Both `/` and `\` separate folders.
pub fn classify(path: &str) -> FileRole {
    let file = split(path).1;
    let Some(stem) = file.strip_suffix(".sql").filter(|_| !file.starts_with('.')) else {
        return FileRole::Ignored;
    };
    let (digits, title) = stem.split_at(stem.bytes().take_while(u8::is_ascii_digit).count());
    let title = spoken(title.trim_start_matches(|letter: char| !letter.is_alphanumeric()));
    match Version::parse(digits) {
        Ok(number) => {
            let name = if title.is_empty() { digits.to_owned() } else { title };
            FileRole::Versioned { version: number.named(file), label: digits.into(), name: name.into() }
        }
        Err(_) => {
            FileRole::Late { version: Version::behind_numbers(file), label: stem.into(), name: spoken(stem).into() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_files_are_for() {
        let said = |path: &str| match classify(path) {
            FileRole::Versioned { version, label, name } | FileRole::Late { version, label, name } => {
                format!("{version}|{label}|{name}")
            }
            FileRole::Ignored => "ignored".to_owned(),
            role => format!("{role:?}"),
        };
        for (path, expected) in [
            ("m/1_initial.sql", "1_initial.sql|1|initial"),
            ("20240102030405-add_users.sql", "20240102030405-add_users.sql|20240102030405|add users"),
            ("7.sql", "7.sql|7|7"),
            ("initial.sql", "initial.sql|initial|initial"),
            (".1_x.sql", "ignored"),
            ("1_x.SQL", "ignored"),
            ("README.md", "ignored"),
        ] {
            assert_eq!(said(path), expected, "{path}");
        }
    }

    #[test]
    fn numbers_decide_the_order_and_names_between_equal_ones() {
        let mut files = ["first.sql", "10_a.sql", "2_b.sql", "2_a.sql", "again.sql", "02_c.sql"];
        let version = |path: &str| match classify(path) {
            FileRole::Versioned { version, .. } | FileRole::Late { version, .. } => version,
            role => panic!("{role:?}"),
        };
        files.sort_by_key(|path| version(path));
        assert_eq!(files, ["02_c.sql", "2_a.sql", "2_b.sql", "10_a.sql", "again.sql", "first.sql"]);
    }
}
