//! drizzle-kit's folders as they stand: `0000_tag.sql` with `meta/_journal.json`, which says what there is and in which order; or,
//! from 1.0 on, a folder for each migration, `20240131120000_name/migration.sql` beside `snapshot.json`.
//!
//! Names: drizzle-orm, `drizzle-orm/src/migrator.ts` and `migrator.utils.ts`. A migration is known by its tag, or by the name of its
//! folder. drizzle takes files apart at `--> statement-breakpoint`, whether or not `;` stands before it. There are no ways back, and no
//! placeholders: `${...}` is text.

use std::collections::HashMap;

use limosa_core::Version;
use limosa_sql::{Diagnostic, Engine, ForeignKeys, Label, Position};
use serde::Deserialize;

use super::Format;
use super::native::{FileRole, Place, is_sql, split, spoken, unclear};
use super::prisma::{MIGRATION, in_folder, other_engine};
use crate::codes;

/// What ends statements, as a comment.
pub(crate) const BREAKPOINT: &str = "--> statement-breakpoint";

/// The line of the format table.
pub const FORMAT: Format = Format {
    name: "drizzle",
    description: "drizzle-kit's: 0000_tag.sql with meta/_journal.json, or 20240131120000_name/migration.sql with snapshot.json",
    votes,
    sign: None,
};

/// The file that lists the migrations of a folder, and the folder in which it stands.
const JOURNAL: (&str, &str) = ("meta", "_journal.json");

fn votes(places: &[Place<'_>]) -> usize {
    let named = places.iter().filter(|place| place.file == JOURNAL.1);
    let journals: Vec<&str> = named.filter_map(|place| folder_of(place.path)).collect();
    let has_place = |place: &&Place<'_>| match place.file {
        MIGRATION | "snapshot.json" if place.is_dated() => true,
        file if file == JOURNAL.1 => folder_of(place.path).is_some(),
        file => file.ends_with(".sql") && journals.contains(&place.folder),
    };
    places.iter().filter(has_place).count()
}

/// The folder of migrations that a journal belongs to; None where the path is none.
fn folder_of(path: &str) -> Option<&str> {
    let (meta, file) = split(path);
    let (folder, own) = split(meta);
    (file == JOURNAL.1 && own == JOURNAL.0).then_some(folder)
}

/// True where a path is that of a journal.
pub(crate) fn is_journal(path: &str) -> bool {
    folder_of(path).is_some()
}

/// The file in which an application names its packages.
pub(crate) const PACKAGE: &str = "package.json";

/// What a migration begins with, by the packages of the application: better-sqlite3 has foreign keys on, and the migrator for
/// `@libsql/client`, which drizzle-kit takes where both are there, switches them off.
fn foreign_keys_with(package: &[u8]) -> ForeignKeys {
    let package: serde_json::Value = serde_json::from_slice(package).unwrap_or_default();
    let lists = ["dependencies", "devDependencies", "optionalDependencies"];
    let has = |name: &str| lists.iter().any(|list| package.get(list).is_some_and(|list| list.get(name).is_some()));
    match has("better-sqlite3") && !has("@libsql/client") {
        true => ForeignKeys::Enforced,
        false => ForeignKeys::IgnoredThroughout,
    }
}

/// What the journals of the folders say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Journals {
    /// By folder; None where the journal cannot be read, which is told as an error.
    folders: HashMap<String, Option<Journal>>,
    /// The places of tags in the journal of their folder.
    positions: HashMap<String, HashMap<String, usize>>,
    /// As the application's driver has them.
    foreign_keys: ForeignKeys,
}

/// A journal: the migrations of a folder, in the order in which they run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Journal {
    /// The kind of database.
    #[serde(default)]
    pub dialect: Option<String>,
    /// The migrations.
    pub entries: Vec<Entry>,
}

/// A migration as the journal names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// When it was made, in milliseconds since the Unix epoch: what drizzle's own table knows it by.
    pub when: i64,
    /// The name of its file without `.sql`.
    pub tag: String,
}

