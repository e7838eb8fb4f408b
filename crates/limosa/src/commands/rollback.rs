//! `rollback`: takes back what was applied, by the ways back that were recorded.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use limosa_core::{
    Direction, Identity, LedgerView, Plan, RollbackAsk, Selection, SharedSession, Shares, Step, StoredRollback,
    TimeOuts, TransactionWish, decide_rollback, selected,
};
use limosa_db::ledger::statements as sql;
use limosa_db::{Row, Value, solitude};
use limosa_run::{Events, RunReport, SharedTransactions, Stop, conduct, emptied_tables};
use limosa_sql::{Dialect, Engine, ForeignKeys, PlaceholderMarks, Position, VariableLines};

use super::{adopt, held, migrate};
use crate::backup::{Before, Subject};
use crate::event::{Listener, Progress, Told};
use crate::files::Loaded;
use crate::opened::{Opened, Purpose};
use crate::reading::{open_and_read_these, read_all_where_another_is_kept, read_and_open};
use crate::report::RunAnswer;
use crate::telling::told;
use crate::{Failure, Migrator, backup, enum_values, interrupted_scripts};

/// What a rollback is asked to do.
#[derive(Debug, Clone)]
pub struct RollbackOptions {
    /// Which changes.
    pub selection: Selection,
    /// Take the ways back from the files.
    pub use_file: bool,
    /// The database that the user named as consent to lose data.
    pub consent: Option<String>,
    /// Make a backup first.
    pub backup: bool,
}

/// A recorded way back beside the one that the file holds now.
#[derive(Debug, Clone, serde::Serialize)]
pub struct RollbackDifference {
    /// The change.
    pub identity: String,
    /// As recorded; None where nothing was.
    pub recorded: Option<String>,
    /// As the file has it.
    pub file: String,
}

