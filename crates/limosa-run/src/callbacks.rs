//! What runs around steps: scripts and commands, by event.
//!
//! Those of each step share its transaction where both can be in one ([`PlannedCallback::shares`]); [`crate::atomic`] sends
//! them. All others run here, each by itself, under the lease. They have no row in the ledger and no journal: one that fails
//! runs again with the next migrate, as one that ended well does.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use limosa_core::{CallbackEvent, Direction, GroupMode, PlannedCallback, PlannedWork, Step};
use limosa_db::{Item, Notice, Session, SettingsMark};
use limosa_sql::{Diagnostic, Engine, Label};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use crate::attempt::{Failure, fly, new_log};
use crate::conduct::{Run, interrupted};
use crate::entries::{
    audit, begin_guarded, farewell, fresh_settings, head, mysql, own_rights, reset, settle_constraints,
};
use crate::feed::{AROUND, Feed, GaveUp, Purpose, Stretch, lock};
use crate::reader::ScriptReader;
use crate::{Event, Outcome, shared_session};

/// Lines of a command that are shown.
const SHOWN_LINES: usize = 200;

/// Bytes of a line that are shown.
const SHOWN_BYTES: usize = 4096;

/// Runs all callbacks of an event that share no transaction with a step; stops at the first that fails.
pub(crate) async fn run(run: &Run<'_>, session: &mut dyn Session, event: CallbackEvent) -> Result<(), Outcome> {
    let of_event = |callback: &&PlannedCallback| callback.event == event;
    for callback in run.plan.callbacks.iter().filter(of_event).filter(|callback| !callback.shares(run.engine)) {
        one(run, session, callback).await?;
    }
    Ok(())
}

/// As [`run`], for the events of each step that runs in pieces: there nothing can share its transaction.
pub(crate) async fn run_apart(run: &Run<'_>, session: &mut dyn Session, event: CallbackEvent) -> Result<(), Outcome> {
    for callback in run.plan.callbacks.iter().filter(|callback| callback.event == event) {
        one(run, session, callback).await?;
    }
    Ok(())
}

/// The steps of those that share the transaction of a step.
pub(crate) fn sharing<'p>(run: &'p Run<'_>, event: CallbackEvent) -> impl Iterator<Item = &'p Step> {
    run.plan
        .callbacks
        .iter()
        .filter(move |callback| callback.event == event && callback.shares(run.engine))
        .filter_map(PlannedCallback::step)
}

async fn one(run: &Run<'_>, session: &mut dyn Session, callback: &PlannedCallback) -> Result<(), Outcome> {
    if run.context.stop.is_asked() {
        return Err(Outcome::Stopped(Box::new(interrupted())));
    }
    run.context.events.event(Event::Callback { event: callback.event, file: callback.file().to_owned() });
    match &callback.work {
        PlannedWork::Command(file) => command(run, callback.event, file).await,
        PlannedWork::Code(step) => crate::code::hook(run, session, step).await,
        PlannedWork::Sql(step) => {
            let mut mark = None;
            let done = match crate::guard::before_callback(run, session, step).await {
                // One that only asks has nothing to run.
                Ok(true) if step.guard.is_some() && step.outline.statements == 0 => Ok(()),
                Ok(true) => sql(run, session, step, &mut mark).await,
                Ok(false) => Ok(()),
                Err(failure) => Err(failure),
            };
            run.end_progress();
            let Err(failure) = done else { return Ok(()) };
            let block = std::slice::from_ref(step.as_ref());
            if crate::forgiven::told(run, session, block, AROUND, &failure).await.is_some() {
                restore(run, session, mark).await;
                return Ok(());
            }
            let _ = session.settle().await;
            restore(run, session, mark).await;
            let mut outcome = run.explain(&failure, std::slice::from_ref(step), AROUND).0;
            if !step.outline.is_atomic() {
                outcome = helped(
                    outcome,
                    "it has statements that no transaction takes: those before the failed one may stand",
                );
            }
            run.record_failure(session, step, &outcome, 0).await;
            Err(outcome)
        }
    }
}

