//! `--metrics-file`: what the last run did, in the text format of Prometheus, for the textfile collector of its node exporter.
//!
//! Source of the format: <https://prometheus.io/docs/instrumenting/exposition_formats/>, version 0.0.4.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, io};

use limosa::{Began, Diagnostic, Direction, Ended, Event, Progress};

use super::{Consumer, Given};

/// The commands whose end is written; others leave the file alone.
const COMMANDS: [&str; 4] = ["migrate", "rollback", "reset", "seed"];

/// How a run can end.
const OUTCOMES: [&str; 5] = ["done", "nothing_to_do", "stopped", "needs_person", "failed"];

/// Where a file is named.
pub(super) fn make(given: &Given<'_>) -> Option<Box<dyn Consumer>> {
    let path = given.settings.metrics_file.clone()?;
    Some(Box::new(MetricsFile { path, run: None, direction: Direction::Apply }))
}

struct MetricsFile {
    path: PathBuf,
    /// The run that began last, where its end is to be written.
    run: Option<Run>,
    direction: Direction,
}

/// One run, counted.
struct Run {
    began: Began,
    ended: Option<(Ended, Duration)>,
    planned: usize,
    applied: u64,
    taken_back: u64,
    failed: u64,
    statements: u64,
    rows: u64,
    retries: u64,
    waits: u64,
    notices: u64,
    lock_wait: Duration,
}

impl Run {
    fn new(began: Began) -> Run {
        Run {
            began,
            ended: None,
            planned: 0,
            applied: 0,
            taken_back: 0,
            failed: 0,
            statements: 0,
            rows: 0,
            retries: 0,
            waits: 0,
            notices: 0,
            lock_wait: Duration::ZERO,
        }
    }

    fn count(&mut self, event: &Event, direction: Direction) {
        match event {
            Event::LockWaited { waited, .. } => self.lock_wait += *waited,
            Event::StepStarted { of, .. } => self.planned = self.planned.max(*of),
            Event::StatementDone { rows, .. } => {
                self.statements += 1;
                self.rows += rows.unwrap_or(0);
            }
            Event::Notice { .. } => self.notices += 1,
            Event::Waiting { .. } => self.waits += 1,
            Event::Retrying { .. } => self.retries += 1,
            Event::StepDone { .. } if direction == Direction::Revert => self.taken_back += 1,
            Event::StepDone { .. } => self.applied += 1,
            Event::StepFailed { reason: Some(_), .. } => self.failed += 1,
            _ => {}
        }
    }

    /// The file's text; None where the run has not ended.
    fn text(&self) -> Option<String> {
        let (ended, at) = self.ended.as_ref()?;
        let labels = [
            ("project", self.began.project.as_str()),
            ("environment", self.began.environment.as_deref().unwrap_or_default()),
            ("database", self.began.database.as_deref().unwrap_or_default()),
            ("command", self.began.command),
        ]
        .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
        .join(",");
        let mut text = String::new();
        let mut one = |kind: Kind, name: &str, help: &str, value: &str| {
            family(&mut text, kind, name, help, &[(labels.clone(), value.to_owned())]);
        };
        use Kind::{Counter, Gauge};
        let seconds = |duration: Duration| duration.as_secs_f64().to_string();
        one(
            Gauge,
            "limosa_last_run_timestamp_seconds",
            "When the last run ended, in seconds since 1970.",
            &seconds(*at),
        );
        one(Gauge, "limosa_run_duration_seconds", "How long the last run took.", &seconds(ended.elapsed));
        one(Gauge, "limosa_run_exit_code", "The exit code of the last run.", &ended.exit_code.to_string());
        one(Gauge, "limosa_migrations_planned", "Migrations that the last run was to do.", &self.planned.to_string());
        one(Gauge, "limosa_migrations_applied", "Migrations that the last run applied.", &self.applied.to_string());
        let help = "Migrations that the last run took back.";
        one(Gauge, "limosa_migrations_taken_back", help, &self.taken_back.to_string());
        one(Gauge, "limosa_migrations_failed", "Migrations that failed in the last run.", &self.failed.to_string());
        let help = "How long the last run asked for the lock that only one runner holds.";
        one(Gauge, "limosa_lock_wait_seconds", help, &seconds(self.lock_wait));
        let help = "Statements that the last run ran, those of attempts that were rolled back included.";
        one(Counter, "limosa_statements_total", help, &self.statements.to_string());
        let help = "Rows that those statements changed, as far as the server says.";
        one(Counter, "limosa_rows_total", help, &self.rows.to_string());
        let help = "Attempts that the last run repeated after a lock time-out or a deadlock.";
        one(Counter, "limosa_retries_total", help, &self.retries.to_string());
        let help = "Statements of the last run that were seen waiting for locks of others.";
        one(Counter, "limosa_waits_total", help, &self.waits.to_string());
        one(Counter, "limosa_notices_total", "Notices of the server in the last run.", &self.notices.to_string());
        let states = OUTCOMES.map(|outcome| {
            let value = u8::from(outcome == ended.outcome).to_string();
            (format!("{labels},outcome=\"{outcome}\""), value)
        });
        family(
            &mut text,
            Gauge,
            "limosa_run_outcome",
            "How the last run ended: 1 for its outcome, 0 for others.",
            &states,
        );
        Some(text)
    }
}

