//! `migrate`: runs what is pending.

use std::time::Instant;

use limosa_core::{
    Action, AuditHead, Change, Identity, LedgerView, MigrateAsk, Plan, Skipped, Surroundings, Version, decide_migrate,
};
use limosa_run::{
    Acquired, Outcome, RunReport, SharedTransactions, StepReport, StepState, Stop, acquire, conduct, release,
};
use limosa_sql::Diagnostic;

use super::{adopt, held, rollback};
use crate::backup::{Before, Subject};
use crate::event::{Listener, Progress, Told};
use crate::files::Loaded;
use crate::missing_ledger::missing_ledger;
use crate::opened::{Opened, Purpose};
use crate::project_of_files::refuse_applied_by_default;
use crate::reading::{Pending, read_again, read_pending_and_open};
use crate::report::{RunAnswer, SCHEMA_VERSION, StepLine, outcome_words};
use crate::telling::told;
use crate::{Exit, Failure, Migrator, backup, enum_values, interrupted_scripts};

/// What a migrate is asked to do.
#[derive(Debug, Clone, Default)]
pub struct MigrateOptions {
    /// Up to this version and no further.
    pub to: Option<Version>,
    /// At most so many steps.
    pub steps: Option<usize>,
    /// Take back what this run did when it fails.
    pub auto_rollback: bool,
    /// Make a backup first.
    pub backup: bool,
    /// The digest of a plan that was looked at before; another plan is refused.
    pub expected_plan: Option<String>,
}

