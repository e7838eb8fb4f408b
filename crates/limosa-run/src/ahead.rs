//! Transactions of consecutive steps, each sent before the commit of the one before it is answered: many steps cost one wait.
//!
//! PostgreSQL can do that on a direct connection, and SQLite, where it is a thread that is not waited for: it runs nothing behind the
//! first item that failed. On PostgreSQL, that each step stands alone all the same is kept by four things:
//! - A statement that fails leaves its transaction failed, and the COMMIT behind it is in one message with statements that fail
//!   there: the server does not come to it, nor to any later BEGIN, until the flight rolls back.
//! - A COMMIT that fails takes the mark of its transaction back, which the fence of the next one asks for.
//! - A BEGIN that does not take place (a request to cancel can hit it) leaves the next statements without a transaction. The
//!   session changes nothing outside of transactions meanwhile, and leaves no mark there for the next one.
//! - After a lost connection the ledger is asked how far the server came.
//!
//! Several steps may share one of the transactions ([`crate::sharing`]).
//!
//! The first step that failed goes on alone (`atomic`), as if it had been sent alone: it is explained and tried again there. Of a shared
//! transaction that is the first of its steps, and none of the others shares one again.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use limosa_core::{Direction, Plan, Step, Work};
use limosa_db::{DbErrorKind, FlightObserver, Item, Landed, Notice, Session};
use limosa_sql::Engine;

use crate::announce::announce;
use crate::atomic::Failed;
use crate::attempt::{Failure, fly_watched, new_log};
use crate::conduct::{Ended, Run, empty_ended, joins, report, resumes};
use crate::entries::several::Several;
use crate::entries::{self, Marks};
use crate::feed::{Feed, Log, Purpose, SharedLog, Stretch, Supply, Watch, lock};
use crate::lost::{self, Standing};
use crate::reader::ScriptReader;
use crate::{Context, StepReport, beginnings, notices::Notices};

/// How far a flight of several steps came.
pub(crate) struct Halt {
    /// The first step that is not done.
    pub(crate) at: usize,
    /// Set where that step has been begun.
    pub(crate) begun: Option<Begun>,
    /// The end of the steps that share no transaction (again).
    pub(crate) apart_to: usize,
}

/// A step that was begun, and told to begin.
pub(crate) struct Begun {
    pub(crate) began: Instant,
    /// How it failed; None where it only has to be begun again.
    pub(crate) failed: Option<Failed>,
}

/// The end of the steps from `at` on that can be sent ahead of each other's answers.
pub(crate) fn reach(plan: &Plan, engine: Engine, context: &Context<'_>, at: usize) -> usize {
    if engine == Engine::Mysql || context.pooled || plan.callbacks.iter().any(|callback| callback.event.is_each()) {
        return at;
    }
    let steps = &plan.steps;
    // SQLite waits for other writers as long as the session is told before the flight.
    let is_bare = |number: usize| plan.makes.as_ref().is_none_or(|made| !made.is_for(&steps[number]));
    let waits_alike = |number: usize| engine == Engine::Postgres || steps[number].limits == steps[at].limits;
    // What it begins with is looked up right before it.
    let is_kept = |number: usize| context.keeps_beginnings && beginnings::has_own(&steps[number]);
    (at..steps.len())
        .find(|number| is_kept(*number) || !stands_alone(steps, *number) || !is_bare(*number) || !waits_alike(*number))
        .unwrap_or(steps.len())
}

/// True for a step that is a transaction of its own and leaves nothing for the next one to be put right.
fn stands_alone(steps: &[Step], at: usize) -> bool {
    let step = &steps[at];
    let shares = joins(steps, at) || (at + 1 < steps.len() && joins(steps, at + 1));
    let outline = &step.outline;
    !shares
        && !resumes(step)
        && !matches!(step.work, Work::Code(_))
        && outline.is_atomic()
        && !outline.may_set()
        && outline.session_bound.is_none()
        && !outline.wrapped
        && step.proof.is_none()
        && step.guard.is_none()
        && step.begins_with.is_empty()
        && entries::leaves_guard(step)
        // The fence that is sent ahead knows our own rights only.
        && step.inherits.as_ref().is_none_or(|inherited| inherited.locals.is_empty() && !entries::borrows(step))
}

