//! Diesel's folders as they stand: a folder for each migration, `2024-01-31-120000-0000_create_users/up.sql`, with `down.sql` and
//! `metadata.toml` beside it.
//!
//! Names: diesel, `diesel_migrations/migrations_internals/src/lib.rs`: the version is what stands before the first `_`, without
//! `-`; versions are compared as texts. Diesel has no placeholders: `${...}` is text.

use limosa_core::{TransactionWish, Version};
use limosa_sql::Diagnostic;
use toml::de::DeValue;

use super::Format;
use super::native::{Config, FileRole, Place, RollbackTarget, Wishes, is_sql, split, spoken, unclear};
use crate::codes;
use crate::toml_table::TomlTable;

/// The line of the format table.
pub const FORMAT: Format = Format {
    name: "diesel",
    description: "Diesel's: a folder for each migration, 2024-01-31-120000-0000_name/up.sql and down.sql",
    votes,
    sign: None,
};

fn votes(places: &[Place<'_>]) -> usize {
    places.iter().filter(|place| ["up.sql", "down.sql"].contains(&place.file) && place.is_dated()).count()
}

/// The version of a folder, as diesel's own table has it, and the words behind it.
fn named(folder: &str) -> Option<(String, &str)> {
    let (version, words) = folder.split_once('_').unwrap_or((folder, ""));
    let version = version.replace('-', "");
    (!version.is_empty()).then_some((version, words))
}

/// Says what a file is for. Both `/` and `\` separate folders.
pub fn classify(path: &str) -> FileRole {
    let (folder, file) = split(path);
    match (file, named(split(folder).1)) {
        ("metadata.toml", Some(_)) => FileRole::Config,
        ("up.sql", Some((version, words))) => {
            let name = if words.is_empty() { version.clone() } else { spoken(words) };
            FileRole::Versioned {
                version: Version::of_name(version.as_str()),
                label: version.into(),
                name: name.into(),
            }
        }
        ("down.sql", Some((version, _))) => {
            FileRole::Rollback { of: RollbackTarget::Version(Version::of_name(version)), beside: None }
        }
        _ if !file.starts_with('.') && is_sql(file) => {
            let message = format!("the name {file} is neither up.sql nor down.sql; the file is left out");
            let help =
                "diesel runs VERSION_name/up.sql and takes it back by VERSION_name/down.sql; move the file elsewhere";
            unclear(codes::UNCLEAR_NAME, path, message, help)
        }
        _ => FileRole::Ignored,
    }
}

/// The name of a new file: `2024-01-31-120000-0000_words/up.sql`, where the version is a time as diesel writes it.
pub(crate) fn new_name(version: &str, words: &str, file: &str) -> String {
    let is_time = version.len() == 14 && version.is_ascii();
    match is_time {
        true => {
            let (year, month, day, time) = (&version[..4], &version[4..6], &version[6..8], &version[8..]);
            format!("{year}-{month}-{day}-{time}-0000_{words}/{file}")
        }
        false => format!("{version}_{words}/{file}"),
    }
}

/// Reads `metadata.toml`, which holds for both files beside it.
pub(crate) fn read_metadata(path: &str, bytes: &[u8]) -> (Option<Config>, Vec<Diagnostic>) {
    let read = TomlTable::read(path, bytes).and_then(|table| {
        let Some(value) = table.get(&["run_in_transaction"]) else { return Ok(Wishes::default()) };
        match value.get_ref() {
            // What cannot run in one runs alone all the same.
            DeValue::Boolean(true) => Ok(Wishes::default()),
            DeValue::Boolean(false) => Ok(Wishes { transaction: Some(TransactionWish::None), ..Wishes::default() }),
            _ => {
                Err(Box::new(table.wrong(value, "run_in_transaction is neither true nor false", "write true or false")))
            }
        }
    });
    match read {
        Ok(wishes) => (Some(Config::of_folder(path, wishes)), Vec::new()),
        Err(problem) => (None, vec![*problem]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_files_are_for() {
        let said = |path: &str| match classify(path) {
            FileRole::Versioned { version, label, name } => format!("up {version} {label} '{name}'"),
            FileRole::Rollback { of: RollbackTarget::Version(version), beside: None } => format!("down {version}"),
            FileRole::Unclear(problem) => problem.code.to_owned(),
            FileRole::Config => "config".to_owned(),
            FileRole::Ignored => "ignored".to_owned(),
            role => format!("{role:?}"),
        };
        for (path, expected) in [
            ("m/20151219180527_create_users/up.sql", "up 20151219180527 20151219180527 'create users'"),
            ("m/2017-09-23-123456_a/up.sql", "up 20170923123456 20170923123456 'a'"),
            ("m/2024-02-15-100000-0001_a_b/up.sql", "up 202402151000000001 202402151000000001 'a b'"),
            ("m/00000000000000_diesel_initial_setup/down.sql", "down 00000000000000"),
            ("m\\1_a\\up.sql", "up 1 1 'a'"),
            ("m/7/up.sql", "up 7 7 '7'"),
            ("m/words_only/up.sql", "up words words 'only'"),
            ("m/_a/up.sql", "LIM-F001"),
            ("up.sql", "LIM-F001"),
            ("m/1_a/UP.sql", "LIM-F001"),
            ("m/1_a/seed.sql", "LIM-F001"),
            ("m/1_a/metadata.toml", "config"),
            ("m/1_a/README.md", "ignored"),
            ("m/.gitkeep", "ignored"),
        ] {
            assert_eq!(said(path), expected, "{path}");
        }
    }

    #[test]
    fn versions_are_texts() {
        let version = |path: &str| match classify(path) {
            FileRole::Versioned { version, .. } => version,
            role => panic!("{role:?}"),
        };
        // A counter behind the time makes no later version of it.
        let ordered = ["10_x", "2024-01-01-000000-0000_a", "20240101000001_b", "3_x"];
        for pair in ordered.windows(2) {
            let [one, other] = [pair[0], pair[1]].map(|folder| version(&format!("m/{folder}/up.sql")));
            assert!(one < other, "{one} < {other}");
        }
    }

    #[test]
    fn new_names_are_those_of_the_tool() {
        assert_eq!(new_name("20240131120000", "add_x", "up.sql"), "2024-01-31-120000-0000_add_x/up.sql");
        assert_eq!(new_name("004", "add_x", "down.sql"), "004_add_x/down.sql");
    }

    #[test]
    fn metadata_says_whether_there_is_a_transaction() {
        for (text, expected) in [
            ("run_in_transaction = false", Ok(())),
            ("", Ok(())),
            ("other = 1\r\n[more]\nx = 1\n", Ok(())),
            ("run_in_transaction = 0", Err((1, 22))),
            ("\nrun_in_transaction = \n", Err((2, 22))),
        ] {
            let (config, problems) = read_metadata("m/1_a/metadata.toml", text.as_bytes());
            let place = problems.first().and_then(|problem| problem.labels[0].position);
            assert_eq!(config.is_some(), expected.is_ok(), "{text}");
            assert_eq!(place.map(|place| (place.line, place.column)), expected.err(), "{text}");
        }
    }
}
