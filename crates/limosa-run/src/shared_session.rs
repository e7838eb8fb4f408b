//! Runs of which the files share a session: what one sets reaches those behind it, and ends with the run.

use limosa_core::{PutsBack, Step};
use limosa_db::{DbError, Item, Session, SettingsMark};
use limosa_sql::Engine;

use crate::conduct::Run;
use crate::entries::{self, reset};
use crate::foreign_keys;

/// Before the steps of a run: what the session comes back to behind them. None where each step comes back by itself.
pub(crate) async fn begin(run: &Run<'_>, session: &mut dyn Session) -> Option<SettingsMark> {
    // What nobody has named is left to the end of the session: on PostgreSQL nothing of limosa's depends on it.
    let inherits =
        |step: &Step| step.goes_on || step.inherits.as_ref().is_some_and(|it| it.unseen || !it.settings.is_empty());
    if !run.plan.steps.iter().any(inherits) {
        return None;
    }
    // A broken connection shows at the next statement.
    session.remember_settings().await.ok()
}

/// Before a step and the callbacks right before it: what its tool puts back there. On PostgreSQL the transaction of a step does so by
/// itself, where no callback stands before it. `mark` is that of the run.
pub(crate) async fn put_back(
    run: &Run<'_>,
    session: &mut dyn Session,
    at: usize,
    mark: Option<SettingsMark>,
) -> Result<(), DbError> {
    let step = &run.plan.steps[at];
    let puts_back = step.inherits.as_ref().map(|inherited| inherited.puts_back);
    if run.engine == Engine::Postgres {
        let back = entries::put_back(run.context, step).filter(|_| step.goes_on);
        return match back {
            Some(back) => session.send(vec![Item::Control(back)]).await.map(drop),
            None => Ok(()),
        };
    }
    let may_have_set = step.goes_on || (at > 0 && run.plan.steps[at - 1].outline.may_set());
    match mark {
        Some(mark) if puts_back == Some(PutsBack::PathRoleAndVariables) && may_have_set => {
            session.put_back_between_files(mark).await
        }
        _ => Ok(()),
    }
}

/// Behind the steps, however they ended: the settings of a fresh session.
pub(crate) async fn end(run: &Run<'_>, session: &mut dyn Session, mark: SettingsMark) -> Result<(), DbError> {
    session.settle().await?;
    match run.engine {
        Engine::Postgres => session.send(vec![Item::Control(reset(run.context))]).await.map(drop),
        _ => session.restore_settings(mark).await,
    }
}

/// Leaves the settings of steps that are done to the one behind them. On SQLite a pragma that ran around the transaction is not left:
/// within that of a tool it would have had no effect.
pub(crate) async fn hand_on(
    session: &mut dyn Session,
    mark: SettingsMark,
    engine: Engine,
    block: &[Step],
) -> Result<(), DbError> {
    session.forget_settings(mark);
    let switches = |step: &Step| step.outline.settings.iter().any(|name| name == "foreign_keys");
    if engine != Engine::Sqlite || !block.iter().any(switches) {
        return Ok(());
    }
    let begins = block.first().map(|step| step.outline.foreign_keys).unwrap_or_default();
    session.send(vec![foreign_keys::switch(begins)]).await.map(drop)
}
