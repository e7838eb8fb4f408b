//! `flyway.conf` and `flyway.toml`, read as settings of ours.

pub(super) mod address;
mod given;
mod init_sql;
mod keys;
mod locations;
mod references;
pub(super) mod told_file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use limosa_core::ForeignTool;
use limosa_db::Secret;
use limosa_sql::{Diagnostic, Engine, Label, Position};

use self::address::{Beside, translate};
use self::given::{Given, Place};
use self::keys::{Fate, KEYS, NAMESPACES, Part, Turned};
use self::locations::{Within, outermost};
use self::references::{expanded, references};
use super::codes;
use super::keys::{find, nearest_name};
use super::layer::{Entry, Layer, LayerKind, PLACEHOLDER_NAMES, is_placeholder_name};
use super::origin::Origin;
use super::secrets::is_reference;
use super::value::{Raw, Value, parse};

/// The names of Flyway's own configuration files, in the order in which they are looked for.
pub(super) const FILE_NAMES: [&str; 2] = ["flyway.toml", "flyway.conf"];

/// Where Java programs keep what they call `classpath:`.
const RESOURCES: &str = "src/main/resources";

/// The environment that counts in Flyway where none is named.
const DEFAULT_ENVIRONMENT: &str = "default";

/// True for a file that is to be read as Flyway's.
pub(super) fn is_meant(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    FILE_NAMES.contains(&name) || Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("conf"))
}

/// What a person keeps for himself beside `flyway.toml`.
pub(super) fn user_file(path: &Path) -> Option<PathBuf> {
    (path.file_name()? == "flyway.toml").then(|| path.with_file_name("flyway.user.toml"))
}

/// A file of Flyway's with its name in messages and its text.
pub(super) struct FlywayFile<'f> {
    pub(super) shown: &'f str,
    pub(super) text: &'f str,
}

impl FlywayFile<'_> {
    fn is_toml(&self) -> bool {
        Path::new(self.shown).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"))
    }

    fn read(&self) -> Result<Vec<Given>, Diagnostic> {
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(self.text);
        if !self.is_toml() {
            return Ok(given::of_conf(self.shown, text));
        }
        given::of_toml(self.shown, text).map_err(|(message, offset)| {
            let place = offset.and_then(|offset| text.get(..offset)).map(|before| Position::START.after(before));
            let label = place.map_or_else(|| Label::file(self.shown), |position| Label::place(self.shown, position));
            let message = format!("the configuration file is not TOML: {message}");
            Diagnostic::error(codes::NOT_TOML, message).at(label)
        })
    }
}

