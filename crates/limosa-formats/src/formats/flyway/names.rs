//! What a file is for, by its name.

use limosa_core::{CallbackEvent, Version};
use limosa_sql::PlaceholderMarks;

use super::super::native::{FileRole, RollbackTarget, program, split, spoken, unclear, without_ending};
use crate::codes;

/// How the files are named, and placeholders written in them: Flyway's settings `sqlMigrationPrefix` and its like.
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
    /// How placeholders are written in scripts: `${name}`.
    pub placeholders: Box<PlaceholderMarks>,
    /// What stands before and behind their names in variables of callbacks that are programs: `FP__name__`.
    pub command_marks: Box<[String; 2]>,
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
            placeholders: Box::default(),
            command_marks: Box::new(["FP__", "__"].map(str::to_owned)),
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
    "beforeEachUndoStatement",
    "afterEachUndoStatement",
    "afterEachUndoStatementError",
    "afterEachUndoError",
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

/// What a name says, before it is put into words.
enum Name<'n> {
    Ignored,
    Settings,
    Callback {
        event: CallbackEvent,
        description: &'n str,
        command: bool,
    },
    Repeatable(&'n str),
    Migration {
        kind: Kind,
        written: &'n str,
        description: &'n str,
    },
    /// A migration that is a program: what it is, and what else to do.
    Program {
        written: &'n str,
        description: &'n str,
        what: &'static str,
        help: &'static str,
    },
    Odd(Oddity),
}

/// Why a file is left out that was meant for Flyway.
enum Oddity {
    NotUnderstood,
    NoDescription,
    NoVersion,
    OtherEvent,
    /// Flyway runs it on each new connection.
    AfterConnect,
    OtherCase(CallbackEvent),
    Java,
    Command,
}

impl Naming {
    /// The file of a way back. Flyway itself would run a section for it with the rest of the migration.
    pub(crate) fn undo_name(&self, version: &str, words: &str) -> String {
        format!("{}{version}{}{words}{}", self.undo, self.separator, self.suffix())
    }

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
            // What begins with no other prefix is a version then, as for Flyway.
            if prefix.is_empty() && at > 0 {
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
        let file = split(path).1;
        match self.read(file) {
            Name::Ignored => FileRole::Ignored,
            Name::Settings => FileRole::Config,
            Name::Callback { event, description, command } => {
                FileRole::Callback { event, name: spoken(description).into(), command }
            }
            Name::Repeatable(description) => FileRole::Repeatable { name: description.into() },
            Name::Migration { kind, written, description } => {
                let Some((version, label)) = version(written) else { return self.odd(path, &Oddity::NoVersion) };
                let name = spoken(description);
                match kind {
                    Kind::Undo => FileRole::Rollback { of: RollbackTarget::Version(version), beside: None },
                    Kind::Baseline => FileRole::Baseline {
                        version,
                        label: format!("{}{label}", self.baseline).into(),
                        name: name.into(),
                    },
                    _ => FileRole::Versioned { version, label: label.into(), name: name.into() },
                }
            }
            Name::Program { written, description, what, help } => {
                let Some((version, label)) = version(written) else { return self.odd(path, &Oddity::NoVersion) };
                program(path, (version, &label, spoken(description)), what, help)
            }
            Name::Odd(oddity) => self.odd(path, &oddity),
        }
    }

    /// True for a file that has a place among Flyway's.
    pub(super) fn has_place(&self, file: &str) -> bool {
        !matches!(self.read(file), Name::Ignored | Name::Odd(_))
    }

