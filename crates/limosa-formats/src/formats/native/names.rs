//! What a file is for, by its name.

use limosa_core::{CallbackEvent, Identity, SharedText, Version};
use limosa_sql::{Diagnostic, Label};

use crate::codes;

/// What a file is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileRole {
    /// Runs once: `001_create_jobs.sql`.
    Versioned {
        /// The version.
        version: Version,
        /// The version as written.
        label: SharedText,
        /// What stands after the version, underscores as blanks.
        name: SharedText,
    },
    /// Runs once, also where later versions ran before it.
    Late {
        /// The version.
        version: Version,
        /// The version as written.
        label: SharedText,
        /// The description.
        name: SharedText,
    },
    /// Runs whenever it changes: `R__views.sql`.
    Repeatable {
        /// What stands after `R__`, as written.
        name: SharedText,
    },
    /// Runs at its place among versions, whenever it changes or with each run.
    Again {
        /// What it is known by.
        name: SharedText,
        /// Where it runs.
        place: Version,
        /// With each run.
        always: bool,
    },
    /// The way back of another file: `001_create_jobs.rollback.sql`, `rollbacks/001_rollback.sql`.
    Rollback {
        /// Whose way back it is.
        of: RollbackTarget,
        /// The file name of the migration that it stands beside, without `.sql`; None in a `rollbacks` folder.
        beside: Option<String>,
    },
    /// Runs once, in place of all versions up to its own, where none of them ran.
    Baseline {
        /// The version that it stands for.
        version: Version,
        /// The version as written.
        label: SharedText,
        /// The description.
        name: SharedText,
    },
    /// A migration that is a program of the tool of its format, and cannot be run here.
    Program {
        /// The version.
        version: Version,
        /// The version as written.
        label: SharedText,
        /// The description.
        name: SharedText,
        /// Why not, and what to do.
        problem: Box<Diagnostic>,
    },
    /// Runs around migrations.
    Callback {
        /// When.
        event: CallbackEvent,
        /// The description; may be empty.
        name: SharedText,
        /// It is a command, and no SQL.
        command: bool,
    },
    /// Proves that another one did what it should, and leaves nothing behind.
    Proof {
        /// The version of the other one.
        of: Version,
    },
    /// `migration_config.yaml`, or what a format has in its place.
    Config,
    /// Meant to be SQL, and named so that nobody can say for what; left out with this warning.
    Unclear(Box<Diagnostic>),
    /// Something else: left out in silence.
    Ignored,
}

/// Whose way back a rollback file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RollbackTarget {
    /// A versioned migration.
    Version(Version),
    /// A repeatable one, by its name as written.
    Repeatable(String),
}

impl RollbackTarget {
    /// The identity of the migration.
    pub fn identity(&self) -> Identity {
        match self {
            RollbackTarget::Version(version) => Identity::of_version(version),
            RollbackTarget::Repeatable(name) => Identity::of_repeatable(name),
        }
    }
}

impl FileRole {
    /// True where the file is SQL to be read.
    pub fn is_script(&self) -> bool {
        match self {
            FileRole::Versioned { .. }
            | FileRole::Late { .. }
            | FileRole::Repeatable { .. }
            | FileRole::Again { .. }
            | FileRole::Rollback { .. }
            | FileRole::Proof { .. }
            | FileRole::Baseline { .. } => true,
            FileRole::Callback { command, .. } => !command,
            FileRole::Program { .. } | FileRole::Config | FileRole::Unclear(_) | FileRole::Ignored => false,
        }
    }

    /// True for a change that runs once, whatever becomes of its file.
    pub fn runs_once(&self) -> bool {
        matches!(
            self,
            FileRole::Versioned { .. } | FileRole::Late { .. } | FileRole::Baseline { .. } | FileRole::Program { .. }
        )
    }

    /// True for the file of a change, whether it is SQL or not.
    pub fn is_change(&self) -> bool {
        self.identity().is_some()
    }

