//! One runner at a time: the engine's own lock, and a lease that says who holds it.

mod mysql;
mod postgres;
mod sqlite;
mod theirs;

use std::time::{Duration, Instant};

use limosa_core::{LeaseRow, LedgerView};
use limosa_db::ledger::statements as sql;
use limosa_db::{DbError, DbErrorKind, Session, Value};
use limosa_sql::{Diagnostic, Engine};
use sha2::{Digest, Sha256};

pub use mysql::{lock_alone, lock_name};
pub use theirs::foreign_run;

use crate::conduct::OWN_PATIENCE;
use crate::{Context, Event};

/// The lock, taken.
#[derive(Debug)]
pub struct Held {
    /// The epoch of our lease.
    pub epoch: i64,
    /// The ledger, read under the lock.
    pub view: LedgerView,
}

/// What came of asking for the lock.
#[derive(Debug)]
pub enum Acquired {
    /// It is ours.
    Held(Box<Held>),
    /// While waiting, nothing was left to do.
    NothingLeft(Box<LedgerView>),
}

/// Why the lock is not ours.
#[derive(Debug)]
pub enum LockError {
    /// Somebody else holds it, and the time to wait is over.
    HeldByOther(Box<Diagnostic>),
    /// The run was asked to stop.
    Interrupted,
    /// The database refused.
    Database(Box<DbError>),
}

/// The key of the advisory lock: the first eight bytes of SHA-256 over `limosa`, schema and project.
pub fn lock_key(schema: &str, project: &str) -> i64 {
    let digest = Sha256::digest(format!("limosa\n{schema}\n{project}").as_bytes());
    let mut bytes = [0u8; 8];
    bytes.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(bytes)
}

/// A holder that is watched while we wait: nobody but itself can tell whether it lives, and the server's clock may jump.
#[derive(Debug)]
struct Watched {
    epoch: i64,
    beat: Option<String>,
    began: Instant,
}

impl Watched {
    /// Goes on watching a holder that is as before, else begins with it.
    fn of(before: Option<Watched>, lease: &LeaseRow) -> Watched {
        match before {
            Some(watched) if watched.epoch == lease.epoch && watched.beat == lease.beat => watched,
            _ => Watched { epoch: lease.epoch, beat: lease.beat.clone(), began: Instant::now() },
        }
    }

    /// True once it was silent for so long that it counts as gone. Where the server's clock says so already, it is enough to
    /// have missed one of its signs of life, which come three times in a lease.
    fn is_gone(&self, lease: &LeaseRow, limit: Duration) -> bool {
        let said = lease.silent_seconds.is_some_and(|seconds| seconds.unsigned_abs() > limit.as_secs());
        self.began.elapsed() >= if said { limit / 2 + Duration::from_millis(500) } else { limit }
    }
}

enum Try {
    Held(Held),
    Refused(LedgerView),
}

/// Takes the lock, asking again until `context.lock_wait` is over. The server is never made to wait for it. While another
/// holds it, `still_wanted` is asked with each fresh look at the ledger; when it says no, waiting ends well.
///
/// # Errors
/// See [`LockError`].
pub async fn acquire(
    session: &mut dyn Session,
    context: &Context<'_>,
    ledger_exists: bool,
    still_wanted: &(dyn Fn(&LedgerView) -> bool + Send + Sync),
) -> Result<Acquired, LockError> {
    let began = Instant::now();
    // The look before it may have waited for as long as the lock may be waited for.
    session.wait_for_locks(Some(OWN_PATIENCE));
    let acquired = ask(session, context, ledger_exists, still_wanted, began).await;
    let taken = matches!(acquired, Ok(Acquired::Held(_)));
    context.events.event(Event::LockWaited { waited: began.elapsed(), taken });
    acquired
}

