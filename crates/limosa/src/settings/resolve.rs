//! From layers to settings: which value counts, and what contradicts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use limosa_core::OutOfOrder;
use limosa_db::Secret;
use limosa_formats::flyway;
use limosa_formats::pattern::Pattern;
use limosa_sql::{Diagnostic, Engine, ForeignKeys, Label, PlaceholderMarks};

use super::codes;
use super::database;
use super::keys::nearest_name;
use super::layer::{Entry, Layer, LayerKind};
use super::origin::Origin;
use super::secrets::{Followed, Follower, Problem, is_reference};
use super::typed::{Color, LogFormat, Placeholder, Provenance, Settings};
use super::value::Value;

/// The environment that counts, and who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentChoice {
    /// Its name; None where the top of the file stands alone.
    pub name: Option<String>,
    /// Who said so.
    pub origin: Origin,
    label: Option<Label>,
}

impl EnvironmentChoice {
    /// True where a flag or a variable named it, not the configuration file.
    pub fn is_explicit(&self) -> bool {
        self.name.is_some() && !matches!(self.origin, Origin::File { .. } | Origin::Default)
    }
}

/// The environment that the layers name: flag, then variable, then env file, then the top of the configuration file.
pub fn choose_environment(layers: &[Layer]) -> EnvironmentChoice {
    let kinds = [LayerKind::Flags, LayerKind::Process, LayerKind::EnvFile, LayerKind::FileTop];
    let entry = kinds.iter().find_map(|kind| entry(layers, kind, "environment"));
    EnvironmentChoice {
        name: entry.map(|entry| entry.text().trim().to_owned()),
        origin: entry.map_or(Origin::Default, |entry| entry.origin.clone()),
        label: entry.and_then(|entry| entry.label.clone()),
    }
}

/// The value of a key in the layer of one kind.
pub(super) fn entry<'l>(layers: &'l [Layer], kind: &LayerKind, key: &str) -> Option<&'l Entry> {
    layers.iter().find(|layer| layer.kind == *kind).and_then(|layer| layer.entries.get(key))
}

/// The names of the environments in the configuration file.
pub(super) fn environments(layers: &[Layer]) -> impl Iterator<Item = &str> {
    layers.iter().filter_map(|layer| match &layer.kind {
        LayerKind::FileEnvironment(name) => Some(name.as_str()),
        _ => None,
    })
}

/// Decides which value counts for each key. Pure but for the references, which the follower resolves.
///
/// Layers count in this order, the last most: defaults, top of the file, chosen environment of the file, env file,
/// variables, flags. The database has an order of its own: the flag; the database of an environment that a flag or a
/// variable named; `LIMOSA_DATABASE`; `DATABASE_URL`; the environment that the file itself names; the top of the file.
///
/// The diagnostics hold all problems of the layers too. Where one is an error, the settings are not to be used.
pub fn resolve(
    layers: &[Layer],
    choice: &EnvironmentChoice,
    follower: &Follower<'_>,
) -> (Settings, Provenance, Vec<Diagnostic>) {
    let mut resolver = Resolver::new(layers, choice, follower);
    resolver.check_environment();
    let settings = resolver.settings();
    (settings, resolver.provenance, resolver.diagnostics)
}