    /// The identity of the change, where the file is one.
    pub fn identity(&self) -> Option<Identity> {
        match self {
            FileRole::Versioned { version, .. }
            | FileRole::Late { version, .. }
            | FileRole::Program { version, .. } => Some(Identity::of_version(version)),
            FileRole::Repeatable { name } | FileRole::Again { name, .. } => Some(Identity::of_repeatable(name)),
            FileRole::Baseline { version, .. } => Some(Identity::of_baseline(version)),
            _ => None,
        }
    }
}

/// The folder of rollbacks.
const ROLLBACKS: &str = "rollbacks";
/// Folders whose files are ways back in other tools; running them as migrations would be a disaster.
const BACKWARD_FOLDERS: &[&str] = &["rollback", "down", "undo", "revert"];
/// Endings that say a direction in other tools.
const DIRECTIONS: &[&str] = &["up", "down", "undo", "revert", "back"];

const EXPECTED: &str = "expected VERSION_description.sql (001_create_jobs.sql), R__name.sql, \
                        VERSION_description.rollback.sql or rollbacks/VERSION_rollback.sql; rename the file, or move it elsewhere";

/// What a name says, before it is put into words.
enum Name<'n> {
    Config,
    Ignored,
    Migration(Stem<'n>),
    WayBack { of: Stem<'n>, beside: Option<&'n str> },
    Odd(Oddity<'n>),
}

/// Why nobody can say what a file is for.
enum Oddity<'n> {
    /// It is named as this tool names its files.
    Foreign(&'static str),
    /// It stands among ways back, and says of what.
    NoTarget,
    /// Its folder, which this is, sounds like ways back.
    BackwardFolder(&'n str),
    /// It sounds like a way back of this version, and does not stand where these do.
    WayBackElsewhere(&'n str),
    /// It names a way back, and no migration.
    BackOfNothing,
    /// It says nothing.
    NotUnderstood,
}

/// The name of a migration.
enum Stem<'n> {
    Versioned { label: &'n str, name: &'n str },
    Repeatable(&'n str),
}

/// Says what a file is for. Both `/` and `\` separate folders.
pub fn classify(path: &str) -> FileRole {
    match read(&Place::of(path)) {
        Name::Config => FileRole::Config,
        Name::Ignored => FileRole::Ignored,
        Name::Migration(Stem::Repeatable(name)) => FileRole::Repeatable { name: name.into() },
        Name::Migration(Stem::Versioned { label, name }) => match Version::parse(label) {
            Ok(version) => FileRole::Versioned { version, label: label.into(), name: spoken(name).into() },
            Err(_) => odd(path, &Oddity::NotUnderstood),
        },
        Name::WayBack { of, beside } => match of.target() {
            Some(of) => FileRole::Rollback { of, beside: beside.map(str::to_owned) },
            None => odd(path, &Oddity::NoTarget),
        },
        Name::Odd(oddity) => odd(path, &oddity),
    }
}

/// True for a file that has a place among migrations.
pub(super) fn has_place(place: &Place<'_>) -> bool {
    !matches!(read(place), Name::Ignored | Name::Odd(_))
}

fn read<'n>(place: &Place<'n>) -> Name<'n> {
    let Place { folder, file, .. } = *place;
    if file.starts_with('.') {
        return Name::Ignored;
    }
    if ["migration_config.yaml", "migration_config.yml"].iter().any(|name| file.eq_ignore_ascii_case(name)) {
        return Name::Config;
    }
    let Some(stem) = without_sql(file) else { return Name::Ignored };
    let parent = split(folder).1;
    if let Some(tool) = foreign_tool(stem) {
        return Name::Odd(Oddity::Foreign(tool));
    }
    if parent == ROLLBACKS {
        let of = target(stem.strip_suffix(".rollback").unwrap_or(stem));
        return of.map_or(Name::Odd(Oddity::NoTarget), |of| Name::WayBack { of, beside: None });
    }
    if BACKWARD_FOLDERS.iter().any(|name| parent.eq_ignore_ascii_case(name)) {
        return Name::Odd(Oddity::BackwardFolder(parent));
    }
    if let Some(bare) = stem.strip_suffix(".rollback") {
        return match named(bare) {
            Some(of) => Name::WayBack { of, beside: Some(bare) },
            None => Name::Odd(Oddity::BackOfNothing),
        };
    }
    match named(stem) {
        Some(Stem::Versioned { label, name }) if is_rollback(name) => Name::Odd(Oddity::WayBackElsewhere(label)),
        Some(stem) => Name::Migration(stem),
        None => Name::Odd(Oddity::NotUnderstood),
    }
}

impl Stem<'_> {
    fn target(&self) -> Option<RollbackTarget> {
        match self {
            Stem::Versioned { label, .. } => Version::parse(label).ok().map(RollbackTarget::Version),
            Stem::Repeatable(name) => Some(RollbackTarget::Repeatable((*name).to_owned())),
        }
    }
}

