//! How a run ended: what stands, what does not, what to do next.

use limosa::Version;
use limosa::report::{RunAnswer, StepLine};

use super::done::audit_head;
use super::findings::count;
use super::style::{Tone, harmless};
use super::time::milliseconds;

/// The end of a run. `planned` is the number of steps that it had; 0 where that is not known. `to` is the version up to which
/// it was to go.
pub(crate) fn render(answer: &RunAnswer, planned: usize, to: Option<&Version>) -> String {
    let mut text = match answer.outcome {
        "nothing_to_do" => {
            let words = match to {
                Some(version) => format!("nothing to do: nothing is pending up to version {version}"),
                None => nothing(answer.command).to_owned(),
            };
            Tone::Good.paint(&words) + "\n"
        }
        "done" => done(answer),
        _ => stopped(answer, planned),
    };
    if let Some(backup) = &answer.backup {
        text.push_str(&format!("backup {}\n", harmless(backup)));
    }
    if let Some(head) = &answer.audit_head {
        text.push_str(&audit_head(head));
    }
    text
}

fn nothing(command: &str) -> &'static str {
    match command {
        "rollback" => "nothing to do: nothing of it is applied",
        "seed" => "nothing to do: all seeds are planted as they are",
        _ => "nothing to do: the database is up to date",
    }
}

/// `3 migrations applied`, `1 of 3 migrations applied`, in the words of the command.
fn amount(command: &str, number: usize, of: usize) -> String {
    let (noun, verb) = match command {
        "rollback" => ("migration", "taken back"),
        "seed" => ("seed", "planted"),
        _ => ("migration", "applied"),
    };
    match of > number {
        true => format!("{number} of {} {verb}", count(of, noun)),
        false => format!("{} {verb}", count(number, noun)),
    }
}

fn done(answer: &RunAnswer) -> String {
    let passed: Vec<&StepLine> = answer.steps.iter().filter(|step| passed_by(step).is_some()).collect();
    let number = answer.steps.len() - passed.len();
    let line = format!("done: {} in {}", amount(answer.command, number, 0), milliseconds(answer.elapsed_ms));
    let mut text = Tone::Good.paint(&line) + "\n";
    for step in passed {
        let (what, words) = passed_by(step).unwrap_or_default();
        text.push_str(&format!("  {what:<11} {}: {words}\n", title(step)));
    }
    text
}

fn stopped(answer: &RunAnswer, planned: usize) -> String {
    let taken_back =
        |step: &StepLine| answer.taken_back.iter().any(|back| back.identity == step.identity && back.state == "done");
    let stands: Vec<&StepLine> = answer.steps.iter().filter(|step| step.state == "done" && !taken_back(step)).collect();
    let word = if answer.outcome == "needs_person" { "a person is needed" } else { "stopped" };
    let amount = amount(answer.command, stands.len(), planned);
    let line = format!("{word}: {amount}, after {}", milliseconds(answer.elapsed_ms));
    let mut text = Tone::Bad.paint(&line) + "\n";
    let mut add = |what: &str, words: String| text.push_str(&format!("  {what:<11} {words}\n"));
    let is_back = answer.command == "rollback";
    for step in &stands {
        add(if is_back { "taken back" } else { "stands" }, title(step));
    }
    for step in answer.steps.iter().filter(|step| step.state != "done") {
        match step.state {
            "left" | "counted" | "forgiven" => {
                let (what, words) = passed_by(step).unwrap_or_default();
                add(what, format!("{}: {words}", title(step)));
            }
            "partial" if is_back => add("half back", format!("{} (way back): {}", title(step), parts(step))),
            "partial" => add("half done", format!("{}: {}", title(step), parts(step))),
            "rows_stay" => {
                add("rows stay", format!("{}: rolled back, but not in tables without transactions", title(step)));
            }
            "unknown" => add("unknown", format!("{}: {UNKNOWN}", title(step))),
            _ if is_back => add("still there", format!("{}: its way back failed and was rolled back", title(step))),
            _ => add("not kept", format!("{}: rolled back, nothing of it stands", title(step))),
        }
    }
    for step in &answer.taken_back {
        match step.state {
            "done" => add("taken back", title(step)),
            "partial" => add("half back", format!("{} (way back): {}", title(step), parts(step))),
            "rows_stay" => {
                add(
                    "rows stay",
                    format!("{}: its way back failed, and rows without transactions stay changed", title(step)),
                );
            }
            "unknown" => add("unknown", format!("{} (way back): {UNKNOWN}", title(step))),
            _ => add("still there", format!("{}: its way back failed and was rolled back", title(step))),
        }
    }
    let begun = answer.steps.len();
    if planned > begun {
        add("not begun", format!("{} more", planned - begun));
    }
    if let Some(next) = next(answer) {
        text.push_str(&format!("next: {next}\n"));
    }
    text
}

