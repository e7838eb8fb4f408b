//! Steps whose statements cannot all commit together: each commit carries its progress, and what runs outside of
//! transactions is written into the journal before it begins and after it ends.

mod alone;
mod carried;
mod untouched;

use std::time::{Duration, Instant};

use limosa_core::{Action, FirstPart, Group, GroupMode, StatementHasher, Step};
use limosa_db::{DbError, DbErrorKind, Item, Session, SettingsMark};
use limosa_sql::{Diagnostic, Effect, Engine};

use crate::atomic::{attempts_told, pause};
use crate::attempt::{Failure, fly, new_log};
use crate::conduct::{Ended, Run, empty_ended};
use crate::entries::{
    Marks, begin_guarded, behind_reset_all, finished, fresh_settings, head, mysql, progress, reset, settle_constraints,
};
use crate::feed::{Feed, GaveUp, Log, Purpose, SharedLog, Stretch, lock};
use crate::lost::{self, Standing};
use crate::notices::Notices;
use crate::placeholders::expand_statement;
use crate::reader::{Numbered, Part, ScriptReader};
use crate::{Outcome, StepState, counted, implicit_commit, put_back, recovery, shared_session};
pub(crate) use untouched::Stood;

/// Where a script stands while it runs.
struct Walk<'a> {
    run: &'a Run<'a>,
    step: &'a Step,
    number: usize,
    reader: ScriptReader,
    /// Statements that are committed and recorded.
    done: u64,
    /// The statement outside of transactions that the journal calls begun and not ended.
    begun: Option<u64>,
    /// Statements that took effect; the record of those after `done` goes with the next transaction.
    ran: u64,
    /// A way back: how the row of its change stood before it.
    stood: Option<Stood>,
    hasher: StatementHasher,
    began: Instant,
    attempts: u32,
    notices: Notices,
}

/// Runs one step, from where its journal says it stands.
pub(crate) async fn run(run: &Run<'_>, session: &mut dyn Session, step: &Step, number: usize) -> Ended {
    // Whoever goes on with a file sends again what it set before.
    let may_change = step.outline.may_set() || !step.begins_with.is_empty();
    let mark = match run.engine != Engine::Postgres && may_change {
        true => remembered(session, step).await.map(Some),
        false => Ok(None),
    };
    let mark = match mark {
        Ok(mark) => mark,
        Err(error) => return unanswered(run, Box::new(error), step.action.done()),
    };
    let ended = walk(run, session, step, number).await;
    let hands_on = step.hands_on && ended.outcome.is_none();
    // A broken connection shows in the outcome already.
    let _ = match mark {
        Some(mark) if hands_on => shared_session::hand_on(session, mark, run.engine, std::slice::from_ref(step)).await,
        Some(mark) => session.restore_settings(mark).await,
        None if run.engine == Engine::Postgres && !hands_on => {
            session.send(vec![Item::Control(reset(run.context))]).await.map(|_| ())
        }
        None => Ok(()),
    };
    ended
}

/// What the session comes back to behind a step, which begins with what it is told to.
async fn remembered(session: &mut dyn Session, step: &Step) -> Result<SettingsMark, DbError> {
    let mark = session.remember_settings().await?;
    put_back::begin_with(session, std::slice::from_ref(step)).await?;
    Ok(mark)
}

fn unanswered(run: &Run<'_>, error: Box<DbError>, done: u64) -> Ended {
    let error = run.context.values.hide_in_error(error);
    stopped(Diagnostic::error("LIM-R002", error.message), done)
}

fn stopped(problem: Diagnostic, done: u64) -> Ended {
    Ended { outcome: Some(Outcome::Stopped(Box::new(problem))), state: StepState::Partial, done, ..empty_ended() }
}

