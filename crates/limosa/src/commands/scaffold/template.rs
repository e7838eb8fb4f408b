//! Changes that come in several steps, each safe while the code of before still runs: which there are, and what they ask.

use limosa_sql::{Dialect, Engine, Splitter};

use super::{add_column, remove_column, rename_table};
use crate::Failure;

/// A change in several steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// A new column that must have a value in the end: add it, fill it, make it NOT NULL.
    AddColumn,
    /// A column that goes: let writers leave it out, then drop it.
    RemoveColumn,
    /// A table that gets another name: both names at once, swap them, drop the old one.
    RenameTable,
}

impl Template {
    /// All, in the order in which they are listed for users.
    pub const ALL: &'static [Template] = &[Template::AddColumn, Template::RemoveColumn, Template::RenameTable];

    /// The name that users write.
    pub fn name(self) -> &'static str {
        match self {
            Template::AddColumn => "add-column",
            Template::RemoveColumn => "remove-column",
            Template::RenameTable => "rename-table",
        }
    }

    /// Reads a name that users write.
    pub fn from_name(name: &str) -> Option<Template> {
        Template::ALL.iter().copied().find(|template| template.name() == name)
    }
}

/// What a template is filled in with. Names are as the database spells them; they are quoted where they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateDetails {
    /// The table, `NAME` or `SCHEMA.NAME`.
    pub table: Option<String>,
    /// The column that comes or goes.
    pub column: Option<String>,
    /// The type of that column as the engine writes it, without NULL or NOT NULL.
    pub data_type: Option<String>,
    /// An SQL expression: the value of rows that have none.
    pub value: Option<String>,
    /// The new name of the table.
    pub to: Option<String>,
    /// The columns of the table that is renamed.
    pub columns: Vec<String>,
}

/// A file to be written: all of it but its name and version.
#[derive(Debug)]
pub(super) struct Draft {
    /// Ends the name of the file.
    pub(super) step: &'static str,
    /// What the step does, to stand behind the title.
    pub(super) purpose: String,
    /// Headers besides those that every file has.
    pub(super) headers: &'static [&'static str],
    /// Comments and SQL.
    pub(super) up: String,
    /// The way back.
    pub(super) back: String,
}

/// The files of a change.
///
/// # Errors
/// What lacks in the details, what is too much, and what is no name, type or expression.
pub(super) fn drafts(template: Template, details: &TemplateDetails, engine: Engine) -> Result<Vec<Draft>, Failure> {
    let asked = Asked { template, details, engine };
    match template {
        Template::AddColumn => {
            asked.takes_none(&[("--to", details.to.is_some()), ("--columns", !details.columns.is_empty())])?;
            Ok(add_column::drafts(engine, &asked.table()?, &asked.column()?, &asked.data_type()?, &asked.value()?))
        }
        Template::RemoveColumn => {
            asked.takes_none(&[("--to", details.to.is_some()), ("--columns", !details.columns.is_empty())])?;
            let value = details.value.is_some().then(|| asked.value()).transpose()?;
            Ok(remove_column::drafts(engine, &asked.table()?, &asked.column()?, &asked.data_type()?, value.as_deref()))
        }
        Template::RenameTable => {
            let given = [&details.column, &details.data_type, &details.value].map(Option::is_some);
            asked.takes_none(&[("--column", given[0]), ("--type", given[1]), ("--value", given[2])])?;
            Ok(rename_table::drafts(engine, &asked.table()?, &asked.to()?, &asked.columns()?))
        }
    }
}

/// A table with its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) schema: Option<String>,
    pub(super) name: String,
}

impl Table {
    /// As SQL names it.
    pub(super) fn quoted(&self, engine: Engine) -> String {
        engine.quote_qualified(self.schema.as_deref(), &self.name)
    }

    /// Another object of the same schema.
    pub(super) fn beside(&self, name: impl Into<String>) -> Table {
        Table { schema: self.schema.clone(), name: name.into() }
    }
}

/// A name made of another one, within the 63 bytes that every engine allows.
pub(super) fn derived(name: &str, ending: &str) -> String {
    let mut kept = name.len().min(63_usize.saturating_sub(ending.len()));
    while !name.is_char_boundary(kept) {
        kept -= 1;
    }
    format!("{}{ending}", &name[..kept])
}

struct Asked<'a> {
    template: Template,
    details: &'a TemplateDetails,
    engine: Engine,
}

