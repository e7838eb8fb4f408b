//! The riskiest logic, as functions without effects: what is to be done, given what is wanted and what is there.

use std::collections::{BTreeMap, HashMap, HashSet};

use limosa_sql::{Diagnostic, Label, Loss, Position};
use serde::{Deserialize, Serialize};

use crate::{
    Action, AppliedRow, Assessed, Change, Direction, Identity, Kind, LedgerView, Limits, Outline, PLAN_FORMAT, Plan,
    Skipped, State, Step, Surroundings, Undo, Version, Work, assess,
};

/// What to do with a version that comes late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutOfOrder {
    /// Refuse to run anything.
    #[default]
    Refuse,
    /// Run it and say so.
    Warn,
    /// Run it.
    Allow,
}

/// How this project runs its changes.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The project whose ledger is meant.
    pub project: String,
    /// What to do with a version that comes late.
    pub out_of_order: OutOfOrder,
    /// All steps in one transaction.
    pub single_transaction: bool,
    /// Time-outs where the file says nothing.
    pub limits: Limits,
    /// True where the environment is protected.
    pub protected: bool,
}

/// What a migrate is asked to do.
#[derive(Debug, Clone, Default)]
pub struct MigrateAsk {
    /// Up to this version and no further; repeatables are left out then.
    pub to: Option<Version>,
    /// At most so many steps.
    pub steps: Option<usize>,
    /// Per interrupted change: whether the statements that its journal calls done stand unchanged in the file (or in the
    /// way back) now, by [`crate::StatementHasher`].
    pub done_unchanged: HashMap<Identity, bool>,
}

/// Which changes to take back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The last so many versioned changes.
    Steps(usize),
    /// All versions above this one.
    To(Version),
    /// This change and all that were applied after it.
    From(Identity),
    /// This change alone.
    One(Identity),
    /// Exactly these, newest first.
    These(Vec<Identity>),
}

/// What a rollback is asked to do.
#[derive(Debug, Clone)]
pub struct RollbackAsk {
    /// Which changes.
    pub selection: Selection,
    /// Take the ways back from the files, not from the ledger.
    pub use_file: bool,
    /// The database that the user named as consent to lose data.
    pub consent: Option<String>,
    /// See [`MigrateAsk::done_unchanged`].
    pub done_unchanged: HashMap<Identity, bool>,
}

/// A way back as the ledger keeps it, with its outline made again.
#[derive(Debug, Clone)]
pub struct StoredRollback {
    /// The SQL as written.
    pub text: String,
    /// Where it came from.
    pub file: String,
    /// Line and column of its first byte there.
    pub position: Position,
    /// Statements, groups, losses.
    pub outline: Outline,
    /// Values for its placeholders, as recorded; secret ones are not.
    pub values: BTreeMap<String, String>,
}

fn file_label(change: &Change) -> Label {
    Label::file(change.script.file.as_str())
}

fn refuse(problems: Vec<Diagnostic>) -> Result<(), Vec<Diagnostic>> {
    if problems.is_empty() { Ok(()) } else { Err(problems) }
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
    let assessed = assess(changes, ledger, around);
    let mut notices = Vec::new();
    refuse(history_problems(&assessed, ask, policy, &mut notices))?;

    let mut chosen: Vec<&Assessed<'_>> =
        assessed.iter().filter(|line| line.state.is_pending()).filter(|line| within(line, ask.to.as_ref())).collect();
    // What was interrupted goes on before anything new begins.
    chosen.sort_by_key(|line| line.state != State::Partial);
    if let Some(limit) = ask.steps {
        chosen.truncate(limit);
    }
    refuse(dependency_problems(&assessed, &chosen))?;
    refuse(capability_problems(&chosen, policy, around))?;

    let skipped = assessed
        .iter()
        .filter(|line| line.state == State::NotApplicable && !ledger.skipped.contains(&line.identity))
        .filter_map(|line| line.change.map(|change| skip(change, line.reason.clone().unwrap_or_default())))
        .collect();
    let mut steps: Vec<Step> = chosen.iter().filter_map(|line| apply_step(line, ledger, policy)).collect();
    if policy.single_transaction {
        join(&mut steps, &mut notices);
    }
    Ok(Plan {
        format: PLAN_FORMAT,
        project: policy.project.clone(),
        environment: around.environment.clone(),
        engine: around.engine,
        database: full_name(around),
        direction: Direction::Apply,
        ledger_head: ledger.head.clone(),
        steps,
        skipped,
        notices,
    })
}

