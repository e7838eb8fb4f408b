//! PostgreSQL: what a file sets for its transaction, where its tool has one for all files of a run and limosa one for each.
//!
//! The values wait in settings of the session that nobody else knows, behind a `=` that tells an empty one from none, and are set in the next
//! transaction for that alone: where a file is not in one, they hold for nothing, as with the tool.

use limosa_core::Step;
use limosa_sql::Engine;

/// What sets again in the transaction of a step what those before it have set for theirs.
pub fn take_up(step: &Step) -> Option<String> {
    let names = &step.inherits.as_ref()?.locals;
    // Without a value it gets its default.
    each(names, |name, kept| {
        format!("set_config({name}, substr(nullif(current_setting('{kept}', true), ''), 2), true)")
    })
}

/// What keeps it behind the statements of a step for the one behind it, which is `next`.
pub fn keep(step: &Step, next: Option<&Step>) -> Option<String> {
    let names = &next.filter(|_| step.outline.is_atomic())?.inherits.as_ref()?.locals;
    each(names, |name, kept| format!("set_config('{kept}', '=' || current_setting({name}, true), false)"))
}

fn each(names: &[String], call: impl Fn(String, String) -> String) -> Option<String> {
    let calls = (0..)
        .zip(names)
        .map(|(number, name): (usize, _)| call(Engine::Postgres.quote_literal(name), format!("limosa.local_{number}")));
    let calls: Vec<String> = calls.collect();
    (!calls.is_empty()).then(|| format!("select {}", calls.join(", ")))
}
