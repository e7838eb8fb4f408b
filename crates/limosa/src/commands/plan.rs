//! `plan`: what would be done, statement by statement. Sends none of the user's SQL, unless an executed dry run is asked for.

use std::io::Read as _;

use limosa_core::{Action, GroupMode, LedgerView, Plan, Step, Work};
use limosa_run::{Files, Masked, Stop, rehearse};
use limosa_sql::{Diagnostic, Engine, PieceKind, Splitter};

use super::{adopt, migrate, rollback};
use crate::event::{Listener, Progress, Told};
use crate::files::Loaded;
use crate::opened::{Opened, Purpose};
use crate::reading::read_and_open;
use crate::report::{
    CallbackLine, ExecutedDryRun, PlanAnswer, PlannedStatement, PlannedStep, SCHEMA_VERSION, SkippedLine, StepLine,
};
use crate::telling::told;
use crate::{Exit, Failure, MigrateOptions, Migrator, RollbackOptions, by_hand, enum_values, login_settings};

/// Statements of one step that an answer lists.
const LISTED: u64 = 1000;

impl Migrator {
    /// What `migrate` would do. Writes nothing.
    ///
    /// # Errors
    /// As `migrate` would refuse.
    pub async fn plan(&self, options: &MigrateOptions) -> Result<PlanAnswer, Failure> {
        let (loaded, mut opened) =
            read_and_open(&self.configuration, Purpose::Read, Loaded::refuse_errors_where_none_runs).await?;
        let answer = match planned(&mut opened, &loaded, options).await {
            Ok((plan, _)) if plan.is_empty() => answer(&opened, &plan, &loaded),
            Ok((plan, _)) => match opened.refuse_without_told_schema().await {
                Ok(()) => answer(&opened, &plan, &loaded),
                Err(failure) => Err(failure),
            },
            Err(failure) => Err(failure),
        };
        opened.close().await;
        answer
    }

    /// What `rollback` would do. Writes nothing.
    ///
    /// # Errors
    /// As `rollback` would refuse, but for consent.
    pub async fn plan_rollback(&self, options: &RollbackOptions) -> Result<PlanAnswer, Failure> {
        let (loaded, mut opened) = read_and_open(&self.configuration, Purpose::Read, |_| Ok(())).await?;
        let consented = RollbackOptions { consent: Some(opened.target.database.clone()), ..options.clone() };
        let answer = match planned_back(&mut opened, &loaded, &consented).await {
            Ok((plan, _)) => answer(&opened, &plan, &loaded),
            Err(failure) => Err(failure),
        };
        opened.close().await;
        answer
    }

    /// The plan of `migrate` as an SQL script that does the same by hand, ledger rows included.
    ///
    /// # Errors
    /// As `migrate` would refuse.
    pub async fn plan_script(&self, options: &MigrateOptions) -> Result<String, Failure> {
        let (loaded, mut opened) =
            read_and_open(&self.configuration, Purpose::Read, Loaded::refuse_errors_where_none_runs).await?;
        let script = scripted(&mut opened, &loaded, options).await;
        opened.close().await;
        script
    }