/// Runs steps that [`reach`] found; those before `apart_to` each in a transaction of its own.
pub(crate) async fn run(
    run: &Run<'_>,
    session: &mut dyn Session,
    steps: Range<usize>,
    apart_to: usize,
    reports: &mut Vec<StepReport>,
) -> Halt {
    let log = new_log();
    let under_way = UnderWay::default();
    let mut feed = Feed::new(run.context, run.engine, log.clone());
    feed.first([(Item::BeginGuarded, Purpose::Begin)]);
    feed.supplied(supply(run, steps.clone(), apart_to, under_way.clone(), log.clone()));
    let watch = Watch {
        context: run.context,
        log: Arc::clone(&log),
        progress: Arc::clone(&run.progress),
        steps: &run.plan.steps,
        first_step: 0,
        current: steps.start,
    };
    let mut landing = Landing {
        watch,
        run,
        log: Arc::clone(&log),
        under_way: under_way.clone(),
        reports,
        at: steps.start,
        end: steps.end,
        began: Instant::now(),
        spent: Vec::new(),
    };
    landing.begin();
    // A statement that is stopped after a time has to be seen to begin.
    let untimed = run.plan.steps[steps.start].limits.statement_timeout_ms == 0;
    session.many_transactions(true, untimed).await;
    let flown = fly_watched(session, run.context, feed, &log, &run.progress, &mut landing).await;
    session.many_transactions(false, false).await;
    let Err(failure) = flown else { return Halt { at: steps.end, begun: None, apart_to } };
    let failure = match failure {
        Failure::Server { purpose, error, .. } if error.kind == DbErrorKind::ConnectionLost => {
            let hit = landing.at;
            landing.ask().await;
            // The commit may have been lost, too: the flight knows only of the last one that was sent. And what was heard of
            // last may be part of a step that is done.
            Failure::Server { purpose: purpose.filter(|_| landing.at == hit), error, commit_sent: true }
        }
        other => {
            let _ = session.settle().await;
            other
        }
    };
    let (at, began) = (landing.at, landing.began);
    let mut notices = Notices::default();
    notices.append(&mut lock(&log).notices);
    let oldest = under_way.first();
    let sharing = oldest.as_ref().map_or(1, |oldest| oldest.steps);
    let marks = oldest.map_or_else(|| run.marks(Duration::ZERO), |oldest| oldest.marks);
    // Its own fence tells, when it is alone, whether the lease is lost.
    let is_fence = matches!(&failure, Failure::Server { purpose: Some(Purpose::Fence), .. });
    // And which of several failed, or whether any does that is alone.
    let again = (sharing > 1 || (at > steps.start && is_fence)) && !failure.is_of_somebody();
    let failed = (!again).then_some(Failed { failure, marks, notices });
    Halt { at, begun: Some(Begun { began, failed }), apart_to: apart_to.max(at + sharing) }
}

/// A transaction that was begun.
#[derive(Debug, Clone)]
struct Sent {
    marks: Marks,
    /// How many steps it is, as far as they were sent.
    steps: usize,
    /// It is of several.
    shared: bool,
}

/// The transactions that were begun and are not known to be committed, oldest first.
#[derive(Clone, Default)]
struct UnderWay(Arc<Mutex<VecDeque<Sent>>>);