/// `mark` is what the session comes back to behind it, once it is known.
async fn sql(
    run: &Run<'_>,
    session: &mut dyn Session,
    step: &Step,
    mark: &mut Option<SettingsMark>,
) -> Result<(), Failure> {
    let server = |error| Failure::server(Purpose::Settings, error);
    if run.engine != Engine::Postgres && step.outline.may_set() {
        *mark = Some(session.remember_settings().await.map_err(server)?);
    }
    let mut reader = ScriptReader::open(step, run.dialect, run.context.files)
        .map_err(|problem| Failure::GaveUp(GaveUp::Problem(problem)))?;
    if step.outline.is_atomic() {
        transaction(run, session, step, &mut reader).await?;
    } else {
        pieces(run, session, step, &mut reader).await?;
    }
    match (step.hands_on, mark.take()) {
        (false, mark) => restore(run, session, mark).await,
        // A broken connection shows at the next statement.
        (true, Some(mark)) => {
            let _ = shared_session::hand_on(session, mark, run.engine, std::slice::from_ref(step)).await;
        }
        (true, None) => {}
    }
    Ok(())
}

async fn restore(run: &Run<'_>, session: &mut dyn Session, mark: Option<SettingsMark>) {
    // A broken connection shows at the next statement.
    let _ = match (run.engine, mark) {
        (Engine::Postgres, _) if !run.context.pooled => {
            session.send(vec![Item::Control(reset(run.context))]).await.map(|_| ())
        }
        (_, Some(mark)) => session.restore_settings(mark).await,
        _ => Ok(()),
    };
}

/// A script that can be one transaction, with its row in the audit log.
async fn transaction(
    run: &Run<'_>,
    session: &mut dyn Session,
    step: &Step,
    reader: &mut ScriptReader,
) -> Result<(), Failure> {
    let marks = run.marks(Duration::ZERO);
    let log = new_log();
    run.begin_progress(step, 1);
    let (context, engine) = (run.context, run.engine);
    let closing_marks = marks.clone();
    let mut feed = Feed::new(context, engine, log.clone());
    feed.first([begin_guarded(context, engine, std::iter::once(step))]);
    feed.stretch(Stretch {
        head: head(context, engine, step, &marks, true),
        closing: Box::new(move |_| {
            let mut items: Vec<_> = settle_constraints(engine).into_iter().collect();
            items.extend(own_rights(context, engine, step));
            items.extend(audit(context, step, &closing_marks, "done", serde_json::json!({"callback": true})));
            if engine == Engine::Mysql && step.hands_on {
                items.extend(mysql::after_ledger(step));
            }
            items.extend(farewell(context, engine, step));
            items
        }),
        step_number: AROUND,
        is_around: true,
        ..Stretch::whole(step, reader)
    });
    feed.last([(Item::Commit, Purpose::Commit)]);
    let flown = fly(session, context, feed, &log, &run.progress, std::slice::from_ref(step), AROUND).await;
    run.keep_head(lock(&log).head.take());
    flown
}

/// A script with statements that cannot be in a transaction: group by group, as it stands.
async fn pieces(
    run: &Run<'_>,
    session: &mut dyn Session,
    step: &Step,
    reader: &mut ScriptReader,
) -> Result<(), Failure> {
    let (context, engine) = (run.context, run.engine);
    if let Some(settings) = fresh_settings(context, engine, step) {
        session.send(vec![settings]).await.map_err(|error| Failure::server(Purpose::Settings, error))?;
    }
    let last = step.outline.statements;
    for group in &step.outline.groups {
        let log = new_log();
        run.begin_progress(step, group.first);
        let mut feed = Feed::new(context, engine, log.clone());
        let ours = group.mode == GroupMode::Transaction;
        if ours {
            feed.first([begin_guarded(context, engine, std::iter::once(step))]);
        }
        feed.stretch(Stretch {
            from: group.first,
            to: group.last,
            own: group.mode == GroupMode::Own,
            last: group.last == last,
            step_number: AROUND,
            is_around: true,
            ..Stretch::whole(step, &mut *reader)
        });
        if ours {
            feed.last([(Item::Commit, Purpose::Commit)]);
        }
        fly(session, context, feed, &log, &run.progress, std::slice::from_ref(step), AROUND).await?;
    }
    Ok(())
}

