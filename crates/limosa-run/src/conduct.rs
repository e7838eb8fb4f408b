//! The only loop: conducts a plan, step by step, and records what happened.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use limosa_core::{Action, AuditHead, CallbackEvent, Identity, Plan, SharedText, Step, Work};
use limosa_db::ledger::statements as sql;
use limosa_db::{DbError, DbErrorKind, Item, Notice, Session, SettingsMark, Value};
use limosa_sql::{Diagnostic, Dialect, Engine};
use serde_json::json;

use crate::ahead::{self, Begun};
use crate::announce::{announce, left_out};
use crate::atomic::Failed;
use crate::attempt::Failure;
use crate::entries::{Marks, audit};
use crate::feed::{GaveUp, Progress, Purpose, SharedProgress};
use crate::notices::Notices;
use crate::problem::{own_problem, statement_problem};
use crate::sharing::Sharing;
use crate::{
    Context, Event, Outcome, RunReport, StepReport, StepState, beginnings, callbacks, foreign_keys, guard, put_back,
    shared_session, tool_settings, watch,
};

/// What every part of a run shares.
pub(crate) struct Run<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) plan: &'a Plan,
    pub(crate) engine: Engine,
    pub(crate) dialect: Dialect,
    pub(crate) epoch: i64,
    pub(crate) digest: String,
    pub(crate) progress: SharedProgress,
    pub(crate) head: Mutex<Option<AuditHead>>,
    began_with: Mutex<HashMap<Identity, Vec<String>>>,
    /// Who was seen last in the way of a step, by its label, in words.
    pub(crate) in_the_way: Mutex<Option<(SharedText, String)>>,
    owed: Mutex<Option<CallbackEvent>>,
    marks: AtomicU64,
    /// Decides which steps share transactions; None where none does.
    pub(crate) sharing: Option<Sharing>,
    /// Steps that were told to begin.
    pub(crate) announced: AtomicUsize,
}

/// How a step (or several that share a transaction) ended.
pub(crate) struct Ended {
    pub(crate) outcome: Option<Outcome>,
    pub(crate) state: StepState,
    pub(crate) done: u64,
    pub(crate) attempts: u32,
    pub(crate) notices: Notices,
    /// Number of the step that failed, where several shared a transaction.
    pub(crate) failed: Option<usize>,
}

