//! `limosa.toml`: keys at the top, the tables that group keys, `[placeholders]`, and `[environments.NAME]`.
//!
//! A label never shows a value that may be a secret, and never what stands behind the marked place.

use std::ops::Range;
use std::path::Path;

use limosa_db::Secret;
use limosa_sql::{Diagnostic, Label, Position};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::codes;
use super::keys::{self, Key, Kind, Place};
use super::layer::{Entry, Layer, LayerKind, PLACEHOLDER_NAMES, is_placeholder_name};
use super::origin::Origin;
use super::value::{Raw, Typed, Value, parse};

/// The table of the environments.
const ENVIRONMENTS: &str = "environments";

/// How many mistakes of TOML itself are told; those that follow are often only echoes.
const MOST_SYNTAX_ERRORS: usize = 5;

/// A marked line longer than this is not shown.
const LONGEST_LINE: usize = 300;

impl Layer {
    /// The layers of a configuration file: the top first, then one for each environment, by name. `file` is its name for
    /// messages; relative paths in it begin at `base`, which is empty for the current folder.
    ///
    /// Everything that is wrong stands in the problems of the layers, with line and column.
    pub fn of_file(file: &str, text: &str, base: &Path) -> Vec<Layer> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut reader = Reader { file, text, base, hidden: Vec::new(), layer: Layer::new(LayerKind::FileTop) };
        if !errors.is_empty() {
            let problems = errors.iter().take(MOST_SYNTAX_ERRORS).map(|error| reader.syntax_error(error));
            reader.layer.problems = problems.collect();
            return vec![reader.layer];
        }
        let table = table.get_ref();
        reader.hide(table, &mut Vec::new());
        reader.table(table, Scope { environment: None, group: "" });
        let environments = table.iter().find(|(name, _)| name.get_ref() == ENVIRONMENTS).map(|(_, value)| value);
        let mut layers = Vec::new();
        if let Some(value) = environments {
            layers = reader.environments(value);
        }
        layers.insert(0, reader.layer);
        layers
    }
}

/// Where in the file the reader is.
#[derive(Clone, Copy)]
struct Scope<'a> {
    /// The section `[environments.NAME]`.
    environment: Option<&'a str>,
    /// The table that groups keys; empty outside of one.
    group: &'a str,
}

impl Scope<'_> {
    fn full_name(&self, name: &str) -> String {
        if self.group.is_empty() { name.to_owned() } else { format!("{}.{name}", self.group) }
    }
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    base: &'a Path,
    /// Bytes of values that may be secrets, in no order.
    hidden: Vec<Range<usize>>,
    /// The layer that is being read.
    layer: Layer,
}

