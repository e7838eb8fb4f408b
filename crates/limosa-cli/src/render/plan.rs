//! A plan, statement by statement.

use limosa::report::{ExecutedDryRun, PlanAnswer, PlannedStatement, PlannedStep};

use super::diagnostic_text;
use super::findings::count;
use super::style::{Tone, harmless};
use super::target;
use super::time::{limit, milliseconds};

/// The plan, and what an executed dry run did.
pub(crate) fn render(answer: &PlanAnswer) -> String {
    let mut text = String::new();
    let steps = count(answer.steps.len(), if answer.direction == "revert" { "step back" } else { "step" });
    let place = target::words(&answer.target);
    text.push_str(&match answer.steps.is_empty() {
        true => format!("nothing to do: {place}\n"),
        false => format!("{} for {place}\n", Tone::Strong.paint(&steps.replace("step backs", "steps back"))),
    });
    for step in &answer.steps {
        text.push('\n');
        text.push_str(&render_step(step));
    }
    if !answer.callbacks.is_empty() {
        text.push_str("\naround them\n");
        for callback in &answer.callbacks {
            let how = match (callback.command, callback.shares) {
                (true, _) => " (a program)",
                (_, true) => " (in the transaction of each migration that has one)",
                _ => "",
            };
            text.push_str(&format!("  {}: {}{how}\n", callback.event, harmless(&callback.file)));
            for precondition in &callback.preconditions {
                text.push_str(&format!("    only where {}\n", harmless(precondition)));
            }
        }
    }
    if !answer.not_applicable.is_empty() {
        text.push_str("\nnot applicable here\n");
        for skipped in &answer.not_applicable {
            let version = skipped.version.as_deref().unwrap_or("R");
            text.push_str(&format!(
                "  {} {}: {}\n",
                harmless(version),
                harmless(&skipped.name),
                harmless(&skipped.reason)
            ));
        }
    }
    if let Some(executed) = &answer.executed {
        text.push('\n');
        text.push_str(&render_executed(executed));
    } else if !answer.steps.is_empty() {
        text.push('\n');
        text.push_str(&format!("nothing was sent; plan digest {}\n", answer.digest));
        if answer.direction == "apply" {
            text.push_str(&format!("to run exactly this: limosa migrate --plan {}\n", short_digest(&answer.digest)));
        }
    }
    text
}

/// Enough of a digest to name a plan: the form that the library takes in the place of the whole.
fn short_digest(digest: &str) -> String {
    let (name, hash) = digest.split_once(':').unwrap_or(("", digest));
    let short: String = hash.chars().take(12).collect();
    if name.is_empty() { short } else { format!("{name}:{short}") }
}

fn render_step(step: &PlannedStep) -> String {
    let verb = match step.action {
        "apply" => "apply",
        "reapply" => "apply again",
        "resume" => "go on with",
        "revert" => "take back",
        _ => "go on taking back",
    };
    let title = format!("{verb} {} {}", harmless(&step.version), harmless(&step.name));
    let mut text = format!("{}  {}\n", Tone::Strong.paint(&title), Tone::Faint.paint(&harmless(&step.origin)));
    let mut facts = vec![match (step.atomic, step.joins_previous) {
        (true, true) => "in the transaction of the step before".to_owned(),
        (true, false) => "in one transaction".to_owned(),
        (false, _) => "not in one transaction: each part is journalled".to_owned(),
    }];
    facts.push(format!("lock time-out {}", limit(step.lock_timeout_ms)));
    facts.push(format!("statement time-out {}", limit(step.statement_timeout_ms)));
    if !step.action.contains("revert") {
        facts.push(if step.has_rollback { "has a way back" } else { "has no way back" }.to_owned());
        facts.extend(step.proof.as_ref().map(|proof| format!("is proven by {}", harmless(proof))));
    }
    text.push_str(&format!("  {}\n", facts.join(", ")));
    if let Some(because) = &step.because {
        text.push_str(&format!("  runs again: {}\n", harmless(because)));
    }
    for precondition in &step.preconditions {
        text.push_str(&format!("  only where {}\n", harmless(precondition)));
    }
    if !step.inherits.is_empty() {
        text.push_str(&format!("  with {} as the files before it set them\n", harmless(&step.inherits.join(", "))));
    }
    if step.begins_with_foreign_keys {
        text.push_str("  begins with PRAGMA foreign_keys = ON\n");
    }
    let mut transaction = None;
    for statement in &step.statements {
        let place = Some((statement.done, statement.transaction));
        if place != transaction {
            transaction = place;
            text.push_str(&format!("  {}\n", Tone::Faint.paint(&heading(statement))));
        }
        text.push_str(&format!(
            "    {:>3}  line {:<4} {}\n",
            statement.number,
            statement.line,
            harmless(&statement.excerpt)
        ));
        if let Some(why) = statement.left_out {
            text.push_str(&format!("                   {}\n", Tone::Faint.paint(why)));
        }
    }
    let listed = step.statements.len() as u64;
    if step.statements_total > listed {
        text.push_str(&format!("    and {} more\n", step.statements_total - listed));
    }
    if !step.losses.is_empty() {
        let losses = format!("destroys {}", harmless(&step.losses.join(", ")));
        text.push_str(&format!("  {}\n", Tone::Bad.paint(&losses)));
    }
    text
}

fn heading(statement: &PlannedStatement) -> String {
    match (statement.done, statement.transaction) {
        (true, _) => "done by an earlier run".to_owned(),
        (false, Some(number)) => format!("transaction {number}"),
        (false, None) => "outside of any transaction".to_owned(),
    }
}

fn render_executed(executed: &ExecutedDryRun) -> String {
    let nothing = executed.steps.is_empty();
    let mut text = String::from(if nothing { "nothing was executed\n" } else { "executed and rolled back\n" });
    for step in &executed.steps {
        let time = milliseconds(step.elapsed_ms);
        text.push_str(&format!("  {} {} ... {time}\n", harmless(&step.version), harmless(&step.name)));
        for notice in &step.notices {
            text.push_str(&format!("    {}: {}\n", harmless(&notice.severity), harmless(&notice.message)));
        }
    }
    for skipped in &executed.not_tried {
        let version = skipped.version.as_deref().unwrap_or("R");
        text.push_str(&format!(
            "  {} {} was not tried: {}\n",
            harmless(version),
            harmless(&skipped.name),
            harmless(&skipped.reason)
        ));
    }
    match &executed.error {
        Some(error) => {
            text.push('\n');
            text.push_str(&diagnostic_text::render(error));
            let stay = executed.steps.iter().any(|step| step.state == "rows_stay");
            text.push_str(if stay { "\n\nall else was rolled back\n" } else { "\n\nnothing was kept\n" });
        }
        None if nothing => {}
        None => text.push_str("all of it was rolled back: nothing was kept\n"),
    }
    text
}
