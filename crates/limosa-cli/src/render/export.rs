//! What is written in the form of another tool.

use limosa::report::ExportAnswer;

use super::done::audit_head;
use super::style::harmless;

/// The files, the table, and what comes next.
pub(crate) fn render(answer: &ExportAnswer) -> String {
    let would = answer.outcome == "would";
    let mut text = String::new();
    for line in &answer.migrations {
        let state = if line.applied { "applied" } else { "pending" };
        let files: Vec<_> = line.files.iter().map(|file| harmless(file)).collect();
        text.push_str(&format!("{} ({state})\n", files.join(", ")));
    }
    for left in &answer.left {
        text.push_str(&format!("left: {}: {}\n", harmless(&left.what), harmless(&left.why)));
    }
    let (folder, table) = (harmless(&answer.folder), harmless(&answer.table));
    let count = answer.migrations.len();
    let migrations = if count == 1 { "1 migration".to_owned() } else { format!("{count} migrations") };
    let verb = if would { "would be written" } else { "written" };
    text.push_str(&format!("{migrations} {verb} for {} into {folder}/migrations\n", answer.tool));
    let rows = if answer.ledger_rows == 1 { "1 row".to_owned() } else { format!("{} rows", answer.ledger_rows) };
    match answer.ledger_written {
        true => text.push_str(&format!("the table {table} was made with {rows}\n")),
        false => text.push_str(&format!("the table {table} with {rows}: {folder}/ledger.sql\n")),
    }
    if let Some(head) = &answer.audit_head {
        text.push_str(&audit_head(head));
    }
    text
}
