//! Properties: `--property name:x value:y` in formatted SQL, `property` in changelogs, and `${x}` in what follows them.
//!
//! Liquibase 4.33 and 5, `ChangeLogParameters.java`, `ExpressionExpander.java`: capitals make no difference in names, the first one of a
//! name counts, one of a file alone (`global:false`) counts behind those of all, and there the last. What Liquibase itself gives goes before
//! them. What has no value stays as it stands.

use std::collections::BTreeMap;

use limosa_sql::Engine;

use super::attributes::is_for;
use super::built_in::{self, BuiltIn};
use super::expression;
use super::patterns::{databases, plain, quoted};

/// A property, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) value: String,
    /// For which contexts.
    pub(super) contexts: Option<String>,
    /// For which databases.
    pub(super) dbms: Option<String>,
    /// The file that it counts in, and in what that includes; None for all that follow.
    pub(super) file: Option<String>,
}

impl Property {
    /// Reads a line of formatted SQL; None where it has no name or no value.
    pub(super) fn read(line: &str, path: &str) -> Option<Property> {
        let text = line.trim_start().strip_prefix("--")?.trim_start().get("property".len()..)?;
        let is_global = plain(text, "global").is_none_or(|value| value.eq_ignore_ascii_case("true"));
        let owned = |found: Option<&str>| found.map(str::to_owned);
        Some(Property {
            name: owned(plain(text, "name"))?,
            value: owned(plain(text, "value"))?,
            contexts: owned(quoted(text, "contextFilter").or_else(|| quoted(text, "context"))),
            dbms: owned(databases(text)),
            file: (!is_global).then(|| path.to_owned()),
        })
    }

    /// True where it counts on this engine, with these contexts; where none is chosen, all do, as with liquibase.
    fn counts(&self, engine: Engine, contexts: &[String]) -> bool {
        let chosen: Vec<&str> = contexts.iter().map(String::as_str).collect();
        let holds = |text: &str| chosen.is_empty() || expression::holds(text, &chosen).unwrap_or(false);
        let has_context = self.contexts.as_deref().is_none_or(holds);
        has_context && self.dbms.as_deref().is_none_or(|dbms| is_for(dbms, engine))
    }
}

/// Those that count here, in the order in which Liquibase comes past them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Properties {
    engine: Option<Engine>,
    /// The contexts that are chosen.
    contexts: Vec<String>,
    known: Vec<Property>,
}

impl Properties {
    pub(super) fn new(engine: Engine, contexts: &[&str]) -> Properties {
        let contexts = contexts.iter().map(|name| (*name).to_owned()).collect();
        Properties { engine: Some(engine), contexts, known: Vec::new() }
    }

    /// Comes past one.
    pub(super) fn add(&mut self, property: &Property) {
        if self.engine.is_some_and(|engine| property.counts(engine, &self.contexts)) {
            self.known.push(property.clone());
        }
    }

    /// How many were come past.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Those that a change sees: `files` are its own and those that include it, the nearest first.
    pub(super) fn seen<'p>(
        &'p self,
        files: &'p [String],
        count: usize,
        given: &'p BTreeMap<String, String>,
    ) -> Seen<'p> {
        Seen { engine: self.engine, known: self.known.get(..count).unwrap_or(&self.known), files, given }
    }
}

/// What a change sees: what the settings of limosa give, and properties.
#[derive(Clone, Copy)]
pub(super) struct Seen<'p> {
    engine: Option<Engine>,
    known: &'p [Property],
    files: &'p [String],
    given: &'p BTreeMap<String, String>,
}

/// Properties that name each other in a circle end here.
const DEEPEST: usize = 16;

