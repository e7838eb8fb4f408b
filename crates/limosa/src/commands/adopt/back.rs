//! The way back: the other tool goes on, knowing what limosa has done meanwhile.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use limosa_core::{
    Agreement, AppliedRow, Change, ForeignRow, ForeignTool, Identity, Keeping, Kind, LedgerView, RowState, SEED_PREFIX,
    repathed, spelled,
};
use limosa_db::ledger::statements as sql;
use limosa_db::{Item, Spent, Value};
use limosa_formats::{Layout, checksums};
use limosa_run::Stop;
use limosa_sql::Diagnostic;
use serde_json::json;

use super::super::held::{Edit, Look, Nowhere, under_lock_after};
use super::finding::{Foreign, find, half_done_there};
use super::journal;
use super::keeping::beyond;
use super::memory::{Adopted, forget, remembered};
use crate::event::Listener;
use crate::files::Loaded;
use crate::opened::{Opened, Purpose};
use crate::reading::read_and_open;
use crate::report::DoneAnswer;
use crate::telling::told;
use crate::{Exit, Failure, Migrator, counted_values};

/// What `adopt --undo` is asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct GoBackOptions {
    /// Only show what would be given back.
    pub dry_run: bool,
    /// Go back although the other tool cannot be told of everything.
    pub accept_left_behind: bool,
}

impl Migrator {
    /// Gives a database back to the tool that it was taken over from: limosa's ledger forgets all migrations, and what was applied or
    /// taken back since is written into the other tool's table, where that has a place for it.
    ///
    /// # Errors
    /// Where nothing was taken over, or something is half done; where the other tool cannot be told of everything, and that was not
    /// accepted.
    pub async fn adopt_undo(
        &self,
        options: GoBackOptions,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<DoneAnswer, Failure> {
        if options.dry_run {
            return self.go_back(options, listener, stop).await;
        }
        told(&self.configuration, "adopt", listener, self.go_back(options, listener, stop)).await
    }

    async fn go_back(
        &self,
        options: GoBackOptions,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<DoneAnswer, Failure> {
        let purpose = if options.dry_run { Purpose::Probe } else { Purpose::Change };
        let (loaded, mut opened) =
            read_and_open(&self.configuration, purpose, Loaded::refuse_errors_where_none_runs).await?;
        let answer = give_back(&mut opened, &loaded, options, listener, &stop).await;
        opened.close().await;
        answer
    }
}

async fn give_back(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    options: GoBackOptions,
    listener: &dyn Listener,
    stop: &Stop,
) -> Result<DoneAnswer, Failure> {
    let view = opened.look().await?;
    let Some(adopted) = remembered(opened, &view).await? else {
        return Err(Failure::usage(
            "LIM-U116",
            "nothing was taken over here, so there is nothing to give back",
            "see what was done: limosa history",
        ));
    };
    refuse_half_done(&view)?;
    // Without its table there is nobody to give anything back to; that is said, and no reason to stop.
    let foreign = find(opened, adopted.tool(), Some(&adopted.table), adopted.project.as_deref()).await;
    if let Ok(foreign) = &foreign {
        refuse_half_done_there(opened, foreign).await?;
        if let Some(problem) = beyond(loaded, &view, &adopted, foreign) {
            return Err(Failure::new(Exit::Person, problem));
        }
    }
    let returned = Returned::of(opened, loaded, &view, &adopted, foreign.as_ref().ok())?;
    let mut answer = DoneAnswer::new("adopt", Some(&opened.target));
    let lines = returned.lines(&view, &adopted);
    if options.dry_run {
        answer.would = lines;
        answer.notices.extend(
            returned.left_behind().map(|message| Diagnostic::warning("LIM-U117", message).help(rest(adopted.tool()))),
        );
        return Ok(answer);
    }
    if let Some(message) = returned.left_behind().filter(|_| !options.accept_left_behind) {
        return Err(Failure::person("LIM-U117", message, rest(adopted.tool())));
    }
    let there = foreign.as_ref().ok().map(|foreign| AsBefore { adopted: &adopted, foreign });
    let first: &dyn Look = there.as_ref().map_or(&Nowhere, |there| there);
    let written = under_lock_after(opened, listener, stop, first, |opened, now, _| {
        refuse_half_done(now)?;
        if now.rows != view.rows {
            return Err(Failure::person("LIM-U117", "another runner was here meanwhile", "run it again"));
        }
        Ok(returned.edit(opened, &view, &adopted))
    })
    .await?;
    let mut answer = written.answer(answer, lines);
    answer.notices.extend(
        returned.left_behind().map(|message| Diagnostic::warning("LIM-U117", message).help(rest(adopted.tool()))),
    );
    Ok(answer)
}

/// What is to be done with what a tool cannot be told of.
fn rest(tool: Option<ForeignTool>) -> String {
    let means = tool.and_then(ForeignTool::marks_as_applied).map(|command| format!(" ({command})")).unwrap_or_default();
    format!(
        "the other tool would run what was applied again, and not what was taken back: write that into its table by its own means{means}; to \
         go back all the same: --yes"
    )
}

fn refuse_half_done(view: &LedgerView) -> Result<(), Failure> {
    let half = view.rows.iter().find(|row| matches!(row.state, RowState::Partial | RowState::Reverting));
    let Some(row) = half else { return Ok(()) };
    let message = format!("{} ({}) is half done, and no other tool goes on from there", row.identity, row.name);
    let help = match row.statements_done {
        0 => format!(
            "finish it first: limosa migrate; or, where nothing of its first statement stands: limosa repair --mark-not-applied {}",
            row.identity
        ),
        _ => "finish it first: limosa migrate, or limosa rollback; see limosa repair".to_owned(),
    };
    Err(Failure::person("LIM-U117", message, help))
}

/// What the other tool left half done is for a person to settle: written over, nobody would ever learn of it.
async fn refuse_half_done_there(opened: &mut Opened<'_>, foreign: &Foreign) -> Result<(), Failure> {
    let diagnostics = half_done_there(opened, foreign, "limosa adopt --undo").await?;
    if diagnostics.is_empty() { Ok(()) } else { Err(Failure { exit: Exit::Person, diagnostics }) }
}

/// The other tool's table is what it was when it was decided what is written there. Where it is not kept, nobody holds its tool's lock.
struct AsBefore<'b> {
    adopted: &'b Adopted,
    foreign: &'b Foreign,
}

#[async_trait]
impl Look for AsBefore<'_> {
    async fn look(&self, opened: &mut Opened<'_>, _: &LedgerView) -> Result<(), Failure> {
        let (table, project) = (&self.adopted.table, self.adopted.project.as_deref());
        let now = find(opened, self.adopted.tool(), Some(table), project).await?;
        refuse_half_done_there(opened, &now).await?;
        if now.rows == self.foreign.rows {
            return Ok(());
        }
        let message = format!("{} was here meanwhile (table {table})", self.foreign.tool.name());
        Err(Failure::person("LIM-U117", message, "see what it has applied: limosa adopt --dry-run; then run it again"))
    }
}

