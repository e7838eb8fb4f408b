//! SQLite: pragmas that count here otherwise than with the tool that the files were written for.

use limosa_sql::{Diagnostic, Label, Severity};

use super::SharedSession;
use crate::Step;

/// A note for each file that switches foreign keys where its tool runs it within a transaction, in which SQLite ignores that.
pub(super) fn ignored_by(tool: Option<&'static str>, steps: &[Step]) -> Vec<Diagnostic> {
    let Some(tool) = tool else { return Vec::new() };
    steps.iter().filter(|step| step.outline.is_atomic()).filter_map(|step| ignored(tool, step)).collect()
}

/// A note where a file leaves them switched, and its tool would run those behind it so: how far that reaches there depends on where a run
/// begins and ends, and rows on it.
pub(super) fn left_by(
    shared: Option<SharedSession>,
    ignores: Option<&'static str>,
    steps: &[Step],
) -> Option<Diagnostic> {
    let tool = shared?.tool;
    let differing = steps.windows(2).filter_map(|pair| {
        let [step, next] = pair else { return None };
        let counts = ignores.is_none() || !step.outline.is_atomic();
        let left = step.outline.leaves_foreign_keys.filter(|_| counts)?;
        (left == next.outline.foreign_keys.are_ignored()).then_some((step, left))
    });
    let mut differing = differing.peekable();
    let (step, left) = *differing.peek()?;
    let (file, others) = (step.work.origin(), differing.count() - 1);
    let more = if others > 0 { format!(" (so do {others} more)") } else { String::new() };
    let [there, here] = if left { ["ON", "OFF"] } else { ["OFF", "ON"] };
    let message = format!(
        "{file} leaves PRAGMA foreign_keys = {there}{more}: with {tool} the files behind it in the same run have it so; here each begins with {here}"
    );
    let help = format!("a file that relies on it says it itself, at its head: PRAGMA foreign_keys = {there};");
    Some(Diagnostic::new("LIM-P039", Severity::Note, message).at(Label::file(file)).help(help))
}

fn ignored(tool: &str, step: &Step) -> Option<Diagnostic> {
    if step.outline.switches_in_vain {
        let file = step.work.origin();
        let message = format!(
            "{file} says PRAGMA foreign_keys = ON, which has no effect: it runs in a transaction, as with {tool}, in which SQLite ignores it"
        );
        let help = "rows of children stay where their parents go; to run with it, give the file the words by which its tool leaves the \
                    transaction out";
        return Some(Diagnostic::new("LIM-P035", Severity::Note, message).at(Label::file(file)).help(help));
    }
    let (begins, enforces) = (!step.outline.foreign_keys.are_ignored(), step.outline.enforces_foreign_keys());
    if begins == enforces {
        return None;
    }
    let file = step.work.origin();
    let [here, there, rows] = match enforces {
        true => ["ON", "off", "rows of children stay, and may point nowhere"],
        false => ["OFF", "on", "rows of children go with their parents, or the file fails"],
    };
    let message = format!(
        "{file} runs with PRAGMA foreign_keys = {here}, as it says; {tool} has a transaction open around it, in which SQLite ignores the PRAGMA"
    );
    let help =
        format!("with {tool} foreign keys are {there}: {rows}; take the PRAGMA out of the file where that is meant");
    Some(Diagnostic::new("LIM-P035", Severity::Note, message).at(Label::file(file)).help(help))
}
