//! Where a long work stands, as a log and the moving line say it.

use std::time::Instant;

use indicatif::HumanBytes;
use limosa::{CopyKind, CopyUnit, Copying};

use super::style::harmless;
use super::time::{duration, pace};

/// A step that has begun.
pub(crate) struct Step {
    /// Its number in its plan, from 1.
    pub(crate) number: usize,
    /// Version and description.
    pub(crate) title: String,
    /// Statements in all.
    pub(crate) statements: u64,
    /// The statement that ended last.
    pub(crate) done: u64,
    /// Rows that its statements changed so far.
    pub(crate) rows: u64,
    began: Instant,
    statement_began: Instant,
}

impl Step {
    /// A step that begins now.
    pub(crate) fn new(number: usize, label: &str, name: &str, statements: u64, now: Instant) -> Step {
        let title = title(label, name);
        Step { number, title, statements, done: 0, rows: 0, began: now, statement_began: now }
    }

    /// Notes that a statement ended.
    pub(crate) fn ended(&mut self, statement: u64, rows: Option<u64>, now: Instant) {
        self.done = statement;
        self.rows += rows.unwrap_or(0);
        self.statement_began = now;
    }

    /// Where it stands, for a log.
    pub(crate) fn place(&self, now: Instant) -> String {
        let running = duration(now.duration_since(self.statement_began));
        let current = (self.done + 1).min(self.statements);
        let mut text = format!("{}: statement {current} of {}, running for {running}", self.title, self.statements);
        let pace = pace(self.done, self.statements, now.duration_since(self.began));
        if !pace.is_empty() {
            text.push_str(&format!(" ({pace})"));
        }
        text
    }
}

/// Version and description of a migration.
pub(crate) fn title(label: &str, name: &str) -> String {
    format!("{} {}", harmless(label), harmless(name))
}

/// `, 3 rows`; nothing where none was changed.
pub(crate) fn rows(rows: u64) -> String {
    match rows {
        0 => String::new(),
        1 => ", 1 row".to_owned(),
        rows => format!(", {rows} rows"),
    }
}

/// The steps that have begun and not ended.
#[derive(Default)]
pub(crate) struct Steps(Vec<Step>);

impl Steps {
    /// Adds one that begins.
    pub(crate) fn begin(&mut self, step: Step) {
        self.0.push(step);
    }

    /// Takes one away.
    pub(crate) fn end(&mut self, number: usize) {
        self.0.retain(|step| step.number != number);
    }

    /// Takes all away.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The one with this number.
    pub(crate) fn numbered(&mut self, number: usize) -> Option<&mut Step> {
        self.0.iter_mut().find(|step| step.number == number)
    }

    /// The one whose statements run: several may share a transaction, and begin together.
    pub(crate) fn current(&self) -> Option<&Step> {
        self.0.iter().find(|step| step.done < step.statements).or(self.0.last())
    }
}

/// A backup or a restore.
pub(crate) struct Copy {
    /// How far it is.
    pub(crate) now: Copying,
    began: Instant,
}

impl Copy {
    /// One that begins.
    pub(crate) fn new(copying: Copying, now: Instant) -> Copy {
        Copy { now: copying, began: now }
    }

    /// What is done, without the time.
    pub(crate) fn amount(&self) -> String {
        let Copying { what, unit, done, total } = self.now;
        let name = match what {
            CopyKind::Backup => "backup",
            CopyKind::Restore => "restore",
        };
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
    pub(crate) fn place(&self, now: Instant) -> String {
        format!("{}, running for {}", self.amount(), duration(now.duration_since(self.began)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
        let mut step = Step::new(1, "004", "fill", 30, now - Duration::from_secs(40));
        assert_eq!(step.place(now), "004 fill: statement 1 of 30, running for 40.0 s");
        step.ended(20, Some(7), now - Duration::from_secs(3));
        let expected = "004 fill: statement 21 of 30, running for 3.0 s (0.5 statements/s, about 20.0 s left)";
        assert_eq!(step.place(now), expected);
        assert_eq!(step.rows, 7);
    }

    #[test]
    fn of_steps_that_began_together_the_one_whose_statements_run_is_shown() {
        let now = Instant::now();
        let mut steps = Steps::default();
        steps.begin(Step::new(1, "1", "a", 1, now));
        steps.begin(Step::new(2, "2", "b", 2, now));
        let shown = |steps: &Steps| steps.current().map(|step| step.number);
        assert_eq!(shown(&steps), Some(1));
        steps.numbered(1).unwrap().ended(1, None, now);
        assert_eq!(shown(&steps), Some(2));
        steps.end(1);
        steps.numbered(2).unwrap().ended(2, None, now);
        assert_eq!(shown(&steps), Some(2));
        steps.clear();
        assert_eq!(shown(&steps), None);
    }
}