/// The layers of such a file, as [`Layer::of_file`] gives them. `user` is what a person has beside it for himself, and goes before it;
/// variables of the process go before both.
pub(super) fn layers(
    file: &FlywayFile<'_>,
    user: Option<&FlywayFile<'_>>,
    base: &Path,
    variables: &BTreeMap<String, String>,
) -> Vec<Layer> {
    let mut given = Vec::new();
    for one in std::iter::once(file).chain(user) {
        match one.read() {
            Ok(found) => given.extend(found),
            Err(problem) => {
                let mut layer = Layer::new(LayerKind::FileTop);
                layer.problems.push(problem);
                return vec![layer];
            }
        }
    }
    let is_toml = file.is_toml();
    let has_default = given.iter().any(|one| one.environment.as_deref() == Some(DEFAULT_ENVIRONMENT));
    // Which file is read was decided before.
    let names: Vec<&str> = KEYS.iter().map(|(name, _)| *name).filter(|name| *name != "configFiles").collect();
    for one in given::of_variables(variables, &names) {
        // An address in a variable is that of the environment `default`, not of one that somebody names.
        let is_of_environment = matches!(
            fate_of(&one),
            Some(Fate::Address(Part::Url | Part::User | Part::Password) | Fate::Turned(Turned::Schemas))
        );
        let environment = (is_toml && has_default && is_of_environment).then(|| DEFAULT_ENVIRONMENT.to_owned());
        given.push(Given { environment, ..one });
    }
    let mut sections: BTreeMap<Option<String>, Vec<Given>> = BTreeMap::new();
    sections.entry(None).or_default();
    for one in given {
        sections.entry(one.environment.clone()).or_default().push(one);
    }
    let has_address = sections.values().flatten().any(|one| fate_of(one) == Some(Fate::Address(Part::Url)));
    let is_part = |one: &Given| {
        matches!(
            fate_of(one),
            Some(
                Fate::Address(_)
                    | Fate::Turned(
                        Turned::Schemas
                            | Turned::CreateSchemas
                            | Turned::Table
                            | Turned::InitSql
                            | Turned::BaselineOnMigrate
                            | Turned::BaselineVersion
                    )
            )
        )
    };
    // What stands outside of environments holds in each of them, as far as it does not say otherwise.
    let mut outside = Parts::default();
    sections
        .into_iter()
        .map(|(environment, given)| {
            let kind = environment.clone().map_or(LayerKind::FileTop, LayerKind::FileEnvironment);
            let mut layer = Layer::new(kind);
            layer.counts_by_itself = environment.as_deref() == Some(DEFAULT_ENVIRONMENT);
            let (parts, secret_placeholders) = (outside.clone(), Vec::new());
            let mut section = Section { base, environment, layer, parts, is_toml, variables, secret_placeholders };
            let is_top = section.environment.is_none();
            if is_top {
                section.set("format", &["flyway".to_owned()], &Place::Line(file.shown.to_owned(), 1));
            } else if given.iter().all(|one| !is_part(one)) {
                // It says nothing of the address: that of the layer below holds.
                section.parts = Parts::default();
            }
            given.iter().for_each(|one| section.take(one));
            if is_top {
                outside = section.parts.clone();
            }
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
        let instead = if keys::is_silent(instead) { (*instead).to_owned() } else { format!("instead: {instead}") };
        text.push_str(&format!("| `flyway.{name}` and below | {instead} |\n"));
    }
    text
}

struct Section<'f> {
    base: &'f Path,
    environment: Option<String>,
    layer: Layer,
    parts: Parts,
    is_toml: bool,
    /// Those of the process.
    variables: &'f BTreeMap<String, String>,
    /// Placeholders of whose values a variable is a part, with their places.
    secret_placeholders: Vec<(String, Place)>,
}

/// What only together is an address, and the schemas; each with its place where that is told.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Parts {
    beside: Beside,
    /// The place of the last of them.
    beside_place: Option<Place>,
    url: Option<(String, Place)>,
    schemas: Option<(Vec<String>, Place)>,
    /// Flyway's own table.
    table: Option<(String, Place)>,
    /// What sessions begin with.
    init_sql: Option<(String, Place)>,
    /// Where it is said that databases without a ledger are counted as migrated, up to the version below.
    baseline: Option<Place>,
    baseline_version: Option<String>,
    /// True where schemas that are named are not to be made.
    leaves_schemas: bool,
}

