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
    let passed: Vec<&StepLine> = answer.steps.iter().filter(|step| step.passed_by().is_some()).collect();
    let number = answer.steps.len() - passed.len();
    let line = format!("done: {} in {}", amount(answer.command, number, 0), milliseconds(answer.elapsed_ms));
    let mut text = Tone::Good.paint(&line) + "\n";
    for step in passed {
        let (what, words) = step.passed_by().unwrap_or_default();
        text.push_str(&format!("  {what:<11} {}: {words}\n", harmless(&step.title())));
    }
    text
}

fn stopped(answer: &RunAnswer, planned: usize) -> String {
    let word = if answer.outcome == "needs_person" { "a person is needed" } else { "stopped" };
    let amount = amount(answer.command, answer.standing().count(), planned);
    let line = format!("{word}: {amount}, after {}", milliseconds(answer.elapsed_ms));
    let mut text = Tone::Bad.paint(&line) + "\n";
    for (what, words) in answer.fates() {
        text.push_str(&format!("  {what:<11} {}\n", harmless(&words)));
    }
    let begun = answer.steps.len();
    if planned > begun {
        text.push_str(&format!("  {:<11} {} more\n", "not begun", planned - begun));
    }
    // After a reset the database is empty already: what is left to do is to migrate.
    let again = format!("limosa {}", if answer.command == "reset" { "migrate" } else { answer.command });
    if let Some(next) = answer.next(&again) {
        text.push_str(&format!("next: {}\n", harmless(&next)));
    }
    text
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
