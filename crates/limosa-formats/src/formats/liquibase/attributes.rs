//! The line `--changeset author:id attribute:value ...`, and what its attributes ask for here.
//!
//! Liquibase 5, `AbstractFormattedChangeLogParser.java`: capitals make no difference in the names of attributes; values may stand in
//! double quotes.

use limosa_core::TransactionWish;
use limosa_sql::{Diagnostic, EndDelimiter, Engine, Label, Severity};

use super::expression;
use super::patterns::databases;
use super::properties::Seen;
use crate::codes;
use crate::native::Wishes;

/// Who wrote a change, what it is called, and what else stands on its line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Named {
    pub(super) author: String,
    pub(super) id: String,
    attributes: Vec<(String, String)>,
}

/// How often a change runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Often {
    /// Once.
    Once,
    /// Again whenever its text changes (`runOnChange`).
    OnChange,
    /// With each run (`runAlways`).
    Always,
}

/// Which changes somebody has chosen.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Chosen<'c> {
    /// The environment.
    pub(super) environment: Option<&'c str>,
    /// Contexts by settings of Liquibase's; they count where no environment is chosen.
    pub(super) contexts: &'c [String],
    /// Labels by such settings, an expression.
    pub(super) labels: Option<&'c str>,
}

impl<'c> Chosen<'c> {
    /// The contexts.
    pub(super) fn contexts(&self) -> Vec<&'c str> {
        match self.environment {
            Some(name) => vec![name],
            None => self.contexts.iter().map(String::as_str).collect(),
        }
    }

    /// What is chosen, in words.
    fn said(&self) -> String {
        match (self.environment, self.contexts) {
            (Some(name), _) => format!("this is {name}"),
            (None, []) => "no environment is chosen (--env)".to_owned(),
            (None, told) => format!("liquibase's settings choose {}", told.join(", ")),
        }
    }
}

impl Named {
    /// Reads the line; None where it names no author and id.
    pub(super) fn read(line: &str) -> Option<Named> {
        let text = line.trim_start().strip_prefix("--")?.trim_start();
        let text = text.get("changeset".len()..)?.trim();
        let (author, rest) = word(text, ':')?;
        let (id, rest) = word(rest.strip_prefix(':')?.trim_start(), ' ')?;
        if author.is_empty() || id.trim_matches([':', ' ']).is_empty() {
            return None;
        }
        let mut attributes = attributes(rest);
        attributes.retain(|(name, _)| !name.eq_ignore_ascii_case("dbms"));
        attributes.extend(databases(rest).map(|written| ("dbms".to_owned(), written.to_owned())));
        Some(Named { author, id, attributes })
    }

    /// The value of an attribute.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The same with values put in where Liquibase puts them in.
    pub(super) fn expanded(&self, seen: &Seen<'_>) -> Named {
        const EXPANDED: [&str; 7] =
            ["context", "contextFilter", "labels", "logicalFilePath", "dbms", "ignore", "runWith"];
        let expanded = |(name, value): &(String, String)| match EXPANDED.iter().any(|it| name.eq_ignore_ascii_case(it))
        {
            true => (name.clone(), seen.expanded(value)),
            false => (name.clone(), value.clone()),
        };
        Named {
            author: seen.expanded(&self.author),
            id: seen.expanded(&self.id),
            attributes: self.attributes.iter().map(expanded).collect(),
        }
    }

