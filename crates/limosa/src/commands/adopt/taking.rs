//! Taking over: what the other tool has applied gets its rows in limosa's ledger, all in one transaction.

use std::collections::HashSet;

use limosa_core::{
    Change, Compared, ForeignTool, Identity, LedgerView, TransactionWish, Unfiled, Verdict, compare, newest_missing,
    not_applicable,
};
use limosa_db::ledger::RowEntry;
use limosa_run::Stop;
use limosa_sql::{Diagnostic, Severity, VariableLines};
use serde_json::json;

use super::super::baseline::counted;
use super::super::held::{Edit, Marks, under_lock};
use super::super::repair::forget_journal;
use super::another::another_than;
use super::files::Checking;
use super::finding::{Foreign, begun_in_vain, elsewhere, find, half_done, refuse_known, refuse_newer};
use super::format::read_otherwise;
use super::keeping::{brought_up_to_date, keepable, reconciled};
use super::memory::{Adopted, remember_kept, remember_newest_elsewhere, remember_unfiled, remembered};
use super::proof::{ProveOn, prove, unlike};
use crate::default_schema::told_of_default_schema;
use crate::event::Listener;
use crate::files::Loaded;
use crate::opened::{Opened, Purpose};
use crate::project_of_files::refuse_applied_by_default;
use crate::reading::read_and_open;
use crate::report::{AdoptAnswer, AdoptLine, SCHEMA_VERSION, VerdictCounts};
use crate::strays::told_of;
use crate::telling::told;
use crate::{Exit, Failure, Migrator, interrupted_scripts};

/// What `adopt` is asked.
#[derive(Debug, Clone, Default)]
pub struct AdoptOptions {
    /// The other tool; None takes the one whose table is there.
    pub from: Option<ForeignTool>,
    /// Its table, `name` or `schema.name`; None looks for it by the names that tools use.
    pub ledger_table: Option<String>,
    /// Only show what would be taken over.
    pub dry_run: bool,
    /// Take over migrations whose files were changed since, and a database that is not what the files make.
    pub accept_diverged: bool,
    /// Run the migrations in a database of their own, and compare what they make with what stands here.
    pub prove: Option<ProveOn>,
    /// Keep the tool's ledger beside limosa's from then on; without this one that was kept is kept no longer.
    pub keep: bool,
}

/// How many are named in a message.
const NAMED: usize = 5;

