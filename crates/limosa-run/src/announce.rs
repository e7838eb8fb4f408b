//! Tells that steps begin.

use std::sync::atomic::Ordering;

use limosa_core::Step;
use limosa_db::Notice;

use crate::Event;
use crate::conduct::Run;

/// Tells that a step begins, once.
pub(crate) fn announce(run: &Run<'_>, at: usize) {
    if run.announced.fetch_max(at + 1, Ordering::Relaxed) > at {
        return;
    }
    let step = &run.plan.steps[at];
    for notice in left_out(step) {
        run.context.events.event(Event::Notice { label: step.label.clone(), notice });
    }
    run.context.events.event(started(step, at, run.plan.steps.len()));
}

/// The event that a step begins; `at` is its place among `of`, from 0.
pub(crate) fn started(step: &Step, at: usize, of: usize) -> Event {
    Event::StepStarted {
        number: at + 1,
        of,
        identity: step.identity.clone(),
        label: step.label.clone(),
        name: step.name.clone(),
        statements: step.outline.statements,
    }
}

/// What of a script is not sent, and why: the first of each reason, with the number of them all.
pub(crate) fn left_out(step: &Step) -> Vec<Notice> {
    let mut notices: Vec<Notice> = Vec::new();
    let all = &step.outline.left_out;
    for (at, left) in all.iter().enumerate() {
        if all[..at].iter().any(|before| before.why == left.why) {
            continue;
        }
        let count = all.iter().filter(|other| other.why == left.why).count();
        let more = if count > 1 { format!(", as {} more of its kind", count - 1) } else { String::new() };
        notices.push(Notice {
            severity: "WARNING".to_owned(),
            message: format!(
                "statement {}, {}, in line {}, {}{more}",
                left.statement,
                left.verb,
                left.position.line,
                left.why.words()
            ),
            detail: None,
            hint: None,
            code: None,
        });
    }
    notices
}
