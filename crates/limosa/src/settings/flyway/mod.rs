//! `flyway.conf` and `flyway.toml`, read as settings of ours.

pub(super) mod address;
mod given;
mod keys;

use std::collections::BTreeMap;
use std::path::Path;

use limosa_db::Secret;
use limosa_sql::{Diagnostic, Label, Position};

use self::address::{Beside, translate};
use self::given::Given;
use self::keys::{Fate, KEYS, NAMESPACES, Part, Turned};
use super::codes;
use super::keys::{find, nearest_name};
use super::layer::{Entry, Layer, LayerKind, PLACEHOLDER_NAMES, is_placeholder_name};
use super::origin::Origin;
use super::value::{Raw, Value, parse};

/// The names of Flyway's own configuration files, in the order in which they are looked for.
pub(super) const FILE_NAMES: [&str; 2] = ["flyway.toml", "flyway.conf"];

/// Where Java programs keep what they call `classpath:`.
const RESOURCES: &str = "src/main/resources";

/// What Flyway calls its own table where nothing names it.
const USUAL_TABLE: &str = "flyway_schema_history";

/// The environment that counts in Flyway where none is named.
const DEFAULT_ENVIRONMENT: &str = "default";

/// True for a file that is to be read as Flyway's.
pub(super) fn is_meant(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    FILE_NAMES.contains(&name) || Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("conf"))
}

/// The layers of such a file, as [`Layer::of_file`] gives them.
pub(super) fn layers(file: &str, text: &str, base: &Path) -> Vec<Layer> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let given = if Path::new(file).extension().is_some_and(|ending| ending == "toml") {
        match given::of_toml(text) {
            Ok(given) => given,
            Err((message, offset)) => {
                let place = offset.and_then(|offset| text.get(..offset)).map(|before| Position::START.after(before));
                let label = place.map_or_else(|| Label::file(file), |position| Label::place(file, position));
                let mut layer = Layer::new(LayerKind::FileTop);
                layer.problems.push(
                    Diagnostic::error(codes::NOT_TOML, format!("the configuration file is not TOML: {message}"))
                        .at(label),
                );
                return vec![layer];
            }
        }
    } else {
        given::of_conf(text)
    };
    let mut sections: BTreeMap<Option<String>, Vec<Given>> = BTreeMap::new();
    sections.entry(None).or_default();
    for one in given {
        let environment = one.environment.clone().filter(|name| name != DEFAULT_ENVIRONMENT);
        sections.entry(environment).or_default().push(one);
    }
    let has_address = sections.values().flatten().any(|one| fate_of(one) == Some(Fate::Address(Part::Url)));
    let is_part = |one: &Given| {
        matches!(
            fate_of(one),
            Some(Fate::Address(_) | Fate::Turned(Turned::Schemas | Turned::CreateSchemas | Turned::Table))
        )
    };
    // What stands outside of environments holds in each of them, as far as it does not say otherwise; what the environment
    // named `default` says does not.
    let mut outside = Parts::default();
    sections
        .into_iter()
        .map(|(environment, given)| {
            let kind = environment.clone().map_or(LayerKind::FileTop, LayerKind::FileEnvironment);
            let mut section = Section { file, base, environment, layer: Layer::new(kind), parts: outside.clone() };
            if section.environment.is_none() {
                section.set("format", &["flyway".to_owned()], 1);
            }
            let (everywhere, here): (Vec<Given>, Vec<Given>) =
                given.into_iter().partition(|one| one.environment.is_none());
            everywhere.iter().for_each(|one| section.take(one));
            if section.environment.is_none() {
                outside = section.parts.clone();
            } else if here.iter().all(|one| !is_part(one)) {
                // It says nothing of the address: that of the layer below holds.
                section.parts = Parts::default();
            }
            here.iter().for_each(|one| section.take(one));
            section.finish(has_address)
        })
        .collect()
}

