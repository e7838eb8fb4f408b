//! What runs around the steps of a migrate, or of a rollback.

use limosa_sql::{Diagnostic, Label};
use thin_vec::ThinVec;

use super::{PAST_THE_POOLER, Policy, SEVERAL_TRANSACTIONS, limits, losses, needs_session};
use crate::assess::not_applicable_by;
use crate::{
    Action, Callback, CallbackWork, Direction, Headers, Outline, PlannedCallback, PlannedWork, Script, Shared, Step,
    Surroundings, Work,
};

/// The callbacks of runs in this direction that apply here.
///
/// # Errors
/// Those that cannot be run as the run is asked for.
pub(super) fn planned(
    callbacks: &[Callback],
    direction: Direction,
    policy: &Policy,
    around: &Surroundings,
) -> Result<Vec<PlannedCallback>, Vec<Diagnostic>> {
    let mut planned = Vec::new();
    let mut problems = Vec::new();
    let meant = callbacks.iter().filter(|callback| callback.event.direction() == direction);
    for callback in meant.filter(|callback| not_applicable_by(&callback.headers, around).is_none()) {
        let work = match &callback.work {
            CallbackWork::Command(file) => PlannedWork::Command(file.clone()),
            CallbackWork::Script(script) => PlannedWork::Sql(Box::new(script_step(callback, script, policy))),
            CallbackWork::Code(origin) => PlannedWork::Code(Box::new(code_step(callback, origin, policy))),
        };
        let callback = PlannedCallback { event: callback.event, work };
        problems.extend(problem(&callback, policy, around));
        planned.push(callback);
    }
    super::refuse(problems)?;
    Ok(planned)
}

fn problem(callback: &PlannedCallback, policy: &Policy, around: &Surroundings) -> Option<Diagnostic> {
    let file = callback.file();
    let is_atomic = callback.step().is_none_or(|step| step.outline.is_atomic());
    if around.transactions_only && !is_atomic {
        let message = format!("{file} needs a direct connection");
        return Some(Diagnostic::error("LIM-P008", message).at(Label::file(file)).help(PAST_THE_POOLER));
    }
    if let Some(problem) = callback.step().and_then(|step| needs_session(&step.outline, file, around)) {
        return Some(problem);
    }
    let shares = !callback.event.is_each() || callback.shares(around.engine);
    if policy.single_transaction && !shares {
        let message = format!("{file} cannot be part of a single transaction, and runs with each migration");
        return Some(Diagnostic::error("LIM-P009", message).at(Label::file(file)).help(SEVERAL_TRANSACTIONS));
    }
    None
}

fn script_step(callback: &Callback, script: &Shared<Script>, policy: &Policy) -> Step {
    step(callback, Work::File(script.clone()), script.outline.clone(), policy)
}

fn code_step(callback: &Callback, origin: &str, policy: &Policy) -> Step {
    step(callback, Work::Code(Script::of_code(origin, origin, Shared::default()).into()), Shared::default(), policy)
}

fn step(callback: &Callback, work: Work, outline: Shared<Outline>, policy: &Policy) -> Step {
    let headers: &Headers = &callback.headers;
    Step {
        identity: callback.identity(),
        label: callback.event.name().into(),
        is_versioned: false,
        name: if callback.name.is_empty() { callback.event.name() } else { &*callback.name }.into(),
        action: Action::Apply,
        work,
        losses: losses(&outline),
        outline,
        joins_previous: false,
        limits: limits(headers, policy),
        undo: None,
        depends_on: ThinVec::new(),
        placeholders_off: headers.placeholders_off,
        rank: None,
        adds_row: false,
        has_journal: false,
        inherits: None,
        because: None,
        hands_on: false,
        goes_on: false,
        begins_with: ThinVec::new(),
        proof: None,
        guard: headers.guard.clone(),
    }
}
