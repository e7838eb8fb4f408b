//! `status`, `validate`, `history`: what is, what is wrong, what was. They write nothing.

use std::time::Duration;

use limosa_core::{Assessed, LedgerView, OutOfOrder, RowState, State, assess};
use limosa_db::Value;
use limosa_db::ledger::{audit_row, statements as sql};
use limosa_sql::{Diagnostic, Label, Severity};

use super::adopt::{disagreement, read_otherwise, remembered, turned_up_as_others};
use super::files_alone::warned;
use crate::files::Loaded;
use crate::opened::{Opened, Purpose, open};
use crate::project_of_files::applied_by_default;
use crate::reading::{read_and_open, read_unknown_and_open};
use crate::report::{
    ChangeLine, CheckLine, FindingsAnswer, HistoryAnswer, OperationLine, RunnerLine, SCHEMA_VERSION, StatusAnswer,
};
use crate::{Exit, Failure, Migrator};

/// What `status` is asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct StatusOptions {
    /// Answer no (exit code 1) where something is pending.
    pub fail_on_pending: bool,
}

impl Migrator {
    /// The state of each change. Writes nothing.
    ///
    /// # Errors
    /// Where files or ledger cannot be read.
    pub async fn status(&self, options: StatusOptions) -> Result<StatusAnswer, Failure> {
        let (loaded, mut opened) = read_unknown_and_open(&self.configuration, Purpose::Read, |_| Ok(())).await?;
        let answer = status(&mut opened, &loaded, options).await;
        opened.close().await;
        answer
    }

    /// Whether files and ledger agree. Writes nothing.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub async fn validate(&self) -> Result<FindingsAnswer, Failure> {
        let (loaded, mut opened) = read_and_open(&self.configuration, Purpose::Read, |_| Ok(())).await?;
        let answer = validate(&mut opened, &loaded).await;
        opened.close().await;
        answer
    }

    /// What was done, newest first. Writes nothing.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub async fn history(&self, limit: u32) -> Result<HistoryAnswer, Failure> {
        let mut opened = open(&self.configuration, Purpose::Read).await?;
        let answer = history(&mut opened, limit).await;
        opened.close().await;
        answer
    }
}

async fn status(opened: &mut Opened<'_>, loaded: &Loaded, options: StatusOptions) -> Result<StatusAnswer, Failure> {
    let view = opened.look().await?;
    let around = opened.surroundings(loaded.needs_extensions(&view)).await?;
    let assessed = assess_as_it_stands(&loaded.changes, &view, &around);
    let elsewhere = match assessed.iter().any(|line| line.state.is_pending()) {
        true => opened.history_elsewhere(&view).await?,
        false => None,
    };
    let by_default = applied_by_default(opened, &loaded.changes, &view).await?;
    let by_default = by_default.map(|problem| Diagnostic { severity: Severity::Warning, ..problem });
    let otherwise = opened.tool_elsewhere().filter(|_| elsewhere.is_some());
    let otherwise = otherwise.and_then(|(tool, table)| read_otherwise(opened.configuration, loaded, tool, table));
    let elsewhere = elsewhere.map(|problem| Diagnostic { severity: Severity::Warning, ..problem });
    let disagreement = disagreement(opened, loaded, &view).await?;
    let disagreement = disagreement.map(|problem| Diagnostic { severity: Severity::Warning, ..problem });
    let others = turned_up_as_others(opened, loaded, &view)?;
    let others = others.into_iter().map(|problem| Diagnostic { severity: Severity::Warning, ..problem });
    let pending = assessed.iter().filter(|line| line.state.is_pending()).count();
    // Migrate would stop at it.
    let order = opened.configuration.out_of_order;
    let late = assessed.iter().filter(|line| line.state == State::OutOfOrder && order == OutOfOrder::Refuse);
    let late: Vec<Diagnostic> = late.take(1).filter_map(|line| finding(line, order)).collect();
    let late = late.into_iter().map(|problem| Diagnostic { severity: Severity::Warning, ..problem });
    let told = loaded.told_of_pending(&view);
    let exit = match () {
        () if told.iter().any(Diagnostic::is_error) => Exit::Usage,
        () if options.fail_on_pending && pending > 0 => Exit::No,
        () => Exit::Done,
    };
    let adopted = match view.keeps_another || view.rows.iter().any(|row| row.state == RowState::Baseline) {
        true => remembered(opened, &view).await?.map(|adopted| adopted.line()),
        false => None,
    };
    Ok(StatusAnswer {
        schema_version: SCHEMA_VERSION,
        command: "status",
        exit_code: exit.into(),
        target: opened.target.clone(),
        format: loaded.layout.name(),
        format_reason: loaded.format_reason.clone(),
        ledger_exists: view.exists,
        changes: assessed.iter().map(line).collect(),
        pending,
        applied: view.rows.iter().filter(|row| matches!(row.state, RowState::Applied | RowState::Baseline)).count(),
        runner: runner(&view, opened.configuration.lease),
        adopted,
        audit_head: view.head.clone(),
        notices: opened
            .notices()
            .into_iter()
            .chain(otherwise)
            .chain(elsewhere)
            .chain(by_default)
            .chain(disagreement)
            .chain(others)
            .chain(late)
            .chain(told)
            .collect(),
    })
}

