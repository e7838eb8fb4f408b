//! A changelog in XML, YAML or JSON: what it includes, and the changes that it models itself.

use limosa_sql::{Diagnostic, Label, Position};

use super::conditions::{Conditions, Field};
use super::outer::Outer;
use super::properties::Property;
use super::xml;
use crate::codes;
use crate::native::without_ending;
use crate::native::yaml::{self, Node, Value};

/// What stands in a changelog, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) line: u64,
    pub(super) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// What the root of the changelog says.
    Root(Outer),
    /// Another file.
    Include { file: String, is_relative: bool, outer: Outer },
    /// All files of a folder.
    IncludeAll { path: String, is_relative: bool, outer: Outer },
    /// A value for `${name}`.
    Property(Property),
    /// A file of such values; name and value of the property are not set.
    PropertyFile { file: String, is_relative: bool, is_needed: bool, property: Property },
    /// A change, by author and id, with what it holds.
    ChangeSet { author: String, id: String, field: Box<Field> },
    /// What must hold before anything runs.
    Conditions(Box<Conditions>),
    /// A precondition that is not known here, in words.
    UnknownCondition(String),
    /// Something that is not read here.
    Other(String),
}

/// True for a file that may be a changelog, by its name.
pub(super) fn may_be(path: &str) -> bool {
    [".xml", ".yaml", ".yml", ".json"].iter().any(|ending| without_ending(path, ending).is_some())
}

/// Reads a changelog; None where the file is something else.
pub(super) fn read(path: &str, text: &str) -> Result<Option<Vec<Item>>, Box<Diagnostic>> {
    if !text.contains("databaseChangeLog") {
        return Ok(None);
    }
    let is_xml = path.to_ascii_lowercase().ends_with(".xml");
    let read = if is_xml { of_xml(path, text) } else { of_yaml(path, text) };
    read.map_err(|(message, line)| {
        let label = Label::place(path, Position { line, column: 1 });
        let help = "it lists the changes of this folder, and nothing is run without it; mend it, or take it from version control";
        let message = format!("the changelog {path} cannot be read: {message}");
        Box::new(Diagnostic::error(codes::BROKEN_TOOL_FILE, message).at(label).help(help))
    })
}

type Read = Result<Option<Vec<Item>>, (String, u64)>;

fn of_xml(path: &str, text: &str) -> Read {
    let elements = xml::elements(text).map_err(|line| ("an element is not closed".to_owned(), line))?;
    if elements.first().is_none_or(|root| root.name != "databaseChangeLog") {
        return Ok(None);
    }
    let mut items: Vec<Item> = elements
        .first()
        .and_then(|root| of_root(root.line, &|name| root.get(name).map(str::to_owned)))
        .into_iter()
        .collect();
    for (at, element) in elements.iter().enumerate().filter(|(_, element)| element.depth == 1) {
        if element.name == CONDITIONS {
            items.push(conditions(&field_of(&elements[at..]), text));
            continue;
        }
        if element.name == CHANGE {
            items.push(change_set(field_of(&elements[at..])));
            continue;
        }
        let get = |name: &str| element.get(name).map(str::to_owned);
        let names = element.attributes.iter().map(|(name, _)| name.as_str());
        items.push(Item { line: element.line, what: what(path, &element.name, &get, names) });
    }
    Ok(Some(items))
}

/// What stands in the first of these elements, with the elements below it.
fn field_of(elements: &[xml::Element]) -> Field {
    let Some((first, rest)) = elements.split_first() else { return Field::default() };
    let attributes = first.attributes.iter().map(|(name, value)| Field {
        name: name.clone(),
        line: first.line,
        text: Some(value.clone()),
        below: Vec::new(),
    });
    let count = rest.iter().take_while(|element| element.depth > first.depth).count();
    let is_next = |element: &xml::Element| element.depth == first.depth + 1;
    let elements = (0..count).filter(|at| is_next(&rest[*at])).map(|at| field_of(&rest[at..count]));
    Field {
        name: first.name.clone(),
        line: first.line,
        text: Some(first.text.clone()),
        below: attributes.filter(|field| !field.name.contains(':')).chain(elements).collect(),
    }
}

/// What stands in an entry. The entries of a list are those of the entry that holds it.
fn field_of_entry(entry: &yaml::Entry) -> Field {
    let mut field = Field { name: entry.key.clone(), line: entry.position.line, ..Field::default() };
    match &entry.value.value {
        Value::Scalar(text) => field.text = Some(text.clone()),
        Value::Mapping(entries) => field.below = entries.iter().map(field_of_entry).collect(),
        Value::Sequence(nodes) => {
            let mappings = nodes.iter().filter_map(|node| match &node.value {
                Value::Mapping(entries) => Some(entries),
                _ => None,
            });
            field.below = mappings.flatten().map(field_of_entry).collect();
        }
        Value::Null => {}
    }
    field
}

