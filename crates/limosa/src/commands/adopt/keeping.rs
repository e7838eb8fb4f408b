//! The ledger of the tool that a database was taken over from, kept beside limosa's own.

use std::io::Read;

use limosa_core::{
    AppliedRow, Change, ForeignRow, ForeignTool, Identity, Keeping, LedgerView, Plan, RowState, Told, Trouble,
    troubles, under_way,
};
use limosa_db::{FoundLedger, Item, RunnerLock, Spent};
use limosa_formats::Layout;
use limosa_formats::checksums::Recorder;
use limosa_run::Kept;
use limosa_sql::Diagnostic;

use super::another::another;
use super::finding::{Foreign, find, run_under_way};
use super::memory::{Adopted, remembered};
use crate::by_hand::user_of;
use crate::default_schema::told_of_default_schema;
use crate::files::Loaded;
use crate::opened::Opened;
use crate::{Failure, counted_values};

/// What is known of it while a command works.
pub(crate) struct Beside {
    adopted: Adopted,
    tool: ForeignTool,
    /// Its ledger, or why it cannot be had.
    pub(crate) kept: Result<Kept, Failure>,
    /// What is said of its columns that are not known.
    pub(crate) unknown_columns: Option<Diagnostic>,
    /// What stands in it, or what its tool left half done, once somebody has looked.
    there: Option<Result<Vec<ForeignRow>, Diagnostic>>,
}

/// Looks for the table, where it is kept; its rows are read when they are needed. What is wrong is told by whoever needs it.
///
/// # Errors
/// What the server says.
pub(crate) async fn look_beside(opened: &mut Opened<'_>, view: &LedgerView) -> Result<(), Failure> {
    if !view.keeps_another {
        opened.beside = None;
        return Ok(());
    }
    if opened.beside.as_ref().is_some_and(|beside| beside.kept.is_ok()) {
        return Ok(());
    }
    let Some(adopted) = remembered(opened, view).await? else { return Ok(()) };
    let Some(tool) = adopted.tool() else { return Ok(()) };
    opened.told_schema = told_of_default_schema(opened, Some(tool), adopted.schema().as_deref()).await?;
    let found = find(opened, Some(tool), Some(&adopted.table), adopted.project.as_deref()).await;
    let unknown_columns = found.as_ref().ok().and_then(Foreign::unknown_columns);
    let kept = match found {
        Ok(foreign) => keepable(opened, &foreign).map(|(ledger, lock)| Kept { ledger, told: Default::default(), lock }),
        Err(failure) => Err(gone(&adopted, &failure)),
    };
    opened.beside = Some(Beside { adopted, tool, kept, unknown_columns, there: None });
    Ok(())
}

/// Looks what stands in the kept ledger, for [`told_by_hand`], which writes over nothing that is half done. Nothing to do where none is
/// kept.
///
/// # Errors
/// What the server says.
pub(crate) async fn look_there(opened: &mut Opened<'_>, view: &LedgerView) -> Result<(), Failure> {
    Box::pin(look_beside(opened, view)).await?;
    if opened.beside.as_ref().is_some_and(|beside| beside.kept.is_ok()) {
        let there = at_rest(opened).await?;
        opened.beside.iter_mut().for_each(|beside| beside.there.clone_from(&there));
    }
    Ok(())
}

/// The rows of the kept ledger, or what its tool left half done there, or is at now; None where none can be had.
async fn at_rest(opened: &mut Opened<'_>) -> Result<Option<Result<Vec<ForeignRow>, Diagnostic>>, Failure> {
    let Some(Beside { tool, kept: Ok(kept), .. }) = &opened.beside else { return Ok(None) };
    let (tool, ledger, book) = (*tool, kept.ledger.clone(), opened.ledger.clone());
    let quoted = ledger.quoted(opened.target.engine);
    let of_trouble = |trouble: Trouble| Ok(Some(Err(Diagnostic::error("LIM-U140", trouble.what).help(trouble.next))));
    let mut rows = ledger.read(opened.session.as_mut(), &book).await?;
    if !troubles(tool, &quoted, &rows).is_empty() {
        if let Some(who) = run_under_way(opened, &ledger).await? {
            return of_trouble(under_way(tool, &who));
        }
        // That run may have ended between the two looks.
        rows = ledger.read(opened.session.as_mut(), &book).await?;
        if let Some(trouble) = troubles(tool, &quoted, &rows).into_iter().next() {
            return of_trouble(trouble);
        }
    }
    Ok(Some(Ok(rows)))
}

