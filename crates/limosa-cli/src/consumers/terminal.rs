//! The moving line at the foot of a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use limosa::{Blocker, Copying, Event, Progress};

use super::{Consumer, Given};
use crate::render::standing::{self, Copy, Step, Steps};
use crate::render::style::short;
use crate::render::time::pace;

/// How often the line moves while nothing happens, and its words at most.
const TICK: Duration = Duration::from_millis(120);

/// The line is there on a terminal only.
pub(super) fn make(given: &Given<'_>) -> Option<Box<dyn Consumer>> {
    let bar = given.console.bar()?;
    // Nothing is shown before anything runs.
    bar.set_style(style("{msg}"));
    Some(Box::new(Terminal { bar: Some(bar), steps: Steps::default(), of: 0, shown: None, worded: None, copy: None }))
}

struct Terminal {
    bar: Option<ProgressBar>,
    steps: Steps,
    /// Steps of the plan.
    of: usize,
    /// Number of the step that is shown.
    shown: Option<usize>,
    /// When the words behind the numbers were set last.
    worded: Option<Instant>,
    copy: Option<Copy>,
}

impl Terminal {
    fn run(&mut self, bar: &ProgressBar, event: &Event) {
        match event {
            Event::PlanStarted { .. } => self.steps.clear(),
            Event::StepStarted { number, of, label, name, statements, .. } => {
                self.of = *of;
                self.steps.begin(Step::new(*number, label, name, *statements, Instant::now()));
                self.show(bar);
            }
            Event::StatementDone { step, number, rows, .. } => {
                let now = Instant::now();
                let Some(found) = self.steps.numbered(*step) else { return };
                found.ended(*number, *rows, now);
                if self.shown != Some(*step) {
                    self.show(bar);
                }
                bar.set_position(*number);
                // A script may have millions of statements: no words are made that nobody can see.
                if self.worded.is_none_or(|worded| now.duration_since(worded) >= TICK) {
                    self.worded = Some(now);
                    let rows = self.steps.numbered(*step).map_or(0, |step| step.rows);
                    bar.set_message(standing::rows(rows));
                }
            }
            Event::StepDone { number, .. } | Event::StepPassed { number, .. } | Event::StepFailed { number, .. } => {
                self.steps.end(*number);
                self.shown = None;
            }
            Event::Waiting { blockers, .. } => bar.set_message(waits(blockers)),
            _ => {}
        }
    }

    fn show(&mut self, bar: &ProgressBar) {
        let many = "{spinner} {prefix} {pos}/{len} statements, {elapsed} {pace}{msg}";
        let one = "{spinner} {prefix} {elapsed}{msg}";
        let Some(step) = self.steps.current() else { return };
        if self.shown == Some(step.number) {
            return;
        }
        bar.set_prefix(format!("[{}/{}] {}", step.number, self.of, step.title));
        bar.set_message("");
        bar.set_length(step.statements);
        bar.reset();
        bar.set_style(style(if step.statements > 1 { many } else { one }));
        bar.enable_steady_tick(TICK);
        self.shown = Some(step.number);
        self.worded = None;
    }

    fn copying(&mut self, bar: &ProgressBar, now: Copying) {
        if self.copy.as_ref().is_none_or(|copy| copy.now.what != now.what) {
            self.copy = Some(Copy::new(now, Instant::now()));
            bar.reset();
            bar.set_prefix("");
            bar.set_style(style("{spinner} {msg}, {elapsed}"));
            bar.enable_steady_tick(TICK);
        }
        if let Some(copy) = &mut self.copy {
            copy.now = now;
            bar.set_message(copy.amount());
        }
    }
}

impl Consumer for Terminal {
    fn take(&mut self, progress: &Progress) {
        let Some(bar) = self.bar.clone() else { return };
        match progress {
            Progress::Run(event) => self.run(&bar, event),
            Progress::Copying(copying) => self.copying(&bar, *copying),
            Progress::CopyEnded { .. } => {
                self.copy = None;
                // A step that follows shows it again.
                bar.finish_and_clear();
            }
            _ => {}
        }
    }

    fn clear(&mut self) {
        self.steps.clear();
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// `, waits for process 4711 (web) and 2 more`.
fn waits(blockers: &[Blocker]) -> String {
    let Some((first, others)) = blockers.split_first() else { return ", waits for locks".to_owned() };
    let name = first.application.as_deref().or(first.user.as_deref()).filter(|name| !name.is_empty());
    let name = name.map(|name| format!(" ({})", short(name, 30))).unwrap_or_default();
    let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
    format!(", waits for process {}{name}{more}", first.pid)
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    style.with_key("pace", |state: &ProgressState, line: &mut dyn std::fmt::Write| {
        // A line that cannot be drawn is drawn again soon.
        let _ = line.write_str(&pace(state.pos(), state.len().unwrap_or(0), state.elapsed()));
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blockers_in_few_words() {
        let blocker = |pid, application: &str| Blocker {
            pid,
            application: Some(application.to_owned()),
            user: Some("app".to_owned()),
            ..Blocker::default()
        };
        for (blockers, expected) in [
            (vec![], ", waits for locks"),
            (vec![blocker(4711, "web\u{1b}")], ", waits for process 4711 (web\\u{1b})"),
            (vec![blocker(1, ""), blocker(2, "")], ", waits for process 1 and 1 more"),
            (vec![Blocker { pid: 3, ..Blocker::default() }], ", waits for process 3"),
        ] {
            assert_eq!(waits(&blockers), expected);
        }
    }
}
