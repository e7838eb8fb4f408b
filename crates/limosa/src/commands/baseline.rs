//! `baseline`: an existing database counts as migrated up to a version, without running anything.

use async_trait::async_trait;
use limosa_core::{Change, Kind, LedgerView, RowState, Undo, Version, not_applicable};
use limosa_db::ledger::RowEntry;
use limosa_run::Stop;
use limosa_sql::{Diagnostic, Engine};
use serde_json::json;

use super::adopt::{counted_by_hand, left_half_done, look_there, told_by_hand};
use super::held::{Edit, Look, Marks, under_lock_after};
use crate::event::Listener;
use crate::files::Loaded;
use crate::opened::{Opened, Purpose};
use crate::reading::read_and_open;
use crate::report::DoneAnswer;
use crate::telling::told;
use crate::{Exit, Failure, Migrator};

impl Migrator {
    /// Marks all changes up to a version as applied without running them.
    ///
    /// # Errors
    /// Where a change up to that version was applied by limosa, or there is none.
    pub async fn baseline(
        &self,
        to: &Version,
        dry_run: bool,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<DoneAnswer, Failure> {
        if dry_run {
            return self.count_as_applied(to, dry_run, listener, stop).await;
        }
        told(&self.configuration, "baseline", listener, self.count_as_applied(to, dry_run, listener, stop)).await
    }

    async fn count_as_applied(
        &self,
        to: &Version,
        dry_run: bool,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<DoneAnswer, Failure> {
        let purpose = if dry_run { Purpose::Read } else { Purpose::Write };
        let check = |loaded: &Loaded| {
            loaded.refuse_errors_where_none_runs()?;
            if up_to(loaded, to)?.is_empty() {
                let message = format!("no migration has a version up to {to}");
                return Err(Failure::usage("LIM-U020", message, "see them: limosa status"));
            }
            Ok(())
        };
        let (loaded, mut opened) = read_and_open(&self.configuration, purpose, check).await?;
        let chosen = up_to(&loaded, to)?;
        let answer = count(&mut opened, &loaded, &chosen, dry_run, listener, &stop).await;
        opened.close().await;
        let mut answer = answer?;
        answer.notices.extend(without_file(&loaded, to, &chosen)?);
        Ok(answer)
    }
}

/// Says that nothing keeps the version itself: a slip of the hand, or more than the folder has.
fn without_file(loaded: &Loaded, to: &Version, chosen: &[&Change]) -> Result<Option<Diagnostic>, Failure> {
    let wanted = loaded.version(to, &[])?;
    if chosen.iter().any(|change| place(change).is_some_and(|place| place == wanted)) {
        return Ok(None);
    }
    let message = format!("no file has the version {to}: one up to it that turns up later is run");
    let help = "where it is not meant to be, give it a place among the files before, and name its version with --to";
    Ok(Some(Diagnostic::warning("LIM-P019", message).help(help)))
}

/// The version of a change, or its place among versions.
fn place(change: &Change) -> Option<Version> {
    match &change.kind {
        Kind::Versioned(version) => Some(version.clone()),
        Kind::Repeatable => change.headers.place.clone(),
    }
}

fn up_to<'l>(loaded: &'l Loaded, to: &Version) -> Result<Vec<&'l Change>, Failure> {
    let to = loaded.version(to, &[])?;
    let is_meant = |change: &&Change| place(change).is_some_and(|place| place <= to);
    Ok(loaded.changes.iter().filter(is_meant).collect())
}