impl Migrator {
    /// Takes over what another tool has applied: each migration that it has on record and that has a file counts as applied.
    ///
    /// # Errors
    /// Where there is no ledger of another tool, or several; where its rows cannot be read. A refusal is an answer with
    /// `errors`.
    pub async fn adopt(
        &self,
        options: &AdoptOptions,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<AdoptAnswer, Failure> {
        if options.dry_run {
            return self.take_over(options, listener, stop).await;
        }
        told(&self.configuration, "adopt", listener, self.take_over(options, listener, stop)).await
    }

    async fn take_over(
        &self,
        options: &AdoptOptions,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<AdoptAnswer, Failure> {
        let purpose = if options.dry_run { Purpose::Probe } else { Purpose::Change };
        // A proof runs what was taken over.
        let check = match options.prove {
            Some(_) => Loaded::refuse_errors,
            None => Loaded::refuse_errors_where_none_runs,
        };
        let (loaded, mut opened) = read_and_open(&self.configuration, purpose, check).await?;
        let answer = take(&mut opened, &loaded, options, listener, &stop).await;
        opened.close().await;
        answer
    }
}

async fn take(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    options: &AdoptOptions,
    listener: &dyn Listener,
    stop: &Stop,
) -> Result<AdoptAnswer, Failure> {
    let view = opened.look().await?;
    let before = remembered(opened, &view).await?;
    if let Some(adopted) = &before
        && let Some(problem) = another_than(opened, loaded, adopted).await?
    {
        return Err(Failure::new(Exit::Person, problem));
    }
    let found = match &before {
        Some(adopted) => find(opened, adopted.tool(), Some(&adopted.table), adopted.project.as_deref()).await,
        None => {
            refuse_known(&view, &|_| true)?;
            refuse_applied_by_default(opened, &loaded.changes, &view).await?;
            find(opened, options.from, options.ledger_table.as_deref(), loaded.layout.project()).await
        }
    };
    let foreign = match (found, before.as_ref().filter(|_| !options.keep)) {
        (Err(_), Some(adopted)) if view.keeps_another => {
            return keep_no_longer(opened, adopted, options, listener, stop).await;
        }
        (Err(_), Some(adopted)) => return Ok(done_before(opened, adopted)),
        (found, _) => found?,
    };
    refuse_newer(&foreign)?;
    if options.keep {
        keepable(opened, &foreign)?;
    }
    let before = match before {
        Some(adopted) if view.keeps_another => Some(brought_up_to_date(&foreign, loaded, &view, adopted)),
        before => before,
    };
    let mut errors = half_done(opened, &foreign).await?;
    let mut checking = Checking::new(opened, &loaded.layout, foreign.tool);
    let mut compared = compare(
        foreign.tool,
        &foreign.rows,
        &loaded.changes,
        &|version| loaded.layout.compared(version),
        &|key| loaded.layout.by_other_name(key),
        &mut |change, row| checking.agreement(change, row),
    );
    checking.end()?;
    let around = opened.surroundings(loaded.needs_extensions(&view)).await?;
    compared.iter_mut().for_each(|line| line.judge_applicable(|change| not_applicable(change, &around)));
    let newest_missing =
        newest_missing(foreign.tool, &compared, &|version| loaded.layout.compared(version)).map(str::to_owned);
    let mut unfiled = Unfiled::of(foreign.tool, &compared, view.unfiled.as_ref());
    if let Some(adopted) = &before {
        // What the other tool has applied since is taken over like the rest was.
        retain_new(&mut compared, &view, adopted);
        let is_as_before = options.keep == view.keeps_another;
        if is_as_before && !compared.iter().any(is_taken) && foreign.new_keys(adopted).is_empty() {
            return Ok(done_before(opened, adopted));
        }
    }
    let is_first = before.is_none();
    let taken: HashSet<Identity> =
        compared.iter().filter(|line| is_taken(line)).filter_map(|line| Some(line.change?.identity.clone())).collect();
    if is_first {
        refuse_known(&view, &|identity| taken.contains(identity))?;
    }
    errors.extend(of_other_files(&foreign, &compared).filter(|_| is_first));
    errors.extend(of_other_project(&foreign, loaded.layout.project()).filter(|_| is_first));
    errors.extend(diverged(&foreign, &compared).filter(|_| !options.accept_diverged));
    let mut answer = answer_of(opened, &foreign, &compared);
    if let Some(place) = options.prove.as_ref().filter(|_| errors.is_empty() && is_first) {
        // A whole run stands within: on the heap it is in nobody's way.
        let proof =
            Box::pin(prove(opened, loaded, &foreign, &taken.iter().cloned().collect(), place, listener, stop)).await?;
        errors.extend(unlike(&foreign, &proof).filter(|_| !options.accept_diverged));
        answer.proof = Some(proof);
    }
    answer.kept = options.keep;
    answer.kept_no_longer = view.keeps_another && !options.keep;
    answer.notices.extend(opened.notices());
    answer.notices.extend(loaded.told_where_none_runs());
    let otherwise = read_otherwise(opened.configuration, loaded, foreign.tool, &foreign.ledger.table());
    match options.dry_run {
        true => answer.notices.extend(otherwise),
        false => errors.extend(otherwise.map(|problem| Diagnostic { severity: Severity::Error, ..problem })),
    }
    let schema = foreign.ledger.place().0.map(str::to_owned);
    answer.notices.extend(told_of_default_schema(opened, Some(foreign.tool), schema.as_deref()).await?);
    answer.notices.extend(foreign.unknown_columns());
    answer.notices.extend(warnings(&foreign, &compared));
    if is_first && options.ledger_table.is_none() && opened.told_ledger.is_none() {
        // The one where the tool keeps it by itself goes first, and nobody passes over another in silence.
        let others = elsewhere(opened, None).await?;
        answer.notices.extend(told_of(opened, &others).await);
    }
    if !errors.is_empty() {
        answer.outcome = "refused";
        answer.kept_no_longer = false;
        let usage = errors.iter().all(|error| error.code == "LIM-U115");
        answer.exit_code = if usage { Exit::Usage } else { Exit::Person }.into();
        answer.errors = errors;
        return Ok(answer);
    }
    if options.dry_run {
        answer.outcome = "would";
        return Ok(answer);
    }
    let written = under_lock(opened, listener, stop, |opened, now, marks| {
        match &before {
            None => refuse_known(now, &|identity| taken.contains(identity))?,
            Some(_) if now.rows != view.rows => {
                return Err(Failure::person("LIM-U119", "another runner was here meanwhile", "run it again"));
            }
            Some(_) => {}
        }
        let mut edit = edit(opened, &foreign, &compared, before.as_ref(), (now, marks));
        if is_first {
            edit.items.extend(begun_in_vain(now).into_iter().flat_map(|identity| forget_journal(opened, identity)));
        }
        edit.items.push(remember_newest_elsewhere(opened, newest_missing.as_deref()));
        if let Some(unfiled) = &mut unfiled {
            let taken = compared.iter().filter(|line| is_taken(line) && !is_first);
            unfiled.counted.extend(taken.filter_map(|line| Some(line.change?.identity.to_string())));
        }
        edit.items.push(remember_unfiled(opened, unfiled.as_ref()));
        if options.keep && !view.keeps_another {
            let taken: Vec<&Change> =
                compared.iter().filter(|line| is_taken(line)).filter_map(|line| line.change).collect();
            edit.items.extend(reconciled(opened, loaded, &view, before.as_ref(), &foreign, &taken)?);
        }
        if options.keep != view.keeps_another {
            edit.items.push(remember_kept(opened, options.keep.then_some(foreign.tool)));
            edit.audit.retain(|(_, identity, _)| identity.is_some());
            edit.audit.push(("adopt", None, json!({"tool": foreign.tool.word(), "kept": options.keep})));
        }
        Ok(edit)
    })
    .await?;
    answer.notices.extend(written.notices);
    answer.audit_head = written.head;
    Ok(answer)
}

/// Leaves what neither ledger told of when the database was taken over.
fn retain_new(compared: &mut Vec<Compared<'_>>, view: &LedgerView, adopted: &Adopted) {
    let ours: HashSet<&str> = view.rows.iter().map(|row| row.identity.as_str()).collect();
    let missing: HashSet<&str> = adopted.missing.iter().map(String::as_str).collect();
    // What limosa has taken back since stays so, though the other tool does not know of it.
    let is_new = |identity: &str| !ours.contains(identity) && !adopted.migrations.contains_key(identity);
    compared.retain(|line| match (line.change, line.row) {
        (Some(change), _) => is_new(change.identity.as_str()),
        (None, row) => row.is_none_or(|row| !missing.contains(row.key.as_str())),
    });
}

/// True where a migration gets its row.
fn is_taken(compared: &Compared<'_>) -> bool {
    compared.change.is_some() && matches!(compared.verdict, Verdict::Verified | Verdict::Stamped | Verdict::Diverged)
}

fn edit(
    opened: &Opened<'_>,
    foreign: &Foreign,
    compared: &[Compared<'_>],
    before: Option<&Adopted>,
    (now, marks): (&LedgerView, &Marks),
) -> Edit {
    let mut taken: Vec<&Compared<'_>> = compared.iter().filter(|line| is_taken(line)).collect();
    // The order of the ledger is the one in which they were applied.
    taken.sort_by_key(|line| line.order);
    let mut edit = Edit { items: Vec::with_capacity(taken.len() + 1), audit: Vec::with_capacity(taken.len()) };
    let mut migrations = before.map(|adopted| adopted.migrations.clone()).unwrap_or_default();
    for (rank, line) in (now.newest_rank + 1..).zip(taken) {
        let Some(change) = line.change else { continue };
        let mut entry = counted(opened, change, marks, Some(rank));
        way_back_kept(opened, foreign, line, &mut entry);
        edit.items.push(opened.ledger.write_row(&entry));
        let key = line.row.map(|row| row.key.clone());
        let detail = json!({
            "name": change.name,
            "tool": foreign.tool.word(),
            "table": foreign.ledger.table(),
            "key": key,
            "verdict": line.verdict.as_str(),
            "note": line.note,
            "recorded_checksum": line.row.and_then(|row| row.checksum.as_deref()),
            "applied_at": line.row.and_then(|row| row.applied_at.as_deref()),
            "applied_by": line.row.and_then(|row| row.applied_by.as_deref()),
            "execution_ms": line.row.and_then(|row| row.execution_ms),
        });
        edit.audit.push(("adopt", Some(change.identity.to_string()), detail));
        migrations.insert(change.identity.to_string(), key.unwrap_or_default());
    }
    let taken_keys: HashSet<String> = migrations.values().cloned().collect();
    let adopted = Adopted {
        tool: foreign.tool.word().to_owned(),
        table: foreign.ledger.table(),
        project: foreign.rows.iter().find_map(|row| row.project.clone()),
        newest: foreign.rows.last().map(|row| row.key.clone()),
        by: opened.configuration.actor.clone(),
        migrations,
        missing: foreign.rows.iter().map(|row| row.key.clone()).filter(|key| !taken_keys.contains(key)).collect(),
        at: String::new(),
        is_kept: false,
    };
    edit.items.push(adopted.remember(opened));
    if edit.audit.is_empty() {
        edit.audit.push(("adopt", None, json!({"tool": adopted.tool, "table": adopted.table})));
    }
    edit
}

/// The way back that runs is the one which was recorded with the migration: where the tool keeps it, that one, as it has no placeholders.
fn way_back_kept(opened: &Opened<'_>, foreign: &Foreign, line: &Compared<'_>, entry: &mut RowEntry) {
    let Some((row, text)) = line.row.and_then(|row| Some((row, row.rollback.as_deref()?))) else { return };
    if entry.rollback.as_deref().is_some_and(|of_file| of_file.trim() == text.trim()) {
        return;
    }
    let origin = format!("rollback_sql of {} in the table {}", row.key, foreign.ledger.table());
    let outline =
        interrupted_scripts::outline(opened.dialect(), &origin, text, TransactionWish::Auto, &VariableLines::default());
    // What cannot be read is told when it is to run; comments alone lead nowhere.
    if outline.is_ok_and(|outline| outline.statements == 0) {
        return;
    }
    entry.rollback = Some(text.to_owned());
    entry.rollback_origin = Some(json!({"file": origin, "placeholders": "off"}).to_string());
}

/// Names of a few, in words.
pub(super) fn few(names: &[&str]) -> String {
    let shown = names[..names.len().min(NAMED)].join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Where none of what the tool has applied has a file, the folder is another one.
fn of_other_files(foreign: &Foreign, compared: &[Compared<'_>]) -> Option<Diagnostic> {
    let missing = compared.iter().filter(|line| line.verdict == Verdict::Missing);
    let keys: Vec<&str> = missing.filter_map(|line| Some(line.row?.key.as_str())).collect();
    if keys.is_empty() || compared.iter().any(|line| is_taken(line) || line.verdict == Verdict::HalfDone) {
        return None;
    }
    let message =
        format!("none of the migrations that {} has on record has a file here: {}", foreign.tool.name(), few(&keys));
    let help = "name the folder of its files: --dir, and their format where it is not recognised: --format";
    Some(Diagnostic::error("LIM-U115", message).help(help))
}

/// Where the tool has migrations of other projects on record and none of this one, the project may have another name.
fn of_other_project(foreign: &Foreign, project: Option<&str>) -> Option<Diagnostic> {
    let project = project.filter(|_| foreign.rows.is_empty() && !foreign.others.is_empty())?;
    let others: Vec<&str> = foreign.others.iter().map(String::as_str).collect();
    let message = format!(
        "{} has migrations of {} on record (table {}), and none of the project {project}, which these files are of",
        foreign.tool.name(),
        few(&others),
        foreign.ledger.table()
    );
    let help = "name the folder of its files: --dir, or write the project's name in the plan as it was: %project=NAME; \
                where it was never deployed there is nothing to take over: limosa migrate --ignore-other-ledgers";
    Some(Diagnostic::error("LIM-U115", message).help(help))
}

/// Files that were changed since.
fn diverged(foreign: &Foreign, compared: &[Compared<'_>]) -> Option<Diagnostic> {
    let diverged = compared.iter().filter(|line| line.verdict == Verdict::Diverged);
    let files: Vec<&str> = diverged.filter_map(|line| Some(line.change?.script.file.as_str())).collect();
    let message = match files.len() {
        0 => return None,
        1 => format!("a file was changed since {} applied it: {}", foreign.tool.name(), files[0]),
        count => format!("{count} files were changed since {} applied them: {}", foreign.tool.name(), few(&files)),
    };
    let help = "put them back as they were applied; or, where the database has what they say today: --accept-diverged";
    Some(Diagnostic::error("LIM-U114", message).help(help))
}

fn warnings(foreign: &Foreign, compared: &[Compared<'_>]) -> Vec<Diagnostic> {
    let keys = |verdict: Verdict| -> Vec<&str> {
        let of = compared.iter().filter(|line| line.verdict == verdict);
        of.filter_map(|line| line.change.map(|it| it.label.as_str()).or(line.row.map(|row| row.key.as_str()))).collect()
    };
    let unknown = keys(Verdict::Unknown);
    let missing = keys(Verdict::Missing);
    let tool = foreign.tool.name();
    let mut all = Vec::new();
    if !missing.is_empty() {
        let message = format!("{tool} has applied what has no file here: {}", few(&missing));
        all.push(
            Diagnostic::warning("LIM-U120", message).help(
                "no row is made of them; where their files are in another folder, name it: --dir; where a file turns up later, it counts as \
                 applied and is not run",
            ),
        );
    }
    if !foreign.failed.is_empty() {
        let failed: Vec<&str> = foreign.failed.iter().map(String::as_str).collect();
        let message =
            format!("{tool} has tried to deploy {}, which failed, and has not deployed it since", few(&failed));
        all.push(Diagnostic::warning("LIM-U157", message).help(
            "what its script did ahead of the failure, without a BEGIN of its own, stands: look, and take that away by hand before \
             limosa migrate runs the script",
        ));
    }
    if !unknown.is_empty() {
        let message = format!("{tool} has not applied {}, and has applied later ones", few(&unknown));
        all.push(Diagnostic::warning("LIM-U121", message).help(
            "where they should run: limosa migrate --out-of-order allow; where the database has them already: \
             limosa repair --mark-applied MIGRATION",
        ));
    }
    all
}

fn answer_of(opened: &Opened<'_>, foreign: &Foreign, compared: &[Compared<'_>]) -> AdoptAnswer {
    let mut counts = VerdictCounts::default();
    for line in compared {
        *match line.verdict {
            Verdict::Verified => &mut counts.verified,
            Verdict::Stamped => &mut counts.stamped,
            Verdict::Diverged => &mut counts.diverged,
            Verdict::HalfDone => &mut counts.half_done,
            Verdict::Missing => &mut counts.missing,
            Verdict::Unknown => &mut counts.unknown,
            Verdict::NotApplicable => &mut counts.not_applicable,
            Verdict::Pending => &mut counts.pending,
        } += 1;
    }
    AdoptAnswer {
        schema_version: SCHEMA_VERSION,
        command: "adopt",
        exit_code: Exit::Done.into(),
        outcome: "done",
        target: opened.target.clone(),
        tool: foreign.tool.name().to_owned(),
        table: foreign.ledger.table(),
        migrations: compared.iter().map(line).collect(),
        counts,
        kept: false,
        kept_no_longer: false,
        adopted: None,
        proof: None,
        errors: Vec::new(),
        notices: Vec::new(),
        audit_head: None,
    }
}

fn line(compared: &Compared<'_>) -> AdoptLine {
    let (change, row) = (compared.change, compared.row);
    let of_row = || row.and_then(|row| row.name.as_deref());
    AdoptLine {
        verdict: compared.verdict.as_str(),
        identity: change.map(|change| change.identity.to_string()),
        version: change
            .map(|change| &*change.label)
            .or_else(|| row.map(|row| row.version.as_deref().unwrap_or(&row.key)))
            .unwrap_or_default()
            .to_owned(),
        name: change.map(|change| &*change.name).or_else(of_row).unwrap_or_default().to_owned(),
        file: change.map(|change| change.script.file.to_string()),
        key: row.map(|row| row.key.clone()),
        recorded_checksum: row.and_then(|row| row.checksum.clone()),
        applied_at: row.and_then(|row| row.applied_at.clone()),
        applied_by: row.and_then(|row| row.applied_by.clone()),
        note: compared.note.clone(),
    }
}

/// A table that is gone is kept no longer; nothing else is done.
async fn keep_no_longer(
    opened: &mut Opened<'_>,
    adopted: &Adopted,
    options: &AdoptOptions,
    listener: &dyn Listener,
    stop: &Stop,
) -> Result<AdoptAnswer, Failure> {
    let mut answer = done_before(opened, &Adopted { is_kept: false, ..adopted.clone() });
    answer.adopted = None;
    answer.kept_no_longer = true;
    answer.outcome = if options.dry_run { "would" } else { "done" };
    if options.dry_run {
        return Ok(answer);
    }
    let written = under_lock(opened, listener, stop, |opened, _, _| {
        let audit = vec![("adopt", None, json!({"tool": adopted.tool, "kept": false}))];
        Ok(Edit { items: vec![remember_kept(opened, None)], audit })
    })
    .await?;
    answer.notices.extend(written.notices);
    answer.audit_head = written.head;
    Ok(answer)
}

/// A second time there is nothing to do.
fn done_before(opened: &Opened<'_>, adopted: &Adopted) -> AdoptAnswer {
    let line = adopted.line();
    AdoptAnswer {
        schema_version: SCHEMA_VERSION,
        command: "adopt",
        exit_code: Exit::Done.into(),
        outcome: "nothing_to_do",
        target: opened.target.clone(),
        tool: line.tool.clone(),
        table: line.table.clone(),
        migrations: Vec::new(),
        counts: VerdictCounts::default(),
        kept: line.kept,
        kept_no_longer: false,
        adopted: Some(line),
        proof: None,
        errors: Vec::new(),
        notices: Vec::new(),
        audit_head: None,
    }
}
