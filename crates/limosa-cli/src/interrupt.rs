//! Ctrl-C and SIGTERM: the first asks the run to stop in order, the second ends everything at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use limosa::Stop;

use crate::console::Console;

/// The exit code of a process that was interrupted, as shells know it.
const INTERRUPTED: i32 = 130;

/// What was asked, and what an answer to it must know.
#[derive(Clone, Default)]
pub(crate) struct Interrupt {
    stop: Stop,
    begun: Arc<AtomicBool>,
    asking: Arc<AtomicBool>,
}

impl Interrupt {
    /// The signal for the run.
    pub(crate) fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// From now on something may have been written.
    pub(crate) fn begin(&self) {
        self.begun.store(true, Ordering::SeqCst);
    }

    /// A person is being asked; nothing is under way meanwhile.
    pub(crate) fn asking(&self, asking: bool) {
        self.asking.store(asking, Ordering::SeqCst);
    }

    /// Returns once somebody interrupts before anything was written; never after.
    pub(crate) async fn before_anything(&self) {
        self.stop.asked().await;
        if self.begun.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }

    /// Listens to signals until the process ends.
    ///
    /// # Errors
    /// Where the system lets nobody listen.
    pub(crate) fn listen(&self, console: Arc<Console>) -> std::io::Result<()> {
        let mut signals = Signals::new()?;
        let interrupt = self.clone();
        tokio::spawn(async move {
            loop {
                signals.next().await;
                if interrupt.stop.is_asked() || interrupt.asking.load(Ordering::SeqCst) {
                    console.insist("interrupted: ended at once; see what stands with limosa status");
                    std::process::exit(INTERRUPTED);
                }
                if interrupt.begun.load(Ordering::SeqCst) {
                    console.insist("stopping in order: what runs is taken back or recorded; once more ends it at once");
                }
                interrupt.stop.ask();
            }
        });
        Ok(())
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Signals> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_has_not_begun_is_dropped() {
        let fresh = Interrupt::default();
        fresh.stop().ask();
        fresh.before_anything().await;

        let begun = Interrupt::default();
        begun.begin();
        begun.stop().ask();
        tokio::select! {
            biased;
            () = begun.before_anything() => panic!("work that was begun was dropped"),
            () = std::future::ready(()) => {}
        }
    }
}
