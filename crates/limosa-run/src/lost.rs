//! After a lost connection: what of a step is committed, by the word of the ledger.

use std::time::{Duration, Instant};

use limosa_core::{Direction, Step};
use limosa_db::ledger::statements as sql;
use limosa_db::{DbErrorKind, Item, Row, Value};
use limosa_sql::Diagnostic;

use crate::Outcome;
use crate::conduct::Run;
use crate::lock::jitter;

/// How long the server is asked before the question is left to the next run.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the ledger says of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// All of it is committed.
    Done {
        /// The mark of the transaction that finished it; None where its row was taken away.
        mark: Option<String>,
    },
    /// So many statements are committed.
    Partial {
        /// Statements.
        done: u64,
    },
    /// Nothing is.
    Nothing,
}

/// Asks over a new connection how a step stands; None where the server cannot be asked in time.
///
/// The lease is ended first. That waits for a transaction of the old session that is still under way, and fails one that the
/// server has received and not begun yet, so that the answer is final.
pub(crate) async fn standing(run: &Run<'_>, step: &Step) -> Option<Standing> {
    standings(run, &[step]).await?.pop()
}

/// As [`standing`], of several steps.
pub(crate) async fn standings(run: &Run<'_>, steps: &[&Step]) -> Option<Vec<Standing>> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if let Some(standings) = ask(run, steps).await {
            return Some(standings);
        }
        tokio::time::sleep(jitter(Duration::from_millis(500))).await;
    }
    None
}

async fn ask(run: &Run<'_>, steps: &[&Step]) -> Option<Vec<Standing>> {
    let mut session = run.context.connector.connect().await.ok()?;
    let book = &run.context.ledger;
    let mut items = run.context.ledger.begin();
    items.push(book.bound(&sql::FENCE_OFF, vec![Value::Integer(run.epoch)]));
    let asked = items.len();
    items.extend(steps.iter().map(|step| book.bound(&sql::STEP_MARK_OF, vec![Value::Text(step.identity.to_string())])));
    items.push(Item::Commit);
    let rows = session.send(items).await;
    session.close().await;
    let rows = rows.ok()?;
    let answers = rows.get(asked..asked + steps.len())?;
    Some(steps.iter().zip(answers).map(|(step, rows)| told_by(step, rows.first())).collect())
}

/// What a row of the ledger, or that there is none, says of a step.
fn told_by(step: &Step, row: Option<&Row>) -> Standing {
    let text = |column| row.and_then(|row| row.text(column));
    let done = row.and_then(|row| row.integer(2)).unwrap_or(0).unsigned_abs();
    match (step.action.direction(), text(1).as_deref()) {
        (Direction::Apply, Some("applied")) => Standing::Done { mark: text(0) },
        (Direction::Apply, Some("partial")) | (Direction::Revert, Some("reverting")) => Standing::Partial { done },
        (Direction::Revert, None) => Standing::Done { mark: None },
        _ => Standing::Nothing,
    }
}

/// The outcome of a run whose connection was lost, given what stands.
pub(crate) fn told(outcome: Outcome, names: &str, standing: Option<&Standing>) -> Outcome {
    let Outcome::Stopped(problem) = outcome else { return outcome };
    let (message, help) = match standing {
        Some(Standing::Done { .. }) => (
            format!("the connection was lost, but {names} is committed: the ledger says so"),
            "run again for what is left".to_owned(),
        ),
        Some(Standing::Partial { done }) => (
            format!("the connection was lost in the middle of {names}"),
            format!(
                "statements 1 to {done} are committed and recorded, the ledger says so; \
                 run again: limosa looks what became of the next one, and goes on"
            ),
        ),
        Some(Standing::Nothing) => (
            format!("the connection was lost, and nothing of {names} stands: the ledger says so"),
            "run again".to_owned(),
        ),
        None => (
            format!("the connection was lost, and the server cannot be asked what of {names} took effect"),
            "when the server answers again, 'limosa status' tells; a run begins by looking".to_owned(),
        ),
    };
    Outcome::Stopped(Box::new(Diagnostic { message, help: Some(help), ..*problem }))
}

/// What is said where the connection was lost after the last thing that was to be done.
pub(crate) fn nothing_left(names: &str) -> limosa_db::Notice {
    limosa_db::Notice {
        severity: "WARNING".to_owned(),
        message: format!("the connection was lost at the end of {names}; the ledger says that it is committed"),
        detail: None,
        hint: None,
        code: None,
    }
}

/// True where a failed flight may have been committed all the same.
pub(crate) fn is_open_question(kind: DbErrorKind, commit_sent: bool) -> bool {
    kind == DbErrorKind::ConnectionLost && commit_sent
}
