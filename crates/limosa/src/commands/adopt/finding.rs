//! Which ledger is meant, and what stands in it.

use std::collections::{BTreeSet, HashSet};

use limosa_core::{ForeignRow, ForeignTool, Identity, LedgerView, RowState, troubles, under_way};
use limosa_db::{
    DbError, DbErrorKind, FoundLedger, Item, NamedTable, OtherLedger, Spent, invalid_indexes, ledgers_to_adopt,
    other_ledgers, stray_ledgers,
};
use limosa_run::foreign_run;
use limosa_sql::{Diagnostic, Engine};

use super::memory::{Adopted, remembered};
use super::registry::{attach_registry, detach_registry};
use crate::elsewhere::{missing_rights, told_of_columns, worker};
use crate::ledger_told::ToldLedger;
use crate::opened::Opened;
use crate::strays::{listed, named};
use crate::{Exit, Failure};

/// The ledger of another tool with its rows.
pub(super) struct Foreign {
    pub(super) ledger: FoundLedger,
    pub(super) tool: ForeignTool,
    pub(super) rows: Vec<ForeignRow>,
    /// What it has tried, which failed, and has not done since.
    pub(super) failed: Vec<String>,
    /// The projects of the table whose rows are not of this one.
    pub(super) others: BTreeSet<String>,
    /// The version of its registry and the one that is known, where it is newer.
    pub(super) newer: Option<(String, String)>,
    /// Columns that this limosa does not know, and that each row must have a value for.
    pub(super) without_value: Vec<String>,
}

/// Finds and reads the ledger that is meant; where its table is of several projects, the rows of this one.
///
/// # Errors
/// Where there is none, or several; where its rows cannot be taken over, or may not be read.
pub(super) async fn find(
    opened: &mut Opened<'_>,
    tool: Option<ForeignTool>,
    table: Option<&str>,
    project: Option<&str>,
) -> Result<Foreign, Failure> {
    let is_attached = attach_registry(opened).await?;
    let found = find_in_sight(opened, tool, table, project).await;
    detach_registry(opened, is_attached).await?;
    found
}

async fn find_in_sight(
    opened: &mut Opened<'_>,
    tool: Option<ForeignTool>,
    table: Option<&str>,
    project: Option<&str>,
) -> Result<Foreign, Failure> {
    // What somebody writes goes before what settings say.
    let told = opened.told_ledger.clone().filter(|told| table.is_none() && told.is_of(tool));
    let tool = tool.or_else(|| told.as_ref().and_then(|told| told.tool));
    let named = table.map(NamedTable::parse).or_else(|| told.as_ref().map(|told| told.table.clone()));
    let of_files = opened.tool;
    let found = match ledgers_to_adopt(opened.session.as_mut(), named.as_ref(), tool, of_files).await {
        Err(error)
            if error.code.is_none()
                && matches!(error.kind, DbErrorKind::Configuration | DbErrorKind::UndefinedTable) =>
        {
            let beside = match &told {
                Some(told) if error.kind == DbErrorKind::UndefinedTable => beside_missing(opened, told).await?,
                _ => Vec::new(),
            };
            return Err(not_understood(error, told.as_ref(), &beside));
        }
        other => other?,
    };
    if found.is_empty() {
        return Err(none_found(opened, tool).await);
    }
    let mut read = Vec::new();
    let mut known_only = None;
    for ledger in found {
        let Some(tool) = ledger.tool else {
            known_only.get_or_insert(ledger);
            continue;
        };
        let book = opened.ledger.clone();
        let mut rows = match ledger.read(opened.session.as_mut(), &book).await {
            Ok(rows) => rows,
            Err(error) if error.kind == DbErrorKind::PermissionDenied => {
                return Err(may_not_read(opened, &ledger, &error).await);
            }
            Err(error) if error.kind == DbErrorKind::Configuration => {
                return Err(not_understood(error, told.as_ref(), &[]));
            }
            Err(error) if error.kind == DbErrorKind::Statement => return Err(strange_form(&ledger, &error)),
            Err(error) => return Err(error.into()),
        };
        let mut others = BTreeSet::new();
        if project.is_some() {
            let is_other = |row: &&ForeignRow| row.project.as_deref() != project;
            others.extend(rows.iter().filter(is_other).filter_map(|row| row.project.clone()));
            rows.retain(|row| row.project.is_none() || row.project.as_deref() == project);
        }
        let newer = ledger.newer_registry(opened.session.as_mut(), &book).await;
        let failed = ledger.failed(opened.session.as_mut(), &book, project).await;
        let without_value = ledger.columns_without_value(opened.session.as_mut()).await?;
        read.push(Foreign { ledger, tool, rows, failed, others, newer, without_value });
    }
    // A table that a tool made and never used says nothing, where another one does.
    if read.iter().any(|foreign| !foreign.rows.is_empty()) {
        read.retain(|foreign| !foreign.rows.is_empty());
    }
    if read.len() > 1 {
        return Err(several(&read));
    }
    match (read.pop(), known_only) {
        (Some(foreign), _) => Ok(foreign),
        (None, Some(ledger)) => Err(only_recognised(&ledger)),
        (None, None) => Err(none_found(opened, tool).await),
    }
}