async fn ask(
    session: &mut dyn Session,
    context: &Context<'_>,
    ledger_exists: bool,
    still_wanted: &(dyn Fn(&LedgerView) -> bool + Send + Sync),
    began: Instant,
) -> Result<Acquired, LockError> {
    let mut exists = ledger_exists;
    let mut told = false;
    let mut watched: Option<Watched> = None;
    let mut gone = false;
    let mut pause = Duration::from_millis(50);
    let refused = |error| LockError::Database(context.values.hide_in_error(Box::new(error)));
    loop {
        if context.stop.is_asked() {
            return Err(LockError::Interrupted);
        }
        let silent = watched.as_ref().filter(|_| gone);
        let view = match try_once(session, context, exists, silent).await {
            Ok(Try::Held(mut held)) => {
                if let Err(error) = crate::upgrade::upgrade(session, context, &mut held.view).await {
                    // The lock must not stay behind a session that an embedding application keeps.
                    let _ = release(session, context, held.epoch).await;
                    return Err(refused(error));
                }
                if let Err(error) = theirs::take(session, context, began).await {
                    let _ = release(session, context, held.epoch).await;
                    return Err(error);
                }
                return Ok(Acquired::Held(Box::new(held)));
            }
            Ok(Try::Refused(view)) => view,
            // Another runner makes the ledger, or holds a row that we must not wait for.
            Err(error) if is_race(&error, exists) => context.ledger.look(session).await.map_err(refused)?,
            Err(error) => return Err(refused(error)),
        };
        exists = view.exists;
        if exists && !still_wanted(&view) {
            return Ok(Acquired::NothingLeft(Box::new(view)));
        }
        let lease = view.lease.clone().unwrap_or_default();
        let still = Watched::of(watched.take(), &lease);
        gone = still.is_gone(&lease, context.lease);
        watched = Some(still);
        if began.elapsed() >= context.lock_wait {
            return Err(LockError::HeldByOther(Box::new(held_by(&lease, context))));
        }
        if !told {
            context.events.event(Event::LockHeld { holder: lease.holder, since: lease.since });
            told = true;
        }
        let left = context.lock_wait.saturating_sub(began.elapsed());
        tokio::select! {
            () = tokio::time::sleep(jitter(pause).min(left)) => {}
            () = context.stop.asked() => return Err(LockError::Interrupted),
        }
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

/// True where another runner is at the same work right now; without the lock nobody makes the ledger, so it may be missing.
fn is_race(error: &DbError, ledger_exists: bool) -> bool {
    error.is_transient()
        || (error.kind == DbErrorKind::UndefinedTable && !ledger_exists)
        || matches!(error.kind, DbErrorKind::Duplicate)
        || matches!(error.code.as_deref(), Some("23505" | "42P06" | "42P07" | "XX000"))
}

fn held_by(lease: &LeaseRow, context: &Context<'_>) -> Diagnostic {
    let who = lease.holder.as_deref().unwrap_or("a runner that has not said its name yet");
    let since = lease.since.as_deref().map(|since| format!(" since {since}")).unwrap_or_default();
    let silent = match lease.silent_seconds {
        Some(seconds) if lease.holder.is_some() => format!(", last sign of life {seconds} s ago"),
        _ => String::new(),
    };
    let waited = context.lock_wait.as_secs_f64();
    Diagnostic::error("LIM-R001", format!("another runner holds the lock: {who}{since}{silent}"))
        .help(format!("waited {waited:.1} s; wait longer with --lock-wait, or look what it does: limosa status"))
}

/// A pause, between half of it and all of it, so that many waiters do not ask in step.
pub(crate) fn jitter(pause: Duration) -> Duration {
    use std::hash::{BuildHasher, Hasher};
    // A new RandomState is seeded by the process's random keys and a counter: enough to spread waiters.
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    pause / 2 + pause.mul_f64((random % 1000) as f64 / 2000.0)
}

async fn try_once(
    session: &mut dyn Session,
    context: &Context<'_>,
    exists: bool,
    silent: Option<&Watched>,
) -> Result<Try, DbError> {
    match session.facts().engine() {
        Engine::Sqlite => sqlite::try_once(session, context, exists, silent).await,
        Engine::Mysql => mysql::try_once(session, context, exists).await,
        _ => postgres::try_once(session, context, exists, silent).await,
    }
}

/// What TAKE_LEASE is told: this runner, and whom it has watched in silence.
fn takers(session: &dyn Session, context: &Context<'_>, silent: Option<&Watched>) -> Vec<Value> {
    let engine = session.facts().engine();
    let pooled = match engine {
        Engine::Sqlite => Value::Integer(0),
        _ => Value::Boolean(context.pooled),
    };
    // PostgreSQL knows it in the same transaction.
    let backend = session.facts().backend.clone().filter(|_| engine != Engine::Postgres);
    vec![
        Value::Text(context.actor.clone()),
        pooled,
        Value::Integer(silent.map_or(-1, |silent| silent.epoch)),
        Value::optional(backend),
        Value::optional(silent.and_then(|silent| silent.beat.clone())),
    ]
}

/// Gives the lease back; what the lock protected is over.
///
/// # Errors
/// What the server says; the lease then ends by itself when the session does.
pub async fn release(session: &mut dyn Session, context: &Context<'_>, epoch: i64) -> Result<(), DbError> {
    give_up(session, context, epoch).await.map_err(|error| *context.values.hide_in_error(Box::new(error)))
}

async fn give_up(session: &mut dyn Session, context: &Context<'_>, epoch: i64) -> Result<(), DbError> {
    let give_up = context.ledger.bound(&sql::RELEASE_LEASE, vec![Value::Integer(epoch)]);
    if session.facts().engine() == Engine::Postgres && !context.pooled && context.kept.is_none() {
        return postgres::give_up(session, context, give_up).await;
    }
    context.ledger.transact(session, vec![give_up]).await?;
    session.when_dropped(None);
    theirs::give_back(session, context).await?;
    match session.facts().engine() {
        Engine::Postgres if !context.pooled => postgres::unlock(session, context).await,
        Engine::Mysql => mysql::unlock(session, context).await,
        _ => Ok(()),
    }
}
