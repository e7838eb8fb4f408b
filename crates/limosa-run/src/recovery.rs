//! After a death: the statement that was begun and not seen to end is looked up in the catalogue, and the run goes on,
//! cleans up, or asks.

use std::time::Instant;

use limosa_core::{Before, IndexState, JournalRow, Recovery, StatementHasher, Step, recover};
use limosa_db::ledger::statements as sql;
use limosa_db::{DbError, DbErrorKind, Item, Session, Value, catalogue};
use limosa_sql::{Class, Diagnostic, Engine};
use serde::{Deserialize, Serialize};

use crate::atomic::pause;
use crate::attempt::{Failure, fly, new_log};
use crate::conduct::{Run, interrupted};
use crate::feed::{Feed, Purpose};
use crate::journalled::{PATIENCE, Stood};
use crate::{Event, Outcome};

/// Where a script goes on.
pub(crate) struct Start {
    /// Statements that are done.
    pub(crate) done: u64,
    /// Hash over them.
    pub(crate) hasher: StatementHasher,
    /// A way back of which nothing had taken effect when its statement began: how the row of its change stood.
    pub(crate) stood: Option<Stood>,
}

/// What the journal remembers of a statement that begins: what it is, and the catalogue before it. The file may have been
/// edited when it is needed.
#[derive(Serialize, Deserialize)]
struct Remembered {
    class: Class,
    before: Option<Before>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stood: Option<Stood>,
}

pub(crate) fn remember(class: &Class, before: Option<String>, stood: Option<Stood>) -> String {
    let before = before.and_then(|text| serde_json::from_str(&text).ok());
    serde_json::to_string(&Remembered { class: class.clone(), before, stood }).unwrap_or_default()
}

fn refused(run: &Run<'_>, error: DbError) -> Outcome {
    let error = run.context.values.hide_in_error(Box::new(error));
    Outcome::Stopped(Box::new(
        Diagnostic::error("LIM-R002", error.message).help("while looking at what an interrupted run left behind"),
    ))
}

/// Settles the statement that was begun, and says where the script goes on.
pub(crate) async fn recover_step(run: &Run<'_>, session: &mut dyn Session, step: &Step) -> Result<Start, Outcome> {
    let refused = |error| refused(run, error);
    let Some(row) = journal_of(run, session, step).await.map_err(refused)? else {
        return Ok(Start { done: 0, hasher: StatementHasher::new(), stood: None });
    };
    let hasher = StatementHasher::resume(&row.done_hash);
    let mut start = Start { done: row.done.unsigned_abs(), hasher, stood: None };
    let Some(current) = &row.current else { return Ok(start) };
    let remembered: Option<Remembered> = current.before.as_deref().and_then(|text| serde_json::from_str(text).ok());
    start.stood = remembered.as_ref().and_then(|it| it.stood.clone());
    let (class, before) = remembered.map_or((Class::default(), None), |it| (it.class, it.before));
    let until = Instant::now() + run.context.lock_wait;
    loop {
        let after =
            catalogue::after(session, &class, before.as_ref(), row.backend.as_deref()).await.map_err(refused)?;
        let verdict = recover(&class, current.retry, before.as_ref(), &after);
        let number = current.number.unsigned_abs();
        let finding = match verdict {
            Recovery::Done { proof } => {
                start.done = number;
                start.hasher.add(&current.hash);
                format!("{proof}: it counts as done")
            }
            Recovery::Retry { proof } => format!("{proof}: it runs again"),
            Recovery::DropAndRetry { indexes, beyond } => {
                for index in &indexes {
                    // CONCURRENTLY waits for old transactions by design.
                    clean_up(run, session, step, number, 0, catalogue::drop_invalid(index)).await?;
                }
                let names = |indexes: &[IndexState]| {
                    indexes.iter().map(|index| index.name.as_str()).collect::<Vec<_>>().join(", ")
                };
                let stays = match beyond.as_slice() {
                    [] => String::new(),
                    beyond => format!("; {} stays invalid, only a superuser may drop it", names(beyond)),
                };
                format!("it left {} invalid; dropped, and built again{stays}", names(&indexes))
            }
            Recovery::FinalizeDetach => {
                let nothing = Before::default();
                let known = before.as_ref().unwrap_or(&nothing);
                if let Some(finish) = catalogue::finalize_detach(session, known).await.map_err(refused)? {
                    clean_up(run, session, step, number, step.limits.lock_timeout_ms, finish).await?;
                }
                start.done = number;
                start.hasher.add(&current.hash);
                "the detach was begun; finished, it counts as done".to_owned()
            }
            Recovery::StillRunning if Instant::now() < until && !run.context.stop.is_asked() => {
                tokio::time::sleep(PATIENCE).await;
                continue;
            }
            Recovery::StillRunning => return Err(still_running(run.engine, step, number, row.backend.as_deref())),
            Recovery::Ask { reason } => return Err(ask(run, step, number, &class, &reason)),
        };
        let finding = run.context.values.hide_in_words(finding);
        run.context.events.event(Event::Recovered { label: step.label.clone(), statement: number, finding });
        return Ok(start);
    }
}