impl Seen<'_> {
    /// True for a name whose value with Liquibase depends on the connection, and that has none here.
    pub(super) fn is_of_connection(&self, name: &str) -> bool {
        let is_given = self.given.keys().any(|known| known.eq_ignore_ascii_case(name));
        !is_given && self.built_in(name) == Some(BuiltIn::OfConnection)
    }

    fn built_in(&self, name: &str) -> Option<BuiltIn> {
        self.engine.and_then(|engine| built_in::value(engine, name))
    }

    /// The value of a name, with those that it names itself.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        self.value_within(name, 0)
    }

    fn value_within(&self, name: &str, depth: usize) -> Option<String> {
        let is_it = |known: &str| known.eq_ignore_ascii_case(name);
        let given = || self.given.iter().find(|(known, _)| is_it(known)).map(|(_, value)| value.as_str());
        let of_all = || self.known.iter().find(|one| one.file.is_none() && is_it(&one.name));
        let of =
            |file: &String| self.known.iter().rev().find(|one| one.file.as_ref() == Some(file) && is_it(&one.name));
        let of_file = || self.files.iter().find_map(of);
        let value = match (given(), self.built_in(name)) {
            (Some(value), _) | (None, Some(BuiltIn::Value(value))) => value,
            (None, Some(BuiltIn::OfConnection)) => return None,
            (None, None) => of_all().or_else(of_file)?.value.as_str(),
        };
        Some(self.expanded_within(value, depth + 1))
    }

    /// A text with its values put in, everywhere, in comments, too.
    pub(super) fn expanded(&self, text: &str) -> String {
        self.expanded_within(text, 0)
    }

    fn expanded_within(&self, text: &str, depth: usize) -> String {
        if depth > DEEPEST || !text.contains("${") {
            return text.to_owned();
        }
        let (mut expanded, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(at) = rest.find("${") {
            expanded.push_str(&rest[..at]);
            let (put, behind) = self.one(&rest[at + 2..], depth);
            expanded.push_str(&put);
            rest = behind;
        }
        expanded.push_str(rest);
        expanded
    }

    /// What stands for the text behind `${`, and what follows `}`.
    fn one<'t>(&self, text: &'t str, depth: usize) -> (String, &'t str) {
        let (mut name, mut rest) = (String::new(), text);
        loop {
            let Some(at) = rest.find(['}', '$']) else { return (format!("${{{name}{rest}"), "") };
            name.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(behind) = rest.strip_prefix('}') {
                rest = behind;
                break;
            }
            match rest.strip_prefix("${") {
                Some(inner) => {
                    let (put, behind) = self.one(inner, depth);
                    name.push_str(&put);
                    rest = behind;
                }
                None => {
                    name.push('$');
                    rest = &rest[1..];
                }
            }
        }
        if name.starts_with("${") {
            return (name, rest);
        }
        (self.value_within(name.trim(), depth).unwrap_or_else(|| format!("${{{name}}}")), rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(environment: Option<&str>, lines: &[&str]) -> Properties {
        let mut properties = Properties::new(Engine::Postgres, environment.as_slice());
        lines.iter().for_each(|line| properties.add(&Property::read(line, "a.sql").unwrap()));
        properties
    }

    #[test]
    fn the_first_value_that_counts_here_is_put_in() {
        let lines = [
            "--property name:t value:one dbms:oracle",
            "-- Property name:t value:two context:prod",
            "--property name:t value:three global:false",
            "--property name:T value:four dbms:postgresql",
            "--property name:u value:a_${t}",
            "--property name:l value:first global:false",
            "--property name:l value:last global:false",
            "--property name:loop value:${loop}",
        ];
        let given = BTreeMap::from([("given".to_owned(), "${u}".to_owned())]);
        for (environment, count, text, expected) in [
            (Some("prod"), 9, "${t}", "two"),
            (None, 9, "${t}", "two"),
            (Some("test"), 9, "${t}", "four"),
            (Some("test"), 1, "${t}", "three"),
            (Some("test"), 0, "${t}", "${t}"),
            (Some("test"), 9, "${ t } ${TT} ${u}", "four ${TT} a_four"),
            (Some("test"), 9, "$t ${ ${t ${", "$t ${ ${t ${"),
            (Some("test"), 9, "${x${t}}", "${xfour}"),
            (Some("test"), 9, "${:t} ${", "${:t} ${"),
            (Some("test"), 9, "${l} ${given}", "last a_four"),
            (Some("test"), 9, "-- ${t}$${t}}", "-- four$four}"),
            (Some("test"), 9, "no", "no"),
        ] {
            let properties = properties(environment, &lines);
            assert_eq!(
                properties.seen(&["a.sql".to_owned()], count, &given).expanded(text),
                expected,
                "{text} {count}"
            );
        }
        let other = properties(Some("test"), &lines);
        let files = ["b.sql".to_owned()];
        assert_eq!(other.seen(&files, 9, &given).expanded("${l} ${t}"), "${l} four");
        assert!(other.seen(&files, 9, &given).value("loop").is_some(), "a circle ends");
        let included = ["b.sql".to_owned(), "a.sql".to_owned()];
        assert_eq!(other.seen(&included, 9, &given).expanded("${l} ${database.typeName}"), "last postgresql");
        assert!(other.seen(&files, 9, &given).is_of_connection("database.defaultSchemaName"));
    }

    #[test]
    fn lines_have_names_and_values() {
        for (line, expected) in [
            ("--property name:a value:b", Some(("a", "b"))),
            ("  -- PROPERTY value:b name:a labels:x", Some(("a", "b"))),
            ("--property name: a value: b", Some(("a", "b"))),
            ("--property name:a value:\"b c\"", Some(("a", "\"b"))),
            ("--property name:a", None),
            ("--property", None),
        ] {
            let read = Property::read(line, "a.sql");
            assert_eq!(read.as_ref().map(|it| (it.name.as_str(), it.value.as_str())), expected, "{line}");
        }
    }
}