/// The ledgers that stand elsewhere, of this tool where one is given.
///
/// # Errors
/// What the server says.
pub(super) async fn elsewhere(opened: &mut Opened<'_>, tool: Option<ForeignTool>) -> Result<Vec<OtherLedger>, Failure> {
    let (book, of_files) = (opened.ledger.clone(), tool.or(opened.tool));
    let mut found = stray_ledgers(opened.session.as_mut(), &book, of_files).await?;
    found.retain(|other| tool.is_none() || other.from == tool);
    Ok(found)
}

/// What is said where there is none in sight: those that stand elsewhere, each with the command that takes it over.
async fn none_found(opened: &mut Opened<'_>, tool: Option<ForeignTool>) -> Failure {
    let none = none_in_sight(tool);
    let found = match elsewhere(opened, tool).await {
        Ok(found) if !found.is_empty() => found,
        Ok(_) => return none,
        Err(failure) => return failure,
    };
    let message = none.diagnostics.first().map(|problem| problem.message.clone()).unwrap_or_default();
    let (list, help) = listed(&found);
    Failure::usage(
        "LIM-U110",
        format!("{message}; in other places: {list}"),
        format!("{help}; a database that no tool has migrated: limosa baseline --to VERSION"),
    )
}

fn none_in_sight(tool: Option<ForeignTool>) -> Failure {
    let whose = tool.map_or("a migration tool that limosa knows".to_owned(), |tool| tool.name().to_owned());
    if tool == Some(ForeignTool::Sqitch) {
        return Failure::usage(
            "LIM-U110",
            "there is no registry of Sqitch in sight of this session",
            "PostgreSQL: the schema that `registry` in sqitch.conf names, --from sqitch --ledger-table SCHEMA.changes; \
             MariaDB, MySQL: it is a database of its own, --from sqitch --ledger-table sqitch.changes; \
             SQLite: it is a file of its own, sqitch.db, which is looked for beside the database where the folder holds sqitch.plan",
        );
    }
    Failure::usage(
        "LIM-U110",
        format!("there is no table of {whose} in sight of this session"),
        "a table of another name or in another schema: --from TOOL --ledger-table [SCHEMA.]NAME; \
         a database that no tool has migrated: limosa baseline --to VERSION",
    )
}

fn several(read: &[Foreign]) -> Failure {
    let list: Vec<String> =
        read.iter().map(|foreign| format!("{} (table {})", foreign.ledger.name, foreign.ledger.table())).collect();
    let choices: Vec<String> = read
        .iter()
        .map(|foreign| format!("--from {} --ledger-table {}", foreign.tool.word(), foreign.ledger.table()))
        .collect();
    Failure::usage(
        "LIM-U111",
        format!("several tools have migrated this database: {}", list.join(", ")),
        format!("say which one these files belong to: {}", choices.join(", or ")),
    )
}

