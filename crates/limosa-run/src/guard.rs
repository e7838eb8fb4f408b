//! What must hold right before a step runs: asked on its session, within its transaction where that can be.
//!
//! A transaction that is asked in first is begun before the flight of the step, which then goes on in it. Where the step has none, sets
//! something for its session or its transaction, or runs on MySQL, the questions have a transaction of their own right before it.

use std::time::Duration;

use limosa_core::{Check, Guard, Identity, Otherwise, Question, Step};
use limosa_db::ledger::statements as sql;
use limosa_db::{DbError, DbErrorKind, Item, Notice, Row, Session, Value};
use limosa_sql::{Diagnostic, Engine, Label};

use crate::attempt::Failure;
use crate::cancelling::send_stoppable;
use crate::conduct::{Ended, Run, empty_ended};
use crate::entries::{Marks, counted, head};
use crate::feed::{GaveUp, Purpose, SharedLog, lock};
use crate::notices::Notices;
use crate::placeholders::expand_asked;
use crate::{Event, Outcome, StepState};

/// A step that does not run because its guard does not hold.
#[derive(Debug)]
pub(crate) struct Refused {
    /// What becomes of it.
    otherwise: Otherwise,
    /// What was asked, and what came out.
    problem: Diagnostic,
}

impl Refused {
    /// What was asked, and what came out.
    pub(crate) fn problem(&self) -> &Diagnostic {
        &self.problem
    }

    /// How a run ends that stops for it: whoever asked for the change has to look; a query that is wrong is mended like any other
    /// statement.
    pub(crate) fn outcome(&self) -> Outcome {
        let problem = Box::new(self.problem.clone());
        if self.problem.code == "LIM-R040" { Outcome::NeedsPerson(problem) } else { Outcome::Stopped(problem) }
    }
}

/// What is asked before a step; None where nothing is.
fn asks(step: &Step) -> Option<&Guard> {
    step.guard.as_deref().filter(|guard| !guard.checks.is_empty())
}

/// True where the questions are asked in the transaction of the step.
fn is_within(engine: Engine, block: &[Step]) -> bool {
    let fits = |step: &Step| step.outline.is_atomic() && !step.outline.may_set() && !step.outline.wrapped;
    matches!(block, [step] if asks(step).is_some() && engine != Engine::Mysql && fits(step))
}

/// Asks in the transaction of the step, which is open afterwards; false where nothing was asked.
pub(crate) async fn within(
    run: &Run<'_>,
    session: &mut dyn Session,
    block: &[Step],
    number: usize,
    marks: &Marks,
    log: &SharedLog,
) -> Result<bool, Failure> {
    let [step] = block else { return Ok(false) };
    let Some(guard) = asks(step).filter(|_| is_within(run.engine, block)) else { return Ok(false) };
    let mut notices = Notices::default();
    let asked = ask(run, session, step, guard, marks, &mut |notice| notices.push((number, notice))).await;
    lock(log).notices.append(&mut notices);
    asked.map(|()| true)
}

/// Asks in a transaction of its own, which is over afterwards, where the step has none that could be asked in.
pub(crate) async fn apart(
    run: &Run<'_>,
    session: &mut dyn Session,
    block: &[Step],
    number: usize,
    notices: &mut Notices,
) -> Result<(), Failure> {
    let [step] = block else { return Ok(()) };
    let Some(guard) = asks(step).filter(|_| !is_within(run.engine, block)) else { return Ok(()) };
    let marks = run.marks(Duration::ZERO);
    run.begin_progress(step, 1);
    ask(run, session, step, guard, &marks, &mut |notice| notices.push((number, notice))).await?;
    session.send(vec![Item::Rollback]).await.map(drop).map_err(|error| Failure::server(Purpose::Settings, error))
}

