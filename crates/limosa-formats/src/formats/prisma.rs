//! Prisma Migrate's folders as they stand: a folder for each migration, `20240131120000_init/migration.sql`, and beside them
//! `migration_lock.toml`, which names the kind of database.
//!
//! Names: Prisma documentation, "About migration histories". A migration is known by the name of its folder, and folders run in the
//! order of their names as texts. There are no ways back, and no placeholders: `${...}` is text.

use limosa_core::Version;
use limosa_sql::{Diagnostic, Engine};

use super::Format;
use super::native::{FileRole, is_sql, split, spoken, unclear};
use crate::codes;
use crate::toml_table::TomlTable;

/// The line of the format table.
pub const FORMAT: Format = Format {
    name: "prisma",
    description: "Prisma Migrate's: a folder for each migration, 20240131120000_name/migration.sql, and migration_lock.toml",
    votes,
    sign: None,
};

/// The file that names the kind of database.
const LOCK: &str = "migration_lock.toml";

/// The file that holds a migration.
pub(crate) const MIGRATION: &str = "migration.sql";

fn votes(paths: &[&str]) -> usize {
    let has_place = |path: &&&str| split(path).1 == LOCK || is_dated(path, MIGRATION);
    paths.iter().filter(has_place).count()
}

/// True for a file of this name in a folder whose name begins with a digit.
pub(super) fn is_dated(path: &str, file: &str) -> bool {
    let (folder, own) = split(path);
    own == file && split(folder).1.starts_with(|first: char| first.is_ascii_digit())
}

/// The role of the one script in a folder by whose name it is known.
pub(super) fn in_folder(folder: &str) -> FileRole {
    let (label, words) = match folder.split_once('_') {
        Some((label, words)) if !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit()) => (label, words),
        _ => (folder, folder),
    };
    let name = if words.is_empty() { label.to_owned() } else { spoken(words) };
    FileRole::Versioned { version: Version::of_name(folder), label: label.to_owned(), name }
}

/// Says what a file is for. Both `/` and `\` separate folders.
pub fn classify(path: &str) -> FileRole {
    let (folder, file) = split(path);
    match (file, split(folder).1) {
        (LOCK, _) => FileRole::Config,
        (MIGRATION, name) if !name.is_empty() => in_folder(name),
        _ if !file.starts_with('.') && is_sql(file) => {
            let message = format!("{file} is not the migration of a folder; it is left out");
            let help = "Prisma runs TIME_name/migration.sql; move the file elsewhere";
            unclear(codes::UNCLEAR_NAME, path, message, help)
        }
        _ => FileRole::Ignored,
    }
}

/// Checks that `migration_lock.toml` names the engine at hand.
pub(crate) fn check_lock(path: &str, bytes: &[u8], engine: Engine) -> Vec<Diagnostic> {
    let checked = TomlTable::read(path, bytes).and_then(|table| {
        let (Some(provider), Some(value)) = (table.text(&["provider"])?, table.get(&["provider"])) else {
            return Ok(());
        };
        match other_engine(path, provider, engine) {
            Some(problem) => Err(Box::new(problem.at(table.label(value)))),
            None => Ok(()),
        }
    });
    checked.err().map(|problem| *problem).into_iter().collect()
}

/// An error where a tool says that its folder is for another kind of database; it has no place yet.
pub(super) fn other_engine(path: &str, named: &str, engine: Engine) -> Option<Diagnostic> {
    let fits = match named {
        "postgresql" => engine == Engine::Postgres,
        "mysql" => engine == Engine::Mysql,
        "sqlite" | "turso" => engine == Engine::Sqlite,
        _ => false,
    };
    let message = format!("these migrations are for {named}, and the database is {}", engine.title());
    let help = format!("name the database that is meant: --database; or the folder: --dir. {path} says what it is for");
    (!fits).then(|| Diagnostic::error(codes::OTHER_ENGINE, message).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_files_are_for() {
        let said = |path: &str| match classify(path) {
            FileRole::Versioned { version, label, name } => format!("up {version} {label} '{name}'"),
            FileRole::Unclear(problem) => problem.code.to_owned(),
            FileRole::Config => "config".to_owned(),
            FileRole::Ignored => "ignored".to_owned(),
            role => format!("{role:?}"),
        };
        for (path, expected) in [
            ("m/20240131120000_add_users/migration.sql", "up 20240131120000_add_users 20240131120000 'add users'"),
            ("m\\0_init\\migration.sql", "up 0_init 0 'init'"),
            ("m/20240131120000_/migration.sql", "up 20240131120000_ 20240131120000 '20240131120000'"),
            ("m/first_one/migration.sql", "up first_one first_one 'first one'"),
            ("m/migration_lock.toml", "config"),
            ("migration.sql", "LIM-F001"),
            ("m/20240131120000_a/down.sql", "LIM-F001"),
            ("m/20240131120000_a/README.md", "ignored"),
        ] {
            assert_eq!(said(path), expected, "{path}");
        }
    }

    #[test]
    fn the_lock_names_the_engine() {
        let lock = "# Please do not edit this file manually\nprovider = \"postgresql\"\n";
        assert!(check_lock("m/migration_lock.toml", lock.as_bytes(), Engine::Postgres).is_empty());
        assert!(check_lock("m/migration_lock.toml", b"", Engine::Postgres).is_empty());
        let problems = check_lock("m/migration_lock.toml", lock.as_bytes(), Engine::Mysql);
        assert_eq!((problems[0].code, problems[0].labels[0].position.unwrap().line), (codes::OTHER_ENGINE, 2));
        assert!(problems[0].message.contains("for postgresql, and the database is MySQL"), "{}", problems[0].message);
        for text in ["provider = \"cockroachdb\"", "provider = 1", "provider"] {
            assert_eq!(check_lock("x", text.as_bytes(), Engine::Postgres).len(), 1, "{text}");
        }
    }
}