/// What a number means.
#[derive(Clone, Copy)]
enum Kind {
    /// It goes up and down.
    Gauge,
    /// It only grows while a process lives; each run is a process of its own.
    Counter,
}

/// A metric with its lines.
fn family(text: &mut String, kind: Kind, name: &str, help: &str, lines: &[(String, String)]) {
    let kind = match kind {
        Kind::Gauge => "gauge",
        Kind::Counter => "counter",
    };
    // A String takes whatever is written.
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    for (labels, value) in lines {
        let _ = writeln!(text, "{name}{{{labels}}} {value}");
    }
}

/// The value of a label, as it stands between its quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

impl Consumer for MetricsFile {
    fn take(&mut self, progress: &Progress) {
        if let Progress::Began(began) = progress {
            // A command may have several runs, such as the backup before a reset; the last that counts is written.
            if COMMANDS.contains(&began.command) {
                self.run = Some(Run::new(began.clone()));
            }
            self.direction = Direction::Apply;
            return;
        }
        let Some(run) = self.run.as_mut().filter(|run| run.ended.is_none()) else { return };
        match progress {
            Progress::Run(Event::PlanStarted { direction, .. }) => self.direction = *direction,
            Progress::Run(event) => run.count(event, self.direction),
            Progress::Ended(ended) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                run.ended = Some((ended.clone(), now));
            }
            _ => {}
        }
    }

    fn finish(&mut self) -> Option<Diagnostic> {
        let text = self.run.as_ref()?.text()?;
        let error = replace(&self.path, &text).err()?;
        let message = format!("the metrics could not be written to {}: {error}", self.path.display());
        Some(
            Diagnostic::warning("LIM-U098", message)
                .help("the run itself stands; its exit code is not changed by this"),
        )
    }
}

/// What the file begins with: by it one that limosa wrote is told from any other.
const BEGINNING: &str = "# HELP limosa_";

