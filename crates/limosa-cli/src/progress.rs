//! A run as it goes on: one moving line on a terminal, plain lines in a log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar, ProgressState, ProgressStyle};
use limosa::{CopyKind, CopyUnit, Copying, Event, Listener, Progress};

use crate::console::Console;
use crate::interrupt::Interrupt;
use crate::render::style::{Tone, harmless};
use crate::render::time::{duration, pace};
use crate::render::{event, target};

/// A log says at least this often what is being done.
const SILENCE: Duration = Duration::from_secs(15);

/// How often the moving line moves while nothing happens.
const TICK: Duration = Duration::from_millis(120);

/// Tells people how a run goes on.
pub(crate) struct Reporter {
    console: Arc<Console>,
    interrupt: Interrupt,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    step: Option<Step>,
    copy: Option<Copy>,
    /// Steps of the run.
    planned: usize,
    /// Number of the step that was begun last.
    last: usize,
    /// True once the run takes back what it did.
    taking_back: bool,
    /// When a line was said last; None before the first step.
    said: Option<Instant>,
    /// True while the moving line says that a statement waits for locks.
    waits: bool,
    /// The line about the database, said once.
    target: String,
}

struct Step {
    label: String,
    name: String,
    statements: u64,
    done: u64,
    began: Instant,
    statement_began: Instant,
}

impl Step {
    fn title(&self) -> String {
        format!("{} {}", harmless(&self.label), harmless(&self.name))
    }

    /// Where it stands, for a log.
    fn place(&self, now: Instant) -> String {
        let running = duration(now.duration_since(self.statement_began));
        let current = (self.done + 1).min(self.statements);
        let mut text = format!("{}: statement {current} of {}, running for {running}", self.title(), self.statements);
        let pace = pace(self.done, self.statements, now.duration_since(self.began));
        if !pace.is_empty() {
            text.push_str(&format!(" ({pace})"));
        }
        text
    }
}

/// A backup or a restore.
struct Copy {
    now: Copying,
    began: Instant,
}

impl Copy {
    /// What is done, without the time.
    fn amount(&self) -> String {
        let Copying { what, unit, done, total } = self.now;
        let name = name_of(what);
        match (unit, total) {
            (CopyUnit::Pages, None) => format!("{name}: begins"),
            (CopyUnit::Pages, Some(total)) if done < total => format!("{name}: {done} of {total} pages"),
            (CopyUnit::Pages, Some(total)) => format!("{name}: all {total} pages, now looked through"),
            (CopyUnit::Bytes, total) => {
                let word = if what == CopyKind::Backup { "written" } else { "sent" };
                let of = total.map(|total| format!(" of {}", HumanBytes(total))).unwrap_or_default();
                format!("{name}: {}{of} {word}", HumanBytes(done))
            }
        }
    }

    /// Where it stands, for a log.
    fn place(&self, now: Instant) -> String {
        format!("{}, running for {}", self.amount(), duration(now.duration_since(self.began)))
    }
}

fn name_of(what: CopyKind) -> &'static str {
    match what {
        CopyKind::Backup => "backup",
        CopyKind::Restore => "restore",
    }
}

impl Reporter {
    /// A reporter for one command. In a log it speaks up now and then while a statement runs.
    pub(crate) fn start(console: Arc<Console>, interrupt: Interrupt) -> Arc<Reporter> {
        let bar = console.bar();
        let waits_in_silence = bar.is_none();
        let reporter = Arc::new(Reporter { console, interrupt, state: Mutex::new(State { bar, ..State::default() }) });
        if waits_in_silence {
            tokio::spawn(speak_up(Arc::downgrade(&reporter)));
        }
        reporter
    }

    /// How many steps the run had; 0 where none was begun.
    pub(crate) fn planned(&self) -> usize {
        self.state().planned
    }

    /// Takes the moving line away.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.step = None;
        if let Some(bar) = state.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copy(&self, now: Copying) {
        let mut state = self.state();
        let fresh = state.copy.as_ref().is_none_or(|copy| copy.now.what != now.what);
        if fresh {
            state.said = Some(Instant::now());
            state.copy = Some(Copy { now, began: Instant::now() });
        }
        let State { bar, copy, .. } = &mut *state;
        let Some(copy) = copy else { return };
        copy.now = now;
        let Some(bar) = bar else { return };
        if fresh {
            bar.reset();
            bar.set_prefix("");
            bar.set_style(style("{spinner} {msg}, {elapsed}"));
            bar.enable_steady_tick(TICK);
        }
        bar.set_message(copy.amount());
    }

    fn copy_ended(&self) {
        let mut state = self.state();
        state.copy = None;
        if let Some(bar) = &state.bar {
            // A step that follows shows it again.
            bar.finish_and_clear();
        }
    }

    fn say(&self, state: &mut State, line: &str) {
        state.said = Some(Instant::now());
        self.console.say(line);
    }