impl Run<'_> {
    /// Marks for the next transaction.
    pub(crate) fn marks(&self, before: Duration) -> Marks {
        let count = self.marks.fetch_add(1, Ordering::Relaxed);
        Marks {
            epoch: self.epoch,
            step_mark: format!("{}:{count}", self.context.run_id),
            plan_digest: self.digest.clone(),
            began_ms: limosa_db::monotonic_ms(),
            before_ms: i64::try_from(before.as_millis()).unwrap_or(0),
        }
    }

    pub(crate) fn keep_head(&self, head: Option<AuditHead>) {
        if head.is_some() {
            *self.head.lock().unwrap_or_else(PoisonError::into_inner) = head;
        }
    }

    pub(crate) fn keep_beginning(&self, step: &Step, statements: Vec<String>) {
        self.began_with.lock().unwrap_or_else(PoisonError::into_inner).insert(step.identity.clone(), statements);
    }

    /// A callback failed that does not run again behind the same step.
    fn owe(&self, event: CallbackEvent) {
        *self.owed.lock().unwrap_or_else(PoisonError::into_inner) = Some(event);
    }

    fn report(&self, steps: Vec<StepReport>, outcome: Outcome) -> RunReport {
        let head = self.head.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let began_with = std::mem::take(&mut *self.began_with.lock().unwrap_or_else(PoisonError::into_inner));
        let owed = *self.owed.lock().unwrap_or_else(PoisonError::into_inner);
        RunReport { steps, outcome, plan_digest: self.digest.clone(), head, owed, began_with }
    }

    /// Sets what the watcher sees.
    pub(crate) fn begin_progress(&self, step: &Step, statement: u64) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        *progress = Progress {
            label: step.label.clone(),
            statement,
            since: Some(Instant::now()),
            lock_timeout: Duration::from_millis(step.limits.lock_timeout_ms),
            statement_timeout: Duration::from_millis(step.limits.statement_timeout_ms),
        };
    }

    pub(crate) fn end_progress(&self) {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).since = None;
    }

    /// The words for a failure; the step is the one in whose flight it happened. Whom the watcher saw in its way is named.
    pub(crate) fn explain(&self, failure: &Failure, steps: &[Step], first: usize) -> (Outcome, Option<usize>) {
        let (mut outcome, failed) = self.words(failure, steps, first);
        watch::name_who_was_seen(self, &mut outcome, steps);
        (outcome, failed)
    }

    fn words(&self, failure: &Failure, steps: &[Step], first: usize) -> (Outcome, Option<usize>) {
        let file = |step: &Step| step.work.origin().to_string();
        // Not every error has passed a flight: settings that are sent again come straight from the session.
        let hidden = |error: &DbError| self.context.values.hide_in_error(Box::new(error.clone()));
        match failure {
            Failure::GaveUp(GaveUp::Interrupted) => (Outcome::Stopped(Box::new(interrupted())), None),
            Failure::GaveUp(GaveUp::Problem(problem)) => (Outcome::Stopped(problem.clone()), None),
            Failure::Unsettled(outcome) => ((**outcome).clone(), None),
            Failure::Guarded(refused) => (refused.outcome(), None),
            Failure::Server { purpose, error, .. }
                if error.kind == DbErrorKind::Cancelled && self.context.stop.is_asked() =>
            {
                let step = match purpose {
                    Some(Purpose::Statement(sent)) => Some(sent.step),
                    _ => None,
                };
                (Outcome::Stopped(Box::new(interrupted())), step)
            }
            Failure::Server { purpose: Some(Purpose::Statement(sent)), error, .. }
                if error.kind != DbErrorKind::ConnectionLost =>
            {
                (Outcome::Stopped(Box::new(statement_problem(self.engine, sent, &hidden(error)))), Some(sent.step))
            }
            Failure::Server { purpose, error, .. } => {
                let step = match purpose {
                    Some(Purpose::Statement(sent)) => sent.step.checked_sub(first).and_then(|at| steps.get(at)),
                    _ => None,
                };
                let name = match purpose {
                    // A deferred constraint may belong to any of them.
                    Some(Purpose::Constraints | Purpose::Commit) => {
                        steps.iter().map(file).collect::<Vec<_>>().join(", ")
                    }
                    _ => file(step.unwrap_or(&steps[0])),
                };
                let problem = own_problem(purpose.as_ref(), &name, &hidden(error));
                (Outcome::Stopped(Box::new(problem)), None)
            }
        }
    }

    /// Records a failed attempt in a transaction of its own. Best effort: the failure itself is what matters.
    pub(crate) async fn record_failure(&self, session: &mut dyn Session, step: &Step, outcome: &Outcome, done: u64) {
        let Some(problem) = outcome.problem() else { return };
        let place = problem.labels.first().map(|label| {
            json!({"file": label.file, "line": label.position.map(|p| p.line), "column": label.position.map(|p| p.column)})
        });
        let more = json!({"error": problem.message, "code": problem.code, "at": place, "statements_done": done});
        let marks = self.marks(Duration::ZERO);
        let told = audit(self.context, step, &marks, "failed", more).into_iter().map(|(item, _)| item);
        let sent = if session.settle().await.is_ok() {
            let head = crate::entries::head(self.context, self.engine, step, &marks, true);
            let head = head.into_iter().map(|(item, _)| item);
            session.send([Item::Begin].into_iter().chain(head).chain(told).chain([Item::Commit]).collect()).await
        } else {
            // The lease went with the connection; the log is anybody's to add to.
            let Ok(mut other) = self.context.connector.connect().await else { return };
            let begin = self.context.ledger.begin().into_iter();
            let sent = other.send(begin.chain(told).chain([Item::Commit]).collect()).await;
            other.close().await;
            sent
        };
        if let Ok(rows) = sent {
            self.keep_head(limosa_db::ledger::audit_head(&rows));
        }
    }
}

