//! `migration_config.yaml`: what a folder says about its migrations.

use limosa_sql::{Diagnostic, Label, Position};

use super::headers::bad_value;
use super::names::{FileRole, Selector, split, stem_of};
use super::rules::{Arity, HeaderRule, Item, header_rules};
use super::values::nearest;
use super::wishes::Wishes;
use super::yaml::{self, Node, Value};
use crate::codes;

/// The configuration of one folder.
#[derive(Debug, Clone)]
pub struct Config {
    path: String,
    defaults: Wishes,
    /// It holds for ways back, too.
    for_ways_back: bool,
    /// The script beside which it stands, where it is about that one alone.
    script: Option<String>,
    pub(crate) entries: Vec<ConfigEntry>,
}

/// What it says about one migration.
#[derive(Debug, Clone)]
pub(crate) struct ConfigEntry {
    pub(crate) selector: Selector,
    /// As written.
    pub(crate) text: String,
    pub(crate) label: Label,
    wishes: Wishes,
    /// The promise that a way back exists, and where it is given.
    pub(crate) rollback_supported: Option<Label>,
}

/// Sections of a file that another program reads too; limosa has its own settings.
const FOREIGN_SECTIONS: &[&str] =
    &["version", "description", "migration_system", "settings", "environments", "validation", "monitoring"];
/// Keys of an entry with the same fate.
const FOREIGN_KEYS: &[&str] = &["estimated_duration", "estimated_duration_seconds", "author", "created"];
/// Keys of an entry that say which migration is meant.
const NAMING_KEYS: &[&str] = &["version", "file", "filename"];
const ROLLBACK_SUPPORTED: &str = "rollback_supported";

impl Config {
    /// Reads the file at `path`. None where it is no YAML or holds nothing.
    pub fn read(path: &str, bytes: &[u8]) -> (Option<Config>, Vec<Diagnostic>) {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
            Err(error) => {
                let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
                let label = Label::place(path, Position::START.after(&good));
                let diagnostic = Diagnostic::error(codes::BAD_YAML, "the configuration is not UTF-8")
                    .at(label)
                    .help("save it as UTF-8");
                return (None, vec![diagnostic]);
            }
        };
        let mut reading = Reading { path, lines: text.lines().collect(), diagnostics: Vec::new(), noted: Vec::new() };
        let config = match yaml::parse(text) {
            Ok(None) => None,
            Ok(Some(root)) => reading.root(&root),
            Err(broken) => {
                let label = broken.position.map_or_else(|| Label::file(path), |position| reading.place(position, 1));
                reading.diagnostics.push(
                    Diagnostic::error(codes::BAD_YAML, broken.message)
                        .at(label)
                        .help("the file is a map with the keys 'migrations' and 'defaults'"),
                );
                None
            }
        };
        (config, reading.diagnostics)
    }

    /// What a file beside a script says about this one alone; its name is the script's and `suffix`.
    pub(crate) fn of_script(path: &str, suffix: &str, wishes: Wishes) -> Config {
        let script = path.strip_suffix(suffix).unwrap_or(path);
        let entry = ConfigEntry {
            selector: Selector::File(stem_of(script).to_owned()),
            text: split(script).1.to_owned(),
            label: Label::file(path),
            wishes,
            rollback_supported: None,
        };
        Config {
            path: path.to_owned(),
            defaults: Wishes::default(),
            for_ways_back: true,
            script: Some(script.to_owned()),
            entries: vec![entry],
        }
    }

    /// What a file says about all scripts of its folder, ways back among them.
    pub(crate) fn of_folder(path: &str, defaults: Wishes) -> Config {
        Config { path: path.to_owned(), defaults, for_ways_back: true, script: None, entries: Vec::new() }
    }

    /// Path as the user gave it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The script beside which it stands, where it is about that one alone.
    pub fn script(&self) -> Option<&str> {
        self.script.as_deref()
    }

    /// What is said of it where its script is none of `files`; it has no effect then.
    pub fn without_script(&self, has_file: impl Fn(&str) -> bool) -> Option<Diagnostic> {
        let script = self.script.as_deref().filter(|script| !has_file(script))?;
        let message = format!("{script}, whose settings these are, is not here");
        let problem = Diagnostic::warning(codes::ENTRY_WITHOUT_FILE, message).at(Label::file(&self.path));
        Some(problem.help("name them as the script and .conf behind it, or take them away"))
    }

    /// What it names migrations by, with the place: its entries, and what they depend on.
    pub fn references(&self) -> impl Iterator<Item = (&str, &Label)> {
        self.entries.iter().flat_map(|entry| {
            let depends_on = entry.wishes.depends_on.iter().map(|one| (one.text.as_str(), &one.label));
            std::iter::once((entry.text.as_str(), &entry.label)).chain(depends_on)
        })
    }

    /// True where a file stands beside this configuration.
    pub(crate) fn is_beside(&self, path: &str) -> bool {
        split(&self.path).0 == split(path).0
    }
}

