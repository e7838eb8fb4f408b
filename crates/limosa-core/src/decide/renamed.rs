//! What ran under another name must not run again.

use std::collections::HashMap;

use limosa_sql::{Diagnostic, Label};

use crate::{AppliedRow, Assessed, Change, Checksum, Kind, State};

/// Those of the chosen ones that hold, word for word, what was applied under a name of which there is no file any more: a file
/// that was renamed, or a folder that its tool has written anew.
pub(super) fn renamed(assessed: &[Assessed<'_>], chosen: &[&Assessed<'_>]) -> Vec<Diagnostic> {
    let gone = assessed.iter().filter(|line| line.state == State::Missing).filter_map(|line| line.row);
    let gone: HashMap<&Checksum, &AppliedRow> = gone.map(|row| (&row.up_checksum, row)).collect();
    if gone.is_empty() {
        return Vec::new();
    }
    let is_new = |line: &&&Assessed<'_>| matches!(line.state, State::Pending | State::OutOfOrder);
    let changes = chosen.iter().filter(is_new).filter_map(|line| line.change);
    let doing = changes.filter(|change| change.kind != Kind::Repeatable && change.script.outline.statements > 0);
    doing.filter_map(|change| Some(problem(change, gone.get(&change.script.up_checksum)?))).collect()
}

fn problem(change: &Change, row: &AppliedRow) -> Diagnostic {
    let (file, identity) = (&change.script.file, &change.identity);
    let message =
        format!("{file} holds what was applied as {} ({}), of which there is no file any more", row.identity, row.name);
    let help = format!(
        "where it was renamed, it has run: limosa repair --mark-applied {identity}; where its tool has written the folder anew, and has the new \
         names on record: limosa adopt. Where it is meant to run once more, change a word of it, such as a comment"
    );
    Diagnostic::error("LIM-P037", message).at(Label::file(file.as_str())).help(help)
}