/// How long limosa's own statements wait for the lock of another writer, where the engine knows one lock only.
pub(crate) const OWN_PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn interrupted() -> Diagnostic {
    Diagnostic::error(
        "LIM-R005",
        "interrupted: the running statement was cancelled; its transaction, if it was in one, was rolled back",
    )
    .help("what was committed before stands; run again to go on")
}

/// Conducts a plan under a lease that is held. Never fails: what happened is in the report.
pub async fn conduct(session: &mut dyn Session, context: &Context<'_>, plan: &Plan, epoch: i64) -> RunReport {
    let run = Run {
        context,
        plan,
        engine: session.facts().engine(),
        dialect: session.facts().dialect,
        epoch,
        digest: plan.digest().to_string(),
        progress: Arc::new(Mutex::new(Progress::default())),
        head: Mutex::new(plan.ledger_head.clone()),
        began_with: Mutex::default(),
        in_the_way: Mutex::default(),
        owed: Mutex::default(),
        marks: AtomicU64::new(0),
        sharing: Sharing::of(plan, session.facts().engine(), context),
        announced: AtomicUsize::new(0),
    };
    context.events.event(Event::PlanStarted { steps: plan.steps.len(), direction: plan.direction });
    let backend = session.facts().backend.clone();
    let switched = match foreign_keys::begin(plan, run.engine, session).await {
        Ok(switched) => switched,
        Err(error) => {
            let error = context.values.hide_in_error(Box::new(error));
            let problem = own_problem(Some(&Purpose::Settings), "begin of the run", &error);
            return nothing_done(&run, problem);
        }
    };
    let mark = match tool_settings::begin(context, run.engine, session).await {
        Ok(mark) => mark,
        Err(error) => {
            let error = context.values.hide_in_error(Box::new(error));
            return nothing_done(&run, own_problem(Some(&Purpose::Settings), "begin of the run", &error));
        }
    };
    let report = tokio::select! {
        biased;
        report = steps(&run, session) => report,
        () = watch::watch(&run, backend) => unreachable_report(&run),
    };
    run.end_progress();
    if let Some(mark) = mark {
        // A broken connection shows in the report already.
        let _ = tool_settings::end(session, mark).await;
    }
    if switched {
        // A broken connection shows in the report already.
        let _ = foreign_keys::end(session).await;
    }
    report
}

/// The watcher never ends by itself.
fn unreachable_report(run: &Run<'_>) -> RunReport {
    nothing_done(run, interrupted())
}

fn nothing_done(run: &Run<'_>, problem: Diagnostic) -> RunReport {
    let (outcome, plan_digest) = (Outcome::Stopped(Box::new(problem)), run.digest.clone());
    RunReport { steps: Vec::new(), outcome, plan_digest, head: None, owed: None, began_with: HashMap::new() }
}

