//! The table of the tool that the files were written for, made because a step or a callback uses it.

use std::time::Duration;

use limosa_core::{CallbackEvent, MadeTable, PlannedCallback, Step};
use limosa_db::{Item, Session};
use limosa_sql::Engine;

use crate::Outcome;
use crate::attempt::Failure;
use crate::conduct::Run;
use crate::entries::head;
use crate::feed::{AROUND, Purpose, Tagged};

/// The items that make it within the transaction of the step that uses it; none for other steps, and where making a table ends a
/// transaction.
pub(crate) fn within(made: Option<&MadeTable>, engine: Engine, step: &Step) -> Vec<Tagged> {
    match made.filter(|made| engine != Engine::Mysql && made.is_for(step)) {
        Some(made) => items(made).map(|item| (item, Purpose::Made)).collect(),
        None => Vec::new(),
    }
}

fn items(made: &MadeTable) -> impl Iterator<Item = Item> + '_ {
    made.statements.iter().cloned().map(Item::Control)
}

/// Makes it ahead of steps that do not make it in a transaction of their own. It has no rows, so that it may stay where the step
/// fails.
pub(crate) async fn ahead_of(
    run: &Run<'_>,
    session: &mut dyn Session,
    block: &[Step],
    is_atomic: bool,
    first: usize,
) -> Result<(), Outcome> {
    let of_block = |made: &&MadeTable| block.iter().any(|step| made.is_for(step));
    let Some(made) = run.plan.makes.as_ref().filter(of_block) else { return Ok(()) };
    if is_atomic && run.engine != Engine::Mysql {
        return Ok(());
    }
    make(run, session, made, block, first).await
}

/// Makes it ahead of the first callback of these events that it is made for.
pub(crate) async fn ahead_of_callbacks(
    run: &Run<'_>,
    session: &mut dyn Session,
    events: &[CallbackEvent],
) -> Result<(), Outcome> {
    let Some(made) = &run.plan.makes else { return Ok(()) };
    let of_events = run.plan.callbacks.iter().filter(|callback| events.contains(&callback.event));
    match of_events.filter_map(PlannedCallback::step).find(|step| made.is_for(step)) {
        Some(step) => make(run, session, made, std::slice::from_ref(step), AROUND).await,
        None => Ok(()),
    }
}

async fn make(
    run: &Run<'_>,
    session: &mut dyn Session,
    made: &MadeTable,
    block: &[Step],
    first: usize,
) -> Result<(), Outcome> {
    let mut all: Vec<Item> = Vec::new();
    if run.engine == Engine::Mysql {
        all.extend(items(made));
    } else {
        let marks = run.marks(Duration::ZERO);
        all.push(Item::Begin);
        all.extend(head(run.context, run.engine, &block[0], &marks, true).into_iter().map(|(item, _)| item));
        all.extend(items(made));
        all.push(Item::Commit);
    }
    match session.send(all).await {
        Ok(_) => Ok(()),
        Err(error) => {
            let _ = session.settle().await;
            let failure = Failure::server(Purpose::Made, error);
            Err(run.explain(&failure, block, first).0)
        }
    }
}
