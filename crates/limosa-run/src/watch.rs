//! Beside the run on a server: signs of life for the lease, and a look at who stands in the way. Over a session of its own, opened only
//! when a run lasts; it holds no transaction open.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use limosa_core::{SharedText, Step};
use limosa_db::ledger::statements as sql;
use limosa_db::{Blocker, Item, Session, Value};
use limosa_sql::Engine;

use crate::conduct::Run;
use crate::{Event, Outcome};

/// Watches until it is dropped.
pub(crate) async fn watch(run: &Run<'_>, backend: Option<String>) {
    if run.engine == Engine::Sqlite {
        // One writer at a time: there is nobody to ask, and our transactions themselves carry the signs of life.
        return std::future::pending().await;
    }
    let mut session: Option<Box<dyn Session>> = None;
    let mut beat = Instant::now();
    let mut told: Option<(SharedText, u64)> = None;
    loop {
        tokio::time::sleep(Duration::from_millis(250)).await;
        if beat.elapsed() > run.context.lease / 3 {
            beat = Instant::now();
            heartbeat(run, &mut session).await;
        }
        let progress = run.progress.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(since) = progress.since else { continue };
        let patience = if progress.lock_timeout.is_zero() { Duration::from_secs(2) } else { progress.lock_timeout / 2 };
        let key = (progress.label.clone(), progress.statement);
        if since.elapsed() < patience || told.as_ref() == Some(&key) {
            continue;
        }
        let Some(backend) = &backend else { continue };
        let Some(open) = opened(run, &mut session).await else { continue };
        if let Ok(blockers) = open.blockers(backend).await
            && !blockers.is_empty()
        {
            let blockers: Vec<Blocker> =
                blockers.into_iter().map(|blocker| run.context.values.hide_in_blocker(blocker)).collect();
            let who = blockers.iter().map(in_words).collect::<Vec<_>>().join("; ");
            *run.in_the_way.lock().unwrap_or_else(PoisonError::into_inner) = Some((progress.label.clone(), who));
            run.context.events.event(Event::Waiting {
                label: progress.label,
                statement: progress.statement,
                elapsed: since.elapsed(),
                blockers,
            });
            told = Some(key);
        }
    }
}

/// Adds to the words for a lock that was waited for in vain whom the watcher saw in the way of one of these steps.
pub(crate) fn name_who_was_seen(run: &Run<'_>, outcome: &mut Outcome, steps: &[Step]) {
    let seen = run.in_the_way.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let (Outcome::Stopped(problem), Some((label, who))) = (outcome, seen)
        && problem.code == "LIM-R003"
        && steps.iter().any(|step| step.label == label)
    {
        let help = problem.help.as_ref().map(|help| format!("{help}\n")).unwrap_or_default();
        problem.help = Some(format!("{help}seen in the way: {who}"));
    }
}

fn in_words(blocker: &Blocker) -> String {
    let mut words = format!("session {}", blocker.pid);
    let who = [&blocker.user, &blocker.application, &blocker.client];
    let who: Vec<&str> = who.into_iter().flatten().map(String::as_str).filter(|word| !word.is_empty()).collect();
    if !who.is_empty() {
        words += &format!(" ({})", who.join(", "));
    }
    if let Some(state) = &blocker.state {
        words += &format!(", {state}");
    }
    if let Some(seconds) = blocker.transaction_seconds {
        words += &format!(", its transaction {seconds} s old");
    }
    words
}

async fn opened<'s>(run: &Run<'_>, session: &'s mut Option<Box<dyn Session>>) -> Option<&'s mut Box<dyn Session>> {
    if session.is_none() {
        let mut opened = run.context.connector.connect().await.ok()?;
        if run.engine == Engine::Mysql {
            opened.send(vec![Item::Control(SHORT_WAITS.to_owned())]).await.ok()?;
        }
        *session = Some(opened);
    }
    session.as_mut()
}

/// On MySQL a transaction of the run holds the whole row of the lease, and a sign of life gives way to it.
const SHORT_WAITS: &str = "set session innodb_lock_wait_timeout = 1, lock_wait_timeout = 1";

async fn heartbeat(run: &Run<'_>, session: &mut Option<Box<dyn Session>>) {
    let Some(open) = opened(run, session).await else { return };
    let beat = run.context.ledger.bound(&sql::HEARTBEAT, vec![Value::Integer(run.epoch)]);
    let beaten = match run.engine {
        Engine::Mysql => open.send(vec![beat]).await,
        _ => run.context.ledger.transact(open.as_mut(), vec![beat]).await,
    };
    match beaten {
        Err(error) if error.is_transient() => {}
        // A broken session is opened again at the next beat.
        Err(_) => *session = None,
        Ok(_) => {}
    }
}