impl Asked<'_> {
    fn takes_none(&self, options: &[(&str, bool)]) -> Result<(), Failure> {
        match options.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((flag, _)) => Err(Failure::usage(
                "LIM-U053",
                format!("the template {} takes no {flag}", self.template.name()),
                format!("leave {flag} out; {}", self.usage()),
            )),
        }
    }

    fn needed<'b>(&self, flag: &str, given: Option<&'b String>) -> Result<&'b str, Failure> {
        given.map(String::as_str).ok_or_else(|| {
            let message = format!("the template {} needs {flag}", self.template.name());
            Failure::usage("LIM-U052", message, self.usage())
        })
    }

    fn usage(&self) -> String {
        let options = match self.template {
            Template::AddColumn => "--table users --column phone --type \"VARCHAR(20)\" --value \"'unknown'\"",
            Template::RemoveColumn => "--table users --column fax --type \"VARCHAR(20)\"",
            Template::RenameTable if self.engine == Engine::Sqlite => {
                "--table posts --to articles --columns id,title,content"
            }
            Template::RenameTable => "--table posts --to articles",
        };
        format!("for example: limosa new \"what it does\" --template {} {options}", self.template.name())
    }

    fn table(&self) -> Result<Table, Failure> {
        let text = self.needed("--table", self.details.table.as_ref())?;
        match text.split_once('.') {
            None => Ok(Table { schema: None, name: name("--table", text)? }),
            Some(_) if self.engine == Engine::Sqlite => {
                Err(senseless("--table", text, "SQLite has no schemas; name the table alone"))
            }
            Some((schema, table)) => {
                let schema = Some(name("--table", schema)?);
                Ok(Table { schema, name: unqualified("--table", table)? })
            }
        }
    }

    fn column(&self) -> Result<String, Failure> {
        name("--column", self.needed("--column", self.details.column.as_ref())?)
    }

    fn to(&self) -> Result<String, Failure> {
        let to = unqualified("--to", self.needed("--to", self.details.to.as_ref())?)?;
        if self.details.table.as_ref().is_some_and(|table| table.rsplit('.').next() == Some(&to)) {
            return Err(senseless("--to", &to, "that is its name already; give another one"));
        }
        Ok(to)
    }

    /// The columns; on SQLite they must be named, because its views take no changes but by triggers that name them.
    fn columns(&self) -> Result<Vec<String>, Failure> {
        if self.details.columns.is_empty() && self.engine == Engine::Sqlite {
            return Err(Failure::usage(
                "LIM-U052",
                "on SQLite the template rename-table needs --columns: all columns of the table",
                self.usage(),
            ));
        }
        let columns: Vec<String> =
            self.details.columns.iter().map(|column| name("--columns", column)).collect::<Result<_, _>>()?;
        let twice = columns.iter().enumerate().find(|(at, column)| columns[..*at].contains(column));
        match twice {
            Some((_, column)) => Err(senseless("--columns", column, "it is named twice; name each column once")),
            None => Ok(columns),
        }
    }

    fn data_type(&self) -> Result<String, Failure> {
        let text = self.needed("--type", self.details.data_type.as_ref())?.trim();
        self.is_one_piece("--type", text)?;
        let plain: String = text.split('\'').step_by(2).collect::<Vec<_>>().join(" ").to_ascii_uppercase();
        let mut words = plain.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
        match words.find(|word| ["NULL", "PRIMARY", "UNIQUE", "REFERENCES", "CHECK"].contains(word)) {
            None => Ok(text.to_owned()),
            Some(word) => {
                let help = "the files decide about NULL and NOT NULL; other constraints get a migration of their own";
                Err(senseless("--type", text, format!("leave {word} out: {help}")))
            }
        }
    }

    fn value(&self) -> Result<String, Failure> {
        let text = self.needed("--value", self.details.value.as_ref())?.trim();
        self.is_one_piece("--value", text)?;
        Ok(text.to_owned())
    }

    /// What stands in a statement must not end it: no `;`, no comment that runs on, no quote that stays open.
    fn is_one_piece(&self, flag: &str, text: &str) -> Result<(), Failure> {
        let probe = format!("SELECT {text}; SELECT 1;");
        let mut splitter = Splitter::new(Dialect::from(self.engine), flag);
        splitter.feed(probe.as_bytes());
        splitter.finish();
        let mut statements = Vec::new();
        while let Ok(Some(piece)) = splitter.next_piece() {
            statements.push(piece.statement().to_owned());
        }
        let whole = statements == [format!("SELECT {text}"), "SELECT 1".to_owned()];
        if whole && !text.is_empty() && !text.contains(['\n', '\r']) {
            return Ok(());
        }
        let help = match flag {
            "--type" => "give a type on one line, as it stands in CREATE TABLE: --type \"VARCHAR(20)\"",
            _ => "give one SQL expression on one line; a text in its quotes: --value \"'unknown'\"",
        };
        Err(senseless(flag, text, help))
    }
}

fn unqualified(flag: &'static str, text: &str) -> Result<String, Failure> {
    match text.contains('.') {
        true => Err(senseless(flag, text, "give a name without a schema here; the table stays in its own")),
        false => name(flag, text),
    }
}