async fn steps(run: &Run<'_>, session: &mut dyn Session) -> RunReport {
    let steps = &run.plan.steps;
    let mut reports = Vec::with_capacity(steps.len());
    let mut at = 0;
    let events = CallbackEvent::of(run.plan.direction);
    let ready = match crate::made::ahead_of_callbacks(run, session, &[events.before, events.before_each]).await {
        Ok(()) => callbacks::run(run, session, events.before).await,
        failed => failed,
    };
    if let Err(outcome) = ready {
        let outcome = callbacks::with_help(outcome, events.before, "no migration was begun", "none was taken back");
        return run.report(reports, outcome);
    }
    let mut outcome = Outcome::Done;
    let mut shared = shared_session::begin(run, session).await;
    // A step that was begun with others, and how that failed.
    let mut begun: Option<Begun> = None;
    let mut apart_to = 0;
    while at < steps.len() {
        if begun.is_none() && run.context.stop.is_asked() {
            outcome = Outcome::Stopped(Box::new(interrupted()));
            break;
        }
        let ahead = at..ahead::reach(run.plan, run.engine, run.context, at);
        if begun.is_none() && ahead.len() > 1 {
            wait_as_told(session, &steps[at]);
            let halt = ahead::run(run, session, ahead, apart_to, &mut reports).await;
            session.wait_for_locks(Some(OWN_PATIENCE));
            (at, begun, apart_to) = (halt.at, halt.begun, halt.apart_to);
            continue;
        }
        let end = (at + 1..steps.len()).find(|next| !joins(steps, *next)).unwrap_or(steps.len());
        let block = &steps[at..end];
        let (began, failed) = match begun.take() {
            Some(begun) => (begun.began, begun.failed),
            None => {
                (at..end).for_each(|number| announce(run, number));
                (Instant::now(), None)
            }
        };
        wait_as_told(session, &block[0]);
        let ended = with_callbacks(run, session, block, at, (shared, failed)).await;
        run.end_progress();
        session.wait_for_locks(Some(OWN_PATIENCE));
        let elapsed = began.elapsed();
        report(run, &mut reports, block, at, &ended, elapsed);
        if let Some(ended_badly) = ended.outcome {
            let failed = ended.failed.and_then(|number| steps.get(number)).unwrap_or(&block[0]);
            if let Some(mark) = shared.take() {
                let _ = shared_session::end(run, session, mark).await;
            }
            if !matches!(ended.state, StepState::Done | StepState::Unknown) {
                run.record_failure(session, failed, &ended_badly, ended.done).await;
            }
            outcome = ended_badly;
            break;
        }
        at = end;
    }
    if let Some(mark) = shared
        && let Err(error) = shared_session::end(run, session, mark).await
        && let Some(last) = reports.last_mut().filter(|_| matches!(outcome, Outcome::Done))
    {
        let notice = put_back::afterwards(run, error);
        run.context.events.event(Event::Notice { label: last.label.clone(), notice: notice.clone() });
        last.notices.push(notice);
    }
    record_skipped(run, session).await;
    let outcome = afterwards(run, session, outcome, &reports).await;
    run.report(reports, outcome)
}

/// SQLite: lets the session wait for other writers as long as a step says.
fn wait_as_told(session: &mut dyn Session, step: &Step) {
    let limit = Duration::from_millis(step.limits.lock_timeout_ms);
    session.wait_for_locks(Some(limit).filter(|limit| !limit.is_zero()));
}