/// What the configuration beside a file says about it: its own entries first, then the defaults.
pub(crate) fn wishes_for(configs: &[Config], path: &str, role: &FileRole) -> Wishes {
    let mut wishes = Wishes::default();
    let is_way_back = matches!(role, FileRole::Rollback { .. });
    for config in configs.iter().filter(|config| config.is_beside(path) && (config.for_ways_back || !is_way_back)) {
        let is_meant = |entry: &&ConfigEntry| match &config.script {
            Some(script) => script == path,
            None => entry.selector.matches(path, role),
        };
        for entry in config.entries.iter().filter(is_meant) {
            wishes = wishes.or(&entry.wishes);
        }
        wishes = wishes.or(&config.defaults);
    }
    wishes
}

struct Reading<'a> {
    path: &'a str,
    lines: Vec<&'a str>,
    diagnostics: Vec<Diagnostic>,
    /// Foreign keys that were named already.
    noted: Vec<String>,
}

impl Reading<'_> {
    fn place(&self, position: Position, length: usize) -> Label {
        let index = usize::try_from(position.line.saturating_sub(1)).unwrap_or(usize::MAX);
        let label = Label::place(self.path, position).length(length as u64);
        match self.lines.get(index) {
            Some(line) => label.line(line.chars().take(300).collect::<String>()),
            None => label,
        }
    }

    fn error(&mut self, code: &'static str, message: String, label: Label, help: &str) {
        self.diagnostics.push(Diagnostic::error(code, message).at(label).help(help));
    }

    fn root(&mut self, root: &Node) -> Option<Config> {
        let Value::Mapping(sections) = &root.value else {
            let label = self.place(root.position, 1);
            self.error(
                codes::BAD_YAML,
                "the configuration is no map".to_owned(),
                label,
                "the file is a map with the keys 'migrations' and 'defaults'",
            );
            return None;
        };
        let mut config = Config {
            path: self.path.to_owned(),
            defaults: Wishes::default(),
            for_ways_back: false,
            script: None,
            entries: Vec::new(),
        };
        let mut seen: Vec<&str> = Vec::new();
        for section in sections {
            let label = self.place(section.position, section.key.chars().count());
            if seen.contains(&section.key.as_str()) {
                self.error(codes::REPEATED_KEY, format!("'{}' stands here twice", section.key), label, "join the two");
                continue;
            }
            seen.push(&section.key);
            match section.key.as_str() {
                "migrations" => self.migrations(&section.value, &mut config.entries),
                "defaults" => {
                    let entry = self.entry(&section.value, Selector::File(String::new()), "defaults", label, true);
                    config.defaults = entry.wishes;
                }
                key if FOREIGN_SECTIONS.contains(&key) => self.unused(key, label),
                key => self.unknown(key, label, &mut ["migrations", "defaults"].into_iter()),
            }
        }
        Some(config)
    }

    fn unused(&mut self, key: &str, label: Label) {
        if self.noted.iter().any(|noted| noted == key) {
            return;
        }
        self.noted.push(key.to_owned());
        let message = format!("'{key}' is not read by limosa");
        self.diagnostics.push(
            Diagnostic::new(codes::UNUSED_KEY, limosa_sql::Severity::Note, message)
                .at(label)
                .help("connections and environments stand in limosa.toml"),
        );
    }

    fn unknown(&mut self, key: &str, label: Label, known: &mut dyn Iterator<Item = &'static str>) {
        let known: Vec<&'static str> = known.collect();
        let help = match nearest(key, known.iter().copied()) {
            Some(meant) => format!("did you mean '{meant}'?"),
            None => format!("known keys: {}", known.join(", ")),
        };
        self.error(codes::UNKNOWN_KEY, format!("the key '{key}' is not known"), label, &help);
    }

    fn migrations(&mut self, node: &Node, entries: &mut Vec<ConfigEntry>) {
        match &node.value {
            Value::Null => {}
            Value::Mapping(pairs) => {
                for pair in pairs {
                    let label = self.place(pair.position, pair.key.chars().count());
                    let entry = self.entry(&pair.value, Selector::parse(&pair.key), &pair.key, label, false);
                    self.add(entry, entries);
                }
            }
            Value::Sequence(items) => {
                for item in items {
                    if let Some((selector, text, label)) = self.named(item) {
                        let entry = self.entry(item, selector, &text, label, false);
                        self.add(entry, entries);
                    }
                }
            }
            Value::Scalar(_) => {
                let label = self.place(node.position, 1);
                let help = "write a map from versions to settings, or a list of maps with the key 'version'";
                self.error(codes::BAD_CONFIG_VALUE, "'migrations' is no map and no list".to_owned(), label, help);
            }
        }
    }

    fn add(&mut self, entry: ConfigEntry, entries: &mut Vec<ConfigEntry>) {
        if let Some(first) = entries.iter().find(|other| other.selector == entry.selector) {
            self.diagnostics.push(
                Diagnostic::error(codes::REPEATED_KEY, format!("the migration {} has two entries", entry.text))
                    .at(entry.label)
                    .at(first.label.clone().text("the first one"))
                    .help("join the two"),
            );
            return;
        }
        entries.push(entry);
    }

    /// Which migration an item of the list form is about.
    fn named(&mut self, item: &Node) -> Option<(Selector, String, Label)> {
        let Value::Mapping(pairs) = &item.value else {
            let label = self.place(item.position, 1);
            let help = "each item is a map with the key 'version'";
            self.error(codes::BAD_CONFIG_VALUE, "this item of 'migrations' is no map".to_owned(), label, help);
            return None;
        };
        let mut names = pairs.iter().filter(|pair| NAMING_KEYS.contains(&pair.key.as_str())).filter_map(|pair| {
            let Value::Scalar(text) = &pair.value.value else { return None };
            Some((pair.key.as_str(), text, pair.value.position))
        });
        let (first, second) = (names.next(), names.next());
        drop(names);
        let Some((key, text, position)) = first else {
            let label = self.place(item.position, 1);
            let help = "add 'version' or 'file'";
            self.error(codes::BAD_CONFIG_VALUE, "this item names no migration".to_owned(), label, help);
            return None;
        };
        let label = self.place(position, text.chars().count());
        let Some((_, other, other_position)) = second else {
            return Some((Selector::parse(text), text.clone(), label));
        };
        let (version, file) = if key == "version" { (text, other) } else { (other, text) };
        let of_file = stem_of(file).split_once('_').map_or(stem_of(file), |(label, _)| label);
        if Selector::parse(version) != Selector::parse(of_file) {
            let label = self.place(other_position, other.chars().count());
            let message = format!("the version {version} is not that of the file {file}");
            self.error(codes::BAD_CONFIG_VALUE, message, label, "make them agree, or leave one out");
            return None;
        }
        Some((Selector::File(stem_of(file).to_owned()), file.clone(), label))
    }

    fn entry(&mut self, node: &Node, selector: Selector, text: &str, label: Label, defaults: bool) -> ConfigEntry {
        let text = text.to_owned();
        let mut entry = ConfigEntry { selector, text, label, wishes: Wishes::default(), rollback_supported: None };
        let pairs = match &node.value {
            Value::Mapping(pairs) => pairs,
            Value::Null => return entry,
            _ => {
                let label = self.place(node.position, 1);
                let help = "write a map, such as {depends_on: [\"001\"]}";
                self.error(codes::BAD_CONFIG_VALUE, format!("'{}' is no map", entry.text), label, help);
                return entry;
            }
        };
        let mut seen: Vec<&str> = Vec::new();
        for pair in pairs {
            let key = pair.key.as_str();
            let label = self.place(pair.position, key.chars().count());
            if seen.contains(&key) {
                self.error(codes::REPEATED_KEY, format!("'{key}' stands here twice"), label, "keep one of the two");
                continue;
            }
            seen.push(key);
            match key {
                _ if !defaults && NAMING_KEYS.contains(&key) => {}
                _ if !defaults && FOREIGN_KEYS.contains(&key) => self.unused(key, label),
                ROLLBACK_SUPPORTED if !defaults => {
                    if self.truth(&pair.value, key) {
                        entry.rollback_supported = Some(label);
                    }
                }
                _ => match rule_of(key).filter(|rule| !defaults || can_be_default(rule)) {
                    Some(rule) => self.take(rule, key, &pair.value, label, &mut entry.wishes),
                    None => {
                        let keys = header_rules().iter().filter(|rule| !defaults || can_be_default(rule));
                        self.unknown(key, label, &mut keys.filter_map(|rule| rule.config_key));
                    }
                },
            }
        }
        entry
    }

    fn truth(&mut self, node: &Node, key: &str) -> bool {
        match &node.value {
            Value::Scalar(text) if matches!(text.as_str(), "true" | "yes" | "on") => true,
            Value::Scalar(text) if matches!(text.as_str(), "false" | "no" | "off") => false,
            Value::Null => false,
            _ => {
                let label = self.place(node.position, 1);
                self.error(
                    codes::BAD_CONFIG_VALUE,
                    format!("'{key}' is neither true nor false"),
                    label,
                    "allowed: true, false",
                );
                false
            }
        }
    }

    fn take(&mut self, rule: &HeaderRule, key: &str, node: &Node, key_label: Label, wishes: &mut Wishes) {
        let items = match self.items(rule, key, node) {
            Some(items) => items,
            None => return,
        };
        if items.is_empty() && rule.arity != Arity::One {
            return;
        }
        if let Err(index) = (rule.take)(wishes, &items) {
            let (text, label) = match items.get(index) {
                Some(item) => (item.text.as_str(), item.label.clone()),
                None => ("", key_label),
            };
            self.diagnostics.push(bad_value(codes::BAD_CONFIG_VALUE, rule, key, text, label));
        }
    }

    /// The values of a key: one, or a list where the key takes one.
    fn items(&mut self, rule: &HeaderRule, key: &str, node: &Node) -> Option<Vec<Item>> {
        let item = |reading: &Self, text: &str, position: Position| Item {
            text: text.trim().to_owned(),
            label: reading.place(position, text.trim().chars().count()),
        };
        match &node.value {
            Value::Null => Some(Vec::new()),
            Value::Scalar(text) if rule.arity == Arity::List => Some(
                text.split(',')
                    .filter(|part| !part.trim().is_empty())
                    .map(|part| item(self, part, node.position))
                    .collect(),
            ),
            Value::Scalar(text) => Some(vec![item(self, text, node.position)]),
            Value::Sequence(nodes) if rule.arity == Arity::List => {
                let mut items = Vec::new();
                for node in nodes {
                    match &node.value {
                        Value::Scalar(text) => items.push(item(self, text, node.position)),
                        _ => return self.no_text(key, node),
                    }
                }
                Some(items)
            }
            Value::Sequence(_) | Value::Mapping(_) => self.no_text(key, node),
        }
    }

    fn no_text<T>(&mut self, key: &str, node: &Node) -> Option<T> {
        let label = self.place(node.position, 1);
        let help = rule_of(key).map_or_else(String::new, |rule| format!("allowed: {}", rule.allowed));
        self.error(codes::BAD_CONFIG_VALUE, format!("this is no value of '{key}'"), label, &help);
        None
    }
}

