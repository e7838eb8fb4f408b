//! What stands in `flyway.conf`, `flyway.toml` and the variables of the process, setting by setting.

use std::collections::BTreeMap;

use limosa_sql::{Label, Position};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One setting as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    /// `[environments.NAME]`; None outside of them.
    pub(super) environment: Option<String>,
    /// Its name without `flyway.`; a placeholder's begins with `placeholders.`.
    pub(super) name: String,
    /// One value, or those of a list.
    pub(super) values: Vec<String>,
    /// Where it was given.
    pub(super) place: Place,
}

/// Where a setting was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A line of a file, from 1.
    Line(String, u64),
    /// A variable of the process.
    Variable(String),
}

impl Place {
    /// The place in a file without its text, which may hold a secret.
    pub(super) fn label(&self) -> Option<Label> {
        match self {
            Place::Line(file, line) => Some(Label::place(file, Position { line: *line, column: 1 })),
            Place::Variable(_) => None,
        }
    }

    /// In words, where there is no label: ` (variable X)`.
    pub(super) fn words(&self) -> String {
        match self {
            Place::Line(..) => String::new(),
            Place::Variable(name) => format!(" (variable {name})"),
        }
    }
}

/// Reads `flyway.conf`: properties of Java but for backslashes, which stand for themselves in Flyway (`ConfigUtils`), so that
/// passwords and paths of Windows are written as they are.
pub(super) fn of_conf(file: &str, text: &str) -> Vec<Given> {
    let mut found = Vec::new();
    let mut lines = (1_u64..).zip(text.lines().map(str::trim)).peekable();
    while let Some((line, first)) = lines.next() {
        if first.is_empty() || first.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = first.to_owned();
        while logical.ends_with('\\')
            && let Some((_, next)) = lines.next_if(|(_, next)| goes_on(next))
        {
            logical.pop();
            logical.push_str(next);
        }
        let (name, value) = split_property(&logical);
        let name = name.strip_prefix("flyway.").unwrap_or(name);
        let environment = name.strip_prefix("environments.").and_then(|rest| rest.split_once('.'));
        let (environment, name) = match environment {
            Some((environment, name)) => (Some(environment.to_owned()), name.strip_prefix("flyway.").unwrap_or(name)),
            None => (None, name),
        };
        let place = Place::Line(file.to_owned(), line);
        found.push(Given { environment, name: name.to_owned(), values: vec![value.to_owned()], place });
    }
    found
}

/// Reads the variables of the process by which Flyway takes settings, which go before its files: `FLYWAY_` and a name of `known` in capitals,
/// with `_` before each that it has inside; `FLYWAY_PLACEHOLDERS_X` is the placeholder `x`. Others that begin so are other programs'.
///
/// Flyway documentation, "Environment Variables".
pub(super) fn of_variables(variables: &BTreeMap<String, String>, known: &[&str]) -> Vec<Given> {
    let given = variables.iter().filter_map(|(variable, value)| {
        let rest = variable.strip_prefix("FLYWAY_")?;
        let name = match rest.strip_prefix("PLACEHOLDERS_") {
            Some(name) => format!("placeholders.{}", name.to_ascii_lowercase()),
            None => (*known.iter().find(|name| in_capitals(name) == rest)?).to_owned(),
        };
        let place = Place::Variable(variable.clone());
        Some(Given { environment: None, name, values: vec![value.clone()], place })
    });
    given.filter(|given| !given.values.concat().trim().is_empty()).collect()
}

/// `baselineOnMigrate` as `BASELINE_ON_MIGRATE`.
fn in_capitals(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(if letter == '.' { '_' } else { letter.to_ascii_uppercase() });
    }
    out
}

/// Whether the line before goes on here, where it ends with a backslash; else the backslash is the end of its value.
fn goes_on(line: &str) -> bool {
    let is_setting = line.starts_with("flyway.") && line.contains('=');
    !(line.is_empty() || is_setting)
}

/// Key and value: apart at the first `=`, `:` or blank.
fn split_property(line: &str) -> (&str, &str) {
    let Some(end) = line.find(|letter: char| matches!(letter, '=' | ':') || letter.is_whitespace()) else {
        return (line, "");
    };
    let rest = line[end..].trim_start();
    (&line[..end], rest.strip_prefix(['=', ':']).unwrap_or(rest).trim())
}

