//! A statement that committed by itself in the middle of a transaction, though its words do not say so: what stands is journalled,
//! so that the next run goes on behind it.

use std::time::Duration;

use limosa_core::{StatementHasher, Step};
use limosa_db::{DbError, Item, Session};
use limosa_sql::Diagnostic;

use crate::conduct::{Ended, Run};
use crate::entries::{head, progress};
use crate::feed::Sent;
use crate::reader::{Part, ScriptReader};
use crate::{Outcome, StepState, counted};

/// Records that the statements up to the one that committed stand, that one included where it succeeded.
pub(crate) async fn record(
    run: &Run<'_>,
    session: &mut dyn Session,
    step: &Step,
    sent: &Sent,
    error: &DbError,
    ended: &mut Ended,
) {
    let number = sent.statement.number;
    // An error of the server's has a code; that the transaction is gone is found out by us, behind the statement.
    let done = if error.code.is_some() { number - 1 } else { number };
    ended.state = StepState::Partial;
    ended.done = done;
    let recorded = write(run, session, step, done).await;
    let Some(Outcome::Stopped(problem)) = &mut ended.outcome else { return };
    let stands = match recorded {
        Ok(()) => format!("statements 1 to {done} of this file are committed and recorded; limosa goes on behind them"),
        Err(why) => format!(
            "statements 1 to {done} of this file are committed, but could not be recorded ({why}); take them out of the file, or undo \
             them by hand, before it runs again"
        ),
    };
    problem.help = Some(match problem.help.take() {
        Some(help) => format!("{help}\n{stands}"),
        None => stands,
    });
}

async fn write(run: &Run<'_>, session: &mut dyn Session, step: &Step, done: u64) -> Result<(), String> {
    let hasher = hash_of(run, step, done).map_err(|problem| problem.message)?;
    let words = |error: DbError| run.context.values.hide_in_error(Box::new(error)).message;
    session.settle().await.map_err(words)?;
    let marks = run.marks(Duration::ZERO);
    let mut items = vec![Item::Begin];
    items.extend(head(run.context, run.engine, step, &marks, false).into_iter().map(|(item, _)| item));
    let rows = progress(run.context, run.engine, step, &marks, done, &hasher.value(), None);
    items.extend(rows.into_iter().map(|(item, _)| item));
    items.push(Item::Commit);
    session.send(items).await.map(|_| ()).map_err(words)
}

fn hash_of(run: &Run<'_>, step: &Step, done: u64) -> Result<StatementHasher, Box<Diagnostic>> {
    let mut reader = ScriptReader::open(step, run.dialect, run.context.files)?;
    let mut hasher = StatementHasher::new();
    while let Some(part) = reader.next()? {
        let Part::Statement(statement) = part else { continue };
        if statement.number > done {
            break;
        }
        hasher.add(&counted::hash_of(step, &statement, run.engine, run.context));
    }
    Ok(hasher)
}
