//! A file goes on where it stopped only where its first half is the one that ran.

use limosa_sql::{Diagnostic, Label};

use crate::{AppliedRow, Change, FirstPart, Identity};

/// Why a file may not go on behind its first statements as they are now.
pub fn other_first_part(change: &Change, row: &AppliedRow, part: &FirstPart) -> Option<Diagnostic> {
    let (file, done, id) = (&change.script.file, row.statements_done, &change.identity);
    let accept = format!("limosa repair --accept {id}");
    let problem = match part {
        FirstPart::Same => return None,
        FirstPart::OtherText => {
            let message =
                format!("{file} was changed in its first {done} statements, which ran already and are committed");
            Diagnostic::error("LIM-P006", message).help(format!(
                "put those statements back as they were; from the failed statement on the file may be edited. Where they have the same \
                 effect as they stand now, go on behind them: {accept}"
            ))
        }
        FirstPart::OtherValues(names) => {
            let names = placeholders_named(names);
            let message = format!(
                "the first {done} statements of {file} ran with another value of {names} and are committed; the rest would run with \
                 today's"
            );
            Diagnostic::error("LIM-P036", message).help(format!(
                "give it the value that it had then. Where the rest is meant to run with today's: {accept}"
            ))
        }
    };
    Some(problem.at(Label::file(change.script.file.as_str())))
}

/// The same for a way back.
pub(super) fn other_first_part_back(id: &Identity, part: &FirstPart) -> Option<Diagnostic> {
    match part {
        FirstPart::Same => None,
        FirstPart::OtherText => Some(
            Diagnostic::error("LIM-P006", format!("the way back of {id} was changed in statements that ran already"))
                .help("put those statements back as they were; from the failed statement on it may be edited"),
        ),
        FirstPart::OtherValues(names) => {
            let names = placeholders_named(names);
            let message = format!(
                "the first statements of the way back of {id} ran with another value of {names} and are committed; the rest would \
                 run with today's"
            );
            Some(Diagnostic::error("LIM-P036", message).help(format!(
                "give it the value that it had then; or finish the way back by hand, and then: limosa repair --mark-not-applied {id}"
            )))
        }
    }
}

/// `the placeholder a`, or `one of the placeholders a, b`.
fn placeholders_named(names: &[String]) -> String {
    match names {
        [] => "a placeholder".to_owned(),
        [name] => format!("the placeholder {name}"),
        names => format!("one of the placeholders {}", names.join(", ")),
    }
}