    /// False where the last attribute whose name ends so says something else than `true`. Liquibase looks for it by its end: what
    /// `rollbackSplitStatements` says counts for `splitStatements`, too.
    pub(super) fn is_not_denied(&self, ending: &str) -> bool {
        let ends = |name: &str| {
            let start = name.len().checked_sub(ending.len());
            start.and_then(|start| name.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
        };
        let last = self.attributes.iter().rev().find(|(name, _)| ends(name));
        last.is_none_or(|(_, value)| value.eq_ignore_ascii_case("true"))
    }

    /// The contexts, as they are written.
    pub(super) fn contexts(&self) -> Option<&str> {
        self.get("contextFilter").or_else(|| self.get("context"))
    }

    fn is(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// What ends statements besides `;`, as an attribute says; nothing where the text is one statement. What cannot be read so is told
    /// by [`Named::wishes`].
    pub(super) fn delimiter(&self, attribute: &str) -> Option<EndDelimiter> {
        self.get(attribute).and_then(|written| EndDelimiter::read(written).ok().flatten())
    }

    /// The same where what includes its file has contexts: they must hold, too.
    pub(super) fn within(mut self, contexts: Option<&str>) -> Named {
        let Some(outer) = contexts else { return self };
        let all = match self.contexts() {
            Some(own) => format!("({outer}) and ({own})"),
            None => outer.to_owned(),
        };
        self.attributes
            .retain(|(name, _)| !["context", "contextFilter"].iter().any(|it| name.eq_ignore_ascii_case(it)));
        self.attributes.push(("contextFilter".to_owned(), all));
        self
    }

    /// A run goes on behind it where it fails.
    pub(super) fn may_fail(&self) -> bool {
        self.get("failOnError").is_some_and(|value| !value.eq_ignore_ascii_case("true"))
    }

    pub(super) fn often(&self) -> Often {
        match (self.is("runAlways"), self.is("runOnChange")) {
            (true, _) => Often::Always,
            (false, true) => Often::OnChange,
            (false, false) => Often::Once,
        }
    }

    /// What the attributes ask for, and what of it cannot be had. `label` is the line of the change.
    /// `labels` are all that it has.
    pub(super) fn wishes(
        &self,
        label: &Label,
        engine: Engine,
        chosen: Chosen<'_>,
        labels: Option<&str>,
    ) -> (Wishes, Vec<Diagnostic>) {
        let mut problems = Vec::new();
        let mut tell = |severity: Severity, message: String, help: &str| {
            problems.push(Diagnostic::new(codes::OTHER_BEHAVIOUR, severity, message).at(label.clone()).help(help));
        };
        let mut wishes = Wishes::default();
        if self.get("runInTransaction").is_some_and(|value| !value.eq_ignore_ascii_case("true")) {
            wishes.transaction = Some(TransactionWish::None);
        }
        if let Some(dbms) = self.get("dbms") {
            wishes.left_out = (!is_for(dbms, engine)).then(|| format!("for dbms {dbms} only"));
            let names = dbms.to_ascii_lowercase();
            if engine == Engine::Mysql
                && names.contains("mysql") != names.contains("mariadb")
                && wishes.left_out.is_none()
            {
                let message = format!("dbms:{dbms} tells MySQL and MariaDB apart, and limosa runs this on both");
                tell(Severity::Warning, message, "write dbms:mysql,mariadb where both are meant");
            }
        }
        if self.is("ignore") {
            wishes.left_out = Some("it says ignore:true".to_owned());
        }
        if let Some(contexts) = self.contexts() {
            let is_told = chosen.environment.is_none() && !chosen.contexts.is_empty();
            let names = expression::names(contexts).filter(|_| !is_told);
            match (names, expression::holds(contexts, &chosen.contexts())) {
                (Some(names), _) => wishes.environments = Some(names),
                (None, Ok(true)) => {}
                (None, Ok(false)) => {
                    let reason = format!("for the context '{contexts}' only, and {}", chosen.said());
                    wishes.left_out.get_or_insert(reason);
                }
                (None, Err(wrong)) => tell(
                    Severity::Error,
                    format!("the context '{contexts}' is no expression: {wrong}"),
                    "write names with and, or, not (or !), commas and parentheses, such as context:\"test and !prod\"",
                ),
            }
        }
        if let (Some(wanted), Some(labels)) = (chosen.labels, labels) {
            let own: Vec<&str> = labels.split(',').collect();
            match expression::holds(wanted, &own) {
                Ok(true) => {}
                Ok(false) => {
                    let reason = format!("its labels are {labels}, and liquibase's settings choose '{wanted}'");
                    wishes.left_out.get_or_insert(reason);
                }
                Err(wrong) => tell(
                    Severity::Error,
                    format!("the labels '{wanted}' that liquibase's settings choose are no expression: {wrong}"),
                    "write names with and, or, not (or !), commas and parentheses",
                ),
            }
        }
        if let Some(labels) = self.get("labels") {
            wishes.tags = Some(labels.split(',').map(|label| label.trim().to_owned()).collect());
        }
        for name in ["endDelimiter", "rollbackEndDelimiter"] {
            let Some(delimiter) = self.get(name).filter(|written| EndDelimiter::read(written).is_err()) else {
                continue;
            };
            let message = format!("{name}:{delimiter} is an expression that limosa does not know");
            let help = "write a text or a line, such as //, /, \\n/ or \\nGO; or end the statements with ';' and leave the attribute out: \
                        limosa knows where functions, triggers and procedures end";
            tell(Severity::Error, message, help);
        }
        if self.may_fail() && wishes.transaction == Some(TransactionWish::None) {
            let message =
                "failOnError:false asks to go on after a failure; limosa stops where some of the change may stand"
                    .to_owned();
            tell(Severity::Warning, message, "write it so that it cannot fail, such as create table if not exists");
        }
        if let Some(program) = self.get("runWith").filter(|program| !program.eq_ignore_ascii_case("jdbc")) {
            let message =
                format!("runWith:{program} asks for another program; limosa runs this over its own connection");
            tell(Severity::Warning, message, "check that it holds SQL alone, and no commands of that program");
        }
        (wishes, problems)
    }
}

/// A word up to this letter, or within quotes; and what follows.
fn word(text: &str, end: char) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (inner, rest) = quoted.split_once('"')?;
        return Some((inner.to_owned(), rest));
    }
    let at = text.find(|letter: char| letter == end || (end == ' ' && letter.is_whitespace()));
    match (at, end) {
        (Some(at), _) => Some((text[..at].trim().to_owned(), &text[at..])),
        (None, ' ') => Some((text.trim().to_owned(), "")),
        (None, _) => None,
    }
}

