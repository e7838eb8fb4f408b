//! What a file is for, by its name.

use limosa_core::{CallbackEvent, Version};
use limosa_sql::{Diagnostic, Label};

use super::super::native::{FileRole, RollbackTarget, split, spoken, unclear};
use crate::codes;

/// How the files are named: Flyway's settings `sqlMigrationPrefix` and its like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// Before the version of a migration: `V`.
    pub versioned: String,
    /// Before the version that is taken back: `U`.
    pub undo: String,
    /// Before the separator of a repeatable: `R`.
    pub repeatable: String,
    /// Before the version that a baseline stands for: `B`.
    pub baseline: String,
    /// Between version and description: `__`.
    pub separator: String,
    /// How scripts end: `.sql`.
    pub suffixes: Vec<String>,
    /// The table in which Flyway keeps its record, unquoted; None where it has the usual name.
    pub table: Option<String>,
}

impl Default for Naming {
    fn default() -> Naming {
        Naming {
            versioned: "V".to_owned(),
            undo: "U".to_owned(),
            repeatable: "R".to_owned(),
            baseline: "B".to_owned(),
            separator: "__".to_owned(),
            suffixes: vec![".sql".to_owned()],
            table: None,
        }
    }
}

/// Why a naming makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadNaming {
    /// Nothing tells what a file is for.
    #[error("the {0} is empty, so that no file can be told from another")]
    Empty(&'static str),
    /// Two kinds of files have the same names.
    #[error("two kinds of migrations have the prefix '{0}'")]
    SamePrefix(String),
}

/// How migrations end that a Java program runs.
const JAVA: &[&str] = &[".java", ".class", ".kt", ".groovy"];

/// How callbacks end that are commands and no SQL.
const COMMANDS: &[&str] = &[".sh", ".bash", ".ps1", ".cmd", ".bat", ".py"];

/// The ending of settings beside a script.
pub(super) const SETTINGS: &str = ".conf";

/// Events of Flyway's that have no place here.
const OTHER_EVENTS: &[&str] = &[
    "beforeRepeatables",
    "beforeEachMigrateStatement",
    "afterEachMigrateStatement",
    "afterEachMigrateStatementError",
    "afterEachMigrateError",
    "afterVersioned",
    "beforeUndo",
    "beforeEachUndo",
    "afterEachUndo",
    "afterUndo",
    "afterUndoError",
    "beforeClean",
    "afterClean",
    "afterCleanError",
    "beforeInfo",
    "afterInfo",
    "afterInfoError",
    "beforeValidate",
    "afterValidate",
    "afterValidateError",
    "beforeBaseline",
    "afterBaseline",
    "afterBaselineError",
    "beforeRepair",
    "afterRepair",
    "afterRepairError",
    "beforeConnect",
    "afterConnect",
    "createSchema",
    "beforeCreateSchema",
];

enum Kind {
    Versioned,
    Undo,
    Baseline,
    Repeatable,
}

impl Naming {
    /// Checks that names can be told apart.
    ///
    /// # Errors
    /// [`BadNaming`].
    pub fn check(&self) -> Result<(), BadNaming> {
        let prefixes = [&self.versioned, &self.undo, &self.repeatable, &self.baseline];
        if self.separator.is_empty() {
            return Err(BadNaming::Empty("separator"));
        }
        if self.suffixes.is_empty() || self.suffixes.iter().any(String::is_empty) {
            return Err(BadNaming::Empty("suffix"));
        }
        for (at, prefix) in prefixes.iter().enumerate() {
            if prefix.is_empty() {
                return Err(BadNaming::Empty("prefix"));
            }
            if prefixes[..at].contains(prefix) {
                return Err(BadNaming::SamePrefix((*prefix).clone()));
            }
        }
        Ok(())
    }

    /// How new scripts end.
    pub(crate) fn suffix(&self) -> &str {
        self.suffixes.first().map_or(".sql", String::as_str)
    }

    /// Says what a file is for. Both `/` and `\` separate folders.
    pub fn classify(&self, path: &str) -> FileRole {
        let (_, file) = split(path);
        if file.starts_with('.') || file.is_empty() {
            return FileRole::Ignored;
        }
        if let Some(of) = file.strip_suffix(SETTINGS) {
            let is_script =
                self.stem(of).is_some_and(|stem| self.kind(stem).is_some() || event_of(self, stem).is_some());
            return if is_script { FileRole::Config } else { FileRole::Ignored };
        }
        match self.stem(file) {
            Some(stem) => self.script(path, file, stem),
            None => command(self, path, file),
        }
    }