/// Asks before what runs with each run, in a transaction of its own, which is over afterwards; false where it is not to run now.
pub(crate) async fn before_callback(run: &Run<'_>, session: &mut dyn Session, step: &Step) -> Result<bool, Failure> {
    let Some(guard) = asks(step) else { return Ok(true) };
    let marks = run.marks(Duration::ZERO);
    run.begin_progress(step, 1);
    let asked = ask(run, session, step, guard, &marks, &mut |_| {}).await;
    let ended = match &asked {
        Ok(()) => session.send(vec![Item::Rollback]).await.map(drop),
        Err(_) => session.settle().await,
    };
    let server = |error| Failure::server(Purpose::Settings, error);
    match asked {
        Err(Failure::Guarded(refused)) if matches!(refused.otherwise, Otherwise::Leave | Otherwise::Count) => {
            ended.map_err(server)?;
            // Nothing is on record of it, so that it is asked again with the next run.
            let notice = notice(&refused.problem, "it is left for the next run");
            run.context.events.event(Event::Notice { label: step.label.clone(), notice });
            Ok(false)
        }
        Err(failure) => Err(failure),
        Ok(()) => ended.map_err(server).map(|()| true),
    }
}

async fn ask(
    run: &Run<'_>,
    session: &mut dyn Session,
    step: &Step,
    guard: &Guard,
    marks: &Marks,
    tell: &mut (dyn FnMut(Notice) + Send),
) -> Result<(), Failure> {
    begin(run, session, step, marks).await?;
    for check in &guard.checks {
        let replaced = check.question.replaced(&|text| expand_asked(step, text, run.engine, run.context));
        let question = replaced.map_err(|unknown| {
            let keys: Vec<String> = run.context.values.all.keys().cloned().collect();
            let problem = crate::unknown_placeholder(&unknown, step.outline.marks(), label(step, check), &keys);
            Failure::GaveUp(GaveUp::Problem(Box::new(problem)))
        })?;
        let (otherwise, problem) = match answer(run, session, &question).await {
            Ok(Answered::Yes) => continue,
            Ok(Answered::No(found)) => (guard.on_no, no(run, step, guard, check, &found)),
            Ok(Answered::Unclear(what)) => {
                (guard.on_error, refused(run, step, guard, check, &DbError::new(DbErrorKind::Statement, what)))
            }
            Err(error) if is_of_session(&error) => return Err(Failure::server(Purpose::Settings, error)),
            Err(error) => {
                // The transaction is lost with it.
                session.settle().await.map_err(|error| Failure::server(Purpose::Settings, error))?;
                if guard.on_error == Otherwise::Warn {
                    begin(run, session, step, marks).await?;
                }
                (guard.on_error, refused(run, step, guard, check, &run.context.values.hide_in_error(Box::new(error))))
            }
        };
        if otherwise != Otherwise::Warn {
            return Err(Failure::Guarded(Box::new(Refused { otherwise, problem })));
        }
        let notice = notice(&problem, "it runs all the same");
        run.context.events.event(Event::Notice { label: step.label.clone(), notice: notice.clone() });
        tell(notice);
    }
    Ok(())
}

/// The answer to a question that is made of others, or is one itself. One that the database refuses ends it, wherever it stands.
async fn answer(run: &Run<'_>, session: &mut dyn Session, question: &Question) -> Result<Answered, DbError> {
    match question {
        Question::All { of } => {
            for one in of {
                let answered = Box::pin(answer(run, session, one)).await?;
                if !matches!(answered, Answered::Yes) {
                    return Ok(answered);
                }
            }
            Ok(Answered::Yes)
        }
        Question::Any { of } => {
            let mut found = Vec::with_capacity(of.len());
            for one in of {
                match Box::pin(answer(run, session, one)).await? {
                    Answered::No(words) => found.push(words),
                    other => return Ok(other),
                }
            }
            Ok(Answered::No(found.join("; ")))
        }
        Question::None { of } => {
            for one in of {
                match Box::pin(answer(run, session, one)).await? {
                    Answered::No(_) => {}
                    Answered::Yes => return Ok(Answered::No(format!("it holds that {}", one.words()))),
                    unclear => return Ok(unclear),
                }
            }
            Ok(Answered::Yes)
        }
        Question::Known { words, holds } => {
            Ok(if *holds { Answered::Yes } else { Answered::No(format!("it does not hold that {words}")) })
        }
        Question::Applied { identity } => is_applied(run, session, identity).await,
        Question::Sql { .. } | Question::Table { .. } | Question::View { .. } | Question::User { .. } => {
            let Some((sql, expected)) = question.query(run.engine) else { return Ok(Answered::Yes) };
            // What stands last is not cancelled, and does not have to be.
            let items = vec![Item::Bound { sql, parameters: Vec::new() }, Item::Control("select 1".to_owned())];
            let rows = send_stoppable(session, &run.context.stop, items).await?;
            Ok(answered(question, expected, rows.first().map(Vec::as_slice).unwrap_or_default()))
        }
    }
}