/// What the other tool is told.
#[derive(Default)]
pub(super) struct Returned {
    /// Written into its table: what is told, as in `of 3 c`, and what is sent.
    written: Vec<(String, Vec<Item>)>,
    /// Known to it already.
    known: Vec<String>,
    /// Taken out of its table.
    erased: Vec<(String, Item)>,
    /// What it cannot be told, with the reason.
    left: Vec<(String, String)>,
}

impl Returned {
    pub(super) fn of(
        opened: &Opened<'_>,
        loaded: &Loaded,
        view: &LedgerView,
        adopted: &Adopted,
        foreign: Option<&Foreign>,
    ) -> Result<Returned, Failure> {
        let is_own = |row: &&AppliedRow| !adopted.migrations.contains_key(row.identity.as_str());
        let since: Vec<&AppliedRow> = view.rows.iter().filter(is_own).collect();
        let standing: BTreeSet<&str> = view.rows.iter().map(|row| row.identity.as_str()).collect();
        let gone: Vec<(&String, &String)> =
            adopted.migrations.iter().filter(|(identity, _)| !standing.contains(identity.as_str())).collect();
        let mut returned = Returned::default();
        let Some(foreign) = foreign else {
            let why = || format!("the table {} is gone, or cannot be read", adopted.table);
            returned.left.extend(since.iter().map(|row| (titled(row), why())));
            returned.left.extend(gone.iter().map(|(identity, _)| ((*identity).clone(), why())));
            return Ok(returned);
        };
        if foreign.ledger.is_one_row() {
            returned.one_row(opened, loaded, (view, adopted, foreign), &since, &gone);
            return Ok(returned);
        }
        let changes: HashMap<&Identity, &Change> =
            loaded.changes.iter().map(|change| (&change.identity, change)).collect();
        let keys: HashMap<&str, &ForeignRow> = foreign.rows.iter().map(|row| (row.key.as_str(), row)).collect();
        // What was taken over and has run since has another state: a repeatable that changed, a version that was taken back and ran
        // again.
        for row in view.rows.iter().filter(|row| is_own(row) || row.state == RowState::Applied) {
            let change = changes.get(&row.identity).copied();
            match told_of(opened, &loaded.layout, adopted, foreign, (change, row.state), &keys)? {
                Telling::Known if is_own(&row) => returned.known.push(titled(row)),
                Telling::Known => {}
                Telling::Items(items) => returned.written.push((format!("of {}", titled(row)), items)),
                Telling::Never(why) => returned.left.push((titled(row), why)),
            }
        }
        for (identity, key) in gone {
            match foreign.ledger.erase(opened.target.engine, key) {
                _ if key.is_empty() => {
                    returned.left.push((identity.clone(), "it has no row of its own there".to_owned()))
                }
                Ok(_) if !keys.contains_key(key.as_str()) => {}
                Ok(item) => returned.erased.push((identity.clone(), item)),
                Err(why) => returned.left.push((identity.clone(), why.to_owned())),
            }
        }
        Ok(returned)
    }