impl Reader<'_> {
    fn environments(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<Layer> {
        let Some(table) = value.get_ref().as_table() else {
            let message = format!("`{ENVIRONMENTS}` must be a table of environments");
            self.wrong(message, &value.span(), "write [environments.NAME] and below it the keys of that environment");
            return Vec::new();
        };
        let mut layers = Vec::new();
        for (name, section) in table {
            let name: &str = name.get_ref();
            let Some(keys) = section.get_ref().as_table() else {
                let message = format!("`{ENVIRONMENTS}.{name}` must be a table of keys");
                self.wrong(
                    message,
                    &section.span(),
                    "write [environments.NAME] and below it the keys of that environment",
                );
                continue;
            };
            let top = std::mem::replace(&mut self.layer, Layer::new(LayerKind::FileEnvironment(name.to_owned())));
            self.table(keys, Scope { environment: Some(name), group: "" });
            layers.push(std::mem::replace(&mut self.layer, top));
        }
        layers
    }

    fn table(&mut self, table: &DeTable<'_>, scope: Scope<'_>) {
        for (name, value) in table {
            let full = scope.full_name(name.get_ref());
            if full == ENVIRONMENTS && scope.environment.is_none() {
                continue;
            }
            match keys::find(&full) {
                Some(key) if key.kind == Kind::Map => self.placeholders(value, scope, ""),
                Some(key) => self.value(key, value, name.span(), scope),
                None if scope.group.is_empty() && keys::is_group(&full) => match value.get_ref().as_table() {
                    Some(inner) => self.table(inner, Scope { group: &full, ..scope }),
                    None => {
                        let help = format!("write [{full}] and below it its keys");
                        self.wrong(format!("`{full}` must be a table of keys"), &value.span(), &help);
                    }
                },
                None => self.unknown(name.get_ref(), &full, name.span(), scope),
            }
        }
    }

    fn value(&mut self, key: &'static Key, value: &Spanned<DeValue<'_>>, name: Range<usize>, scope: Scope<'_>) {
        let refused = match (key.place, scope.environment) {
            (Place::Outside, _) => {
                let ways: Vec<&str> = key.flag.into_iter().chain(key.variable).collect();
                Some(("the configuration file", format!("give it as {}", ways.join(" or "))))
            }
            (Place::Top, Some(_)) => Some(("an environment", "write it at the top of the file".to_owned())),
            _ => None,
        };
        if let Some((place, help)) = refused {
            let message = format!("`{}` cannot stand in {place}", key.name);
            let label = self.label(&name);
            self.layer.problems.push(Diagnostic::error(codes::KEY_OUT_OF_PLACE, message).at(label).help(help));
            return;
        }
        let list: Option<Vec<String>> = value
            .get_ref()
            .as_array()
            .and_then(|array| array.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect());
        let typed = match (value.get_ref(), &list) {
            (DeValue::Array(_), Some(list)) => Typed::Texts(list),
            (DeValue::Array(_), None) => Typed::Other("a list of other things"),
            (DeValue::String(text), _) => Typed::Text(text),
            (DeValue::Boolean(value), _) => Typed::Boolean(*value),
            (DeValue::Integer(number), _) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Typed::Integer(number),
                Err(_) => Typed::Other("a number that is too large"),
            },
            (DeValue::Float(_), _) => Typed::Other("a fraction"),
            (DeValue::Datetime(_), _) => Typed::Other("a date"),
            (DeValue::Table(_), _) => Typed::Other("a table"),
        };
        match parse(key, &Raw::Typed(typed)) {
            Ok(parsed) => {
                let (origin, label) = (self.origin(value.span().start, scope), self.label(&value.span()));
                self.layer.insert(key, parsed, origin, self.base, Some(label));
            }
            Err(wrong) => self.wrong(format!("`{}` {}", key.name, wrong.message), &value.span(), &wrong.help),
        }
    }

    /// The table of placeholders; tables inside it are names with dots.
    fn placeholders(&mut self, value: &Spanned<DeValue<'_>>, scope: Scope<'_>, prefix: &str) {
        let Some(table) = value.get_ref().as_table() else {
            let help = "write [placeholders] and below it name = \"value\"";
            self.wrong("`placeholders` must be a table of names and values".to_owned(), &value.span(), help);
            return;
        };
        for (name, value) in table {
            let full = format!("{prefix}{}", name.get_ref());
            if !is_placeholder_name(&full) {
                let label = self.label(&name.span());
                let message = "a placeholder has a name that is none";
                let problem = Diagnostic::error(codes::WRONG_PLACEHOLDER, message).at(label);
                self.layer.problems.push(problem.help(PLACEHOLDER_NAMES));
                continue;
            }
            let text = match value.get_ref() {
                DeValue::String(text) => text.to_string(),
                DeValue::Integer(number) => number.to_string(),
                DeValue::Float(number) => number.as_str().to_owned(),
                DeValue::Boolean(value) => value.to_string(),
                DeValue::Datetime(date) => date.to_string(),
                DeValue::Table(_) => {
                    self.placeholders(value, scope, &format!("{full}."));
                    continue;
                }
                DeValue::Array(_) => {
                    let message = format!("the placeholder `{full}` must be a text, not a list");
                    self.wrong(message, &value.span(), &format!("write {full} = \"...\""));
                    continue;
                }
            };
            let entry = Entry {
                value: Value::Text(Secret::new(text)),
                origin: self.origin(value.span().start, scope),
                base: self.base.to_owned(),
                label: Some(self.label(&value.span())),
            };
            self.layer.placeholders.insert(full, entry);
        }
    }

    fn unknown(&mut self, name: &str, full: &str, span: Range<usize>, scope: Scope<'_>) {
        let label = self.label(&span);
        let problem = Diagnostic::error(codes::UNKNOWN_KEY, format!("limosa knows no key `{full}`"));
        self.layer.problems.push(problem.at(label).help(suggestion(name, scope)));
    }

    fn wrong(&mut self, message: String, span: &Range<usize>, help: &str) {
        let label = self.label(span);
        self.layer.problems.push(Diagnostic::error(codes::WRONG_VALUE, message).at(label).help(help));
    }

    fn origin(&self, offset: usize, scope: Scope<'_>) -> Origin {
        let line = self.position(offset).line;
        Origin::File { file: self.file.to_owned(), line, environment: scope.environment.map(str::to_owned) }
    }

    fn position(&self, offset: usize) -> Position {
        Position::START.after(self.text.get(..offset).unwrap_or(self.text))
    }

    /// Notes where values stand that may be secrets: all but those of known keys that are none.
    fn hide<'t>(&mut self, table: &'t DeTable<'_>, path: &mut Vec<&'t str>) {
        for (name, value) in table {
            path.push(name.get_ref());
            let inside = if path[0] == ENVIRONMENTS { path.get(2..).unwrap_or_default() } else { &path[..] };
            let open = keys::find(&inside.join(".")).is_some_and(|key| !key.is_secret() && key.kind != Kind::Map);
            match value.get_ref() {
                DeValue::Table(inner) => self.hide(inner, path),
                _ if open => {}
                _ => self.hidden.push(value.span()),
            }
            path.pop();
        }
    }

    /// Marks a place. The line is shown up to the end of the mark, and not at all where something hidden stands before.
    fn label(&self, span: &Range<usize>) -> Label {
        let position = self.position(span.start);
        let label = Label::place(self.file, position);
        let start = self.text[..span.start].rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let start = start + if self.text[start..].starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let touches = |range: &Range<usize>| {
            self.hidden.iter().any(|hidden| hidden.start < range.end && range.start < hidden.end)
        };
        if touches(&(start..span.start)) || span.start - start > LONGEST_LINE {
            return label;
        }
        let before = &self.text[start..span.start];
        if touches(span) {
            return label.line(format!("{before}***")).length(3);
        }
        let marked = self.text[span.clone()].split(['\n', '\r']).next().unwrap_or_default();
        // A list over several lines may hold comments, and a comment may hold anything.
        let marked = if marked.len() < span.len() { marked.get(..1).unwrap_or_default() } else { marked };
        if marked.len() > LONGEST_LINE {
            return label;
        }
        label.line(format!("{before}{marked}")).length(marked.chars().count() as u64)
    }

    /// A mistake of TOML itself. Nobody knows what the text behind it means, so only a known key before it is shown.
    fn syntax_error(&self, error: &toml::de::Error) -> Diagnostic {
        let problem =
            Diagnostic::error(codes::NOT_TOML, format!("the configuration file is not TOML: {}", error.message()));
        let problem = problem.help("see https://toml.io for the format; texts stand in quotes");
        let Some(span) = error.span() else { return problem.at(Label::file(self.file)) };
        let offset =
            (0..=span.start.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0);
        let label = Label::place(self.file, self.position(offset));
        let start = self.text[..offset].rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let line = self.text[start..].lines().next().unwrap_or_default();
        let Some((name, _)) = line.split_once('=') else { return problem.at(label) };
        let shown = keys::find(name.trim()).is_some().then(|| &line[..=name.len()]);
        problem.at(match shown {
            Some(shown) if offset - start <= shown.len() => label.line(shown),
            _ => label,
        })
    }
}

