//! The session as the rest of the program sees it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use async_trait::async_trait;
use limosa_sql::Engine;
use rusqlite::InterruptHandle;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::backend::this_process;
use super::foreign_keys::{FOREIGN_KEY_VIOLATIONS, ForeignKeyViolation};
use super::location::{Access, Location};
use super::settings::SessionSettings;
use super::worker::{self, Ending, Event, Handle, Job, Sent, Worker, thread_ended};
use crate::remembered::Remembered;
use crate::{
    Canceller, ConnectOptions, DbError, FlightError, FlightObserver, FlightSource, Item, ServerFacts, Session,
    SettingsMark,
};

/// Items that may wait for the thread, and their bytes. One item may always.
const WINDOW_ITEMS: usize = 256;
const WINDOW_BYTES: usize = 1 << 20;

/// A session with one SQLite database.
pub struct SqliteSession {
    facts: ServerFacts,
    handle: Handle,
    remembered: Remembered<SessionSettings>,
}

/// Opens the database that the options name.
///
/// # Errors
/// What is wrong with the address, the path, the rights or the file, with the next step.
pub async fn connect(options: &ConnectOptions) -> Result<SqliteSession, DbError> {
    let location = Location::of(options)?;
    let (name, read_only) = (location.name(), location.access == Access::Read);
    let busy_limit = Duration::from_millis(options.busy_timeout_ms);
    let (handle, ()) = worker::start(location, busy_limit, |_| Ok(())).await?;
    let facts = ServerFacts {
        dialect: Engine::Sqlite.into(),
        version: rusqlite::version().to_owned(),
        version_number: u32::try_from(rusqlite::version_number()).unwrap_or_default(),
        database: name,
        host: String::new(),
        user: String::new(),
        read_only,
        pooled: false,
        backend: this_process(&options.environment),
        search_path: None,
        current_schema: None,
        settings: Vec::new(),
    };
    Ok(SqliteSession { facts, handle, remembered: Remembered::default() })
}

impl SqliteSession {
    /// The settings of the session as they are now.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn snapshot_settings(&mut self) -> Result<SessionSettings, DbError> {
        self.handle.call(|worker| SessionSettings::read(worker)).await
    }

    /// Puts the settings back, detaches databases that were attached since, and drops temporary objects made since.
    ///
    /// # Errors
    /// Where a transaction is open, and where a setting cannot be put back, with its name.
    pub async fn restore_settings(&mut self, settings: &SessionSettings) -> Result<(), DbError> {
        let settings = settings.clone();
        self.handle.call(move |worker| settings.restore(worker)).await
    }

    /// Rows that violate a foreign key, at most 20; see [`FOREIGN_KEY_VIOLATIONS`].
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn foreign_key_violations(&mut self) -> Result<Vec<ForeignKeyViolation>, DbError> {
        let session: &mut dyn Session = self;
        let rows = session.query(FOREIGN_KEY_VIOLATIONS, &[]).await?;
        Ok(rows.iter().filter_map(ForeignKeyViolation::from_row).collect())
    }
}

#[async_trait]
impl Session for SqliteSession {
    fn facts(&self) -> &ServerFacts {
        &self.facts
    }

    async fn flight(
        &mut self,
        items: &mut dyn FlightSource,
        observer: &mut dyn FlightObserver,
    ) -> Result<(), FlightError> {
        Flight::begin(&self.handle).map_err(|error| failed(0, error))?.run(items, observer).await
    }

    async fn settle(&mut self) -> Result<(), DbError> {
        self.handle.stop();
        self.handle.call(|worker| worker.settle()).await
    }

    fn canceller(&self) -> Box<dyn Canceller> {
        Box::new(Interrupter {
            interrupt: Arc::clone(&self.handle.interrupt),
            cancelled: Arc::clone(&self.handle.cancelled),
        })
    }

    fn wait_for_locks(&mut self, limit: Option<Duration>) {
        self.handle.patience.set(limit);
    }

    fn backend_is_gone(&self, backend: &str) -> Option<bool> {
        super::backend_is_gone(backend)
    }

    fn when_dropped(&mut self, last: Option<Item>) {
        // A thread that has ended does nothing more.
        let _ = self.handle.give(Job::Run(Box::new(move |worker| worker.last = last)));
    }

    async fn remember_settings(&mut self) -> Result<SettingsMark, DbError> {
        let settings = self.snapshot_settings().await?;
        Ok(self.remembered.keep(settings))
    }

    async fn restore_settings(&mut self, mark: SettingsMark) -> Result<(), DbError> {
        let Some(settings) = self.remembered.get(mark).cloned() else { return Ok(()) };
        SqliteSession::restore_settings(self, &settings).await?;
        self.remembered.forget(mark);
        Ok(())
    }

    async fn changed_since(&mut self, mark: SettingsMark) -> Result<Vec<String>, DbError> {
        let now = self.snapshot_settings().await?;
        Ok(self.remembered.get(mark).map(|before| now.differing(before)).unwrap_or_default())
    }

    fn forget_settings(&mut self, mark: SettingsMark) {
        self.remembered.forget(mark);
    }

    async fn many_transactions(&mut self, follow: bool, together: bool) {
        let prepare = move |worker: &mut Worker| {
            worker.together.set(follow && together);
            Ok(worker.keep_journal(follow))
        };
        let _ = self.handle.call(prepare).await;
    }

