//! What runs around the steps of a migrate.

use limosa_sql::{Diagnostic, Label};

use super::{Policy, limits, losses};
use crate::assess::not_applicable_by;
use crate::{
    Action, Callback, CallbackWork, Headers, Identity, PlannedCallback, PlannedWork, Script, Step, Surroundings, Work,
};

/// The callbacks that apply here.
///
/// # Errors
/// Those that cannot be run as the run is asked for.
pub(super) fn planned(
    callbacks: &[Callback],
    policy: &Policy,
    around: &Surroundings,
) -> Result<Vec<PlannedCallback>, Vec<Diagnostic>> {
    let mut planned = Vec::new();
    let mut problems = Vec::new();
    for callback in callbacks.iter().filter(|callback| not_applicable_by(&callback.headers, around).is_none()) {
        let work = match &callback.work {
            CallbackWork::Command(file) => PlannedWork::Command(file.clone()),
            CallbackWork::Script(script) => PlannedWork::Sql(Box::new(step(callback, script, policy))),
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
        let help = "a pooler in transaction mode stands between; set direct_url to the server itself";
        return Some(Diagnostic::error("LIM-P008", message).at(Label::file(file)).help(help));
    }
    let shares = !callback.event.is_each() || callback.shares(around.engine);
    if policy.single_transaction && !shares {
        let message = format!("{file} cannot be part of a single transaction, and runs with each migration");
        let help = "run without --single-transaction";
        return Some(Diagnostic::error("LIM-P009", message).at(Label::file(file)).help(help));
    }
    None
}

fn step(callback: &Callback, script: &Script, policy: &Policy) -> Step {
    let headers: &Headers = &callback.headers;
    let identity = match callback.name.as_str() {
        "" => format!("callback:{}", callback.event),
        name => format!("callback:{}:{name}", callback.event),
    };
    Step {
        identity: Identity::new(identity),
        label: callback.event.name().to_owned(),
        version: None,
        name: if callback.name.is_empty() { callback.event.name().to_owned() } else { callback.name.clone() },
        action: Action::Apply,
        work: Work::File {
            file: script.file.clone(),
            start: script.span.start,
            end: script.span.end,
            position: script.start,
        },
        losses: losses(&script.outline),
        outline: script.outline.clone(),
        joins_previous: false,
        limits: limits(headers, policy),
        undo: None,
        depends_on: Vec::new(),
        file_checksum: script.file_checksum.clone(),
        up_checksum: script.up_checksum.clone(),
        placeholders_off: headers.placeholders_off,
    }
}
