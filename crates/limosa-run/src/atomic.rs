//! Steps whose statements and ledger rows commit together: one flight, one wait.

use std::time::Duration;

use limosa_core::{CallbackEvent, Step};
use limosa_db::{DbError, DbErrorKind, Item, Session};
use limosa_sql::Engine;

use crate::attempt::{Failure, fly, new_log};
use crate::conduct::{Ended, Run, empty_ended};
use crate::entries::several::Several;
use crate::entries::{Marks, begin_guarded, farewell, finished, head, mark_again, own_rights, settle_constraints};
use crate::feed::{Closing, Feed, Purpose, SharedLog, Stretch, lock, precedes_queries};
use crate::lock::jitter;
use crate::lost::{self, Standing};
use crate::notices::Notices;
use crate::reader::{Part, ScriptReader};
use crate::{
    Event, Outcome, StepState, callbacks, forgiven, guard, implicit_commit, locals, made, proof, put_back, sharing,
};

/// An attempt at one step that failed.
pub(crate) struct Failed {
    pub(crate) failure: Failure,
    pub(crate) marks: Marks,
    pub(crate) notices: Notices,
}

/// Runs steps in one transaction, again after a lock time-out or a deadlock. A first attempt may have been made already.
pub(crate) async fn run(
    run: &Run<'_>,
    session: &mut dyn Session,
    block: &[Step],
    first: usize,
    mut before: Option<Failed>,
) -> Ended {
    let limits = block[0].limits;
    let mut ended = Ended { attempts: 0, ..empty_ended() };
    loop {
        ended.attempts += 1;
        let failed = match before.take() {
            Some(failed) => Some(failed),
            None => attempt(run, session, block, first, &mut ended.notices).await,
        };
        let Some(Failed { failure, marks, mut notices }) = failed else { return ended };
        ended.notices.append(&mut notices);
        let failure = match failure {
            Failure::Guarded(refused) => {
                let notices = std::mem::take(&mut ended.notices);
                let attempts = ended.attempts;
                let mut ended = guard::ended(run, session, &block[0], first, *refused).await;
                (ended.attempts, ended.notices) = (attempts, notices.followed_by(ended.notices));
                return ended;
            }
            failure => failure,
        };
        if let Failure::Server { error, commit_sent, .. } = &failure {
            if lost::is_open_question(error.kind, *commit_sent) {
                return lost_answer(run, block, &marks, &failure, ended, first).await;
            }
            if error.is_transient() && ended.attempts <= limits.lock_retries && !run.context.stop.is_asked() {
                pause(run, &block[0], ended.attempts, limits.lock_retries, error).await;
                if session.settle().await.is_ok() {
                    continue;
                }
            }
        }
        if let Some(notice) = forgiven::told(run, session, block, first, &failure).await {
            ended.state = StepState::Forgiven;
            ended.notices.push((first, notice));
            return ended;
        }
        let (outcome, failed) = run.explain(&failure, block, first);
        ended.outcome = Some(attempts_told(outcome, ended.attempts));
        ended.failed = failed;
        ended.state = failure.state_of_nothing_committed();
        if let Failure::Server { purpose: Some(Purpose::Statement(sent)), error, .. } = &failure
            && error.kind == DbErrorKind::ImplicitCommit
            && !sent.is_around
            && let Some(step) = sent.step.checked_sub(first).and_then(|at| block.get(at))
        {
            implicit_commit::record(run, session, step, sent, error, &mut ended).await;
        }
        return ended;
    }
}

async fn attempt(
    run: &Run<'_>,
    session: &mut dyn Session,
    block: &[Step],
    first: usize,
    notices: &mut Notices,
) -> Option<Failed> {
    let marks = run.marks(Duration::ZERO);
    let log = new_log();
    run.begin_progress(&block[0], 1);
    let result = once(run, session, block, first, &marks, &log).await;
    let mut log = lock(&log);
    run.keep_head(log.head.take());
    notices.append(&mut log.notices);
    result.err().map(|failure| Failed { failure, marks, notices: Notices::default() })
}

pub(crate) fn attempts_told(outcome: Outcome, attempts: u32) -> Outcome {
    match outcome {
        Outcome::Stopped(mut problem) if attempts > 1 => {
            problem.message = format!("{} (tried {attempts} times)", problem.message);
            Outcome::Stopped(problem)
        }
        outcome => outcome,
    }
}

