//! Prisma Migrate's folders as they stand: a folder for each migration, `20240131120000_init/migration.sql`, and beside them
//! `migration_lock.toml`, which names the kind of database.
//!
//! Names: Prisma documentation, "About migration histories". A migration is known by the name of its folder, and folders run in the
//! order of their names as texts; Prisma 6.19 sorts them as people read them (`localeCompare`). There are no ways back, and no placeholders:
//! `${...}` is text.

use limosa_core::Version;
use limosa_sql::{Diagnostic, Engine, Label};

use super::Format;
use super::native::{FileRole, Place, is_sql, split, spoken, unclear};
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

fn votes(places: &[Place<'_>]) -> usize {
    let has_place = |place: &&Place<'_>| place.file == LOCK || (place.file == MIGRATION && place.is_dated());
    places.iter().filter(has_place).count()
}

/// The role of the one script in a folder by whose name it is known.
pub(super) fn in_folder(folder: &str) -> FileRole {
    let (label, words) = match folder.split_once('_') {
        Some((label, words)) if !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit()) => (label, words),
        _ => (folder, folder),
    };
    let name = if words.is_empty() { label.to_owned() } else { spoken(words) };
    FileRole::Versioned { version: Version::of_name(folder), label: label.into(), name: name.into() }
}

/// What stands before digits where people read, from the first on: the root collation of Unicode (CLDR), which JavaScript has.
const BEFORE_DIGITS: &str = " _-,;!.()[]{}@*&#%`^+<=>|~$";

/// What a name is sorted by where people read: letters without regard to capitals, which decide between equal ones.
fn as_read(name: &str) -> (Vec<(u8, u32)>, Vec<bool>) {
    let place = |letter: char| match (BEFORE_DIGITS.find(letter), letter.is_ascii_digit()) {
        (Some(place), _) => (0, u32::try_from(place).unwrap_or(u32::MAX)),
        (None, true) => (1, u32::from(letter)),
        (None, false) => (2, u32::from(letter.to_ascii_lowercase())),
    };
    (name.chars().map(place).collect(), name.chars().map(|letter| letter.is_ascii_uppercase()).collect())
}

/// Says where newer versions of Prisma run folders in another order. The files are given in any order.
pub(crate) fn other_order<'a>(files: impl Iterator<Item = (&'a str, &'a FileRole)>) -> Option<Diagnostic> {
    let versions = files.filter_map(|(path, role)| match role {
        FileRole::Versioned { version, .. } => Some((version.name()?, path)),
        _ => None,
    });
    let mut versions: Vec<(&str, &str)> = versions.collect();
    versions.sort_unstable();
    let mut pairs = versions.iter().zip(versions.iter().skip(1));
    let ((first, path), (second, _)) = pairs.find(|(first, second)| as_read(first.0) > as_read(second.0))?;
    let message =
        format!("{first} runs before {second} here and in older versions of Prisma, and behind it in Prisma 6.19");
    let help = "give both dates one width; where both ran already, it does not matter";
    Some(Diagnostic::warning(codes::OTHER_ORDER, message).at(Label::file(*path)).help(help))
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
    fn another_order_is_said() {
        // As JavaScript sorts them.
        let read = [
            "0_init",
            "2023_init",
            "20231_b",
            "20240101_a",
            "20240101_B",
            "20240101000000_add",
            "20240101000000_Add",
            "20240101000000_add_y",
            "20240101000000_add-x",
            "20240101000000_add.b",
            "20240101000000_addz",
        ];
        assert!(read.is_sorted_by_key(|name| as_read(name)));
        let said = |folders: &[&str]| {
            let paths: Vec<String> = folders.iter().map(|folder| format!("m/{folder}/migration.sql")).collect();
            let roles: Vec<FileRole> = paths.iter().map(|path| classify(path)).collect();
            other_order(paths.iter().map(String::as_str).zip(&roles)).map(|problem| problem.message)
        };
        assert_eq!(said(&["20240101000000_a", "0_init", "20240101000001_B"]), None);
        let message = said(&["20231_b", "2023_init"]).unwrap();
        assert!(message.starts_with("20231_b runs before 2023_init here"), "{message}");
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