/// Reads `flyway.toml`: `[flyway]`, `[environments.NAME]`, and below an environment again `flyway`.
///
/// # Errors
/// What is no TOML, with its byte offset where that is known.
pub(super) fn of_toml(file: &str, text: &str) -> Result<Vec<Given>, (String, Option<usize>)> {
    let table =
        DeTable::parse(text).map_err(|error| (error.message().to_owned(), error.span().map(|span| span.start)))?;
    let mut reader = Reader { file, text, found: Vec::new() };
    for (name, value) in table.get_ref() {
        match (name.get_ref().as_ref(), value.get_ref()) {
            ("flyway", DeValue::Table(table)) => reader.table(table, None, ""),
            ("environments", DeValue::Table(environments)) => {
                for (name, value) in environments {
                    if let DeValue::Table(table) = value.get_ref() {
                        reader.table(table, Some(name.get_ref()), "");
                    }
                }
            }
            // Who wrote the file and when are no settings.
            ("id" | "name" | "databaseType", _) => {}
            (other, _) => reader.value(other, value, None),
        }
    }
    Ok(reader.found)
}

struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    found: Vec<Given>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, environment: Option<&str>, prefix: &str) {
        for (name, value) in table {
            let name: &str = name.get_ref();
            match value.get_ref() {
                DeValue::Table(inner) if name == "flyway" && prefix.is_empty() => self.table(inner, environment, ""),
                DeValue::Table(inner) => self.table(inner, environment, &format!("{prefix}{name}.")),
                _ => self.value(&format!("{prefix}{name}"), value, environment),
            }
        }
    }

    fn value(&mut self, name: &str, value: &Spanned<DeValue<'_>>, environment: Option<&str>) {
        let text = |value: &DeValue<'_>| match value {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.as_str().to_owned(),
            DeValue::Boolean(value) => value.to_string(),
            DeValue::Datetime(date) => date.to_string(),
            DeValue::Array(_) | DeValue::Table(_) => String::new(),
        };
        let values = match value.get_ref() {
            DeValue::Array(list) => list.iter().map(|item| text(item.get_ref())).collect(),
            one => vec![text(one)],
        };
        let before = self.text.get(..value.span().start).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() as u64 + 1;
        let environment = environment.map(str::to_owned);
        let place = Place::Line(self.file.to_owned(), line);
        self.found.push(Given { environment, name: name.to_owned(), values, place });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(given: &[Given]) -> Vec<String> {
        let one = |given: &Given| {
            let place = given.environment.as_deref().map(|name| format!("[{name}] ")).unwrap_or_default();
            let at = match &given.place {
                Place::Line(_, line) => line.to_string(),
                Place::Variable(name) => name.clone(),
            };
            format!("{at}: {place}{} = {}", given.name, given.values.join(" | "))
        };
        given.iter().map(one).collect()
    }

    #[test]
    fn properties() {
        let text = "# why\n\nflyway.url=jdbc:sqlite:a.db\n  flyway.locations = filesystem:a,\\\n     filesystem:b\n\
            flyway.placeholders.a:b:c\nflyway.user app\nflyway.environments.prod.url=x\nflyway.password=\n! no\n\
            flyway.password=pa\\ss\\\nflyway.locations=filesystem:C:\\tmp\\\n\n";
        let expected = [
            "3: url = jdbc:sqlite:a.db",
            "4: locations = filesystem:a,filesystem:b",
            "6: placeholders.a = b:c",
            "7: user = app",
            "8: [prod] url = x",
            "9: password = ",
            "11: password = pa\\ss\\",
            "12: locations = filesystem:C:\\tmp\\",
        ];
        assert_eq!(shown(&of_conf("f", text)), expected);
    }

    #[test]
    fn tables() {
        let text = "name = \"x\"\n[flyway]\nlocations = [\"filesystem:a\", \"b\"]\noutOfOrder = true\n[flyway.placeholders]\n\
            a = \"1\"\n[environments.prod]\nurl = \"u\"\n[environments.prod.flyway.placeholders]\na = \"2\"\n";
        let expected = [
            "3: locations = filesystem:a | b",
            "4: outOfOrder = true",
            "6: placeholders.a = 1",
            "8: [prod] url = u",
            "10: [prod] placeholders.a = 2",
        ];
        let mut found = shown(&of_toml("f", text).unwrap());
        let number = |line: &String| line.split(':').next().and_then(|number| number.parse::<u64>().ok());
        found.sort_by_key(number);
        assert_eq!(found, expected);
        assert!(of_toml("f", "[flyway").is_err());
    }

    #[test]
    fn variables() {
        let variables = [
            ("FLYWAY_URL", "u"),
            ("FLYWAY_BASELINE_ON_MIGRATE", "true"),
            ("FLYWAY_PLACEHOLDERS_APP_USER", "me"),
            ("FLYWAY_SCHEMAS", " "),
            ("FLYWAY_EDITION", "teams"),
            ("FLYWAY_HOME", "/opt/flyway"),
            ("OTHER_URL", "x"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let expected = [
            "FLYWAY_BASELINE_ON_MIGRATE: baselineOnMigrate = true",
            "FLYWAY_PLACEHOLDERS_APP_USER: placeholders.app_user = me",
            "FLYWAY_URL: url = u",
        ];
        assert_eq!(shown(&of_variables(&variables, &["url", "baselineOnMigrate", "schemas"])), expected);
    }
}
