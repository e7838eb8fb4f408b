//! `repair`: explains what is wrong with the ledger, then mends what it is told to.

use std::collections::HashMap;

use limosa_core::{
    AppliedRow, Change, Direction, FirstPart, GroupMode, Identity, JournalRow, LedgerView, RowState, State,
    StatementHasher, assess, other_first_part,
};
use limosa_db::ledger::{JournalEntry, statements as sql};
use limosa_db::{Item, Value};
use limosa_run::Stop;
use limosa_sql::Diagnostic;
use serde_json::json;

use super::adopt::{counted_by_hand, look_there, told_by_hand, told_of_accepted};
use super::baseline::counted;
use super::held::{Edit, Marks, under_lock};
use super::status::living_runner;
use crate::event::Listener;

use crate::files::Loaded;
use crate::opened::{Opened, Purpose};
use crate::reading::read_and_open;
use crate::report::DoneAnswer;
use crate::telling::told;
use crate::{Failure, Migrator, interrupted_scripts};

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// Only explain.
    Explain,
    /// A statement outside a transaction took effect: `identity`, statement number.
    MarkDone(Identity, u64),
    /// It did not: run it again.
    Retry(Identity, u64),
    /// The change counts as applied; nothing is run.
    MarkApplied(Identity),
    /// The change counts as not applied; nothing is run.
    MarkNotApplied(Identity),
    /// The file of an applied change is right as it stands now.
    Accept(Identity),
}

impl Repair {
    /// The same of the change that is meant.
    fn meant(&self, find: impl Fn(&Identity) -> Result<Identity, Failure>) -> Result<Repair, Failure> {
        Ok(match self {
            Repair::Explain => Repair::Explain,
            Repair::MarkDone(identity, number) => Repair::MarkDone(find(identity)?, *number),
            Repair::Retry(identity, number) => Repair::Retry(find(identity)?, *number),
            Repair::MarkApplied(identity) => Repair::MarkApplied(find(identity)?),
            Repair::MarkNotApplied(identity) => Repair::MarkNotApplied(find(identity)?),
            Repair::Accept(identity) => Repair::Accept(find(identity)?),
        })
    }
}

