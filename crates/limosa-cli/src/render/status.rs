//! The state of each change.

use limosa::report::{ChangeLine, StatusAnswer};
use limosa::{Diagnostic, State};

use super::adopt;
use super::done::audit_head;
use super::style::Tone;
use super::table::Columns;
use super::target;
use super::time::milliseconds;

/// The changes as a table, and what to do.
pub(crate) fn render(answer: &StatusAnswer, width: Option<u16>) -> String {
    let mut text = format!("{}\n", target::words(&answer.target));
    if let Some(reason) = &answer.format_reason {
        text.push_str(&format!("files are read as {}, for {reason}\n", answer.format));
    }
    if !answer.changes.is_empty() {
        text.push('\n');
        text.push_str(&table(&answer.changes, width));
        text.push('\n');
    }
    if let Some(adopted) = &answer.adopted {
        text.push_str(&format!("{}\n", adopt::before(adopted)));
    }
    if let Some(runner) = &answer.runner {
        text.push_str(&Tone::Doubtful.paint(&target::runner(runner)));
        text.push('\n');
    }
    text.push_str(&summary(answer));
    if let Some(head) = &answer.audit_head {
        text.push_str(&audit_head(head));
    }
    text
}

fn table(changes: &[ChangeLine], width: Option<u16>) -> String {
    let mut table = Columns::new(&["VERSION", "NAME", "STATE", "APPLIED AT", "BY", "TIME", "WAY BACK", "NOTE"], width);
    for change in changes {
        let tone = tone(change.state);
        let time = change.execution_ms.and_then(|time| u64::try_from(time).ok()).map(milliseconds).unwrap_or_default();
        table.row(vec![
            (change.version.to_string(), tone),
            (change.name.to_string(), Tone::Plain),
            (change.state.title().to_owned(), Tone::Plain),
            (change.applied_at.clone().unwrap_or_default(), Tone::Plain),
            (change.applied_by.clone().unwrap_or_default(), Tone::Plain),
            // One width for all but very long times, so that the columns behind it do not jump from look to look.
            (format!("{time:>8}"), Tone::Plain),
            (if change.has_rollback { "yes" } else { "no" }.to_owned(), Tone::Plain),
            (change.reason.clone().unwrap_or_default(), Tone::Plain),
        ]);
    }
    table.right(5);
    table.render()
}

fn tone(state: State) -> Tone {
    match state {
        State::Pending | State::Outdated => Tone::Strong,
        State::OutOfOrder | State::Failed | State::Missing => Tone::Doubtful,
        State::Changed | State::Partial | State::Reverting => Tone::Bad,
        State::NotApplicable => Tone::Faint,
        _ => Tone::Plain,
    }
}

fn summary(answer: &StatusAnswer) -> String {
    let is = |state: State| answer.changes.iter().any(|change| change.state == state);
    let mut text = match answer.ledger_exists {
        true => format!("{} applied, {} pending", answer.applied, answer.pending),
        false => format!("nothing was ever run here, {} pending", answer.pending),
    };
    let next = if answer.notices.iter().any(Diagnostic::is_error) {
        Some("migration files have errors, and nothing is run until they are mended: see limosa validate")
    } else if answer.notices.iter().any(|notice| notice.code == "LIM-P020") {
        Some("another tool has migrated this database: take it over with limosa adopt")
    } else if answer.notices.iter().any(|notice| notice.code == "LIM-P040") {
        Some(
            "this database holds tables that no migration here has made: nothing is run until somebody says what they are",
        )
    } else if is(State::Partial) || is(State::Reverting) {
        Some(
            "begun and not ended: the same command goes on there, or says what a person has to settle; see limosa repair",
        )
    } else if is(State::Changed) || is(State::Missing) {
        Some("files and ledger disagree: see limosa validate")
    } else if answer.notices.iter().any(|notice| notice.code == "LIM-P005") {
        Some("nothing is run while a migration comes late: see limosa validate")
    } else if answer.pending > 0 {
        Some("to run what is pending: limosa migrate")
    } else {
        None
    };
    text.push('\n');
    if let Some(next) = next {
        text.push_str(next);
        text.push('\n');
    }
    text
}