    /// The name without the ending of scripts, in any case.
    fn stem<'n>(&self, file: &'n str) -> Option<&'n str> {
        self.suffixes.iter().find_map(|suffix| {
            let at = file.len().checked_sub(suffix.len())?;
            (file.is_char_boundary(at) && file[at..].eq_ignore_ascii_case(suffix)).then(|| &file[..at])
        })
    }

    /// The kind of the longest prefix, and what stands behind it.
    fn kind<'n>(&self, stem: &'n str) -> Option<(Kind, &'n str)> {
        let kinds = [
            (Kind::Versioned, &self.versioned),
            (Kind::Undo, &self.undo),
            (Kind::Baseline, &self.baseline),
            (Kind::Repeatable, &self.repeatable),
        ];
        let fitting = kinds
            .into_iter()
            .filter_map(|(kind, prefix)| Some((kind, prefix.len(), stem.strip_prefix(prefix.as_str())?)));
        fitting.max_by_key(|(_, length, _)| *length).map(|(kind, _, rest)| (kind, rest))
    }

    fn script(&self, path: &str, file: &str, stem: &str) -> FileRole {
        // `beforeMigrate` begins with no prefix of the usual ones, but may with one that somebody chose.
        if let Some(role) = callback(self, path, file, stem) {
            return role;
        }
        let Some((kind, rest)) = self.kind(stem) else {
            return self.unclear(path, format!("the name {file} is not understood; the file is left out"));
        };
        let (written, description) = rest.split_once(&self.separator).unwrap_or((rest, ""));
        if matches!(kind, Kind::Repeatable) {
            return match written.is_empty() && !description.is_empty() {
                true => FileRole::Repeatable { name: description.to_owned() },
                false => self.unclear(
                    path,
                    format!(
                        "{file} begins like a repeatable migration and has no description of its own; it is left out"
                    ),
                ),
            };
        }
        let Some((version, label)) = version(written) else {
            return self.unclear(path, format!("{file} has no version that can be read; it is left out"));
        };
        let name = spoken(description);
        match kind {
            Kind::Undo => FileRole::Rollback { of: RollbackTarget::Version(version), beside: None },
            Kind::Baseline => FileRole::Baseline { version, label: format!("{}{label}", self.baseline), name },
            _ => FileRole::Versioned { version, label, name },
        }
    }

    fn unclear(&self, path: &str, message: String) -> FileRole {
        let Naming { versioned, undo, repeatable, separator, .. } = self;
        let suffix = self.suffix();
        let help = format!(
            "expected {versioned}1{separator}description{suffix}, {undo}1{separator}description{suffix}, \
             {repeatable}{separator}description{suffix}, or a callback such as {}{suffix}; rename the file, or move it elsewhere",
            CallbackEvent::BeforeMigrate
        );
        unclear(codes::UNCLEAR_NAME, path, message, help)
    }
}

/// A version as Flyway compares it: `1`, `1.0` and `001_0` are the same. With it the version as written, dots for underscores.
fn version(written: &str) -> Option<(Version, String)> {
    let label = written.replace('_', ".");
    Version::parse(&label).ok().map(|version| (version.without_trailing_zeros(), label))
}

/// Event and description of a name, for any event that Flyway knows.
fn event_of<'n>(naming: &Naming, stem: &'n str) -> Option<(&'n str, &'n str)> {
    let (event, description) = stem.split_once(&naming.separator).unwrap_or((stem, ""));
    let known =
        CallbackEvent::from_name(event).is_some() || OTHER_EVENTS.iter().any(|other| other.eq_ignore_ascii_case(event));
    known.then_some((event, description))
}

fn callback(naming: &Naming, path: &str, file: &str, stem: &str) -> Option<FileRole> {
    let (event, description) = event_of(naming, stem)?;
    Some(match CallbackEvent::from_name(event) {
        Some(event) => FileRole::Callback { event, name: spoken(description), command: false },
        None => {
            let message = format!("{file} is a callback of an event that limosa does not have; it is left out");
            let events = CallbackEvent::ALL.map(CallbackEvent::name).join(", ");
            let warning = Diagnostic::warning(codes::UNKNOWN_EVENT, message).at(Label::file(path));
            FileRole::Unclear(Box::new(warning.help(format!("the events are {events}"))))
        }
    })
}

