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

    /// Listens to signals until the process ends, on a thread of its own: a run that reads a large file must not be deaf.
    ///
    /// # Errors
    /// Where the system lets nobody listen.
    pub(crate) fn listen(&self, console: Arc<Console>) -> std::io::Result<()> {
        let interrupt = self.clone();
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return tell.send(Err(error)),
            };
            runtime.block_on(async {
                match Signals::new() {
                    Ok(signals) => {
                        let listening = tell.send(Ok(()));
                        interrupt.obey(signals, &console).await;
                        listening
                    }
                    Err(error) => tell.send(Err(error)),
                }
            })
        })?;
        told.recv().unwrap_or_else(|_| Err(std::io::Error::other("the thread for signals ended at once")))
    }

    async fn obey(&self, mut signals: Signals, console: &Console) {
        loop {
            signals.next().await;
            if self.stop.is_asked() || self.asking.load(Ordering::SeqCst) {
                console.insist("interrupted: ended at once; see what stands with limosa status");
                console.settle();
                std::process::exit(INTERRUPTED);
            }
            if self.begun.load(Ordering::SeqCst) {
                console.insist("stopping in order: what runs is taken back or recorded; once more ends it at once");
            }
            self.stop.ask();
        }
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