    /// Runs what `migrate` would run, in one transaction, and rolls it back.
    ///
    /// # Errors
    /// Where the environment is protected, consent is missing, or nothing could be begun.
    pub async fn dry_run(
        &self,
        options: &MigrateOptions,
        consent: Option<&str>,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<PlanAnswer, Failure> {
        told(&self.configuration, "dry_run", listener, self.rehearse(options, consent, listener, stop)).await
    }

    async fn rehearse(
        &self,
        options: &MigrateOptions,
        consent: Option<&str>,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<PlanAnswer, Failure> {
        self.configuration.refuse_protected("an executed dry run")?;
        let (loaded, mut opened) =
            read_and_open(&self.configuration, Purpose::Rehearse, Loaded::refuse_errors_where_none_runs).await?;
        let result = executed(&mut opened, &loaded, options, consent, listener, stop).await;
        opened.close().await;
        result
    }
}

async fn planned(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    options: &MigrateOptions,
) -> Result<(Plan, LedgerView), Failure> {
    let view = opened.look().await?;
    loaded.refuse_errors_of_pending(&view)?;
    let around = opened.surroundings(loaded.needs_extensions(&view)).await?;
    let plan = migrate::decide(opened, loaded, &view, options, &around).await?;
    Ok((plan, view))
}

async fn scripted(opened: &mut Opened<'_>, loaded: &Loaded, options: &MigrateOptions) -> Result<String, Failure> {
    let (plan, view) = planned(opened, loaded, options).await?;
    adopt::prepare(opened, loaded, &view, &plan)?;
    let schemas = opened.creating_schemas().await?;
    let given = login_settings::of(opened).await?;
    by_hand::script(opened, &plan, &view, &schemas, &given)
}

async fn planned_back(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    options: &RollbackOptions,
) -> Result<(Plan, LedgerView), Failure> {
    let view = opened.look().await?;
    let plan = rollback::decide(opened, loaded, &view, options, loaded.shared_session()).await?;
    Ok((plan, view))
}

async fn executed(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    options: &MigrateOptions,
    consent: Option<&str>,
    listener: &dyn Listener,
    stop: Stop,
) -> Result<PlanAnswer, Failure> {
    let database = opened.target.database.clone();
    opened.configuration.refuse_without_consent("an executed dry run", "--allow-execute", &database, consent)?;
    let (plan, _) = planned(opened, loaded, options).await?;
    listener.progress(Progress::Target(opened.target.clone()));
    let mut answer = answer(opened, &plan, loaded)?;
    let events = Told(listener);
    let values = enum_values::of(opened, &plan)?;
    let ahead = match opened.target.engine {
        Engine::Postgres => opened.creating_schemas().await?,
        // Elsewhere nothing takes them back.
        _ => Vec::new(),
    };
    let (session, context) = opened.run_parts(&events, stop);
    if !plan.callbacks.is_empty() {
        let message = "callbacks are not part of an executed dry run";
        let names: Vec<&str> = plan.callbacks.iter().map(limosa_core::PlannedCallback::file).collect();
        answer.notices.push(Diagnostic::warning("LIM-U007", message).help(format!("not run: {}", names.join(", "))));
    }
    let rehearsed = rehearse(session.as_mut(), &context, &plan, &values, &ahead).await;
    if rehearsed.error.is_some() {
        answer.exit_code = Exit::Database.into();
    }
    answer.executed = Some(ExecutedDryRun {
        steps: rehearsed.steps.into_iter().map(StepLine::from).collect(),
        not_tried: rehearsed
            .not_tried
            .into_iter()
            .map(|(step, reason)| SkippedLine {
                version: step.version().cloned(),
                identity: step.identity,
                name: step.name,
                reason,
            })
            .collect(),
        error: rehearsed.error.map(|error| *error),
    });
    Ok(answer)
}

fn answer(opened: &Opened<'_>, plan: &Plan, loaded: &Loaded) -> Result<PlanAnswer, Failure> {
    let mut transaction = 0;
    let mut steps = Vec::new();
    for step in &plan.steps {
        steps.push(planned_step(opened, step, &mut transaction)?);
    }
    Ok(PlanAnswer {
        schema_version: SCHEMA_VERSION,
        command: "plan",
        exit_code: Exit::Done.into(),
        target: opened.target.clone(),
        direction: plan.direction.as_str(),
        digest: plan.digest().to_string(),
        steps,
        not_applicable: plan
            .skipped
            .iter()
            .map(|skipped| SkippedLine {
                identity: skipped.identity.clone(),
                version: skipped.version.clone(),
                name: skipped.name.clone(),
                reason: skipped.reason.clone(),
            })
            .collect(),
        callbacks: plan
            .callbacks
            .iter()
            .map(|callback| CallbackLine {
                event: callback.event.to_string(),
                file: callback.file().to_owned(),
                command: callback.step().is_none(),
                shares: callback.shares(plan.engine),
                preconditions: callback.step().map(preconditions).unwrap_or_default(),
            })
            .collect(),
        notices: opened.notices().iter().chain(&plan.notices).chain(&loaded.told_where_none_runs()).cloned().collect(),
        executed: None,
    })
}

fn planned_step(opened: &Opened<'_>, step: &Step, transaction: &mut u64) -> Result<PlannedStep, Failure> {
    let (origin, start_line) = (step.work.origin().clone(), step.work.position().line);
    let mut statements = Vec::new();
    let left_out = &step.outline.left_out;
    each_statement(opened, step, LISTED, &mut |listed| {
        let Listed::Statement { number, line, verb, text } = listed else { return };
        let done = number <= step.action.done();
        let group = step.outline.place_of(number);
        let begins = group.is_some_and(|(_, first, _)| first) && !(number == 1 && step.joins_previous);
        let inside = group.is_some_and(|(group, _, _)| group.mode != GroupMode::Alone);
        if inside && begins && !done {
            *transaction += 1;
        }
        statements.push(PlannedStatement {
            number,
            line: start_line + line - 1,
            verb: verb.to_owned(),
            excerpt: excerpt(text),
            transaction: (inside && !done).then_some(*transaction),
            done,
            left_out: left_out.iter().find(|left| left.statement == number).map(|left| left.why.words()),
        });
    })?;
    Ok(PlannedStep {
        identity: step.identity.clone(),
        version: step.label.clone(),
        name: step.name.clone(),
        action: match step.action {
            Action::Apply => "apply",
            Action::Reapply => "reapply",
            Action::Resume { .. } => "resume",
            Action::Revert => "revert",
            Action::ResumeRevert { .. } => "resume_revert",
        },
        origin,
        atomic: step.outline.is_atomic() && step.action.done() == 0,
        joins_previous: step.joins_previous,
        lock_timeout_ms: step.limits.lock_timeout_ms,
        statement_timeout_ms: step.limits.statement_timeout_ms,
        has_rollback: step.undo.is_some(),
        proof: step.proof.as_ref().map(|proof| proof.work.origin().to_string()),
        preconditions: preconditions(step),
        inherits: step.inherits.iter().flat_map(|inherited| inherited.settings.clone()).collect(),
        begins_with_foreign_keys: !step.outline.foreign_keys.are_ignored(),
        because: step.because.as_deref().map(str::to_owned),
        losses: step.losses.iter().map(|loss| format!("{} {}", loss.kind, loss.object)).collect(),
        statements_total: step.outline.statements,
        statements,
    })
}

/// The first words of a statement, on one line.
fn excerpt(text: &str) -> String {
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() > 100 {
        words = words.chars().take(97).collect::<String>() + "...";
    }
    words
}

/// A part of a step's script.
pub(crate) enum Listed<'p> {
    /// A statement: its number, its line within the script, its verb, its text.
    Statement { number: u64, line: u64, verb: &'p str, text: &'p str },
    /// Whole lines of the data of COPY statement `number`.
    CopyData { number: u64, data: &'p [u8] },
    /// The end of that data.
    CopyEnd { number: u64 },
}

/// What must hold right before a step, in words.
pub(crate) fn preconditions(step: &Step) -> Vec<String> {
    let Some(guard) = &step.guard else { return Vec::new() };
    let words = |check: &limosa_core::Check| {
        format!("{}, {} (line {})", check.question.words(), guard.on_no.words(), check.position.line)
    };
    guard.checks.iter().map(words).collect()
}

/// Reads the statements of a step, and the data between them.
pub(crate) fn each_statement(
    opened: &Opened<'_>,
    step: &Step,
    at_most: u64,
    visit: &mut dyn FnMut(Listed<'_>),
) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::usage("LIM-F900", format!("the script cannot be read: {error}"), "look at the file")
    };
    let (mut input, mut left): (Box<dyn std::io::Read + Send>, u64) = match &step.work {
        Work::File(script) => {
            let mut input = opened.scripts().open(&script.file).map_err(unreadable)?;
            std::io::copy(&mut input.by_ref().take(script.span.start), &mut std::io::sink()).map_err(unreadable)?;
            let input = match script.outline.markers {
                Some(markers) => Box::new(Masked::new(input, markers)),
                None => input,
            };
            (input, script.span.end - script.span.start)
        }
        Work::Text(text) => {
            let text = &text.text;
            (Box::new(std::io::Cursor::new(text.clone().into_bytes())), text.len() as u64)
        }
        Work::Code(_) => return Ok(()),
    };
    let delimiter = step.outline.end_delimiter.as_deref().filter(|_| matches!(step.work, Work::File(_)));
    let mut splitter =
        Splitter::new(opened.dialect().with_marks(step.outline.marks()), &step.label).with_delimiter(delimiter);
    let mut buffer = vec![0; 64 * 1024];
    let (mut number, mut ended) = (0, false);
    while number < at_most {
        match splitter.next_piece().map_err(|problem| Failure::new(Exit::Usage, *problem))? {
            Some(piece) => match &piece.kind {
                PieceKind::Statement(class) => {
                    number += 1;
                    let (line, text) = (piece.position.line, piece.statement());
                    visit(Listed::Statement { number, line, verb: &class.verb, text });
                }
                PieceKind::CopyData => visit(Listed::CopyData { number, data: &piece.text }),
                PieceKind::CopyEnd => visit(Listed::CopyEnd { number }),
                PieceKind::Meta | PieceKind::Blank => {}
            },
            None if ended => break,
            None => {
                let read = input.read(&mut buffer).map_err(unreadable)?;
                let wanted = left.min(read as u64);
                left -= wanted;
                splitter.feed(&buffer[..usize::try_from(wanted).unwrap_or(0)]);
                if read == 0 || left == 0 {
                    splitter.finish();
                    ended = true;
                }
            }
        }
    }
    Ok(())
}