/// A callback that is a command.
fn command(naming: &Naming, path: &str, file: &str) -> FileRole {
    let lower = file.to_ascii_lowercase();
    let stem_of = |suffixes: &[&str]| {
        suffixes.iter().find(|suffix| lower.ends_with(**suffix)).map(|suffix| &file[..file.len() - suffix.len()])
    };
    let is_migration = |stem: &str| {
        naming.kind(stem).is_some_and(|(kind, _)| !matches!(kind, Kind::Undo)) && stem.contains(&naming.separator)
    };
    let left_out = |what: &str, help: &str| {
        let message = format!("{file} is a migration {what}; it is left out");
        let warning = Diagnostic::warning(codes::UNCLEAR_NAME, message).at(Label::file(path));
        FileRole::Unclear(Box::new(warning.help(help)))
    };
    if stem_of(JAVA).is_some_and(is_migration) {
        return left_out("in Java", "write it as SQL; or embed limosa, which runs migrations in Rust");
    }
    let Some(stem) = stem_of(COMMANDS) else { return FileRole::Ignored };
    match callback(naming, path, file, stem) {
        Some(FileRole::Callback { event, name, .. }) => FileRole::Callback { event, name, command: true },
        Some(role) => role,
        None if is_migration(stem) => {
            left_out("that is a command", "limosa runs SQL; run the command beside it, or make it a callback")
        }
        None => FileRole::Ignored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(naming: &Naming, path: &str) -> String {
        match naming.classify(path) {
            FileRole::Versioned { version, label, name } => format!("versioned {version} ({label}) '{name}'"),
            FileRole::Baseline { version, label, name } => format!("baseline {version} ({label}) '{name}'"),
            FileRole::Repeatable { name } => format!("repeatable '{name}'"),
            FileRole::Rollback { of, .. } => format!("undo of {}", of.identity()),
            FileRole::Callback { event, name, command } => format!("callback {event} '{name}' command {command}"),
            FileRole::Config => "settings".to_owned(),
            FileRole::Unclear(diagnostic) => format!("{}: {}", diagnostic.code, diagnostic.message),
            FileRole::Late { .. } => "of another format".to_owned(),
            FileRole::Ignored => "ignored".to_owned(),
            FileRole::Proof { of } => format!("proof of {of}"),
        }
    }

    #[test]
    fn names_say_what_files_are_for() {
        for (path, expected) in [
            ("m/V1__create_users.sql", "versioned 1 (1) 'create users'"),
            ("V001__x.sql", "versioned 1 (001) 'x'"),
            ("V1.2.10__x.sql", "versioned 1.2.10 (1.2.10) 'x'"),
            ("V1_2__x.SQL", "versioned 1.2 (1.2) 'x'"),
            ("V1.0__x.sql", "versioned 1 (1.0) 'x'"),
            ("V0.0__x.sql", "versioned 0 (0.0) 'x'"),
            ("V20240131120000__a__b.sql", "versioned 20240131120000 (20240131120000) 'a  b'"),
            ("m\\V7.sql", "versioned 7 (7) ''"),
            ("U1.2__x.sql", "undo of 1.2"),
            ("U3.0.sql", "undo of 3"),
            ("B10__all.sql", "baseline 10 (B10) 'all'"),
            ("R__event_views.sql", "repeatable 'event_views'"),
            ("sub/dir/R__a.sql", "repeatable 'a'"),
            ("beforeMigrate.sql", "callback beforeMigrate '' command false"),
            ("AFTERMIGRATE__refresh_views.sql", "callback afterMigrate 'refresh views' command false"),
            ("afterMigrateError.sql", "callback afterMigrateError '' command false"),
            ("afterEachMigrate__a.sh", "callback afterEachMigrate 'a' command true"),
            ("V1__x.sql.conf", "settings"),
            ("afterMigrate.sql.conf", "settings"),
            ("app.conf", "ignored"),
            ("README.md", "ignored"),
            (".V1__x.sql", "ignored"),
            ("deploy.sh", "ignored"),
            (
                "beforeClean.sql",
                "LIM-F030: beforeClean.sql is a callback of an event that limosa does not have; it is left out",
            ),
            ("V__x.sql", "LIM-F001: V__x.sql has no version that can be read; it is left out"),
            ("V1a__x.sql", "LIM-F001: V1a__x.sql has no version that can be read; it is left out"),
            (
                "R1__x.sql",
                "LIM-F001: R1__x.sql begins like a repeatable migration and has no description of its own; it is left out",
            ),
            ("001_x.sql", "LIM-F001: the name 001_x.sql is not understood; the file is left out"),
            ("V2__x.py", "LIM-F001: V2__x.py is a migration that is a command; it is left out"),
            ("db/V5__Fill.java", "LIM-F001: V5__Fill.java is a migration in Java; it is left out"),
            ("R__Views.class", "LIM-F001: R__Views.class is a migration in Java; it is left out"),
            ("Visitor.java", "ignored"),
        ] {
            assert_eq!(shown(&Naming::default(), path), expected, "{path}");
        }
    }

    #[test]
    fn prefixes_separators_and_suffixes_may_be_others() {
        let naming = Naming {
            versioned: "Migration-".to_owned(),
            undo: "Undo-".to_owned(),
            repeatable: "M".to_owned(),
            separator: "-".to_owned(),
            suffixes: vec![".ddl".to_owned(), ".pkg.sql".to_owned()],
            ..Naming::default()
        };
        naming.check().unwrap();
        for (path, expected) in [
            ("Migration-1.1-My_description.ddl", "versioned 1.1 (1.1) 'My description'"),
            ("Migration-1-x.pkg.sql", "versioned 1 (1) 'x'"),
            ("Undo-1-x.ddl", "undo of 1"),
            ("M-views.ddl", "repeatable 'views'"),
            ("V1__x.sql", "ignored"),
        ] {
            assert_eq!(shown(&naming, path), expected, "{path}");
        }
    }

    #[test]
    fn a_naming_that_tells_nothing_apart_is_refused() {
        let bad = |change: fn(&mut Naming)| {
            let mut naming = Naming::default();
            change(&mut naming);
            naming.check().unwrap_err().to_string()
        };
        assert_eq!(bad(|naming| naming.undo = "V".to_owned()), "two kinds of migrations have the prefix 'V'");
        assert!(bad(|naming| naming.separator.clear()).contains("separator"));
        assert!(bad(|naming| naming.suffixes.clear()).contains("suffix"));
        assert!(bad(|naming| naming.baseline.clear()).contains("prefix"));
    }
}