    fn read<'n>(&self, file: &'n str) -> Name<'n> {
        if file.starts_with('.') || file.is_empty() {
            return Name::Ignored;
        }
        if let Some(of) = file.strip_suffix(SETTINGS) {
            let is_script =
                self.stem(of).is_some_and(|stem| self.kind(stem).is_some() || self.event_of(stem).is_some());
            return if is_script { Name::Settings } else { Name::Ignored };
        }
        match self.stem(file) {
            Some(stem) => self.script(stem),
            None => self.program(file),
        }
    }

    /// The name without the ending of scripts, in any case.
    fn stem<'n>(&self, file: &'n str) -> Option<&'n str> {
        self.suffixes.iter().find_map(|suffix| without_ending(file, suffix))
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

    fn script<'n>(&self, stem: &'n str) -> Name<'n> {
        // `beforeMigrate` begins with no prefix of the usual ones, but may with one that somebody chose.
        if let Some(callback) = self.callback(stem, false) {
            return callback;
        }
        let Some((kind, rest)) = self.kind(stem) else { return Name::Odd(Oddity::NotUnderstood) };
        let (written, description) = rest.split_once(&self.separator).unwrap_or((rest, ""));
        match kind {
            Kind::Repeatable if written.is_empty() && rest.starts_with(self.separator.as_str()) => {
                Name::Repeatable(description)
            }
            Kind::Repeatable => Name::Odd(Oddity::NoDescription),
            _ if !Version::is_one(written) => Name::Odd(Oddity::NoVersion),
            kind => Name::Migration { kind, written, description },
        }
    }

    /// A callback that is a command, or a migration that is a program.
    fn program<'n>(&self, file: &'n str) -> Name<'n> {
        let stem_of = |endings: &[&str]| endings.iter().find_map(|ending| without_ending(file, ending));
        let is_migration = |stem: &str| {
            self.kind(stem).is_some_and(|(kind, _)| !matches!(kind, Kind::Undo)) && stem.contains(&self.separator)
        };
        // What is compiled has its source beside it, and parts with names of their own.
        let source = stem_of(JAVA).filter(|_| without_ending(file, ".class").is_none());
        let versioned = |stem: &'n str, what, help| match self.script(stem) {
            Name::Migration { kind: Kind::Versioned, written, description } => {
                Some(Name::Program { written, description, what, help })
            }
            _ => None,
        };
        let in_rust = "write it as SQL into a file of the same version; or embed limosa, which runs migrations in Rust";
        if let Some(program) = source.and_then(|stem| versioned(stem, "a migration in Java", in_rust)) {
            return program;
        }
        if stem_of(JAVA).is_some_and(is_migration) {
            return Name::Odd(Oddity::Java);
        }
        let Some(stem) = stem_of(COMMANDS) else { return Name::Ignored };
        match self.callback(stem, true) {
            Some(callback) => callback,
            None if is_migration(stem) => {
                let as_sql = "write it as SQL into a file of the same version; or make it a callback";
                versioned(stem, "a migration that is a command", as_sql).unwrap_or(Name::Odd(Oddity::Command))
            }
            None => Name::Ignored,
        }
    }

    fn callback<'n>(&self, stem: &'n str, command: bool) -> Option<Name<'n>> {
        let (event, description) = self.event_of(stem)?;
        Some(match CallbackEvent::from_name(event) {
            Some(known) if known.name() == event => Name::Callback { event: known, description, command },
            Some(known) => Name::Odd(Oddity::OtherCase(known)),
            None if event.eq_ignore_ascii_case("afterConnect") => Name::Odd(Oddity::AfterConnect),
            None => Name::Odd(Oddity::OtherEvent),
        })
    }

    /// Event and description of a name, for any event that Flyway knows.
    fn event_of<'n>(&self, stem: &'n str) -> Option<(&'n str, &'n str)> {
        if !stem.starts_with(['a', 'b', 'c', 'A', 'B', 'C']) {
            return None;
        }
        let (event, description) = stem.split_once(&self.separator).unwrap_or((stem, ""));
        let is_other = || OTHER_EVENTS.iter().any(|other| other.eq_ignore_ascii_case(event));
        (CallbackEvent::from_name(event).is_some() || is_other()).then_some((event, description))
    }

    /// The warning of a file that is left out.
    fn odd(&self, path: &str, oddity: &Oddity) -> FileRole {
        let file = split(path).1;
        let (code, message, help) = match oddity {
            Oddity::NotUnderstood => (
                codes::UNCLEAR_NAME,
                format!("the name {file} is not understood; the file is left out"),
                self.expected(),
            ),
            Oddity::NoDescription => (
                codes::UNCLEAR_NAME,
                format!("{file} begins like a repeatable migration and has no description of its own; it is left out"),
                self.expected(),
            ),
            Oddity::NoVersion => (
                codes::UNCLEAR_NAME,
                format!("{file} has no version that can be read; it is left out"),
                self.expected(),
            ),
            Oddity::OtherEvent => (
                codes::UNKNOWN_EVENT,
                format!("{file} is a callback of an event that limosa does not have; it is left out"),
                format!("the events are {}", CallbackEvent::ALL.map(CallbackEvent::name).join(", ")),
            ),
            Oddity::AfterConnect => (
                codes::UNKNOWN_EVENT,
                format!("{file} is a callback of an event that limosa does not have; it is left out"),
                "what it sets for the session may stand in flyway.initSql, which is read; the rest in a callback beforeMigrate".to_owned(),
            ),
            Oddity::OtherCase(event) => (
                codes::UNCLEAR_NAME,
                format!("{file} is no callback: its event is written {event}; it is left out"),
                "rename it where it is to run, which it did not do in Flyway; else move it elsewhere".to_owned(),
            ),
            Oddity::Java => (
                codes::UNCLEAR_NAME,
                format!("{file} is a migration in Java; it is left out"),
                "write it as SQL; or embed limosa, which runs migrations in Rust".to_owned(),
            ),
            Oddity::Command => (
                codes::UNCLEAR_NAME,
                format!("{file} is a migration that is a command; it is left out"),
                "limosa runs SQL; run the command beside it, or make it a callback".to_owned(),
            ),
        };
        unclear(code, path, message, help)
    }

    fn expected(&self) -> String {
        let Naming { versioned, undo, repeatable, separator, .. } = self;
        let suffix = self.suffix();
        format!(
            "expected {versioned}1{separator}description{suffix}, {undo}1{separator}description{suffix}, \
             {repeatable}{separator}description{suffix}, or a callback such as {}{suffix}; rename the file, or move it elsewhere",
            CallbackEvent::BeforeMigrate
        )
    }
}