/// True where nothing is lost with the file: it is not there, empty, or of limosa's own.
fn may_go(path: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    match fs::File::open(path) {
        Ok(file) => file.take(BEGINNING.len() as u64).read_to_end(&mut beginning)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    Ok(beginning.is_empty() || beginning == BEGINNING.as_bytes())
}

/// Writes a file so that a reader finds the old one or the new one, whole: into one beside it that then takes its name.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // Where a link leads, so that it stays one.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other("it is there already and is no file"));
    }
    if !may_go(path)? {
        return Err(io::Error::other("it is there already and holds something else; it is left as it is"));
    }
    let name = path.file_name().ok_or_else(|| io::Error::other("it has no name"))?.to_string_lossy();
    // Processes of different containers may have one number. The collector reads names that end in .prom.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let beside = path.with_file_name(format!(".{name}.{}.{now}.tmp", std::process::id()));
    let written = fs::File::create_new(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_data()))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What could not be finished must not stay; where it was never made there is nothing to remove.
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn began() -> Began {
        Began {
            command: "migrate",
            project: "default".to_owned(),
            environment: Some("pro\"d\\\n".to_owned()),
            engine: None,
            database: Some("shop".to_owned()),
        }
    }

    fn consumer(path: &Path) -> MetricsFile {
        MetricsFile { path: path.to_owned(), run: None, direction: Direction::Apply }
    }

    fn ended(outcome: &'static str) -> Progress {
        let elapsed = Duration::from_millis(1500);
        Progress::Ended(Ended { command: "migrate", outcome, exit_code: 3, error: None, elapsed })
    }

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let mut consumer = consumer(Path::new("unused"));
        let step = |number| Event::StepDone {
            number,
            label: String::new().into(),
            name: String::new().into(),
            elapsed: Duration::ZERO,
        };
        let statement = |rows| Event::StatementDone {
            step: 1,
            number: 1,
            of: 1,
            verb: "INSERT".to_owned(),
            rows,
            elapsed: Duration::ZERO,
        };
        consumer.take(&Progress::Began(began()));
        for event in [
            Event::LockWaited { waited: Duration::from_millis(250), taken: true },
            Event::PlanStarted { steps: 2, direction: Direction::Apply },
            statement(Some(5)),
            statement(None),
            step(1),
            Event::PlanStarted { steps: 1, direction: Direction::Revert },
            step(1),
        ] {
            consumer.take(&Progress::Run(event));
        }
        consumer.take(&ended("stopped"));
        let mut run = consumer.run.unwrap();
        run.ended.as_mut().unwrap().1 = Duration::from_millis(1_700_000_000_250);
        let text = run.text().unwrap();
        let labels = "project=\"default\",environment=\"pro\\\"d\\\\\\n\",database=\"shop\",command=\"migrate\"";
        let expected = "\
# HELP limosa_last_run_timestamp_seconds When the last run ended, in seconds since 1970.
# TYPE limosa_last_run_timestamp_seconds gauge
limosa_last_run_timestamp_seconds{LABELS} 1700000000.25
# HELP limosa_run_duration_seconds How long the last run took.
# TYPE limosa_run_duration_seconds gauge
limosa_run_duration_seconds{LABELS} 1.5
# HELP limosa_run_exit_code The exit code of the last run.
# TYPE limosa_run_exit_code gauge
limosa_run_exit_code{LABELS} 3
# HELP limosa_migrations_planned Migrations that the last run was to do.
# TYPE limosa_migrations_planned gauge
limosa_migrations_planned{LABELS} 0
# HELP limosa_migrations_applied Migrations that the last run applied.
# TYPE limosa_migrations_applied gauge
limosa_migrations_applied{LABELS} 1
# HELP limosa_migrations_taken_back Migrations that the last run took back.
# TYPE limosa_migrations_taken_back gauge
limosa_migrations_taken_back{LABELS} 1
# HELP limosa_migrations_failed Migrations that failed in the last run.
# TYPE limosa_migrations_failed gauge
limosa_migrations_failed{LABELS} 0
# HELP limosa_lock_wait_seconds How long the last run asked for the lock that only one runner holds.
# TYPE limosa_lock_wait_seconds gauge
limosa_lock_wait_seconds{LABELS} 0.25
# HELP limosa_statements_total Statements that the last run ran, those of attempts that were rolled back included.
# TYPE limosa_statements_total counter
limosa_statements_total{LABELS} 2
# HELP limosa_rows_total Rows that those statements changed, as far as the server says.
# TYPE limosa_rows_total counter
limosa_rows_total{LABELS} 5
# HELP limosa_retries_total Attempts that the last run repeated after a lock time-out or a deadlock.
# TYPE limosa_retries_total counter
limosa_retries_total{LABELS} 0
# HELP limosa_waits_total Statements of the last run that were seen waiting for locks of others.
# TYPE limosa_waits_total counter
limosa_waits_total{LABELS} 0
# HELP limosa_notices_total Notices of the server in the last run.
# TYPE limosa_notices_total counter
limosa_notices_total{LABELS} 0
# HELP limosa_run_outcome How the last run ended: 1 for its outcome, 0 for others.
# TYPE limosa_run_outcome gauge
limosa_run_outcome{LABELS,outcome=\"done\"} 0
limosa_run_outcome{LABELS,outcome=\"nothing_to_do\"} 0
limosa_run_outcome{LABELS,outcome=\"stopped\"} 1
limosa_run_outcome{LABELS,outcome=\"needs_person\"} 0
limosa_run_outcome{LABELS,outcome=\"failed\"} 0
"
        .replace("LABELS", labels);
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn the_last_run_that_counts_is_written_over_the_one_before() {
        let folder = std::env::temp_dir().join(format!("limosa-metrics-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("limosa.prom");
        fs::write(&path, "# HELP limosa_old\n").unwrap();
        let mut consumer = consumer(&path);
        consumer.take(&Progress::Began(began()));
        consumer.take(&ended("done"));
        consumer.take(&Progress::Began(Began { command: "backup", ..began() }));
        consumer.take(&ended("failed"));
        assert!(consumer.finish().is_none());
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("outcome=\"done\"} 1"), "{text}");
        let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["limosa.prom"]);

        for (path, expected) in [(folder.clone(), "is no file"), (folder.join("missing/m.prom"), "No such file")] {
            consumer.path = path;
            let warning = consumer.finish().unwrap();
            assert!(!warning.is_error() && warning.message.contains(expected), "{warning:?}");
        }
        // A slip of the hand must cost nothing.
        let database = folder.join("app.db");
        fs::write(&database, "SQLite format 3").unwrap();
        consumer.path.clone_from(&database);
        let warning = consumer.finish().unwrap();
        assert!(warning.message.contains("holds something else"), "{warning:?}");
        assert_eq!(fs::read_to_string(&database).unwrap(), "SQLite format 3");
        let link = folder.join("link.prom");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        consumer.path.clone_from(&link);
        assert!(consumer.finish().is_none());
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        fs::remove_dir_all(&folder).unwrap();
    }
}