/// The warning of a file that is left out.
fn odd(path: &str, oddity: &Oddity<'_>) -> FileRole {
    let file = split(path).1;
    let not_understood = || format!("the name {file} is not understood; the file is left out");
    let (message, help) = match oddity {
        Oddity::Foreign(tool) => {
            let message = format!("the name {file} looks like a file of {tool}; it is left out");
            return unclear(codes::FOREIGN_NAME, path, message, EXPECTED);
        }
        Oddity::NoTarget => (
            format!("{file} does not begin with the version that it takes back; it is left out"),
            "expected rollbacks/VERSION_rollback.sql".to_owned(),
        ),
        Oddity::BackwardFolder(parent) => (
            format!("the folder {parent} sounds like ways back; {file} is left out"),
            "name the folder 'rollbacks'".to_owned(),
        ),
        Oddity::WayBackElsewhere(label) => (
            format!("{file} sounds like a way back, and is none where it stands; it is left out"),
            format!("move it to {ROLLBACKS}/{file}, or rename it to {label}_description.rollback.sql"),
        ),
        Oddity::BackOfNothing => (not_understood(), EXPECTED.to_owned()),
        Oddity::NotUnderstood => (not_understood(), expected_for(without_sql(file).unwrap_or(file))),
    };
    unclear(codes::UNCLEAR_NAME, path, message, help)
}

/// A suggestion made of the user's own name, where it begins with a version.
fn expected_for(stem: &str) -> String {
    let digits = stem.find(|character: char| !character.is_ascii_digit()).unwrap_or(stem.len());
    let rest: String = stem[digits..]
        .trim_matches(|character: char| !character.is_alphanumeric())
        .chars()
        .map(|character| if character.is_alphanumeric() || character == '.' { character } else { '_' })
        .collect();
    match (digits, rest.is_empty()) {
        (0, _) => EXPECTED.to_owned(),
        (_, true) => format!("give it a description: {}_description.sql", &stem[..digits]),
        _ => format!("rename it to {}_{rest}.sql", &stem[..digits]),
    }
}

/// A file that is left out with a warning, whose format does not know what it is for.
pub(crate) fn unclear(code: &'static str, path: &str, message: String, help: impl Into<String>) -> FileRole {
    FileRole::Unclear(Box::new(Diagnostic::warning(code, message).at(Label::file(path)).help(help)))
}

/// A migration that is a program. `what` says in which language, or of which tool.
pub(crate) fn program(path: &str, (version, label, name): (Version, &str, String), what: &str, help: &str) -> FileRole {
    let message = format!("{} is {what}, which cannot be run here", split(path).1);
    let id = Identity::of_version(&version);
    let help = format!(
        "what stands before it runs with --to; do by hand what it does, and then: limosa repair --mark-applied {id}; or {help}"
    );
    let problem = Box::new(Diagnostic::error(codes::CODE_MIGRATION, message).at(Label::file(path)).help(help));
    FileRole::Program { version, label: label.into(), name: name.into(), problem }
}

