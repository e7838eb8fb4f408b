//! Plain lines on standard error: what people read on a terminal above the moving line, and in a log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use limosa::{Copying, Direction, Event, Progress};

use super::{Consumer, Given};
use crate::console::{Console, Log};
use crate::render::standing::{self, Copy, Step, Steps, title};
use crate::render::style::{Tone, harmless, harmless_lines};
use crate::render::time::duration;
use crate::render::{event, target};

/// A log says at least this often what is being done.
const SILENCE: Duration = Duration::from_secs(15);

/// Where the log is text, and not only problems are wanted.
pub(super) fn make(given: &Given<'_>) -> Option<Box<dyn Consumer>> {
    let wanted = given.console.log() == Log::Text && !given.console.is_quiet();
    wanted.then(|| Box::new(Lines::new(Arc::clone(given.console))) as Box<dyn Consumer>)
}

struct Lines {
    console: Arc<Console>,
    steps: Steps,
    copy: Option<Copy>,
    /// True once a plan of this run has begun.
    conducted: bool,
    /// True once the run takes back what it did.
    taking_back: bool,
    /// When a line was said last; None before there is anything to say.
    said: Option<Instant>,
    /// The line about the database, said once.
    target: String,
}

impl Lines {
    fn new(console: Arc<Console>) -> Lines {
        Lines {
            console,
            steps: Steps::default(),
            copy: None,
            conducted: false,
            taking_back: false,
            said: None,
            target: String::new(),
        }
    }

    fn say(&mut self, line: &str) {
        self.said = Some(Instant::now());
        self.console.say(line);
    }

    fn run(&mut self, event: &Event) {
        if let Some(line) = event::line(event) {
            self.say(&line);
        }
        match event {
            Event::PlanStarted { steps, direction } => {
                self.steps.clear();
                self.taking_back = self.conducted && *direction == Direction::Revert;
                self.conducted = true;
                if self.taking_back && *steps > 0 {
                    self.say(&Tone::Doubtful.paint("taking back what this run did"));
                }
            }
            Event::StepStarted { number, label, name, statements, .. } => {
                let now = Instant::now();
                self.said = Some(now);
                self.steps.begin(Step::new(*number, label, name, *statements, now));
            }
            Event::StatementDone { step, number, of, verb, rows, elapsed } => {
                let verbose = self.console.is_verbose();
                let Some(step) = self.steps.numbered(*step) else { return };
                step.ended(*number, *rows, Instant::now());
                // A script may have millions of statements: nothing is made that is not shown.
                if verbose {
                    let line = format!(
                        "{}: {number} of {of} {}{} ... {}",
                        step.title,
                        harmless(verb),
                        standing::rows(rows.unwrap_or(0)),
                        duration(*elapsed)
                    );
                    self.say(&line);
                }
            }
            Event::StepDone { number, label, name, elapsed } => {
                self.steps.end(*number);
                let word = if self.taking_back { " taken back" } else { "" };
                self.say(&format!("{}{word} ... {}", title(label, name), duration(*elapsed)));
            }
            Event::StepPassed { number, .. } | Event::StepFailed { number, .. } => self.steps.end(*number),
            _ => {}
        }
    }

    fn copying(&mut self, copying: Copying) {
        match &mut self.copy {
            Some(copy) if copy.now.what == copying.what => copy.now = copying,
            copy => {
                let now = Instant::now();
                *copy = Some(Copy::new(copying, now));
                self.said = Some(now);
            }
        }
    }
}

impl Consumer for Lines {
    fn take(&mut self, progress: &Progress) {
        match progress {
            Progress::Began(_) => (self.conducted, self.taking_back) = (false, false),
            Progress::Target(found) => {
                let line = target::line(found);
                if self.target != line {
                    self.console.say(&line);
                    self.target = line;
                }
            }
            Progress::Run(event) => self.run(event),
            Progress::Copying(copying) => self.copying(*copying),
            Progress::CopyEnded { .. } => self.copy = None,
            Progress::Note(line) => self.console.say(&harmless_lines(line)),
            Progress::Ended(_) => self.clear(),
            _ => {}
        }
    }

    /// On a terminal the moving line shows that work goes on.
    fn ticks(&self) -> bool {
        !self.console.has_bar()
    }

    fn tick(&mut self) {
        let now = Instant::now();
        let silent = self.said.is_some_and(|said| now.duration_since(said) >= SILENCE);
        let step = self.steps.current().map(|step| step.place(now));
        let place = self.copy.as_ref().map(|copy| copy.place(now)).or(step);
        if let Some(line) = place.filter(|_| silent) {
            self.say(&line);
        }
    }

    fn clear(&mut self) {
        self.steps.clear();
        self.copy = None;
    }
}