fn gone(adopted: &Adopted, failure: &Failure) -> Failure {
    let why = failure.diagnostics.first().map(|problem| format!(": {}", problem.message)).unwrap_or_default();
    Failure::person(
        "LIM-U140",
        format!(
            "the table {} of {}, which is kept beside limosa's, cannot be read{why}",
            adopted.table,
            adopted.line().tool
        ),
        "put it back; or keep it no longer: limosa adopt",
    )
}

/// The ledger in the form that is kept, with the lock of its tool.
///
/// # Errors
/// Where the tool's cannot be kept, or its lock cannot be held through a pooler.
pub(super) fn keepable(opened: &Opened<'_>, foreign: &Foreign) -> Result<(FoundLedger, Option<RunnerLock>), Failure> {
    let name = foreign.tool.name();
    if !foreign.tool.can_be_kept() {
        let tools: Vec<&str> = ForeignTool::all().filter(|tool| tool.can_be_kept()).map(|tool| tool.name()).collect();
        return Err(Failure::usage(
            "LIM-U141",
            format!("the ledger of {name} cannot be kept beside limosa's"),
            format!("those of {} can; take it over without --keep-foreign-ledger", tools.join(", ")),
        ));
    }
    if !foreign.without_value.is_empty() {
        let table = foreign.ledger.table();
        let columns = foreign.without_value.join(", ");
        return Err(Failure::usage(
            "LIM-U164",
            format!("the table {table} of {name} must have a value in {columns}, which this limosa does not know"),
            "give it a default, or let it be NULL; or let limosa only read the table: limosa adopt, without --keep-foreign-ledger",
        ));
    }
    let (engine, database) = (opened.target.engine, &opened.session.facts().database);
    let ledger = foreign.ledger.clone().within(engine, database);
    let lock = ledger.runner_lock(engine, database);
    if opened.pooled && lock.is_some() {
        return Err(Failure::usage(
            "LIM-U141",
            format!("{name} takes a lock of its session, which nobody can hold through a pooler in transaction mode"),
            "name an address that goes past the pooler: --direct-url, or 'direct_url' in limosa.toml",
        ));
    }
    Ok((ledger, lock))
}

impl Beside {
    /// What stands in it, as far as somebody has looked.
    fn rows(&self) -> &[ForeignRow] {
        match &self.there {
            Some(Ok(rows)) => rows,
            _ => &[],
        }
    }

    fn keeping<'k>(&'k self, loaded: &'k Loaded) -> Keeping<'k> {
        Keeping::new(self.tool, &loaded.changes, &self.adopted.migrations, &self.adopted.missing)
    }
}

/// Refuses where the kept ledger and limosa's do not agree: somebody has let the other tool go on. Nothing to do where none is kept.
///
/// # Errors
/// That, and what the server says.
pub(crate) async fn refuse_disagreement(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    view: &LedgerView,
) -> Result<(), Failure> {
    match disagreement(opened, loaded, view).await? {
        Some(problem) => Err(Failure::new(crate::Exit::Person, problem)),
        None => Ok(()),
    }
}

/// The same before the lock is taken: a run of the tool that is under way is waited for with that, and what it leaves is compared then.
/// True where there is one.
///
/// # Errors
/// As [`refuse_disagreement`].
pub(crate) async fn refuse_disagreement_at_rest(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    view: &LedgerView,
) -> Result<bool, Failure> {
    let Some(problem) = disagreement(opened, loaded, view).await? else { return Ok(false) };
    let ledger = opened.beside.as_ref().and_then(|beside| beside.kept.as_ref().ok()).map(|kept| kept.ledger.clone());
    match ledger {
        Some(ledger) if run_under_way(opened, &ledger).await?.is_some() => Ok(true),
        _ => Err(Failure::new(crate::Exit::Person, problem)),
    }
}

