//! A clock that nobody sets: it never goes back, and never jumps.

use std::sync::OnceLock;
use std::time::Instant;

/// Milliseconds since this process first asked. Only differences mean anything.
///
/// SQLite has no clock of its own, and the machine's may be set while a script runs: with this one, which its sessions know
/// as the function `limosa_monotonic_ms`, durations stay true.
pub fn monotonic_ms() -> i64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    i64::try_from(BEGAN.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(i64::MAX)
}
