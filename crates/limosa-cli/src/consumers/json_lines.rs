//! The stream as JSON lines on standard error: one object for each event. `docs/observability.md` lists them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use limosa::{Blocker, CopyKind, CopyUnit, Copying, Ended, Event, Progress};
use serde_json::{Value, json};

use super::{Consumer, Given};
use crate::console::{Console, Log};

/// How far a copy is, is said at most this often.
const PACE: Duration = Duration::from_secs(1);

/// Where the log is JSON, and not only problems are wanted.
pub(super) fn make(given: &Given<'_>) -> Option<Box<dyn Consumer>> {
    let wanted = given.console.log() == Log::Json && !given.console.is_quiet();
    wanted.then(|| Box::new(JsonLines { console: Arc::clone(given.console), copied: None }) as Box<dyn Consumer>)
}

struct JsonLines {
    console: Arc<Console>,
    /// When the state of a copy was said last.
    copied: Option<Instant>,
}

impl Consumer for JsonLines {
    fn take(&mut self, progress: &Progress) {
        match progress {
            Progress::Copying(_) if self.copied.is_some_and(|said| said.elapsed() < PACE) => return,
            Progress::Copying(_) => self.copied = Some(Instant::now()),
            Progress::CopyEnded { .. } => self.copied = None,
            _ => {}
        }
        if let Some((event, fields)) = line(progress) {
            self.console.record(event, &fields);
        }
    }

    fn wants_starts(&self) -> bool {
        true
    }
}

/// Name and fields of an event; None for those that this file does not know yet.
fn line(progress: &Progress) -> Option<(&'static str, Value)> {
    Some(match progress {
        Progress::Began(began) => (
            "run_started",
            json!({
                "command": began.command, "project": began.project, "environment": began.environment,
                "engine": began.engine, "database": began.database,
            }),
        ),
        Progress::Target(target) => ("target", json!(target)),
        Progress::Run(event) => return run(event),
        Progress::Copying(copying) => ("copying", copy(copying)),
        Progress::CopyEnded { what, done, elapsed } => {
            ("copy_ended", json!({"what": kind(*what), "done": done, "elapsed_ms": milliseconds(*elapsed)}))
        }
        Progress::Note(text) => ("note", json!({"text": text})),
        Progress::Ended(ended) => ("run_ended", end(ended)),
        _ => return None,
    })
}

fn run(event: &Event) -> Option<(&'static str, Value)> {
    Some(match event {
        Event::LockHeld { holder, since } => ("lock_held", json!({"holder": holder, "since": since})),
        Event::LockWaited { waited, taken } => {
            ("lock_waited", json!({"waited_ms": milliseconds(*waited), "taken": taken}))
        }
        Event::PlanStarted { steps, direction } => {
            ("plan_started", json!({"migrations": steps, "direction": direction.as_str()}))
        }
        Event::Callback { event, file } => ("callback", json!({"callback": event.name(), "file": file})),
        Event::StepStarted { number, of, identity, label, name, statements } => (
            "migration_started",
            json!({
                "migration": number, "of": of, "identity": identity.to_string(), "version": label, "name": name,
                "statements": statements,
            }),
        ),
        Event::StatementStarted { step, number, verb } => {
            ("statement_started", json!({"migration": step, "statement": number, "verb": verb}))
        }
        Event::StatementDone { step, number, of, verb, rows, elapsed } => (
            "statement_done",
            json!({
                "migration": step, "statement": number, "of": of, "verb": verb, "rows": rows,
                "elapsed_ms": milliseconds(*elapsed),
            }),
        ),
        Event::Notice { label, notice } => (
            "notice",
            json!({
                "version": label, "severity": notice.severity, "message": notice.message, "detail": notice.detail,
                "hint": notice.hint, "code": notice.code,
            }),
        ),
        Event::Waiting { label, statement, elapsed, blockers } => (
            "waiting",
            json!({
                "version": label, "statement": statement, "elapsed_ms": milliseconds(*elapsed),
                "blockers": blockers.iter().map(blocker).collect::<Vec<_>>(),
            }),
        ),
        Event::Retrying { label, attempt, of, reason, pause } => (
            "retrying",
            json!({
                "version": label, "attempt": attempt, "of": of, "reason": reason, "pause_ms": milliseconds(*pause),
            }),
        ),
        Event::Recovered { label, statement, finding } => {
            ("recovered", json!({"version": label, "statement": statement, "finding": finding}))
        }
        Event::StepDone { number, label, name, elapsed } => (
            "migration_done",
            json!({"migration": number, "version": label, "name": name, "elapsed_ms": milliseconds(*elapsed)}),
        ),
        Event::StepPassed { number, label, name, state, elapsed } => (
            "migration_passed",
            json!({
                "migration": number, "version": label, "name": name, "state": state.as_str(),
                "elapsed_ms": milliseconds(*elapsed),
            }),
        ),
        Event::StepFailed { number, label, name, state, statements_done, reason, elapsed } => (
            "migration_failed",
            json!({
                "migration": number, "version": label, "name": name, "state": state.as_str(),
                "statements_done": statements_done,
                "error": reason.as_ref().map(|(code, message)| json!({"code": code, "message": message})),
                "elapsed_ms": milliseconds(*elapsed),
            }),
        ),
        _ => return None,
    })
}

