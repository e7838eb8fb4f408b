//! What the server says beside the outcome of a statement: warnings, and more about an error.

use super::statements;
use super::wire::Wire;
use crate::{DbError, FlightObserver, Notice, Row};

/// Asks for the warnings of the statement before it, as many of them as the server keeps by default.
pub(super) const READ: &str = "show warnings limit 64";

/// Tells the warnings of the last statement, `count` of them. Where the next statement asks for counts (see
/// [`asks_for_counts`]) they are not `readable`.
pub(super) async fn tell(
    wire: &mut Wire,
    count: u16,
    readable: bool,
    observer: &mut dyn FlightObserver,
) -> Result<(), DbError> {
    if readable {
        tell_rows(&read(wire).await?, count, observer);
    } else {
        observer.notice(about(format!(
            "the statement gave {count} warnings; they were not read, because the next one asks for its row count"
        )));
    }
    Ok(())
}

/// Tells the warnings of a statement, `count` of them, of which these `rows` were read.
pub(super) fn tell_rows(rows: &[Row], count: u16, observer: &mut dyn FlightObserver) {
    for row in rows {
        observer.notice(notice(row));
    }
    if let Some(more) = usize::from(count).checked_sub(rows.len()).filter(|more| *more > 0) {
        observer.notice(about(format!("the statement gave {more} more warnings, which are not shown")));
    }
}

/// What the server knows of an error beyond its message.
pub(super) async fn more(wire: &mut Wire, error: &DbError) -> Option<String> {
    if wire.is_lost() {
        return None;
    }
    let rows = read(wire).await.ok()?;
    let number = error.code.as_ref().and_then(|code| code.split(' ').next()?.parse::<i64>().ok());
    let others = rows.iter().filter(|row| row.integer(1) != number).filter_map(|row| row.text(2));
    let text = others.collect::<Vec<_>>().join("\n");
    (!text.is_empty()).then_some(text)
}

async fn read(wire: &mut Wire) -> Result<Vec<Row>, DbError> {
    let answer = statements::text(wire, READ).await;
    answer.map(|answer| answer.rows).map_err(super::wire::Failure::into_error)
}

/// Level, number, message.
fn notice(row: &Row) -> Notice {
    Notice {
        severity: if row.text(0).as_deref() == Some("Note") { "NOTICE" } else { "WARNING" }.to_owned(),
        message: row.text(2).unwrap_or_default(),
        detail: None,
        hint: None,
        code: row.text(1),
    }
}

fn about(message: String) -> Notice {
    Notice { severity: "WARNING".to_owned(), message, detail: None, hint: None, code: None }
}

/// True for a statement that may ask for `row_count()` or `found_rows()`: reading warnings before it would change them.
pub(super) fn asks_for_counts(sql: &str) -> bool {
    let sql = sql.to_ascii_lowercase();
    ["row_count", "found_rows"].iter().any(|name| sql.contains(name))
}
