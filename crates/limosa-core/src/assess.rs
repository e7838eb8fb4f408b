//! Files on one side, ledger on the other: the state of each change.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use limosa_sql::Engine;
use serde::Serialize;

use crate::{AppliedRow, Change, Headers, Identity, Kind, LedgerView, RowState, Version};

/// What stands around a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// The engine of the database.
    pub engine: Engine,
    /// The name by which the database is known in consent: database name, or file path.
    pub database: String,
    /// Host and port; empty for SQLite.
    pub host: String,
    /// The environment, where one was chosen.
    pub environment: Option<String>,
    /// Extensions that the server could install; None where that was not asked.
    pub available_extensions: Option<Vec<String>>,
    /// True where only transactional steps can be run (a pooler in transaction mode, no direct connection).
    pub transactions_only: bool,
}

/// The state of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// To be run.
    Pending,
    /// To be run, although a later version was applied already.
    OutOfOrder,
    /// It ran.
    Applied,
    /// It counts as applied; limosa did not run it.
    Baseline,
    /// It ran, and its up part has changed since.
    Changed,
    /// It ran, and its file is gone.
    Missing,
    /// A repeatable whose text changed; it runs again.
    Outdated,
    /// Some of its statements are committed.
    Partial,
    /// Some statements of its way back are committed.
    Reverting,
    /// To be run; the last attempt failed and left nothing behind.
    Failed,
    /// Not for this engine, environment or server.
    NotApplicable,
}

impl State {
    /// The words for people.
    pub fn title(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::OutOfOrder => "out of order",
            State::Applied => "applied",
            State::Baseline => "baseline",
            State::Changed => "changed",
            State::Missing => "missing",
            State::Outdated => "outdated",
            State::Partial => "partial",
            State::Reverting => "reverting",
            State::Failed => "failed",
            State::NotApplicable => "not applicable",
        }
    }

    /// True where the next migrate would run it.
    pub fn is_pending(self) -> bool {
        matches!(self, State::Pending | State::OutOfOrder | State::Outdated | State::Partial | State::Failed)
    }
}

/// One change with its state.
#[derive(Debug, Clone)]
pub struct Assessed<'a> {
    /// Its identity.
    pub identity: Identity,
    /// The change; None where its file is gone.
    pub change: Option<&'a Change>,
    /// Its row; None where it never ran.
    pub row: Option<&'a AppliedRow>,
    /// Its state.
    pub state: State,
    /// Why, where the state needs a reason.
    pub reason: Option<String>,
}

/// The state of every change, in the order of `changes`; changes without a file come after, in the order of their
/// application.
pub fn assess<'a>(changes: &'a [Change], ledger: &'a LedgerView, around: &Surroundings) -> Vec<Assessed<'a>> {
    assess_up_to(changes, ledger, around, None)
}

/// As [`assess`], where nothing above a version is wanted: it decides which baseline an empty database begins with.
pub fn assess_up_to<'a>(
    changes: &'a [Change],
    ledger: &'a LedgerView,
    around: &Surroundings,
    to: Option<&Version>,
) -> Vec<Assessed<'a>> {
    let base = Base::find(changes, ledger, around, to);
    let rows: HashMap<&Identity, &AppliedRow> = ledger.rows.iter().map(|row| (&row.identity, row)).collect();
    let known: HashSet<&Identity> = changes.iter().map(|change| &change.identity).collect();
    let newest = newest_version(changes, ledger);
    let passed = newest_made(changes, &rows);
    let elsewhere = ledger.unfiled.as_ref();
    let turned_up = elsewhere.map(|unfiled| unfiled.identities(changes, &ledger.rows)).unwrap_or_default();
    let failures: HashMap<&Identity, &str> =
        ledger.failures.iter().map(|failure| (&failure.identity, failure.message.as_str())).collect();

    let mut assessed: Vec<Assessed<'a>> = changes
        .iter()
        .map(|change| {
            let row = rows.get(&change.identity).copied();
            let (state, reason) = match row {
                Some(row) => state_of_applied(change, row),
                None if turned_up.contains(&change.identity) => {
                    let tool = elsewhere.map_or("another tool", |unfiled| unfiled.tool.name());
                    (State::Baseline, Some(format!("{tool} had applied it, and its file has turned up since")))
                }
                None => match base.stands_for(change) {
                    Some(reason) => (State::NotApplicable, Some(reason)),
                    None => match passed_over(change, passed.as_ref())
                        .filter(|_| !ledger.skipped.contains(&change.identity))
                    {
                        Some(reason) => (State::OutOfOrder, Some(reason)),
                        None => state_of_new(change, ledger, around, newest.as_ref(), &failures),
                    },
                },
            };
            Assessed { identity: change.identity.clone(), change: Some(change), row, state, reason }
        })
        .collect();
    assessed.extend(ledger.rows.iter().filter(|row| !known.contains(&row.identity)).map(|row| {
        let (state, reason) = state_without_file(row);
        Assessed { identity: row.identity.clone(), change: None, row: Some(row), state, reason: Some(reason) }
    }));
    assessed
}

