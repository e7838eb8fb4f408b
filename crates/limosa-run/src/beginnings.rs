//! What each step of a run began with, kept for its way back: a run that takes back what it did begins each way back with it.

use limosa_core::{Inherited, Step};
use limosa_db::{DbError, Session, SettingsMark};
use limosa_sql::Engine;

use crate::conduct::Run;

/// True where a step begins with something that files before it have set.
pub(crate) fn has_own(step: &Step) -> bool {
    step.inherits.as_ref().is_some_and(|inherited| inherited.unseen || !inherited.settings.is_empty())
}

/// Notes what a step begins with, right before it, where the run may take it back. `mark` is that of the run.
pub(crate) async fn keep(
    run: &Run<'_>,
    session: &mut dyn Session,
    step: &Step,
    mark: Option<SettingsMark>,
) -> Result<(), DbError> {
    let Some(inherited) = step.inherits.as_deref().filter(|_| run.context.keeps_beginnings && has_own(step)) else {
        return Ok(());
    };
    let statements = match (run.engine, mark) {
        (Engine::Postgres, _) => on_postgres(session, inherited).await?,
        (_, Some(mark)) => session.changed_since(mark).await?,
        (_, None) => Vec::new(),
    };
    run.keep_beginning(step, statements);
    Ok(())
}

/// The settings that the names of statements tell, and all others that were set in this session. The role comes last: it may not be allowed
/// the rest.
async fn on_postgres(session: &mut dyn Session, inherited: &Inherited) -> Result<Vec<String>, DbError> {
    let rows = session.query(&question(inherited), &[]).await?;
    let mut found: Vec<(String, String)> = Vec::new();
    for row in &rows {
        if let (Some(name), Some(value)) = (row.text(0), row.text(1))
            && is_carried(inherited, &name)
            && found.iter().all(|(known, _)| *known != name)
        {
            found.push((name, value));
        }
    }
    found.sort_by_key(|(name, _)| {
        ["session_authorization", "role"].iter().position(|last| last == name).map_or(0, |at| at + 1)
    });
    let quoted = |text: &str| Engine::Postgres.quote_literal(text);
    Ok(found
        .iter()
        .map(|(name, value)| format!("select set_config({}, {}, false)", quoted(name), quoted(value)))
        .collect())
}

fn question(inherited: &Inherited) -> String {
    let quoted = |name: &str| Engine::Postgres.quote_literal(name);
    let locals = (0..).zip(&inherited.locals).map(|(number, name): (usize, _)| {
        format!("select {}, substr(nullif(current_setting('limosa.local_{number}', true), ''), 2)", quoted(name))
    });
    let named = inherited.settings.iter().map(|name| format!("select {0}, current_setting({0}, true)", quoted(name)));
    let others = "select name, setting from pg_catalog.pg_settings where source = 'session'".to_owned();
    locals.chain(named).chain([others]).collect::<Vec<_>>().join(" union all ")
}

/// What the tool puts back is not begun with, nor are the time-outs of another step.
fn is_carried(inherited: &Inherited, name: &str) -> bool {
    let is_ours = ["lock_timeout", "statement_timeout"].contains(&name) || name.starts_with("transaction_");
    !is_ours && !inherited.puts_back.covers(Engine::Postgres, name)
}