fn rule_of(key: &str) -> Option<&'static HeaderRule> {
    // The word that other tools use.
    let key = if key == "dependencies" { "depends_on" } else { key };
    header_rules().iter().find(|rule| rule.config_key == Some(key))
}

/// What is said of one migration only makes no default: all would depend on the same one, itself included.
fn can_be_default(rule: &HeaderRule) -> bool {
    !matches!(rule.name, "Depends-on" | "Purpose" | "Checklist")
}

#[cfg(test)]
mod tests {
    use super::super::names::classify;
    use super::*;

    fn read(text: &str) -> (Option<Config>, Vec<String>) {
        let (config, diagnostics) = Config::read("m/migration_config.yaml", text.as_bytes());
        let shown = diagnostics
            .iter()
            .map(|diagnostic| {
                let place = diagnostic.labels[0]
                    .position
                    .map_or_else(String::new, |position| format!("{}:{}", position.line, position.column));
                let help = diagnostic.help.as_deref().unwrap_or_default();
                format!("{} {:?} {place} {} / {help}", diagnostic.code, diagnostic.severity, diagnostic.message)
            })
            .collect();
        (config, shown)
    }

    #[test]
    fn both_forms_say_the_same() {
        let map = "defaults:\n  lock_timeout: 2s\n  tags: [all]\nmigrations:\n  002:\n    depends_on: [\"001\"]\n    \
                   lock_timeout: 5s\n  R__views.sql: {depends_on: 002_b.sql, environments: \"a, b\"}\n  \"003\":\n";
        let list = "defaults: {lock_timeout: 2s, tags: all}\nmigrations:\n- version: \"2\"\n  dependencies:\n    - 001\n  \
                    lock_timeout: 5s\n- file: R__views.sql\n  depends_on: [002_b.sql]\n  environments: [a, b]\n";
        for text in [map, list] {
            let (config, problems) = read(text);
            assert_eq!(problems, [] as [&str; 0], "{text}");
            let configs = [config.unwrap()];
            let of = |path: &str| wishes_for(&configs, path, &classify(path)).headers();
            let second = of("m/002_b.sql");
            assert_eq!((second.lock_timeout, second.tags), (Some(5000), vec!["all".to_owned()].into()));
            assert_eq!(second.depends_on, ["001"]);
            let views = of("m/R__views.sql");
            assert_eq!((views.lock_timeout, views.depends_on), (Some(2000), vec!["002_b.sql".to_owned()].into()));
            assert_eq!(views.environments, ["a", "b"]);
            assert_eq!(of("m/009_x.sql").lock_timeout, Some(2000));
            assert_eq!(of("elsewhere/002_b.sql").lock_timeout, None);
        }
    }