/// When the newest of those was made that the tool had run from which the database was taken over, with its name there.
fn newest_made<'a>(changes: &'a [Change], rows: &HashMap<&Identity, &AppliedRow>) -> Option<(i64, &'a Identity)> {
    let ran_there = |change: &&Change| rows.get(&change.identity).is_some_and(|row| row.state == RowState::Baseline);
    let made = changes.iter().filter(ran_there).filter_map(|change| Some((change.headers.made_at?, &change.identity)));
    made.max_by_key(|(made_at, _)| *made_at)
}

/// Why that tool would never run a change.
fn passed_over(change: &Change, newest: Option<&(i64, &Identity)>) -> Option<String> {
    let (newest, name) = newest?;
    (change.headers.made_at? <= *newest).then(|| {
        format!("its \"when\" in the journal is not later than that of {name}, which ran before it was taken over")
    })
}

/// Which baseline counts, if any.
enum Base<'a> {
    /// This one ran, or will: it stands for what has no row of its own up to its version.
    Of { identity: &'a Identity, label: &'a str, version: Version },
    /// None: versions ran one by one.
    Grown,
    /// There is none.
    None,
}

impl<'a> Base<'a> {
    fn find(changes: &'a [Change], ledger: &'a LedgerView, around: &Surroundings, to: Option<&Version>) -> Base<'a> {
        // The row alone counts: its file may be gone, most often for that of a newer baseline.
        let ran = |row: &'a AppliedRow| {
            let (identity, version) = (&row.identity, row.identity.version_of_baseline()?);
            Some(Base::Of { identity, label: row.version.as_deref().unwrap_or(identity.as_str()), version })
        };
        if let Some(base) = ledger.rows.iter().filter_map(ran).max_by(Base::compare) {
            return base;
        }
        if ledger.rows.iter().any(|row| row.version.is_some()) {
            return Base::Grown;
        }
        let wanted = |change: &'a Change| {
            let version = version_of(change).filter(|version| to.is_none_or(|to| *version <= to))?.clone();
            let is_wanted = change.is_baseline && not_applicable(change, around).is_none();
            is_wanted.then_some(Base::Of { identity: &change.identity, label: &change.label, version })
        };
        changes.iter().filter_map(wanted).max_by(Base::compare).unwrap_or(Base::None)
    }

    /// By what they stand for.
    fn compare(one: &Base<'_>, other: &Base<'_>) -> Ordering {
        let version = |base: &Base<'_>| if let Base::Of { version, .. } = base { Some(version.clone()) } else { None };
        version(one).cmp(&version(other))
    }

    /// Why a change without a row of its own does not run.
    fn stands_for(&self, change: &Change) -> Option<String> {
        match self {
            Base::Of { identity, .. } if **identity == change.identity => None,
            Base::Of { label, version: newest, .. } => match version_of(change) {
                Some(version) if version <= newest => Some(format!("{label} stands for it")),
                _ if change.is_baseline => Some(format!("the database began with {label}")),
                _ => None,
            },
            Base::Grown if change.is_baseline => Some("the database has run versions one by one".to_owned()),
            Base::None if change.is_baseline => Some("it stands for more than is wanted".to_owned()),
            Base::Grown | Base::None => None,
        }
    }
}

/// What is half done stays half done when its file goes.
fn state_without_file(row: &AppliedRow) -> (State, String) {
    match row.state {
        RowState::Applied | RowState::Baseline => {
            (State::Missing, "applied, but no file defines it any more".to_owned())
        }
        RowState::Partial => {
            let done = format!("{} of {} statements ran", row.statements_done, row.statements_total);
            (State::Partial, format!("{done}, and no file defines it any more"))
        }
        RowState::Reverting => (State::Reverting, "its rollback was interrupted".to_owned()),
    }
}

