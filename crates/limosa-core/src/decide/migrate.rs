//! What a migrate would do.

use std::collections::{HashMap, HashSet};

use limosa_sql::{Diagnostic, Label, Loss, Severity, TableUse};
use thin_vec::ThinVec;

use super::first_parts::other_first_part;
use super::foreign_keys::{ignored_by, left_by};
use super::inherited::{goes_on_without, inherit};
use super::renamed::renamed;
use super::{
    MigrateAsk, OutOfOrder, PAST_THE_POOLER, Policy, SEVERAL_TRANSACTIONS, callbacks, full_name, join, limits, losses,
    needs_session, refuse, values_used,
};
use crate::{
    Action, AppliedRow, Assessed, CallbackEvent, Change, Direction, Identity, Kind, LedgerView, MadeTable, Outline,
    PLAN_FORMAT, Plan, PlannedCallback, Remark, Shared, Skipped, State, Step, Surroundings, Undo, Version, Work,
    assess_up_to,
};

fn file_label(change: &Change) -> Label {
    Label::file(change.script.file.as_str())
}

/// What a migrate would do.
///
/// # Errors
/// All reasons why nothing may be run, each with the files it concerns.
pub fn decide_migrate(
    changes: &[Change],
    ledger: &LedgerView,
    ask: &MigrateAsk,
    policy: &Policy,
    around: &Surroundings,
) -> Result<Plan, Vec<Diagnostic>> {
    refuse(unknown_target(changes, ledger, ask.to.as_ref()).into_iter().collect())?;
    let assessed = assess_up_to(changes, ledger, around, ask.to.as_ref());
    let mut notices = Vec::new();
    refuse(history_problems(&assessed, ask, policy, &mut notices))?;

    let mut chosen: Vec<&Assessed<'_>> = assessed
        .iter()
        .filter(|line| line.state.is_pending() || runs_always(line))
        .filter(|line| within(line, ask.to.as_ref()))
        .collect();
    // What was interrupted goes on before anything new begins.
    chosen.sort_by_key(|line| line.state != State::Partial);
    if let Some(limit) = ask.steps {
        chosen.truncate(limit);
    }
    refuse(chosen.iter().filter_map(|line| line.change).flat_map(|change| change.refusals.clone()).collect())?;
    refuse(renamed(&assessed, &chosen))?;
    refuse(dependency_problems(&assessed, &chosen))?;
    refuse(capability_problems(&chosen, policy, around))?;
    let mut callbacks = callbacks::planned(&ask.callbacks, Direction::Apply, policy, around)?;
    notices.extend(chosen.iter().filter_map(|line| unsaid_loss(line.change?)));

    let skipped: Vec<Skipped> = assessed
        .iter()
        .filter(|line| line.state == State::NotApplicable && !ledger.skipped.contains(&line.identity))
        .filter_map(|line| line.change.map(|change| skip(change, line.reason.clone().unwrap_or_default())))
        .collect();
    let mut steps = Vec::with_capacity(chosen.len());
    steps.extend(chosen.iter().filter_map(|line| apply_step(line, ledger, policy)));
    refuse(elsewhere(&steps, ask).into_iter().collect())?;
    rank(&mut steps, ledger, skipped.len());
    refuse(goes_on_without(&steps, &ask.set_before, ask.shared_session, around.engine))?;
    notices.extend(inherit(&mut steps, &mut callbacks, ask.shared_session, around.transactions_only, around.engine));
    notices.extend(ignored_by(ask.ignores_pragmas, &steps));
    notices.extend(left_by(ask.shared_session, ask.ignores_pragmas, &steps));
    if policy.single_transaction {
        join(around.engine, &mut steps, &ask.enum_values, &mut notices);
    }
    let (makes, note) = made(&steps, &callbacks, ask).unzip();
    notices.extend(note);
    Ok(Plan {
        format: PLAN_FORMAT,
        project: policy.project.clone(),
        environment: around.environment.clone(),
        engine: around.engine,
        database: full_name(around),
        direction: Direction::Apply,
        ledger_head: ledger.head.clone(),
        values: values_used(
            around.engine,
            steps.iter().chain(callbacks.iter().filter_map(PlannedCallback::step)),
            policy,
        ),
        steps,
        callbacks,
        makes,
        skipped,
        notices,
    })
}

/// Steps take the ranks behind those of all rows: those that are there, and those of what is skipped first.
fn rank(steps: &mut [Step], ledger: &LedgerView, skipped: usize) {
    let first = ledger.newest_rank + i64::try_from(skipped).unwrap_or(i64::MAX) + 1;
    for (rank, step) in (first..).zip(steps) {
        step.rank = Some(rank);
        step.adds_row = step.action == Action::Apply && !ledger.skipped.contains(&step.identity);
    }
}