fn name(flag: &'static str, text: &str) -> Result<String, Failure> {
    if text.trim().is_empty() || text.contains(char::is_control) || text.contains("${") {
        return Err(senseless(flag, text, "give a name as the database spells it, without quotes"));
    }
    Ok(text.to_owned())
}

fn senseless(flag: &str, text: &str, help: impl Into<String>) -> Failure {
    let text: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    Failure::usage("LIM-U054", format!("{flag} '{text}' makes no sense here"), help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(engine: Engine, template: Template, change: impl FnOnce(&mut TemplateDetails)) -> &'static str {
        let mut details = match template {
            Template::RenameTable => TemplateDetails {
                to: Some("articles".to_owned()),
                columns: vec!["id".to_owned()],
                ..Default::default()
            },
            _ => TemplateDetails {
                column: Some("phone".to_owned()),
                data_type: Some("VARCHAR(20)".to_owned()),
                value: Some("'-'".to_owned()),
                ..Default::default()
            },
        };
        details.table = Some("users".to_owned());
        change(&mut details);
        drafts(template, &details, engine).map_or_else(|failure| failure.diagnostics[0].code, |_| "fine")
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn what_lacks_and_what_is_too_much_is_said() {
        let on = |template, change: fn(&mut TemplateDetails)| code(Engine::Postgres, template, change);
        assert_eq!(on(Template::AddColumn, |_| {}), "fine");
        assert_eq!(on(Template::AddColumn, |details| details.table = None), "LIM-U052");
        assert_eq!(on(Template::AddColumn, |details| details.value = None), "LIM-U052");
        assert_eq!(on(Template::AddColumn, |details| details.to = text("x")), "LIM-U053");
        assert_eq!(on(Template::RemoveColumn, |details| details.value = None), "fine");
        assert_eq!(on(Template::RemoveColumn, |details| details.columns = vec![]), "fine");
        assert_eq!(on(Template::RemoveColumn, |details| details.data_type = None), "LIM-U052");
        assert_eq!(on(Template::RenameTable, |details| details.value = text("1")), "LIM-U053");
        assert_eq!(on(Template::RenameTable, |details| details.to = text("users")), "LIM-U054");
        assert_eq!(on(Template::RenameTable, |details| details.columns = vec![]), "fine");
        assert_eq!(code(Engine::Sqlite, Template::RenameTable, |details| details.columns = vec![]), "LIM-U052");
        let twice: fn(&mut TemplateDetails) =
            |details| details.columns = ["id", "name", "id"].map(str::to_owned).into();
        assert_eq!(on(Template::RenameTable, twice), "LIM-U054");
    }

    #[test]
    fn what_would_break_out_of_its_statement_is_refused() {
        for value in ["1; DROP TABLE users", "'open", "1 -- on", "1\n+ 1", "", "1 /* on", "(1"] {
            let code = code(Engine::Postgres, Template::AddColumn, |details| details.value = text(value));
            assert_eq!(code, "LIM-U054", "{value}");
        }
        for value in ["'it''s; -- fine'", "concat('a', id)", "(SELECT 1)", "now()"] {
            let code = code(Engine::Postgres, Template::AddColumn, |details| details.value = text(value));
            assert_eq!(code, "fine", "{value}");
        }
        for data_type in ["VARCHAR(20) NOT NULL", "int primary key", "text;", "int unique"] {
            let code = code(Engine::Mysql, Template::AddColumn, |details| details.data_type = text(data_type));
            assert_eq!(code, "LIM-U054", "{data_type}");
        }
        for data_type in ["ENUM('NULL', 'x')", "DOUBLE PRECISION", "INT UNSIGNED DEFAULT 0"] {
            let code = code(Engine::Mysql, Template::AddColumn, |details| details.data_type = text(data_type));
            assert_eq!(code, "fine", "{data_type}");
        }
    }

    #[test]
    fn names_may_hold_anything_that_a_line_can() {
        let on = |table: &str, engine| code(engine, Template::AddColumn, |details| details.table = text(table));
        assert_eq!(on("app.user's \"list\"", Engine::Postgres), "fine");
        assert_eq!(on("a.b.c", Engine::Postgres), "LIM-U054");
        assert_eq!(on("main.users", Engine::Sqlite), "LIM-U054");
        assert_eq!(on("a\nb", Engine::Sqlite), "LIM-U054");
        assert_eq!(on(" ", Engine::Sqlite), "LIM-U054");
        assert_eq!(on("${x}", Engine::Sqlite), "LIM-U054");
        assert_eq!(derived(&"ä".repeat(40), "_view"), format!("{}_view", "ä".repeat(29)));
        assert_eq!(derived("posts", "_view"), "posts_view");
    }
}