/// The newest version that was applied, in whatever state, as the folder of `changes` reads versions; by another tool, too, where the
/// database was taken over from it.
pub fn newest_version(changes: &[Change], ledger: &LedgerView) -> Option<Version> {
    let alike = any_version(changes);
    let read = |row: &AppliedRow| {
        let written = row.version.as_deref()?;
        alike.map_or_else(|| Version::parse(written).ok(), |alike| alike.read_alike(written, row.identity.as_str()))
    };
    if alike.is_none_or(|version| version.name().is_none()) {
        let elsewhere = ledger.newest_elsewhere.as_deref().and_then(|written| Version::parse(written).ok());
        return ledger.rows.iter().filter_map(read).chain(elsewhere).max();
    }
    // The order of names may stand beside the files and change; that of today counts.
    let today: HashMap<&Identity, &Version> =
        changes.iter().filter_map(|change| Some((&change.identity, version_of(change)?))).collect();
    let version = |row: &AppliedRow| match today.get(&row.identity) {
        // Code that has a number among names stands behind them all, and makes none of them late.
        Some(version) => version.name().is_some().then(|| (*version).clone()),
        None => read(row),
    };
    ledger.rows.iter().filter_map(version).filter(|version| !version.is_behind_numbers()).max()
}

/// The version of a change that has one.
pub(crate) fn version_of(change: &Change) -> Option<&Version> {
    match &change.kind {
        Kind::Versioned(version) => Some(version),
        Kind::Repeatable => None,
    }
}

/// Any version of a folder, to read others alike.
pub(crate) fn any_version(changes: &[Change]) -> Option<&Version> {
    changes.iter().filter(|change| !change.is_code).find_map(version_of)
}

fn state_of_applied(change: &Change, row: &AppliedRow) -> (State, Option<String>) {
    match row.state {
        RowState::Partial => {
            let done = format!("{} of {} statements ran", row.statements_done, row.statements_total);
            (State::Partial, Some(done))
        }
        RowState::Reverting => (State::Reverting, Some("its rollback was interrupted".to_owned())),
        RowState::Applied | RowState::Baseline if change.headers.counted_values.is_some() => {
            let counted = change.headers.counted_values.as_ref();
            let script = &change.script;
            match counted.and_then(|counted| counted.outdated(row, &script.file_checksum, &script.up_checksum)) {
                Some(why) => (State::Outdated, Some(why)),
                None if row.state == RowState::Baseline => (State::Baseline, None),
                None => (State::Applied, None),
            }
        }
        RowState::Applied | RowState::Baseline if row.up_checksum != change.script.up_checksum => match change.kind {
            Kind::Repeatable => (State::Outdated, None),
            Kind::Versioned(_) => {
                let reason = format!(
                    "applied as {}, the file is now {}",
                    row.up_checksum.short(),
                    change.script.up_checksum.short()
                );
                (State::Changed, Some(reason))
            }
        },
        RowState::Baseline => (State::Baseline, None),
        RowState::Applied => (State::Applied, None),
    }
}

fn state_of_new(
    change: &Change,
    ledger: &LedgerView,
    around: &Surroundings,
    newest: Option<&Version>,
    failures: &HashMap<&Identity, &str>,
) -> (State, Option<String>) {
    if let Some(reason) = not_applicable(change, around) {
        return (State::NotApplicable, Some(reason));
    }
    let skipped_before = ledger.skipped.contains(&change.identity);
    if let (Kind::Versioned(version), Some(newest)) = (&change.kind, newest)
        && version < newest
        && !skipped_before
        && !change.headers.may_come_late
    {
        return (State::OutOfOrder, Some(format!("version {newest} was applied before it")));
    }
    match failures.get(&change.identity) {
        Some(message) => (State::Failed, Some((*message).to_owned())),
        None => (State::Pending, change.refusals.first().map(|refusal| refusal.message.clone())),
    }
}

/// Why a change does not apply here; None where it does.
pub fn not_applicable(change: &Change, around: &Surroundings) -> Option<String> {
    not_applicable_by(&change.headers, around)
}

/// Why something with these headers does not apply here; None where it does.
pub(crate) fn not_applicable_by(headers: &Headers, around: &Surroundings) -> Option<String> {
    if let Some(reason) = &headers.left_out {
        return Some(reason.clone());
    }
    if !headers.engines.is_empty() && !headers.engines.contains(&around.engine) {
        let names: Vec<&str> = headers.engines.iter().map(|engine| engine.title()).collect();
        return Some(format!("for {} only", names.join(", ")));
    }
    if !headers.environments.is_empty() {
        let here = around.environment.as_deref();
        if !headers.environments.iter().any(|name| Some(name.as_str()) == here) {
            let wanted = headers.environments.join(", ");
            return Some(match here {
                Some(here) => format!("for environment {wanted} only, this is {here}"),
                None => format!("for environment {wanted} only, none is chosen"),
            });
        }
    }
    let available = around.available_extensions.as_ref()?;
    let lacking = headers.requires_extension.iter().find(|name| !available.contains(name))?;
    Some(format!("extension {lacking} is not available on this server"))
}