fn end(ended: &Ended) -> Value {
    json!({
        "command": ended.command, "outcome": ended.outcome, "exit_code": ended.exit_code,
        "error": ended.error.as_ref().map(|error| json!({"code": error.code, "message": error.message})),
        "elapsed_ms": milliseconds(ended.elapsed),
    })
}

fn blocker(blocker: &Blocker) -> Value {
    json!({
        "pid": blocker.pid, "user": blocker.user, "application": blocker.application, "client": blocker.client,
        "state": blocker.state, "transaction_seconds": blocker.transaction_seconds, "query": blocker.query,
        "relation": blocker.relation, "grant": blocker.grant,
    })
}

fn copy(copying: &Copying) -> Value {
    let unit = match copying.unit {
        CopyUnit::Pages => "pages",
        CopyUnit::Bytes => "bytes",
    };
    json!({"what": kind(copying.what), "unit": unit, "done": copying.done, "total": copying.total})
}

fn kind(what: CopyKind) -> &'static str {
    match what {
        CopyKind::Backup => "backup",
        CopyKind::Restore => "restore",
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use limosa::{Began, Diagnostic, Engine, StepState};

    use super::*;

    fn check(progress: Progress, expected: &str) {
        let (event, fields) = line(&progress).unwrap();
        assert_eq!(format!("{event} {fields}"), expected);
    }

    #[test]
    fn names_and_fields() {
        let began = Began {
            command: "migrate",
            project: "default".to_owned(),
            environment: None,
            engine: Some(Engine::Sqlite),
            database: Some("app.db".to_owned()),
        };
        check(
            Progress::Began(began),
            r#"run_started {"command":"migrate","project":"default","environment":null,"engine":"sqlite","database":"app.db"}"#,
        );
        let statement = Event::StatementDone {
            step: 1,
            number: 2,
            of: 3,
            verb: "INSERT".to_owned(),
            rows: Some(7),
            elapsed: Duration::from_millis(12),
        };
        check(
            Progress::Run(statement),
            r#"statement_done {"migration":1,"statement":2,"of":3,"verb":"INSERT","rows":7,"elapsed_ms":12}"#,
        );
        let failed = |reason| Event::StepFailed {
            number: 1,
            label: "001".into(),
            name: "a".into(),
            state: StepState::RolledBack,
            statements_done: 0,
            reason,
            elapsed: Duration::ZERO,
        };
        check(
            Progress::Run(failed(Some(("LIM-R002", "no".to_owned())))),
            r#"migration_failed {"migration":1,"version":"001","name":"a","state":"rolled_back","statements_done":0,"error":{"code":"LIM-R002","message":"no"},"elapsed_ms":0}"#,
        );
        check(
            Progress::Run(failed(None)),
            r#"migration_failed {"migration":1,"version":"001","name":"a","state":"rolled_back","statements_done":0,"error":null,"elapsed_ms":0}"#,
        );
        let ended = Ended {
            command: "migrate",
            outcome: "stopped",
            exit_code: 3,
            error: Some(Diagnostic::error("LIM-R002", "no")),
            elapsed: Duration::from_secs(1),
        };
        check(
            Progress::Ended(ended),
            r#"run_ended {"command":"migrate","outcome":"stopped","exit_code":3,"error":{"code":"LIM-R002","message":"no"},"elapsed_ms":1000}"#,
        );
        let copying = Copying { what: CopyKind::Backup, unit: CopyUnit::Pages, done: 1, total: None };
        check(Progress::Copying(copying), r#"copying {"what":"backup","unit":"pages","done":1,"total":null}"#);
        let waiting = Event::Waiting {
            label: "002".into(),
            statement: 1,
            elapsed: Duration::from_secs(2),
            blockers: vec![Blocker { pid: 4711, user: Some("app".to_owned()), ..Blocker::default() }],
        };
        check(
            Progress::Run(waiting),
            r#"waiting {"version":"002","statement":1,"elapsed_ms":2000,"blockers":[{"pid":4711,"user":"app","application":null,"client":null,"state":null,"transaction_seconds":null,"query":null,"relation":null,"grant":null}]}"#,
        );
    }
}
