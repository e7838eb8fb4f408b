//! Layers of settings: what one source gave, each value with its origin.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use limosa_db::Secret;
use limosa_sql::{Diagnostic, Engine, Label, Position};

use super::codes;
use super::env_file;
use super::keys::{self, FOREIGN_DATABASE_VARIABLE, KEYS, Key, Kind};
use super::origin::Origin;
use super::value::{Raw, Value, parse};

/// Which source a layer stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LayerKind {
    /// What holds where nobody says anything.
    Defaults,
    /// The configuration file outside of its environments.
    FileTop,
    /// The section `[environments.NAME]` of the configuration file.
    FileEnvironment(String),
    /// An env file.
    EnvFile,
    /// The variables of the process.
    Process,
    /// The command line.
    Flags,
}

/// What one source gave.
#[derive(Debug, Clone)]
pub struct Layer {
    pub(super) kind: LayerKind,
    pub(super) entries: BTreeMap<&'static str, Entry>,
    pub(super) placeholders: BTreeMap<String, Entry>,
    /// `DATABASE_URL`, which other tools set.
    pub(super) foreign_database: Option<Entry>,
    /// Flyway's default schema, which holds for any address of PostgreSQL.
    pub(super) default_schema: Option<String>,
    /// What sessions begin with, whatever gives the address: Flyway's `initSql`.
    pub(super) session_settings: Option<SessionSettings>,
    /// An environment that counts where none is named: Flyway's `default`.
    pub(super) counts_by_itself: bool,
    pub(super) problems: Vec<Diagnostic>,
}

/// Settings of a server with which sessions begin, and where that is said.
#[derive(Debug, Clone)]
pub(super) struct SessionSettings {
    /// Whose they are.
    pub(super) engine: Engine,
    /// Names, and values: as PostgreSQL takes them with the login, or as SQL.
    pub(super) settings: Vec<(String, String)>,
    /// The place in a file.
    pub(super) label: Option<Label>,
    /// The place in words, for messages without a label.
    pub(super) words: String,
}

/// A value and where it came from.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// The folder at which relative paths begin; empty for the current one.
    pub(super) base: PathBuf,
    /// The place in a file.
    pub(super) label: Option<Label>,
}

impl Entry {
    /// A value that is a text; empty for any other.
    pub(super) fn text(&self) -> &str {
        match &self.value {
            Value::Text(text) => text.expose(),
            _ => "",
        }
    }

    /// The place in words, for messages without a label: ` (variable X)`.
    pub(super) fn place(&self) -> String {
        if self.label.is_some() { String::new() } else { format!(" ({})", self.origin) }
    }

    /// Adds the place in the file, where there is one.
    pub(super) fn located(&self, problem: Diagnostic) -> Diagnostic {
        match &self.label {
            Some(label) => problem.at(label.clone()),
            None => problem,
        }
    }
}