    /// One row stands for its version and all before it: it gets the newest version before which nothing is missing.
    fn one_row(
        &mut self,
        opened: &Opened<'_>,
        loaded: &Loaded,
        (view, adopted, foreign): (&LedgerView, &Adopted, &Foreign),
        since: &[&AppliedRow],
        gone: &[(&String, &String)],
    ) {
        if since.is_empty() && gone.is_empty() {
            return;
        }
        let keeping = Keeping::new(foreign.tool, &loaded.changes, &adopted.migrations, &adopted.missing);
        let newest = keeping.up_to(&view.rows, &foreign.rows, &[]);
        let number = |row: &ForeignRow| row.key.parse::<u64>().ok();
        let goes_to = newest.as_ref().and_then(number);
        let is_covered = |row: &&AppliedRow| {
            let own = keeping.key(&row.identity).and_then(|key| key.parse::<u64>().ok());
            own.is_some() && own <= goes_to
        };
        let covered: BTreeSet<&str> = view.rows.iter().filter(is_covered).map(|row| row.identity.as_str()).collect();
        for row in since.iter().filter(|row| !covered.contains(row.identity.as_str())) {
            let why =
                "its one row stands for all versions before it, and one of them is not applied, or it has no file";
            self.left.push((titled(row), why.to_owned()));
        }
        let said = foreign.rows.last().map(|row| row.key.as_str());
        if said == newest.as_ref().map(|row| row.key.as_str()) {
            // Its table was kept meanwhile.
            let told = since.iter().filter(|row| covered.contains(row.identity.as_str()));
            self.known.extend(told.map(|row| titled(row)));
            return;
        }
        match newest.map(|row| foreign.write(opened.target.engine, &row, Spent::Unknown)) {
            Some(Ok(items)) => {
                let told = |row: &&&AppliedRow| covered.contains(row.identity.as_str());
                let mut items = Some(items);
                for row in since.iter().filter(told) {
                    self.written.push((format!("of {}", titled(row)), items.take().unwrap_or_default()));
                }
                // What was taken back is told by the lower version.
                for (identity, _) in gone {
                    match items.take() {
                        Some(items) => self.written.push((format!("of {identity}, which was taken back"), items)),
                        None => self.known.push(format!("{identity}, which was taken back")),
                    }
                }
            }
            Some(Err(why)) => self.left.push((foreign.ledger.table(), why)),
            None => {
                let items = vec![foreign.ledger.clear(opened.target.engine)];
                self.written.push(("that nothing is applied any more".to_owned(), items));
            }
        }
    }

    fn lines(&self, view: &LedgerView, adopted: &Adopted) -> Vec<String> {
        let (tool, table) = (adopted.line().tool, &adopted.table);
        let count = view.rows.len();
        let mut lines =
            vec![format!("forget {count} migration{} in limosa's ledger", if count == 1 { "" } else { "s" })];
        lines.extend(self.written.iter().map(|(what, _)| format!("tell {tool} {what} (table {table})")));
        lines.extend(self.known.iter().map(|what| format!("keep {what} in the table {table} as it stands there")));
        lines.extend(self.erased.iter().map(|(what, _)| format!("take {what} out of the table {table}")));
        lines.extend(self.left.iter().map(|(what, why)| format!("leave {what} behind: {why}")));
        lines
    }

    /// What is sent to tell it.
    pub(super) fn items(&self) -> impl Iterator<Item = Item> + '_ {
        let written = self.written.iter().flat_map(|(_, items)| items.clone());
        written.chain(self.erased.iter().map(|(_, item)| item.clone()))
    }

    /// What the other tool cannot be told, in a line.
    pub(super) fn left_behind(&self) -> Option<String> {
        if self.left.is_empty() {
            return None;
        }
        let list: Vec<String> = self.left.iter().map(|(what, why)| format!("{what} ({why})")).collect();
        Some(format!("the other tool cannot be told of: {}", list.join("; ")))
    }

    fn edit(&self, opened: &Opened<'_>, view: &LedgerView, adopted: &Adopted) -> Edit {
        let seeds = format!("{SEED_PREFIX}%");
        let mut items = vec![opened.ledger.bound(&sql::DELETE_CHANGES, vec![Value::Text(seeds)])];
        items.extend(forget(opened));
        items.extend(self.items());
        let audit = view.rows.iter().map(|row| {
            let detail = json!({
                "undo": true,
                "name": row.name,
                "tool": adopted.tool,
                "table": adopted.table,
                "state": row.state.as_str(),
            });
            ("adopt", Some(row.identity.to_string()), detail)
        });
        let mut audit: Vec<_> = audit.collect();
        if audit.is_empty() {
            audit.push(("adopt", None, json!({"undo": true, "tool": adopted.tool, "table": adopted.table})));
        }
        Edit { items, audit }
    }
}

