//! Changes of a changelog in XML, YAML or JSON, written as formatted SQL: from there on they are changes like any other. Those that hold
//! more than SQL (`sql`, `sqlFile`) have their place and nothing that could be run.
//!
//! Liquibase 4.33: such a change may hold several of them, each for some databases only; comments in them stay unless `stripComments` is `true`.

use limosa_core::Markers;
use limosa_sql::Engine;

use super::attributes::is_for;
use super::conditions::Field;

/// What a change may say besides that counts as it does in formatted SQL.
const TAKEN_OVER: [&str; 12] = [
    "context",
    "contextFilter",
    "labels",
    "dbms",
    "runOnChange",
    "runAlways",
    "runInTransaction",
    "failOnError",
    "logicalFilePath",
    "ignore",
    "runWith",
    "runWithSpoolFile",
];

/// What decides whether a change counts here, and what it is called.
const DECIDES: [&str; 6] = ["context", "contextFilter", "labels", "dbms", "logicalFilePath", "ignore"];

/// What counts for nothing here, or is read elsewhere.
const PASSED_OVER: [&str; 9] = [
    "id",
    "author",
    "created",
    "objectQuotingStrategy",
    "validCheckSum",
    "comment",
    "rollback",
    "changes",
    "onValidationFail",
];

/// What a `sql` or `sqlFile` may say.
const OF_SQL: [&str; 9] = [
    "sql",
    "path",
    "relativeToChangelogFile",
    "dbms",
    "splitStatements",
    "stripComments",
    "endDelimiter",
    "comment",
    "encoding",
];

/// Finds the text of a file by its path, relative to the changelog or not.
pub(super) type FindText<'f> = dyn Fn(&str, bool) -> Option<String> + 'f;

/// The SQL of several `sql` and `sqlFile`, with what they agree on.
#[derive(Default)]
struct Sql {
    text: String,
    delimiters: Vec<Option<String>>,
    strips: Vec<bool>,
    splits: Vec<bool>,
}

/// A change as formatted SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Modelled {
    pub(super) text: String,
    /// Where it stands in its changelog, from 1.
    pub(super) line: u64,
    /// The tag that it puts upon the database.
    pub(super) tag: Option<String>,
    /// Why it cannot be run, where it cannot: its text is its line alone.
    pub(super) why_not: Option<String>,
}

impl Modelled {
    /// Reads a change of a changelog.
    ///
    /// # Errors
    /// Its name cannot be written as formatted SQL.
    pub(super) fn read(
        change: &Field,
        (author, id): (&str, &str),
        engine: Engine,
        find: &FindText<'_>,
    ) -> Result<Modelled, String> {
        let (text, why_not) = match formatted(change, engine, find) {
            Ok(text) => (text, None),
            Err(why) => {
                let mut text = format!("--liquibase formatted sql\n{}", called(author, id)?);
                for name in DECIDES {
                    if let Some(value) = change.get(name) {
                        text.push_str(&format!(" {name}:{}", quoted(Some(value))?));
                    }
                }
                (text + "\n", Some(why))
            }
        };
        let tag = change.find("tagDatabase").and_then(|it| it.get("tag")).map(str::to_owned);
        Ok(Modelled { text, line: change.line, tag, why_not })
    }
}