impl Migrator {
    /// Explains, or mends one thing.
    ///
    /// # Errors
    /// Where the thing is not there to be mended.
    pub async fn repair(
        &self,
        repair: &Repair,
        dry_run: bool,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<DoneAnswer, Failure> {
        if dry_run || *repair == Repair::Explain {
            return Box::pin(self.mend(repair, dry_run, listener, stop)).await;
        }
        told(&self.configuration, "repair", listener, self.mend(repair, dry_run, listener, stop)).await
    }

    async fn mend(
        &self,
        repair: &Repair,
        dry_run: bool,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<DoneAnswer, Failure> {
        let looking = dry_run || *repair == Repair::Explain;
        let purpose = if looking { Purpose::Read } else { Purpose::Change };
        let (loaded, mut opened) = read_and_open(&self.configuration, purpose, |_| Ok(())).await?;
        let result = mend(&mut opened, &loaded, repair, looking, listener, &stop).await;
        opened.close().await;
        result
    }
}

async fn mend(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    repair: &Repair,
    looking: bool,
    listener: &dyn Listener,
    stop: &Stop,
) -> Result<DoneAnswer, Failure> {
    let mut answer = DoneAnswer::new("repair", Some(&opened.target));
    if looking {
        let view = opened.look().await?;
        if *repair == Repair::Explain {
            let around = opened.surroundings(false).await?;
            let first_parts = interrupted_scripts::first_parts(opened, &loaded.changes, &view)?;
            answer.would = match living_runner(&view, opened.configuration.lease) {
                // Who runs writes this, and what stands half done is on its way.
                Some(runner) => vec![format!("{} is at it now: look again when it has ended", runner.holder)],
                None => explain(&loaded.changes, &view, &first_parts, &around),
            };
        } else {
            let marks = Marks { epoch: 0, step_mark: String::new() };
            look_there(opened, &view).await?;
            let (_, words) = decide(opened, loaded, &view, repair, &marks)?;
            answer.would = vec![words];
        }
        return Ok(answer);
    }
    let mut words = String::new();
    let written = under_lock(opened, listener, stop, |opened, view, marks| {
        let (edit, said) = decide(opened, loaded, view, repair, marks)?;
        words = said;
        Ok(edit)
    })
    .await?;
    Ok(written.answer(answer, vec![words]))
}

fn explain(
    changes: &[Change],
    view: &LedgerView,
    first_parts: &HashMap<Identity, FirstPart>,
    around: &limosa_core::Surroundings,
) -> Vec<String> {
    let mut lines = Vec::new();
    for line in assess(changes, view, around) {
        let id = &line.identity;
        match line.state {
            State::Changed => lines.push(format!(
                "{id}: the file was changed after it was applied ({}). Put it back, or: limosa repair --accept {id}",
                line.reason.unwrap_or_default()
            )),
            State::Missing if let Some(version) = id.version_of_baseline() => lines.push(format!(
                "{id}: applied, and its file is gone. Its row stands for all versions up to {version} and must stay; the file is needed for new \
                 databases alone"
            )),
            State::Missing => lines.push(format!(
                "{id}: applied, and its file is gone. Put it back, or forget it: limosa repair --mark-not-applied {id}"
            )),
            State::Partial if line.change.is_none() => lines.push(format!(
                "{id}: {}. Put the file back, or forget it: limosa repair --mark-not-applied {id}",
                line.reason.unwrap_or_default()
            )),
            State::Partial if let Some(problem) = first_part_problem(line.change, view.row(id), first_parts) => {
                lines.push(format!("{id}: {}: {}", problem.message, problem.help.unwrap_or_default()));
            }
            State::Partial | State::Reverting => {
                let command =
                    if line.state == State::Partial { "migrate".to_owned() } else { format!("rollback {id}") };
                let wanted = if line.state == State::Partial { Direction::Apply } else { Direction::Revert };
                let journal = view.journal.iter().find(|row| row.identity == *id && row.direction == wanted);
                let current = journal.and_then(|row| row.current.as_ref());
                lines.push(match current {
                    Some(current) => format!(
                        "{id}: statement {n} was begun {at} and not seen to end. 'limosa {command}' looks at the catalogue first; \
                         where it must ask: limosa repair --mark-done {id}:{n}, or limosa repair --retry {id}:{n}",
                        n = current.number,
                        at = current.started_at,
                    ),
                    None if line.state == State::Reverting => format!(
                        "{id}: {}. 'limosa {command}' goes on from there; where all of it stands as before: limosa repair --mark-applied \
                         {id}",
                        line.reason.unwrap_or_default()
                    ),
                    None => {
                        let goes_on =
                            format!("{id}: {}. 'limosa {command}' goes on from there", line.reason.unwrap_or_default());
                        let next = journal.map_or(0, |row| row.done.unsigned_abs()) + 1;
                        match line.change.is_some_and(|change| may_be_passed_over(change, next)) {
                            true => format!(
                                "{goes_on}; where statement {next} took effect all the same: limosa repair --mark-done {id}:{next}"
                            ),
                            false => goes_on,
                        }
                    }
                });
            }
            _ => {}
        }
    }
    if lines.is_empty() {
        lines.push("nothing to repair: files and ledger agree".to_owned());
    }
    lines
}

/// Why migrate will not go on with a change that stopped half-way.
fn first_part_problem(
    change: Option<&Change>,
    row: Option<&AppliedRow>,
    first_parts: &HashMap<Identity, FirstPart>,
) -> Option<Diagnostic> {
    let change = change?;
    other_first_part(change, row?, first_parts.get(&change.identity)?)
}

fn decide(
    opened: &Opened<'_>,
    loaded: &Loaded,
    view: &LedgerView,
    repair: &Repair,
    marks: &Marks,
) -> Result<(Edit, String), Failure> {
    let changes = &loaded.changes;
    match &repair.meant(|written| loaded.identity(written, &view.rows))? {
        Repair::Explain => Ok((Edit { items: Vec::new(), audit: Vec::new() }, String::new())),
        Repair::MarkDone(identity, number) | Repair::Retry(identity, number) => {
            let done = matches!(repair, Repair::MarkDone(..));
            match behind_the_failed(opened, changes, view, identity, *number, marks)?.filter(|_| done) {
                Some(edit) => Ok(edit),
                None => statement(opened, view, identity, *number, done, marks),
            }
        }
        Repair::MarkApplied(identity) => {
            let change = change_of(changes, identity)?;
            let stands = |row: &&limosa_core::AppliedRow| matches!(row.state, RowState::Applied | RowState::Baseline);
            if let Some(row) = view.row(identity).filter(stands) {
                return Err(Failure::usage(
                    "LIM-U030",
                    format!("{identity} ({}) is applied already", row.name),
                    "see limosa status",
                ));
            }
            let mut items = vec![opened.ledger.write_row(&counted(opened, change, marks, None))];
            items.extend(forget_journal(opened, identity));
            items.extend(counted_by_hand(opened, view, &[change]));
            items.extend(told_by_hand(opened, loaded, view, &[change], &[])?);
            let audit = vec![("repair", Some(identity.to_string()), json!({"mark": "applied"}))];
            Ok((Edit { items, audit }, format!("{identity} {} counts as applied; nothing was run", change.name)))
        }
        Repair::MarkNotApplied(identity) => {
            let row = view.row(identity).ok_or_else(|| not_in_ledger(identity))?;
            let mut items = vec![opened.ledger.bound(&sql::DELETE_ROW, vec![Value::Text(identity.to_string())])];
            items.extend(forget_journal(opened, identity));
            items.extend(told_by_hand(opened, loaded, view, &[], std::slice::from_ref(identity))?);
            let audit = vec![("repair", Some(identity.to_string()), json!({"mark": "not applied", "name": row.name}))];
            Ok((Edit { items, audit }, format!("{identity} {} counts as not applied; nothing was run", row.name)))
        }
        Repair::Accept(identity) => {
            let change = change_of(changes, identity)?;
            let row = view.row(identity).ok_or_else(|| not_in_ledger(identity))?;
            let mut items = vec![opened.ledger.bound(
                &sql::ACCEPT_ROW,
                vec![
                    Value::Text(identity.to_string()),
                    Value::Text(change.script.file_checksum.to_string()),
                    Value::Text(change.script.up_checksum.to_string()),
                    Value::Text(change.name.to_string()),
                ],
            )];
            items.extend(first_part_accepted(opened, view, change)?);
            items.extend(told_of_accepted(opened, loaded, view, change)?);
            let detail = json!({"accept": change.script.up_checksum, "was": row.up_checksum});
            let said = format!(
                "{identity} {}: the file is accepted as it stands ({})",
                change.name,
                change.script.up_checksum.short()
            );
            Ok((Edit { items, audit: vec![("repair", Some(identity.to_string()), detail)] }, said))
        }
    }
}

/// Where the change stopped half-way: its first statements as they are now count as those that ran.
fn first_part_accepted(opened: &Opened<'_>, view: &LedgerView, change: &Change) -> Result<Option<Item>, Failure> {
    let is_its = |row: &&JournalRow| row.identity == change.identity && row.direction == Direction::Apply;
    let Some(row) = view.journal.iter().find(is_its) else { return Ok(None) };
    let (id, file, done) = (&change.identity, &change.script.file, row.done);
    let found = interrupted_scripts::hashed(opened, change, done.unsigned_abs())?.ok_or_else(|| {
        Failure::usage(
            "LIM-U167",
            format!("{done} statements of {file} ran and are committed, and it has fewer now"),
            format!("put them back; or finish it by hand, and then: limosa repair --mark-applied {id}"),
        )
    })?;
    let parameters = vec![id.to_string().into(), Direction::Apply.as_str().into(), found.hasher.value().into()];
    Ok(Some(opened.ledger.bound(&sql::REHASH_JOURNAL, parameters)))
}

/// Where the change stopped half-way at this statement, which failed and is in no doubt: somebody knows that it took effect all the
/// same.
fn behind_the_failed(
    opened: &Opened<'_>,
    changes: &[Change],
    view: &LedgerView,
    identity: &Identity,
    number: u64,
    marks: &Marks,
) -> Result<Option<(Edit, String)>, Failure> {
    let rows: Vec<&JournalRow> = view.journal.iter().filter(|row| row.identity == *identity).collect();
    let [row] = rows[..] else { return Ok(None) };
    let stops_here =
        row.current.is_none() && row.direction == Direction::Apply && row.done.unsigned_abs() + 1 == number;
    let change = changes.iter().find(|change| stops_here && change.identity == *identity);
    let Some(change) = change.filter(|change| may_be_passed_over(change, number)) else { return Ok(None) };
    let first_parts = interrupted_scripts::first_parts(opened, changes, view)?;
    if let Some(problem) = first_part_problem(Some(change), view.row(identity), &first_parts) {
        return Err(Failure::refused(vec![problem]));
    }
    let Some(found) = interrupted_scripts::hashed(opened, change, number)? else { return Ok(None) };
    let row = opened.ledger.bound(
        &sql::PROGRESS_ROW,
        vec![
            Value::Text(identity.to_string()),
            Value::Integer(marks.epoch),
            Value::Text(marks.step_mark.clone()),
            Value::from(RowState::Partial.as_str()),
            Value::Integer(number.cast_signed()),
            Value::Integer(change.script.outline.statements.cast_signed()),
        ],
    );
    let journal = opened.ledger.write_journal(&JournalEntry {
        identity: identity.to_string(),
        direction: Direction::Apply,
        done: number.cast_signed(),
        done_hash: found.hasher.value(),
        current: None,
        epoch: marks.epoch,
    });
    let audit = vec![("repair", Some(identity.to_string()), json!({"statement": number, "mark": "done"}))];
    let said = format!("statement {number} of {identity} counts as done; run limosa migrate to go on");
    Ok(Some((Edit { items: vec![row, journal], audit }, said)))
}

/// Not within a transaction of the file's own: its beginning is not sent again.
fn may_be_passed_over(change: &Change, number: u64) -> bool {
    change.script.outline.place_of(number).is_some_and(|(group, _, _)| group.mode != GroupMode::Own)
}

/// Whatever was interrupted is settled.
pub(crate) fn forget_journal(opened: &Opened<'_>, identity: &Identity) -> [Item; 2] {
    [Direction::Apply, Direction::Revert].map(|direction| {
        let parameters = vec![Value::Text(identity.to_string()), Value::from(direction.as_str())];
        opened.ledger.bound(&sql::DELETE_JOURNAL, parameters)
    })
}

fn change_of<'c>(changes: &'c [Change], identity: &Identity) -> Result<&'c Change, Failure> {
    changes.iter().find(|change| change.identity == *identity).ok_or_else(|| {
        Failure::usage(
            "LIM-U031",
            format!("no file defines {identity}"),
            "see the identities: limosa status --output json",
        )
    })
}