async fn walk(run: &Run<'_>, session: &mut dyn Session, step: &Step, number: usize) -> Ended {
    // The rest of a file that was edited may be a single transaction: its pragmas stay where they stand all the same.
    let mut step = std::borrow::Cow::Borrowed(step);
    if !step.outline.lifted.is_empty() {
        let outline = &mut *step.to_mut().outline;
        *outline = std::mem::take(outline).in_pieces();
    }
    let step = &*step;
    let start = match step.action {
        Action::Resume { .. } | Action::ResumeRevert { .. } => match recovery::recover_step(run, session, step).await {
            Ok(start) => start,
            Err(outcome) => {
                let done = step.action.done();
                return Ended { outcome: Some(outcome), state: StepState::Partial, done, ..empty_ended() };
            }
        },
        _ => recovery::Start { done: 0, hasher: StatementHasher::new(), stood: None },
    };
    let stood = match Stood::look(run, session, step).await {
        Ok(stood) => stood.or_else(|| start.stood.clone()),
        Err(error) => return unanswered(run, error, start.done),
    };
    let reader = match ScriptReader::open(step, run.dialect, run.context.files) {
        Ok(reader) => reader,
        Err(problem) => return stopped(*problem, start.done),
    };
    let mut walk = Walk {
        run,
        step,
        number,
        reader,
        done: start.done,
        begun: None,
        ran: start.done,
        stood,
        hasher: StatementHasher::new(),
        began: Instant::now(),
        attempts: 1,
        notices: Notices::default(),
    };
    let result = walk.all(session, &start).await;
    if let Err(failure) = &result
        && !failure.is_connection_lost()
        && walk.begun.is_none()
        && walk.done > 0
        && session.settle().await.is_ok()
        && let Some(stood) = walk.stood()
    {
        // Where this fails, the next rollback begins behind what was set.
        let _ = walk.stand_as_before(session, &stood).await;
    }
    let begun = walk.begun;
    let mut ended = Ended {
        outcome: None,
        state: StepState::Done,
        done: walk.done,
        attempts: walk.attempts,
        notices: walk.notices,
        failed: Some(number),
    };
    if let Err(failure) = result {
        let outcome = run.explain(&failure, std::slice::from_ref(step), number).0;
        if failure.is_connection_lost() {
            lost_connection(run, step, number, outcome, &mut ended).await;
        } else if let Failure::Server { purpose: Some(Purpose::Statement(sent)), error, .. } = &failure
            && error.kind == DbErrorKind::ImplicitCommit
        {
            ended.outcome = Some(outcome);
            implicit_commit::record(run, session, step, sent, error, &mut ended).await;
        } else {
            ended.outcome = Some(told(attempts_told(outcome, ended.attempts), step, ended.done, begun));
            // What the journal still calls begun may have left something: an invalid index.
            let is_nothing = ended.done == 0 && begun.is_none();
            ended.state = if is_nothing { failure.state_of_nothing_committed() } else { StepState::Partial };
        }
    }
    ended
}

/// The last record that was sent may be committed: the ledger knows.
async fn lost_connection(run: &Run<'_>, step: &Step, number: usize, outcome: Outcome, ended: &mut Ended) {
    let ours =
        |mark: &Option<String>| mark.as_ref().is_none_or(|mark| mark.starts_with(&format!("{}:", run.context.run_id)));
    let standing = match lost::standing(run, step).await {
        // A repeatable is done from before until its first record.
        Some(Standing::Done { mark }) if !ours(&mark) => Some(Standing::Nothing),
        standing => standing,
    };
    match &standing {
        Some(Standing::Done { .. }) => ended.done = step.outline.statements,
        Some(Standing::Partial { done }) => ended.done = *done,
        Some(Standing::Nothing) => ended.done = 0,
        None => {}
    }
    ended.state = match (&standing, ended.done) {
        (Some(Standing::Done { .. }), _) => StepState::Done,
        (None, 0) => StepState::Unknown,
        (_, 0) => StepState::RolledBack,
        _ => StepState::Partial,
    };
    if ended.state == StepState::Done && number + 1 == run.plan.steps.len() {
        ended.notices.push((number, lost::nothing_left(&step.label)));
        return;
    }
    ended.outcome = Some(lost::told(outcome, &step.label, standing.as_ref()));
}

/// Says what stands, for a person who reads only the error.
fn told(outcome: Outcome, step: &Step, done: u64, begun: Option<u64>) -> Outcome {
    let Outcome::Stopped(mut problem) = outcome else { return outcome };
    let stands = match done {
        0 => "no statement of this file is recorded as committed".to_owned(),
        _ => format!("statements 1 to {done} of {} are committed and recorded", step.outline.statements),
    };
    let next = match begun {
        Some(number) => format!(
            "statement {number} was begun, and its end is not recorded: the next run looks what became of it, and goes on"
        ),
        None => "mend the file from the failed statement on if it is wrong, and run again: limosa goes on from there"
            .to_owned(),
    };
    problem.help = Some(match problem.help.take() {
        Some(help) => format!("{help}\n{stands}; {next}"),
        None => format!("{stands}; {next}"),
    });
    Outcome::Stopped(problem)
}

