//! The thread that owns the connection, and the flight as it sees it.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, InterruptHandle};
use tokio::sync::oneshot;

use super::busy::{Patience, wait_for_writers};
use super::execute::Executor;
use super::location::Location;
use super::open::open;
use super::settings::journal_mode;
use super::together::Deadline;
use crate::{DbError, DbErrorKind, Item, Landed, Notice};

/// Something to do on the thread. Jobs run one after the other.
pub(super) enum Job {
    Run(Box<dyn FnOnce(&mut Worker) + Send>),
    /// Close the connection, then answer.
    Close(oneshot::Sender<()>),
}

/// What lives on the thread.
pub(super) struct Worker {
    pub(super) connection: Connection,
    pub(super) database: String,
    patience: Patience,
    pub(super) cancelled: Arc<AtomicBool>,
    seldom: Cell<Option<Instant>>,
    /// Transactions of a flight may be committed several at once; see `together`.
    pub(super) together: Cell<bool>,
    /// When a statement is stopped that shares its transaction with others.
    pub(super) deadline: Deadline,
    /// What is done where the session is dropped.
    pub(super) last: Option<Item>,
}

/// The other end: gives jobs to the thread, which ends when this is dropped.
pub(super) struct Handle {
    jobs: mpsc::Sender<Job>,
    /// Stops what runs: the statement, and with the flag what comes after it and the waiting for locks.
    pub(super) interrupt: Arc<InterruptHandle>,
    pub(super) cancelled: Arc<AtomicBool>,
    /// How long statements wait for other writers.
    pub(super) patience: Patience,
    /// The flight under way was dropped; the thread takes it back when it begins something new.
    pub(super) halted: Arc<AtomicBool>,
}

/// What the asynchronous side sends to a flight on the thread.
pub(super) enum Sent {
    Item(Item),
    /// No item follows.
    End(Ending),
}

/// Why no item follows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// All were given.
    Complete,
    /// The source gave up: roll back.
    GivenUp,
}

/// What the thread tells of a flight.
pub(super) enum Event {
    /// So many more items have run: as many may be sent.
    Ran(usize),
    /// The next item succeeded, and what it did is not taken back with another's.
    Landed(Landed),
    Notice(Notice),
    /// The item after the last that landed failed, and all is cleaned up.
    Failed(DbError),
    /// All items landed.
    Ended,
}

/// Starts the thread and opens the database on it.
pub(super) async fn start<T: Send + 'static>(
    location: Location,
    busy_limit: Duration,
    look: impl FnOnce(&Worker) -> Result<T, DbError> + Send + 'static,
) -> Result<(Handle, T), DbError> {
    let (jobs, queue) = mpsc::channel::<Job>();
    let (answer, opened) = oneshot::channel();
    let cancelled = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&cancelled);
    let patience = Patience::new(Some(busy_limit));
    let waits = patience.clone();
    let halted = Arc::new(AtomicBool::new(false));
    let halt = Arc::clone(&halted);
    let deadline = Deadline::default();
    let stops = deadline.clone();
    let run = move || {
        let prepared = |connection: &mut Connection| {
            stop_by_flag(connection, &flag, &halt, &stops)?;
            wait_for_writers(connection, &waits, &flag)
        };
        let worker = open(&location, prepared).map(|connection| Worker {
            connection,
            database: location.name(),
            patience: waits.clone(),
            cancelled: Arc::clone(&flag),
            seldom: Cell::default(),
            together: Cell::default(),
            deadline: deadline.clone(),
            last: None,
        });
        let looked = worker.and_then(|worker| look(&worker).map(|seen| (worker, seen)));
        match looked {
            Ok((mut worker, seen)) => {
                let interrupt = worker.connection.get_interrupt_handle();
                let closing = answer.send(Ok((interrupt, seen))).ok().and_then(|()| work(&mut worker, &queue, &halt));
                drop(worker);
                closing.map(|closed| closed.send(()));
            }
            Err(error) => drop(answer.send(Err(error))),
        }
    };
    thread::Builder::new().name("limosa-sqlite".to_owned()).spawn(run).map_err(|error| {
        DbError::new(DbErrorKind::Resources, format!("no thread for SQLite could be started: {error}"))
            .hint("raise the limit of processes and threads of this user")
    })?;
    let (interrupt, seen) = opened.await.map_err(|_| thread_ended())??;
    Ok((Handle { jobs, interrupt: Arc::new(interrupt), cancelled, patience, halted }, seen))
}

