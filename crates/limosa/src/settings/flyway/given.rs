//! What stands in `flyway.conf` and `flyway.toml`, setting by setting.

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
    /// The line, from 1.
    pub(super) line: u64,
}

/// Reads `flyway.conf`: properties, as Java writes them.
pub(super) fn of_conf(text: &str) -> Vec<Given> {
    let mut found = Vec::new();
    let mut lines = (1_u64..).zip(text.lines());
    while let Some((line, first)) = lines.next() {
        let mut logical = first.trim_start().to_owned();
        if logical.is_empty() || logical.starts_with(['#', '!']) {
            continue;
        }
        // A line that ends with an odd number of backslashes goes on with the next one.
        while logical.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1 {
            logical.pop();
            let Some((_, next)) = lines.next() else { break };
            logical.push_str(next.trim_start());
        }
        let (name, value) = split_property(&logical);
        let name = name.strip_prefix("flyway.").map_or(name.clone(), str::to_owned);
        let environment = name.strip_prefix("environments.").and_then(|rest| rest.split_once('.'));
        found.push(match environment {
            Some((environment, name)) => Given {
                environment: Some(environment.to_owned()),
                name: name.strip_prefix("flyway.").unwrap_or(name).to_owned(),
                values: vec![value],
                line,
            },
            None => Given { environment: None, name, values: vec![value], line },
        });
    }
    found
}

/// Key and value: apart at the first `=`, `:` or blank that no backslash stands before.
fn split_property(line: &str) -> (String, String) {
    let mut escaped = false;
    let end = line.char_indices().find(|(_, letter)| {
        let ends = !escaped && (matches!(letter, '=' | ':') || letter.is_whitespace());
        escaped = *letter == '\\' && !escaped;
        ends
    });
    let Some((end, _)) = end else { return (unescaped(line), String::new()) };
    let rest = line[end..].trim_start();
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim();
    (unescaped(line[..end].trim_end()), unescaped(rest))
}

/// `\\`, `\:`, `\=`, `\#`, `\t`, `\n`; any other backslash is dropped, as Java does.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('t') => out.push('\t'),
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            other => out.push(other),
        }
    }
    out
}

/// Reads `flyway.toml`: `[flyway]`, `[environments.NAME]`, and below an environment again `flyway`.
///
/// # Errors
/// What is no TOML, with its byte offset where that is known.
pub(super) fn of_toml(text: &str) -> Result<Vec<Given>, (String, Option<usize>)> {
    let table =
        DeTable::parse(text).map_err(|error| (error.message().to_owned(), error.span().map(|span| span.start)))?;
    let mut reader = Reader { text, found: Vec::new() };
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
        self.found.push(Given { environment, name: name.to_owned(), values, line });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(given: &[Given]) -> Vec<String> {
        let one = |given: &Given| {
            let place = given.environment.as_deref().map(|name| format!("[{name}] ")).unwrap_or_default();
            format!("{}: {place}{} = {}", given.line, given.name, given.values.join(" | "))
        };
        given.iter().map(one).collect()
    }

    #[test]
    fn properties() {
        let text = "# why\n\nflyway.url=jdbc:sqlite:a.db\n  flyway.locations = filesystem:a,\\\n     filesystem:b\n\
            flyway.placeholders.a:b\\:c\nflyway.user app\nflyway.environments.prod.url=x\nflyway.password=\n! no\n";
        let expected = [
            "3: url = jdbc:sqlite:a.db",
            "4: locations = filesystem:a,filesystem:b",
            "6: placeholders.a = b:c",
            "7: user = app",
            "8: [prod] url = x",
            "9: password = ",
        ];
        assert_eq!(shown(&of_conf(text)), expected);
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
        let mut found = shown(&of_toml(text).unwrap());
        let number = |line: &String| line.split(':').next().and_then(|number| number.parse::<u64>().ok());
        found.sort_by_key(number);
        assert_eq!(found, expected);
        assert!(of_toml("[flyway").is_err());
    }
}
