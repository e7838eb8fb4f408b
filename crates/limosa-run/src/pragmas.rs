//! SQLite: pragmas that have no effect inside a transaction are run around it, and foreign keys are proven before the commit.

use std::collections::HashSet;

use limosa_core::{Lifted, Step};
use limosa_db::{DbError, DbErrorKind, Item, Session};

use crate::atomic::{Rows, feed, open};
use crate::attempt::{Failure, fly};
use crate::conduct::Run;
use crate::entries::{Marks, finished};
use crate::feed::{GaveUp, Purpose, SharedLog};
use crate::placeholders::expand_lifted;

const VIOLATIONS: &str = "select \"table\", rowid, parent, fkid from pragma_foreign_key_check limit 1000";

/// Runs steps in one transaction with their pragmas around it. The inner result is what came after the commit.
pub(crate) async fn around(
    run: &Run<'_>,
    session: &mut dyn Session,
    block: &[Step],
    first: usize,
    marks: &Marks,
    log: &SharedLog,
) -> Result<Result<(), DbError>, Failure> {
    let (before, after) = split(block);
    let foreign_keys = before.iter().chain(&after).any(|(_, pragma)| pragma.name == "foreign_keys");
    let (before, after) = (expanded(run, &before)?, expanded(run, &after)?);
    pragmas(session, &before).await.map_err(|error| Failure::server(Purpose::Settings, error))?;
    let known = if foreign_keys { violations(session).await? } else { HashSet::new() };

    let mut readers = open(run, block)?;
    if foreign_keys {
        let open_end = feed(run, block, first, marks, log, &mut readers, Rows::Later);
        fly(session, run.context, open_end, log, &run.progress, block, first).await?;
        let new: Vec<String> = violations(session).await?.difference(&known).cloned().collect();
        if !new.is_empty() {
            return Err(Failure::server(Purpose::Commit, broken(&new)));
        }
        let mut rows: Vec<_> =
            block.iter().flat_map(|step| finished(run.context, run.engine, step, marks, false)).collect();
        rows.push((Item::Commit, Purpose::Commit));
        let mut end = crate::feed::Feed::new(run.context, run.engine, log.clone());
        end.first(rows);
        fly(session, run.context, end, log, &run.progress, block, first).await?;
    } else {
        let whole = feed(run, block, first, marks, log, &mut readers, Rows::Here);
        fly(session, run.context, whole, log, &run.progress, block, first).await?;
    }
    Ok(pragmas(session, &after).await)
}

/// A pragma and the step that it stands in.
type Placed<'s> = (&'s Step, &'s Lifted);

/// What is set before the transaction and what after it. Steps that share one agree on foreign keys.
fn split(block: &[Step]) -> (Vec<Placed<'_>>, Vec<Placed<'_>>) {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (at, step) in block.iter().enumerate() {
        let (leading, trailing) = step.outline.pragmas_around();
        let early = if at == 0 { &mut before } else { &mut after };
        early.extend(leading.into_iter().map(|pragma| (step, pragma)));
        after.extend(trailing.into_iter().map(|pragma| (step, pragma)));
    }
    (before, after)
}

fn expanded(run: &Run<'_>, pragmas: &[Placed<'_>]) -> Result<Vec<String>, Failure> {
    let text = |(step, pragma): &Placed<'_>| expand_lifted(step, pragma, run.engine, run.context);
    pragmas.iter().map(text).collect::<Result<_, _>>().map_err(|problem| Failure::GaveUp(GaveUp::Problem(problem)))
}

async fn pragmas(session: &mut dyn Session, pragmas: &[String]) -> Result<(), DbError> {
    for pragma in pragmas {
        let sent = session.send(vec![Item::Script(pragma.clone())]).await;
        sent.map_err(|error| DbError { message: format!("{pragma}: {}", error.message), ..error })?;
    }
    Ok(())
}

async fn violations(session: &mut dyn Session) -> Result<HashSet<String>, Failure> {
    let rows = session.query(VIOLATIONS, &[]).await.map_err(|error| Failure::server(Purpose::Settings, error))?;
    Ok(rows
        .iter()
        .map(|row| {
            let text = |column| row.text(column).unwrap_or_else(|| "?".to_owned());
            format!("row {} of {} refers to a row of {} that is not there", text(1), text(0), text(2))
        })
        .collect())
}

fn broken(new: &[String]) -> DbError {
    let mut shown: Vec<&str> = new.iter().take(5).map(String::as_str).collect();
    shown.sort_unstable();
    let more = if new.len() > 5 { format!(" and {} more", new.len() - 5) } else { String::new() };
    DbError {
        detail: Some(format!("{}{more}; nothing of this file was kept", shown.join("; "))),
        code: Some("SQLITE_CONSTRAINT_FOREIGNKEY".to_owned()),
        ..DbError::new(DbErrorKind::Statement, "it would leave foreign keys that point nowhere")
    }
}