/// Whether a change counts as applied in the ledger.
async fn is_applied(run: &Run<'_>, session: &mut dyn Session, identity: &Identity) -> Result<Answered, DbError> {
    let of_it = vec![Value::Text(identity.to_string())];
    let items = vec![run.context.ledger.bound(&sql::STEP_MARK_OF, of_it), Item::Control("select 1".to_owned())];
    let rows = send_stoppable(session, &run.context.stop, items).await?;
    let state = rows.first().and_then(|rows| rows.first()).and_then(|row| row.text(1));
    Ok(match state.as_deref() {
        Some("applied" | "baseline") => Answered::Yes,
        _ => Answered::No(format!("{identity} has not run")),
    })
}

async fn begin(run: &Run<'_>, session: &mut dyn Session, step: &Step, marks: &Marks) -> Result<(), Failure> {
    let head = head(run.context, run.engine, step, marks, true);
    let items = std::iter::once(Item::Begin).chain(head.into_iter().map(|(item, _)| item)).collect();
    session.send(items).await.map(drop).map_err(|error| Failure::server(Purpose::Fence, error))
}

/// What has nothing to do with the question.
fn is_of_session(error: &DbError) -> bool {
    error.is_transient() || matches!(error.kind, DbErrorKind::ConnectionLost | DbErrorKind::Cancelled)
}