/// Who runs now.
pub(crate) fn runner(view: &LedgerView, lease_time: Duration) -> Option<RunnerLine> {
    let lease = view.lease.as_ref()?;
    let holder = lease.holder.clone()?;
    let silent = lease.silent_seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0);
    let may_be_gone = silent > lease_time.as_secs();
    Some(RunnerLine { holder, since: lease.since.clone(), silent_seconds: lease.silent_seconds, may_be_gone })
}

/// Who runs now, where his last sign of life is not old: what is half done then is on its way.
pub(crate) fn living_runner(view: &LedgerView, lease_time: Duration) -> Option<RunnerLine> {
    runner(view, lease_time).filter(|runner| !runner.may_be_gone)
}

/// As [`assess`], with what was begun in pieces and left nothing behind as what it is: an attempt that failed.
pub(crate) fn assess_as_it_stands<'a>(
    changes: &'a [limosa_core::Change],
    view: &'a LedgerView,
    around: &limosa_core::Surroundings,
) -> Vec<Assessed<'a>> {
    let mut assessed = assess(changes, view, around);
    let begun = |line: &&mut Assessed<'a>| line.state == State::Partial && line.change.is_some();
    for line in assessed.iter_mut().filter(begun).filter(|line| view.stands_untouched(&line.identity)) {
        if let Some(failure) = view.failures.iter().find(|failure| failure.identity == line.identity) {
            (line.state, line.reason) = (State::Failed, Some(failure.message.clone()));
        }
    }
    assessed
}

fn line(assessed: &Assessed<'_>) -> ChangeLine {
    let (change, row) = (assessed.change, assessed.row);
    ChangeLine {
        identity: assessed.identity.clone(),
        version: change.map_or_else(
            || row.and_then(|row| row.version.as_deref()).unwrap_or("R").into(),
            |change| change.label.clone(),
        ),
        name: change.map_or_else(|| row.map_or("", |row| &row.name).into(), |change| change.name.clone()),
        state: assessed.state,
        reason: assessed.reason.clone(),
        file: change.map(|change| change.script.file.clone()),
        applied_at: row.map(|row| row.applied_at.clone()),
        applied_by: row.map(|row| row.applied_by.clone()),
        execution_ms: row.map(|row| row.execution_ms),
        has_rollback: row
            .map_or_else(|| change.is_some_and(|change| change.rollback.is_some()), |row| row.has_rollback),
        checksum: change
            .map(|change| change.script.up_checksum.to_string())
            .or_else(|| row.map(|row| row.up_checksum.to_string()))
            .unwrap_or_default(),
    }
}

async fn validate(opened: &mut Opened<'_>, loaded: &Loaded) -> Result<FindingsAnswer, Failure> {
    let view = opened.look().await?;
    let around = opened.surroundings(loaded.needs_extensions(&view)).await?;
    let assessed = assess_as_it_stands(&loaded.changes, &view, &around);
    let is_run_now = living_runner(&view, opened.configuration.lease).is_some();
    let is_on_its_way = |state: State| is_run_now && matches!(state, State::Partial | State::Reverting);
    let mut findings = loaded.diagnostics.clone();
    let order = opened.configuration.out_of_order;
    findings.extend(disagreement(opened, loaded, &view).await?);
    findings.extend(turned_up_as_others(opened, loaded, &view)?);
    findings.extend(assessed.iter().filter(|line| !is_on_its_way(line.state)).filter_map(|line| finding(line, order)));
    let pending = || assessed.iter().filter(|line| line.state.is_pending()).filter_map(|line| line.change);
    findings.extend(pending().flat_map(warned));
    findings.extend(opened.unknown_placeholders(pending()));
    let count = |state: State| assessed.iter().filter(|line| line.state == state).count();
    let states = [
        State::Applied,
        State::Baseline,
        State::Pending,
        State::OutOfOrder,
        State::Outdated,
        State::Failed,
        State::Changed,
        State::Missing,
        State::Partial,
        State::Reverting,
        State::NotApplicable,
    ];
    let checks = states
        .iter()
        .filter(|state| count(**state) > 0)
        .map(|state| CheckLine {
            name: state.title().to_owned(),
            result: match state {
                state if is_on_its_way(*state) => "ok",
                State::OutOfOrder if order == OutOfOrder::Allow => "ok",
                State::OutOfOrder if order == OutOfOrder::Warn => "warning",
                State::Changed | State::Partial | State::Reverting | State::Missing | State::OutOfOrder => "error",
                State::Failed => "warning",
                _ => "ok",
            },
            seen: count(*state).to_string(),
        })
        .collect();
    let exit = if findings.iter().any(Diagnostic::is_error) { Exit::No } else { Exit::Done };
    Ok(FindingsAnswer {
        schema_version: SCHEMA_VERSION,
        command: "validate",
        exit_code: exit.into(),
        target: Some(opened.target.clone()),
        against: None,
        findings,
        checks,
    })
}