fn not_in_ledger(identity: &Identity) -> Failure {
    Failure::usage("LIM-U032", format!("{identity} is not in the ledger"), "see limosa status")
}

fn statement(
    opened: &Opened<'_>,
    view: &LedgerView,
    identity: &Identity,
    number: u64,
    done: bool,
    marks: &Marks,
) -> Result<(Edit, String), Failure> {
    let row = view.journal.iter().find(|row| row.identity == *identity && row.current.is_some()).ok_or_else(|| {
        Failure::usage("LIM-U033", format!("no statement of {identity} is in doubt"), "see what is: limosa repair")
    })?;
    let Some(current) = row.current.as_ref().filter(|current| current.number.unsigned_abs() == number) else {
        let in_doubt = row.current.as_ref().map_or(0, |current| current.number);
        return Err(Failure::usage(
            "LIM-U034",
            format!("statement {number} of {identity} is not in doubt, statement {in_doubt} is"),
            format!("name that one: {identity}:{in_doubt}"),
        ));
    };
    let name = Value::Text(identity.to_string());
    let direction = Value::from(row.direction.as_str());
    let items = if done {
        let mut hasher = StatementHasher::resume(&row.done_hash);
        hasher.add(&current.hash);
        vec![opened.ledger.write_journal(&JournalEntry {
            identity: identity.to_string(),
            direction: row.direction,
            done: current.number,
            done_hash: hasher.value(),
            current: None,
            epoch: marks.epoch,
        })]
    } else {
        vec![opened.ledger.bound(&sql::RETRY_JOURNAL, vec![name, direction])]
    };
    let mark = if done { "done" } else { "retry" };
    let audit = vec![("repair", Some(identity.to_string()), json!({"statement": number, "mark": mark}))];
    let next = match row.direction {
        Direction::Apply => "limosa migrate".to_owned(),
        Direction::Revert => format!("limosa rollback {identity}"),
    };
    let said = match done {
        true => format!("statement {number} of {identity} counts as done; run {next} to go on"),
        false => format!("statement {number} of {identity} will run again with the next {next}"),
    };
    Ok((Edit { items, audit }, said))
}