    async fn close(self: Box<Self>) {
        self.handle.close().await;
    }
}

/// Cancels from another task: the running statement, what follows it in its flight, and the waiting for a lock.
struct Interrupter {
    interrupt: Arc<InterruptHandle>,
    cancelled: Arc<AtomicBool>,
}

#[async_trait]
impl Canceller for Interrupter {
    async fn cancel(&self) -> Result<(), DbError> {
        self.cancelled.store(true, Ordering::SeqCst);
        self.interrupt.interrupt();
        Ok(())
    }
}

/// A flight as the asynchronous side sees it.
struct Flight<'a> {
    handle: &'a Handle,
    items: mpsc::Sender<Sent>,
    events: UnboundedReceiver<Vec<Event>>,
    abandoned: Arc<AtomicBool>,
    /// Bytes of each item that was sent and has not run.
    waiting: VecDeque<usize>,
    waiting_bytes: usize,
    landed: u64,
    outcome: Option<Result<(), FlightError>>,
}

impl Flight<'_> {
    fn begin(handle: &Handle) -> Result<Flight<'_>, DbError> {
        let (items, to_run) = mpsc::channel();
        let (told, events) = unbounded_channel();
        let abandoned = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&abandoned);
        // Cancelling works on a flight, never on the one after it.
        handle.cancelled.store(false, Ordering::SeqCst);
        handle.give(Job::Run(Box::new(move |worker| worker.flight(&to_run, &told, &flag))))?;
        let waiting = VecDeque::new();
        Ok(Flight { handle, items, events, abandoned, waiting, waiting_bytes: 0, landed: 0, outcome: None })
    }

    /// The thread works while the source reads: items are sent ahead, a window's worth.
    async fn run(
        mut self,
        source: &mut dyn FlightSource,
        observer: &mut dyn FlightObserver,
    ) -> Result<(), FlightError> {
        let mut ending = None;
        while self.outcome.is_none() {
            while ending.is_none() && self.outcome.is_none() && self.has_room() {
                ending = self.send_next(source);
                while let Ok(events) = self.events.try_recv() {
                    events.into_iter().for_each(|event| self.hear(event, ending, observer));
                }
            }
            if self.outcome.is_none() {
                match self.events.recv().await {
                    Some(events) => events.into_iter().for_each(|event| self.hear(event, ending, observer)),
                    None => self.outcome = Some(Err(failed(self.landed, thread_ended()))),
                }
            }
        }
        self.outcome.take().unwrap_or(Ok(()))
    }

    fn has_room(&self) -> bool {
        self.waiting.is_empty() || (self.waiting.len() < WINDOW_ITEMS && self.waiting_bytes < WINDOW_BYTES)
    }

    /// Sends one item, or the end, which it returns. A closed channel shows as the end of the events.
    fn send_next(&mut self, source: &mut dyn FlightSource) -> Option<Ending> {
        let ending = match source.next() {
            Ok(Some(item)) => {
                let bytes = bytes(&item);
                self.waiting.push_back(bytes);
                self.waiting_bytes += bytes;
                let _ = self.items.send(Sent::Item(item));
                return None;
            }
            Ok(None) => Ending::Complete,
            Err(crate::Abort) => Ending::GivenUp,
        };
        let _ = self.items.send(Sent::End(ending));
        Some(ending)
    }

    fn hear(&mut self, event: Event, ending: Option<Ending>, observer: &mut dyn FlightObserver) {
        match event {
            Event::Ran(items) => {
                let ran = self.waiting.drain(..items.min(self.waiting.len()));
                self.waiting_bytes -= ran.sum::<usize>();
            }
            Event::Landed(landed) => {
                observer.landed(self.landed, landed);
                self.landed += 1;
            }
            Event::Notice(notice) => observer.notice(notice),
            Event::Failed(error) => self.outcome = Some(Err(failed(self.landed, error))),
            Event::Ended if ending == Some(Ending::GivenUp) => self.outcome = Some(Err(FlightError::Aborted)),
            Event::Ended => self.outcome = Some(Ok(())),
        }
    }
}

impl Drop for Flight<'_> {
    /// A flight that was dropped before its end stops, and its transaction is rolled back, though nobody waits for it.
    fn drop(&mut self) {
        if self.outcome.is_none() {
            self.abandoned.store(true, Ordering::SeqCst);
            self.handle.halted.store(true, Ordering::SeqCst);
            self.handle.stop();
        }
    }
}

fn failed(item: u64, error: DbError) -> FlightError {
    FlightError::Failed { item, error: Box::new(error) }
}

fn bytes(item: &Item) -> usize {
    match item {
        Item::Begin
        | Item::BeginGuarded
        | Item::BeginAhead
        | Item::Await
        | Item::Commit
        | Item::Rollback
        | Item::CopyEnd => 0,
        Item::Script(text) | Item::Control(text) | Item::CopyStart(text) => text.len(),
        Item::CopyData(data) => data.len(),
        Item::Bound { sql, parameters } | Item::Seldom { sql, parameters, .. } => {
            let text = |value: &crate::Value| if let crate::Value::Text(text) = value { text.len() } else { 8 };
            sql.len() + parameters.iter().map(text).sum::<usize>()
        }
    }
}
