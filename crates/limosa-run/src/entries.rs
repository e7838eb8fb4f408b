//! What a step writes into the ledger.

pub(crate) mod mysql;
pub(crate) mod several;

use limosa_core::{Action, Direction, Identity, PutsBack, RowState, Step, Work};
use limosa_db::ledger::{AuditEntry, JournalEntry, RowEntry, statements as sql};
use limosa_db::{Item, Value};
use limosa_sql::{Class, Engine};
use serde_json::json;

use crate::feed::{Purpose, Tagged};
use crate::first_schema::put_first;
use crate::journalled::Stood;
use crate::{Context, kept, locals};

/// The marks of one attempt at one transaction.
#[derive(Debug, Clone)]
pub(crate) struct Marks {
    pub(crate) epoch: i64,
    /// Unique per attempt: by it a lost answer to COMMIT is resolved.
    pub(crate) step_mark: String,
    pub(crate) plan_digest: String,
    /// [`limosa_db::monotonic_ms`] when the attempt began; for engines without a transaction clock.
    pub(crate) began_ms: i64,
    /// Milliseconds that earlier transactions of the same script took.
    pub(crate) before_ms: i64,
}

/// Begins the transaction of these scripts. On PostgreSQL, should it not begin, nothing of what is sent behind it takes effect.
pub(crate) fn begin_guarded<'s>(
    context: &Context<'_>,
    engine: Engine,
    mut scripts: impl Iterator<Item = &'s Step>,
) -> Tagged {
    // Behind a pooler others would meet the setting that sees to it.
    let guarded = engine == Engine::Postgres && !context.pooled && scripts.all(leaves_guard);
    (if guarded { Item::BeginGuarded } else { Item::Begin }, Purpose::Begin)
}

/// True for a step that has no value of its own for the setting by which a transaction is guarded, which would be lost.
pub(crate) fn leaves_guard(step: &Step) -> bool {
    step.settings().all(|name| name != GUARD)
}

/// Settings back to those of a fresh session, then proof of the lease and the time-outs of the step.
pub(crate) fn head(context: &Context<'_>, engine: Engine, step: &Step, marks: &Marks, fresh: bool) -> Vec<Tagged> {
    if engine == Engine::Mysql {
        return mysql::head(context, step, marks, fresh);
    }
    let mut items = Vec::new();
    if engine == Engine::Postgres && fresh {
        let role = local_role(context, step);
        let begins: Vec<String> = beginning(context, step).into_iter().chain(role).collect();
        if !begins.is_empty() {
            items.push((Item::Control(begins.join("; ")), Purpose::Settings));
        }
    }
    // A script that has taken on another role or encoding goes on with it after the fence, which needs ours.
    let is_under_way = !fresh || step.inherits.is_some();
    // So may one that goes on with what callbacks have set, or with what its change began with.
    let may_differ = step.goes_on || !step.begins_with.is_empty();
    let borrowed = engine == Engine::Postgres && (may_differ || (is_under_way && borrows(step)));
    if borrowed {
        items.push((Item::Control(KEEP_BORROWED.to_owned()), Purpose::Settings));
        items.extend(own_rights(context, engine, step));
    }
    let (lock, statement) = if fresh {
        (step.limits.lock_timeout_ms.to_string(), step.limits.statement_timeout_ms.to_string())
    } else {
        (
            keep(step, "lock_timeout", step.limits.lock_timeout_ms),
            keep(step, "statement_timeout", step.limits.statement_timeout_ms),
        )
    };
    items.push((
        context.ledger.bound(
            &sql::FENCE,
            vec![
                Value::Integer(marks.epoch),
                Value::Text(marks.step_mark.clone()),
                Value::Text(lock),
                Value::Text(statement),
            ],
        ),
        Purpose::Fence,
    ));
    if borrowed {
        items.push((Item::Control(BORROWED_AGAIN.to_owned()), Purpose::Settings));
    }
    items.extend(locals::take_up(step).map(|text| (Item::Control(text), Purpose::Settings)));
    items
}