/// Waits before the next attempt: longer each time, never in step with others.
pub(crate) async fn pause(run: &Run<'_>, step: &Step, attempt: u32, retries: u32, error: &DbError) {
    let base = Duration::from_millis(250).saturating_mul(1 << attempt.min(6));
    let pause = jitter(base.min(Duration::from_secs(10)));
    run.context.events.event(Event::Retrying {
        label: step.label.clone(),
        attempt: attempt + 1,
        of: retries + 1,
        reason: run.context.values.hide_in_words(error.message.clone()),
        pause,
    });
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = run.context.stop.asked() => {}
    }
}

async fn once(
    run: &Run<'_>,
    session: &mut dyn Session,
    block: &[Step],
    first: usize,
    marks: &Marks,
    log: &SharedLog,
) -> Result<(), Failure> {
    let events = CallbackEvent::of(run.plan.direction);
    let around = [events.before_each, events.after_each];
    let proofs = block.iter().filter_map(|step| step.proof.as_deref());
    let mut scripts =
        block.iter().chain(proofs).chain(around.into_iter().flat_map(|event| callbacks::sharing(run, event)));
    let is_other = block.iter().any(|step| !step.begins_with.is_empty());
    if run.engine != Engine::Postgres && (is_other || scripts.any(|step| step.outline.may_set())) {
        put_back::around(run, session, block, first, marks, log).await
    } else {
        together(run, session, block, first, marks, log).await
    }
}

pub(crate) async fn together(
    run: &Run<'_>,
    session: &mut dyn Session,
    block: &[Step],
    first: usize,
    marks: &Marks,
    log: &SharedLog,
) -> Result<(), Failure> {
    let mut scripts = open(run, block)?;
    let mut is_open = guard::within(run, session, block, first, marks, log).await?;
    if is_open && begins_before_queries(&mut scripts)? {
        session.send(vec![Item::Rollback]).await.map_err(|error| Failure::server(Purpose::Settings, error))?;
        is_open = false;
    }
    let mut feed = feed(run, block, first, marks, log, &mut scripts, Rows::Here);
    if !is_open {
        return fly(session, run.context, feed, log, &run.progress, block, first).await;
    }
    feed.is_begun();
    let flown = fly(session, run.context, feed, log, &run.progress, block, first).await;
    if flown.is_err() {
        // The flight did not begin what is open.
        let _ = session.settle().await;
    }
    flown
}

/// The scripts of one step in the order in which they run: callbacks before it, its own, what proves it, callbacks after it.
pub(crate) struct Scripts<'p> {
    list: Vec<(&'p Step, ScriptReader)>,
}

pub(crate) fn open<'p>(run: &'p Run<'_>, block: &'p [Step]) -> Result<Vec<Scripts<'p>>, Failure> {
    let open_one = |step: &'p Step| {
        ScriptReader::open(step, run.dialect, run.context.files)
            .map(|reader| (step, reader))
            .map_err(|problem| Failure::GaveUp(crate::feed::GaveUp::Problem(problem)))
    };
    let events = CallbackEvent::of(run.plan.direction);
    let with_callbacks = |step: &'p Step| {
        callbacks::sharing(run, events.before_each)
            .chain([step])
            .chain(step.proof.as_deref())
            .chain(callbacks::sharing(run, events.after_each))
            .map(open_one)
            .collect::<Result<_, _>>()
            .map(|list| Scripts { list })
    };
    block.iter().map(with_callbacks).collect()
}