/// What to say about a key that is none.
fn suggestion(name: &str, scope: Scope<'_>) -> String {
    if !scope.group.is_empty() {
        let prefix = format!("{}.", scope.group);
        let members: Vec<&str> = keys::KEYS.iter().filter_map(|key| key.name.strip_prefix(&prefix)).collect();
        if let Some(near) = keys::nearest_name(name, members.iter().copied()) {
            return format!("did you mean `{near}`?");
        }
        if keys::find(name).is_some() {
            return format!("`{name}` stands above the first [table] of the file or of the environment");
        }
        return format!("[{}] has the keys {}", scope.group, members.join(", "));
    }
    let table = keys::nearest_name(name, [ENVIRONMENTS, "environment", "ledger", "audit", "placeholders"]);
    if let Some(table) = table.filter(|table| *table != "environment") {
        return format!("did you mean [{table}]?");
    }
    match keys::nearest(name) {
        Some(key) if key.place == Place::Outside => {
            let ways: Vec<&str> = key.flag.into_iter().chain(key.variable).collect();
            format!("give it as {}", ways.join(" or "))
        }
        Some(key) => match key.name.split_once('.') {
            Some((group, last)) => format!("did you mean `{last}` in the table [{group}]?"),
            None => format!("did you mean `{}`?", key.name),
        },
        None => "`limosa config explain` lists all keys".to_owned(),
    }
}
