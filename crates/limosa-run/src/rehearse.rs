//! A dry run that executes: everything in one transaction that is rolled back. Writes nothing, not even to the ledger.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use limosa_core::{EnumValues, Identity, MadeTable, Plan, Step, Uncommitted, Work};
use limosa_db::{DbError, Item, Session, Value};
use limosa_sql::{Diagnostic, Engine, TableUse};

use crate::announce::started;
use crate::attempt::{Failure, fly, new_log};
use crate::conduct::interrupted;
use crate::entries::{self, local_role, mysql, put_back};
use crate::feed::{Closing, Feed, GaveUp, Progress, Purpose, Stretch, lock};
use crate::lock::{lock_key, lock_name};
use crate::problem::{own_problem, statement_problem};
use crate::reader::ScriptReader;
use crate::{Context, Event, Outcome, StepReport, StepState, not_taken_back, proof, tool_settings};

/// What was tried.
#[derive(Debug)]
pub struct Rehearsed {
    /// Steps that ran and were rolled back, the failed one included.
    pub steps: Vec<StepReport>,
    /// Steps that cannot be rolled back, so were not tried, with the reason.
    pub not_tried: Vec<(Step, String)>,
    /// Why it stopped.
    pub error: Option<Box<Diagnostic>>,
}

/// Runs the steps of a plan in one transaction and rolls it back. `enum_values` are those that concern its steps, as in
/// [`limosa_core::MigrateAsk::enum_values`]; `ahead` are statements that come before all of them in that transaction.
pub async fn rehearse(
    session: &mut dyn Session,
    context: &Context<'_>,
    plan: &Plan,
    enum_values: &HashMap<Identity, EnumValues>,
    ahead: &[String],
) -> Rehearsed {
    let engine = session.facts().engine();
    let (mut tried, mut not_tried) = sorted(&plan.steps, enum_values);
    if engine == Engine::Mysql && !tried.is_empty() {
        match not_taken_back::reason_against_rehearsal(session).await {
            Ok(Some(reason)) => not_tried.extend(tried.drain(..).map(|step| (step, reason.clone()))),
            Ok(None) => {}
            Err(error) => {
                let error = context.values.hide_in_error(Box::new(error));
                return Rehearsed {
                    steps: Vec::new(),
                    not_tried,
                    error: Some(Box::new(own_problem(None, "dry run", &error))),
                };
            }
        }
    }
    if engine == Engine::Mysql && plan.makes.is_some() {
        let needs = |step: &Step| matches!(step.outline.ledger_use, Some(TableUse::Needs { .. }));
        let reason = "it uses a table that is made before it, and making one cannot be rolled back";
        let (without, rest) = tried.into_iter().partition(needs);
        let without: Vec<Step> = without;
        (tried, not_tried) =
            (rest, not_tried.into_iter().chain(without.into_iter().map(|step| (step, reason.to_owned()))).collect());
    }
    let mut rehearsed = Rehearsed { steps: Vec::new(), not_tried, error: None };
    if tried.is_empty() {
        return rehearsed;
    }
    context.events.event(Event::PlanStarted { steps: tried.len(), direction: plan.direction });
    for (at, step) in tried.iter().enumerate() {
        context.events.event(started(step, at, tried.len()));
    }
    let began = Instant::now();
    let log = new_log();
    let mark = session.remember_settings().await.ok();
    // What fails here fails again with the first statement.
    let _ = tool_settings::begin(context, engine, session).await;
    let failure = flight(session, context, (ahead, plan.makes.as_ref()), &tried, &log).await.err();
    let stays = match (engine, &failure) {
        (Engine::Mysql, None) => not_taken_back::after_rehearsal(session).await,
        _ => None,
    };
    if let Some(mark) = mark {
        let _ = session.restore_settings(mark).await;
    }
    let log = lock(&log);
    let failed_step = match &failure {
        Some(Failure::Server { purpose: Some(Purpose::Statement(sent)), .. }) => Some(sent.step),
        _ => None,
    };
    let ran = failed_step.map_or(tried.len(), |at| at + 1);
    for (at, step) in tried.iter().take(ran).enumerate() {
        rehearsed.steps.push(StepReport {
            identity: step.identity.clone(),
            label: step.label.clone(),
            name: step.name.clone(),
            action: step.action,
            state: match &failure {
                Some(failure) => failure.state_of_nothing_committed(),
                None if stays.is_some() => StepState::RowsStay,
                None => StepState::RolledBack,
            },
            statements_done: 0,
            statements_total: step.outline.statements,
            elapsed: began.elapsed() / u32::try_from(ran).unwrap_or(1).max(1),
            attempts: 1,
            notices: log.notices.of(at),
        });
    }
    drop(log);
    rehearsed.error = failure.map(|failure| explain(context, engine, &failure)).or(stays);
    if let (Some(at), Some(error)) = (failed_step, &rehearsed.error)
        && let Some(step) = tried.get(at)
    {
        context.events.event(Event::StepFailed {
            number: at + 1,
            label: step.label.clone(),
            name: step.name.clone(),
            state: StepState::RolledBack,
            statements_done: 0,
            reason: Some((error.code, error.message.clone())),
            elapsed: began.elapsed(),
        });
    }
    rehearsed
}