/// Pairs `name:value`, values in quotes or up to the next blank.
pub(super) fn attributes(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|letter: char| letter == ':' || letter.is_whitespace()).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        rest = match behind.strip_prefix(':') {
            Some(value) => match word(value, ' ') {
                Some((value, behind)) => {
                    found.push((name.to_owned(), value));
                    behind.trim_start()
                }
                None => "",
            },
            None => behind.trim_start(),
        };
    }
    found
}

/// True where databases that are named so are of this engine, with `all`, and `!name` for those that are not meant.
pub(super) fn is_for(dbms: &str, engine: Engine) -> bool {
    is_for_any(
        dbms,
        match engine {
            Engine::Postgres => &["postgresql", "cockroachdb", "edb"],
            Engine::Mysql => &["mysql", "mariadb"],
            Engine::Sqlite => &["sqlite"],
            _ => &[],
        },
    )
}

/// The same for a database that Liquibase calls by one of these names.
pub(super) fn is_for_any(dbms: &str, names_here: &[&str]) -> bool {
    let is_here = |name: &str| name == "all" || names_here.contains(&name);
    let lower = dbms.to_ascii_lowercase();
    let names: Vec<&str> = lower.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.contains(&"none") {
        return false;
    }
    let excluded = names.iter().filter_map(|name| name.strip_prefix('!')).any(is_here);
    let mut included = names.iter().filter(|name| !name.starts_with('!')).peekable();
    let is_meant = included.peek().is_none() || included.any(|name| is_here(name));
    !excluded && is_meant
}

#[cfg(test)]
mod tests {
    use limosa_sql::Position;

    use super::*;

    #[test]
    fn lines_name_author_id_and_attributes() {
        for (line, expected) in [
            ("--changeset ann:1", Some(("ann", "1", 0))),
            (
                " -- ChangeSet \"Ann B\":\"create users\" dbms:postgresql context:\"a or b\"\r\n",
                Some(("Ann B", "create users", 2)),
            ),
            ("--changeset ann: 1 runOnChange:true", Some(("ann", "1", 1))),
            ("--changeset ann:1:2 x", Some(("ann", "1:2", 0))),
            ("--changeset ann", None),
            ("--changeset ann:", None),
            ("--changeset :1", None),
        ] {
            let named = Named::read(line);
            let shown = named.as_ref().map(|it| (it.author.as_str(), it.id.as_str(), it.attributes.len()));
            assert_eq!(shown, expected, "{line}");
        }
    }