/// Runs steps that share a transaction, or one, with the callbacks of each.
async fn with_callbacks(
    run: &Run<'_>,
    session: &mut dyn Session,
    block: &[Step],
    at: usize,
    (shared, failed): (Option<SettingsMark>, Option<Failed>),
) -> Ended {
    let is_code = matches!(block[0].work, Work::Code(_));
    // Nothing shares the transaction of code.
    let is_atomic = !is_code && (block.len() > 1 || (block[0].outline.is_atomic() && !resumes(&block[0])));
    let mut warnings = Notices::default();
    match guard::apart(run, session, block, at, &mut warnings).await {
        Ok(()) => {}
        Err(Failure::Guarded(refused)) => {
            let mut ended = guard::ended(run, session, &block[0], at, *refused).await;
            ended.notices = warnings.followed_by(ended.notices);
            return ended;
        }
        Err(failure) => {
            let _ = session.settle().await;
            let outcome = Some(run.explain(&failure, block, at).0);
            return Ended { outcome, state: StepState::RolledBack, notices: warnings, ..empty_ended() };
        }
    }
    let ready = match shared_session::put_back(run, session, at, shared).await {
        Ok(()) => beginnings::keep(run, session, &block[0], shared).await,
        failed => failed,
    };
    if let Err(error) = ready {
        let outcome = Some(run.explain(&Failure::server(Purpose::Settings, error), block, at).0);
        return Ended { outcome, state: StepState::RolledBack, notices: warnings, ..empty_ended() };
    }
    let events = CallbackEvent::of(run.plan.direction);
    let (before, after) = (events.before_each, events.after_each);
    let begun = match is_atomic {
        true => callbacks::run(run, session, before).await,
        false => callbacks::run_apart(run, session, before).await,
    };
    if let Err(outcome) = begun {
        let stands = ("the migration was not begun", "the migration was not taken back");
        let outcome = Some(callbacks::with_help(outcome, before, stands.0, stands.1));
        return Ended { outcome, state: StepState::RolledBack, ..empty_ended() };
    }
    if let Err(outcome) = crate::made::ahead_of(run, session, block, is_atomic, at).await {
        return Ended { outcome: Some(outcome), state: StepState::RolledBack, ..empty_ended() };
    }
    let mut ended = match is_atomic {
        _ if is_code => crate::code::run(run, session, &block[0], at).await,
        true => crate::atomic::run(run, session, block, at, failed).await,
        false => crate::journalled::run(run, session, &block[0], at).await,
    };
    ended.notices = warnings.followed_by(ended.notices);
    if ended.state.is_passed() {
        return ended;
    }
    if ended.outcome.is_none() && !is_atomic {
        ended.outcome = crate::proof::apart(run, session, &block[0]).await.err();
    }
    if ended.outcome.is_none() {
        let done = match is_atomic {
            true => callbacks::run(run, session, after).await,
            false => callbacks::run_apart(run, session, after).await,
        };
        let stands = ("the migration is applied, and stands", "the migration is taken back, and that stands");
        ended.outcome = done.err().map(|outcome| {
            run.owe(after);
            callbacks::owed(callbacks::with_help(outcome, after, stands.0, stands.1))
        });
    }
    ended
}

/// The callbacks behind all steps. What they do never hides how the steps ended.
async fn afterwards(run: &Run<'_>, session: &mut dyn Session, outcome: Outcome, reports: &[StepReport]) -> Outcome {
    if run.plan.callbacks.is_empty() {
        return outcome;
    }
    let events = CallbackEvent::of(run.plan.direction);
    if !matches!(outcome, Outcome::Done) {
        // Who asks to stop wants nothing more to be run.
        if !run.context.stop.is_asked()
            && session.settle().await.is_ok()
            && let Err(Outcome::Stopped(problem)) = callbacks::run(run, session, events.after_error).await
        {
            let message = format!("{} failed, too: {}", events.after_error, problem.message);
            let notice = Notice { severity: "WARNING".to_owned(), message, detail: None, hint: None, code: None };
            run.context.events.event(Event::Notice { label: events.after_error.name().into(), notice });
        }
        return outcome;
    }
    let applied = events.after_some.filter(|_| !reports.is_empty());
    for event in applied.into_iter().chain([events.after]) {
        let ended = match crate::made::ahead_of_callbacks(run, session, &[event]).await {
            Ok(()) => callbacks::run(run, session, event).await,
            failed => failed,
        };
        if let Err(outcome) = ended {
            let stands = (
                "all migrations of this run are applied, and stand",
                "all migrations of this run are taken back, and that stands",
            );
            let outcome = callbacks::with_help(outcome, event, stands.0, stands.1);
            if event == events.after {
                return outcome;
            }
            run.owe(event);
            return callbacks::owed(outcome);
        }
    }
    outcome
}

