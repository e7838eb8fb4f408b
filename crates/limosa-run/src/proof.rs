//! Scripts that prove what a step did. They run behind its statements, within its transaction where it has one, and what they do
//! is taken back: a savepoint stands before them.

use limosa_core::Step;
use limosa_db::{Item, Session};

use crate::attempt::{Failure, fly, new_log};
use crate::conduct::Run;
use crate::entries::{self, farewell, head};
use crate::feed::{AROUND, Feed, GaveUp, Purpose, Stretch, Tagged, lock};
use crate::reader::ScriptReader;
use crate::{Outcome, callbacks};

/// What stands before the statements of a proof.
pub(crate) fn begin() -> Tagged {
    (Item::Control("savepoint limosa_proof".to_owned()), Purpose::Settings)
}

/// What stands behind them.
pub(crate) fn end() -> Vec<Tagged> {
    ["rollback to savepoint limosa_proof", "release savepoint limosa_proof"]
        .map(|text| (Item::Control(text.to_owned()), Purpose::Settings))
        .into()
}

/// Proves a step that ran in pieces, in a transaction of the proof's own. It stands whatever comes out.
pub(crate) async fn apart(run: &Run<'_>, session: &mut dyn Session, step: &Step) -> Result<(), Outcome> {
    let Some(proof) = step.proof.as_deref() else { return Ok(()) };
    let Err(failure) = transaction(run, session, proof).await else { return Ok(()) };
    // A broken connection shows at the next statement.
    let _ = session.settle().await;
    let outcome = run.explain(&failure, std::slice::from_ref(proof), AROUND).0;
    Err(callbacks::helped(outcome, "it proves the migration, which commits by itself: that is applied, and stands"))
}

async fn transaction(run: &Run<'_>, session: &mut dyn Session, proof: &Step) -> Result<(), Failure> {
    let (context, engine) = (run.context, run.engine);
    let mut reader = ScriptReader::open(proof, run.dialect, context.files)
        .map_err(|problem| Failure::GaveUp(GaveUp::Problem(problem)))?;
    let marks = run.marks(std::time::Duration::ZERO);
    let log = new_log();
    run.begin_progress(proof, 1);
    let mut head = head(context, engine, proof, &marks, true);
    head.push(begin());
    let mut feed = Feed::new(context, engine, log.clone());
    feed.first([entries::begin_guarded(context, engine, std::iter::once(proof))]);
    feed.stretch(Stretch {
        head,
        closing: Box::new(move |_| [end(), farewell(context, engine, proof)].concat()),
        step_number: AROUND,
        is_around: true,
        ..Stretch::whole(proof, &mut reader)
    });
    feed.last([(Item::Commit, Purpose::Commit)]);
    let flown = fly(session, context, feed, &log, &run.progress, std::slice::from_ref(proof), AROUND).await;
    run.keep_head(lock(&log).head.take());
    flown
}
