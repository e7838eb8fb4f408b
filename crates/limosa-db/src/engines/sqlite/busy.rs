//! Waiting for another writer, in a way that a cancelled session ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// Naps before each new attempt; the last is repeated. Short at first, for most writers are quick.
const NAPS_MS: [u64; 8] = [1, 2, 5, 10, 15, 20, 25, 50];

/// Installs the waiting. A `PRAGMA busy_timeout` of a script replaces it until the settings are restored.
///
/// SQLite's own handler is not used because nothing ends its wait: `sqlite3_interrupt` reaches running statements only.
pub(crate) fn wait_for_writers(
    connection: &mut Connection,
    limit: Duration,
    cancelled: &Arc<AtomicBool>,
) -> rusqlite::Result<()> {
    let cancelled = Arc::clone(cancelled);
    let mut begun = Instant::now();
    connection.busy_handler(Some(move |attempt: i32| {
        if attempt == 0 {
            begun = Instant::now();
        }
        let waited = begun.elapsed();
        if waited >= limit || cancelled.load(Ordering::SeqCst) {
            return false;
        }
        let index = usize::try_from(attempt).unwrap_or(0).min(NAPS_MS.len() - 1);
        sleep(Duration::from_millis(NAPS_MS[index]).min(limit - waited));
        true
    }))
}