/// Steps that can share one transaction, and the others with the reason why they cannot.
fn sorted(steps: &[Step], enum_values: &HashMap<Identity, EnumValues>) -> (Vec<Step>, Vec<(Step, String)>) {
    let mut uncommitted = Uncommitted::default();
    let (mut tried, mut not_tried): (Vec<Step>, Vec<(Step, String)>) = (Vec::new(), Vec::new());
    for step in steps {
        let enforces = step.outline.enforces_foreign_keys();
        if matches!(step.work, Work::Code(_)) {
            not_tried.push((step.clone(), "it is code of the application, which runs with a migrate only".to_owned()));
        } else if let Some(guard) = &step.guard {
            let reason = match guard.checks.is_empty() {
                false => "it has a precondition, which is asked when everything before it is committed",
                true => "it may fail, which everything before it outlives",
            };
            not_tried.push((step.clone(), reason.to_owned()));
        } else if !step.outline.is_atomic() {
            not_tried.push((step.clone(), "it does not run in one transaction".to_owned()));
        } else if tried.first().is_some_and(|first| first.outline.enforces_foreign_keys() != enforces) {
            let reason = "foreign keys cannot be switched within the one transaction of a dry run";
            not_tried.push((step.clone(), reason.to_owned()));
        } else if let Some(reason) = uncommitted.kept_out(enum_values.get(&step.identity)) {
            not_tried.push((step.clone(), reason));
        } else {
            uncommitted.add(step.outline.adds_enum_value, enum_values.get(&step.identity));
            tried.push(step.clone());
        }
    }
    (tried, not_tried)
}