impl UnderWay {
    fn with<T>(&self, look: impl FnOnce(&mut VecDeque<Sent>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn first(&self) -> Option<Sent> {
        self.with(|all| all.front().cloned())
    }

    /// What is told of the oldest waits where it is of several.
    fn hold(&self, log: &SharedLog) {
        lock(log).held.waits = self.first().is_some_and(|oldest| oldest.shared);
    }

    /// A further step of the transaction that was begun last.
    fn joined(&self) {
        self.with(|all| all.back_mut().into_iter().for_each(|sent| sent.steps += 1));
    }

    /// The first so many steps are known to be committed.
    fn committed(&self, mut steps: usize) {
        self.with(|all| {
            while let Some(oldest) = all.front_mut() {
                let share = oldest.steps.min(steps);
                oldest.steps -= share;
                steps -= share;
                if oldest.steps > 0 {
                    return;
                }
                all.pop_front();
            }
        });
    }
}

/// Opens the script of each step when its turn to be sent has come.
fn supply<'a>(
    run: &'a Run<'a>,
    steps: Range<usize>,
    apart_to: usize,
    under_way: UnderWay,
    log: SharedLog,
) -> Supply<'a> {
    let mut next = steps.start;
    let mut before: Option<String> = None;
    let mut sharing = run.sharing.clone();
    // Of a transaction that goes on with the next step.
    let mut open: Option<(Marks, Several)> = None;
    Box::new(move || {
        if next == steps.end {
            return Ok(None);
        }
        let (number, step) = (next, &run.plan.steps[next]);
        let reader = Box::new(ScriptReader::open(step, run.dialect, run.context.files)?);
        next += 1;
        let following = (next < steps.end).then(|| &run.plan.steps[next]);
        let goes_on =
            number >= apart_to && sharing.as_mut().is_some_and(|sharing| sharing.take(number, step, following));
        let (head, marks, mut several) = match open.take() {
            Some((marks, several)) => {
                under_way.joined();
                (Vec::new(), marks, several)
            }
            None => {
                let marks = run.marks(Duration::ZERO);
                let sent = Sent { marks: marks.clone(), steps: 1, shared: goes_on };
                under_way.with(|all| all.push_back(sent));
                under_way.hold(&log);
                let head = match (before.replace(marks.step_mark.clone()), run.engine) {
                    (Some(before), Engine::Postgres) => {
                        vec![entries::head_ahead(run.context, step, &marks, &before)]
                    }
                    // A lost lease leaves the row of the step without its epoch, and so fails the transaction. What is taken back has
                    // no row then.
                    (Some(_), Engine::Sqlite) if step.action.direction() == Direction::Apply => Vec::new(),
                    _ => entries::head(run.context, run.engine, step, &marks, true),
                };
                (head, marks, Several::default())
            }
        };
        if goes_on || !several.is_empty() {
            several.note(run.context, number, step, &marks);
        }
        let stretch = Stretch { step_number: number, head, ..Stretch::whole(step, reader) };
        if goes_on {
            open = Some((marks, several));
            return Ok(Some(stretch));
        }
        // The rows of what is applied tell how long each took.
        let awaits = !several.is_empty() && step.action.direction() == Direction::Apply;
        let closing = Box::new(move |log: &Log| {
            let mut items: Vec<_> = entries::settle_constraints(run.engine).into_iter().collect();
            items.extend(match several.is_empty() {
                true => entries::finished(run.context, run.engine, step, &marks, false),
                false => several.finished(run.context, step, &log.spent),
            });
            match (run.engine, following) {
                (Engine::Postgres, None) => {
                    items.extend([(entries::unguarded(), Purpose::Settings), (Item::Commit, Purpose::Commit)]);
                }
                (Engine::Postgres, Some(following)) => {
                    items.extend(entries::tail_ahead(run.context, &marks, following));
                }
                (_, None) => items.push((Item::Commit, Purpose::Commit)),
                (_, Some(_)) => items.extend([(Item::Commit, Purpose::Commit), (Item::BeginAhead, Purpose::Begin)]),
            }
            items
        });
        Ok(Some(Stretch { closing, awaits, ..stretch }))
    })
}

