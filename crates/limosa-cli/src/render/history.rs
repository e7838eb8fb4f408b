//! What was done here, newest first.

use limosa::report::{HistoryAnswer, OperationLine};

use super::style::{Tone, short};
use super::table::Columns;
use super::target;

/// The operations as a table.
pub(crate) fn render(answer: &HistoryAnswer, width: Option<u16>) -> String {
    if answer.operations.is_empty() {
        return format!("nothing was ever done here: {}\n", target::words(&answer.target));
    }
    let mut table = Columns::new(&["NO", "AT", "BY", "OPERATION", "CHANGE", "OUTCOME", "DETAIL"], width);
    for operation in &answer.operations {
        let tone = if operation.outcome == "done" { Tone::Plain } else { Tone::Bad };
        table.row(vec![
            (operation.sequence.to_string(), tone),
            (operation.at.clone(), Tone::Plain),
            (operation.actor.clone(), Tone::Plain),
            (operation.operation.clone(), Tone::Plain),
            (operation.identity.clone().unwrap_or_default(), Tone::Plain),
            (operation.outcome.clone(), Tone::Plain),
            (detail(operation), Tone::Plain),
        ]);
    }
    table.right(0);
    table.render()
}

/// What the detail says for people: the reason of a failure, else its short values.
fn detail(operation: &OperationLine) -> String {
    let Some(fields) = operation.detail.as_object() else { return String::new() };
    if let Some(message) = fields.get("message").or_else(|| fields.get("error")).and_then(|message| message.as_str()) {
        return short(message, 100);
    }
    let values = fields.iter().filter(|(name, _)| *name != "run").filter_map(|(name, value)| match value {
        serde_json::Value::String(text) if name == "name" => Some(short(text, 60)),
        // Hashes and the like are for programs; they stand in the JSON.
        serde_json::Value::String(text) if text.len() <= 40 => Some(format!("{name} {}", short(text, 40))),
        serde_json::Value::Number(number) => Some(format!("{name} {number}")),
        _ => None,
    });
    values.collect::<Vec<_>>().join(", ")
}
