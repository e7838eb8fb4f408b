//! Waiting for another writer, in a way that a cancelled session ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// Naps before each new attempt; the last is repeated. Short at first, for most writers are quick.
const NAPS_MS: [u64; 8] = [1, 2, 5, 10, 15, 20, 25, 50];

/// How long to wait; a session changes what its thread heeds.
#[derive(Debug, Clone)]
pub(crate) struct Patience(Arc<AtomicU64>);

impl Patience {
    /// So long, at first; None for without a limit.
    pub(crate) fn new(limit: Option<Duration>) -> Self {
        let patience = Patience(Arc::default());
        patience.set(limit);
        patience
    }

    /// So long from now on.
    pub(super) fn set(&self, limit: Option<Duration>) {
        let limit = limit.and_then(|limit| u64::try_from(limit.as_millis()).ok()).unwrap_or(u64::MAX);
        self.0.store(limit, Ordering::SeqCst);
    }

    fn limit(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Installs the waiting. A `PRAGMA busy_timeout` of a script replaces it until the settings are restored.
///
/// SQLite's own handler is not used because nothing ends its wait: `sqlite3_interrupt` reaches running statements only.
pub(crate) fn wait_for_writers(
    connection: &mut Connection,
    patience: &Patience,
    cancelled: &Arc<AtomicBool>,
) -> rusqlite::Result<()> {
    let patience = patience.clone();
    let cancelled = Arc::clone(cancelled);
    let mut begun = Instant::now();
    connection.busy_handler(Some(move |attempt: i32| {
        if attempt == 0 {
            begun = Instant::now();
        }
        let waited = begun.elapsed();
        let limit = patience.limit();
        if waited >= limit || cancelled.load(Ordering::SeqCst) {
            return false;
        }
        let index = usize::try_from(attempt).unwrap_or(0).min(NAPS_MS.len() - 1);
        sleep(Duration::from_millis(NAPS_MS[index]).min(limit - waited));
        true
    }))
}