/// Tells of each step when its commit is answered.
struct Landing<'a> {
    watch: Watch<'a>,
    run: &'a Run<'a>,
    log: SharedLog,
    under_way: UnderWay,
    reports: &'a mut Vec<StepReport>,
    /// The first step that is not known to be committed.
    at: usize,
    end: usize,
    began: Instant,
    /// What the items took that have landed, of the steps from there that have been begun. They may land later, with those of the steps
    /// that are committed with them.
    spent: Vec<Duration>,
}

impl Landing<'_> {
    fn begin(&mut self) {
        let number = self.at + self.spent.len();
        self.watch.current = number;
        // Others of its transaction are told of when that is done.
        if number == self.at {
            announce(self.run, number);
        }
        self.run.begin_progress(&self.run.plan.steps[number], 1);
        if number == self.at {
            self.began = Instant::now();
        }
        self.spent.push(Duration::ZERO);
    }

    /// So many steps are done.
    fn done(&mut self, steps: usize) {
        let mut ended = Ended { outcome: None, ..empty_ended() };
        {
            let mut log = lock(&self.log);
            self.run.keep_head(log.head.take());
            ended.notices.append(&mut log.notices);
            log.spent = log.spent.split_off(&(self.at + steps));
        }
        self.under_way.committed(steps);
        self.under_way.hold(&self.log);
        while self.spent.len() < steps {
            self.begin();
        }
        let spent: Vec<Duration> = self.spent.drain(..steps).collect();
        for elapsed in spent {
            announce(self.run, self.at);
            let held = lock(&self.log).held.of(self.at);
            held.into_iter().for_each(|event| self.run.context.events.event(event));
            let block = &self.run.plan.steps[self.at..=self.at];
            report(self.run, self.reports, block, self.at, &ended, elapsed);
            self.at += 1;
        }
        if self.spent.is_empty() && self.at < self.end {
            self.begin();
        }
    }

    /// After a lost connection: steps that the ledger knows to be committed by us are done, but for the last one that was sent,
    /// which is left to be told with the loss.
    async fn ask(&mut self) {
        let sent = self.under_way.with(|all| all.clone());
        let marks: Vec<&Marks> = sent.iter().flat_map(|sent| std::iter::repeat_n(&sent.marks, sent.steps)).collect();
        let steps: Vec<&Step> = self.run.plan.steps[self.at..].iter().take(marks.len()).collect();
        if steps.len() < 2 {
            return;
        }
        let standings = lost::standings(self.run, &steps).await.unwrap_or_default();
        let is_ours = |(standing, marks): &(&Standing, &&Marks)| match standing {
            Standing::Done { mark } => mark.as_ref().is_none_or(|mark| *mark == marks.step_mark),
            Standing::Partial { .. } | Standing::Nothing => false,
        };
        let done = standings.iter().zip(&marks).take_while(is_ours).count().min(steps.len() - 1);
        if done > 0 {
            self.done(done);
        }
    }
}

impl FlightObserver for Landing<'_> {
    fn landed(&mut self, item: u64, landed: Landed) {
        let (step, commits) = {
            let log = lock(&self.log);
            let purpose = log.open.iter().find(|(number, _)| *number == item).map(|(_, purpose)| purpose);
            match purpose {
                Some(Purpose::Statement(sent)) => (Some(sent.step), false),
                purpose => (None, matches!(purpose, Some(Purpose::Commit))),
            }
        };
        // Several may share a transaction.
        while step.is_some_and(|step| step >= self.at + self.spent.len()) {
            self.begin();
        }
        if let Some(spent) = self.spent.last_mut() {
            *spent += landed.elapsed;
        }
        self.watch.landed(item, landed);
        if commits {
            let steps = self.under_way.first().map_or(1, |oldest| oldest.steps);
            self.done(steps);
        }
    }

    fn notice(&mut self, notice: Notice) {
        self.watch.notice(notice);
    }
}