impl Migrator {
    /// Takes back what the options select.
    ///
    /// # Errors
    /// Where nothing could be begun, or was refused.
    pub async fn rollback(
        &self,
        options: &RollbackOptions,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<RunAnswer, Failure> {
        told(&self.configuration, "rollback", listener, self.run_back(options, listener, stop)).await
    }

    async fn run_back(
        &self,
        options: &RollbackOptions,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<RunAnswer, Failure> {
        let began = Instant::now();
        let (configuration, purpose) = (&self.configuration, Purpose::Change);
        let (loaded, mut opened) = match (options.use_file, &options.selection) {
            (true, _) => read_and_open(configuration, purpose, Loaded::refuse_errors).await?,
            (false, Selection::Steps(count)) => {
                let last = Selection::Steps(*count);
                // A wrong selection is told by whoever decides.
                let chosen = move |view: &LedgerView| selected(view, &last).unwrap_or_default().into_iter().collect();
                let (mut loaded, mut opened) = open_and_read_these(configuration, purpose, chosen).await?;
                read_all_where_another_is_kept(&mut opened, &mut loaded)?;
                (loaded, opened)
            }
            // Whoever names a version may name a file.
            (false, _) => read_and_open(configuration, purpose, |_| Ok(())).await?,
        };
        let answer = run(&mut opened, &loaded, options, listener, stop, began).await;
        opened.close().await;
        answer
    }

    /// For `--use-file`: where the files differ from what was recorded.
    ///
    /// # Errors
    /// Where the ledger cannot be read, or nothing is selected.
    pub async fn rollback_differences(&self, options: &RollbackOptions) -> Result<Vec<RollbackDifference>, Failure> {
        let (loaded, mut opened) = read_and_open(&self.configuration, Purpose::Read, |_| Ok(())).await?;
        let result = differences(&mut opened, &loaded, options).await;
        opened.close().await;
        result
    }
}

async fn differences(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    options: &RollbackOptions,
) -> Result<Vec<RollbackDifference>, Failure> {
    let view = opened.look().await?;
    let plan = decide(
        opened,
        loaded,
        &view,
        &RollbackOptions { consent: Some(opened.target.database.clone()), ..options.clone() },
        loaded.shared_session(),
    )
    .await?;
    let chosen: Vec<Identity> = plan.steps.iter().map(|step| step.identity.clone()).collect();
    let recorded = stored(opened, &chosen, loaded.foreign_keys).await?;
    Ok(plan
        .steps
        .iter()
        .filter_map(|step| {
            let limosa_core::Work::Text(planned) = &step.work else { return None };
            let before = recorded.get(&step.identity).map(|rollback| rollback.text.clone());
            (before.as_deref() != Some(planned.text.as_str())).then(|| RollbackDifference {
                identity: step.identity.to_string(),
                recorded: before,
                file: planned.text.clone(),
            })
        })
        .collect())
}

/// The texts of all recorded ways back.
///
/// # Errors
/// What the server says.
pub(crate) async fn recorded_ways_back(
    opened: &mut Opened<'_>,
    view: &LedgerView,
) -> Result<HashMap<Identity, String>, Failure> {
    let with_way_back = view.rows.iter().filter(|row| row.has_rollback);
    let identities: Vec<Identity> = with_way_back.map(|row| row.identity.clone()).collect();
    if identities.is_empty() {
        return Ok(HashMap::new());
    }
    let stored = stored(opened, &identities, ForeignKeys::default()).await?;
    Ok(stored.into_iter().map(|(identity, rollback)| (identity, rollback.text)).collect())
}

/// The recorded ways back of these changes, as far as there are some.
async fn stored(
    opened: &mut Opened<'_>,
    identities: &[Identity],
    foreign_keys: ForeignKeys,
) -> Result<HashMap<Identity, StoredRollback>, Failure> {
    let values = identities.iter().map(|identity| Value::Text(identity.to_string())).collect();
    let questions = opened.ledger.bound_lists(&sql::ROLLBACKS_OF, values);
    // Together, so that a network is waited for once, however many there are.
    let answers = opened.ledger.transact(opened.session.as_mut(), questions).await?;
    let mut found = HashMap::new();
    for row in answers.iter().flatten() {
        if let (Some(identity), Some(text)) = (row.text(0), row.text(1)) {
            let identity = Identity::new(identity);
            let rollback = recorded(opened.dialect().with_foreign_keys(foreign_keys), &identity, text, row)?;
            found.insert(identity, rollback);
        }
    }
    Ok(found)
}

/// A way back from the columns of [`sql::ROLLBACKS_OF`].
fn recorded(dialect: Dialect, identity: &Identity, text: String, row: &Row) -> Result<StoredRollback, Failure> {
    let origin: serde_json::Value = row.text(2).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let number = |key: &str| origin.get(key).and_then(serde_json::Value::as_u64).unwrap_or(1);
    let position = Position { line: number("line"), column: number("column") };
    let file = origin.get("file").and_then(|file| file.as_str()).unwrap_or_default();
    let wish = match origin.get("transaction").and_then(|word| word.as_str()) {
        Some("none") => TransactionWish::None,
        _ => TransactionWish::Auto,
    };
    let time_outs = TimeOuts {
        lock_ms: origin.get("lock_timeout_ms").and_then(serde_json::Value::as_u64),
        statement_ms: origin.get("statement_timeout_ms").and_then(serde_json::Value::as_u64),
    };
    let variables: VariableLines =
        origin.get("variables").and_then(|lines| serde_json::from_value(lines.clone()).ok()).unwrap_or_default();
    let marks: PlaceholderMarks = origin
        .get("placeholder_marks")
        .and_then(|marks| serde_json::from_value(marks.clone()).ok())
        .unwrap_or_default();
    let outline = interrupted_scripts::outline(dialect.with_marks(marks), file, &text, wish, &variables)?;
    let values: BTreeMap<String, Option<String>> =
        row.text(3).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    Ok(StoredRollback {
        text,
        file: format!("recorded rollback of {identity} ({file})").into(),
        position,
        outline: outline.into(),
        time_outs,
        values: values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
        placeholders_off: origin.get("placeholders").and_then(|word| word.as_str()) == Some("off"),
    })
}

/// The selection with versions as the format compares them, and names for what they name.
fn meant(loaded: &Loaded, view: &LedgerView, selection: &Selection) -> Result<Selection, Failure> {
    Ok(match selection {
        Selection::To(version) => Selection::To(loaded.version(version, &view.rows)?),
        Selection::From(first) => Selection::From(loaded.identity(first, &view.rows)?),
        Selection::One(one) => Selection::One(loaded.identity(one, &view.rows)?),
        Selection::Steps(_) | Selection::These(_) => selection.clone(),
    })
}

/// What this rollback would do, given the ledger as it is.
pub(crate) async fn decide(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    view: &LedgerView,
    options: &RollbackOptions,
    shared_session: Option<SharedSession>,
) -> Result<Plan, Failure> {
    adopt::refuse_disagreement(opened, loaded, view).await?;
    loaded.refuse_errors_around_back()?;
    let around = opened.surroundings(false).await?;
    let (changes, selection) = (&loaded.changes, meant(loaded, view, &options.selection)?);
    let chosen = selected(view, &selection).map_err(|problem| Failure::refused(vec![*problem]))?;
    let stored = stored(opened, &chosen, loaded.foreign_keys).await?;
    let first_parts =
        interrupted_scripts::first_parts_back(opened, &stored, options.use_file.then_some(changes.as_slice()), view);
    let mut ask = RollbackAsk {
        selection,
        use_file: options.use_file,
        consent: options.consent.clone(),
        callbacks: loaded.callbacks.clone(),
        first_parts,
        enum_values: HashMap::new(),
        shared_session,
        ignores_pragmas: loaded.ignores_pragmas(),
    };
    let policy = opened.policy();
    enum_values::decide_knowing(opened, |values| {
        ask.enum_values = values;
        decide_rollback(changes, view, &stored, &ask, &policy, &around).map_err(Failure::refused)
    })
}

async fn run(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    options: &RollbackOptions,
    listener: &dyn Listener,
    stop: Stop,
    began: Instant,
) -> Result<RunAnswer, Failure> {
    let mut view = opened.look().await?;
    let plan = loop {
        match decide(opened, loaded, &view, options, loaded.shared_session()).await {
            Ok(plan) => break plan,
            // A run that is gone may have had its last commit on its way: then the ledger has moved since we looked.
            Err(failure) => {
                let now = opened.look().await?;
                if now.shows_the_same(&view) {
                    return Err(failure);
                }
                view = now;
            }
        }
    };
    if plan.is_empty() {
        return Ok(migrate::nothing(opened, "rollback", plan.notices, view.head, began));
    }
    listener.progress(Progress::Target(opened.target.clone()));
    let saved = match options.backup {
        true => Some(backup::make(&Subject::of(opened), listener, &stop, Before::Run).await?),
        false => None,
    };
    let events = Told(listener);
    let held = held::take(opened, &events, stop.clone(), &view).await?;
    // What a backup takes is time in which anything may happen.
    let decided = match saved.is_none() && held.view.stands_as(&view) {
        true => Ok(plan),
        false => decide(opened, loaded, &held.view, options, loaded.shared_session()).await,
    };
    let decided = decided.and_then(|plan| adopt::prepare(opened, loaded, &held.view, &plan).map(|()| plan));
    let result = match decided {
        Ok(plan) => {
            let shared_transactions = shared_transactions(opened, &plan).await;
            let (session, mut context) = opened.run_parts(&events, stop);
            context.shared_transactions = shared_transactions;
            let report = conduct(session.as_mut(), &context, &plan, held.epoch).await;
            Ok((plan, report))
        }
        Err(failure) => Err(failure),
    };
    held::give_back(opened, held.epoch).await;
    let (plan, report) = result?;
    let mut answer = migrate::answer(opened, "rollback", plan, report, began);
    answer.backup = saved;
    crate::anchor::append(opened.configuration, answer.audit_head.as_ref(), &mut answer.notices);
    Ok(answer)
}

/// So many ways back save more than the question costs whether they may share transactions, which is one wait for the server.
const WORTH_ASKING: usize = 4;

/// Which steps may share transactions, as the database is used now. Where it does not say so, none.
async fn shared_transactions(opened: &mut Opened<'_>, plan: &Plan) -> SharedTransactions {
    let may = |step: &&Step| matches!(step.outline.shares, Shares::Drops | Shares::Deletes);
    let is_worth_asking =
        opened.target.engine == Engine::Postgres && plan.steps.iter().filter(may).count() >= WORTH_ASKING;
    if !is_worth_asking || !opened.configuration.share_transactions {
        return SharedTransactions::None;
    }
    // Where the steps look for tables in another order, their names do not tell here which are meant.
    let emptied = emptied_tables(plan, opened.dialect()).filter(|_| opened.first_schema.is_none());
    let asked: Vec<String> = emptied.iter().flatten().cloned().collect();
    match solitude(opened.session.as_mut(), &asked).await {
        Ok(found) if found.alone => SharedTransactions::Back { deletes: found.quiet && emptied.is_some() },
        // A lost connection is told by what comes next.
        Ok(_) | Err(_) => SharedTransactions::None,
    }
}

/// Takes back exactly these changes, newest first, under a lease that is held; those without a way back end it. Each begins with what its
/// change began with.
pub(crate) async fn take_back(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    identities: &[Identity],
    began_with: &HashMap<Identity, Vec<String>>,
    epoch: i64,
    events: &dyn Events,
) -> Result<RunReport, Failure> {
    opened.session.settle().await?;
    let view = opened.look().await?;
    // From the newest on, as far as there is a way back: one that stays keeps all before it.
    let reachable: Vec<Identity> = identities
        .iter()
        .take_while(|identity| view.row(identity).is_some_and(|row| row.has_rollback))
        .cloned()
        .collect();
    let options = RollbackOptions {
        selection: Selection::These(reachable),
        use_file: false,
        consent: Some(opened.target.database.clone()),
        backup: false,
    };
    let mut plan = decide(opened, loaded, &view, &options, None).await?;
    for step in &mut plan.steps {
        step.begins_with = began_with.get(&step.identity).into_iter().flatten().cloned().collect();
    }
    debug_assert_eq!(plan.direction, Direction::Revert);
    adopt::prepare(opened, loaded, &view, &plan)?;
    let (session, context) = opened.run_parts(events, Stop::new());
    Ok(conduct(session.as_mut(), &context, &plan, epoch).await)
}