async fn flight(
    session: &mut dyn Session,
    context: &Context<'_>,
    (ahead, makes): (&[String], Option<&MadeTable>),
    steps: &[Step],
    log: &crate::feed::SharedLog,
) -> Result<(), Failure> {
    let engine = session.facts().engine();
    if engine == Engine::Sqlite {
        let enforced = steps.first().is_some_and(|step| step.outline.enforces_foreign_keys());
        let _ = session.send(vec![Item::Control(format!("pragma foreign_keys = {}", u8::from(enforced)))]).await;
    }
    let dialect = session.facts().dialect;
    let scripts = steps.iter().enumerate().flat_map(|(number, step)| {
        let proof = step.proof.as_deref().map(|proof| (number, proof, true));
        std::iter::once((number, step, false)).chain(proof)
    });
    let mut readers = scripts
        .map(|script| Ok((script, ScriptReader::open(script.1, dialect, context.files)?)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|problem| Failure::GaveUp(GaveUp::Problem(problem)))?;
    let database = session.facts().database.clone();
    let mut makes = makes;
    let mut feed = Feed::new(context, engine, log.clone());
    let ahead = ahead.iter().cloned().map(|sql| (Item::Control(sql), Purpose::Settings));
    feed.first(std::iter::once(entries::begin_guarded(context, engine, steps.iter())).chain(ahead));
    for ((number, step, is_proof), reader) in &mut readers {
        let mut head = settings(context, engine, &database, step);
        // The step that it is made for may not be among those that are tried.
        if let Some(made) = makes.filter(|_| step.outline.ledger_use.is_some()) {
            makes = None;
            head.extend(made.statements.iter().cloned().map(|sql| (Item::Control(sql), Purpose::Made)));
        }
        head.extend(is_proof.then(proof::begin));
        let ends = *is_proof;
        let closing: Closing<'_> = Box::new(move |_| if ends { proof::end() } else { Vec::new() });
        feed.stretch(Stretch { step_number: *number, is_around: ends, head, closing, ..Stretch::whole(step, reader) });
    }
    feed.last([(Item::Rollback, Purpose::Settings)]);
    let limits = steps[0].limits;
    let progress = Progress {
        since: Some(Instant::now()),
        statement_timeout: Duration::from_millis(limits.statement_timeout_ms),
        ..Progress::default()
    };
    let lock_timeout = Duration::from_millis(limits.lock_timeout_ms);
    session.wait_for_locks(Some(lock_timeout).filter(|limit| !limit.is_zero()));
    fly(session, context, feed, log, &Arc::new(Mutex::new(progress)), steps, 0).await
}

fn settings(context: &Context<'_>, engine: Engine, database: &str, step: &Step) -> Vec<crate::feed::Tagged> {
    match engine {
        Engine::Postgres => {}
        Engine::Mysql => {
            let name = lock_name(database, &context.ledger.names.schema, &context.ledger.project);
            let guard = "select case when is_free_lock($1) = 1 then 1 else (select 1 union all select 2) end";
            let guard = Item::Bound { sql: guard.to_owned(), parameters: vec![Value::Text(name)] };
            let time_outs = mysql::time_outs(step).map(|text| (Item::Control(text), Purpose::Settings));
            return time_outs.into_iter().chain([(guard, Purpose::Fence)]).collect();
        }
        _ => return Vec::new(),
    }
    let key = lock_key(&context.ledger.names.schema, &context.ledger.project);
    let guard = "select 1 / (case when pg_try_advisory_xact_lock($1) then 1 else 0 end)";
    let time_outs = format!(
        "set local lock_timeout = {}; set local statement_timeout = {}",
        step.limits.lock_timeout_ms, step.limits.statement_timeout_ms
    );
    // Callbacks are left out.
    let begins = put_back(context, step).into_iter().chain([time_outs]).chain(local_role(context, step));
    let sql = begins.collect::<Vec<_>>().join("; ");
    vec![
        (Item::Control(sql), Purpose::Settings),
        (Item::Bound { sql: guard.to_owned(), parameters: vec![Value::Integer(key)] }, Purpose::Fence),
    ]
}

fn explain(context: &Context<'_>, engine: Engine, failure: &Failure) -> Box<Diagnostic> {
    let hidden = |error: &DbError| context.values.hide_in_error(Box::new(error.clone()));
    match failure {
        Failure::GaveUp(GaveUp::Interrupted) => Box::new(interrupted()),
        Failure::GaveUp(GaveUp::Problem(problem)) => problem.clone(),
        Failure::Guarded(refused) => Box::new(refused.problem().clone()),
        Failure::Unsettled(outcome) => match outcome.as_ref() {
            Outcome::Stopped(problem) | Outcome::NeedsPerson(problem) => problem.clone(),
            Outcome::Done => Box::new(interrupted()),
        },
        Failure::Server { purpose: Some(Purpose::Statement(sent)), error, .. } => {
            Box::new(statement_problem(engine, sent, &hidden(error)))
        }
        Failure::Server { purpose: Some(Purpose::Fence), .. } => Box::new(
            Diagnostic::error("LIM-R001", "another runner is at work; the dry run would wait for its locks")
                .help("run it again when that one is done: limosa status"),
        ),
        Failure::Server { purpose, error, .. } => Box::new(own_problem(purpose.as_ref(), "dry run", &hidden(error))),
    }
}
