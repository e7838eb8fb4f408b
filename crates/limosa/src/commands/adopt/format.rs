//! Files that are read as one format, where the ledger of a tool is here whose files have the same names.

use limosa_core::{Change, ForeignTool};
use limosa_formats::{Layout, LayoutChoice};
use limosa_sql::Diagnostic;

use crate::Configuration;
use crate::files::Loaded;

/// Formats whose files say by their names alone what they are. Comments tell the others apart.
const BY_NAMES: &[(ForeignTool, &str)] = &[
    (ForeignTool::Flyway, "flyway"),
    (ForeignTool::GolangMigrate, "up_down"),
    (ForeignTool::Sqlx, "sqlx"),
    (ForeignTool::Refinery, "refinery"),
    (ForeignTool::Diesel, "diesel"),
    (ForeignTool::Prisma, "prisma"),
    (ForeignTool::NodePgMigrate, "node_pg_migrate"),
];

/// A warning where nobody has said which format the files have, they are read as one, and each of them has a place in that of the tool
/// whose ledger is here.
pub(crate) fn read_otherwise(
    configuration: &Configuration,
    loaded: &Loaded,
    tool: ForeignTool,
    table: &str,
) -> Option<Diagnostic> {
    let (_, format) = BY_NAMES.iter().find(|(known, _)| *known == tool)?;
    let own = loaded.layout.name();
    if own == *format || !is_in_place(configuration, loaded, format) {
        return None;
    }
    let message = format!(
        "the files are read as {own}, and the ledger of {} is here (table {table}), whose files have the same names",
        tool.name()
    );
    let help = format!(
        "where they are its files: limosa adopt --format {format}, and format = \"{format}\" in limosa.toml for all that follows, before \
         anything is taken over; else --format {own} says so"
    );
    Some(Diagnostic::warning("LIM-U159", message).help(help))
}

/// True where nobody has said which format the files have, and each has a place in this one.
fn is_in_place(configuration: &Configuration, loaded: &Loaded, format: &str) -> bool {
    let Some(theirs) = Layout::of_format(format) else { return false };
    let fits = |change: &Change| !change.is_code && theirs.classify(&change.script.file).is_change();
    configuration.layout == LayoutChoice::Auto && !loaded.changes.is_empty() && loaded.changes.iter().all(fits)
}

/// Formats whose files have the same names, with their tools, where nobody has said which format it is.
pub(crate) fn formats_alike(configuration: &Configuration, loaded: &Loaded) -> Vec<(ForeignTool, &'static str)> {
    BY_NAMES.iter().filter(|(_, format)| is_in_place(configuration, loaded, format)).copied().collect()
}
