//! `preConditions` of a changelog: what must hold before anything of it runs.
//!
//! Liquibase 4.33, `DatabaseChangeLog.java`, `PreconditionContainer.java`, `ValidatingVisitor.java`: those of all changelogs, included
//! ones too, are asked before the first change of each run, whatever is pending. Where one does not hold the run stops, unless it says
//! `WARN`: there is no change that could be left or count as applied.

use limosa_core::{Check, Guard, Identity, Otherwise, Question};
use limosa_sql::{Engine, Position};

use super::attributes::{is_for, is_for_any};
use super::properties::Seen;

/// A part of a changelog, alike for XML, YAML and JSON: an element or an entry with what stands in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) line: u64,
    /// The text, where there is one.
    pub(super) text: Option<String>,
    /// Attributes, elements and entries.
    pub(super) below: Vec<Field>,
}

impl Field {
    /// The text of an attribute or an entry; None where it is missing or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.below.iter().find(|field| field.name == name)?;
        found.text.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }

    /// The first of this name at any depth.
    pub(super) fn find(&self, name: &str) -> Option<&Field> {
        self.below.iter().find_map(|field| if field.name == name { Some(field) } else { field.find(name) })
    }
}

/// One `preConditions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Conditions {
    asked: Vec<Asked>,
    on_no: Otherwise,
    on_error: Otherwise,
    words_on_no: Option<String>,
    words_on_error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    condition: Condition,
    line: u64,
    /// The line as written.
    written: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    /// What is asked of the database.
    Question(Question),
    /// `dbms`.
    Databases(String),
    /// `changeLogPropertyDefined`.
    Property { name: String, value: Option<String> },
    /// `changeSetExecuted`; without a path, that of the changelog counts.
    ChangeSet { path: Option<String>, id: String, author: String },
    /// `and`.
    All(Vec<Condition>),
    /// `or`.
    Any(Vec<Condition>),
    /// `not`.
    None(Vec<Condition>),
}

/// What cannot be read: on which line, and in words.
pub(super) type Wrong = (u64, String);

/// What is known where conditions become questions.
pub(super) struct Around<'a> {
    pub(super) engine: Engine,
    pub(super) seen: &'a Seen<'a>,
    /// How Liquibase calls the changelog.
    pub(super) name: &'a str,
    /// The change that is called `path::id::author`.
    pub(super) find: &'a dyn Fn(&str, &str, &str) -> Result<Identity, String>,
}

/// What stands in `preConditions` and is no precondition.
const OF_ALL: [&str; 6] = ["onFail", "onError", "onFailMessage", "onErrorMessage", "onSqlOutput", "onUpdateSQL"];

impl Conditions {
    /// Reads one `preConditions` of the changelog with this text.
    ///
    /// # Errors
    /// What of it is not known here.
    pub(super) fn read(field: &Field, text: &str) -> Result<Conditions, Wrong> {
        let lines: Vec<&str> = text.lines().collect();
        let written = |line: u64| {
            let at = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
            lines.get(at).copied().unwrap_or_default().trim_end().to_owned()
        };
        let asked = field.below.iter().filter(|below| !OF_ALL.contains(&below.name.as_str()));
        let asked = asked.map(|below| {
            let condition = Condition::read(below)?;
            Ok(Asked { condition, line: below.line, written: written(below.line) })
        });
        let words = |name: &str| field.get(name).map(str::to_owned);
        Ok(Conditions {
            asked: asked.collect::<Result<_, Wrong>>()?,
            on_no: otherwise(field, "onFail")?,
            on_error: otherwise(field, "onError")?,
            words_on_no: words("onFailMessage"),
            words_on_error: words("onErrorMessage"),
        })
    }

