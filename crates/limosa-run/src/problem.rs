//! Errors of a database, told in the user's terms: which file, which line, which statement, and what to do.

use limosa_db::{DbError, DbErrorKind, missing_ledger};
use limosa_sql::{Diagnostic, Effect, Engine, Label, Position};

use crate::feed::{Log, Purpose, Sent};

/// The purpose of the item that failed.
pub(crate) fn purpose_of(log: &Log, item: u64) -> Option<Purpose> {
    let exact = log.open.iter().find(|(number, _)| *number == item).map(|(_, purpose)| purpose.clone());
    exact
        .or_else(|| log.copying.clone().map(Purpose::Statement))
        // The start of a COPY does not land by itself; its end stands in the log for it.
        .or_else(|| log.open.iter().find(|(number, _)| *number > item).map(|(_, purpose)| purpose.clone()))
}

/// The error of a statement of the user's.
pub(crate) fn statement_problem(engine: Engine, sent: &Sent, error: &DbError) -> Diagnostic {
    let statement = &sent.statement;
    let class = statement.class();
    let what = if class.verb.is_empty() { "statement".to_owned() } else { class.verb.clone() };
    let code = error.code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
    let message = format!("{}{code}: statement {} of {}, {what}", error.message, statement.number, sent.of);
    let offset = error.position.map_or(0, |at| sent.expanded.original_offset(at));
    let label = match copied_line(error).filter(|_| class.effect == Effect::CopyFromStdin) {
        Some(line) => {
            let first = statement.position.after(statement.piece.statement()).line + 1;
            Label::place(sent.origin.as_str(), Position { line: first + line - 1, column: 1 }).text("this row")
        }
        None if error.position.is_some() => statement.label(&sent.origin, offset).text("here"),
        None => statement.label(&sent.origin, offset).text("this statement"),
    };
    let mut diagnostic = Diagnostic::error(code_for(error.kind), message).at(label);
    let mut help = Vec::new();
    if let Some(detail) = &error.detail {
        help.push(format!("detail: {detail}"));
    }
    if let Some(hint) = error.hint.clone().or_else(|| own_hint(error)) {
        help.push(format!("hint: {hint}"));
    }
    if error.kind == DbErrorKind::UndefinedTable
        && let Some((tool, statement)) = missing_ledger(engine, &error.message)
    {
        help.push(format!(
            "{tool} keeps its record in that table, and this file uses it; make it without rows, and run again: {statement}"
        ));
    }
    if let Some(query) = &error.internal_query {
        help.push(format!("inside: {}", first_line(query)));
    }
    if let Some(context) = &error.context {
        help.push(format!("context: {}", context.trim()));
    }
    if !help.is_empty() {
        diagnostic = diagnostic.help(help.join("\n"));
    }
    diagnostic
}

/// The line of the data that COPY stumbled over, from 1, as the first line of the context says: `COPY t, line 3, column n`.
fn copied_line(error: &DbError) -> Option<u64> {
    let context = first_line(error.context.as_deref()?);
    let line = context.strip_prefix("COPY ")?.split(", line ").nth(1)?;
    let digits = line.find(|c: char| !c.is_ascii_digit()).unwrap_or(line.len());
    line[..digits].parse().ok().filter(|line| *line > 0)
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default()
}

/// What we know beyond the server's hint.
pub(crate) fn own_hint(error: &DbError) -> Option<String> {
    let hint = match (error.code.as_deref(), error.kind) {
        (Some("2D000"), _) => {
            "a procedure that commits cannot run inside a transaction; put '-- Transaction: none' at the head of the file"
        }
        (Some("25001"), _) => {
            "this statement cannot run inside a transaction; put '-- Transaction: none' at the head of the file"
        }
        (_, DbErrorKind::Cancelled) if error.message.contains("statement timeout") => {
            "allow more with --statement-timeout, or for this file with a header '-- Statement-timeout: 10min'"
        }
        (Some("25P02"), _) => "an earlier statement of the same transaction failed",
        (_, DbErrorKind::LockTimeout) => {
            "somebody else holds a lock on it; run again when it has ended, or allow more with --lock-timeout"
        }
        (Some(code), DbErrorKind::PermissionDenied) if code.contains(" (") => {
            "the user lacks a right; grant it (SHOW GRANTS lists those that it has)"
        }
        (_, DbErrorKind::PermissionDenied) => {
            "the user lacks a right; grant it, or set 'role' to the owner of the objects"
        }
        (_, DbErrorKind::ReadOnly) => "this is a standby or a read-only session; use the address of the primary",
        (_, DbErrorKind::Resources) => "the server is out of disk or memory; nothing of this transaction was kept",
        _ => return None,
    };
    Some(hint.to_owned())
}