/// What became of a step that did not run; None for one that did.
fn passed_by(step: &StepLine) -> Option<(&'static str, &'static str)> {
    match step.state {
        "left" => Some(("not run", "its precondition does not hold, it is left for the next run")),
        "counted" => Some(("not run", "its precondition does not hold, it counts as applied")),
        "forgiven" => Some(("not kept", "it failed, as it may, and is left for the next run")),
        _ => None,
    }
}

fn title(step: &StepLine) -> String {
    format!("{} {}", harmless(&step.version), harmless(&step.name))
}

fn parts(step: &StepLine) -> String {
    if step.statements_done == 0 {
        return "its first statement failed, and may have left something".to_owned();
    }
    format!("{} of {} statements stand", step.statements_done, step.statements_total)
}

/// What is said of a step of which nobody knows how it ended.
const UNKNOWN: &str = "the server cannot be asked whether it is committed";

/// What is to be had before the same can be tried again, where no file is to blame.
fn wanting(code: &str) -> Option<&'static str> {
    match code {
        "LIM-R003" => Some("when the lock is free"),
        "LIM-R004" => Some("when it is quieter"),
        "LIM-R042" => Some("when the disk and the server can take it"),
        "LIM-R043" => Some("when the user may do that"),
        _ => None,
    }
}

/// What to do after a failure; None where the error itself says it.
fn next(answer: &RunAnswer) -> Option<String> {
    if answer.outcome == "needs_person" {
        return None;
    }
    let file = answer.error.as_ref().and_then(|error| error.labels.first()).map(|label| harmless(&label.file));
    // After a reset the database is empty already: what is left to do is to migrate.
    let again = format!("limosa {}", if answer.command == "reset" { "migrate" } else { answer.command });
    let interrupted = answer.error.as_ref().is_some_and(|error| matches!(error.code, "LIM-R005" | "LIM-R006"));
    let partial = answer.steps.iter().any(|step| step.state == "partial");
    if let (Some(event), Some(file), false) = (answer.owed_callback, &file, interrupted) {
        return Some(format!(
            "mend {file}, and run it by hand for what stands: {event} runs behind other migrations only"
        ));
    }
    if let Some(when) = answer.error.as_ref().and_then(|error| wanting(error.code)) {
        return Some(format!("{when}: run {again} again"));
    }
    let is_back = answer.command == "rollback";
    Some(match (interrupted, partial, file) {
        (true, _, _) => format!("{again} goes on from here"),
        (false, true, Some(_)) if is_back => {
            "correct the rollback in the file from the failed statement on, then limosa rollback --use-file goes on from there".to_owned()
        }
        (false, true, Some(file)) => {
            format!("mend {file} from the failed statement on, then {again} goes on from there")
        }
        (false, false, Some(file)) if !is_back => format!("mend {file}, then run {again} again"),
        (false, false, Some(_)) => {
            "correct the rollback in the file, then take it with limosa rollback --use-file".to_owned()
        }
        (false, _, None) => format!("mend what the error names, then run {again} again"),
    })
}