    /// What is asked; None where nothing is.
    ///
    /// # Errors
    /// What cannot be asked.
    pub(super) fn guard(&self, around: &Around<'_>) -> Result<Option<Guard>, Wrong> {
        let check = |asked: &Asked| {
            let question = asked.condition.question(around).map_err(|wrong| (asked.line, wrong))?;
            let position = Position { line: asked.line, column: 1 };
            Ok(Check { question, position, line: asked.written.clone() })
        };
        let checks: Vec<Check> = self.asked.iter().map(check).collect::<Result<_, Wrong>>()?;
        Ok((!checks.is_empty()).then(|| Guard {
            checks,
            on_no: self.on_no,
            on_error: self.on_error,
            on_failure: Otherwise::Stop,
            words_on_no: self.words_on_no.clone(),
            words_on_error: self.words_on_error.clone(),
        }))
    }
}

/// What becomes of the run. There is nothing that could be left or counted, so that all but `WARN` stops it.
fn otherwise(field: &Field, name: &str) -> Result<Otherwise, Wrong> {
    match field.get(name).unwrap_or("HALT").to_ascii_uppercase().as_str() {
        "HALT" | "CONTINUE" | "MARK_RAN" => Ok(Otherwise::Stop),
        "WARN" => Ok(Otherwise::Warn),
        other => {
            let line = field.below.iter().find(|below| below.name == name).map_or(field.line, |below| below.line);
            Err((line, format!("{name} of preConditions may be HALT or WARN, and not {other}")))
        }
    }
}

impl Condition {
    fn read(field: &Field) -> Result<Condition, Wrong> {
        let kind = field.name.as_str();
        let needed = |name: &str| {
            let missing = || (field.line, format!("the precondition '{kind}' names no {name}"));
            field.get(name).map(str::to_owned).ok_or_else(missing)
        };
        let optional = |name: &str| field.get(name).map(str::to_owned);
        let known = |names: &[&str]| match field.below.iter().find(|below| !names.contains(&below.name.as_str())) {
            Some(other) => {
                Err((other.line, format!("'{}' of the precondition '{kind}' is not known here", other.name)))
            }
            None => Ok(()),
        };
        let nested = || field.below.iter().map(Condition::read).collect::<Result<Vec<_>, Wrong>>();
        Ok(match kind {
            "and" => Condition::All(nested()?),
            "or" => Condition::Any(nested()?),
            "not" => Condition::None(nested()?),
            "dbms" => known(&["type"]).and_then(|()| needed("type")).map(Condition::Databases)?,
            "runningAs" => {
                known(&["username"])?;
                Condition::Question(Question::User { name: needed("username")? })
            }
            "sqlCheck" => {
                known(&["expectedResult", "sql"])?;
                let text = field.text.as_deref().map(str::trim).filter(|text| !text.is_empty());
                let text = text.or_else(|| field.get("sql"));
                let text = text.ok_or_else(|| (field.line, "this sqlCheck has no query".to_owned()))?;
                let text = text.strip_suffix(';').unwrap_or(text).trim_end().to_owned();
                Condition::Question(Question::Sql { text, expected: needed("expectedResult")? })
            }
            "tableExists" => {
                known(&["tableName", "schemaName"])?;
                let (schema, name) = (optional("schemaName"), needed("tableName")?);
                Condition::Question(Question::Table { schema, name })
            }
            "viewExists" => {
                known(&["viewName", "schemaName"])?;
                let (schema, name) = (optional("schemaName"), needed("viewName")?);
                Condition::Question(Question::View { schema, name })
            }
            "changeSetExecuted" => {
                known(&["id", "author", "changeLogFile"])?;
                let (id, author) = (needed("id")?, needed("author")?);
                Condition::ChangeSet { path: optional("changeLogFile"), id, author }
            }
            "changeLogPropertyDefined" => {
                known(&["property", "value"])?;
                Condition::Property { name: needed("property")?, value: optional("value") }
            }
            other => return Err((field.line, format!("the precondition '{other}' is not known here"))),
        })
    }