async fn count(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    chosen: &[&Change],
    dry_run: bool,
    listener: &dyn Listener,
    stop: &Stop,
) -> Result<DoneAnswer, Failure> {
    let view = opened.look().await?;
    AtRest.look(opened, &view).await?;
    let around = opened.surroundings(loaded.needs_extensions(&view)).await?;
    refuse_known(&view, chosen)?;
    let lines = chosen
        .iter()
        .map(|change| match not_applicable(change, &around) {
            None => format!("{} {} counts as applied", change.label, change.name),
            Some(reason) => format!("{} {} does not apply here: {reason}", change.label, change.name),
        })
        .collect();
    let mut answer = DoneAnswer::new("baseline", Some(&opened.target));
    if dry_run {
        look_there(opened, &view).await?;
        let applied: Vec<&Change> =
            chosen.iter().copied().filter(|change| not_applicable(change, &around).is_none()).collect();
        told_by_hand(opened, loaded, &view, &applied, &[])?;
        answer.would = lines;
        return Ok(answer);
    }
    let written = under_lock_after(opened, listener, stop, &AtRest, |opened, view, marks| {
        refuse_known(view, chosen)?;
        let mut edit = Edit { items: Vec::new(), audit: Vec::new() };
        let mut applied = Vec::new();
        for (rank, change) in (view.newest_rank + 1..).zip(chosen) {
            let mut row = counted(opened, change, marks, Some(rank));
            if not_applicable(change, &around).is_some() {
                // Skipped: it may run one day, when it applies.
                row.state = None;
            } else {
                applied.push(*change);
                edit.audit.push(("baseline", Some(change.identity.to_string()), json!({"name": change.name})));
            }
            edit.items.push(opened.ledger.write_row(&row));
        }
        edit.items.extend(counted_by_hand(opened, view, &applied));
        edit.items.extend(told_by_hand(opened, loaded, view, &applied, &[])?);
        Ok(edit)
    })
    .await?;
    Ok(written.answer(answer, lines))
}

/// Refuses where another tool left something half done: counted as applied, nobody would ever learn of it. A ledger that is kept is looked
/// at by whoever writes it.
struct AtRest;

#[async_trait]
impl Look for AtRest {
    async fn look(&self, opened: &mut Opened<'_>, view: &LedgerView) -> Result<(), Failure> {
        if view.keeps_another || opened.configuration.ignore_other_ledgers {
            return Ok(());
        }
        let diagnostics = left_half_done(opened, view, "limosa baseline").await?;
        if diagnostics.is_empty() { Ok(()) } else { Err(Failure { exit: Exit::Person, diagnostics }) }
    }
}

fn refuse_known(view: &LedgerView, chosen: &[&Change]) -> Result<(), Failure> {
    let known = view.rows.iter().find(|row| chosen.iter().any(|change| change.identity == row.identity));
    let Some(row) = known else { return Ok(()) };
    Err(Failure::person(
        "LIM-U021",
        format!("{} ({}) is in the ledger already", row.identity, row.name),
        "a baseline is for a database that limosa has not migrated; see limosa history",
    ))
}

/// The row of a change that counts as applied. Without a rank the server looks for the one behind all others.
pub(crate) fn counted(opened: &Opened<'_>, change: &Change, marks: &Marks, rank: Option<i64>) -> RowEntry {
    let rollback = change.rollback.as_ref();
    let depends_on: Vec<&str> = change.depends_on.iter().map(limosa_core::Identity::as_str).collect();
    RowEntry {
        identity: change.identity.to_string(),
        version: matches!(change.kind, Kind::Versioned(_)).then(|| change.label.to_string()),
        name: change.name.to_string(),
        checksum: change.script.file_checksum.to_string(),
        up_checksum: change.script.up_checksum.to_string(),
        state: Some(RowState::Baseline),
        done: change.script.outline.statements.cast_signed(),
        total: change.script.outline.statements.cast_signed(),
        applied_by: opened.configuration.actor.clone(),
        execution_ms: match opened.target.engine {
            Engine::Sqlite => -limosa_db::monotonic_ms(),
            _ => 0,
        },
        rollback: rollback.map(|rollback| rollback.text.clone()),
        rollback_origin: rollback.map(|rollback| Undo(rollback.clone()).origin(change.headers.placeholders_off)),
        rollback_values: None,
        depends_on: json!(depends_on).to_string(),
        plan_digest: None,
        epoch: marks.epoch,
        step_mark: marks.step_mark.clone(),
        rank,
        is_new: false,
    }
}