/// How the kept ledger and limosa's do not agree.
///
/// # Errors
/// What the server says.
pub(crate) async fn disagreement(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    view: &LedgerView,
) -> Result<Option<Diagnostic>, Failure> {
    if let Some(problem) = another(opened, loaded, view).await? {
        return Ok(Some(problem));
    }
    Box::pin(look_beside(opened, view)).await?;
    let Some(beside) = &opened.beside else { return Ok(None) };
    if let Err(failure) = &beside.kept {
        return Ok(failure.diagnostics.first().cloned());
    }
    let rows = match at_rest(opened).await? {
        Some(Ok(rows)) => rows,
        Some(Err(problem)) => return Ok(Some(problem)),
        None => return Ok(None),
    };
    // A plan that is made next goes by what stands there.
    opened.beside.iter_mut().for_each(|beside| beside.there = Some(Ok(rows.clone())));
    let Some(beside) = &opened.beside else { return Ok(None) };
    let (tool, table) = (beside.tool.name(), &beside.adopted.table);
    // What turned up as a file since it was taken over has no row of limosa's yet.
    let turned_up = view.unfiled.as_ref().map(|unfiled| unfiled.identities(&loaded.changes, &view.rows));
    let turned_up = turned_up.unwrap_or_default();
    let of_them = loaded.changes.iter().filter(|change| turned_up.contains(&change.identity)).map(counted);
    let ours: Vec<AppliedRow> = view.rows.iter().cloned().chain(of_them).collect();
    let found = beside.keeping(loaded).disagreement(&ours, &rows);
    Ok(match (found.only_there.is_empty(), found.only_here.is_empty()) {
        (true, true) => None,
        (false, _) => Some(only_there(tool, table, &found.only_there)),
        (true, false) => Some(
            Diagnostic::error(
                "LIM-U140",
                format!(
                    "{tool} does not have {} on record any more, which limosa has applied (table {table})",
                    found.only_here.join(", ")
                ),
            )
            .help(
                "where it was taken back by that tool: limosa repair --mark-not-applied MIGRATION; \
                 where its row was lost: limosa repair --mark-applied MIGRATION writes it again; \
                 to keep the table no longer: limosa adopt",
            ),
        ),
    })
}

/// What the tool has applied and limosa has not.
fn only_there(tool: &str, table: &str, keys: &[String]) -> Diagnostic {
    Diagnostic::error("LIM-P020", format!("{tool} has applied {}, and limosa has not (table {table})", keys.join(", ")))
        .help(
            "limosa adopt --keep-foreign-ledger takes over what it has applied, and goes on keeping its table; \
             limosa adopt takes it over and keeps the table no longer",
        )
}

/// What one row says beyond what limosa knows of, where its tool has gone on since the database was taken over: written back, that would be
/// forgotten, and run again by that tool.
pub(super) fn beyond(loaded: &Loaded, view: &LedgerView, adopted: &Adopted, foreign: &Foreign) -> Option<Diagnostic> {
    if !foreign.ledger.is_one_row() {
        return None;
    }
    let keeping = Keeping::new(foreign.tool, &loaded.changes, &adopted.migrations, &adopted.missing);
    let mut keys = match view.keeps_another {
        true => keeping.disagreement(&view.rows, &foreign.rows).only_there,
        false => foreign.new_keys(adopted),
    };
    // Somebody may have told it by hand.
    keys.retain(|key| !view.rows.iter().any(|row| keeping.key(&row.identity).as_ref() == Some(key)));
    let message = format!(
        "{} has applied {}, and limosa has not (table {})",
        foreign.tool.name(),
        keys.join(", "),
        adopted.table
    );
    let help = "take that over first: limosa adopt; then: limosa adopt --undo";
    (!keys.is_empty()).then(|| Diagnostic::error("LIM-P020", message).help(help))
}

/// Prepares what the steps of a plan tell the kept ledger.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn prepare(opened: &mut Opened<'_>, loaded: &Loaded, view: &LedgerView, plan: &Plan) -> Result<(), Failure> {
    let Some(beside) = &opened.beside else { return Ok(()) };
    let told = beside
        .keeping(loaded)
        .told(plan, &view.rows, beside.rows(), &mut |change| recorded(opened, loaded, beside.tool, change))?;
    let user = user_of(opened);
    let Some(Beside { kept: Ok(kept), .. }) = &mut opened.beside else { return Ok(()) };
    kept.told = told;
    for row in kept.told.values_mut() {
        if let Told::Row(row) = row {
            row.applied_by = Some(user.clone());
        }
    }
    Ok(())
}