/// The item of `preConditions` in the changelog with this text.
fn conditions(field: &Field, text: &str) -> Item {
    match Conditions::read(field, text) {
        Ok(conditions) => Item { line: field.line, what: What::Conditions(Box::new(conditions)) },
        Err((line, wrong)) => Item { line, what: What::UnknownCondition(wrong) },
    }
}

/// The item of a change.
fn change_set(field: Field) -> Item {
    let text = |name: &str| field.get(name).unwrap_or_default().to_owned();
    let (author, id, line) = (text("author"), text("id"), field.line);
    Item { line, what: What::ChangeSet { author, id, field: Box::new(field) } }
}

/// What Liquibase calls a change.
const CHANGE: &str = "changeSet";

/// What Liquibase calls that.
const CONDITIONS: &str = "preConditions";

fn of_yaml(path: &str, text: &str) -> Read {
    let root = yaml::parse(text.trim_start_matches('\u{feff}'))
        .map_err(|broken| (broken.message, broken.position.map_or(1, |place| place.line)))?;
    let Some(Node { value: Value::Mapping(entries), .. }) = root else { return Ok(None) };
    let Some(list) = entries.iter().find(|entry| entry.key == "databaseChangeLog") else { return Ok(None) };
    let Value::Sequence(nodes) = &list.value.value else {
        return match list.value.value {
            Value::Null => Ok(Some(Vec::new())),
            _ => Err(("databaseChangeLog is no list".to_owned(), list.position.line)),
        };
    };
    let scalar = |name: &str| {
        let fields = nodes.iter().filter_map(|node| match &node.value {
            Value::Mapping(entries) => entries.iter().find(|entry| entry.key == name),
            _ => None,
        });
        fields
            .filter_map(|field| match &field.value.value {
                Value::Scalar(text) => Some(text.clone()),
                _ => None,
            })
            .next()
    };
    let mut items: Vec<Item> = of_root(list.position.line, &scalar).into_iter().collect();
    for node in nodes {
        let Value::Mapping(entries) = &node.value else {
            return Err(("an entry of databaseChangeLog has no name".to_owned(), node.position.line));
        };
        for entry in entries {
            if OF_ROOT.contains(&entry.key.as_str()) && matches!(entry.value.value, Value::Scalar(_)) {
                continue;
            }
            if entry.key == CONDITIONS {
                items.push(conditions(&field_of_entry(entry), text));
                continue;
            }
            if entry.key == CHANGE {
                items.push(change_set(field_of_entry(entry)));
                continue;
            }
            let fields: &[yaml::Entry] = match &entry.value.value {
                Value::Mapping(fields) => fields,
                _ => &[],
            };
            let get = |name: &str| {
                fields.iter().find(|field| field.key == name).and_then(|field| match &field.value.value {
                    Value::Scalar(text) => Some(text.clone()),
                    _ => None,
                })
            };
            let names = fields.iter().map(|field| field.key.as_str());
            items.push(Item { line: entry.position.line, what: what(path, &entry.key, &get, names) });
        }
    }
    Ok(Some(items))
}

/// What the root may say of all that stands in the changelog.
const OF_ROOT: [&str; 4] = ["logicalFilePath", "context", "contextFilter", "objectQuotingStrategy"];

fn of_root(line: u64, get: &dyn Fn(&str) -> Option<String>) -> Option<Item> {
    let outer = Outer { is_root: true, labels: None, ..outer(get) };
    let is_anything = outer.contexts.is_some() || outer.logical_path.is_some();
    is_anything.then_some(Item { line, what: What::Root(outer) })
}

fn outer(get: &dyn Fn(&str) -> Option<String>) -> Outer {
    let filled = |name: &str| get(name).filter(|text| !text.trim().is_empty());
    Outer {
        is_root: false,
        contexts: filled("contextFilter").or_else(|| filled("context")),
        labels: filled("labels"),
        logical_path: filled("logicalFilePath"),
    }
}

/// Fields of includes that change nothing here, or that are read.
const KNOWN: &[&str] = &[
    "file",
    "path",
    "relativeToChangelogFile",
    "errorIfMissing",
    "errorIfMissingOrEmpty",
    "author",
    "created",
    "context",
    "contextFilter",
    "labels",
    "logicalFilePath",
];