    fn question(&self, around: &Around<'_>) -> Result<Question, String> {
        let each = |of: &[Condition]| of.iter().map(|one| one.question(around)).collect::<Result<Vec<_>, String>>();
        let expanded = |text: &str| around.seen.expanded(text);
        Ok(match self {
            Condition::Question(question) => question.clone(),
            Condition::Databases(names) => of_databases(&expanded(names), around.engine),
            Condition::Property { name, value } => {
                let found = around.seen.value(name);
                let holds = found.is_some_and(|found| value.as_deref().is_none_or(|wanted| expanded(wanted) == found));
                let of_value = value.as_deref().map(|value| format!(" with the value '{value}'")).unwrap_or_default();
                Question::Known { words: format!("there is a property {name}{of_value}"), holds }
            }
            Condition::ChangeSet { path, id, author } => {
                let path = path.as_deref().map_or_else(|| around.name.to_owned(), expanded);
                Question::Applied { identity: (around.find)(&path, &expanded(id), &expanded(author))? }
            }
            Condition::All(of) => Question::All { of: each(of)? },
            Condition::Any(of) => Question::Any { of: each(of)? },
            Condition::None(of) => Question::None { of: each(of)? },
        })
    }
}

/// Whether the database is one of these. MySQL and MariaDB are told apart by what the server says of itself.
fn of_databases(names: &str, engine: Engine) -> Question {
    let words = format!("this is a database of {names}");
    if engine != Engine::Mysql {
        return Question::Known { words, holds: is_for(names, engine) };
    }
    match (is_for_any(names, &["mysql"]), is_for_any(names, &["mariadb"])) {
        (mysql, mariadb) if mysql == mariadb => Question::Known { words, holds: mysql },
        (mysql, _) => {
            let text = "select case when lower(version()) like '%mariadb%' then 'mariadb' else 'mysql' end".to_owned();
            Question::Sql { text, expected: if mysql { "mysql" } else { "mariadb" }.to_owned() }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::changelog::{What, read};
    use super::super::properties::{Properties, Property};
    use super::*;

    fn items(path: &str, text: &str) -> Vec<What> {
        read(path, text).unwrap().unwrap().into_iter().map(|item| item.what).collect()
    }

    fn guard(path: &str, text: &str, engine: Engine) -> Result<Option<Guard>, Wrong> {
        let mut properties = Properties::new(engine, &[]);
        let property =
            |name: &str, value: &str| Property { name: name.into(), value: value.into(), ..Property::default() };
        properties.add(&property("x", "1"));
        let (files, given) = (["c.xml".to_owned()], BTreeMap::new());
        let seen = properties.seen(&files, 1, &given);
        let find = |path: &str, id: &str, author: &str| Ok(Identity::new(format!("{path}::{id}::{author}")));
        let around = Around { engine, seen: &seen, name: "c.xml", find: &find };
        match items(path, text).remove(0) {
            What::Conditions(conditions) => conditions.guard(&around),
            other => panic!("{other:?}"),
        }
    }

    const XML: &str = "<databaseChangeLog>\n<preConditions onFail=\"WARN\" onErrorMessage=\"ask Ann\">\n<dbms type=\"postgresql,oracle\"/>\n\
        <or><runningAs username=\"app\"/>\n<not><tableExists tableName=\"t\" schemaName=\"s\"/><viewExists viewName=\"v\"/></not></or>\n\
        <sqlCheck expectedResult=\"${x}\">\n  select 1 &lt; 2; </sqlCheck>\n<changeSetExecuted id=\"1\" author=\"ann\" changeLogFile=\"a.sql\"/>\n\
        <changeSetExecuted id=\"2\" author=\"ann\"/><changeLogPropertyDefined property=\"x\"/>\n\
        <changeLogPropertyDefined property=\"x\" value=\"2\"/></preConditions>\n</databaseChangeLog>";

    const YAML: &str = "databaseChangeLog:\n- preConditions:\n  - onFail: WARN\n  - onErrorMessage: ask Ann\n\
        \x20 - dbms: {type: 'postgresql,oracle'}\n  - or:\n    - runningAs: {username: app}\n    - not:\n\
        \x20     - tableExists: {tableName: t, schemaName: s}\n      - viewExists: {viewName: v}\n\
        \x20 - sqlCheck: {expectedResult: '${x}', sql: select 1 < 2}\n  - changeSetExecuted: {id: 1, author: ann, changeLogFile: a.sql}\n\
        \x20 - changeSetExecuted: {id: 2, author: ann}\n  - changeLogPropertyDefined: {property: x}\n\
        \x20 - changeLogPropertyDefined: {property: x, value: 2}\n";

    #[test]
    fn the_forms_ask_the_same() {
        for (path, text, lines) in
            [("c.xml", XML, [3, 4, 6, 8, 9, 9, 10]), ("c.yaml", YAML, [5, 6, 11, 12, 13, 14, 15])]
        {
            let guard = guard(path, text, Engine::Postgres).unwrap().unwrap();
            let asked: Vec<String> = guard.checks.iter().map(|check| check.question.words()).collect();
            assert_eq!(
                asked,
                [
                    "this is a database of postgresql,oracle",
                    "(the user is app or not (there is a table s.t, not there is a view v))",
                    "select 1 < 2 gives '${x}'",
                    "a.sql::1::ann has run",
                    "c.xml::2::ann has run",
                    "there is a property x",
                    "there is a property x with the value '2'",
                ],
                "{path}"
            );
            let known = |at: usize| matches!(guard.checks[at].question, Question::Known { holds: true, .. });
            assert_eq!((known(0), known(5), known(6)), (true, true, false));
            assert_eq!(guard.checks.iter().map(|check| check.position.line).collect::<Vec<_>>(), lines, "{path}");
            assert_eq!((guard.on_no, guard.on_error), (Otherwise::Warn, Otherwise::Stop));
            assert_eq!((guard.words_on_no, guard.words_on_error.as_deref()), (None, Some("ask Ann")));
        }
    }

    #[test]
    fn mysql_and_mariadb_are_told_apart() {
        for (names, expected) in [
            ("mysql", "gives 'mysql'"),
            ("mariadb,h2", "gives 'mariadb'"),
            ("!mariadb", "gives 'mysql'"),
            ("mysql,mariadb", "of mysql,mariadb"),
            ("postgresql", "of postgresql"),
        ] {
            let text = format!(
                "<databaseChangeLog><preConditions><dbms type=\"{names}\"/></preConditions></databaseChangeLog>"
            );
            let guard = guard("c.xml", &text, Engine::Mysql).unwrap().unwrap();
            assert!(guard.checks[0].question.words().ends_with(expected), "{names}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for (inner, wanted) in [
            ("<indexExists indexName=\"i\"/>", "the precondition 'indexExists' is not known here"),
            ("<or><not><customPrecondition className=\"x\"/></not></or>", "'customPrecondition' is not known"),
            ("<tableExists tableName=\"t\" catalogName=\"c\"/>", "'catalogName' of the precondition 'tableExists'"),
            ("<sqlCheck expectedResult=\"1\"/>", "this sqlCheck has no query"),
            ("<sqlCheck>select 1</sqlCheck>", "names no expectedResult"),
            ("<runningAs/>", "names no username"),
        ] {
            let text = format!("<databaseChangeLog><preConditions>{inner}</preConditions></databaseChangeLog>");
            match items("c.xml", &text).remove(0) {
                What::UnknownCondition(wrong) => assert!(wrong.contains(wanted), "{wrong}"),
                other => panic!("{inner}: {other:?}"),
            }
        }
        let never = "<databaseChangeLog><preConditions onFail=\"NEVER\"/></databaseChangeLog>";
        assert!(matches!(items("c.xml", never).remove(0), What::UnknownCondition(wrong) if wrong.contains("NEVER")));
        let empty = "<databaseChangeLog><preConditions onFail=\"HALT\"/></databaseChangeLog>";
        assert_eq!(guard("c.xml", empty, Engine::Sqlite), Ok(None));
    }
}