/// Runs a program. It inherits our environment, and gets the placeholders as `FP__name__`, as Flyway hands them on, or with other marks
/// where its settings say so.
async fn command(run: &Run<'_>, event: CallbackEvent, file: &str) -> Result<(), Outcome> {
    let stopped = |problem: Diagnostic| Outcome::Stopped(Box::new(problem.at(Label::file(file))));
    let values = run.context.values.all.iter();
    let marks = run.context.values.command_marks.as_ref();
    let [before, behind] = marks.map_or(["FP__", "__"], |marks| marks.each_ref().map(String::as_str));
    let variables =
        values.map(|(name, value)| (format!("{before}{}{behind}", name.replace([':', '.', '-'], "_")), value));
    let mut child = program(file)
        .envs(variables)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            let problem = Diagnostic::error("LIM-R014", format!("{file} could not be run: {error}"));
            stopped(problem.help("give it the right to be executed, or install the program that its ending asks for"))
        })?;
    let told = async {
        let (out, errors) = (child.stdout.take(), child.stderr.take());
        tokio::join!(tell(run, event, out), tell(run, event, errors));
        child.wait().await
    };
    let ended = tokio::select! {
        ended = told => ended,
        () = run.context.stop.asked() => return Err(Outcome::Stopped(Box::new(interrupted()))),
    };
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(stopped(Diagnostic::error("LIM-R014", format!("{file} failed: {status}")))),
        Err(error) => Err(stopped(Diagnostic::error("LIM-R014", format!("{file} was lost: {error}")))),
    }
}

/// What runs a file with this ending; files without a known one are run themselves.
fn program(file: &str) -> Command {
    let path = Path::new(file);
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let (program, arguments): (&str, &[&str]) = match ending.as_str() {
        "sh" => ("sh", &[]),
        "bash" => ("bash", &[]),
        "py" => ("python3", &[]),
        "ps1" => ("pwsh", &["-NoProfile", "-File"]),
        // Found by its path, never in PATH.
        _ => return Command::new(std::path::absolute(path).unwrap_or_else(|_| path.to_owned())),
    };
    let mut command = Command::new(program);
    command.args(arguments).arg(path);
    command
}

/// Tells the lines of a command as they come; more than a page is counted only.
async fn tell(run: &Run<'_>, event: CallbackEvent, from: Option<impl AsyncRead + Unpin>) {
    let Some(from) = from else { return };
    let mut lines = BufReader::new(from);
    let mut count = 0;
    // To its end, whatever it holds: a program whose output nobody takes any more fails.
    while let Some(line) = next_line(&mut lines).await {
        count += 1;
        if count <= SHOWN_LINES {
            say(run, event, String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned());
        }
    }
    if count > SHOWN_LINES {
        say(run, event, format!("and {} more lines", count - SHOWN_LINES));
    }
}

/// The next line, as much of it as is shown; None at the end.
async fn next_line(from: &mut (impl AsyncBufRead + Unpin)) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    let mut begun = false;
    loop {
        let bytes = from.fill_buf().await.ok()?;
        if bytes.is_empty() {
            return begun.then_some(line);
        }
        begun = true;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        line.extend_from_slice(&part[..part.len().min(SHOWN_BYTES - line.len())]);
        let taken = end.map_or(bytes.len(), |end| end + 1);
        from.consume(taken);
        if end.is_some() {
            return Some(line);
        }
    }
}

fn say(run: &Run<'_>, event: CallbackEvent, message: String) {
    let notice = Notice { severity: "NOTICE".to_owned(), message, detail: None, hint: None, code: None };
    let notice = run.context.values.hide_in_notice(notice);
    run.context.events.event(Event::Notice { label: event.name().into(), notice });
}

/// Says of a callback that failed that it will not be run again for what stands.
pub(crate) fn owed(outcome: Outcome) -> Outcome {
    helped(outcome, "it runs again behind other migrations only: what it was to do here is to be done by hand")
}

/// Says what stands where a callback failed: of a migrate, or of a rollback.
pub(crate) fn with_help(outcome: Outcome, event: CallbackEvent, applied: &str, taken_back: &str) -> Outcome {
    let stands = match event.direction() {
        Direction::Apply => applied,
        Direction::Revert => taken_back,
    };
    helped(outcome, &format!("it ran as {event}: {stands}"))
}

pub(crate) fn helped(outcome: Outcome, help: &str) -> Outcome {
    let Outcome::Stopped(mut problem) = outcome else { return outcome };
    problem.help = Some(match problem.help.take() {
        Some(before) => format!("{before}\n{help}"),
        None => help.to_owned(),
    });
    Outcome::Stopped(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_end_somewhere() {
        let long = "x".repeat(3 * SHOWN_BYTES);
        let text = format!("one\n\n{long}\nlast");
        let mut from = BufReader::with_capacity(100, text.as_bytes());
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut from).await {
            lines.push(String::from_utf8(line).expect("text"));
        }
        assert_eq!(lines, ["one", "", &long[..SHOWN_BYTES], "last"]);
    }
}