/// The change as formatted SQL.
///
/// # Errors
/// Why it cannot be: what it holds that is not known here.
fn formatted(change: &Field, engine: Engine, find: &FindText<'_>) -> Result<String, String> {
    let changes = change.below.iter().find(|field| field.name == "changes").map_or(&change.below, |list| &list.below);
    let is_own = |field: &&Field| !TAKEN_OVER.iter().chain(&PASSED_OVER).any(|known| *known == field.name);
    let holders = || change.below.iter().filter(is_own);
    let is_listed = !std::ptr::eq(changes, &change.below);
    if let Some(other) = holders().find(|field| is_listed || !(is_sql(field) || does_nothing(field))) {
        return Err(format!("it has {}", other.name));
    }
    let sql = sql(changes.iter().filter(|field| is_listed || is_own(field)), engine, find)?;
    let mut line = called(change.get("author").unwrap_or_default(), change.get("id").unwrap_or_default())?;
    for name in TAKEN_OVER {
        if let Some(value) = change.get(name) {
            line.push_str(&format!(" {name}:{}", quoted(Some(value))?));
        }
    }
    let delimiter = sql.delimiters.first().cloned().flatten();
    if sql.delimiters.iter().any(|one| *one != delimiter) {
        return Err("what it holds has different values of endDelimiter".to_owned());
    }
    for (name, all) in [("stripComments", &sql.strips), ("splitStatements", &sql.splits)] {
        let said = all.first().copied().unwrap_or(true);
        let is_mixed = all.iter().any(|one| *one != said);
        // Where statements end is known without it, but for a delimiter.
        if is_mixed && (name != "splitStatements" || delimiter.is_some()) {
            return Err(format!("what it holds has different values of {name}"));
        }
        if !said && !is_mixed {
            line.push_str(&format!(" {name}:false"));
        }
    }
    if let Some(delimiter) = &delimiter {
        line.push_str(&format!(" endDelimiter:{}", quoted(Some(delimiter))?));
    }
    let comment = change
        .get("comment")
        .map(|text| format!("--comment: {}\n", text.split_whitespace().collect::<Vec<_>>().join(" ")));
    let back = way_back(change, engine, find).unwrap_or_default();
    Ok(format!("--liquibase formatted sql\n{line}\n{}{}{back}", comment.unwrap_or_default(), sql.text))
}

/// The files that a change names, relative to the changelog or not.
pub(super) fn files(change: &Field) -> Vec<(String, bool)> {
    let mut found: Vec<(String, bool)> = change.below.iter().flat_map(files).collect();
    if change.name == "sqlFile"
        && let Some(path) = change.get("path")
    {
        let is_relative = change.get("relativeToChangelogFile").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        found.push((path.to_owned(), is_relative));
    }
    found
}

/// What changes nothing in the database: the tag stands in the row of the change.
fn does_nothing(field: &Field) -> bool {
    matches!(field.name.as_str(), "tagDatabase" | "empty" | "output")
}

fn is_sql(field: &Field) -> bool {
    matches!(field.name.as_str(), "sql" | "sqlFile")
}

fn sql<'f>(changes: impl Iterator<Item = &'f Field>, engine: Engine, find: &FindText<'_>) -> Result<Sql, String> {
    let mut all = Sql::default();
    for one in changes.filter(|one| !does_nothing(one)) {
        if !is_sql(one) {
            return Err(format!("it has {}", one.name));
        }
        if let Some(other) = one.below.iter().find(|field| !OF_SQL.contains(&field.name.as_str())) {
            return Err(format!("it has {} of {}", other.name, one.name));
        }
        if one
            .get("encoding")
            .is_some_and(|encoding| !encoding.eq_ignore_ascii_case("utf-8") && !encoding.eq_ignore_ascii_case("utf8"))
        {
            return Err("it has a file that is not UTF-8".to_owned());
        }
        if one.get("dbms").is_some_and(|dbms| !is_for(dbms, engine)) {
            continue;
        }
        let is = |name: &str, usual: bool| one.get(name).map_or(usual, |value| value.eq_ignore_ascii_case("true"));
        let text = match one.name.as_str() {
            "sqlFile" => {
                let path = one.get("path").ok_or_else(|| "it has a sqlFile without a path".to_owned())?;
                let text = find(path, is("relativeToChangelogFile", false));
                text.ok_or_else(|| format!("there is no {path} among the .sql files here"))?
            }
            _ => {
                let own = one.text.as_deref().filter(|text| !text.trim().is_empty());
                own.or_else(|| one.get("sql")).unwrap_or_default().to_owned()
            }
        };
        push(&mut all.text, &text);
        all.delimiters.push(one.get("endDelimiter").map(str::to_owned));
        all.strips.push(is("stripComments", false));
        all.splits.push(is("splitStatements", true));
    }
    Ok(all)
}

/// Adds SQL, which ends its last statement. Lines that would be taken for markers are comments to Liquibase here.
fn push(all: &mut String, text: &str) {
    for line in text.trim_start_matches('\u{feff}').trim_end().lines() {
        if Markers::Liquibase.read(line).is_none() {
            all.push_str(line);
        }
        all.push('\n');
    }
    if !text.trim_end().ends_with(';') {
        all.push_str(";\n");
    }
}