/// What comes first in a transaction that was sent before the one ahead of it, which left `before` as its mark and the settings
/// of a fresh session, was answered.
pub(crate) fn head_ahead(context: &Context<'_>, step: &Step, marks: &Marks, before: &str) -> Tagged {
    let values = vec![
        Value::Integer(marks.epoch),
        Value::Text(marks.step_mark.clone()),
        Value::Text(step.limits.lock_timeout_ms.to_string()),
        Value::Text(step.limits.statement_timeout_ms.to_string()),
        Value::Text(before.to_owned()),
    ];
    // Project, epoch, and time-outs that few files have of their own.
    (context.ledger.bound_in_run(&sql::FENCE_AHEAD, &[1, 2, 4, 5], values), Purpose::Fence)
}

/// What comes last in a transaction behind which another is sent at once: the settings of a fresh session for it unless it inherits
/// those of before, the mark by which it knows that this one committed, and that nothing is changed outside of transactions meanwhile.
pub(crate) fn tail_ahead(context: &Context<'_>, marks: &Marks, next: &Step) -> Vec<Tagged> {
    let begins = beginning(context, next).map(|begins| format!("{begins}; ")).unwrap_or_default();
    let text = format!("{begins}set {GUARD} = on; {}", sql::leave_mark(&marks.step_mark));
    vec![(Item::Control(text), Purpose::Settings), (Item::Commit, Purpose::Commit), (Item::BeginAhead, Purpose::Begin)]
}

/// The setting by which a statement that meets no transaction changes nothing.
const GUARD: &str = "default_transaction_read_only";

/// Gives up what [`tail_ahead`] set.
pub(crate) fn unguarded() -> Item {
    Item::Control(format!("reset {GUARD}"))
}

/// Settings of a script that the ledger must not be written under.
const BORROWED: &[&str] = &["role", "session_authorization", "client_encoding"];

const KEEP_BORROWED: &str = "select set_config('limosa.authorization', current_setting('session_authorization'), true); \
    select set_config('limosa.role', current_setting('role'), true); \
    select set_config('limosa.encoding', current_setting('client_encoding'), true)";

/// The authorization first: setting it takes the role away.
const BORROWED_AGAIN: &str = "select set_config('session_authorization', current_setting('limosa.authorization'), true); \
    select set_config('role', current_setting('limosa.role'), true); \
    select set_config('client_encoding', current_setting('limosa.encoding'), true)";

/// PostgreSQL: what a step begins with: the settings of a fresh session, or those that it inherits, but for what its tool puts back.
/// Nothing is put back right before it where callbacks stand there.
pub(crate) fn beginning(context: &Context<'_>, step: &Step) -> Option<String> {
    if step.goes_on { None } else { put_back(context, step) }
}

