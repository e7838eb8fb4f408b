//! Waiting for something to become so, without guessing how long it takes.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Far beyond what anything here takes, so that only a real failure reaches it.
const LIMIT: Duration = Duration::from_secs(60);

/// Returns when `condition` holds; asks every 10 ms.
///
/// # Panics
/// It does not hold within a minute. The message says `what` was waited for.
#[track_caller]
pub fn eventually(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < LIMIT, "not so within {LIMIT:?}: {what}");
        sleep(Duration::from_millis(10));
    }
}