/// A version as Flyway compares it: `1`, `1.0` and `001_0` are the same. With it the version as written, dots for underscores.
fn version(written: &str) -> Option<(Version, String)> {
    let label = written.replace('_', ".");
    Version::parse(&label).ok().map(|version| (version.without_trailing_zeros(), label))
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
            FileRole::Late { .. } | FileRole::Again { .. } => "of another format".to_owned(),
            FileRole::Program { version, problem, .. } => format!("program {version}: {}", problem.message),
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
            ("afterMigrate__refresh_views.sql", "callback afterMigrate 'refresh views' command false"),
            (
                "AFTERMIGRATE__refresh_views.sql",
                "LIM-F001: AFTERMIGRATE__refresh_views.sql is no callback: its event is written afterMigrate; it is left out",
            ),
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
            ("V2__x.py", "program 2: V2__x.py is a migration that is a command, which cannot be run here"),
            ("R__x.sh", "LIM-F001: R__x.sh is a migration that is a command; it is left out"),
            ("db/V5__Fill.java", "program 5: V5__Fill.java is a migration in Java, which cannot be run here"),
            ("db/V5__Fill.class", "LIM-F001: V5__Fill.class is a migration in Java; it is left out"),
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
    fn versions_may_begin_with_nothing() {
        let naming = Naming { versioned: String::new(), ..Naming::default() };
        naming.check().unwrap();
        for (path, expected) in [
            ("1__create_users.sql", "versioned 1 (1) 'create users'"),
            ("2023.01__x.sql", "versioned 2023.1 (2023.01) 'x'"),
            ("U1__create_users.sql", "undo of 1"),
            ("B3__all.sql", "baseline 3 (B3) 'all'"),
            ("R__views.sql", "repeatable 'views'"),
            ("beforeMigrate.sql", "callback beforeMigrate '' command false"),
            ("3__load.sh", "program 3: 3__load.sh is a migration that is a command, which cannot be run here"),
            ("V4__x.sql", "LIM-F001: V4__x.sql has no version that can be read; it is left out"),
            ("notes.sql", "LIM-F001: notes.sql has no version that can be read; it is left out"),
            ("deploy.sh", "ignored"),
            ("README.md", "ignored"),
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
