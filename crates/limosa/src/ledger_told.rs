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
        Some(LedgerTable::parse(written, name))
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

fn in_file(
    configuration: &Configuration,
    layout: &Layout,
    scripts: &Scripts,
    folders: &[PathBuf],
    engine: Engine,
) -> (Option<LedgerTable>, Option<Diagnostic>) {
    let found = layout.ledger_settings().and_then(|name| Some((name, scripts.beside(folders, name)?)));
    let Some((name, path)) = found else { return (None, None) };
    let path = path.display().to_string();
    let read = std::fs::read(&path).map_err(|error| error.to_string());
    let environment = configuration.environment.as_deref();
    let told = read.and_then(|bytes| layout.told_in(name, &String::from_utf8_lossy(&bytes), environment, engine));
    match told {
        Ok(told) => (told, None),
        Err(problem) => {
            let message = format!("{name} may name the table of {}, and cannot be read: {problem}", layout.name());
            let help = "the usual name is taken; mend the file, or name the table: tool_table in limosa.toml";
            (None, Some(Diagnostic::warning("LIM-U158", message).at(Label::file(path)).help(help)))
        }
    }
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
    pub(crate) fn of(layout: &Layout, table: Option<&LedgerTable>) -> Option<ToldLedger> {
        let told = table?;
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