    fn run(&self, event: &Event) {
        let mut state = self.state();
        if let Some(line) = event::line(event) {
            self.say(&mut state, &line);
        }
        match event {
            Event::StepStarted { number, of, label, name, statements, .. } => {
                if *number <= state.last && !state.taking_back {
                    state.taking_back = true;
                    self.say(&mut state, &Tone::Doubtful.paint("taking back what this run did"));
                }
                if !state.taking_back {
                    state.planned = *of;
                }
                state.last = *number;
                state.said = Some(Instant::now());
                let now = Instant::now();
                let (label, name) = (label.clone(), name.clone());
                let step = Step { label, name, statements: *statements, done: 0, began: now, statement_began: now };
                if let Some(bar) = &state.bar {
                    show(bar, &step, *number, *of);
                }
                state.step = Some(step);
            }
            Event::StatementDone { number, of, verb, elapsed } => {
                let Some(step) = state.step.as_mut() else { return };
                step.done = *number;
                step.statement_began = Instant::now();
                // A script may have millions of statements: nothing is made that is not shown.
                let line = self.console.is_verbose().then(|| {
                    format!("{}: {number} of {of} {} ... {}", step.title(), harmless(verb), duration(*elapsed))
                });
                if let Some(bar) = &state.bar {
                    bar.set_position(*number);
                    if state.waits {
                        bar.set_message("");
                    }
                }
                state.waits = false;
                if let Some(line) = line {
                    self.say(&mut state, &line);
                }
            }
            Event::StepDone { label, name, elapsed } => {
                state.step = None;
                let word = if state.taking_back { " taken back" } else { "" };
                let line = format!("{} {}{word} ... {}", harmless(label), harmless(name), duration(*elapsed));
                self.say(&mut state, &line);
            }
            Event::Waiting { .. } => {
                state.waits = true;
                if let Some(bar) = &state.bar {
                    bar.set_message("waits for locks");
                }
            }
            _ => {}
        }
    }
}

impl Listener for Reporter {
    fn progress(&self, progress: Progress) {
        match progress {
            Progress::Target(found) => {
                self.interrupt.begin();
                let line = target::line(&found);
                let mut state = self.state();
                if state.target != line {
                    self.console.say(&line);
                    state.target = line;
                }
            }
            Progress::Run(event) => self.run(&event),
            Progress::Copying(copying) => self.copy(copying),
            Progress::CopyEnded => self.copy_ended(),
            Progress::Note(line) => {
                self.interrupt.begin();
                self.console.say(&harmless(&line));
            }
            _ => {}
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    style.with_key("pace", |state: &ProgressState, line: &mut dyn std::fmt::Write| {
        // A line that cannot be drawn is drawn again soon.
        let _ = line.write_str(&pace(state.pos(), state.len().unwrap_or(0), state.elapsed()));
    })
}

fn show(bar: &ProgressBar, step: &Step, number: usize, of: usize) {
    let many = "{spinner} {prefix} {pos}/{len} statements, {elapsed} {pace} {msg}";
    let one = "{spinner} {prefix} {elapsed} {msg}";
    bar.set_prefix(format!("[{number}/{of}] {}", step.title()));
    bar.set_message("");
    bar.set_length(step.statements);
    bar.reset();
    bar.set_style(style(if step.statements > 1 { many } else { one }));
    bar.enable_steady_tick(TICK);
}

async fn speak_up(reporter: Weak<Reporter>) {
    loop {
        tokio::time::sleep(SILENCE / 5).await;
        let Some(reporter) = reporter.upgrade() else { return };
        let now = Instant::now();
        let mut state = reporter.state();
        let silent = state.said.is_some_and(|said| now.duration_since(said) >= SILENCE);
        let step = state.step.as_ref().map(|step| step.place(now));
        let place = state.copy.as_ref().map(|copy| copy.place(now)).or(step);
        if let Some(line) = place.filter(|_| silent) {
            reporter.say(&mut state, &line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_copy_is_described_in_its_own_units() {
        let now = Instant::now() + Duration::from_secs(100);
        let place = |what, unit, done, total| {
            Copy { now: Copying { what, unit, done, total }, began: now - Duration::from_secs(20) }.place(now)
        };
        use {CopyKind::*, CopyUnit::*};
        for (text, expected) in [
            (place(Backup, Pages, 0, None), "backup: begins"),
            (place(Backup, Pages, 256, Some(1024)), "backup: 256 of 1024 pages"),
            (place(Restore, Pages, 1024, Some(1024)), "restore: all 1024 pages, now looked through"),
            (place(Backup, Bytes, 5 << 20, None), "backup: 5.00 MiB written"),
            (place(Restore, Bytes, 0, None), "restore: 0 B sent"),
            (place(Restore, Bytes, 5 << 20, Some(20 << 20)), "restore: 5.00 MiB of 20.00 MiB sent"),
        ] {
            assert_eq!(text, format!("{expected}, running for 20.0 s"));
        }
    }

    #[test]
    fn a_long_statement_is_described_with_pace_and_rest() {
        let now = Instant::now() + Duration::from_secs(100);
        let mut step = Step {
            label: "004".to_owned(),
            name: "fill".to_owned(),
            statements: 30,
            done: 0,
            began: now - Duration::from_secs(40),
            statement_began: now - Duration::from_secs(40),
        };
        assert_eq!(step.place(now), "004 fill: statement 1 of 30, running for 40.0 s");
        (step.done, step.statement_began) = (20, now - Duration::from_secs(3));
        let expected = "004 fill: statement 21 of 30, running for 3.0 s (0.5 statements/s, about 20.0 s left)";
        assert_eq!(step.place(now), expected);
    }
}