/// Sends a statement of our own under these time-outs, as often as the step may be tried; a signal to stop cancels it. The
/// session has its own time-outs again afterwards.
async fn clean_up(
    run: &Run<'_>,
    session: &mut dyn Session,
    step: &Step,
    number: u64,
    lock_timeout_ms: u64,
    statement: String,
) -> Result<(), Outcome> {
    let limits = step.limits;
    let time_outs = format!(
        "{KEEP_TIME_OUTS}; set lock_timeout = {lock_timeout_ms}; set statement_timeout = {}",
        limits.statement_timeout_ms
    );
    let mut attempt = 1;
    loop {
        let log = new_log();
        let mut feed = Feed::new(run.context, run.engine, log.clone());
        feed.first([time_outs.clone(), statement.clone()].map(|text| (Item::Control(text), Purpose::Settings)));
        run.begin_progress(step, number);
        let flown = fly(session, run.context, feed, &log, &run.progress, std::slice::from_ref(step), 0).await;
        run.end_progress();
        let lost = flown.as_ref().is_err_and(Failure::is_connection_lost);
        if !lost && let Err(error) = put_back(session).await {
            return Err(refused(run, error));
        }
        let failure = match flown {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        let Failure::Server { error, .. } = &failure else {
            return Err(run.explain(&failure, std::slice::from_ref(step), 0).0);
        };
        if run.context.stop.is_asked() && error.kind == DbErrorKind::Cancelled {
            return Err(Outcome::Stopped(Box::new(interrupted())));
        }
        if !error.is_transient() || attempt > limits.lock_retries || run.context.stop.is_asked() {
            let Outcome::Stopped(problem) = run.explain(&failure, std::slice::from_ref(step), 0).0 else {
                return Err(refused(run, (**error).clone()));
            };
            let help =
                format!("while cleaning up what an interrupted run left behind: {statement}; run again to go on");
            return Err(Outcome::Stopped(Box::new(problem.help(run.context.values.hide_in_words(help)))));
        }
        pause(run, step, attempt, limits.lock_retries, error).await;
        attempt += 1;
    }
}

const KEEP_TIME_OUTS: &str = "select set_config('limosa.lock_timeout', current_setting('lock_timeout'), false), \
    set_config('limosa.statement_timeout', current_setting('statement_timeout'), false)";

async fn put_back(session: &mut dyn Session) -> Result<(), DbError> {
    session.settle().await?;
    // A run that is stopped early enough has kept nothing.
    let set = |name: &str| {
        let kept = format!("nullif(current_setting('limosa.{name}', true), '')");
        format!("set_config('{name}', coalesce({kept}, current_setting('{name}')), false)")
    };
    let sql = format!("select {}, {}", set("lock_timeout"), set("statement_timeout"));
    session.send(vec![Item::Control(sql)]).await.map(|_| ())
}

async fn journal_of(run: &Run<'_>, session: &mut dyn Session, step: &Step) -> Result<Option<JournalRow>, DbError> {
    let rows = session.query_item(run.context.ledger.bound(&sql::JOURNAL, Vec::<Value>::new())).await?;
    Ok(rows
        .iter()
        .map(limosa_db::ledger::journal_row)
        .find(|row| row.identity == step.identity && row.direction == step.action.direction()))
}

fn still_running(engine: Engine, step: &Step, number: u64, backend: Option<&str>) -> Outcome {
    let pid = backend.and_then(|backend| backend.split(':').next()).unwrap_or("?");
    let cancel = match engine {
        Engine::Mysql => format!("KILL QUERY {pid}"),
        _ => format!("select pg_cancel_backend({pid})"),
    };
    Outcome::NeedsPerson(Box::new(
        Diagnostic::error(
            "LIM-R020",
            format!(
                "statement {number} of {} still runs on the server, begun by a run that is gone (process {pid})",
                step.label
            ),
        )
        .help(format!("wait for it and run again, or cancel it there: {cancel}")),
    ))
}

fn ask(run: &Run<'_>, step: &Step, number: u64, class: &Class, reason: &str) -> Outcome {
    let verb = if class.verb.is_empty() { "statement" } else { &class.verb };
    let object = class.object.as_deref().map(|object| format!(" {object}")).unwrap_or_default();
    let message =
        format!("statement {number} of {} ({verb}{object}) was begun and not seen to end: {reason}", step.label);
    Outcome::NeedsPerson(Box::new(
        Diagnostic::error("LIM-R021", run.context.values.hide_in_words(message))
        .help(format!(
            "look at the database, then say which:\n  it took effect:   limosa repair --mark-done {id}:{number}\n  it did not:       limosa repair --retry {id}:{number}",
            id = step.identity
        )),
    ))
}