/// A version that nobody knows is a slip of the hand, and as a mere limit it might let everything run.
fn unknown_target(changes: &[Change], ledger: &LedgerView, to: Option<&Version>) -> Option<Diagnostic> {
    let to = to.filter(|to| !to.is_nothing())?;
    let versioned = || {
        changes.iter().filter_map(|change| match &change.kind {
            Kind::Versioned(version) => Some((version, change.label.as_str())),
            Kind::Repeatable => None,
        })
    };
    let is_known = versioned().any(|(version, _)| version == to)
        || ledger.rows.iter().any(|row| row.identity == Identity::of_version(to));
    if is_known {
        return None;
    }
    let before = versioned().filter(|(version, _)| *version < to).max_by_key(|(version, _)| *version);
    let after = versioned().filter(|(version, _)| *version > to).min_by_key(|(version, _)| *version);
    let neighbours: Vec<String> = before.into_iter().chain(after).map(|(_, label)| format!("--to {label}")).collect();
    let help = match neighbours.is_empty() {
        true => "no file has a version".to_owned(),
        false => format!("the nearest: {}; limosa status shows them all", neighbours.join(" or ")),
    };
    Some(Diagnostic::error("LIM-P019", format!("no migration has the version {to}; nothing was run")).help(help))
}

/// What another tool has applied would run a second time.
fn elsewhere(steps: &[Step], ask: &MigrateAsk) -> Option<Diagnostic> {
    ask.history_elsewhere.clone().filter(|_| !steps.is_empty())
}

/// The missing table of the tool that the files were written for, where a step or a callback needs it before one makes it; and what is
/// said of it.
///
/// What runs only after a failure makes none: it is no reason to leave a table behind.
fn made(steps: &[Step], callbacks: &[PlannedCallback], ask: &MigrateAsk) -> Option<(MadeTable, Diagnostic)> {
    let missing = ask.missing_ledger.as_ref()?;
    let is_there = |schema: &Option<String>| match (schema, &missing.schema) {
        (Some(named), Some(own)) => named.eq_ignore_ascii_case(own),
        _ => true,
    };
    let around = |event: CallbackEvent| {
        let of_event = callbacks.iter().filter(move |callback| callback.event == event);
        of_event.filter_map(PlannedCallback::step)
    };
    let first = steps.first();
    // In the order in which they run, each with what it is made before: behind the first step the transaction of that one has it.
    let own = |step| (step, step);
    let first_around = |event| around(event).filter(|_| first.is_some());
    let uses = around(CallbackEvent::BeforeMigrate)
        .chain(first_around(CallbackEvent::BeforeEachMigrate))
        .map(own)
        .chain(first.map(own))
        .chain(around(CallbackEvent::AfterEachMigrate).filter_map(|callback| Some((callback, first?))))
        .chain(steps.iter().skip(1).map(own))
        .chain(first_around(CallbackEvent::AfterMigrateApplied).map(own))
        .chain(around(CallbackEvent::AfterMigrate).map(own));
    let mut uses = uses.filter_map(|(step, before)| Some((step.outline.ledger_use.as_ref()?, before)));
    let (first_use, before) = uses.find(|(ledger_use, _)| match ledger_use {
        TableUse::Needs { schema } => is_there(schema),
        TableUse::Makes => true,
    })?;
    if *first_use == TableUse::Makes {
        return None;
    }
    let made = MadeTable {
        tool: missing.tool,
        table: missing.table.clone(),
        statements: missing.statements.clone(),
        before: before.identity.clone(),
    };
    let is_step = steps.iter().any(|step| std::ptr::eq(step, before));
    let who = if is_step { format!("migration {}", made.before) } else { before.work.origin().to_string() };
    let note = making(&made, &who);
    Some((made, note))
}

/// What is said of it.
fn making(made: &MadeTable, who: &str) -> Diagnostic {
    let message = format!(
        "{who} uses {}, in which {} keeps its record, and which is not here; it is made before, without rows",
        made.table, made.tool
    );
    Diagnostic::new("LIM-P028", Severity::Note, message)
        .help("limosa keeps its own record and writes none into that table; drop it when nothing uses it any more")
}

fn within(line: &Assessed<'_>, to: Option<&Version>) -> bool {
    match (to, line.change.map(|change| &change.kind)) {
        (None, _) => true,
        (Some(to), Some(Kind::Versioned(version))) => version <= to,
        // An interrupted repeatable must go on, whatever the target.
        (Some(to), _) => {
            let place = line.change.and_then(|change| change.headers.place.as_ref());
            line.state == State::Partial || place.is_some_and(|place| place <= to)
        }
    }
}