/// What came out of a question.
enum Answered {
    Yes,
    /// In words.
    No(String),
    /// It gave something else than one value.
    Unclear(&'static str),
}

fn answered(question: &Question, expected: &str, rows: &[Row]) -> Answered {
    let found = match (rows, question) {
        ([row], _) if row.0.len() == 1 => spelled(row),
        ([], _) => return Answered::Unclear("its query gives no row, and must give one"),
        ([_], _) => return Answered::Unclear("its query gives several columns, and must give one"),
        _ => return Answered::Unclear("its query gives several rows, and must give one"),
    };
    if found.as_deref() == Some(expected) {
        return Answered::Yes;
    }
    Answered::No(match (question, found) {
        (Question::Table { .. } | Question::View { .. }, _) => {
            question.words().replacen("there is a", "there is no", 1)
        }
        (Question::User { name }, _) => format!("the user is not {name}"),
        (_, None) => format!("expected '{expected}', found NULL"),
        (_, Some(found)) => format!("expected '{expected}', found '{found}'"),
    })
}

/// The first value as PostgreSQL spells it: truth values are letters there.
fn spelled(row: &Row) -> Option<String> {
    match row.0.first() {
        Some(Value::Boolean(truth)) => Some(if *truth { "t" } else { "f" }.to_owned()),
        _ => row.text(0),
    }
}

fn label(step: &Step, check: &Check) -> Label {
    let length = check.line.chars().count() as u64;
    Label::place(step.work.origin(), check.position).line(check.line.clone()).length(length)
}

/// How people know a step: what runs with each run by its number and id.
fn called(step: &Step) -> &str {
    if step.identity.is_of_callback() { &step.name } else { step.identity.as_str() }
}

fn no(run: &Run<'_>, step: &Step, guard: &Guard, check: &Check, found: &str) -> Diagnostic {
    let found = run.context.values.hide_in_words(found.to_owned());
    let message = format!("a precondition of {} does not hold: {found}", called(step));
    let not_needed = format!("; where the change is not needed here: limosa repair --mark-applied '{}'", step.identity);
    let not_needed = if step.identity.is_of_callback() { "" } else { &not_needed };
    let next = format!("bring the database to where it holds, and run again{not_needed}");
    let words = guard.words_on_no.iter().cloned().chain([next]).collect::<Vec<_>>().join("\n");
    Diagnostic::error("LIM-R040", message).at(label(step, check)).help(words)
}

fn refused(run: &Run<'_>, step: &Step, guard: &Guard, check: &Check, error: &DbError) -> Diagnostic {
    let code = error.code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
    let message = run.context.values.hide_in_words(error.message.clone());
    let message = format!("a precondition of {} cannot be asked: {message}{code}", called(step));
    let next = error.hint.clone().unwrap_or_else(|| "mend the query; it is sent as it stands".to_owned());
    let words = guard.words_on_error.iter().cloned().chain([next]).collect::<Vec<_>>().join("\n");
    Diagnostic::error("LIM-R041", message).at(label(step, check)).help(words)
}

pub(crate) fn notice(problem: &Diagnostic, what: &str) -> Notice {
    let place = problem.labels.first().and_then(|label| Some((label.file.as_str(), label.position?.line)));
    let place = place.map(|(file, line)| format!(" ({file}:{line})")).unwrap_or_default();
    let hint = problem.help.as_deref().filter(|_| what.is_empty()).map(str::to_owned);
    let message = format!("{}{place}; {what}", problem.message);
    Notice { severity: "WARNING".to_owned(), message, detail: None, hint, code: None }
}

/// How a step ends that does not run: what becomes of it is done here.
pub(crate) async fn ended(
    run: &Run<'_>,
    session: &mut dyn Session,
    step: &Step,
    number: usize,
    refused: Refused,
) -> Ended {
    if let Err(error) = session.settle().await {
        let outcome = run.explain(&Failure::server(Purpose::Settings, error), std::slice::from_ref(step), number).0;
        return Ended { outcome: Some(outcome), state: StepState::RolledBack, ..empty_ended() };
    }
    let Refused { otherwise, problem } = &refused;
    let (state, what) = match otherwise {
        Otherwise::Stop | Otherwise::Warn => {
            let outcome = Some(refused.outcome());
            return Ended { outcome, state: StepState::RolledBack, failed: Some(number), ..empty_ended() };
        }
        Otherwise::Leave => (StepState::Left, "it is left for the next run"),
        Otherwise::Count => (StepState::Counted, "it counts as applied, and was not run"),
    };
    if state == StepState::Counted
        && let Err(failure) = count(run, session, step, problem).await
    {
        let _ = session.settle().await;
        let outcome = run.explain(&failure, std::slice::from_ref(step), number).0;
        return Ended { outcome: Some(outcome), state: StepState::RolledBack, ..empty_ended() };
    }
    let mut ended = Ended { state, ..empty_ended() };
    let notice = notice(problem, what);
    run.context.events.event(Event::Notice { label: step.label.clone(), notice: notice.clone() });
    ended.notices.push((number, notice));
    ended
}

/// Records that a step counts as applied.
async fn count(run: &Run<'_>, session: &mut dyn Session, step: &Step, problem: &Diagnostic) -> Result<(), Failure> {
    let marks = run.marks(Duration::ZERO);
    begin(run, session, step, &marks).await?;
    let mut items = counted(run.context, run.engine, step, &marks, &problem.message);
    items.push((Item::Commit, Purpose::Commit));
    let sent = session.send(items.into_iter().map(|(item, _)| item).collect()).await;
    let rows = sent.map_err(|error| Failure::server(Purpose::Ledger, error))?;
    run.keep_head(limosa_db::ledger::audit_head(&rows));
    Ok(())
}