/// The tool that names its files like this.
fn foreign_tool(stem: &str) -> Option<&'static str> {
    let bytes = stem.as_bytes();
    let flyway = matches!(bytes.first(), Some(b'V' | b'U' | b'B'))
        && bytes.get(1).is_some_and(u8::is_ascii_digit)
        && stem.contains("__");
    if flyway {
        return Some("Flyway");
    }
    let (rest, ending) = stem.rsplit_once('.')?;
    let directed = DIRECTIONS.iter().any(|direction| ending.eq_ignore_ascii_case(direction));
    (directed && rest.as_bytes().first().is_some_and(u8::is_ascii_digit)).then_some("another tool (up and down files)")
}

/// `001_create_jobs` or `R__views`.
fn named(stem: &str) -> Option<Stem<'_>> {
    if let Some(name) = stem.strip_prefix("R__") {
        return is_name(name).then_some(Stem::Repeatable(name));
    }
    let (label, name) = stem.split_once('_')?;
    (is_name(name) && Version::is_one(label)).then_some(Stem::Versioned { label, name })
}

/// True for the words of a file that some would take for a way back.
fn is_rollback(name: &str) -> bool {
    name.trim_matches(|character: char| character == '_' || character.is_whitespace()).eq_ignore_ascii_case("rollback")
}

fn is_name(name: &str) -> bool {
    name.chars().any(char::is_alphanumeric)
}

/// Underscores as blanks.
pub(crate) fn spoken(name: &str) -> String {
    let mut spoken = String::with_capacity(name.len());
    // Blanks at the ends go before the copy is made: a folder may have a hundred thousand names.
    let bare = name.trim_matches(|character: char| character == '_' || character.is_whitespace());
    spoken.extend(bare.chars().map(|character| if character == '_' { ' ' } else { character }));
    spoken
}

/// The target of a file in the folder of rollbacks: a version alone is enough.
fn target(stem: &str) -> Option<Stem<'_>> {
    if let Some(name) = stem.strip_prefix("R__") {
        return is_name(name).then_some(Stem::Repeatable(name));
    }
    let (label, name) = stem.split_once('_').unwrap_or((stem, ""));
    Version::is_one(label).then_some(Stem::Versioned { label, name })
}

/// Folder and file name of a path.
pub(crate) fn split(path: &str) -> (&str, &str) {
    match path.bytes().rposition(|byte| matches!(byte, b'/' | b'\\')) {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => ("", path),
    }
}

/// A path taken apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'p> {
    pub(crate) path: &'p str,
    pub(crate) folder: &'p str,
    pub(crate) file: &'p str,
}

impl<'p> Place<'p> {
    pub(crate) fn of(path: &'p str) -> Place<'p> {
        let (folder, file) = split(path);
        Place { path, folder, file }
    }

    /// True in a folder whose name begins with a digit.
    pub(crate) fn is_dated(&self) -> bool {
        split(self.folder).1.starts_with(|first: char| first.is_ascii_digit())
    }
}

/// The file name of a path without `.sql`.
pub(crate) fn stem_of(path: &str) -> &str {
    let file = split(path).1;
    without_sql(file).unwrap_or(file)
}

fn without_sql(file: &str) -> Option<&str> {
    without_ending(file, ".sql")
}

/// True for a file of SQL, by its name.
pub(crate) fn is_sql(path: &str) -> bool {
    without_sql(path).is_some()
}

/// What stands before an ending, which may be written in any case.
pub(crate) fn without_ending<'n>(file: &'n str, ending: &str) -> Option<&'n str> {
    let at = file.len().checked_sub(ending.len())?;
    (file.is_char_boundary(at) && file[at..].eq_ignore_ascii_case(ending)).then(|| &file[..at])
}