/// One that ran, and runs with each run.
fn runs_always(line: &Assessed<'_>) -> bool {
    matches!(line.state, State::Applied | State::Baseline)
        && line.change.is_some_and(|change| change.headers.runs_always)
}

fn history_problems(
    assessed: &[Assessed<'_>],
    ask: &MigrateAsk,
    policy: &Policy,
    notices: &mut Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for line in assessed {
        let (identity, row) = (&line.identity, line.row);
        match (line.state, line.change, row) {
            (State::Changed, Some(change), Some(row)) => problems.push(changed_problem(change, row)),
            (State::Partial, None, Some(row)) => problems.push(
                Diagnostic::error("LIM-P003", format!("{identity} ({}) was interrupted and its file is gone", row.name))
                    .help("put the file back, or settle it with 'limosa repair'"),
            ),
            (State::Missing, _, Some(row)) => notices.push(
                Diagnostic::warning("LIM-P002", format!("{identity} ({}) was applied, but no file defines it any more", row.name))
                    .help("if another branch or release brought it, nothing is wrong; 'limosa validate' treats it as a finding"),
            ),
            (State::Reverting, _, _) => problems.push(
                Diagnostic::error("LIM-P004", format!("the rollback of {identity} was interrupted"))
                    .help(format!(
                        "finish it first: limosa rollback {identity}; where its recorded way back is what fails, correct it in the file and add \
                         --use-file; where all of it stands as before: limosa repair --mark-applied {identity}"
                    )),
            ),
            (State::OutOfOrder, Some(change), _) if within(line, ask.to.as_ref()) => {
                out_of_order(change, line, policy, &mut problems, notices);
            }
            (State::Partial, Some(change), Some(row)) => {
                problems.extend(ask.first_parts.get(identity).and_then(|part| other_first_part(change, row, part)));
            }
            _ => {}
        }
    }
    problems
}

fn changed_problem(change: &Change, row: &AppliedRow) -> Diagnostic {
    let message = format!(
        "{} was changed after it was applied: applied as {}, the file is now {}",
        change.script.file, row.up_checksum, change.script.up_checksum
    );
    let help = format!(
        "put the file back as it was, and bring the change in a new migration; where the change is right as it stands: limosa repair --accept {}",
        change.identity
    );
    Diagnostic::error("LIM-P001", message).at(file_label(change)).help(help)
}

fn out_of_order(
    change: &Change,
    line: &Assessed<'_>,
    policy: &Policy,
    problems: &mut Vec<Diagnostic>,
    notices: &mut Vec<Diagnostic>,
) {
    let message = format!(
        "{} comes late: {}",
        change.script.file,
        line.reason.as_deref().unwrap_or("a later version was applied")
    );
    match policy.out_of_order {
        OutOfOrder::Allow => {}
        OutOfOrder::Warn => notices.push(Diagnostic::warning("LIM-P005", message).at(file_label(change))),
        OutOfOrder::Refuse => problems.push(
            Diagnostic::error("LIM-P005", message)
                .at(file_label(change))
                .help("give it a newer version, or allow it for this run: --out-of-order warn"),
        ),
    }
}

fn dependency_problems(assessed: &[Assessed<'_>], chosen: &[&Assessed<'_>]) -> Vec<Diagnostic> {
    if chosen.iter().filter_map(|line| line.change).all(|change| change.depends_on.is_empty()) {
        return Vec::new();
    }
    let states: HashMap<&Identity, &Assessed<'_>> = assessed.iter().map(|line| (&line.identity, line)).collect();
    let running: HashSet<&Identity> = chosen.iter().map(|line| &line.identity).collect();
    let mut problems = Vec::new();
    for line in chosen {
        let Some(change) = line.change else { continue };
        for needed in &change.depends_on {
            let Some(other) = states.get(needed) else { continue };
            let why = match other.state {
                State::NotApplicable => format!("does not apply here: {}", other.reason.as_deref().unwrap_or_default()),
                state if state.is_pending() && !running.contains(needed) => "is not part of this run".to_owned(),
                _ => continue,
            };
            problems.push(
                Diagnostic::error("LIM-P007", format!("{} depends on {needed}, which {why}", change.script.file))
                    .at(file_label(change))
                    .help("give both the same Environments and Engines, or take the dependency out"),
            );
        }
    }
    problems
}

fn capability_problems(chosen: &[&Assessed<'_>], policy: &Policy, around: &Surroundings) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for line in chosen {
        let Some(change) = line.change else { continue };
        if policy.single_transaction && change.is_code {
            let message = format!("{} is code, and cannot be part of a single transaction", change.script.file);
            problems.push(Diagnostic::error("LIM-P009", message).help(SEVERAL_TRANSACTIONS));
        }
        problems.extend(needs_session(&change.script.outline, &change.script.file, around));
        if change.script.outline.is_atomic() {
            continue;
        }
        let verb = change.script.outline.remarkable.first();
        let label = verb.map_or_else(
            || file_label(change),
            |remark| {
                Label::place(change.script.file.as_str(), remark.position).text("this cannot run in our transaction")
            },
        );
        if around.transactions_only {
            problems.push(
                Diagnostic::error("LIM-P008", format!("{} needs a direct connection", change.script.file))
                    .at(label.clone())
                    .help(PAST_THE_POOLER),
            );
        }
        let only_split_by_enum =
            change.script.outline.groups.iter().all(|group| group.mode == crate::GroupMode::Transaction);
        if policy.single_transaction && !only_split_by_enum {
            problems.push(
                Diagnostic::error("LIM-P009", format!("{} cannot be part of a single transaction", change.script.file))
                    .at(label)
                    .help(format!("{SEVERAL_TRANSACTIONS}; or run up to the version before it first")),
            );
        }
    }
    problems
}

/// Nothing is destroyed in silence: what the author has not said is said by us.
fn unsaid_loss(change: &Change) -> Option<Diagnostic> {
    let losses: Vec<(&Remark, &Loss)> = change.script.outline.losses().collect();
    let (first, _) = losses.first().filter(|_| !change.headers.data_loss_allowed)?;
    let shown: Vec<String> = losses.iter().take(5).map(|(_, loss)| format!("{} {}", loss.kind, loss.object)).collect();
    let more = if losses.len() > 5 { format!(" and {} more", losses.len() - 5) } else { String::new() };
    let message = format!("{} destroys data for good: {}{more}", change.script.file, shown.join(", "));
    Some(
        Diagnostic::warning("LIM-P018", message)
            .at(Label::place(change.script.file.as_str(), first.position).text("first here"))
            .help("where that is meant, say so with the header '-- Data-loss: allowed'"),
    )
}

fn apply_step(line: &Assessed<'_>, ledger: &LedgerView, policy: &Policy) -> Option<Step> {
    let change = line.change?;
    let action = match line.state {
        State::Partial => Action::Resume {
            done: ledger
                .journal
                .iter()
                .find(|row| row.identity == line.identity && row.direction == Direction::Apply)
                .map_or(0, |row| row.done.unsigned_abs()),
        },
        State::Outdated => Action::Reapply,
        _ if runs_always(line) => Action::Reapply,
        _ => Action::Apply,
    };
    let script = &change.script;
    let work = match change.is_code {
        true => Work::Code(script.clone()),
        false => Work::File(script.clone()),
    };
    let undo = change.rollback.clone().map(Undo);
    let because = match line.state {
        State::Outdated => line.reason.as_deref().map(Box::from),
        _ => (action == Action::Reapply).then(|| "it runs with each run".into()),
    };
    Some(Step { because, ..step(change, action, work, script.outline.clone(), undo, policy) })
}

fn step(
    change: &Change,
    action: Action,
    work: Work,
    outline: Shared<Outline>,
    undo: Option<Undo>,
    policy: &Policy,
) -> Step {
    let proof = change.proof.as_ref().map(|script| {
        Box::new(plain_step(change, action, Work::File(script.clone()), script.outline.clone(), None, policy))
    });
    // What was interrupted has been asked about, and may hold no more because of what ran.
    let guard = change.headers.guard.clone().filter(|_| !matches!(action, Action::Resume { .. }));
    Step { proof, guard, ..plain_step(change, action, work, outline, undo, policy) }
}

fn plain_step(
    change: &Change,
    action: Action,
    work: Work,
    outline: Shared<Outline>,
    undo: Option<Undo>,
    policy: &Policy,
) -> Step {
    Step {
        identity: change.identity.clone(),
        label: change.label.clone(),
        is_versioned: matches!(change.kind, Kind::Versioned(_)),
        name: change.name.clone(),
        action,
        work,
        losses: losses(&outline),
        outline,
        joins_previous: false,
        limits: limits(&change.headers, policy),
        undo,
        depends_on: change.depends_on.clone(),
        placeholders_off: change.headers.placeholders_off,
        rank: None,
        adds_row: false,
        has_journal: false,
        inherits: None,
        because: None,
        hands_on: false,
        goes_on: false,
        begins_with: ThinVec::new(),
        proof: None,
        guard: None,
    }
}

fn skip(change: &Change, reason: String) -> Skipped {
    Skipped {
        identity: change.identity.clone(),
        version: matches!(change.kind, Kind::Versioned(_)).then(|| change.label.clone()),
        name: change.name.clone(),
        reason,
        file_checksum: change.script.file_checksum.clone(),
        up_checksum: change.script.up_checksum.clone(),
    }
}
