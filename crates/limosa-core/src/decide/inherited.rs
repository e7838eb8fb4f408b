//! What a file sets for its session and its tool lets reach the files behind it.

use std::collections::HashMap;
use std::sync::Arc;

use limosa_sql::{Diagnostic, Engine, Label};

use super::SharedSession;
use crate::{Action, Identity, Inherited, Outline, PlannedCallback, Step};

/// Settings that each step begins with a value of its own: limosa's time-outs, and SQLite's foreign keys, which no pragma within the
/// transaction of a tool switches.
const OF_EACH_STEP: &[&str] =
    &["lock_timeout", "statement_timeout", "lock_wait_timeout", "innodb_lock_wait_timeout", "foreign_keys"];

/// Tells each step, and the callbacks around it, what those before it leave in the session. A warning where the tool would let it reach
/// them and this connection cannot.
pub(super) fn inherit(
    steps: &mut [Step],
    callbacks: &mut [PlannedCallback],
    shared: Option<SharedSession>,
    is_pooled: bool,
    engine: Engine,
) -> Option<Diagnostic> {
    let shared = shared?;
    if is_pooled {
        return ends_behind_a_pooler(steps, shared, engine);
    }
    let mut each: Vec<&mut Step> = match shared.with_callbacks {
        true => callbacks
            .iter_mut()
            .filter(|callback| callback.event.is_each())
            .filter_map(PlannedCallback::step_mut)
            .collect(),
        false => Vec::new(),
    };
    let mut around = Inherited { puts_back: shared.puts_back, ..Inherited::default() };
    each.iter().for_each(|callback| add(&mut around, &callback.outline, shared, engine));
    // Where something runs around each step, nothing may be put back between the two.
    let is_among_callbacks = !each.is_empty();
    let mut left = is_among_callbacks.then(|| Arc::new(around.clone()));
    let count = steps.len();
    for (at, step) in steps.iter_mut().enumerate() {
        if !step.outline.is_atomic()
            && let Some(before) = left.as_deref().filter(|before| !before.locals.is_empty())
        {
            left = Some(Arc::new(Inherited { locals: Vec::new(), ..before.clone() }));
        }
        step.inherits.clone_from(&left);
        step.goes_on = is_among_callbacks;
        if leaves(&step.outline, shared, engine) {
            let before = left.as_deref();
            let mut more = before.unwrap_or(&around).clone();
            add(&mut more, &step.outline, shared, engine);
            if before != Some(&more) {
                left = Some(Arc::new(more));
            }
        }
        step.hands_on = left.is_some() && (is_among_callbacks || at + 1 < count);
    }
    for callback in &mut each {
        callback.inherits.clone_from(&left);
        (callback.goes_on, callback.hands_on) = (true, true);
    }
    None
}

fn add(inherited: &mut Inherited, outline: &Outline, shared: SharedSession, engine: Engine) {
    inherited.add(outline.settings.iter().filter(|name| reaches_next(name, shared, engine)), outline.unseen);
    if !shared.one_transaction || !outline.is_atomic() {
        return;
    }
    let is_carried = |name: &&String| reaches_next(name, shared, engine) && !name.starts_with("transaction_");
    for name in outline.local_settings.iter().filter(is_carried) {
        if !inherited.locals.contains(name) {
            inherited.locals.push(name.clone());
        }
    }
}

/// Those of the interrupted steps that would go on in a session which lacks what the first half had.
pub(super) fn goes_on_without(
    steps: &[Step],
    set_before: &HashMap<Identity, Vec<String>>,
    shared: Option<SharedSession>,
    engine: Engine,
) -> Vec<Diagnostic> {
    let Some(shared) = shared else { return Vec::new() };
    let problem = |step: &Step| {
        let Action::Resume { done } = step.action else { return None };
        let is_lost = |name: &&String| reaches_next(name, shared, engine);
        let lost: Vec<&str> = set_before.get(&step.identity)?.iter().filter(is_lost).map(String::as_str).collect();
        if lost.is_empty() {
            return None;
        }
        let (label, lost, next, id) = (&step.label, lost.join(", "), done + 1, &step.identity);
        let message = format!(
            "{label} would go on in a session without {lost}, which files before it had set in the run that was interrupted"
        );
        let help = format!(
            "statements 1 to {done} ran with it and are committed. Either\n  set it in the file, as statement {next} (from there on it may be \
             edited), and run again, or\n  finish the file by hand, and then:   limosa repair --mark-applied {id}"
        );
        Some(Diagnostic::error("LIM-P031", message).at(Label::file(step.work.origin())).help(help))
    };
    steps.iter().filter_map(problem).collect()
}

