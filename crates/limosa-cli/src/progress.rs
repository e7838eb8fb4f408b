//! The one stream of what happens while a command works, handed to all that read it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use limosa::{Diagnostic, Ended, Event, Listener, Progress};

use crate::console::Console;
use crate::consumers::{self, Consumer, Given};
use crate::interrupt::Interrupt;

/// How often those are called that speak up in silence.
const TICK: Duration = Duration::from_secs(3);

/// Hands on what happens.
pub(crate) struct Reporter {
    console: Arc<Console>,
    interrupt: Interrupt,
    wants_starts: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    consumers: Vec<Box<dyn Consumer>>,
    /// The run that has begun and not ended.
    running: Option<(&'static str, Instant)>,
    /// Plans that the run has begun; a second one takes back.
    plans: usize,
    /// Steps of the first.
    planned: usize,
}

impl State {
    fn hand_on(&mut self, progress: &Progress) {
        for consumer in &mut self.consumers {
            consumer.take(progress);
        }
    }
}

impl Reporter {
    /// A reporter for one command, with the consumers that it asks for.
    pub(crate) fn start(given: &Given<'_>, interrupt: Interrupt) -> Arc<Reporter> {
        let consumers = consumers::of(given);
        let wants_starts = consumers.iter().any(|consumer| consumer.wants_starts());
        let ticks = consumers.iter().any(|consumer| consumer.ticks());
        let state = Mutex::new(State { consumers, ..State::default() });
        let reporter = Arc::new(Reporter { console: Arc::clone(given.console), interrupt, wants_starts, state });
        if ticks {
            tokio::spawn(tick(Arc::downgrade(&reporter)));
        }
        reporter
    }

    /// How many steps the run had; 0 where none was begun.
    pub(crate) fn planned(&self) -> usize {
        self.state().planned
    }

    /// Takes away what moves, before an answer is written.
    pub(crate) fn end(&self) {
        self.state().consumers.iter_mut().for_each(|consumer| consumer.clear());
    }

    /// The command is over, with this exit code, and this problem where it could not answer. A run that was dropped on its way
    /// ends here. What a consumer could not do is a warning.
    pub(crate) fn finish(&self, exit_code: u8, problem: Option<&Diagnostic>) {
        let mut state = self.state();
        if let Some((command, began)) = state.running.take() {
            let error = problem.cloned();
            let ended = Ended { command, outcome: "failed", exit_code, error, elapsed: began.elapsed() };
            state.hand_on(&Progress::Ended(ended));
        }
        for mut consumer in std::mem::take(&mut state.consumers) {
            if let Some(warning) = consumer.finish() {
                self.console.problem(&warning);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Reporter {
    fn progress(&self, progress: Progress) {
        let mut state = self.state();
        match &progress {
            Progress::Began(began) => {
                state.running = Some((began.command, Instant::now()));
                (state.plans, state.planned) = (0, 0);
            }
            Progress::Ended(_) => state.running = None,
            Progress::Run(Event::PlanStarted { .. }) => state.plans += 1,
            Progress::Run(Event::StepStarted { of, .. }) if state.plans < 2 => state.planned = *of,
            Progress::Target(_) | Progress::Note(_) => self.interrupt.begin(),
            _ => {}
        }
        state.hand_on(&progress);
    }

    fn wants_starts(&self) -> bool {
        self.wants_starts
    }
}

async fn tick(reporter: Weak<Reporter>) {
    loop {
        tokio::time::sleep(TICK).await;
        let Some(reporter) = reporter.upgrade() else { return };
        reporter.state().consumers.iter_mut().for_each(|consumer| consumer.tick());
    }
}