/// True where a script begins with what the server takes before the first query of a transaction only.
fn begins_before_queries(scripts: &mut [Scripts<'_>]) -> Result<bool, Failure> {
    for (_, reader) in scripts.iter_mut().flat_map(|scripts| &mut scripts.list) {
        let first = reader.peek().map_err(|problem| Failure::GaveUp(crate::feed::GaveUp::Problem(problem)))?;
        if matches!(first, Some(Part::Statement(statement)) if precedes_queries(statement.class())) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// When the rows of the ledger and the commit are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Together with the statements.
    Here,
    /// Later, by the caller: the transaction is left open.
    Later,
}

/// The feed of a transaction: begin, per step its head, statements and rows, and what ends it.
pub(crate) fn feed<'f>(
    run: &'f Run<'f>,
    block: &'f [Step],
    first: usize,
    marks: &'f Marks,
    log: &SharedLog,
    scripts: &'f mut [Scripts<'f>],
    rows: Rows,
) -> Feed<'f> {
    let mut feed = Feed::new(run.context, run.engine, log.clone());
    let parts = scripts.iter().flat_map(|scripts| &scripts.list).map(|(part, _)| *part);
    feed.first([begin_guarded(run.context, run.engine, parts)]);
    let count = block.len();
    let follows = sharing::follow_on(block, run.plan, run.engine, run.context);
    let mut several = Several::default();
    for (offset, (step, scripts)) in block.iter().zip(scripts).enumerate() {
        let here = rows == Rows::Here;
        let ends = offset + 1 == count;
        let wipe = run.context.pooled && ends;
        let last = scripts.list.len().saturating_sub(1);
        for (number, (part, reader)) in scripts.list.iter_mut().enumerate() {
            let mut head = head(run.context, run.engine, part, marks, true);
            let (step_number, is_around) = (first + offset, !std::ptr::eq(*part, step));
            let is_proof = step.proof.as_deref().is_some_and(|proof| std::ptr::eq(*part, proof));
            // The first of several was begun with before its callbacks ran.
            if step.goes_on && offset > 0 && number == 0 {
                let back = put_back::before(run, step).map(|back| (back, Purpose::Settings));
                head.splice(0..0, back);
            }
            if std::ptr::eq(*part, step) {
                head.extend(made::within(run.plan.makes.as_ref(), run.engine, step));
            }
            if is_proof {
                head.push(proof::begin());
            }
            if number < last {
                let closing: Closing<'f> = Box::new(move |_| if is_proof { proof::end() } else { Vec::new() });
                feed.stretch(Stretch { step_number, is_around, head, closing, ..Stretch::whole(part, reader) });
                continue;
            }
            let goes_on = here && follows.get(offset + 1) == Some(&true);
            if goes_on || (here && follows[offset]) {
                several.note(run.context, step_number, step, marks);
            }
            if goes_on {
                feed.stretch(Stretch { step_number, head, ..Stretch::whole(part, reader) });
                continue;
            }
            let several = std::mem::take(&mut several);
            let awaits = !several.is_empty();
            let around = is_around.then_some(*part).filter(|part| part.outline.may_reset_all());
            let closing: Closing<'f> = Box::new(move |log| {
                let mut items = if is_proof { proof::end() } else { Vec::new() };
                if here {
                    // Several steps of one transaction may rely on each other until its end.
                    items.extend(settle_constraints(run.engine).filter(|_| ends));
                    let local = locals::keep(step, run.plan.steps.get(first + offset + 1));
                    items.extend(local.map(|text| (Item::Control(text), Purpose::Settings)));
                    if let Some(around) = around {
                        items.extend(own_rights(run.context, run.engine, around));
                        items.extend(mark_again(run.context, run.engine, around, marks));
                    }
                    items.extend(match several.is_empty() {
                        true => finished(run.context, run.engine, step, marks, false),
                        false => several.finished(run.context, step, &log.spent),
                    });
                }
                if wipe {
                    // Behind a pooler the next client gets this server connection: nothing of ours may stay on it.
                    items.push((
                        Item::Control("reset session authorization; reset role; reset all".to_owned()),
                        Purpose::Settings,
                    ));
                } else if here {
                    items.extend(farewell(run.context, run.engine, step));
                }
                items
            });
            feed.stretch(Stretch { step_number, is_around, head, awaits, closing, ..Stretch::whole(part, reader) });
        }
    }
    if rows == Rows::Here {
        feed.last([(Item::Commit, Purpose::Commit)]);
    }
    feed
}

/// The connection broke after COMMIT was sent. The ledger knows.
async fn lost_answer(
    run: &Run<'_>,
    block: &[Step],
    marks: &Marks,
    failure: &Failure,
    mut ended: Ended,
    first: usize,
) -> Ended {
    let last = &block[block.len() - 1];
    let names: Vec<&str> = block.iter().map(|step| step.label.as_str()).collect();
    let names = names.join(", ");
    let standing = lost::standing(run, last).await.map(|standing| match standing {
        // Another run may have done it since.
        Standing::Done { mark: Some(mark) } if mark != marks.step_mark => Standing::Nothing,
        Standing::Done { mark } => Standing::Done { mark },
        Standing::Partial { .. } | Standing::Nothing => Standing::Nothing,
    });
    let committed = matches!(standing, Some(Standing::Done { .. }));
    ended.state = match standing {
        _ if committed => StepState::Done,
        Some(_) => StepState::RolledBack,
        None => StepState::Unknown,
    };
    if committed && first + block.len() == run.plan.steps.len() {
        ended.notices.push((first, lost::nothing_left(&names)));
        return ended;
    }
    let (outcome, _) = run.explain(failure, block, first);
    ended.outcome = Some(lost::told(outcome, &names, standing.as_ref()));
    ended
}