/// What has been decided so far.
pub(super) struct Resolver<'a> {
    pub(super) layers: &'a [Layer],
    pub(super) choice: &'a EnvironmentChoice,
    pub(super) follower: &'a Follower<'a>,
    /// The layers that count here, the strongest first.
    pub(super) counting: Vec<&'a Layer>,
    pub(super) provenance: Provenance,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'a> Resolver<'a> {
    fn new(layers: &'a [Layer], choice: &'a EnvironmentChoice, follower: &'a Follower<'a>) -> Resolver<'a> {
        let by_itself = || layers.iter().find(|layer| layer.counts_by_itself).map(|layer| layer.kind.clone());
        let section = choice.name.clone().map(LayerKind::FileEnvironment).or_else(by_itself);
        let kinds = [
            Some(LayerKind::Flags),
            Some(LayerKind::Process),
            Some(LayerKind::EnvFile),
            section,
            Some(LayerKind::FileTop),
            Some(LayerKind::Defaults),
        ];
        let find = |kind: LayerKind| layers.iter().find(|layer| layer.kind == kind);
        Resolver {
            layers,
            choice,
            follower,
            counting: kinds.into_iter().flatten().filter_map(find).collect(),
            provenance: Provenance::default(),
            diagnostics: layers.iter().flat_map(|layer| layer.problems.iter().cloned()).collect(),
        }
    }

    fn check_environment(&mut self) {
        let Some(name) = &self.choice.name else { return };
        let known: Vec<&str> = environments(self.layers).collect();
        if known.contains(&name.as_str()) {
            return;
        }
        let place = if self.choice.label.is_some() { String::new() } else { format!(" ({})", self.choice.origin) };
        let help = match (known.is_empty(), nearest_name(name, known.iter().copied())) {
            (true, _) if !self.layers.iter().any(|layer| layer.kind == LayerKind::FileTop) => {
                format!("there is no limosa.toml here; write one with a section [environments.{name}]")
            }
            (true, _) => format!("the configuration file has no environments; add a section [environments.{name}]"),
            (false, Some(near)) => format!("did you mean {near}? The environments are {}", known.join(", ")),
            (false, None) => format!("the environments are {}", known.join(", ")),
        };
        let mut problem =
            Diagnostic::error(codes::UNKNOWN_ENVIRONMENT, format!("there is no environment {name}{place}"));
        problem.labels.extend(self.choice.label.clone());
        self.diagnostics.push(problem.help(help));
    }

    fn settings(&mut self) -> Settings {
        if self.choice.name.is_some() {
            let origins = self.given("environment").iter().skip(1).map(|entry| entry.origin.clone()).collect();
            self.provenance.note("environment", self.choice.origin.clone(), None, origins);
        }
        let addresses = database::choose(self);
        let protected = self.boolean("protected") || self.protected_elsewhere(&addresses);
        Settings {
            config: self.path("config"),
            environment: self.choice.name.clone(),
            env_file: self.path("env_file"),
            database: addresses.database,
            direct_url: addresses.direct_url,
            pooled: match self.word("pooled") {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            },
            role: self.text("role"),
            wait_for_database: Some(self.duration("wait_for_database")).filter(|wait| !wait.is_zero()),
            directories: self.paths("dir"),
            format: self.word("format"),
            pattern: self.pattern(),
            flyway: self.flyway(),
            create_schemas: self.names("create_schemas"),
            allow_commands: self.boolean("allow_commands"),
            ignore_other_ledgers: self.boolean("ignore_other_ledgers"),
            tool_table: self.text("tool_table"),
            replace_placeholders: self.boolean("replace_placeholders"),
            verify_applied: self.boolean("verify_applied"),
            share_transactions: self.boolean("share_transactions"),
            foreign_keys: match self.word("sqlite.foreign_keys") {
                "on" => Some(ForeignKeys::Enforced),
                "off" => Some(ForeignKeys::Ignored),
                _ => None,
            },
            project_is_given: self.given("project").first().is_some_and(|entry| entry.origin != Origin::Default),
            project: self.text("project").unwrap_or_default(),
            protected,
            clean_disabled: self.boolean("clean_disabled"),
            baseline_on_migrate: self.text("flyway.baseline_on_migrate").filter(|version| !version.is_empty()),
            session_settings: {
                let told = self.counting.iter().find_map(|layer| layer.session_settings.as_ref());
                let of_mysql = told.filter(|told| told.engine == Engine::Mysql);
                of_mysql.map(|told| told.settings.clone()).unwrap_or_default()
            },
            out_of_order: match self.word("out_of_order") {
                "warn" => OutOfOrder::Warn,
                "allow" => OutOfOrder::Allow,
                _ => OutOfOrder::Refuse,
            },
            single_transaction: self.boolean("single_transaction"),
            auto_rollback: self.boolean("auto_rollback"),
            backup: self.boolean("backup"),
            backup_directory: self.path("backup_dir").unwrap_or_default(),
            lock_timeout: self.duration("lock_timeout"),
            lock_retries: u32::try_from(self.integer("lock_retries")).unwrap_or(u32::MAX),
            statement_timeout: self.duration("statement_timeout"),
            lock_wait: self.duration("lock_wait"),
            lease: self.duration("lease"),
            placeholders: self.placeholders(),
            ledger_schema: self.text("ledger.schema").unwrap_or_default(),
            anchor_file: self.path("audit.anchor_file"),
            hmac_key: self.secret("audit.hmac_key"),
            actor: self.text("actor"),
            output: self.text("output").unwrap_or_default().to_ascii_lowercase(),
            log_format: match self.word("log_format") {
                "json" => LogFormat::Json,
                _ => LogFormat::Text,
            },
            metrics_file: self.path("metrics_file"),
            color: match self.word("color") {
                "always" => Color::Always,
                "never" => Color::Never,
                _ => Color::Auto,
            },
            yes: self.boolean("yes"),
        }
    }

    fn flyway(&mut self) -> flyway::Naming {
        let naming = flyway::Naming {
            versioned: self.text("flyway.sql_migration_prefix").unwrap_or_default(),
            undo: self.text("flyway.undo_sql_migration_prefix").unwrap_or_default(),
            repeatable: self.text("flyway.repeatable_sql_migration_prefix").unwrap_or_default(),
            baseline: self.text("flyway.baseline_migration_prefix").unwrap_or_default(),
            separator: self.text("flyway.sql_migration_separator").unwrap_or_default(),
            suffixes: self.names("flyway.sql_migration_suffixes"),
            placeholders: Box::new(self.placeholder_marks()),
            command_marks: Box::new(
                ["flyway.script_placeholder_prefix", "flyway.script_placeholder_suffix"]
                    .map(|key| self.text(key).unwrap_or_default()),
            ),
        };
        if let Err(bad) = naming.check() {
            let problem = Diagnostic::error(codes::WRONG_VALUE, format!("in [flyway], {bad}"));
            self.diagnostics.push(problem.help("give each kind a prefix of its own"));
        }
        naming
    }

    /// How placeholders are written in Flyway's folders.
    fn placeholder_marks(&mut self) -> PlaceholderMarks {
        let [prefix, suffix, separator] = ["prefix", "suffix", "separator"]
            .map(|which| self.text(&format!("flyway.placeholder_{which}")).unwrap_or_default());
        PlaceholderMarks::new(&prefix, &suffix, &separator).unwrap_or_else(|bad| {
            let problem = Diagnostic::error(codes::WRONG_VALUE, format!("of flyway.placeholder_*, {bad}"));
            self.diagnostics.push(problem.help("write marks such as #[ and ]"));
            PlaceholderMarks::default()
        })
    }

    /// A pattern that is one, for the format that asks for it.
    fn pattern(&mut self) -> Option<Pattern> {
        let format = self.given("format").first().copied();
        let is_asked_for =
            |word: &str| matches!(format, Some(Entry { value: Value::Choice(chosen), .. }) if *chosen == word);
        let Some(entry) = self.winner("pattern") else {
            if let Some(format) = format.filter(|_| is_asked_for("pattern")) {
                let message = format!("`format`{} is pattern, and no pattern is given", format.place());
                let problem = Diagnostic::error(codes::WRONG_VALUE, message);
                let help = "say how the files are named: pattern = \"V{version}.{name}.{direction}.sql\"";
                self.diagnostics.push(format.located(problem.help(help)));
            }
            return None;
        };
        match Pattern::parse(entry.text().trim()) {
            Ok(pattern) => {
                if let Some(format) = format.filter(|_| !is_asked_for("pattern") && !is_asked_for("auto")) {
                    let message = format!("`pattern`{} has no effect beside `format`{}", entry.place(), format.place());
                    let problem = Diagnostic::warning(codes::WRONG_VALUE, message);
                    self.diagnostics.push(entry.located(problem.help("take one of the two out")));
                }
                Some(pattern)
            }
            Err(bad) => {
                let message = format!("`pattern`{} names no files: {bad}", entry.place());
                let problem = Diagnostic::error(codes::WRONG_VALUE, message);
                let help = "write it of {version}, {name} and {direction}, such as V{version}.{name}.{direction}.sql or \
                            {version}_{name}/{direction}.sql";
                self.diagnostics.push(entry.located(problem.help(help)));
                None
            }
        }
    }

    fn protected_elsewhere(&mut self, addresses: &database::Addresses) -> bool {
        let Some((environment, origin)) = database::protecting(self, addresses) else { return false };
        let origin = Origin::SameDatabase { environment, origin: Box::new(origin) };
        self.provenance.note("protected", origin, None, Vec::new());
        true
    }

    /// All values of a key, the strongest first.
    fn given(&self, key: &str) -> Vec<&'a Entry> {
        self.counting.iter().filter_map(|layer| layer.entries.get(key)).collect()
    }

    /// The value that counts; notes where it came from.
    fn winner(&mut self, key: &str) -> Option<&'a Entry> {
        let given = self.given(key);
        let (winner, others) = given.split_first()?;
        let shadowed = others.iter().map(|entry| entry.origin.clone()).collect();
        self.provenance.note(key, winner.origin.clone(), None, shadowed);
        Some(winner)
    }

    fn text(&mut self, key: &str) -> Option<String> {
        self.winner(key).map(|entry| entry.text().trim().to_owned())
    }

    fn path(&mut self, key: &str) -> Option<PathBuf> {
        match self.winner(key) {
            Some(Entry { value: Value::Path(path), base, .. }) => Some(base.join(path)),
            _ => None,
        }
    }

    fn paths(&mut self, key: &str) -> Vec<PathBuf> {
        match self.winner(key) {
            Some(Entry { value: Value::Paths(paths), base, .. }) => paths.iter().map(|path| base.join(path)).collect(),
            _ => Vec::new(),
        }
    }

    fn names(&mut self, key: &str) -> Vec<String> {
        match self.winner(key) {
            Some(Entry { value: Value::Names(names), .. }) => names.clone(),
            _ => Vec::new(),
        }
    }

    fn duration(&mut self, key: &str) -> Duration {
        match self.winner(key) {
            Some(Entry { value: Value::Duration(duration), .. }) => *duration,
            _ => Duration::ZERO,
        }
    }

    fn boolean(&mut self, key: &str) -> bool {
        matches!(self.winner(key), Some(Entry { value: Value::Boolean(true), .. }))
    }

    fn integer(&mut self, key: &str) -> u64 {
        match self.winner(key) {
            Some(Entry { value: Value::Integer(number), .. }) => *number,
            _ => 0,
        }
    }

    fn word(&mut self, key: &str) -> &'static str {
        match self.winner(key) {
            Some(Entry { value: Value::Choice(word), .. }) => word,
            _ => "",
        }
    }

    fn secret(&mut self, key: &str) -> Option<Secret> {
        let entry = self.winner(key)?;
        let followed = self.follower.secret(entry.text(), &entry.base);
        let followed = self.take(key, entry, followed)?;
        if let Some(source) = self.provenance.sources.get_mut(key) {
            source.reference = followed.reference;
        }
        followed.value
    }

    /// Keeps what went wrong on the way of a reference.
    pub(super) fn take(&mut self, key: &str, entry: &Entry, followed: Result<Followed, Problem>) -> Option<Followed> {
        match followed {
            Ok(followed) => {
                let place = entry.place();
                let warnings = followed.warnings.iter().map(|problem| entry.located(problem.diagnostic(key, &place)));
                self.diagnostics.extend(warnings);
                Some(followed)
            }
            Err(problem) => {
                self.diagnostics.push(entry.located(problem.diagnostic(key, &entry.place())));
                None
            }
        }
    }

    fn placeholders(&mut self) -> BTreeMap<String, Placeholder> {
        // Flyway does not tell them apart by case: the strongest layer counts under whatever spelling.
        let folds = self.word("format") == "flyway";
        let spelled = |name: &str| if folds { name.to_ascii_lowercase() } else { name.to_owned() };
        let mut given: BTreeMap<String, Vec<(&'a Entry, bool)>> = BTreeMap::new();
        for layer in &self.counting {
            let in_file = matches!(layer.kind, LayerKind::FileTop | LayerKind::FileEnvironment(_));
            for (name, entry) in &layer.placeholders {
                given.entry(spelled(name)).or_default().push((entry, in_file));
            }
        }
        let secret_names = self.secret_names();
        let mut placeholders = BTreeMap::new();
        for (name, entries) in given {
            let Some(((winner, in_file), others)) = entries.split_first() else { continue };
            // What was once given by reference stays a secret, whoever gives another value for it.
            let by_reference = entries.iter().any(|(entry, in_file)| *in_file && is_reference(entry.text()));
            let secret = by_reference || secret_names.iter().any(|known| spelled(known) == name);
            let key = format!("placeholders.{name}");
            let Some(followed) = self.placeholder(&key, winner, *in_file) else { continue };
            let shadowed = others.iter().map(|(entry, _)| entry.origin.clone()).collect();
            self.provenance.note(&key, winner.origin.clone(), followed.reference.clone(), shadowed);
            let value = followed.value.or_else(|| followed.reference.clone().map(Secret::new)).unwrap_or_default();
            let placeholder = Placeholder { value, secret, reference: followed.reference };
            placeholders.insert(name, placeholder);
        }
        placeholders
    }

    /// References are followed from the configuration file only. Flags and variables often carry text that a stranger
    /// chose, such as the name of a branch, which must not read files or run programs.
    fn placeholder(&mut self, key: &str, entry: &Entry, in_file: bool) -> Option<Followed> {
        if in_file {
            let followed = self.follower.secret(entry.text(), &entry.base);
            return self.take(key, entry, followed);
        }
        if is_reference(entry.text()) {
            let message = format!("`{key}`{} looks like a reference and is taken as text", entry.place());
            let problem = Diagnostic::new(codes::TAKEN_AS_TEXT, limosa_sql::Severity::Note, message);
            self.diagnostics.push(problem.help("references are followed in the configuration file only"));
        }
        Some(Followed { value: Some(Secret::new(entry.text())), reference: None, shown: None, warnings: Vec::new() })
    }

    /// The names of all layers that count; each must name something.
    fn secret_names(&mut self) -> BTreeSet<&'a str> {
        let known: BTreeSet<&str> =
            self.layers.iter().flat_map(|layer| layer.placeholders.keys().map(String::as_str)).collect();
        let mut names = BTreeSet::new();
        for entry in self.given("secret_placeholders") {
            let Value::Names(list) = &entry.value else { continue };
            for name in list {
                names.insert(name.as_str());
                if known.contains(name.as_str()) {
                    continue;
                }
                let message = format!("`secret_placeholders`{} names {name}, which nobody gives", entry.place());
                let near = nearest_name(name, known.iter().copied());
                // A misspelt name would let the secret be stored and shown.
                let problem = match near {
                    Some(near) => Diagnostic::error(codes::NO_SUCH_PLACEHOLDER, message)
                        .help(format!("did you mean {near}? Its value would not be a secret")),
                    None => Diagnostic::warning(codes::NO_SUCH_PLACEHOLDER, message)
                        .help("give the placeholder, or take the name out"),
                };
                self.diagnostics.push(entry.located(problem));
            }
        }
        self.winner("secret_placeholders");
        names
    }
}