/// What becomes of each of Flyway's settings, as a table of Markdown.
pub fn table() -> String {
    let mut text = "| Flyway | limosa |\n| --- | --- |\n".to_owned();
    for (name, fate) in KEYS {
        text.push_str(&format!("| `flyway.{name}` | {} |\n", fate.words()));
    }
    text.push_str("| `flyway.placeholders.NAME` | `[placeholders]` |\n");
    for (name, instead) in NAMESPACES {
        text.push_str(&format!("| `flyway.{name}` and below | instead: {instead} |\n"));
    }
    text
}

struct Section<'f> {
    file: &'f str,
    base: &'f Path,
    environment: Option<String>,
    layer: Layer,
    parts: Parts,
}

/// What only together is an address, and the schemas; each with its line where that is told.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Parts {
    beside: Beside,
    /// The line of the last of them.
    beside_line: u64,
    url: Option<(String, u64)>,
    schemas: Option<(Vec<String>, u64)>,
    /// Flyway's own table.
    table: Option<(String, u64)>,
    /// True where schemas that are named are not to be made.
    leaves_schemas: bool,
}

impl Section<'_> {
    fn take(&mut self, given: &Given) {
        if let Some(name) = given.name.strip_prefix("placeholders.") {
            self.placeholder(name, given);
            return;
        }
        let Some(fate) = fate_of(given) else {
            self.unknown(given);
            return;
        };
        let (name, one) = (&given.name, given.values.join(","));
        match fate {
            Fate::Is(key) => self.set(key, &given.values, given.line),
            Fate::Address(part) => self.part(part, one, given.line),
            Fate::Turned(turned) => self.turned(turned, given),
            Fate::NotNeeded(_) => {}
            Fate::Instead(what) => {
                if !matches!(one.to_ascii_lowercase().as_str(), "" | "false") {
                    self.note(given, format!("flyway.{name} has no effect here"), format!("instead: {what}"));
                }
            }
            Fate::Only(value, why) => {
                if !one.is_empty() && !one.eq_ignore_ascii_case(value) {
                    let problem =
                        Diagnostic::error(codes::FLYWAY_UNSUPPORTED, format!("flyway.{name} cannot be had here"));
                    self.layer.problems.push(problem.at(self.label(given.line)).help(why));
                }
            }
        }
    }

    fn part(&mut self, part: Part, text: String, line: u64) {
        let text = references(&text);
        if text.is_empty() {
            return;
        }
        let parts = &mut self.parts;
        match part {
            Part::Url => {
                parts.url = Some((text, line));
                return;
            }
            Part::User => parts.beside.user = Some(text),
            Part::Password => parts.beside.password = Some(text),
            Part::DefaultSchema => parts.beside.schema = Some(text),
        }
        parts.beside_line = line;
    }

    fn turned(&mut self, turned: Turned, given: &Given) {
        let one = given.values.join(",");
        let seconds =
            |each: u64| one.trim().parse::<u64>().map(|tries| format!("{}s", tries.saturating_mul(each).min(604_800)));
        match turned {
            Turned::OutOfOrder => {
                let Some(allowed) = self.flag(given, &one) else { return };
                let word = if allowed { "allow" } else { "refuse" };
                self.set("out_of_order", &[word.to_owned()], given.line);
            }
            Turned::LockRetryCount => match (one.trim(), seconds(1)) {
                // Flyway: for ever.
                ("-1", _) => self.set("lock_wait", &["168h".to_owned()], given.line),
                (_, Ok(wait)) => self.set("lock_wait", &[wait], given.line),
                (_, Err(_)) => self.no_number(given),
            },
            Turned::ConnectRetries => match seconds(10) {
                Ok(wait) => self.set("wait_for_database", &[wait], given.line),
                Err(_) => self.no_number(given),
            },
            Turned::Locations => self.locations(given),
            Turned::Schemas => {
                let names = list(&given.values);
                self.parts.schemas = Some((names, given.line));
            }
            Turned::Table => {
                let name = references(one.trim());
                self.parts.table = (!name.is_empty()).then_some((name, given.line));
            }
            Turned::CreateSchemas => {
                if let Some(wanted) = self.flag(given, &one) {
                    self.parts.leaves_schemas = !wanted;
                }
            }
        }
    }

    fn locations(&mut self, given: &Given) {
        let mut folders = Vec::new();
        for location in list(&given.values) {
            let (scheme, path) = location.split_once(':').unwrap_or(("classpath", &location));
            match scheme {
                "filesystem" => folders.push(path.to_owned()),
                "classpath" => folders.push(format!("{RESOURCES}/{}", path.trim_start_matches('/'))),
                other => {
                    let message = format!("the location {other}:... cannot be read");
                    let problem = Diagnostic::error(codes::FLYWAY_UNSUPPORTED, message).at(self.label(given.line));
                    self.layer.problems.push(problem.help("bring the files into a folder, and name it with --dir"));
                }
            }
        }
        if let Some(pattern) = folders.iter().find(|folder| folder.contains(['*', '?'])) {
            let message = format!("the location {pattern} holds a pattern");
            let problem = Diagnostic::error(codes::FLYWAY_UNSUPPORTED, message).at(self.label(given.line));
            self.layer.problems.push(problem.help("name each folder; folders in folders are read by themselves"));
            return;
        }
        self.set("dir", &folders, given.line);
    }

    fn placeholder(&mut self, name: &str, given: &Given) {
        if !is_placeholder_name(name) {
            let problem = Diagnostic::error(codes::WRONG_PLACEHOLDER, "a placeholder has a name that is none");
            self.layer.problems.push(problem.at(self.label(given.line)).help(PLACEHOLDER_NAMES));
            return;
        }
        let text = given.values.join(",");
        // A value that is one variable of the process is a reference; any other stands for itself.
        let value = match references(&text) {
            whole if whole.starts_with("${env:") && whole.find('}') == Some(whole.len() - 1) => {
                whole["${".len()..whole.len() - 1].to_owned()
            }
            _ => format!("text:{text}"),
        };
        let entry = Entry {
            value: Value::Text(Secret::new(value)),
            origin: self.origin(given.line),
            base: self.base.to_owned(),
            label: Some(self.label(given.line)),
        };
        self.layer.placeholders.insert(name.to_owned(), entry);
    }

    /// Puts a value behind one of our keys.
    fn set(&mut self, name: &str, values: &[String], line: u64) {
        let Some(key) = find(name) else { return };
        let raw = if let [one] = values { Raw::Text(one) } else { Raw::Repeated(values) };
        match parse(key, &raw) {
            Ok(value) => {
                let (origin, label) = (self.origin(line), self.label(line));
                self.layer.insert(key, value, origin, self.base, label);
            }
            Err(wrong) => {
                let problem = Diagnostic::error(codes::WRONG_VALUE, format!("`{name}` {}", wrong.message));
                self.layer.problems.push(problem.at(self.label(line)).help(wrong.help));
            }
        }
    }

    fn unknown(&mut self, given: &Given) {
        let name = &given.name;
        let first = name.split('.').next().unwrap_or(name);
        if let Some((_, instead)) = NAMESPACES.iter().find(|(namespace, _)| *namespace == first) {
            self.note(given, format!("flyway.{name} has no effect here"), format!("instead: {instead}"));
            return;
        }
        let help = match nearest_name(name, KEYS.iter().map(|(name, _)| *name)) {
            Some(near) => format!("did you mean flyway.{near}?"),
            None => "docs/coming-from/flyway-settings.md lists what is known".to_owned(),
        };
        let problem =
            Diagnostic::error(codes::UNKNOWN_KEY, format!("Flyway has no setting flyway.{name} that limosa knows"));
        self.layer.problems.push(problem.at(self.label(given.line)).help(help));
    }

    /// True or false; None where nothing is given, or neither, which is told.
    fn flag(&mut self, given: &Given, text: &str) -> Option<bool> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" => None,
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                let message = format!("flyway.{} is neither true nor false", given.name);
                let problem = Diagnostic::error(codes::WRONG_VALUE, message);
                self.layer.problems.push(problem.at(self.label(given.line)).help("write true or false"));
                None
            }
        }
    }

    fn no_number(&mut self, given: &Given) {
        let problem = Diagnostic::error(codes::WRONG_VALUE, format!("flyway.{} is no number", given.name));
        self.layer.problems.push(problem.at(self.label(given.line)).help("write a whole number"));
    }

    fn note(&mut self, given: &Given, message: String, help: String) {
        let warning = Diagnostic::warning(codes::FLYWAY_WITHOUT_EFFECT, message);
        self.layer.problems.push(warning.at(self.label(given.line)).help(help));
    }

    /// The address is whole only at the end. `has_address` says that some section of the file has one.
    fn finish(mut self, has_address: bool) -> Layer {
        let Parts { mut beside, beside_line, url, schemas, table, leaves_schemas } = std::mem::take(&mut self.parts);
        let schemas_line = schemas.as_ref().map(|(_, line)| *line);
        if let Some((schemas, line)) = schemas {
            beside.schema = beside.schema.or_else(|| schemas.first().cloned());
            if !schemas.is_empty() && !leaves_schemas {
                self.set("create_schemas", &schemas, line);
            }
        }
        self.layer.default_schema.clone_from(&beside.schema);
        self.table(table, beside.schema.as_deref(), schemas_line.unwrap_or(beside_line));
        let Some((url, line)) = url else {
            if !has_address && (beside.user.is_some() || beside.password.is_some()) {
                let message = "user and password have no effect without flyway.url";
                let warning = Diagnostic::warning(codes::FLYWAY_WITHOUT_EFFECT, message).at(self.label(beside_line));
                self.layer.problems.push(warning.help("write them into the address that you give"));
            }
            return self.layer;
        };
        match translate(&url, &beside) {
            Ok(translated) => {
                if !translated.left_out.is_empty() {
                    let message =
                        format!("parameters of the driver have no effect here: {}", translated.left_out.join(", "));
                    let warning = Diagnostic::warning(codes::FLYWAY_WITHOUT_EFFECT, message).at(self.label(line));
                    let help = "limosa has no Java driver; see docs for the parameters of an address";
                    self.layer.problems.push(warning.help(help));
                }
                self.set("database", &[translated.address], line);
            }
            Err(message) => {
                let problem = Diagnostic::error(codes::FLYWAY_UNSUPPORTED, message).at(self.label(line));
                self.layer.problems.push(problem.help("give another address: --database"));
            }
        }
        self.layer
    }

    /// Flyway's own table, which stands in the default schema.
    fn table(&mut self, table: Option<(String, u64)>, schema: Option<&str>, line: u64) {
        let schema = schema.filter(|schema| !schema.contains("${"));
        let (name, line) = match (table, schema) {
            (Some(table), _) => table,
            (None, Some(_)) => (USUAL_TABLE.to_owned(), line),
            (None, None) => return,
        };
        let written = schema.map_or_else(|| name.clone(), |schema| format!("{schema}.{name}"));
        self.set("tool_table", &[written], line);
    }

    fn origin(&self, line: u64) -> Origin {
        Origin::File { file: self.file.to_owned(), line, environment: self.environment.clone() }
    }

    /// The place without its text, which may hold a secret.
    fn label(&self, line: u64) -> Label {
        Label::place(self.file, Position { line, column: 1 })
    }
}

/// What becomes of a setting; None where it is not known by its name alone.
fn fate_of(given: &Given) -> Option<Fate> {
    KEYS.iter().find(|(name, _)| *name == given.name).map(|(_, fate)| *fate)
}

/// The parts of a list that may be written with commas.
fn list(values: &[String]) -> Vec<String> {
    let parts = values.iter().flat_map(|value| value.split(','));
    parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Variables of the process as Flyway writes them, `${NAME}` and `${env.NAME}`, in our form.
fn references(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        let Some((name, after)) = behind.split_once('}') else { break };
        out.push_str(before);
        let name = name.strip_prefix("env.").unwrap_or(name);
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        out.push_str(&if is_name { format!("${{env:{name}}}") } else { format!("${{{name}}}") });
        rest = after;
    }
    out.push_str(rest);
    out
}
