//! The table of the tool that the files were written for, where settings name it: limosa's own, a variable of the process, or a file of
//! the tool's around the folder.

use std::path::PathBuf;

use limosa_core::ForeignTool;
use limosa_db::NamedTable;
use limosa_formats::{Layout, LedgerTable};
use limosa_sql::{Diagnostic, Engine, Label};

use crate::Configuration;
use crate::scripts::Scripts;

/// The one setting that names it.
const SETTING: &str = "the setting tool_table";

/// The table, with what is to be said of the file that should name it; None where the files are of no tool and no setting names one.
pub(crate) fn ledger_table(
    configuration: &Configuration,
    layout: &Layout,
    scripts: &Scripts,
    folders: &[PathBuf],
    engine: Engine,
) -> (Option<LedgerTable>, Option<Diagnostic>) {
    let setting = configuration.tool_table.as_ref().map(|written| LedgerTable::parse(written, SETTING));
    let variable = || {
        let name = layout.ledger_variable()?;
        let written = configuration.variables.get(name).filter(|written| !written.is_empty())?;
        Some(layout.told_by_variable(name, written, engine))
    };
    let (of_file, problem) = match setting.clone().or_else(variable) {
        Some(told) => (Some(told), None),
        None => in_file(configuration, layout, scripts, folders, engine),
    };
    let told = of_file.or_else(|| layout.ledger_table(engine));
    let told = told.map(|told| match told.schema {
        None => LedgerTable { schema: layout.ledger_schema(engine).map(str::to_owned), ..told },
        Some(_) => told,
    });
    (told, problem)
}

/// PostgreSQL: the schemas in which the files work, by the settings of their tool around them. What cannot be read is told where the table is
/// looked for.
pub(crate) fn schemas_of_tool(layout: &Layout, scripts: &Scripts, folders: &[PathBuf]) -> Vec<String> {
    let path = layout.schema_settings().and_then(|name| scripts.beside(folders, name));
    path.and_then(|path| std::fs::read(path).ok()).map(|bytes| layout.schemas_in(&bytes)).unwrap_or_default()
}

fn in_file(
    configuration: &Configuration,
    layout: &Layout,
    scripts: &Scripts,
    folders: &[PathBuf],
    engine: Engine,
) -> (Option<LedgerTable>, Option<Diagnostic>) {
    let names = layout.ledger_settings().iter();
    let found = names.copied().find_map(|name| Some((name, scripts.beside(folders, name)?)));
    let Some((name, path)) = found else { return (None, None) };
    let path = path.display().to_string();
    let read = std::fs::read(&path).map_err(|error| error.to_string());
    let text = read.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let (environment, database) = (configuration.environment.as_deref(), database_of(configuration));
    let told = text.as_ref().map_err(Clone::clone);
    let told = told.and_then(|text| layout.told_in(name, text, environment, database.as_deref(), engine));
    match told {
        Ok(told) => {
            let in_doubt = text.ok().and_then(|text| layout.ledger_in_doubt(&text, environment, database.as_deref()));
            let taken = told.clone().or_else(|| layout.ledger_table(engine)).map(|table| table.written());
            let doubt = in_doubt.map(|tables| {
                let message = format!(
                    "the sections of {name} name different tables of {}, and nothing says which one is meant here: {tables}",
                    layout.name()
                );
                let help = format!(
                    "{} is taken. Name the section: --env NAME; or the table: tool_table in limosa.toml",
                    taken.unwrap_or_default()
                );
                Diagnostic::warning("LIM-U175", message).at(Label::file(path)).help(help)
            });
            (told, doubt)
        }
        Err(problem) => {
            let message = format!("{name} may name the table of {}, and cannot be read: {problem}", layout.name());
            let help = "the usual name is taken; mend the file, or name the table: tool_table in limosa.toml";
            (None, Some(Diagnostic::warning("LIM-U158", message).at(Label::file(path)).help(help)))
        }
    }
}

/// The name of the database in the address, by which a section of a tool's settings may be known; None where that is none.
fn database_of(configuration: &Configuration) -> Option<String> {
    let address = configuration.database.expose().split(['?', '#']).next()?;
    let name = address.rsplit(['/', '\\', ':']).next()?;
    Some(name.to_owned()).filter(|name| !name.is_empty() && !name.contains(['@', '=']))
}

/// A table that settings name, for those who look for it in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToldLedger {
    /// The tool of the files; None where they are of none, and the columns of the table tell.
    pub(crate) tool: Option<ForeignTool>,
    /// The table.
    pub(crate) table: NamedTable,
    /// What names it.
    pub(crate) by: String,
}

impl ToldLedger {
    /// The one that settings name for files of this layout; None for the usual one, which is looked for by its name.
    pub(crate) fn of(layout: &Layout, table: Option<&LedgerTable>, engine: Engine) -> Option<ToldLedger> {
        let of_registry = layout.registry_table(engine);
        let told = table.filter(|table| table.told_by.is_some()).or(of_registry.as_ref())?;
        let table = NamedTable { schema: told.schema.clone(), table: told.table.clone() };
        Some(ToldLedger { tool: layout.tool(), table, by: told.told_by.clone()? })
    }

    /// True where limosa's own setting names it.
    pub(crate) fn is_by_setting(&self) -> bool {
        self.by == SETTING
    }

    /// True where this one is meant by somebody who names this tool, or none.
    pub(crate) fn is_of(&self, tool: Option<ForeignTool>) -> bool {
        tool.is_none() || self.tool.is_none() || tool == self.tool
    }
}