impl Migrator {
    /// Runs what is pending.
    ///
    /// # Errors
    /// Where nothing could be begun. A run that was begun gives an answer, whatever its end.
    pub async fn migrate(
        &self,
        options: &MigrateOptions,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<RunAnswer, Failure> {
        told(&self.configuration, "migrate", listener, self.run_pending(options, listener, stop)).await
    }

    pub(crate) async fn run_pending(
        &self,
        options: &MigrateOptions,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<RunAnswer, Failure> {
        let began = Instant::now();
        // Whoever names a version or a plan wants to be told where there is no such one.
        let may_be_nothing = options.to.is_none() && options.expected_plan.is_none();
        let check = Loaded::refuse_errors;
        let (pending, mut opened) =
            read_pending_and_open(&self.configuration, Purpose::Write, may_be_nothing, check).await?;
        let answer = match pending {
            Pending::Nothing(head) => Ok(nothing(&opened, "migrate", Vec::new(), head, began)),
            Pending::Something(loaded) => run_something(&mut opened, *loaded, options, listener, stop, began).await,
        };
        opened.close().await;
        answer
    }
}

/// What this migrate would do, given the ledger as it is.
pub(crate) async fn decide(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    view: &LedgerView,
    options: &MigrateOptions,
    around: &Surroundings,
) -> Result<Plan, Failure> {
    adopt::refuse_disagreement(opened, loaded, view).await?;
    adopt::refuse_turned_up_as_others(opened, loaded, view)?;
    planned(opened, loaded, view, options, around).await
}

/// The same, whatever a ledger says that is kept beside limosa's.
async fn planned(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    view: &LedgerView,
    options: &MigrateOptions,
    around: &Surroundings,
) -> Result<Plan, Failure> {
    refuse_applied_by_default(opened, &loaded.changes, view).await?;
    let mut ask = MigrateAsk {
        to: options.to.as_ref().map(|to| loaded.version(to, &view.rows)).transpose()?,
        steps: options.steps,
        first_parts: interrupted_scripts::first_parts(opened, &loaded.changes, view)?,
        callbacks: loaded.callbacks.clone(),
        history_elsewhere: opened.history_elsewhere(view).await?,
        missing_ledger: missing_ledger(opened, loaded).await?,
        set_before: interrupted_scripts::set_before(opened, loaded, view)?,
        shared_session: loaded.shared_session(),
        ignores_pragmas: loaded.ignores_pragmas(),
        ..MigrateAsk::default()
    };
    let policy = opened.policy();
    let mut plan = enum_values::decide_knowing(opened, |values| {
        ask.enum_values = values;
        decide_migrate(&loaded.changes, view, &ask, &policy, around).map_err(Failure::refused)
    })?;
    plan.notices.extend(adopt::told_of_late(opened, loaded, &plan));
    Ok(plan)
}

/// Runs what is pending, which nothing is that another tool had applied before the database was taken over.
async fn run_something(
    opened: &mut Opened<'_>,
    loaded: Loaded,
    options: &MigrateOptions,
    listener: &dyn Listener,
    stop: Stop,
    began: Instant,
) -> Result<RunAnswer, Failure> {
    let view = opened.look().await?;
    let counting = Box::pin(adopt::count_turned_up(opened, &loaded, view, listener, &stop));
    let (view, told) = counting.await?;
    match run(opened, loaded, view, options, listener, stop, began).await {
        Ok(mut answer) => {
            answer.notices.extend(told.into_iter().chain(opened.told_of_others()));
            Ok(answer)
        }
        Err(mut failure) => {
            failure.diagnostics.extend(told.into_iter().chain(opened.told_of_others()));
            Err(failure)
        }
    }
}

async fn run(
    opened: &mut Opened<'_>,
    loaded: Loaded,
    view: LedgerView,
    options: &MigrateOptions,
    listener: &dyn Listener,
    stop: Stop,
    began: Instant,
) -> Result<RunAnswer, Failure> {
    let mut loaded = loaded;
    let around = opened.surroundings(loaded.needs_extensions(&view)).await?;
    let waits_for_another = adopt::refuse_disagreement_at_rest(opened, &loaded, &view).await?;
    let plan = planned(opened, &loaded, &view, options, &around).await?;
    expected(&plan, options)?;
    let must_run = waits_for_another || !plan.callbacks.is_empty();
    if plan.is_empty() && !must_run {
        record_late(opened, &loaded, &plan, &view, listener).await;
        return Ok(nothing_to_do(opened, &plan, &loaded, &view, began));
    }
    listener.progress(Progress::Target(opened.target.clone()));
    if options.auto_rollback {
        announce_auto_rollback(opened, &plan, listener)?;
    }
    let saved = match options.backup {
        true => Some(backup::make(&Subject::of(opened), listener, &stop, Before::Run).await?),
        false => None,
    };

    let events = Told(listener);
    // Nothing was run since: what was pending is. To ask each change once more takes as much memory as the plan.
    let is_as_seen = |now: &LedgerView| !plan.is_empty() && (&now.rows, &now.journal) == (&view.rows, &view.journal);
    let wanted_of = |now: &LedgerView| must_run || is_as_seen(now) || still_pending(&loaded.changes, now, &around);
    let (epoch, fresh) = match held::take_while(opened, &events, stop.clone(), &view, &wanted_of).await? {
        Acquired::Held(held) => (held.epoch, held.view),
        Acquired::NothingLeft(view) => {
            let plan = decide(opened, &loaded, &view, options, &around).await?;
            return Ok(nothing_to_do(opened, &plan, &loaded, &view, began));
        }
    };
    // The world may have moved while we waited: what counts is the ledger under the lock.
    let decided = if saved.is_none() && !must_run && fresh.stands_as(&view) && loaded.fits(&fresh) {
        Ok(plan)
    } else {
        // Only one of them takes memory.
        drop(plan);
        match read_again(opened, &mut loaded, &fresh) {
            Ok(()) => decide(opened, &loaded, &fresh, options, &around).await,
            Err(failure) => Err(failure),
        }
    };
    let decided = decided.and_then(|plan| expected(&plan, options).map(|()| plan));
    let decided = match decided {
        Ok(plan) => match adopt::prepare(opened, &loaded, &fresh, &plan) {
            Ok(()) => opened.create_schemas().await.map(|()| plan),
            Err(failure) => Err(failure),
        },
        Err(failure) => Err(failure),
    };
    let result = match decided {
        Ok(plan) => {
            // All that is run stands in the plan.
            if !options.auto_rollback {
                loaded.changes = Vec::new();
            }
            let report = {
                // Nobody uses what is not there yet.
                let is_new = opened.contents.is_some_and(|contents| !contents.anything) && fresh.rows.is_empty();
                let shares_transactions = is_new && opened.configuration.share_transactions;
                let (session, mut context) = opened.run_parts(&events, stop.clone());
                context.keeps_beginnings = options.auto_rollback;
                if shares_transactions {
                    context.shared_transactions = SharedTransactions::New;
                }
                conduct(session.as_mut(), &context, &plan, epoch).await
            };
            let taken_back = match (&report.outcome, options.auto_rollback) {
                (Outcome::Done, _) | (_, false) => None,
                _ if half_done(&report).is_some() => None,
                _ => Some(
                    rollback::take_back(opened, &loaded, &done_steps(&report), &report.began_with, epoch, &events)
                        .await,
                ),
            };
            Ok((plan, report, taken_back))
        }
        Err(failure) => Err(failure),
    };
    held::give_back(opened, epoch).await;
    let (plan, report, taken_back) = result?;
    let staying = if options.auto_rollback { what_stays(&plan, &report) } else { Vec::new() };
    let mut answer = answer(opened, "migrate", plan, report, began);
    if answer.outcome == "done" && answer.steps.is_empty() {
        answer.outcome = "nothing_to_do";
    }
    answer.notices.extend(staying);
    answer.notices.extend(loaded.diagnostics.iter().cloned());
    answer.backup = saved;
    match taken_back {
        Some(Ok(back)) => {
            answer.taken_back = back.steps.into_iter().map(StepLine::from).collect();
            answer.audit_head = back.head.or(answer.audit_head);
            if let Outcome::Stopped(problem) | Outcome::NeedsPerson(problem) = back.outcome {
                answer.notices.push(*problem);
            }
        }
        Some(Err(failure)) => answer.notices.extend(failure.diagnostics),
        None => {}
    }
    crate::anchor::append(opened.configuration, answer.audit_head.as_ref(), &mut answer.notices);
    Ok(answer)
}

/// What this run brought, newest first. A repeatable that stood before, and a change that an earlier run began, are not its
/// own to take away.
fn done_steps(report: &RunReport) -> Vec<Identity> {
    report
        .steps
        .iter()
        .rev()
        .filter(|step| step.state == StepState::Done)
        .take_while(|step| step.action == Action::Apply)
        .map(|step| step.identity.clone())
        .collect()
}

/// The step that stopped between two commits. What was done before it is what it stands on.
fn half_done(report: &RunReport) -> Option<&StepReport> {
    report.steps.iter().find(|step| step.state == StepState::Partial)
}

/// After a failure with `--auto-rollback`: what this run did and does not take back, and why.
fn what_stays(plan: &Plan, report: &RunReport) -> Vec<Diagnostic> {
    if matches!(report.outcome, Outcome::Done) {
        return Vec::new();
    }
    if let Some(step) = half_done(report) {
        let stopped = match step.statements_done {
            0 => "stopped in its first statement, which may have left something".to_owned(),
            done => format!("stopped after {done} of {} statements, which are committed", step.statements_total),
        };
        let message = format!("nothing is taken back: {} {} {stopped}", step.label, step.name);
        let help = "mend it and run again, or take back by hand what this run did: limosa rollback";
        return vec![Diagnostic::warning("LIM-U005", message).help(help)];
    }
    let done: Vec<_> = report.steps.iter().filter(|step| step.state == StepState::Done).collect();
    let has_way_back = |step: &StepReport| {
        step.action == Action::Apply
            && plan.steps.iter().any(|planned| planned.identity == step.identity && planned.undo.is_some())
    };
    let Some(last) = done.iter().rposition(|step| !has_way_back(step)) else { return Vec::new() };
    let kept: Vec<String> = done[..=last].iter().map(|step| format!("{} {}", step.label, step.name)).collect();
    let message = format!(
        "{} {} stood before or has no way back, so this run leaves applied: {}",
        done[last].label,
        done[last].name,
        kept.join(", ")
    );
    vec![Diagnostic::warning("LIM-U006", message).help("what was applied after it was taken back")]
}

/// Changes that do not apply here and come before what is applied already are remembered, so that they are not out of
/// order when they apply one day. Best effort, and only where nobody else is at work: the run itself has nothing to do.
async fn record_late(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    plan: &Plan,
    view: &LedgerView,
    listener: &dyn Listener,
) {
    let newest = limosa_core::newest_version(&loaded.changes, view);
    let is_late = |skipped: &Skipped| {
        let (written, newest) = (skipped.version.as_deref(), newest.as_ref());
        written.zip(newest).is_some_and(|(written, newest)| {
            newest.read_alike(written, skipped.identity.as_str()).is_some_and(|version| version < *newest)
        })
    };
    if !plan.skipped.iter().any(is_late) {
        return;
    }
    let events = Told(listener);
    let (session, mut context) = opened.run_parts(&events, Stop::new());
    context.lock_wait = std::time::Duration::ZERO;
    if let Ok(Acquired::Held(held)) = acquire(session.as_mut(), &context, view.exists, &|_| true).await {
        let _ = conduct(session.as_mut(), &context, plan, held.epoch).await;
        let _ = release(session.as_mut(), &context, held.epoch).await;
    }
}

fn still_pending(changes: &[Change], view: &LedgerView, around: &Surroundings) -> bool {
    limosa_core::assess(changes, view, around).iter().any(|line| line.state.is_pending())
}

fn expected(plan: &Plan, options: &MigrateOptions) -> Result<(), Failure> {
    let Some(wanted) = &options.expected_plan else { return Ok(()) };
    let digest = plan.digest();
    // In short it may be written with the name of the hash, as `limosa plan` does, or without.
    if digest.is_meant_by(wanted) {
        return Ok(());
    }
    Err(Failure::person(
        "LIM-U001",
        format!("the plan has changed: expected {wanted}, it is {digest} now"),
        "look at it again: limosa plan",
    ))
}

/// What has no way back is said before anything runs.
fn announce_auto_rollback(opened: &Opened<'_>, plan: &Plan, listener: &dyn Listener) -> Result<(), Failure> {
    if opened.configuration.protected {
        return Err(Failure::person(
            "LIM-U002",
            "--auto-rollback is for previews; this environment is protected",
            "run without it: a failed migration rolls back its own transaction anyway",
        ));
    }
    for step in &plan.steps {
        if step.undo.is_none() {
            let line = format!("{} {} has no way back; if a later step fails, it stays", step.label, step.name);
            listener.progress(Progress::Note(line));
        }
        if !step.outline.is_atomic() {
            let line = format!(
                "{} {} does not run in one transaction; if it stops half-way, nothing is taken back",
                step.label, step.name
            );
            listener.progress(Progress::Note(line));
        }
    }
    Ok(())
}

fn nothing_to_do(opened: &Opened<'_>, plan: &Plan, loaded: &Loaded, view: &LedgerView, began: Instant) -> RunAnswer {
    let notices = plan.notices.iter().chain(&loaded.diagnostics).cloned().collect();
    nothing(opened, "migrate", notices, view.head.clone(), began)
}

/// The answer of a run that had nothing to do.
pub(crate) fn nothing(
    opened: &Opened<'_>,
    command: &'static str,
    notices: Vec<Diagnostic>,
    head: Option<AuditHead>,
    began: Instant,
) -> RunAnswer {
    RunAnswer {
        schema_version: SCHEMA_VERSION,
        command,
        exit_code: Exit::Done.into(),
        outcome: "nothing_to_do",
        target: opened.target.clone(),
        steps: Vec::new(),
        taken_back: Vec::new(),
        error: None,
        owed_callback: None,
        notices,
        plan_digest: None,
        audit_head: head,
        backup: None,
        elapsed_ms: millis(began),
    }
}

pub(crate) fn millis(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn answer(
    opened: &Opened<'_>,
    command: &'static str,
    plan: Plan,
    report: RunReport,
    began: Instant,
) -> RunAnswer {
    let (outcome, exit, error) = outcome_words(&report.outcome);
    let (plan_digest, notices) = (report.plan_digest, plan.notices);
    // Each of these lists is as long as the folder.
    drop(plan.steps);
    RunAnswer {
        schema_version: SCHEMA_VERSION,
        command,
        exit_code: exit.into(),
        outcome,
        target: opened.target.clone(),
        steps: report.steps.into_iter().map(StepLine::from).collect(),
        taken_back: Vec::new(),
        error,
        owed_callback: report.owed.map(limosa_core::CallbackEvent::name),
        notices,
        plan_digest: Some(plan_digest),
        audit_head: report.head,
        backup: None,
        elapsed_ms: millis(began),
    }
}