impl Journals {
    /// Reads the journal at `path`, or the list of the application's packages.
    pub(crate) fn add(&mut self, path: &str, bytes: &[u8], engine: Engine) -> Vec<Diagnostic> {
        if split(path).1 == PACKAGE {
            self.foreign_keys = foreign_keys_with(bytes);
            return Vec::new();
        }
        let Some(folder) = folder_of(path) else { return Vec::new() };
        let mut problems = Vec::new();
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let journal = match serde_json::from_slice::<Journal>(bytes) {
            Ok(journal) => Some(journal),
            Err(error) => {
                let message = format!("the journal {path} cannot be read: {error}");
                let place = Position { line: error.line().max(1) as u64, column: error.column().max(1) as u64 };
                let help = "it lists the migrations of this folder, and nothing is run without it; take it from version \
                            control, or let drizzle-kit write it";
                problems
                    .push(Diagnostic::error(codes::BROKEN_TOOL_FILE, message).at(Label::place(path, place)).help(help));
                None
            }
        };
        if let Some(dialect) = journal.as_ref().and_then(|journal| journal.dialect.as_deref()) {
            problems.extend(other_engine(path, dialect, engine).map(|problem| problem.at(Label::file(path))));
        }
        if let Some(journal) = &journal {
            problems.extend(repeated(path, journal));
            let places = journal.entries.iter().enumerate().map(|(place, entry)| (entry.tag.clone(), place));
            self.positions.insert(folder.to_owned(), places.collect());
        }
        self.folders.insert(folder.to_owned(), journal);
        problems
    }

    /// As the driver has them that the application depends on.
    pub(crate) fn foreign_keys(&self) -> ForeignKeys {
        self.foreign_keys
    }

    /// The journal of a folder.
    pub fn of(&self, folder: &str) -> Option<&Journal> {
        self.folders.get(folder)?.as_ref()
    }

    /// When the migration of a file was made, by the journal beside it: drizzle before 1.0 runs what is newer than the newest that ran.
    pub(crate) fn made_at(&self, path: &str) -> Option<i64> {
        let (folder, file) = split(path);
        let tag = file.strip_suffix(".sql")?;
        let position = self.positions.get(folder)?.get(tag)?;
        self.of(folder)?.entries.get(*position).map(|entry| entry.when)
    }

    /// True where migrations are files beside a journal, and no folders.
    pub(crate) fn are_used(&self) -> bool {
        !self.folders.is_empty()
    }

    /// An error for each entry whose file is not among these.
    pub(crate) fn missing(&self, paths: &[&str]) -> Vec<Diagnostic> {
        let present: std::collections::HashSet<(&str, &str)> = paths.iter().map(|path| split(path)).collect();
        let mut problems = Vec::new();
        let mut folders: Vec<(&String, &Journal)> =
            self.folders.iter().filter_map(|(folder, journal)| Some((folder, journal.as_ref()?))).collect();
        folders.sort_by_key(|(folder, _)| *folder);
        for (folder, journal) in folders {
            for entry in &journal.entries {
                let file = format!("{}.sql", entry.tag);
                if !present.contains(&(folder.as_str(), file.as_str())) {
                    let message = format!("the journal lists {}, and there is no {file}", entry.tag);
                    let help = "take the file from version control, or, where the migration is gone for good, the entry out \
                                of meta/_journal.json";
                    let separator = if folder.is_empty() { "" } else { "/" };
                    let label = Label::file(format!("{folder}{separator}{}/{}", JOURNAL.0, JOURNAL.1));
                    problems.push(Diagnostic::error(codes::LISTED_FILE_MISSING, message).at(label).help(help));
                }
            }
        }
        problems
    }

    /// The role of a file beside a journal.
    fn listed(&self, path: &str, folder: &str, file: &str) -> FileRole {
        let stem = file.strip_suffix(".sql").unwrap_or(file);
        let position = self.positions.get(folder).and_then(|places| places.get(stem)).copied();
        let numbered = position.and_then(|position| Some((position, Version::parse(&position.to_string()).ok()?)));
        let Some((position, version)) = numbered else {
            let message =
                format!("{file} does not stand in meta/_journal.json, so drizzle does not run it; it is left out");
            return unclear(
                codes::UNCLEAR_NAME,
                path,
                message,
                "let drizzle-kit write the entry, or move the file elsewhere",
            );
        };
        let (label, words) = match stem.split_once('_') {
            Some((label, words)) if !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit()) => {
                (label.to_owned(), words)
            }
            _ => (format!("{position:04}"), stem),
        };
        FileRole::Versioned { version: version.named(stem), label: label.into(), name: spoken(words).into() }
    }

    /// Says what a file is for. Both `/` and `\` separate folders.
    pub fn classify(&self, path: &str) -> FileRole {
        let (folder, file) = split(path);
        if file.starts_with('.') || !is_sql(file) {
            return FileRole::Ignored;
        }
        match self.folders.get(folder) {
            // The journal is broken, and nothing can be said of what it lists.
            Some(None) => FileRole::Ignored,
            Some(Some(_)) => self.listed(path, folder, file),
            None if file == MIGRATION && !folder.is_empty() && !self.are_used() => in_folder(split(folder).1),
            None => {
                let message =
                    format!("{file} is not the migration of a folder, and no journal stands beside it; it is left out");
                unclear(
                    codes::UNCLEAR_NAME,
                    path,
                    message,
                    "drizzle runs 0000_tag.sql beside meta/_journal.json, or TIME_name/migration.sql",
                )
            }
        }
    }
}