fn only_recognised(ledger: &FoundLedger) -> Failure {
    Failure::usage(
        "LIM-U112",
        format!("{} has migrated this database (table {}), and its migrations are code", ledger.name, ledger.table()),
        "write what stands there as SQL files, then count them as applied: limosa baseline --to VERSION",
    )
}

/// The ledgers that are here in place of the one that settings name, of its tool where that is known.
async fn beside_missing(opened: &mut Opened<'_>, told: &ToldLedger) -> Result<Vec<OtherLedger>, Failure> {
    let (book, of_files) = (opened.ledger.clone(), opened.tool);
    let asked = Some((&told.table, told.tool));
    let mut found = other_ledgers(opened.session.as_mut(), &book, asked, of_files, None).await?;
    found.retain(|other| {
        other.unread.is_none() && other.from.is_some() && (told.tool.is_none() || other.from == told.tool)
    });
    Ok(found)
}

fn not_understood(error: DbError, told: Option<&ToldLedger>, beside: &[OtherLedger]) -> Failure {
    if let Some(told) = told.filter(|_| !beside.is_empty()) {
        let (list, help) = listed(beside);
        return Failure::usage("LIM-U110", format!("{}: so {} says; there is: {list}", error.message, told.by), help);
    }
    if let Some(told) = told {
        let help = "check that name, and the address; another table: --ledger-table [SCHEMA.]NAME; a database that the tool has not \
                    migrated: limosa migrate, or limosa baseline --to VERSION";
        return Failure::usage("LIM-U110", format!("{}: so {} says", error.message, told.by), help);
    }
    Failure::usage("LIM-U110", error.message, error.hint.unwrap_or_else(|| "check the name of the table".to_owned()))
}

async fn may_not_read(opened: &mut Opened<'_>, ledger: &FoundLedger, error: &DbError) -> Failure {
    let (schema, table) = ledger.place();
    let rights = missing_rights(opened, schema, table).await;
    let diagnostic = Diagnostic::error(
        "LIM-U118",
        format!("{} may not read the table {} of {}: {}", worker(opened), ledger.table(), ledger.name, error.message),
    );
    let help = format!("{rights} (for adopt --undo also insert, update, delete)");
    Failure::new(Exit::Database, diagnostic.help(help))
}

/// A table that has the tool's columns, and does not answer as its table does.
fn strange_form(ledger: &FoundLedger, error: &DbError) -> Failure {
    Failure::usage(
        "LIM-U110",
        format!(
            "the table {} of {} has a form that this limosa does not know: {}",
            ledger.table(),
            ledger.name,
            error.message
        ),
        "an unusual version made it, or another tool: name that one with --from; or count versions as applied: \
         limosa baseline --to VERSION",
    )
}

/// What stands half done: what the tool says of its migrations, a lock that it never gave back, indexes that are not valid.
pub(super) async fn half_done(opened: &mut Opened<'_>, foreign: &Foreign) -> Result<Vec<Diagnostic>, Failure> {
    let mut all = half_done_there(opened, foreign, "limosa adopt").await?;
    for index in invalid_indexes(opened.session.as_mut()).await? {
        all.push(half_done_problem(
            format!("the index {index} is INVALID: it is being built now, or the CREATE INDEX CONCURRENTLY that should have built it failed"),
            format!(
                "wait where it is being built; else take it away, and build it again: drop index concurrently {index}"
            ),
        ));
    }
    Ok(all)
}