/// What leads back, as formatted SQL has it. None where nothing is said, or something that is not known here: there is no way back then.
fn way_back(change: &Field, engine: Engine, find: &FindText<'_>) -> Option<String> {
    let all: Vec<&Field> = change.below.iter().filter(|field| field.name == "rollback").collect();
    if all.is_empty() {
        return None;
    }
    let mut text = String::new();
    for one in all {
        let own = one.text.as_deref().map(str::trim).unwrap_or_default();
        if !own.is_empty() {
            push(&mut text, own);
        }
        let below = sql(one.below.iter(), engine, find).ok()?;
        text.push_str(&below.text);
    }
    if text.trim().is_empty() {
        return Some("--rollback empty\n".to_owned());
    }
    Some(text.lines().map(|line| format!("--rollback {line}\n")).collect())
}

/// The line of a change, up to its attributes.
fn called(author: &str, id: &str) -> Result<String, String> {
    Ok(format!("--changeset {}:{}", quoted(Some(author))?, quoted(Some(id))?))
}

/// A value as the line of a change takes it.
fn quoted(value: Option<&str>) -> Result<String, String> {
    let value = value.unwrap_or_default();
    match value.contains(['"', '\n', '\r']) {
        true => Err(format!("'{value}' holds what no attribute of formatted SQL can")),
        false => Ok(format!("\"{value}\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, text: &str, below: Vec<Field>) -> Field {
        let text = Some(text.to_owned()).filter(|text| !text.is_empty());
        Field { name: name.to_owned(), line: 1, text, below }
    }

    fn change(mut below: Vec<Field>) -> Field {
        below.extend([field("id", "1", Vec::new()), field("author", "ann b", Vec::new())]);
        field("changeSet", "", below)
    }

    #[test]
    fn changes_of_sql_are_written_as_formatted_sql() {
        let plain = |name: &str, text: &str| field(name, text, Vec::new());
        let find = |path: &str, is_relative: bool| (path == "f.sql" && is_relative).then(|| "select 3\n".to_owned());
        let of_file = || field("sqlFile", "", vec![plain("path", "f.sql"), plain("relativeToChangelogFile", "true")]);
        let keeps = |text: &str| field("sql", "", vec![plain("sql", text), plain("stripComments", "true")]);
        for (below, expected) in [
            (
                vec![
                    field("changes", "", vec![plain("sql", "select 1; select 2"), of_file()]),
                    plain("rollback", "select -1;\nselect -2"),
                ],
                Ok(
                    "--changeset \"ann b\":\"1\" stripComments:false\nselect 1; select 2\n;\nselect 3\n;\n--rollback select -1;\n--rollback select -2\n--rollback ;\n",
                ),
            ),
            (
                vec![plain("runOnChange", "true"), plain("comment", "why\n not"), keeps("select 1;\n--rollback no\n")],
                Ok("--changeset \"ann b\":\"1\" runOnChange:\"true\"\n--comment: why not\nselect 1;\n\n;\n"),
            ),
            (
                vec![
                    field("sql", "select 1;", vec![plain("dbms", "mysql")]),
                    field("rollback", "", Vec::new()),
                    keeps("select 2;"),
                ],
                Ok("--changeset \"ann b\":\"1\"\nselect 2;\n--rollback empty\n"),
            ),
            (vec![plain("createTable", "")], Err("it has createTable")),
            (vec![field("changes", "", vec![plain("sql", "a"), plain("addColumn", "")])], Err("it has addColumn")),
            (
                vec![field("changes", "", vec![field("tagDatabase", "", vec![plain("tag", "v1")])])],
                Ok("--changeset \"ann b\":\"1\"\n"),
            ),
            (vec![plain("sql", "a"), plain("preConditions", "")], Err("it has preConditions")),
            (vec![plain("sql", "a"), keeps("b")], Err("what it holds has different values of stripComments")),
            (
                vec![field("sqlFile", "", vec![plain("path", "g.sql")])],
                Err("there is no g.sql among the .sql files here"),
            ),
        ] {
            let change = change(below);
            let found = formatted(&change, Engine::Postgres, &find);
            let expected = expected.map(|text| format!("--liquibase formatted sql\n{text}")).map_err(str::to_owned);
            assert_eq!(found, expected);
            let read = Modelled::read(&change, ("ann b", "1"), Engine::Postgres, &find).unwrap();
            assert_eq!(
                (read.why_not.is_some(), read.tag.as_deref()),
                (expected.is_err(), change.find("tag").and_then(|tag| tag.text.as_deref()))
            );
        }
    }
}