/// How long a session that was dropped waits for other writers.
const LAST_PATIENCE: Duration = Duration::from_secs(60);

/// Operations of SQLite's virtual machine between two looks at the flags.
const OPERATIONS: i32 = 1000;

/// An interrupt that comes between two statements hits nothing and is forgotten by SQLite; the flags are not.
fn stop_by_flag(
    connection: &mut Connection,
    cancelled: &Arc<AtomicBool>,
    halted: &Arc<AtomicBool>,
    deadline: &Deadline,
) -> rusqlite::Result<()> {
    let (cancelled, halted, deadline) = (Arc::clone(cancelled), Arc::clone(halted), deadline.clone());
    let stop = move || cancelled.load(Ordering::SeqCst) || halted.load(Ordering::SeqCst) || deadline.has_passed();
    connection.progress_handler(OPERATIONS, Some(stop))
}

/// Runs jobs until the session is closed or dropped.
fn work(worker: &mut Worker, queue: &mpsc::Receiver<Job>, halted: &AtomicBool) -> Option<oneshot::Sender<()>> {
    loop {
        let job = queue.recv();
        halted.store(false, Ordering::SeqCst);
        match job {
            Ok(Job::Run(job)) => job(worker),
            Ok(Job::Close(answer)) => return Some(answer),
            Err(_) => {
                worker.dropped();
                return None;
            }
        }
    }
}

impl Handle {
    /// Does something on the thread and waits for its end.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Worker) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let (answer, result) = oneshot::channel();
        // What was cancelled is over; this is something new.
        self.cancelled.store(false, Ordering::SeqCst);
        self.give(Job::Run(Box::new(move |worker| drop(answer.send(job(worker))))))?;
        result.await.map_err(|_| thread_ended())?
    }

    /// Gives a job to the thread and does not wait.
    pub(super) fn give(&self, job: Job) -> Result<(), DbError> {
        self.jobs.send(job).map_err(|_| thread_ended())
    }

    /// Stops the running statement and lets nothing of its flight follow.
    pub(super) fn stop(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        self.interrupt.interrupt();
    }

    /// Ends the thread; returns when the connection is closed.
    pub(super) async fn close(self) {
        let (answer, closed) = oneshot::channel();
        if self.give(Job::Close(answer)).is_ok() {
            let _ = closed.await;
        }
    }
}

/// The thread is gone, which only a panic on it explains.
pub(super) fn thread_ended() -> DbError {
    DbError::new(DbErrorKind::ConnectionLost, "the thread of the SQLite session has ended unexpectedly")
        .hint("this is a defect of the program; please report it")
}

impl Worker {
    /// Rolls back what is open and proves that the connection answers.
    pub(super) fn settle(&self) -> Result<(), DbError> {
        let executor = self.executor();
        executor.clean_up()?;
        executor.run(&Item::Control("SELECT 1".to_owned())).map(drop)
    }

    /// The last thing, for which nobody waits: it may take its time, and whatever goes wrong with it is told to nobody.
    fn dropped(&mut self) {
        let Some(last) = self.last.take() else { return };
        self.cancelled.store(false, Ordering::SeqCst);
        self.deadline.take();
        self.patience.set(Some(LAST_PATIENCE));
        let _ = self.executor().clean_up();
        // A script may have set both.
        let _ = self.wait_for_writers();
        let _ = self.connection.execute_batch("PRAGMA query_only = off");
        let _ = self.keep_journal(false);
        let _ = self.executor().run(&last);
    }

    /// Lets the file of the rollback journal stay between transactions, or no longer: with `persist` its first block is cleared in
    /// place of removing it (sqlite.org/pragma.html#pragma_journal_mode). Any other mode was chosen, and stays.
    pub(super) fn keep_journal(&self, keep: bool) -> rusqlite::Result<()> {
        let (from, to) = if keep { ("delete", "persist") } else { ("persist", "delete") };
        if self.connection.is_autocommit() && journal_mode(&self.connection)? == from {
            self.connection.execute_batch(&format!("PRAGMA main.journal_mode = {to}"))?;
        }
        Ok(())
    }

    /// Puts the waiting for writers back in place.
    pub(super) fn wait_for_writers(&mut self) -> rusqlite::Result<()> {
        wait_for_writers(&mut self.connection, &self.patience, &self.cancelled)
    }

    pub(super) fn executor(&self) -> Executor<'_> {
        Executor {
            connection: &self.connection,
            database: &self.database,
            cancelled: &self.cancelled,
            seldom: &self.seldom,
        }
    }
}
