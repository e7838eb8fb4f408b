//! Files that turn up after a database was taken over, of what the other tool had applied: they count as applied, and never run.

use limosa_core::{Compared, LedgerView, Unfiled, Verdict};
use limosa_db::Item;
use limosa_run::Stop;
use limosa_sql::{Diagnostic, Label};
use serde_json::json;

use super::super::baseline::counted;
use super::super::held::{Edit, under_lock};
use super::files::Checking;
use super::memory::{remember_unfiled, remembered};
use super::taking::few;
use crate::event::Listener;
use crate::files::Loaded;
use crate::opened::Opened;
use crate::{Exit, Failure};

/// Gives those files their rows, and says so; gives the ledger as it is then. Nothing to do where there are none.
///
/// # Errors
/// A file that is not the one which was applied, by the checksum that the tool had of it; what the server says.
pub(crate) async fn count_turned_up(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    view: LedgerView,
    listener: &dyn Listener,
    stop: &Stop,
) -> Result<(LedgerView, Option<Diagnostic>), Failure> {
    let Some(unfiled) = &view.unfiled else { return Ok((view, None)) };
    let lines = compared(opened, loaded, unfiled, &view)?;
    if lines.is_empty() {
        return Ok((view, None));
    }
    refuse(lines.iter().filter_map(|line| is_another(unfiled, line)).collect())?;
    let adopted = remembered(opened, &view).await?;
    under_lock(opened, listener, stop, |opened, now, marks| {
        let mut edit = Edit { items: Vec::new(), audit: Vec::new() };
        let (mut adopted, mut still) = (adopted, now.unfiled.clone());
        let is_open = |identity: &limosa_core::Identity| {
            let known = now.unfiled.as_ref().is_none_or(|unfiled| unfiled.counted.contains(identity.as_str()));
            !known && now.row(identity).is_none()
        };
        for (rank, line) in (now.newest_rank + 1..).zip(&lines) {
            let Some(change) = line.change.filter(|change| is_open(&change.identity)) else { continue };
            edit.items.push(opened.ledger.write_row(&counted(opened, change, marks, Some(rank))));
            let key = line.row.map(|row| row.key.clone());
            let detail = json!({
                "name": change.name,
                "tool": unfiled.tool.word(),
                "key": key,
                "verdict": line.verdict.as_str(),
                "note": line.note,
                "recorded_checksum": line.row.and_then(|row| row.checksum.as_deref()),
                "turned_up": true,
            });
            edit.audit.push(("adopt", Some(change.identity.to_string()), detail));
            if let Some(still) = &mut still {
                still.counted.insert(change.identity.to_string());
            }
            if let Some(adopted) = &mut adopted {
                adopted.missing.retain(|known| Some(known) != key.as_ref());
                adopted.migrations.insert(change.identity.to_string(), key.unwrap_or_default());
            }
        }
        if !edit.audit.is_empty() {
            edit.items.push(remember_unfiled(opened, still.as_ref()));
            edit.items.extend(adopted.map(|adopted| adopted.remember(opened)));
        }
        Ok(edit)
    })
    .await?;
    let told = told(unfiled, &lines);
    opened.looked = None;
    Ok((opened.look().await?, Some(told)))
}

fn refuse(diagnostics: Vec<Diagnostic>) -> Result<(), Failure> {
    if diagnostics.is_empty() { Ok(()) } else { Err(Failure { exit: Exit::Person, diagnostics }) }
}

/// Files that have turned up for what the tool had applied, and that are not those which it applied.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn turned_up_as_others(
    opened: &Opened<'_>,
    loaded: &Loaded,
    view: &LedgerView,
) -> Result<Vec<Diagnostic>, Failure> {
    let Some(unfiled) = &view.unfiled else { return Ok(Vec::new()) };
    let lines = compared(opened, loaded, unfiled, view)?;
    Ok(lines.iter().filter_map(|line| is_another(unfiled, line)).collect())
}

/// Refuses these.
///
/// # Errors
/// Those, and a file that cannot be read.
pub(crate) fn refuse_turned_up_as_others(
    opened: &Opened<'_>,
    loaded: &Loaded,
    view: &LedgerView,
) -> Result<(), Failure> {
    refuse(turned_up_as_others(opened, loaded, view)?)
}

/// Those files, each compared with what the tool has recorded of it.
fn compared<'l>(
    opened: &Opened<'_>,
    loaded: &'l Loaded,
    unfiled: &'l Unfiled,
    view: &LedgerView,
) -> Result<Vec<Compared<'l>>, Failure> {
    let mut checking = Checking::new(opened, &loaded.layout, unfiled.tool);
    let by_other_name = |key: &str| loaded.layout.by_other_name(key);
    let lines = unfiled
        .turned_up(&loaded.changes, &view.rows, &by_other_name, &mut |change, row| checking.agreement(change, row));
    checking.end()?;
    Ok(lines)
}

/// A file that is not the one which was applied.
fn is_another(unfiled: &Unfiled, line: &Compared<'_>) -> Option<Diagnostic> {
    let change = line.change.filter(|_| line.verdict == Verdict::Diverged)?;
    let tool = unfiled.tool.name();
    let message = format!(
        "{tool} had applied {} when this database was taken over, and the file that has turned up is not the one which it applied",
        change.label
    );
    let help = format!(
        "put it back as it was applied; where the database has what it says today: limosa repair --mark-applied {}; where it is \
         another migration: give it a version of its own",
        change.identity
    );
    Some(Diagnostic::error("LIM-U161", message).at(Label::file(change.script.file.as_str())).help(help))
}

fn told(unfiled: &Unfiled, lines: &[Compared<'_>]) -> Diagnostic {
    let files: Vec<&str> = lines.iter().filter_map(|line| Some(line.change?.script.file.as_str())).collect();
    let tool = unfiled.tool.name();
    let message = format!(
        "{tool} had applied what has turned up as a file now, so it counts as applied and was not run: {}",
        few(&files)
    );
    let help = "where a file is another migration that only has the same version: limosa repair --mark-not-applied MIGRATION, and give it a \
                version of its own";
    Diagnostic::warning("LIM-U160", message).help(help)
}

/// Where a person counts changes as applied: what remembers that, so that nothing counts them once more after they were taken back.
pub(crate) fn counted_by_hand(
    opened: &Opened<'_>,
    view: &LedgerView,
    applied: &[&limosa_core::Change],
) -> Option<Item> {
    let mut unfiled = view.unfiled.clone()?;
    unfiled.counted.extend(applied.iter().map(|change| change.identity.to_string()));
    Some(remember_unfiled(opened, Some(&unfiled)))
}