impl<'a> Walk<'a> {
    async fn all(&mut self, session: &mut dyn Session, start: &recovery::Start) -> Result<(), Failure> {
        self.pass(session, start).await?;
        let groups = self.step.outline.groups.clone();
        for group in groups.iter().filter(|group| group.last > start.done) {
            match group.mode {
                GroupMode::Alone => self.alone(session, group).await?,
                GroupMode::Transaction | GroupMode::Own => self.together(session, group).await?,
            }
        }
        // A transaction at the end records it; where everything ran already, as the file now is, none was begun.
        let recorded =
            groups.last().is_some_and(|group| group.last > start.done && group.mode == GroupMode::Transaction);
        if recorded { Ok(()) } else { self.finish(session).await }
    }

    /// Begins with the settings of a fresh session; passes over the statements that are done, proves that they are the ones
    /// that ran, and sets again what they set for the session.
    async fn pass(&mut self, session: &mut dyn Session, start: &recovery::Start) -> Result<(), Failure> {
        let (context, engine) = (self.run.context, self.run.engine);
        let mut settings = Vec::new();
        let mut lost = carried::Lost::default();
        settings.extend(fresh_settings(context, engine, self.step));
        while let Some(statement) = self.ahead()?
            && statement.number <= start.done
        {
            self.hasher.add(&counted::hash_of(self.step, &statement, engine, context));
            let class = statement.class();
            let found = (engine == Engine::Mysql).then(|| limosa_sql::carried(engine, statement.piece.statement()));
            // What is set for one transaction only ended with it.
            let sets = (!class.effect.session_settings().is_empty() && class.verb != "SET LOCAL")
                || (matches!(class.effect, Effect::LiftedPragma { .. }) && engine == Engine::Sqlite)
                || found.as_ref().is_some_and(|found| found.sets_repeatably);
            if sets {
                let expanded = expand_statement(self.step, self.reader.origin(), &statement, engine, context);
                settings.push(Item::Script(expanded.map_err(problem)?.text));
                settings.extend(behind_reset_all(context, engine, self.step, class));
            } else if let Some(found) = &found {
                lost.note(statement.number, found);
            }
            self.take()?;
        }
        let origin = self.reader.origin();
        let problem = match self.hasher.compared_with(&start.hasher, Vec::new()) {
            FirstPart::Same => None,
            FirstPart::OtherText => Some(
                Diagnostic::error(
                    "LIM-P006",
                    format!("{origin} was changed in statements that ran already and are committed"),
                )
                .help("put those statements back as they were; from the failed statement on the file may be edited"),
            ),
            FirstPart::OtherValues(_) => Some(
                Diagnostic::error(
                    "LIM-P036",
                    format!("statements of {origin} ran with another value of a placeholder and are committed"),
                )
                .help("give the placeholders the values that they had then"),
            ),
        };
        if let Some(problem) = problem {
            return Err(Failure::GaveUp(GaveUp::Problem(Box::new(problem))));
        }
        carried::prove_unneeded(self.run, self.step, start.done, lost)?;
        if !settings.is_empty() {
            session.send(settings).await.map_err(|error| server(None, error))?;
        }
        Ok(())
    }

    /// The statement that comes next.
    fn ahead(&mut self) -> Result<Option<Numbered>, Failure> {
        loop {
            match self.reader.peek().map_err(problem)? {
                Some(Part::Statement(statement)) => return Ok(Some(statement.clone())),
                Some(_) => {
                    self.reader.next().map_err(problem)?;
                }
                None => return Ok(None),
            }
        }
    }

    fn take(&mut self) -> Result<(), Failure> {
        self.reader.next().map_err(problem).map(|_| ())
    }

    fn marks(&self) -> Marks {
        self.run.marks(self.began.elapsed())
    }

    fn head(&self, marks: &Marks) -> Vec<crate::feed::Tagged> {
        head(self.run.context, self.run.engine, self.step, marks, false)
    }

    fn writable(&self) -> Option<crate::feed::Tagged> {
        let text = (self.run.engine == Engine::Mysql).then(|| mysql::writable(self.step))?;
        text.map(|text| (Item::Control(text), Purpose::Settings))
    }

