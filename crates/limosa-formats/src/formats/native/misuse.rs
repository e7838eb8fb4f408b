//! What to say of statements whose transactions cannot be run.

use limosa_core::OutlineError;
use limosa_sql::{Diagnostic, Label};

use crate::codes;

/// The message for statements whose transactions cannot be run.
pub(crate) fn transaction_misuse(path: &str, error: &OutlineError, line: Option<String>) -> Diagnostic {
    let help = match error {
        OutlineError::LeftOpen { .. } => {
            "end the file with COMMIT, or leave out BEGIN: limosa opens a transaction itself"
        }
        OutlineError::EndsNothing { .. } => "leave it out: limosa commits by itself",
        OutlineError::CannotRunInside { .. } => {
            "take out 'Transaction: always', or move the statement into a migration of its own"
        }
        OutlineError::LeavesBehind { .. } => "a migration ends each transaction that it begins",
        OutlineError::NestedBegin { .. } => "leave out the second BEGIN, or use SAVEPOINT",
        OutlineError::InsideOwn { .. } => {
            "move the statement into a migration of its own, or leave out BEGIN and COMMIT"
        }
        OutlineError::CommittedBeforeRollback { .. } => {
            "move the statement out of the transaction, or leave out ROLLBACK"
        }
        OutlineError::Disconnects { .. } => "leave out RELEASE",
        OutlineError::NextTransaction { .. } => "write SET SESSION TRANSACTION, which holds for the rest of the file",
        OutlineError::LocksLedger { .. } => {
            "leave it out: limosa lets one run at a time write, and others are stopped where they run"
        }
    };
    let mut label = Label::place(path, error.position());
    if let Some(line) = line {
        let indent = usize::try_from(error.position().column.saturating_sub(1)).unwrap_or_default().min(300);
        label = label.length(line.chars().count() as u64).line(format!("{}{line}", " ".repeat(indent)));
    }
    Diagnostic::error(codes::TRANSACTION_MISUSE, error.to_string()).at(label).help(help)
}