fn full_name(around: &Surroundings) -> String {
    if around.host.is_empty() { around.database.clone() } else { format!("{}/{}", around.host, around.database) }
}

fn within(line: &Assessed<'_>, to: Option<&Version>) -> bool {
    match (to, line.change.map(|change| &change.kind)) {
        (None, _) => true,
        (Some(to), Some(Kind::Versioned(version))) => version <= to,
        // An interrupted repeatable must go on, whatever the target.
        (Some(_), _) => line.state == State::Partial,
    }
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
            (State::Missing, _, Some(row)) if row.state == crate::RowState::Partial => problems.push(
                Diagnostic::error("LIM-P003", format!("{identity} ({}) was interrupted and its file is gone", row.name))
                    .help("put the file back, or settle it with 'limosa repair'"),
            ),
            (State::Missing, _, Some(row)) => notices.push(
                Diagnostic::warning("LIM-P002", format!("{identity} ({}) was applied, but no file defines it any more", row.name))
                    .help("if another branch or release brought it, nothing is wrong; 'limosa validate' treats it as a finding"),
            ),
            (State::Reverting, _, _) => problems.push(
                Diagnostic::error("LIM-P004", format!("the rollback of {identity} was interrupted"))
                    .help(format!("finish it first: limosa rollback {identity}")),
            ),
            (State::OutOfOrder, Some(change), _) if within(line, ask.to.as_ref()) => {
                out_of_order(change, line, policy, &mut problems, notices);
            }
            (State::Partial, Some(change), Some(row)) => {
                problems.extend(edited_before_break(change, row, ask.done_unchanged.get(identity)));
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

fn edited_before_break(change: &Change, row: &AppliedRow, unchanged: Option<&bool>) -> Option<Diagnostic> {
    if unchanged.is_none_or(|unchanged| *unchanged) {
        return None;
    }
    let message = format!(
        "{} was changed in its first {} statements, which ran already and are committed",
        change.script.file, row.statements_done
    );
    Some(
        Diagnostic::error("LIM-P006", message)
            .at(file_label(change))
            .help("put those statements back as they were; from the failed statement on the file may be edited"),
    )
}

fn dependency_problems(assessed: &[Assessed<'_>], chosen: &[&Assessed<'_>]) -> Vec<Diagnostic> {
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
                    .help("a pooler in transaction mode stands between; set direct_url to the server itself"),
            );
        }
        let only_split_by_enum =
            change.script.outline.groups.iter().all(|group| group.mode == crate::GroupMode::Transaction);
        if policy.single_transaction && !only_split_by_enum {
            problems.push(
                Diagnostic::error("LIM-P009", format!("{} cannot be part of a single transaction", change.script.file))
                    .at(label)
                    .help("run without --single-transaction, or run up to the version before it first"),
            );
        }
    }
    problems
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
        _ => Action::Apply,
    };
    let script = &change.script;
    let work = Work::File {
        file: script.file.clone(),
        start: script.span.start,
        end: script.span.end,
        position: script.start,
    };
    let undo = change.rollback.as_ref().map(|rollback| Undo {
        text: rollback.text.clone(),
        file: rollback.file.clone(),
        position: rollback.start,
        losses: losses(&rollback.outline),
    });
    Some(step(change, action, work, script.outline.clone(), undo, policy))
}

fn step(change: &Change, action: Action, work: Work, outline: Outline, undo: Option<Undo>, policy: &Policy) -> Step {
    Step {
        identity: change.identity.clone(),
        label: change.label.clone(),
        version: matches!(change.kind, Kind::Versioned(_)).then(|| change.label.clone()),
        name: change.name.clone(),
        action,
        work,
        losses: losses(&outline),
        outline,
        joins_previous: false,
        limits: limits(change, policy),
        undo,
        depends_on: change.depends_on.clone(),
        file_checksum: change.script.file_checksum.clone(),
        up_checksum: change.script.up_checksum.clone(),
        placeholders_off: change.headers.placeholders_off,
    }
}

fn limits(change: &Change, policy: &Policy) -> Limits {
    Limits {
        lock_timeout_ms: change.headers.lock_timeout.unwrap_or(policy.limits.lock_timeout_ms),
        lock_retries: policy.limits.lock_retries,
        statement_timeout_ms: change.headers.statement_timeout.unwrap_or(policy.limits.statement_timeout_ms),
    }
}