/// What is said of steps that come late by the one row of a ledger that is kept; nothing where none does.
pub(crate) fn told_of_late(opened: &Opened<'_>, loaded: &Loaded, plan: &Plan) -> Option<Diagnostic> {
    let beside = opened.beside.as_ref()?;
    let late = beside.keeping(loaded).late(plan, beside.rows());
    let (tool, said) = (beside.tool.name(), beside.rows().last()?.key.as_str());
    let (files, they, them) = match late.as_slice() {
        [] => return None,
        [one] => (format!("{one} comes late"), "it", "it"),
        several => (format!("{} come late", several.join(", ")), "they", "them"),
    };
    let message =
        format!("{files}: the table {} says {said}, and {tool} passes over {them} in silence", beside.adopted.table);
    let help = format!(
        "limosa runs {them} here, and the table goes on saying the newest version; in a database that {tool} itself migrates and that is past \
         {them} already, {they} will never run: give {them} a newer version, unless limosa migrates every database"
    );
    Some(Diagnostic::warning("LIM-U166", message).help(help))
}

/// What the tool would record of a file, which is read in parts.
fn recorded(
    opened: &Opened<'_>,
    loaded: &Loaded,
    tool: ForeignTool,
    change: &Change,
) -> Result<Option<String>, Failure> {
    let ignored = match &loaded.layout {
        Layout::Sqlx(settings) => settings.ignored_chars.as_slice(),
        _ => &[],
    };
    let mut recorder = Recorder::new(tool, ignored);
    if !recorder.is_needed() {
        return Ok(None);
    }
    let file = &change.script.file;
    if counted_values::count_for(tool, change)
        && let Some(checksum) = counted_values::recorded(opened, tool, change, &opened.scripts().read(file)?)
    {
        return Ok(Some(checksum));
    }
    let unreadable = |error: std::io::Error| {
        Failure::usage("LIM-F900", format!("{file} cannot be read: {error}"), "look at the file")
    };
    let mut input = limosa_run::Files::open(opened.scripts(), file).map_err(unreadable)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match input.read(&mut buffer).map_err(unreadable)? {
            0 => return Ok(recorder.finish()),
            read => recorder.feed(&buffer[..read]),
        }
    }
}

/// What is written into the kept ledger where changes are counted as applied, or as not applied, without a run.
///
/// # Errors
/// A file that cannot be read; a kept ledger that cannot be written, or in which something is half done: written over, nobody would ever
/// learn of it.
pub(crate) fn told_by_hand(
    opened: &Opened<'_>,
    loaded: &Loaded,
    view: &LedgerView,
    applied: &[&Change],
    taken_back: &[Identity],
) -> Result<Vec<Item>, Failure> {
    let Some(beside) = &opened.beside else { return Ok(Vec::new()) };
    let kept = beside.kept.as_ref().map_err(Failure::clone)?;
    let refuse = |problem: Diagnostic| Failure::new(crate::Exit::Person, problem);
    if let Some(Err(problem)) = &beside.there {
        return Err(refuse(problem.clone()));
    }
    let there = beside.rows();
    let (engine, keeping) = (opened.target.engine, beside.keeping(loaded));
    let never = |why: &str| Failure::person("LIM-U140", why.to_owned(), "keep it no longer: limosa adopt");
    if kept.ledger.is_one_row() {
        // What limosa does not know of would be forgotten with its one row, and run again by that tool.
        let unknown = keeping.disagreement(&view.rows, there).only_there;
        if !unknown.is_empty() {
            return Err(refuse(only_there(beside.tool.name(), &beside.adopted.table, &unknown)));
        }
        let mut rows = view.rows.clone();
        rows.retain(|row| !taken_back.contains(&row.identity) && !applied.iter().any(|it| it.identity == row.identity));
        rows.extend(applied.iter().map(|change| counted(change)));
        let told = Told::UpTo(keeping.up_to(&rows, there, taken_back));
        return kept.items(engine, &told, Spent::Unknown).map_err(never);
    }
    let mut items = Vec::new();
    for identity in taken_back.iter().chain(applied.iter().map(|change| &change.identity)) {
        if let Some(key) = keeping.key(identity) {
            items.extend(kept.items(engine, &Told::Gone(key), Spent::Unknown).map_err(never)?);
        }
    }
    for change in applied {
        let Some(mut row) = limosa_core::spelled(beside.tool, change, None) else { continue };
        row.checksum = recorded(opened, loaded, beside.tool, change)?;
        row.applied_by = Some(user_of(opened));
        items.extend(kept.items(engine, &Told::Row(row), Spent::Unknown).map_err(never)?);
    }
    Ok(items)
}