/// How users name a migration in `Depends-on` and in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Selector {
    /// By its version, in any width.
    Version(Version),
    /// By the name of a repeatable (`R:views`, `R__views`).
    Repeatable(String),
    /// By its file name, here without `.sql`.
    File(String),
}

impl Selector {
    pub(crate) fn parse(text: &str) -> Selector {
        let file = split(text.trim()).1;
        if let Some(stem) = without_sql(file) {
            return Selector::File(stem.to_owned());
        }
        if let Some(name) = file.strip_prefix("R:").or_else(|| file.strip_prefix("R__")) {
            return Selector::Repeatable(name.to_owned());
        }
        match Version::parse(file) {
            Ok(version) if !file.contains('_') => Selector::Version(version),
            _ => Selector::File(file.to_owned()),
        }
    }

    /// True where the change of this file is meant.
    pub(crate) fn matches(&self, path: &str, role: &FileRole) -> bool {
        match (self, role) {
            (Selector::Version(wanted), FileRole::Versioned { version, .. } | FileRole::Late { version, .. }) => {
                wanted == version
            }
            (Selector::Repeatable(wanted), FileRole::Repeatable { name } | FileRole::Again { name, .. }) => {
                **wanted == **name
            }
            (Selector::File(wanted), role) if role.is_script() && !matches!(role, FileRole::Rollback { .. }) => {
                wanted == stem_of(path)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str) -> String {
        match classify(path) {
            FileRole::Versioned { version, label, name } => format!("versioned {version} ({label}) '{name}'"),
            FileRole::Repeatable { name } => format!("repeatable '{name}'"),
            FileRole::Rollback { of, beside } => {
                format!("rollback of {} beside {}", of.identity(), beside.as_deref().unwrap_or("-"))
            }
            FileRole::Config => "config".to_owned(),
            FileRole::Late { .. }
            | FileRole::Again { .. }
            | FileRole::Baseline { .. }
            | FileRole::Program { .. }
            | FileRole::Callback { .. } => "of another format".to_owned(),
            FileRole::Unclear(diagnostic) => {
                format!("{}: {} / {}", diagnostic.code, diagnostic.message, diagnostic.help.unwrap_or_default())
            }
            FileRole::Ignored => "ignored".to_owned(),
            FileRole::Proof { of } => format!("proof of {of}"),
        }
    }

    #[test]
    fn names_say_what_files_are_for() {
        for (path, expected) in [
            ("m/001_create_jobs.sql", "versioned 1 (001) 'create jobs'"),
            ("20240101120000_x.sql", "versioned 20240101120000 (20240101120000) 'x'"),
            ("1.2_x.sql", "versioned 1.2 (1.2) 'x'"),
            ("1_2_x.sql", "versioned 1 (1) '2 x'"),
            ("m\\007_UPPER.SQL", "versioned 7 (007) 'UPPER'"),
            ("012_add_v2.1_tables.sql", "versioned 12 (012) 'add v2.1 tables'"),
            ("15_rollback_of_feature.sql", "versioned 15 (15) 'rollback of feature'"),
            ("m/sub/3_naïve.sql", "versioned 3 (3) 'naïve'"),
            ("R__views.sql", "repeatable 'views'"),
            ("R__two_words.sql", "repeatable 'two_words'"),
            ("002_add_index.rollback.sql", "rollback of 2 beside 002_add_index"),
            ("R__views.rollback.sql", "rollback of R:views beside R__views"),
            ("m/rollbacks/0003_rollback.sql", "rollback of 3 beside -"),
            ("m/rollbacks/003_whatever.sql", "rollback of 3 beside -"),
            ("m/rollbacks/3.sql", "rollback of 3 beside -"),
            ("m/rollbacks/002_x.rollback.sql", "rollback of 2 beside -"),
            ("m/rollbacks/1.2_rollback.sql", "rollback of 1.2 beside -"),
            ("m/rollbacks/R__views.sql", "rollback of R:views beside -"),
            ("m/migration_config.yaml", "config"),
            ("migration_config.yml", "config"),
            ("m/.hidden.sql", "ignored"),
            ("m/README.md", "ignored"),
            ("m/README", "ignored"),
            ("m/001_x.sql~", "ignored"),
            ("m/001_x.sql.bak", "ignored"),
            ("m/", "ignored"),
        ] {
            assert_eq!(shown(path), expected, "{path}");
        }
    }

    #[test]
    fn names_that_nobody_understands_are_warned_of() {
        for (path, expected) in [
            ("m/views.sql", format!("LIM-F001: the name views.sql is not understood; the file is left out / {EXPECTED}")),
            (
                "r__views.sql",
                format!("LIM-F001: the name r__views.sql is not understood; the file is left out / {EXPECTED}"),
            ),
            (
                "001-create-jobs.sql",
                "LIM-F001: the name 001-create-jobs.sql is not understood; the file is left out / rename it to 001_create_jobs.sql".to_owned(),
            ),
            (
                "001.sql",
                "LIM-F001: the name 001.sql is not understood; the file is left out / give it a description: 001_description.sql".to_owned(),
            ),
            (
                "V1__x.sql",
                format!("LIM-F002: the name V1__x.sql looks like a file of Flyway; it is left out / {EXPECTED}"),
            ),
            (
                "U1.2__x.sql",
                format!("LIM-F002: the name U1.2__x.sql looks like a file of Flyway; it is left out / {EXPECTED}"),
            ),
            (
                "001_x.down.sql",
                format!(
                    "LIM-F002: the name 001_x.down.sql looks like a file of another tool (up and down files); it is left out / {EXPECTED}"
                ),
            ),
            (
                "m/003_rollback.sql",
                "LIM-F001: 003_rollback.sql sounds like a way back, and is none where it stands; it is left out / move it to \
                 rollbacks/003_rollback.sql, or rename it to 003_description.rollback.sql"
                    .to_owned(),
            ),
            (
                "m/down/003_x.sql",
                "LIM-F001: the folder down sounds like ways back; 003_x.sql is left out / name the folder 'rollbacks'".to_owned(),
            ),
            (
                "m/rollbacks/undo.sql",
                "LIM-F001: undo.sql does not begin with the version that it takes back; it is left out / expected \
                 rollbacks/VERSION_rollback.sql"
                    .to_owned(),
            ),
            (
                "x.rollback.sql",
                format!("LIM-F001: the name x.rollback.sql is not understood; the file is left out / {EXPECTED}"),
            ),
        ] {
            assert_eq!(shown(path), expected, "{path}");
            assert!(!classify(path).is_script());
        }
    }

    #[test]
    fn selectors_find_their_change() {
        let (versioned, repeatable) = (classify("m/001_create_jobs.sql"), classify("m/R__views.sql"));
        for text in ["1", "001", "0001", "001_create_jobs", "001_create_jobs.sql", "m/001_create_jobs.sql"] {
            assert!(Selector::parse(text).matches("m/001_create_jobs.sql", &versioned), "{text}");
            assert!(!Selector::parse(text).matches("m/R__views.sql", &repeatable), "{text}");
        }
        for text in ["R:views", "R__views", "R__views.sql"] {
            assert!(Selector::parse(text).matches("m/R__views.sql", &repeatable), "{text}");
        }
        for text in ["2", "1.0", "01_create_jobs", "views", "R:view", ""] {
            assert!(!Selector::parse(text).matches("m/001_create_jobs.sql", &versioned), "{text}");
            assert!(!Selector::parse(text).matches("m/R__views.sql", &repeatable), "{text}");
        }
    }
}
