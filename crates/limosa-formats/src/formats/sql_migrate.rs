//! sql-migrate's folders: any name that ends in `.sql`, with sections below `-- +migrate Up` and `-- +migrate Down`.
//!
//! Names: sql-migrate 1, `migrate.go`: a migration is known by the whole name of its file. Those that begin with digits run first, in the
//! order of these numbers and then of the names; the others behind them. Here the others run first, because a name has no number: a
//! warning says so where a folder has both. There are no placeholders: `${...}` is text.

use limosa_core::Version;
use limosa_sql::{Diagnostic, Label};

use super::Format;
use super::native::{FileRole, split, spoken};
use crate::codes;

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
            FileRole::Versioned { version: number.named(file), label: digits.to_owned(), name }
        }
        Err(_) => FileRole::Versioned { version: Version::of_name(file), label: stem.to_owned(), name: spoken(stem) },
    }
}

/// Says where sql-migrate runs files in another order. The files are given in any order.
pub(crate) fn other_order<'a>(files: impl Iterator<Item = (&'a str, &'a FileRole)>) -> Option<Diagnostic> {
    let (mut numbered, mut bare) = (None, None);
    for (path, _) in files.filter(|(_, role)| matches!(role, FileRole::Versioned { .. })) {
        let has_number = split(path).1.starts_with(|first: char| first.is_ascii_digit());
        *if has_number { &mut numbered } else { &mut bare } = Some(path);
    }
    let (numbered, bare) = (split(numbered?).1, bare?);
    let message =
        format!("{} has no number and runs before {numbered} here, and behind it in sql-migrate", split(bare).1);
    Some(
        Diagnostic::warning(codes::OTHER_ORDER, message)
            .at(Label::file(bare))
            .help("give it a number in front of its name, as the others have; where it ran already, baseline says so"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_files_are_for() {
        let said = |path: &str| match classify(path) {
            FileRole::Versioned { version, label, name } => format!("{version}|{label}|{name}"),
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
        let mut files = ["10_a.sql", "2_b.sql", "2_a.sql", "02_c.sql"];
        let version = |path: &str| match classify(path) {
            FileRole::Versioned { version, .. } => version,
            role => panic!("{role:?}"),
        };
        files.sort_by_key(|path| version(path));
        assert_eq!(files, ["02_c.sql", "2_a.sql", "2_b.sql", "10_a.sql"]);
        let roles: Vec<FileRole> = ["m/1_a.sql", "m/b.sql"].iter().map(|path| classify(path)).collect();
        let warning = other_order(["m/1_a.sql", "m/b.sql"].into_iter().zip(&roles)).unwrap();
        assert!(warning.message.starts_with("b.sql has no number and runs before 1_a.sql"), "{}", warning.message);
        assert!(other_order(["m/1_a.sql"].into_iter().zip(&roles)).is_none());
    }
}
