//! What a rollback would do.

use std::collections::{BTreeMap, HashMap, HashSet};

use limosa_sql::Diagnostic;
use thin_vec::ThinVec;

use super::first_parts::other_first_part_back;
use super::foreign_keys::{ignored_by, left_by};
use super::inherited::inherit;
use super::{
    PAST_THE_POOLER, Policy, RollbackAsk, Selection, StoredRollback, callbacks, full_name, join, limits, losses,
    needs_session, refuse, values_used,
};
use crate::{
    Action, AppliedRow, Change, Direction, Identity, LedgerView, Limits, PLAN_FORMAT, Plan, PlannedCallback,
    PlannedText, RowState, Step, Surroundings, Work,
};

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
                let part = ask.first_parts.get(&row.identity);
                problems.extend(part.and_then(|part| other_first_part_back(&row.identity, part)));
                steps.push(revert_step(row, by_identity.get(&row.identity).copied(), back, ledger, policy));
            }
            Err(problem) => problems.push(*problem),
        }
    }
    problems.extend(consent_problem(&steps, ask, policy, around));
    if around.transactions_only && steps.iter().any(|step| !step.outline.is_atomic()) {
        problems.push(
            Diagnostic::error("LIM-P008", "a rollback in this list needs a direct connection").help(PAST_THE_POOLER),
        );
    }
    problems.extend(steps.iter().find_map(|step| needs_session(&step.outline, step.work.origin(), around)));
    refuse(problems)?;
    // Where there is nothing to take back, nothing runs.
    let mut callbacks = match steps.is_empty() {
        true => Vec::new(),
        false => callbacks::planned(&ask.callbacks, Direction::Revert, policy, around)?,
    };
    let mut notices: Vec<_> =
        inherit(&mut steps, &mut callbacks, ask.shared_session, around.transactions_only, around.engine)
            .into_iter()
            .collect();
    notices.extend(ignored_by(ask.ignores_pragmas, &steps));
    notices.extend(left_by(ask.shared_session, ask.ignores_pragmas, &steps));
    if policy.single_transaction {
        join(around.engine, &mut steps, &ask.enum_values, &mut notices);
    }
    Ok(Plan {
        format: PLAN_FORMAT,
        project: policy.project.clone(),
        environment: around.environment.clone(),
        engine: around.engine,
        database: full_name(around),
        direction: Direction::Revert,
        ledger_head: ledger.head.clone(),
        values: values_used(
            around.engine,
            steps.iter().chain(callbacks.iter().filter_map(PlannedCallback::step)),
            policy,
        ),
        steps,
        callbacks,
        makes: None,
        skipped: Vec::new(),
        notices,
    })
}

/// The changes that a rollback takes back, newest first.
///
/// # Errors
/// A change that is named and is not applied.
pub fn selected(ledger: &LedgerView, selection: &Selection) -> Result<Vec<Identity>, Box<Diagnostic>> {
    Ok(select(ledger, selection)?.into_iter().map(|row| row.identity.clone()).collect())
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
            // Back to nothing takes the repeatables along that have a way back; else they stand on what goes.
            let to_nothing = version.is_nothing();
            if !to_nothing && !ledger.rows.iter().any(|row| row.identity == Identity::of_version(version)) {
                find(&Identity::of_version(version))?;
            }
            rows.into_iter()
                .filter(|row| match row.version.as_deref() {
                    Some(text) => version.read_alike(text, row.identity.as_str()).is_some_and(|own| own > *version),
                    None => to_nothing && row.has_rollback,
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
                    .help("write one where this format has it (in limosa's and Flyway's files below a line '-- limosa:rollback')"),
            )
        })?;
        return Ok(StoredRollback {
            text: rollback.text.clone(),
            file: rollback.file.clone(),
            position: rollback.start,
            outline: rollback.outline.clone(),
            time_outs: rollback.time_outs(),
            values: BTreeMap::new(),
            placeholders_off: change.is_some_and(|change| change.headers.placeholders_off),
        });
    }
    if row.state == RowState::Partial && row.statements_done == 0 {
        return Err(Box::new(nothing_ran(row)));
    }
    stored.cloned().ok_or_else(|| {
        let what = match row.state {
            RowState::Partial => "ran in part, and has no way back; limosa migrate goes on with it",
            _ => "was applied without a way back",
        };
        Box::new(
            Diagnostic::error("LIM-P014", format!("{} ({}) {what}", row.identity, row.name))
                .help("write one where this format has it (Flyway: a file U1__name.sql beside V1__name.sql; limosa's own files: below a line '-- limosa:rollback'), look at it, and run again with --use-file"),
        )
    })
}

/// Its first statement failed, mostly as what it would make is there already: its way back would take that away.
fn nothing_ran(row: &AppliedRow) -> Diagnostic {
    let (identity, total) = (&row.identity, row.statements_total);
    let message =
        format!("none of the {total} statements of {identity} ({}) ended, so there is nothing to take back", row.name);
    let help = format!(
        "look whether anything of the first one stands. Where nothing does: limosa repair --mark-not-applied {identity}; to run it again: limosa \
         migrate. Where its way back is to run all the same, look at it first, and then: --use-file"
    );
    Diagnostic::error("LIM-P038", message).help(help)
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
    let written = change.map_or(policy.limits, |change| limits(&change.headers, policy));
    let limits = Limits {
        lock_timeout_ms: back.time_outs.lock_ms.unwrap_or(written.lock_timeout_ms),
        statement_timeout_ms: back.time_outs.statement_ms.unwrap_or(written.statement_timeout_ms),
        ..written
    };
    let text = PlannedText {
        origin: back.file.clone(),
        text: back.text,
        position: back.position,
        values: back.values,
        file_checksum: row.file_checksum.clone(),
        up_checksum: row.up_checksum.clone(),
    };
    Step {
        identity: row.identity.clone(),
        label: row.version.as_deref().unwrap_or("R").into(),
        is_versioned: row.version.is_some(),
        name: row.name.as_str().into(),
        action,
        work: Work::Text(Box::new(text)),
        losses: losses(&back.outline),
        outline: back.outline,
        joins_previous: false,
        limits,
        undo: None,
        depends_on: row.depends_on.iter().cloned().collect(),
        placeholders_off: back.placeholders_off,
        rank: None,
        adds_row: false,
        has_journal: ledger.has_journal(&row.identity, Direction::Apply),
        inherits: None,
        because: None,
        hands_on: false,
        goes_on: false,
        begins_with: ThinVec::new(),
        proof: None,
        guard: None,
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