/// A tag that stands there twice, as merged branches leave it.
fn repeated(path: &str, journal: &Journal) -> Vec<Diagnostic> {
    let mut seen = std::collections::HashSet::new();
    let twice = journal.entries.iter().filter(|entry| !seen.insert(entry.tag.as_str()));
    let told = twice.map(|entry| {
        let message = format!("the journal lists {} twice", entry.tag);
        Diagnostic::error(codes::BROKEN_TOOL_FILE, message)
            .at(Label::file(path))
            .help("take one of the two entries out")
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = r#"{"version":"7","dialect":"postgresql","entries":[
        {"idx":0,"version":"7","when":1700000000000,"tag":"0000_init","breakpoints":true},
        {"idx":1,"version":"7","when":1700000000001,"tag":"0002_late","breakpoints":true},
        {"idx":2,"version":"7","when":1700000000002,"tag":"words","breakpoints":true}]}"#;

    fn journals(text: &str) -> (Journals, Vec<Diagnostic>) {
        let mut journals = Journals::default();
        let problems = journals.add("m/meta/_journal.json", text.as_bytes(), Engine::Postgres);
        (journals, problems)
    }

    fn said(journals: &Journals, path: &str) -> String {
        match journals.classify(path) {
            FileRole::Versioned { version, label, name } => format!("up {version} {label} '{name}'"),
            FileRole::Unclear(problem) => problem.message,
            FileRole::Ignored => "ignored".to_owned(),
            role => format!("{role:?}"),
        }
    }

    #[test]
    fn the_journal_says_what_there_is_and_in_which_order() {
        let (journals, problems) = journals(LISTED);
        assert!(problems.is_empty(), "{problems:?}");
        for (path, expected) in [
            ("m/0000_init.sql", "up 0000_init 0000 'init'"),
            ("m/0002_late.sql", "up 0002_late 0002 'late'"),
            ("m/words.sql", "up words 0002 'words'"),
            (
                "m/0001_other.sql",
                "0001_other.sql does not stand in meta/_journal.json, so drizzle does not run it; it is left out",
            ),
            (
                "m/sub/0000_init.sql",
                "0000_init.sql is not the migration of a folder, and no journal stands beside it; it is left out",
            ),
            ("m/meta/_journal.json", "ignored"),
            ("m/meta/0000_snapshot.json", "ignored"),
            ("m/relations.ts", "ignored"),
        ] {
            assert_eq!(said(&journals, path), expected, "{path}");
        }
        let version = |path: &str| match journals.classify(path) {
            FileRole::Versioned { version, .. } => version,
            role => panic!("{role:?}"),
        };
        assert!(version("m/0002_late.sql") < version("m/words.sql"));
        assert_eq!(journals.of("m").unwrap().entries[1].when, 1_700_000_000_001);
        let missing = journals.missing(&["m/0000_init.sql", "m/words.sql"]);
        assert_eq!(missing.len(), 1);
        assert_eq!(missing[0].message, "the journal lists 0002_late, and there is no 0002_late.sql");
        assert_eq!(missing[0].labels[0].file, "m/meta/_journal.json");
    }

    #[test]
    fn a_journal_that_cannot_be_read_runs_nothing() {
        let (broken, problems) = journals("{\"entries\": [\n{\"when\": 1, \"tag\": ");
        assert_eq!((problems[0].code, problems[0].labels[0].position.unwrap().line), (codes::BROKEN_TOOL_FILE, 2));
        assert_eq!(said(&broken, "m/0000_init.sql"), "ignored");
        let (_, problems) = journals("{\"dialect\": \"mysql\", \"entries\": []}");
        assert_eq!(problems[0].code, codes::OTHER_ENGINE);
        let twice = r#"{"entries": [{"when":1,"tag":"a"},{"when":2,"tag":"a"}]}"#;
        assert_eq!(journals(twice).1[0].message, "the journal lists a twice");
    }

    #[test]
    fn folders_are_known_by_their_names() {
        let none = Journals::default();
        assert_eq!(said(&none, "m/20240131120000_a_b/migration.sql"), "up 20240131120000_a_b 20240131120000 'a b'");
        assert_eq!(said(&none, "m/20240131120000_a_b/snapshot.json"), "ignored");
        assert!(said(&none, "m/0000_init.sql").contains("left out"));
    }
}