    #[test]
    fn attributes_are_wishes_or_problems() {
        let label = Label::place("a.sql", Position::START);
        let in_test = Chosen { environment: Some("test"), ..Chosen::default() };
        for (attributes, expected) in [
            ("runInTransaction:false", "none"),
            ("runInTransaction:true splitStatements:false stripComments:false", ""),
            ("dbms:postgresql", ""),
            ("dbms:POSTGRESQL,h2", ""),
            ("dbms:!h2", ""),
            ("dbms:none,postgresql", "left out: for dbms none,postgresql only"),
            ("dbms:\"postgresql, h2\"", ""),
            ("dbms:\"h2, oracle\" ignore:false", "left out: for dbms h2, oracle only"),
            ("dbms:\"!postgresql\"", "left out: for dbms !postgresql only"),
            ("dbms:oracle", "left out: for dbms oracle only"),
            ("dbms:!postgresql", "left out: for dbms !postgresql only"),
            ("ignore:true", "left out: it says ignore:true"),
            ("context:test", "in test"),
            ("contextFilter:\"test or staging, prod\"", "in test staging prod"),
            ("context:!prod", ""),
            ("context:!test", "left out: for the context '!test' only, and this is test"),
            ("context:\"a and b\"", "left out: for the context 'a and b' only, and this is test"),
            ("context:\"(a\"", "error"),
            ("labels:\"x, y\"", "tags x y"),
            ("endDelimiter:;", ""),
            ("endDelimiter://", ""),
            ("endDelimiter:#", ""),
            ("endDelimiter:\\n/\\s*\\n rollbackEndDelimiter:/", ""),
            ("endDelimiter:[/;]", ""),
            ("rollbackEndDelimiter:a+", "error"),
            ("failOnError:false", ""),
            ("failOnError:false runInTransaction:false", "warning"),
            ("runWith:psql", "warning"),
        ] {
            let named = Named::read(&format!("--changeset a:1 {attributes}")).unwrap();
            let (wishes, problems) = named.wishes(&label, Engine::Postgres, in_test, named.get("labels"));
            let shown = match (&problems[..], &wishes) {
                ([problem], _) if problem.is_error() => "error".to_owned(),
                ([_], _) => "warning".to_owned(),
                (_, Wishes { left_out: Some(reason), .. }) => format!("left out: {reason}"),
                (_, Wishes { environments: Some(names), .. }) => format!("in {}", names.join(" ")),
                (_, Wishes { tags: Some(names), .. }) => format!("tags {}", names.join(" ")),
                (_, Wishes { transaction: Some(TransactionWish::None), .. }) => "none".to_owned(),
                _ => String::new(),
            };
            assert_eq!(shown, expected, "{attributes}");
        }
        let told =
            Chosen { contexts: &["test".to_owned(), "b".to_owned()], labels: Some("!x and y"), ..Chosen::default() };
        for (attributes, expected) in [
            ("context:test", None),
            ("context:\"b and test\"", None),
            ("context:prod", Some("for the context 'prod' only, and liquibase's settings choose test, b")),
            ("labels:y", None),
            ("labels:x,y", Some("its labels are x,y, and liquibase's settings choose '!x and y'")),
        ] {
            let named = Named::read(&format!("--changeset a:1 {attributes}")).unwrap();
            let (wishes, _) = named.wishes(&label, Engine::Postgres, told, named.get("labels"));
            assert_eq!((wishes.left_out.as_deref(), wishes.environments), (expected, None), "{attributes}");
        }
        let mysql = Named::read("--changeset a:1 dbms:mysql").unwrap();
        assert_eq!(mysql.wishes(&label, Engine::Mysql, Chosen::default(), None).1.len(), 1);
    }
}