pub(crate) fn code_for(kind: DbErrorKind) -> &'static str {
    match kind {
        DbErrorKind::LockTimeout => "LIM-R003",
        DbErrorKind::Deadlock | DbErrorKind::Serialization => "LIM-R004",
        DbErrorKind::Cancelled => "LIM-R005",
        DbErrorKind::ConnectionLost => "LIM-R006",
        DbErrorKind::Resources => "LIM-R042",
        DbErrorKind::PermissionDenied | DbErrorKind::ReadOnly => "LIM-R043",
        _ => "LIM-R002",
    }
}

/// The error of something of limosa's own, around the statements of a file.
pub(crate) fn own_problem(purpose: Option<&Purpose>, file: &str, error: &DbError) -> Diagnostic {
    let (code, message, help) = match (purpose, error.kind) {
        (_, DbErrorKind::ConnectionLost) => (
            "LIM-R006",
            format!("the connection was lost: {}", error.message),
            "run again: limosa looks at the ledger first, and knows what stands".to_owned(),
        ),
        (Some(Purpose::Fence | Purpose::Ledger), DbErrorKind::DivisionByZero)
        | (Some(Purpose::Ledger), DbErrorKind::NotNull | DbErrorKind::Statement)
            if error.message.contains("step_mark") || error.message.contains("SAVEPOINT limosa_step") =>
        {
            (
                "LIM-R007",
                format!("{file} ended the transaction that limosa had opened for it; nothing was recorded"),
                "a statement in it commits or rolls back by itself; put '-- Transaction: none' at the head of the file"
                    .to_owned(),
            )
        }
        // Where it was rolled back, what it began with is as well: until then the session only reads (`entries::begin_guarded`).
        (Some(Purpose::Ledger), DbErrorKind::ReadOnly) => (
            "LIM-R007",
            format!("{file} ended the transaction that limosa had opened for it, or made it read-only; nothing was recorded"),
            "a statement in it rolls back by itself, or sets the transaction read-only; put '-- Transaction: none' at the head of the file"
                .to_owned(),
        ),
        (Some(Purpose::Fence | Purpose::Ledger), DbErrorKind::DivisionByZero | DbErrorKind::NotNull) => lease_lost(),
        // How the guards speak on MySQL: by a subquery of two rows.
        (Some(Purpose::Fence | Purpose::Ledger), _) if error.number() == Some("1242") => lease_lost(),
        (Some(Purpose::Constraints | Purpose::Commit), _) => (
            "LIM-R009",
            format!("{file} failed at its commit: {}", error.message),
            error
                .detail
                .clone()
                .unwrap_or_else(|| "a deferred constraint is checked at the commit; nothing was kept".to_owned()),
        ),
        (Some(Purpose::Made), _) => (
            code_for(error.kind),
            format!("{file} uses the table of another tool, which could not be made: {}", error.message),
            "nothing of this migration was kept; give the right to create tables there, or make the table by hand".to_owned(),
        ),
        (Some(Purpose::Kept), _) => (
            code_for(error.kind),
            format!("the row in the table of the other tool, which is kept too, could not be written: {}", error.message),
            "nothing of this migration was kept; look at that table, and at the rights on it (select, insert, delete); \
             to keep it no longer: limosa adopt"
                .to_owned(),
        ),
        _ => (
            code_for(error.kind),
            error.message.clone(),
            error
                .hint
                .clone()
                .or_else(|| own_hint(error))
                .unwrap_or_else(|| "limosa could not write its ledger".to_owned()),
        ),
    };
    let message = match &error.code {
        Some(code) if !message.contains(code.as_str()) => format!("{message} ({code})"),
        _ => message,
    };
    Diagnostic::error(code, message).at(Label::file(file)).help(help)
}

fn lease_lost() -> (&'static str, String, String) {
    (
        "LIM-R008",
        "the lease was lost: another runner has taken over".to_owned(),
        "nothing of this transaction was kept; see what the other one did: limosa history".to_owned(),
    )
}