/// What the tool says that it left half done, or is at now; `after` is what to run once that is settled.
///
/// # Errors
/// What the server says.
pub(super) async fn half_done_there(
    opened: &mut Opened<'_>,
    foreign: &Foreign,
    after: &str,
) -> Result<Vec<Diagnostic>, Failure> {
    let table = foreign.ledger.quoted(opened.target.engine);
    let mut found = troubles(foreign.tool, &table, &foreign.rows);
    if !found.is_empty() {
        let book = opened.ledger.clone();
        if let Some(who) = run_under_way(opened, &foreign.ledger).await? {
            found = vec![under_way(foreign.tool, &who)];
        } else if troubles(foreign.tool, &table, &foreign.ledger.read(opened.session.as_mut(), &book).await?) != found {
            // That run ended between the two looks.
            let what = format!("{} was running until just now", foreign.tool.name());
            return Ok(vec![half_done_problem(what, format!("run it again: {after}"))]);
        }
    }
    let mut all: Vec<Diagnostic> = found
        .into_iter()
        .map(|trouble| half_done_problem(trouble.what, format!("{}; after that: {after}", trouble.next)))
        .collect();
    let book = opened.ledger.clone();
    if let Some(lock) = foreign.ledger.lock(opened.session.as_mut(), &book).await {
        all.push(half_done_problem(
            format!("Liquibase's lock is held by {} since {} (table {})", lock.by, lock.since, lock.table),
            "where a run of it is under way, wait for its end; where none is, it died: \
             look what stands, then give the lock back: 'liquibase release-locks'"
                .to_owned(),
        ));
    }
    Ok(all)
}

/// Who runs the tool of a ledger now, in words. None where nobody does, or its runs take no lock.
///
/// # Errors
/// What the server says.
pub(super) async fn run_under_way(opened: &mut Opened<'_>, ledger: &FoundLedger) -> Result<Option<String>, Failure> {
    let (engine, database) = (opened.target.engine, opened.session.facts().database.clone());
    let Some(lock) = ledger.clone().within(engine, &database).runner_lock(engine, &database) else { return Ok(None) };
    Ok(foreign_run(opened.session.as_mut(), &lock).await?)
}

fn half_done_problem(what: String, next: String) -> Diagnostic {
    Diagnostic::error("LIM-U113", what).help(next)
}

/// Refuses a registry of a version that is not known: its rows may mean something else.
pub(super) fn refuse_newer(foreign: &Foreign) -> Result<(), Failure> {
    let Some((version, known)) = &foreign.newer else { return Ok(()) };
    Err(Failure::usage(
        "LIM-U110",
        format!("the registry of {} has version {version}, and limosa knows those up to {known}", foreign.tool.name()),
        "let a newer limosa take it over; or count versions as applied: limosa baseline --to VERSION",
    ))
}

/// Refuses a database that limosa has migrated itself. What it has begun in vain, so that nothing of it is recorded as committed, is let be
/// where `is_taken` says that the other tool has it on record: a first run that failed because that tool had run the same before.
pub(super) fn refuse_known(view: &LedgerView, is_taken: &dyn Fn(&Identity) -> bool) -> Result<(), Failure> {
    let vain = begun_in_vain(view);
    let is_open = |identity: &Identity| vain.contains(&identity) && is_taken(identity);
    let Some(row) = view.rows.iter().find(|row| !is_open(&row.identity)) else { return Ok(()) };
    if vain.contains(&&row.identity) {
        let help = format!(
            "nothing of it is recorded as committed: look what stands, then: limosa repair --mark-not-applied {}; then: limosa adopt",
            row.identity
        );
        let message =
            format!("limosa has begun {} ({}) here, which the other tool has not applied", row.identity, row.name);
        return Err(Failure::person("LIM-U119", message, help));
    }
    Err(Failure::person(
        "LIM-U119",
        format!("limosa has migrations on record here already, {} ({}) among them", row.identity, row.name),
        "a database is taken over before limosa migrates it; to count single migrations as applied: \
         limosa repair --mark-applied MIGRATION",
    ))
}