    /// A group that commits together, its progress with it.
    async fn together(&mut self, session: &mut dyn Session, group: &Group) -> Result<(), Failure> {
        let own = group.mode == GroupMode::Own;
        let last = group.last == self.step.outline.statements;
        loop {
            let marks = self.marks();
            let head = self.head(&marks);
            let log = new_log();
            lock(&log).hasher = self.hasher.clone();
            self.run.begin_progress(self.step, group.first);
            let (run, step) = (self.run, self.step);
            let to = group.last;
            let ends_step = last && !own;
            let closing_marks = marks.clone();
            let mut feed = Feed::new(run.context, run.engine, log.clone());
            feed.first(self.writable());
            if !own {
                feed.first([begin_guarded(run.context, run.engine, std::iter::once(step))]);
            }
            feed.stretch(Stretch {
                is_around: false,
                step_number: self.number,
                step,
                reader: Box::new(&mut self.reader),
                from: group.first,
                to,
                own,
                replay: false,
                last: ends_step,
                head,
                awaits: false,
                closing: Box::new(move |log: &Log| {
                    let rows = if ends_step {
                        finished(run.context, run.engine, step, &closing_marks, true)
                    } else {
                        progress(run.context, run.engine, step, &closing_marks, to, &log.hasher.value(), None)
                    };
                    settle_constraints(run.engine).into_iter().chain(rows).collect()
                }),
            });
            if !own {
                feed.last([(Item::Commit, Purpose::Commit)]);
            }
            let flown =
                fly(session, run.context, feed, &log, &run.progress, std::slice::from_ref(step), self.number).await;
            self.keep(&log);
            match flown {
                Ok(()) => {
                    self.hasher = lock(&log).hasher.clone();
                    self.ran = to;
                    self.done = to;
                    return Ok(());
                }
                Err(failure) => self.again(session, failure).await?,
            }
        }
    }

    fn keep(&mut self, log: &SharedLog) {
        let mut log = lock(log);
        self.run.keep_head(log.head.take());
        self.notices.append(&mut log.notices);
    }

    /// Makes ready for another attempt at the group or statement after `done`, or gives the failure back.
    async fn again(&mut self, session: &mut dyn Session, failure: Failure) -> Result<(), Failure> {
        let Failure::Server { error, .. } = &failure else { return Err(failure) };
        let retries = self.step.limits.lock_retries;
        if !error.is_transient() || self.attempts > retries || self.run.context.stop.is_asked() {
            return Err(failure);
        }
        pause(self.run, self.step, self.attempts, retries, error).await;
        self.attempts += 1;
        session.settle().await.map_err(|error| server(None, error))?;
        self.reader = ScriptReader::open(self.step, self.run.dialect, self.run.context.files).map_err(problem)?;
        while self.ahead()?.is_some_and(|statement| statement.number <= self.ran) {
            self.take()?;
        }
        Ok(())
    }

    /// Writes progress in a transaction of its own.
    async fn record(
        &mut self,
        session: &mut dyn Session,
        current: Option<(u64, String, Option<String>)>,
    ) -> Result<(), Failure> {
        let marks = self.marks();
        let head = self.head(&marks);
        let begun = current.as_ref().map(|(number, _, _)| *number);
        let rows =
            progress(self.run.context, self.run.engine, self.step, &marks, self.ran, &self.hasher.value(), current);
        self.send(session, head, rows).await?;
        self.done = self.ran;
        self.begun = begun;
        Ok(())
    }

    /// The last record: the change is done.
    async fn finish(&mut self, session: &mut dyn Session) -> Result<(), Failure> {
        self.reader.prove_unchanged().map_err(problem)?;
        let marks = self.marks();
        let head = self.head(&marks);
        let rows = finished(self.run.context, self.run.engine, self.step, &marks, true);
        self.send(session, head, rows).await?;
        self.done = self.ran;
        self.begun = None;
        Ok(())
    }

    async fn send(
        &mut self,
        session: &mut dyn Session,
        head: Vec<crate::feed::Tagged>,
        rows: Vec<crate::feed::Tagged>,
    ) -> Result<(), Failure> {
        let log = new_log();
        let mut feed = Feed::new(self.run.context, self.run.engine, log.clone());
        feed.first(self.writable());
        feed.first([(Item::Begin, Purpose::Begin)]);
        feed.first(head);
        feed.first(rows);
        feed.first([(Item::Commit, Purpose::Commit)]);
        let items: Vec<Item> = feed.into_items();
        // The record of what happened is written even when the run was asked to stop.
        let rows = loop {
            let error = match session.send(items.clone()).await {
                Ok(rows) => break rows,
                Err(error) => error,
            };
            let retries = self.step.limits.lock_retries;
            if !error.is_transient() || self.attempts > retries {
                return Err(server(Some(Purpose::Ledger), error));
            }
            pause(self.run, self.step, self.attempts, retries, &error).await;
            self.attempts += 1;
            session.settle().await.map_err(|error| server(None, error))?;
        };
        self.run.keep_head(limosa_db::ledger::audit_head(&rows));
        Ok(())
    }
}

fn problem(problem: Box<Diagnostic>) -> Failure {
    Failure::GaveUp(GaveUp::Problem(problem))
}

fn server(purpose: Option<Purpose>, error: limosa_db::DbError) -> Failure {
    Failure::Server { purpose, error: Box::new(error), commit_sent: false }
}

/// How long a recovery waits for a statement that still runs on the server.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);