    #[test]
    fn a_file_that_another_program_reads_too_is_understood() {
        let text = "migration_system:\n  version: 1\nsettings:\n  database: {host: db}\nmigrations:\n  - version: \"001\"\n    \
                    filename: 001_first.sql\n    description: First\n    dependencies: []\n    rollback_supported: true\n    \
                    estimated_duration_seconds: 30\n";
        let (config, problems) = read(text);
        assert_eq!(
            problems,
            [
                "LIM-F028 Note 1:1 'migration_system' is not read by limosa / connections and environments stand in limosa.toml",
                "LIM-F028 Note 3:1 'settings' is not read by limosa / connections and environments stand in limosa.toml",
                "LIM-F028 Note 11:5 'estimated_duration_seconds' is not read by limosa / connections and environments stand \
                 in limosa.toml",
            ]
        );
        let config = config.unwrap();
        assert!(config.entries[0].rollback_supported.is_some());
        let path = "m/001_first.sql";
        assert_eq!(wishes_for(&[config], path, &classify(path)).purpose.as_deref(), Some("First"));
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (text, expected) in [
            (
                "migration:\n  1: {}\n",
                "LIM-F024 Error 1:1 the key 'migration' is not known / did you mean 'migrations'?",
            ),
            ("hooks: 1\n", "LIM-F024 Error 1:1 the key 'hooks' is not known / known keys: migrations, defaults"),
            (
                "migrations:\n  \"002\":\n    depend_on: [1]\n",
                "LIM-F024 Error 3:5 the key 'depend_on' is not known / did you mean 'depends_on'?",
            ),
            (
                "migrations:\n  \"002\":\n    rollback: x\n",
                "LIM-F024 Error 3:5 the key 'rollback' is not known / known keys: description, phase, checklist, depends_on, \
                 transaction, lock_timeout, statement_timeout, environments, engines, requires_extension, tags, data_loss, \
                 placeholders",
            ),
            (
                "defaults:\n  depends_on: [1]\n",
                "LIM-F024 Error 2:3 the key 'depends_on' is not known / known keys: phase, transaction, lock_timeout, \
                 statement_timeout, environments, engines, requires_extension, tags, data_loss, placeholders",
            ),
            (
                "migrations:\n  2: {lock_timeout: soon}\n",
                "LIM-F025 Error 2:21 'soon' is no value of 'lock_timeout' / allowed: a number with ms, s, min or h (3s, 500ms), \
                 or 0 or off",
            ),
            (
                "migrations:\n  2: {lock_timeout: 5}\n",
                "LIM-F025 Error 2:21 '5' is no value of 'lock_timeout' / give the unit: 5s or 5ms",
            ),
            (
                "migrations:\n  2:\n    engines: [sqlite, oracle]\n",
                "LIM-F025 Error 3:23 'oracle' is no value of 'engines' / allowed: postgres, sqlite, mysql; joined by commas",
            ),
            (
                "migrations:\n  2: {transaction: [none]}\n",
                "LIM-F025 Error 2:20 this is no value of 'transaction' / allowed: auto, always or none",
            ),
            (
                "migrations:\n  2: 3\n",
                "LIM-F025 Error 2:6 '2' is no map / write a map, such as {depends_on: [\"001\"]}",
            ),
            (
                "migrations:\n- depends_on: [1]\n",
                "LIM-F025 Error 2:3 this item names no migration / add 'version' or 'file'",
            ),
            (
                "migrations:\n- version: 2\n  file: 003_x.sql\n",
                "LIM-F025 Error 3:9 the version 2 is not that of the file 003_x.sql / make them agree, or leave one out",
            ),
            (
                "migrations:\n  2: {}\n  002: {}\n",
                "LIM-F027 Error 3:3 the migration 002 has two entries / join the two",
            ),
            (
                "migrations:\n  2: {tags: a, tags: b}\n",
                "LIM-F027 Error 2:16 'tags' stands here twice / keep one of the two",
            ),
            (
                "- 1\n",
                "LIM-F023 Error 1:1 the configuration is no map / the file is a map with the keys 'migrations' and 'defaults'",
            ),
        ] {
            assert_eq!(read(text).1, [expected], "{text}");
        }
        assert!(read("migrations: [\n").1[0].starts_with("LIM-F023 Error 1:13 unclosed bracket"));
        let (_, problems) = Config::read("c", b"a: \xff");
        assert_eq!(problems[0].message, "the configuration is not UTF-8");
    }
}