fn losses(outline: &Outline) -> Vec<Loss> {
    outline.losses().map(|(_, loss)| loss.clone()).collect()
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

/// Joins steps into one transaction. A new enum value cannot be used in the transaction that adds it, so the run splits
/// after a step that adds one to a type it did not make.
fn join(steps: &mut [Step], notices: &mut Vec<Diagnostic>) {
    for at in 1..steps.len() {
        let before = &steps[at - 1];
        let splits = before.outline.adds_enum_value || !before.outline.is_atomic() || !steps[at].outline.is_atomic();
        if splits {
            let message = format!(
                "the single transaction is split before {}: a new enum value must be committed first",
                steps[at].label
            );
            notices.push(Diagnostic::warning("LIM-P010", message));
        }
        steps[at].joins_previous = !splits;
    }
}

/// What a rollback would do. `stored` holds the recorded ways back of the rows that may be concerned.
///
/// # Errors
/// All reasons why nothing may be taken back.
pub fn decide_rollback(
    changes: &[Change],
    ledger: &LedgerView,
    stored: &HashMap<Identity, StoredRollback>,
    ask: &RollbackAsk,
    policy: &Policy,
    around: &Surroundings,
) -> Result<Plan, Vec<Diagnostic>> {
    let chosen = select(ledger, &ask.selection).map_err(|problem| vec![*problem])?;
    let by_identity: HashMap<&Identity, &Change> = changes.iter().map(|change| (&change.identity, change)).collect();
    let mut problems = dependents(ledger, &chosen);
    let mut steps = Vec::new();
    for row in &chosen {
        match way_back(row, by_identity.get(&row.identity).copied(), stored.get(&row.identity), ask.use_file) {
            Ok(back) => {
                problems.extend(interrupted_edit(row, ledger, ask));
                steps.push(revert_step(row, by_identity.get(&row.identity).copied(), back, ledger, policy));
            }
            Err(problem) => problems.push(*problem),
        }
    }
    problems.extend(consent_problem(&steps, ask, policy, around));
    if around.transactions_only && steps.iter().any(|step| !step.outline.is_atomic()) {
        problems.push(
            Diagnostic::error("LIM-P008", "a rollback in this list needs a direct connection")
                .help("a pooler in transaction mode stands between; set direct_url to the server itself"),
        );
    }
    refuse(problems)?;
    if policy.single_transaction {
        join(&mut steps, &mut Vec::new());
    }
    Ok(Plan {
        format: PLAN_FORMAT,
        project: policy.project.clone(),
        environment: around.environment.clone(),
        engine: around.engine,
        database: full_name(around),
        direction: Direction::Revert,
        ledger_head: ledger.head.clone(),
        steps,
        skipped: Vec::new(),
        notices: Vec::new(),
    })
}

fn select<'a>(ledger: &'a LedgerView, selection: &Selection) -> Result<Vec<&'a AppliedRow>, Box<Diagnostic>> {
    let mut rows: Vec<&AppliedRow> = ledger.rows.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.rank));
    let find = |identity: &Identity| {
        rows.iter().copied().find(|row| row.identity == *identity).ok_or_else(|| {
            Box::new(
                Diagnostic::error("LIM-P011", format!("{identity} is not applied, so there is nothing to take back"))
                    .help("'limosa history' shows what is applied"),
            )
        })
    };
    Ok(match selection {
        Selection::Steps(count) => rows.into_iter().filter(|row| row.version.is_some()).take(*count).collect(),
        Selection::To(version) => {
            if !ledger.rows.iter().any(|row| row.identity == Identity::of_version(version))
                && version.to_string() != "0"
            {
                find(&Identity::of_version(version))?;
            }
            rows.into_iter()
                .filter(|row| {
                    row.version.as_deref().and_then(|text| Version::parse(text).ok()).is_some_and(|own| own > *version)
                })
                .collect()
        }
        Selection::From(identity) => {
            let first = find(identity)?;
            rows.into_iter()
                .filter(|row| row.rank >= first.rank && (row.version.is_some() || row.identity == *identity))
                .collect()
        }
        Selection::One(identity) => vec![find(identity)?],
        Selection::These(identities) => identities.iter().map(find).collect::<Result<_, _>>()?,
    })
}

fn dependents(ledger: &LedgerView, chosen: &[&AppliedRow]) -> Vec<Diagnostic> {
    let going: HashSet<&Identity> = chosen.iter().map(|row| &row.identity).collect();
    ledger
        .rows
        .iter()
        .filter(|row| !going.contains(&row.identity))
        .flat_map(|row| row.depends_on.iter().filter(|needed| going.contains(needed)).map(move |needed| (row, needed)))
        .map(|(row, needed)| {
            Diagnostic::error(
                "LIM-P012",
                format!("{needed} cannot be taken back: {} ({}) depends on it", row.identity, row.name),
            )
            .help(format!("take both back: limosa rollback --from {needed}"))
        })
        .collect()
}