/// PostgreSQL: what is put back before a step and the callbacks right before it.
pub(crate) fn put_back(context: &Context<'_>, step: &Step) -> Option<String> {
    let back = match step.inherits.as_ref().map(|inherited| inherited.puts_back) {
        None => Some([reset(context)].iter().chain(&step.begins_with).cloned().collect::<Vec<_>>().join("; ")),
        Some(PutsBack::Nothing) => None,
        Some(PutsBack::PathRoleAndVariables) => {
            Some(format!("reset session authorization; {}; reset search_path", own_role(context)))
        }
    };
    // A pooler gives the next transaction to somebody else.
    let first = context.first_schema.as_deref().map(|schema| put_first(schema, context.pooled));
    let all: Vec<String> = back.into_iter().chain(first).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// Behind a pooler, where the session could not take the role on for good. What is inherited may hold another one.
pub(crate) fn local_role(context: &Context<'_>, step: &Step) -> Option<String> {
    let role = context.local_role.as_ref().filter(|_| step.inherits.is_none())?;
    Some(format!("set local role {}", Engine::Postgres.quote_identifier(role)))
}

/// True where it may run with other rights, or in another encoding, than the ledger is written with.
pub(crate) fn borrows(step: &Step) -> bool {
    step.settings().any(|name| BORROWED.contains(&name))
}

/// A time-out that the file sets itself is left alone between the transactions of the file.
fn keep(step: &Step, setting: &str, milliseconds: u64) -> String {
    if step.outline.settings.iter().any(|name| name == setting) { String::new() } else { milliseconds.to_string() }
}

/// PostgreSQL: every session setting back to its default; the role that the session took on when it began is kept by the
/// session itself as its default.
pub(crate) fn reset(context: &Context<'_>) -> String {
    format!("reset session authorization; {}; reset all{}", own_role(context), context.session_settings)
}

fn own_role(context: &Context<'_>) -> String {
    match &context.session_role {
        Some(role) => format!("set role {}", Engine::Postgres.quote_identifier(role)),
        None => "reset role".to_owned(),
    }
}

/// Before statements outside of transactions: the settings of a fresh session unless it inherits others, with the time-outs of the
/// step.
pub(crate) fn fresh_settings(context: &Context<'_>, engine: Engine, step: &Step) -> Option<Item> {
    match engine {
        Engine::Postgres => {
            let begins: Vec<String> = beginning(context, step).into_iter().chain([time_outs(step)]).collect();
            Some(Item::Control(begins.join("; ")))
        }
        Engine::Mysql => mysql::time_outs(step).map(Item::Control),
        _ => None,
    }
}

/// Before the ledger is written: the rights that we came with and the encoding that we speak, whatever the file has set, for
/// the rest of the transaction. Always: a function may have changed them without the file saying so.
pub(crate) fn own_rights(context: &Context<'_>, engine: Engine, step: &Step) -> Vec<Tagged> {
    match engine {
        Engine::Postgres => {}
        Engine::Mysql => return mysql::before_ledger(step),
        _ => return Vec::new(),
    }
    let role = match context.local_role.as_ref().or(context.session_role.as_ref()) {
        Some(role) => format!("set local role {}", engine.quote_identifier(role)),
        None => "set local role none".to_owned(),
    };
    // In a message of its own: the server reads the whole of one in the encoding of before.
    ["set local client_encoding = 'UTF8'".to_owned(), format!("set local session authorization default; {role}")]
        .map(|text| (Item::Control(text), Purpose::Settings))
        .into()
}

/// PostgreSQL, behind [`own_rights`]: the mark of the transaction, where the script may have taken it away with all settings.
pub(crate) fn mark_again(context: &Context<'_>, engine: Engine, step: &Step, marks: &Marks) -> Option<Tagged> {
    let may_be_gone = matches!(step.work, Work::Code(_)) || step.outline.may_reset_all();
    let mark = || context.ledger.bound(&sql::MARK_AGAIN, vec![Value::Text(marks.step_mark.clone())]);
    (engine == Engine::Postgres && may_be_gone).then(|| (mark(), Purpose::Ledger))
}

/// PostgreSQL, behind a statement that puts all settings back to those with which the session began: what limosa had set for its
/// session and for the step.
pub(crate) fn behind_reset_all(context: &Context<'_>, engine: Engine, step: &Step, class: &Class) -> Option<Item> {
    (engine == Engine::Postgres && class.resets_all())
        .then(|| Item::Control(format!("{}{}", time_outs(step), context.session_settings)))
}

fn time_outs(step: &Step) -> String {
    let (lock, statement) = (step.limits.lock_timeout_ms, step.limits.statement_timeout_ms);
    format!("set lock_timeout = {lock}; set statement_timeout = {statement}")
}

/// Deferred constraints and triggers run while the settings and the role are still the file's, and their failure is told
/// as one of its commit.
pub(crate) fn settle_constraints(engine: Engine) -> Option<Tagged> {
    (engine == Engine::Postgres)
        .then(|| (Item::Control("set constraints all immediate".to_owned()), Purpose::Constraints))
}

/// The last items before the commit of a step that changes settings or leaves something in the session, or may do so unseen: the next
/// transaction begins with defaults that nobody has changed (`default_transaction_isolation` counts before anything can be reset within it),
/// and finds no temporary table of the one before, as if each file had a session of its own; so does whoever gets the session behind it from
/// a pooler.
pub(crate) fn farewell(context: &Context<'_>, engine: Engine, step: &Step) -> Vec<Tagged> {
    let is_code = matches!(step.work, Work::Code(_));
    let sets = is_code || !step.outline.settings.is_empty() || !step.begins_with.is_empty();
    if engine != Engine::Postgres || step.hands_on {
        return Vec::new();
    }
    let keeps = is_code || step.outline.session_bound.is_some();
    let takes = keeps.then(|| "close all; unlisten *; discard temp".to_owned());
    let resets = (sets || context.first_schema.is_some()).then(|| reset(context));
    takes.into_iter().chain(resets).map(|text| (Item::Control(text), Purpose::Settings)).collect()
}

fn json_of(identities: &[Identity]) -> String {
    serde_json::to_string(identities).unwrap_or_else(|_| "[]".to_owned())
}

fn rollback_values(context: &Context<'_>, engine: Engine, step: &Step) -> Option<String> {
    let undo = step.undo.as_ref()?;
    if step.placeholders_off {
        return None;
    }
    undo.values(engine, &context.values.all, &context.values.secret)
}

/// The milliseconds that [`RowEntry::execution_ms`] wants.
pub(crate) fn spent_before(engine: Engine, marks: &Marks) -> i64 {
    match engine {
        Engine::Sqlite => marks.before_ms - marks.began_ms,
        _ => marks.before_ms,
    }
}

fn row(context: &Context<'_>, engine: Engine, step: &Step, marks: &Marks, state: RowState, done: u64) -> RowEntry {
    let undo = step.undo.as_ref();
    RowEntry {
        identity: step.identity.to_string(),
        version: step.version().map(String::from),
        name: step.name.to_string(),
        checksum: step.file_checksum().to_string(),
        up_checksum: step.up_checksum().to_string(),
        state: Some(state),
        done: done.cast_signed(),
        total: step.outline.statements.cast_signed(),
        applied_by: context.actor.clone(),
        execution_ms: spent_before(engine, marks),
        rollback: undo.map(|undo| undo.text.clone()),
        rollback_origin: undo.map(|undo| undo.origin(step.placeholders_off)),
        rollback_values: rollback_values(context, engine, step),
        depends_on: json_of(&step.depends_on),
        plan_digest: Some(marks.plan_digest.clone()),
        epoch: marks.epoch,
        step_mark: marks.step_mark.clone(),
        rank: step.rank,
        is_new: false,
    }
}

fn ledger(item: Item) -> Tagged {
    (item, Purpose::Ledger)
}

/// SQLite, where no second session may write while ours does: at the end of a transaction, which may have been long.
fn sign_of_life(context: &Context<'_>, engine: Engine, marks: &Marks) -> Option<Tagged> {
    if engine != Engine::Sqlite {
        return None;
    }
    // More often than a lease wants to hear of us, and seldom enough to cost small migrations nothing.
    let every = context.lease / 10;
    Some(ledger(context.ledger.seldom(every, &sql::HEARTBEAT, vec![Value::Integer(marks.epoch)])))
}

/// The change is done: its row, its place in the audit log, the end of its journal.
pub(crate) fn finished(
    context: &Context<'_>,
    engine: Engine,
    step: &Step,
    marks: &Marks,
    journalled: bool,
) -> Vec<Tagged> {
    let book = &context.ledger;
    let direction = step.action.direction();
    let identity = Value::Text(step.identity.to_string());
    let mut items = own_rights(context, engine, step);
    items.extend(mark_again(context, engine, step, marks));
    items.extend(sign_of_life(context, engine, marks));
    match direction {
        Direction::Apply => {
            let mut row = row(context, engine, step, marks, RowState::Applied, step.outline.statements);
            // A journal has written one already.
            row.is_new = step.adds_row && !journalled;
            items.push(ledger(book.write_row(&row)));
        }
        Direction::Revert => {
            let mark = Value::Text(marks.step_mark.clone());
            if engine == Engine::Postgres {
                items.push(ledger(book.bound(&sql::TAKE_ROW, vec![identity.clone(), mark])));
            } else {
                let guards = vec![identity.clone(), Value::Integer(marks.epoch), mark];
                items.push(ledger(book.bound(&sql::GUARD_ROW, guards)));
                items.push(ledger(book.bound(&sql::DELETE_ROW, vec![identity.clone()])));
            }
            if step.has_journal {
                let up = Value::from(Direction::Apply.as_str());
                items.push(ledger(book.bound(&sql::DELETE_JOURNAL, vec![identity.clone(), up])));
            }
        }
    }
    if journalled {
        items.push(ledger(book.bound(&sql::DELETE_JOURNAL, vec![identity, Value::from(direction.as_str())])));
    }
    items.extend(kept::items(context, engine, step, marks));
    items.extend(audit(context, step, marks, "done", json!({})));
    if engine == Engine::Mysql && step.hands_on {
        items.extend(mysql::after_ledger(step));
    }
    items
}

/// The change counts as applied without having run: its row, and its place in the audit log.
pub(crate) fn counted(context: &Context<'_>, engine: Engine, step: &Step, marks: &Marks, because: &str) -> Vec<Tagged> {
    let mut row = row(context, engine, step, marks, RowState::Baseline, 0);
    row.is_new = step.adds_row;
    let mut items = own_rights(context, engine, step);
    items.push(ledger(context.ledger.write_row(&row)));
    items.extend(audit(context, step, marks, "done", json!({"counted": true, "because": because})));
    items
}

/// Some statements are committed with this transaction.
pub(crate) fn progress(
    context: &Context<'_>,
    engine: Engine,
    step: &Step,
    marks: &Marks,
    done: u64,
    done_hash: &str,
    current: Option<(u64, String, Option<String>)>,
) -> Vec<Tagged> {
    let book = &context.ledger;
    let mut items = own_rights(context, engine, step);
    items.extend(mark_again(context, engine, step, marks));
    items.extend(sign_of_life(context, engine, marks));
    items.push(match step.action.direction() {
        Direction::Apply => ledger(book.write_row(&row(context, engine, step, marks, RowState::Partial, done))),
        Direction::Revert => {
            let (done, total) = (done.cast_signed(), step.outline.statements.cast_signed());
            standing(context, step, marks, &Stood { state: RowState::Reverting, done, total })
        }
    });
    items.push(ledger(book.write_journal(&JournalEntry {
        identity: step.identity.to_string(),
        direction: step.action.direction(),
        done: done.cast_signed(),
        done_hash: done_hash.to_owned(),
        current: current.map(|(number, hash, before)| (number.cast_signed(), hash, before)),
        epoch: marks.epoch,
    })));
    if engine == Engine::Mysql {
        items.extend(mysql::after_ledger(step));
    }
    items
}

/// Nothing of a way back has taken effect: the row as it stood, and no journal of it.
pub(crate) fn untouched(
    context: &Context<'_>,
    engine: Engine,
    step: &Step,
    marks: &Marks,
    stood: &Stood,
) -> Vec<Tagged> {
    let mut items = own_rights(context, engine, step);
    items.extend(mark_again(context, engine, step, marks));
    items.extend(sign_of_life(context, engine, marks));
    items.push(standing(context, step, marks, stood));
    let journal = vec![Value::Text(step.identity.to_string()), Value::from(Direction::Revert.as_str())];
    items.push(ledger(context.ledger.bound(&sql::DELETE_JOURNAL, journal)));
    if engine == Engine::Mysql {
        items.extend(mysql::after_ledger(step));
    }
    items
}

fn standing(context: &Context<'_>, step: &Step, marks: &Marks, stands: &Stood) -> Tagged {
    ledger(context.ledger.bound(
        &sql::PROGRESS_ROW,
        vec![
            Value::Text(step.identity.to_string()),
            Value::Integer(marks.epoch),
            Value::Text(marks.step_mark.clone()),
            Value::from(stands.state.as_str()),
            Value::Integer(stands.done),
            Value::Integer(stands.total),
        ],
    ))
}

/// A row of the audit log for a step.
pub(crate) fn audit(
    context: &Context<'_>,
    step: &Step,
    marks: &Marks,
    outcome: &'static str,
    more: serde_json::Value,
) -> Vec<Tagged> {
    let entry = audit_entry(context, step, marks, outcome, &more);
    context.ledger.audit(&entry).into_iter().map(|item| (item, Purpose::Audit)).collect()
}

fn audit_entry(
    context: &Context<'_>,
    step: &Step,
    marks: &Marks,
    outcome: &'static str,
    more: &serde_json::Value,
) -> AuditEntry {
    let operation = match step.action {
        Action::Apply | Action::Reapply | Action::Resume { .. } => "apply",
        Action::Revert | Action::ResumeRevert { .. } => "revert",
    };
    let mut detail = json!({
        "name": step.name,
        "checksum": step.file_checksum(),
        "statements": step.outline.statements,
        "plan": marks.plan_digest,
        "run": context.run_id,
    });
    if let (Some(detail), Some(more)) = (detail.as_object_mut(), more.as_object()) {
        detail.extend(more.clone());
    }
    AuditEntry {
        actor: context.actor.clone(),
        operation: operation.to_owned(),
        identity: Some(step.identity.to_string()),
        outcome,
        detail: detail.to_string(),
    }
}