/// What an entry of the changelog at `path` says.
fn what<'n>(
    path: &str,
    name: &str,
    get: &dyn Fn(&str) -> Option<String>,
    mut fields: impl Iterator<Item = &'n str>,
) -> What {
    let is_not = |name: &str| get(name).is_some_and(|value| !value.eq_ignore_ascii_case("true"));
    let is_relative = get("relativeToChangelogFile").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let outer = outer(get);
    match name {
        "include" | "includeAll" => {
            if let Some(other) = fields.find(|field| !KNOWN.contains(field)) {
                return What::Other(format!("{other} of {name}"));
            }
            match (name, get("file"), get("path")) {
                ("include", Some(file), _) => What::Include { file, is_relative, outer },
                ("includeAll", _, Some(path)) => What::IncludeAll { path, is_relative, outer },
                _ => What::Other(name.to_owned()),
            }
        }
        "property" => {
            let property = Property {
                contexts: outer.contexts,
                dbms: get("dbms"),
                file: is_not("global").then(|| path.to_owned()),
                ..Property::default()
            };
            match (get("name"), get("value"), get("file")) {
                (.., Some(file)) => {
                    What::PropertyFile { file, is_relative, is_needed: !is_not("errorIfMissing"), property }
                }
                (Some(name), Some(value), None) => What::Property(Property { name, value, ..property }),
                _ => What::Other(name.to_owned()),
            }
        }
        _ => What::Other(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_say_the_same() {
        let xml = "<databaseChangeLog logicalFilePath=\"l\">\n<include file=\"a.sql\" relativeToChangelogFile=\"true\"/>\n<includeAll path=\"sql/\" context=\"a or b\" logicalFilePath=\"i\"/>\n\
                   <changeSet author=\"ann\" id=\"1\"><createTable/></changeSet>\n<property name=\"x\" value=\"y\"/>\n\
                   <include file=\"b.sql\" ignore=\"test\"/>\n</databaseChangeLog>";
        let yaml = "databaseChangeLog:\n- logicalFilePath: l\n- include:\n    file: a.sql\n    relativeToChangelogFile: true\n- includeAll: {path: sql/,\n    contextFilter: a or b, logicalFilePath: i}\n\
                    - changeSet:\n    id: 1\n    author: ann\n    changes: []\n- property: {name: x, value: y}\n\
                    - include: {file: b.sql, ignore: test}\n";
        let json = r#"{"databaseChangeLog": [{"logicalFilePath": "l"}, {"include": {"file": "a.sql", "relativeToChangelogFile": true}},
                    {"includeAll": {"path": "sql/", "context": "a or b", "logicalFilePath": "i"}}, {"changeSet": {"id": "1", "author": "ann", "changes": []}},
                    {"property": {"name": "x", "value": "y"}}, {"include": {"file": "b.sql", "ignore": "test"}}]}"#;
        for (path, text, lines) in [
            ("c.xml", xml, [1, 2, 3, 4, 5, 6]),
            ("c.yaml", yaml, [1, 3, 6, 8, 12, 13]),
            ("c.json", json, [1, 1, 2, 2, 3, 3]),
        ] {
            let items = read(path, text).unwrap().unwrap();
            let expected = [
                What::Root(Outer { is_root: true, logical_path: Some("l".to_owned()), ..Outer::default() }),
                What::Include { file: "a.sql".to_owned(), is_relative: true, outer: Outer::default() },
                What::IncludeAll {
                    path: "sql/".to_owned(),
                    is_relative: false,
                    outer: Outer {
                        contexts: Some("a or b".to_owned()),
                        logical_path: Some("i".to_owned()),
                        ..Outer::default()
                    },
                },
                What::Other("changeSet 1 of ann".to_owned()),
                What::Property(Property { name: "x".to_owned(), value: "y".to_owned(), ..Property::default() }),
                What::Other("ignore of include".to_owned()),
            ];
            // What it holds has lines that differ.
            let plain = |what| match what {
                What::ChangeSet { author, id, .. } => What::Other(format!("changeSet {id} of {author}")),
                other => other,
            };
            let (found, places): (Vec<What>, Vec<u64>) =
                items.into_iter().map(|item| (plain(item.what), item.line)).unzip();
            assert_eq!(found, expected, "{path}");
            assert_eq!(places, lines, "{path}");
        }
        assert_eq!(read("x.json", "{\"a\": 1}"), Ok(None));
        assert_eq!(read("x.yaml", "databaseChangeLog: 1").unwrap_err().code, codes::BROKEN_TOOL_FILE);
        assert!(read("x.xml", "<databaseChangeLog>\n<include").is_err());
    }
}