fn way_back(
    row: &AppliedRow,
    change: Option<&Change>,
    stored: Option<&StoredRollback>,
    use_file: bool,
) -> Result<StoredRollback, Box<Diagnostic>> {
    if use_file {
        let rollback = change.and_then(|change| change.rollback.as_ref()).ok_or_else(|| {
            Box::new(
                Diagnostic::error("LIM-P013", format!("no file holds a way back for {} ({})", row.identity, row.name))
                    .help(
                        "write one: a '-- limosa:rollback' section, or a file NAME.rollback.sql beside the migration",
                    ),
            )
        })?;
        return Ok(StoredRollback {
            text: rollback.text.clone(),
            file: rollback.file.clone(),
            position: rollback.start,
            outline: rollback.outline.clone(),
            values: BTreeMap::new(),
        });
    }
    stored.cloned().ok_or_else(|| {
        Box::new(
            Diagnostic::error("LIM-P014", format!("{} ({}) was applied without a way back", row.identity, row.name))
                .help("write one beside the migration, look at it, and run again with --use-file"),
        )
    })
}

fn interrupted_edit(row: &AppliedRow, ledger: &LedgerView, ask: &RollbackAsk) -> Option<Diagnostic> {
    ledger.journal.iter().find(|entry| entry.identity == row.identity && entry.direction == Direction::Revert)?;
    match ask.done_unchanged.get(&row.identity) {
        Some(false) => Some(
            Diagnostic::error(
                "LIM-P006",
                format!("the way back of {} was changed in statements that ran already", row.identity),
            )
            .help("put those statements back as they were; from the failed statement on it may be edited"),
        ),
        _ => None,
    }
}

fn revert_step(
    row: &AppliedRow,
    change: Option<&Change>,
    back: StoredRollback,
    ledger: &LedgerView,
    policy: &Policy,
) -> Step {
    let interrupted =
        ledger.journal.iter().find(|entry| entry.identity == row.identity && entry.direction == Direction::Revert);
    let action = match interrupted {
        Some(entry) => Action::ResumeRevert { done: entry.done.unsigned_abs() },
        None => Action::Revert,
    };
    let work = Work::Text { origin: back.file.clone(), text: back.text, position: back.position, values: back.values };
    Step {
        identity: row.identity.clone(),
        label: row.version.clone().unwrap_or_else(|| "R".to_owned()),
        version: row.version.clone(),
        name: row.name.clone(),
        action,
        work,
        losses: losses(&back.outline),
        outline: back.outline,
        joins_previous: false,
        limits: change.map_or(policy.limits, |change| limits(change, policy)),
        undo: None,
        depends_on: row.depends_on.clone(),
        file_checksum: row.file_checksum.clone(),
        up_checksum: row.up_checksum.clone(),
        placeholders_off: change.is_some_and(|change| change.headers.placeholders_off),
    }
}

fn consent_problem(steps: &[Step], ask: &RollbackAsk, policy: &Policy, around: &Surroundings) -> Option<Diagnostic> {
    let losses: Vec<String> = steps
        .iter()
        .flat_map(|step| step.losses.iter().map(move |loss| format!("{} {} ({})", loss.kind, loss.object, step.label)))
        .collect();
    if losses.is_empty() {
        return None;
    }
    let shown = losses.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
    let more = if losses.len() > 8 { format!(" and {} more", losses.len() - 8) } else { String::new() };
    if policy.protected {
        let here = around.environment.as_deref().unwrap_or("this environment");
        return Some(
            Diagnostic::error(
                "LIM-P015",
                format!("this rollback destroys data in the protected environment {here}: {shown}{more}"),
            )
            .help("protected environments never lose data through limosa; bring a new migration that goes forward"),
        );
    }
    if ask.consent.as_deref() == Some(around.database.as_str()) {
        return None;
    }
    let wrong = ask.consent.as_deref().map(|named| format!(" (you named '{named}')")).unwrap_or_default();
    Some(
        Diagnostic::error("LIM-P016", format!("this rollback destroys data: {shown}{more}{wrong}")).help(format!(
            "look at it with --dry-run; to go on, name the database: --allow-data-loss {}",
            around.database
        )),
    )
}