/// Names of placeholders, as scripts write them.
pub(super) fn is_placeholder_name(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

pub(super) const PLACEHOLDER_NAMES: &str =
    "a name begins with a letter or _ and has letters, digits, _, . and - behind it";

impl Layer {
    pub(super) fn new(kind: LayerKind) -> Layer {
        Layer {
            kind,
            entries: BTreeMap::new(),
            placeholders: BTreeMap::new(),
            foreign_database: None,
            default_schema: None,
            session_settings: None,
            counts_by_itself: false,
            problems: Vec::new(),
        }
    }

    /// Which source it stands for.
    pub fn kind(&self) -> &LayerKind {
        &self.kind
    }

    /// What was wrong with it.
    pub fn problems(&self) -> &[Diagnostic] {
        &self.problems
    }

    /// The defaults of all keys.
    pub fn defaults() -> Layer {
        let mut layer = Layer::new(LayerKind::Defaults);
        for key in KEYS {
            if let Some(default) = key.default {
                layer.add(key, &Raw::Text(default), Origin::Default);
            }
        }
        layer
    }

    /// The command line. `given` is asked for every key that has a flag, and returns what was typed behind that flag,
    /// in order: nothing where the flag is absent, `true` for a flag without a value, `NAME=VALUE` for placeholders.
    ///
    /// ```
    /// # use limosa::settings::Layer;
    /// let layer = Layer::flags(|key| match key.name {
    ///     "lock_timeout" => vec!["5s".to_owned()],
    ///     "placeholders" => vec!["owner=app".to_owned()],
    ///     _ => Vec::new(),
    /// });
    /// assert!(layer.problems().is_empty());
    /// ```
    pub fn flags(mut given: impl FnMut(&'static Key) -> Vec<String>) -> Layer {
        let mut layer = Layer::new(LayerKind::Flags);
        for key in KEYS {
            let Some(flag) = key.flag else { continue };
            let values = given(key);
            if values.is_empty() {
                continue;
            }
            if key.kind != Kind::Map {
                layer.add(key, &Raw::Repeated(&values), Origin::Flag(flag));
                continue;
            }
            for value in &values {
                match value.split_once('=') {
                    Some((name, value)) => layer.placeholder(name, value, Origin::Flag(flag)),
                    None => {
                        // What was typed may be a value without its name, and is not repeated.
                        let message = format!("{flag} is not given as NAME=VALUE");
                        let problem = Diagnostic::error(codes::WRONG_PLACEHOLDER, message);
                        layer.problems.push(problem.help(format!("write {flag} name=value")));
                    }
                }
            }
        }
        layer
    }

    /// The variables of the process. Empty ones count as not set, except for placeholders.
    pub fn process(variables: &BTreeMap<String, String>) -> Layer {
        let mut layer = Layer::new(LayerKind::Process);
        for (name, value) in variables {
            layer.variable(name, value, Origin::Variable(name.clone()));
        }
        layer
    }

    /// The variables of an env file.
    pub fn env_file(file: &str, text: &str) -> Layer {
        Layer::from_env_lines(file, &env_file::parse(file, text))
    }

    /// True where it names a database, in `LIMOSA_DATABASE` or `DATABASE_URL` where it is of variables.
    pub fn names_database(&self) -> bool {
        self.foreign_database.is_some() || self.entries.contains_key("database")
    }

    pub(super) fn from_env_lines(
        file: &str,
        (lines, problems): &(BTreeMap<String, env_file::Line>, Vec<Diagnostic>),
    ) -> Layer {
        let mut layer = Layer::new(LayerKind::EnvFile);
        layer.problems.clone_from(problems);
        for (name, line) in lines {
            if matches!(name.as_str(), "LIMOSA_CONFIG" | "LIMOSA_ENV_FILE") {
                let label = Label::place(file, Position { line: line.line, column: 1 });
                let message = format!("{name} cannot stand in an env file: it says what to read before");
                let problem = Diagnostic::error(codes::KEY_OUT_OF_PLACE, message).at(label);
                layer.problems.push(problem.help("set it in the process, or give the flag"));
                continue;
            }
            let origin = Origin::EnvFile { file: file.to_owned(), line: line.line, variable: name.clone() };
            layer.variable(name, &line.value, origin);
        }
        layer
    }

    fn variable(&mut self, name: &str, value: &str, origin: Origin) {
        if name == FOREIGN_DATABASE_VARIABLE {
            let value = Value::Text(Secret::new(value.trim()));
            let filled = value != Value::Text(Secret::default());
            self.foreign_database = filled.then(|| Entry { value, origin, base: PathBuf::new(), label: None });
            return;
        }
        let Some(rest) = name.strip_prefix("LIMOSA_") else { return };
        if let Some(placeholder) = rest.strip_prefix("PLACEHOLDER_") {
            let in_capitals = !placeholder.contains(|c: char| c.is_ascii_lowercase());
            let placeholder = if in_capitals { placeholder.to_ascii_lowercase() } else { placeholder.to_owned() };
            self.placeholder(&placeholder, value, origin);
            return;
        }
        match KEYS.iter().find(|key| key.kind != Kind::Map && key.variable == Some(name)) {
            Some(_) if value.trim().is_empty() => {}
            Some(key) => self.add(key, &Raw::Text(value), origin),
            None => self.problems.extend(unknown_variable(name, rest, &origin)),
        }
    }

    fn placeholder(&mut self, name: &str, value: &str, origin: Origin) {
        if !is_placeholder_name(name) {
            let message = format!("a placeholder has a name that is none ({origin})");
            self.problems.push(Diagnostic::error(codes::WRONG_PLACEHOLDER, message).help(PLACEHOLDER_NAMES));
            return;
        }
        let value = Value::Text(Secret::new(value));
        self.placeholders.insert(name.to_owned(), Entry { value, origin, base: PathBuf::new(), label: None });
    }

    fn add(&mut self, key: &'static Key, raw: &Raw<'_>, origin: Origin) {
        match parse(key, raw) {
            Ok(value) => {
                let entry = Entry { value, origin, base: PathBuf::new(), label: None };
                self.entries.insert(key.name, entry);
            }
            Err(wrong) => {
                let message = format!("`{}` {} ({origin})", key.name, wrong.message);
                self.problems.push(Diagnostic::error(codes::WRONG_VALUE, message).help(wrong.help));
            }
        }
    }

    /// A value of the configuration file that has been read already.
    pub(super) fn insert(
        &mut self,
        key: &'static Key,
        value: Value,
        origin: Origin,
        base: &Path,
        label: Option<Label>,
    ) {
        let entry = Entry { value, origin, base: base.to_owned(), label };
        self.entries.insert(key.name, entry);
    }
}

/// A warning where a variable looks like one of ours. Others that begin with `LIMOSA_` are left in peace: a container
/// platform makes `LIMOSA_PORT` and the like for a service of that name.
fn unknown_variable(name: &str, rest: &str, origin: &Origin) -> Option<Diagnostic> {
    let file_only = KEYS.iter().find(|key| key.variable.is_none() && key.name.replace('.', "_").to_uppercase() == rest);
    let help = if let Some(key) = file_only {
        format!("`{}` can stand in the configuration file only", key.name)
    } else if let Some(placeholder) = rest.strip_prefix("PLACEHOLDERS_") {
        format!("write LIMOSA_PLACEHOLDER_{placeholder}")
    } else {
        let known = KEYS.iter().filter_map(|key| key.variable).filter_map(|known| known.strip_prefix("LIMOSA_"));
        format!("did you mean LIMOSA_{}?", keys::nearest_name(rest, known)?)
    };
    let message = format!("limosa knows no variable {name}; it has no effect ({origin})");
    Some(Diagnostic::warning(codes::UNKNOWN_VARIABLE, message).help(help))
}