/// `RESET ALL` leaves what a fresh session has.
fn is_left(name: &str) -> bool {
    !OF_EACH_STEP.contains(&name) && name != "all"
}

fn reaches_next(name: &str, shared: SharedSession, engine: Engine) -> bool {
    is_left(name) && !shared.puts_back.covers(engine, name)
}

/// On PostgreSQL any statement may: a block or a function sets what its words do not say.
fn leaves(outline: &Outline, shared: SharedSession, engine: Engine) -> bool {
    engine == Engine::Postgres
        || outline.unseen
        || outline.settings.iter().any(|name| reaches_next(name, shared, engine))
}

/// Each transaction may get another connection of the pooler's, so that nothing can be left in one.
fn ends_behind_a_pooler(steps: &[Step], shared: SharedSession, engine: Engine) -> Option<Diagnostic> {
    let tool = shared.tool;
    let ahead = steps.split_last().map_or(steps, |(_, ahead)| ahead);
    let mut setting = ahead.iter().filter_map(|step| {
        let names = step.outline.settings.iter().map(String::as_str);
        let names: Vec<&str> = names.filter(|name| reaches_next(name, shared, engine)).collect();
        (!names.is_empty()).then_some((step, names))
    });
    let (step, names) = setting.next()?;
    let (file, sets, others) = (step.work.origin(), names.join(", "), setting.count());
    let more = if others > 0 { format!(" (so do {others} more)") } else { String::new() };
    let message = format!("{file} sets {sets} for its session{more}, which ends with the file behind a pooler");
    let help = format!(
        "{tool} keeps it for the files behind it in the same run: set direct_url to the server itself, or set it in each file that relies on it"
    );
    Some(Diagnostic::warning("LIM-P030", message).at(Label::file(file)).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PutsBack, Shape};

    #[test]
    fn what_may_be_left_in_a_session() {
        let sets = |names: &[&str], unseen| -> Outline {
            let shape =
                Shape { settings: names.iter().map(|name| (*name).to_owned()).collect(), unseen, ..Shape::default() };
            shape.into()
        };
        let shared =
            |puts_back| SharedSession { tool: "one", puts_back, with_callbacks: false, one_transaction: false };
        for (names, unseen, engine, expected) in [
            (&["search_path"][..], false, Engine::Postgres, true),
            (&["lock_timeout", "statement_timeout"], false, Engine::Postgres, true),
            (&["lock_timeout", "role"], false, Engine::Postgres, true),
            (&[], false, Engine::Postgres, true),
            (&[], false, Engine::Mysql, false),
            (&[], true, Engine::Mysql, true),
            (&["innodb_lock_wait_timeout"], false, Engine::Mysql, false),
            (&["@old_sql_mode"], false, Engine::Mysql, true),
            (&["foreign_keys"], false, Engine::Sqlite, false),
            (&["recursive_triggers"], false, Engine::Sqlite, true),
        ] {
            let found = leaves(&sets(names, unseen), shared(PutsBack::Nothing), engine);
            assert_eq!(found, expected, "{names:?} {unseen} {engine:?}");
        }
        for (names, unseen, engine, expected) in [
            (&["@old_sql_mode", "foreign_key_checks", "sql_safe_updates"][..], false, Engine::Mysql, false),
            (&["@old_sql_mode", "sql_mode"], false, Engine::Mysql, true),
            (&[], true, Engine::Mysql, true),
            (&["role", "search_path"], false, Engine::Postgres, true),
            (&["recursive_triggers"], false, Engine::Sqlite, true),
        ] {
            let found = leaves(&sets(names, unseen), shared(PutsBack::PathRoleAndVariables), engine);
            assert_eq!(found, expected, "{names:?} {unseen} {engine:?}");
        }
    }
}