fn titled(row: &AppliedRow) -> String {
    format!("{} {}", row.version.as_deref().unwrap_or("R"), row.name)
}

/// Calls a change as the tool called it when the database was taken over, or as it would: its paths may count from another folder.
fn in_its_own_words(adopted: &Adopted, change: &Change, row: &mut ForeignRow) {
    let own = row.file.clone().unwrap_or_default();
    let known = adopted.migrations.get(change.identity.as_str()).and_then(|key| key.split_once("::"));
    let pairs = adopted.migrations.iter().map(|(identity, key)| (identity.as_str(), key.as_str()));
    let path = known.map_or_else(|| repathed(&own, pairs), |(path, _)| path.to_owned());
    if let Some((_, rest)) = row.key.split_once("::") {
        row.key = format!("{path}::{rest}");
    }
    row.file = Some(path);
}

/// What is to be done about one migration that limosa applied.
enum Telling {
    Known,
    Items(Vec<Item>),
    Never(String),
}

fn told_of(
    opened: &Opened<'_>,
    layout: &Layout,
    adopted: &Adopted,
    foreign: &Foreign,
    (change, state): (Option<&Change>, RowState),
    keys: &HashMap<&str, &ForeignRow>,
) -> Result<Telling, Failure> {
    let tool: ForeignTool = foreign.tool;
    let Some(change) = change else {
        return Ok(Telling::Never("it has no file any more".to_owned()));
    };
    let Some(mut row) = spelled(tool, change, None) else {
        return Ok(Telling::Never(format!("{} has no place for such a one", tool.name())));
    };
    let bytes = opened.scripts().read(&change.script.file)?;
    row.checksum = checksums::record(tool, &bytes, &row);
    let with_values =
        counted_values::recorded(opened, tool, change, &bytes).filter(|own| row.checksum.as_ref() != Some(own));
    let has_values = with_values.is_some();
    row.checksum = with_values.or(row.checksum);
    if tool == ForeignTool::Liquibase {
        layout.complete(change.identity.as_str(), &bytes, &mut row);
        in_its_own_words(adopted, change, &mut row);
        let how = match state {
            RowState::Baseline => "MARK_RAN",
            _ if keys.contains_key(row.key.as_str()) => "RERAN",
            _ => "EXECUTED",
        };
        row.more.insert("exectype", how.to_owned());
    }
    let is_same = |known: &ForeignRow| {
        let recorded = known.checksum.as_deref().unwrap_or_default();
        let of_part = layout.agreement(change.identity.as_str(), &bytes, recorded);
        let agreement = of_part.unwrap_or_else(|| checksums::agreement(tool, &bytes, known));
        // Of a text with values the checksum of the text alone stops Flyway.
        row.checksum == known.checksum || (!has_values && matches!(agreement, Agreement::Same))
    };
    if tool == ForeignTool::Drizzle && row.version.is_none() {
        row.version = journal::time_of(opened.scripts(), &change.script.file);
        if row.version.is_none() {
            return Ok(Telling::Never("drizzle's meta/_journal.json does not name it".to_owned()));
        }
    }
    if foreign.ledger.is_keyed_by_hash() {
        row.key = row.checksum.clone().unwrap_or_default();
    }
    let mut items = Vec::new();
    if let Some(known) = keys.get(row.key.as_str()) {
        if is_same(known) {
            return Ok(Telling::Known);
        }
        // Each run of a repeatable has its row, but with Liquibase; a version has one.
        if change.kind != Kind::Repeatable || tool == ForeignTool::Liquibase {
            items.extend(foreign.ledger.erase(opened.target.engine, &row.key));
        }
    }
    let user = &opened.target.user;
    row.applied_by = Some(if user.is_empty() { opened.configuration.actor.clone() } else { user.clone() });
    Ok(match foreign.write(opened.target.engine, &row, Spent::Unknown) {
        Ok(written) => Telling::Items(items.into_iter().chain(written).collect()),
        Err(why) => Telling::Never(why),
    })
}