#[cfg(test)]
mod tests {
    use limosa::report::{SCHEMA_VERSION, Target};
    use limosa::{AuditHead, Diagnostic, Engine, Identity, Label};

    use super::super::style::bare;
    use super::*;

    fn step(version: &str, state: &'static str, done: u64, total: u64) -> StepLine {
        StepLine {
            identity: Identity::new(version),
            version: version.into(),
            name: "some name".into(),
            state,
            statements_done: done,
            statements_total: total,
            elapsed_ms: 5,
            attempts: 1,
            notices: Vec::new(),
        }
    }

    fn answer(command: &'static str, outcome: &'static str, steps: Vec<StepLine>) -> RunAnswer {
        RunAnswer {
            schema_version: SCHEMA_VERSION,
            command,
            exit_code: 3,
            outcome,
            target: Target {
                engine: Engine::Sqlite,
                host: String::new(),
                database: "a.db".to_owned(),
                user: String::new(),
                server_version: "3".to_owned(),
                environment: None,
                protected: false,
                project: "default".to_owned(),
            },
            steps,
            taken_back: Vec::new(),
            error: None,
            owed_callback: None,
            notices: Vec::new(),
            plan_digest: None,
            audit_head: None,
            backup: None,
            elapsed_ms: 1500,
        }
    }

    fn check(answer: &RunAnswer, planned: usize, expected: &str) {
        let text = bare(&render(answer, planned, None));
        assert_eq!(text, expected.trim_start_matches('\n'), "\n{text}");
    }

    #[test]
    fn done_and_nothing() {
        let mut done = answer("migrate", "done", vec![step("1", "done", 1, 1), step("2", "done", 1, 1)]);
        done.audit_head = Some(AuditHead { sequence: 7, hash: "ab12".to_owned() });
        done.backup = Some("backups/a.db".to_owned());
        check(&done, 2, "done: 2 migrations applied in 1.5 s\nbackup backups/a.db\naudit head 7 ab12\n");
        check(&answer("rollback", "done", vec![step("1", "done", 1, 1)]), 1, "done: 1 migration taken back in 1.5 s\n");
        check(&answer("migrate", "nothing_to_do", vec![]), 0, "nothing to do: the database is up to date\n");
        let version = Version::parse("12").unwrap();
        let up_to = bare(&render(&answer("migrate", "nothing_to_do", vec![]), 0, Some(&version)));
        assert_eq!(up_to, "nothing to do: nothing is pending up to version 12\n");
    }

    #[test]
    fn a_failure_says_what_stands_and_what_to_do() {
        let mut failed = answer("migrate", "stopped", vec![step("1", "done", 1, 1), step("2", "rolled_back", 0, 3)]);
        failed.error = Some(Diagnostic::error("LIM-R002", "no such table").at(Label::file("m/2.sql")));
        check(
            &failed,
            4,
            "
stopped: 1 of 4 migrations applied, after 1.5 s
  stands      1 some name
  not kept    2 some name: rolled back, nothing of it stands
  not begun   2 more
next: mend m/2.sql, then run limosa migrate again
",
        );
        failed.steps[1] = step("2", "partial", 2, 3);
        check(
            &failed,
            2,
            "
stopped: 1 of 2 migrations applied, after 1.5 s
  stands      1 some name
  half done   2 some name: 2 of 3 statements stand
next: mend m/2.sql from the failed statement on, then limosa migrate goes on from there
",
        );
        failed.steps[1] = step("2", "rolled_back", 0, 3);
        failed.taken_back = vec![step("1", "done", 1, 1)];
        check(
            &failed,
            2,
            "
stopped: 0 of 2 migrations applied, after 1.5 s
  not kept    2 some name: rolled back, nothing of it stands
  taken back  1 some name
next: mend m/2.sql, then run limosa migrate again
",
        );
    }
}