impl Section<'_> {
    fn take(&mut self, written: &Given) {
        let given = &self.filled(written);
        if smuggles(written, given) {
            let message = format!("flyway.{} gets from a variable what looks like a reference", given.name);
            let problem = Diagnostic::error(codes::WRONG_VALUE, message);
            let help = "what a variable holds is taken as it stands, and no reference; references stand in the configuration file";
            self.push(problem.help(help), &given.place);
            return;
        }
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
            Fate::Is(key) => self.set(key, &given.values, &given.place),
            Fate::Address(part) => self.part(part, one, &given.place),
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
                    self.push(problem.help(why), &given.place);
                }
            }
        }
    }

    /// A setting with the variables of the process in their places, as Flyway fills them in when it reads `flyway.conf`. What may be a
    /// secret keeps them as references.
    fn filled(&self, given: &Given) -> Given {
        let keeps = matches!(fate_of(given), Some(Fate::Address(Part::Url | Part::User | Part::Password)))
            || given.name.starts_with("placeholders.");
        let of_file = matches!(given.place, Place::Line(..));
        if self.is_toml || keeps || !of_file {
            return given.clone();
        }
        let values = given.values.iter().map(|value| expanded(value, self.variables)).collect();
        Given { values, ..given.clone() }
    }

    fn part(&mut self, part: Part, text: String, place: &Place) {
        let text = match (part, place) {
            // A secret in a variable is kept as a reference.
            (Part::User | Part::Password, Place::Variable(name)) => format!("${{env:{name}}}"),
            _ => references(&text),
        };
        if text.is_empty() {
            return;
        }
        let parts = &mut self.parts;
        match part {
            Part::Url => {
                parts.url = Some((text, place.clone()));
                return;
            }
            Part::User => parts.beside.user = Some(text),
            Part::Password => parts.beside.password = Some(text),
            Part::DefaultSchema => parts.beside.schema = Some(text),
        }
        parts.beside_place = Some(place.clone());
    }

    fn turned(&mut self, turned: Turned, given: &Given) {
        let one = given.values.join(",");
        let seconds =
            |each: u64| one.trim().parse::<u64>().map(|tries| format!("{}s", tries.saturating_mul(each).min(604_800)));
        match turned {
            Turned::OutOfOrder => {
                let Some(allowed) = self.flag(given, &one) else { return };
                let word = if allowed { "allow" } else { "refuse" };
                self.set("out_of_order", &[word.to_owned()], &given.place);
            }
            Turned::LockRetryCount => match (one.trim(), seconds(1)) {
                // Flyway: for ever.
                ("-1", _) => self.set("lock_wait", &["168h".to_owned()], &given.place),
                (_, Ok(wait)) => self.set("lock_wait", &[wait], &given.place),
                (_, Err(_)) => self.no_number(given),
            },
            Turned::ConnectRetries => match seconds(10) {
                Ok(wait) => self.set("wait_for_database", &[wait], &given.place),
                Err(_) => self.no_number(given),
            },
            Turned::Locations => self.locations(given),
            Turned::Schemas => {
                let names = list(&given.values);
                self.parts.schemas = Some((names, given.place.clone()));
            }
            Turned::Table => {
                let name = one.trim().to_owned();
                self.parts.table = (!name.is_empty()).then_some((name, given.place.clone()));
            }
            Turned::BaselineOnMigrate => {
                if let Some(wanted) = self.flag(given, &one) {
                    self.parts.baseline = wanted.then(|| given.place.clone());
                }
            }
            Turned::BaselineVersion => self.parts.baseline_version = Some(one.trim().to_owned()),
            Turned::InitSql => self.parts.init_sql = (!one.trim().is_empty()).then(|| (one, given.place.clone())),
            Turned::Encoding => {
                let plain: String = one.chars().filter(char::is_ascii_alphanumeric).collect();
                if !matches!(plain.to_ascii_lowercase().as_str(), "" | "utf8" | "usascii" | "ascii") {
                    let message = "flyway.encoding cannot be had here";
                    let problem = Diagnostic::error(codes::FLYWAY_UNSUPPORTED, message);
                    let help = "limosa reads UTF-8; convert the scripts: iconv -f ... -t UTF-8";
                    self.push(problem.help(help), &given.place);
                }
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
                    let problem = Diagnostic::error(codes::FLYWAY_UNSUPPORTED, message);
                    self.push(problem.help("bring the files into a folder, and name it with --dir"), &given.place);
                }
            }
        }
        if let Some(pattern) = folders.iter().find(|folder| folder.contains(['*', '?'])) {
            let message = format!("the location {pattern} holds a pattern");
            let problem = Diagnostic::error(codes::FLYWAY_UNSUPPORTED, message);
            self.push(problem.help("name each folder; folders in folders are read by themselves"), &given.place);
            return;
        }
        let (folders, within) = outermost(folders);
        for Within { location, of } in within {
            let message = format!("the location {location} is left out: {of} is read with all folders in it");
            self.note(given, message, "take it out".to_owned());
        }
        self.set("dir", &folders, &given.place);
    }

    fn placeholder(&mut self, name: &str, given: &Given) {
        if !is_placeholder_name(name) {
            let problem = Diagnostic::error(codes::WRONG_PLACEHOLDER, "a placeholder has a name that is none");
            self.push(problem.help(PLACEHOLDER_NAMES), &given.place);
            return;
        }
        let text = given.values.join(",");
        let whole = references(&text);
        let is_one = whole.starts_with("${env:") && whole.find('}') == Some(whole.len() - 1);
        // Flyway fills variables in where it reads `flyway.conf`, and nowhere else.
        let value = match &given.place {
            Place::Line(..) if !self.is_toml && is_one => whole["${".len()..whole.len() - 1].to_owned(),
            Place::Line(..) if !self.is_toml && whole.contains("${env:") => {
                // What a variable holds may be a secret.
                self.secret_placeholders.push((name.to_ascii_lowercase(), given.place.clone()));
                format!("text:{}", expanded(&text, self.variables))
            }
            _ => format!("text:{text}"),
        };
        let entry = Entry {
            value: Value::Text(Secret::new(value)),
            origin: self.origin(&given.place),
            base: self.base.to_owned(),
            label: given.place.label(),
        };
        // Flyway does not tell them apart by case.
        self.layer.placeholders.insert(name.to_ascii_lowercase(), entry);
    }

    /// Puts a value behind one of our keys.
    fn set(&mut self, name: &str, values: &[String], place: &Place) {
        let Some(key) = find(name) else { return };
        let raw = if let [one] = values { Raw::Text(one) } else { Raw::Repeated(values) };
        match parse(key, &raw) {
            Ok(value) => {
                let origin = self.origin(place);
                self.layer.insert(key, value, origin, self.base, place.label());
            }
            Err(wrong) => {
                let problem = Diagnostic::error(codes::WRONG_VALUE, format!("`{name}` {}", wrong.message));
                self.push(problem.help(wrong.help), place);
            }
        }
    }

    fn unknown(&mut self, given: &Given) {
        let name = &given.name;
        let first = name.split('.').next().unwrap_or(name);
        if let Some((_, instead)) = NAMESPACES.iter().find(|(namespace, _)| *namespace == first) {
            if !keys::is_silent(instead) {
                self.note(given, format!("flyway.{name} has no effect here"), format!("instead: {instead}"));
            }
            return;
        }
        let help = match nearest_name(name, KEYS.iter().map(|(name, _)| *name)) {
            Some(near) => format!("did you mean flyway.{near}?"),
            None => "docs/coming-from/flyway-settings.md lists what is known".to_owned(),
        };
        let problem =
            Diagnostic::error(codes::UNKNOWN_KEY, format!("Flyway has no setting flyway.{name} that limosa knows"));
        self.push(problem.help(help), &given.place);
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
                self.push(problem.help("write true or false"), &given.place);
                None
            }
        }
    }

    fn no_number(&mut self, given: &Given) {
        let problem = Diagnostic::error(codes::WRONG_VALUE, format!("flyway.{} is no number", given.name));
        self.push(problem.help("write a whole number"), &given.place);
    }

    fn note(&mut self, given: &Given, message: String, help: String) {
        let warning = Diagnostic::warning(codes::FLYWAY_WITHOUT_EFFECT, message);
        self.push(warning.help(help), &given.place);
    }

    /// A problem at its place.
    fn push(&mut self, problem: Diagnostic, place: &Place) {
        let mut problem = problem;
        problem.labels.extend(place.label());
        problem.message.push_str(&place.words());
        self.layer.problems.push(problem);
    }

    /// The address is whole only at the end. `has_address` says that some section of the file has one.
    fn finish(mut self, has_address: bool) -> Layer {
        let Parts {
            mut beside,
            beside_place,
            url,
            schemas,
            table,
            init_sql,
            baseline,
            baseline_version,
            leaves_schemas,
        } = std::mem::take(&mut self.parts);
        if let Some(place) = baseline {
            let version = baseline_version.filter(|version| !version.is_empty());
            self.set("flyway.baseline_on_migrate", &[version.unwrap_or_else(|| "1".to_owned())], &place);
        }
        let schemas_place = schemas.as_ref().map(|(_, place)| place.clone());
        let (mut wanted, mut wanted_place) = (Vec::new(), beside_place.clone());
        if let Some((schemas, place)) = schemas {
            beside.schema = beside.schema.or_else(|| schemas.first().cloned());
            (wanted, wanted_place) = (schemas, Some(place));
        }
        // Flyway makes the default schema with the others, and by itself.
        if let Some(name) = &beside.schema
            && !name.contains("${")
            && !wanted.contains(name)
        {
            wanted.push(name.clone());
        }
        if let Some(place) = wanted_place.filter(|_| !wanted.is_empty() && !leaves_schemas) {
            self.set("create_schemas", &wanted, &place);
        }
        if let Some((_, place)) = self.secret_placeholders.first().cloned() {
            let names: Vec<String> = self.secret_placeholders.iter().map(|(name, _)| name.clone()).collect();
            self.set("secret_placeholders", &names, &place);
        }
        self.layer.default_schema.clone_from(&beside.schema);
        if let Some((text, place)) = init_sql {
            let engine = url.as_ref().and_then(|(url, _)| address::engine(url)).unwrap_or(Engine::Postgres);
            self.init_sql(&text, engine, beside.schema.as_deref(), &place);
        }
        self.table(table, beside.schema.as_deref(), schemas_place.as_ref().or(beside_place.as_ref()));
        let Some((url, place)) = url else {
            if let Some(place) = beside_place.filter(|_| beside.user.is_some() || beside.password.is_some())
                && !has_address
            {
                let message = "user and password have no effect without flyway.url";
                let warning = Diagnostic::warning(codes::FLYWAY_WITHOUT_EFFECT, message);
                self.push(warning.help("write them into the address that you give"), &place);
            }
            return self.layer;
        };
        match translate(&url, &beside) {
            Ok(translated) => {
                if !translated.left_out.is_empty() {
                    let message =
                        format!("parameters of the driver have no effect here: {}", translated.left_out.join(", "));
                    let warning = Diagnostic::warning(codes::FLYWAY_WITHOUT_EFFECT, message);
                    let help = "limosa has no Java driver; see docs for the parameters of an address";
                    self.push(warning.help(help), &place);
                }
                self.set("database", &[translated.address], &place);
            }
            Err(message) => {
                let problem = Diagnostic::error(codes::FLYWAY_UNSUPPORTED, message);
                self.push(problem.help("give another address: --database"), &place);
            }
        }
        self.layer
    }

    /// Flyway's own table, which stands in the default schema.
    fn table(&mut self, table: Option<(String, Place)>, schema: Option<&str>, place: Option<&Place>) {
        let schema = schema.filter(|schema| !schema.contains("${"));
        let (name, place) = match (table, schema, place) {
            (Some(table), ..) => table,
            (None, Some(_), Some(place)) => {
                (ForeignTool::Flyway.usual_table().unwrap_or_default().to_owned(), place.clone())
            }
            (None, ..) => return,
        };
        let written = schema.map_or_else(|| name.clone(), |schema| format!("{schema}.{name}"));
        self.set("tool_table", &[written], &place);
    }

    fn origin(&self, place: &Place) -> Origin {
        match place {
            Place::Line(file, line) => {
                Origin::File { file: file.clone(), line: *line, environment: self.environment.clone() }
            }
            Place::Variable(name) => Origin::Variable(name.clone()),
        }
    }
}

/// True where a variable would put a reference into an address: its text may be a stranger's, such as the name of a branch, and must not read
/// files or run programs.
fn smuggles(written: &Given, filled: &Given) -> bool {
    let of_variable = matches!(filled.place, Place::Variable(_)) || written.values != filled.values;
    let is_interpreted =
        matches!(fate_of(filled), Some(Fate::Address(Part::Url | Part::DefaultSchema) | Fate::Turned(Turned::Schemas)));
    let holds_one = |text: &String| text.contains("${") || is_reference(text.trim());
    of_variable && is_interpreted && filled.values.iter().any(holds_one)
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