/// What limosa has begun, with nothing of it recorded as committed and no statement in doubt.
pub(super) fn begun_in_vain(view: &LedgerView) -> Vec<&Identity> {
    let is_in_doubt =
        |identity: &Identity| view.journal.iter().any(|row| row.identity == *identity && row.current.is_some());
    let vain = view.rows.iter().filter(|row| row.state == RowState::Partial && row.statements_done == 0);
    vain.map(|row| &row.identity).filter(|identity| !is_in_doubt(identity)).collect()
}

/// What another tool left half done here: that of the database's taking over, else each that stops the first run. Nothing where the
/// database is limosa's own, and where no such table can be read. `after` is what to run once that is settled.
///
/// # Errors
/// What the server says.
pub(crate) async fn left_half_done(
    opened: &mut Opened<'_>,
    view: &LedgerView,
    after: &str,
) -> Result<Vec<Diagnostic>, Failure> {
    let mut found = Vec::new();
    match remembered(opened, view).await? {
        Some(adopted) => {
            found.extend(find(opened, adopted.tool(), Some(&adopted.table), adopted.project.as_deref()).await);
        }
        None if view.rows.is_empty() => {
            found.extend(find(opened, None, None, None).await);
            // Where there are several, none is meant more than the others.
            for other in opened.stopping(view).await? {
                let table = named(&other);
                let is_known = found.iter().any(|foreign| foreign.ledger.table() == table);
                if !is_known && other.from.is_some() && other.unread.is_none() {
                    found.extend(find(opened, other.from, Some(&table), None).await);
                }
            }
        }
        None => {}
    }
    let mut all = Vec::new();
    for foreign in &found {
        all.extend(half_done_there(opened, foreign, after).await?);
    }
    Ok(all)
}

/// What the other tool has applied since the database was taken over from it, as it calls them; nothing where its table is gone.
///
/// # Errors
/// What the server says of it, a missing right apart.
pub(crate) async fn applied_since(opened: &mut Opened<'_>, adopted: &Adopted) -> Result<Vec<String>, Failure> {
    let foreign = match find(opened, adopted.tool(), Some(&adopted.table), adopted.project.as_deref()).await {
        Ok(foreign) => foreign,
        Err(failure) if failure.diagnostics.iter().all(|problem| problem.code.starts_with("LIM-U")) => {
            return Ok(Vec::new());
        }
        Err(failure) => return Err(failure),
    };
    Ok(foreign.new_keys(adopted))
}

impl Foreign {
    /// What is said of columns that this limosa does not know.
    pub(super) fn unknown_columns(&self) -> Option<Diagnostic> {
        told_of_columns(self.tool.name(), &self.ledger.table(), self.ledger.unknown_columns())
    }

    /// The items that make the tool know a migration as applied.
    ///
    /// # Errors
    /// Why it cannot be told, in words.
    pub(super) fn write(&self, engine: Engine, row: &ForeignRow, spent: Spent) -> Result<Vec<Item>, String> {
        if !self.without_value.is_empty() {
            let columns = self.without_value.join(", ");
            return Err(format!(
                "its table must have a value in {columns}, which this limosa does not know: give it a default, or let it be NULL"
            ));
        }
        self.ledger.write(engine, row, spent).map_err(str::to_owned)
    }

    /// What the tool has on record that it had not when the database was taken over.
    pub(super) fn new_keys(&self, adopted: &Adopted) -> Vec<String> {
        let number = |key: &str| key.parse::<u64>().ok();
        let newest = adopted.newest.as_deref().and_then(number);
        let known: HashSet<&str> = adopted.migrations.values().chain(&adopted.missing).map(String::as_str).collect();
        let is_new = |key: &&String| match self.ledger.is_one_row() {
            true => number(key) > newest,
            false => !known.contains(key.as_str()),
        };
        self.rows.iter().map(|row| &row.key).filter(is_new).cloned().collect()
    }
}
