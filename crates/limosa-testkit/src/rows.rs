//! Rows of a test's own SQL, and how blocking code gets them.

use std::thread;

use anyhow::{Result, anyhow};

/// Rows of text; `None` is NULL.
pub type Rows = Vec<Vec<Option<String>>>;

/// Runs a future to its end.
///
/// A thread with a runtime of its own does the work, so that it can be called from inside and
/// outside of an asynchronous test.
pub(crate) fn on_a_thread<F>(work: impl FnOnce() -> F + Send) -> Result<Rows>
where
    F: Future<Output = Result<Rows>>,
{
    thread::scope(|scope| {
        scope
            .spawn(|| tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work()))
            .join()
            .map_err(|_| anyhow!("the thread that sent SQL panicked"))?
    })
}