/// A row that says nothing but that a change is applied.
fn counted(change: &Change) -> AppliedRow {
    AppliedRow {
        identity: change.identity.clone(),
        version: None,
        name: String::new(),
        file_checksum: change.script.file_checksum.clone(),
        up_checksum: change.script.up_checksum.clone(),
        state: RowState::Baseline,
        statements_done: 0,
        statements_total: 0,
        rank: 0,
        applied_at: String::new(),
        applied_by: String::new(),
        execution_ms: 0,
        has_rollback: false,
        plan_digest: None,
        depends_on: Vec::new(),
    }
}

/// What makes the tool's ledger say what limosa's says, where it is kept from now on; `taken` counts as applied with that.
///
/// # Errors
/// A file that cannot be read; a ledger that cannot be written.
pub(super) fn reconciled(
    opened: &Opened<'_>,
    loaded: &Loaded,
    view: &LedgerView,
    adopted: Option<&Adopted>,
    foreign: &Foreign,
    taken: &[&Change],
) -> Result<Vec<Item>, Failure> {
    let (ledger, lock) = keepable(opened, foreign)?;
    // Before, its table was only read: nothing that was done since stands in it.
    let Some(adopted) = adopted else { return Ok(Vec::new()) };
    let kept = Kept { ledger, told: Default::default(), lock };
    let keeping = Keeping::new(foreign.tool, &loaded.changes, &adopted.migrations, &adopted.missing);
    let (engine, never) = (opened.target.engine, |why: &str| {
        Failure::person("LIM-U140", why.to_owned(), "take it over without --keep-foreign-ledger")
    });
    let mut rows = view.rows.clone();
    rows.extend(taken.iter().map(|change| counted(change)));
    if kept.ledger.is_one_row() {
        let row = keeping.up_to(&rows, &foreign.rows, &[]);
        return kept.items(engine, &Told::UpTo(row), Spent::Unknown).map_err(never);
    }
    let mut items = Vec::new();
    let found = keeping.disagreement(&rows, &foreign.rows);
    // What limosa has taken back since.
    let is_gone = |key: &&String| adopted.migrations.values().any(|known| known == *key);
    for key in found.only_there.iter().filter(is_gone) {
        items.extend(kept.items(engine, &Told::Gone(key.clone()), Spent::Unknown).map_err(never)?);
    }
    for change in &loaded.changes {
        let Some(mut row) = limosa_core::spelled(foreign.tool, change, None) else { continue };
        if found.only_here.contains(&row.key) {
            row.checksum = recorded(opened, loaded, foreign.tool, change)?;
            row.applied_by = Some(user_of(opened));
            items.extend(kept.items(engine, &Told::Row(row), Spent::Unknown).map_err(never)?);
        }
    }
    Ok(items)
}

/// What is remembered of the taking over, as it stands where the table was kept since.
pub(super) fn brought_up_to_date(foreign: &Foreign, loaded: &Loaded, view: &LedgerView, adopted: Adopted) -> Adopted {
    let keeping = Keeping::new(foreign.tool, &loaded.changes, &adopted.migrations, &adopted.missing);
    let standing = view.rows.iter().filter(|row| matches!(row.state, RowState::Applied | RowState::Baseline));
    let keys = standing.filter_map(|row| Some((row.identity.to_string(), keeping.key(&row.identity)?))).collect();
    let newest = keeping.up_to(&view.rows, &foreign.rows, &[]).map(|row| row.key).or_else(|| adopted.newest.clone());
    Adopted { migrations: keys, newest, ..adopted }
}

/// What is written where a file is accepted as it stands: the tool would find another checksum.
///
/// # Errors
/// As [`told_by_hand`].
pub(crate) fn told_of_accepted(
    opened: &Opened<'_>,
    loaded: &Loaded,
    view: &LedgerView,
    change: &Change,
) -> Result<Vec<Item>, Failure> {
    match &opened.beside {
        Some(beside) if Recorder::new(beside.tool, &[]).is_needed() => {
            told_by_hand(opened, loaded, view, &[change], &[])
        }
        _ => Ok(Vec::new()),
    }
}