/// What was interrupted has a journal, which only a transaction of its own settles.
pub(crate) fn joins(steps: &[Step], at: usize) -> bool {
    let is_code = |at: usize| matches!(steps[at].work, Work::Code(_));
    steps[at].joins_previous && !is_code(at) && !is_code(at - 1) && !resumes(&steps[at]) && !resumes(&steps[at - 1])
}

pub(crate) fn resumes(step: &Step) -> bool {
    matches!(step.action, Action::Resume { .. } | Action::ResumeRevert { .. })
}

pub(crate) fn report(
    run: &Run<'_>,
    reports: &mut Vec<StepReport>,
    block: &[Step],
    at: usize,
    ended: &Ended,
    elapsed: Duration,
) {
    let share = elapsed / u32::try_from(block.len()).unwrap_or(1).max(1);
    for (offset, step) in block.iter().enumerate() {
        let done = match ended.state {
            StepState::Done => step.outline.statements,
            StepState::RolledBack
            | StepState::Unknown
            | StepState::RowsStay
            | StepState::Left
            | StepState::Counted
            | StepState::Forgiven => 0,
            StepState::Partial => ended.done,
        };
        reports.push(StepReport {
            identity: step.identity.clone(),
            label: step.label.clone(),
            name: step.name.clone(),
            action: step.action,
            state: ended.state,
            statements_done: done,
            statements_total: step.outline.statements,
            elapsed: share,
            attempts: ended.attempts,
            notices: left_out(step).into_iter().chain(ended.notices.of(at + offset)).collect(),
        });
        let (number, label, name) = (at + offset + 1, step.label.clone(), step.name.clone());
        run.context.events.event(match &ended.outcome {
            None if ended.state.is_passed() => {
                Event::StepPassed { number, label, name, state: ended.state, elapsed: share }
            }
            None => Event::StepDone { number, label, name, elapsed: share },
            Some(outcome) => {
                let failed = ended.failed.unwrap_or(at) == at + offset;
                let reason = outcome.problem().filter(|_| failed);
                Event::StepFailed {
                    number,
                    label,
                    name,
                    state: ended.state,
                    statements_done: done,
                    reason: reason.map(|problem| (problem.code, problem.message.clone())),
                    elapsed: share,
                }
            }
        });
    }
}

/// Remembers the changes that do not apply here, so that they are never out of order when they do. Best effort: the worst
/// that its failure does is a question later.
async fn record_skipped(run: &Run<'_>, session: &mut dyn Session) {
    if run.plan.skipped.is_empty() || session.settle().await.is_err() {
        return;
    }
    let marks = run.marks(Duration::ZERO);
    let mut items = run.context.ledger.begin();
    items.push(run.context.ledger.bound(
        &sql::FENCE,
        vec![
            Value::Integer(run.epoch),
            Value::Text(marks.step_mark.clone()),
            Value::Text(String::new()),
            Value::Text(String::new()),
        ],
    ));
    for skipped in &run.plan.skipped {
        items.push(run.context.ledger.write_row(&limosa_db::ledger::RowEntry {
            identity: skipped.identity.to_string(),
            version: skipped.version.as_ref().map(String::from),
            name: skipped.name.to_string(),
            checksum: skipped.file_checksum.to_string(),
            up_checksum: skipped.up_checksum.to_string(),
            state: None,
            done: 0,
            total: 0,
            applied_by: run.context.actor.clone(),
            execution_ms: if run.engine == Engine::Sqlite { -marks.began_ms } else { 0 },
            rollback: None,
            rollback_origin: None,
            rollback_values: None,
            depends_on: "[]".to_owned(),
            plan_digest: None,
            epoch: run.epoch,
            step_mark: marks.step_mark.clone(),
            rank: None,
            is_new: false,
        }));
    }
    items.push(Item::Commit);
    let _ = session.send(items).await;
}

pub(crate) fn empty_ended() -> Ended {
    Ended { outcome: None, state: StepState::Done, done: 0, attempts: 1, notices: Notices::default(), failed: None }
}