fn finding(line: &Assessed<'_>, order: OutOfOrder) -> Option<Diagnostic> {
    let reason = line.reason.as_deref().unwrap_or_default();
    let name = line.change.map(|change| change.script.file.clone()).unwrap_or_else(|| line.identity.to_string().into());
    let (code, message, help) = match line.state {
        State::Changed => (
            "LIM-P001",
            format!("{name} was changed after it was applied: {reason}"),
            format!("put the file back, or accept it as it stands: limosa repair --accept {}", line.identity),
        ),
        State::Missing => (
            "LIM-P002",
            format!(
                "{} ({}) has no file any more",
                line.identity,
                line.row.map(|row| row.name.as_str()).unwrap_or_default()
            ),
            match line.identity.version_of_baseline() {
                Some(version) => format!(
                    "put the file back where new databases are to begin with it; its row stands for all versions up to {version}, and must stay"
                ),
                None => {
                    format!("put the file back, or forget the row: limosa repair --mark-not-applied {}", line.identity)
                }
            },
        ),
        State::OutOfOrder if order != OutOfOrder::Allow => (
            "LIM-P005",
            format!("{name} comes late: {reason}"),
            "give it a newer version, or allow it: --out-of-order warn".to_owned(),
        ),
        State::Partial if line.change.is_none() => (
            "LIM-P003",
            format!("{name} was interrupted: {reason}"),
            "put the file back, or settle it with 'limosa repair'".to_owned(),
        ),
        State::Partial => (
            "LIM-P017",
            format!("{name} was interrupted: {reason}"),
            "run limosa migrate: it looks at the database and goes on from there".to_owned(),
        ),
        State::Reverting => (
            "LIM-P004",
            format!("the rollback of {name} was interrupted"),
            format!(
                "finish it: limosa rollback {id}; where its recorded way back is what fails, correct it in the file and add --use-file; \
                 where all of it stands as before: limosa repair --mark-applied {id}",
                id = line.identity
            ),
        ),
        _ => return None,
    };
    let warns = line.state == State::OutOfOrder && order == OutOfOrder::Warn;
    let severity = if warns { Severity::Warning } else { Severity::Error };
    let mut diagnostic = Diagnostic::new(code, severity, message).help(help);
    if let Some(change) = line.change {
        diagnostic = diagnostic.at(Label::file(change.script.file.as_str()));
    }
    Some(diagnostic)
}

async fn history(opened: &mut Opened<'_>, limit: u32) -> Result<HistoryAnswer, Failure> {
    let view = opened.look().await?;
    let rows = match view.exists {
        true => {
            let newest = opened.ledger.bound(&sql::AUDIT_NEWEST, vec![Value::Integer(i64::from(limit))]);
            let ledger = opened.ledger.clone();
            ledger.transact(opened.session.as_mut(), vec![newest]).await?.pop().unwrap_or_default()
        }
        false => Vec::new(),
    };
    let operations = rows
        .iter()
        .map(|row| {
            let row = audit_row(row);
            OperationLine {
                detail: serde_json::from_str(&row.detail).unwrap_or(serde_json::Value::String(row.detail)),
                sequence: row.sequence,
                at: row.at,
                actor: row.actor,
                operation: row.operation,
                identity: row.identity,
                outcome: row.outcome,
                hash: row.hash,
            }
        })
        .collect();
    Ok(HistoryAnswer {
        schema_version: SCHEMA_VERSION,
        command: "history",
        exit_code: Exit::Done.into(),
        target: opened.target.clone(),
        operations,
    })
}
