//! MySQL: what stands around the ledger's statements. Settings belong to the session there, and end with no transaction: those of
//! a script are put aside and taken up again.

use limosa_core::Step;
use limosa_db::ledger::statements as sql;
use limosa_db::{Item, Value};

use super::Marks;
use crate::Context;
use crate::feed::{Purpose, Tagged};

/// Ends with the transaction, however it ends: a statement that commits by itself takes it away, and its release then fails. The
/// server knows no time at which a transaction began, so that it is noted; whatever a script sets as its time zone or as its time.
const MARK: &str = "savepoint limosa_step; set @limosa_began = unix_timestamp(sysdate(6))";

/// The time is taken in a statement of its own: the binary log would call one unsafe that writes a row by `sysdate`.
const PROVE: &str = "release savepoint limosa_step; \
    set @limosa_took = greatest(0, floor((unix_timestamp(sysdate(6)) - @limosa_began) * 1000))";

/// The ledger is written in our own encoding and read without a limit. The guards do not depend on `sql_mode`, but what becomes
/// of a text that is too long does.
const PUT_ASIDE: &str = "set @limosa_sql_mode = @@session.sql_mode, @limosa_client = @@session.character_set_client, \
    @limosa_connection = @@session.collation_connection, @limosa_results = @@session.character_set_results, \
    @limosa_limit = @@session.sql_select_limit, @limosa_safe = @@session.sql_safe_updates, \
    @limosa_big = @@session.sql_big_selects, @limosa_null = @@session.sql_auto_is_null; \
    set session sql_mode = 'STRICT_ALL_TABLES', sql_select_limit = default, sql_safe_updates = 0, sql_big_selects = 1, \
    sql_auto_is_null = 0; \
    set names utf8mb4";

/// The encoding of the client last: the server reads the whole statement in the one of before.
const TAKE_UP: &str = "set session sql_mode = @limosa_sql_mode, sql_select_limit = @limosa_limit, \
    sql_safe_updates = @limosa_safe, sql_big_selects = @limosa_big, sql_auto_is_null = @limosa_null, \
    character_set_results = @limosa_results, collation_connection = @limosa_connection, \
    character_set_client = @limosa_client";

fn control(text: impl Into<String>, purpose: Purpose) -> Tagged {
    (Item::Control(text.into()), purpose)
}

/// Before the transactions of a file that goes on in parts and has made its session read-only: the ledger is written in them.
pub(crate) fn writable(step: &Step) -> Option<String> {
    let names = ["transaction_read_only", "tx_read_only"];
    let is_set = step.settings().any(|name| names.contains(&name));
    is_set.then(|| "set session transaction read write".to_owned())
}

/// The time-outs of a step, in whole seconds and never none: zero would fail at once on MariaDB. `lock_wait_timeout` is for the
/// locks of tables (one year where no limit is wanted, the server's own default), `innodb_lock_wait_timeout` for those of rows.
pub(crate) fn time_outs(step: &Step) -> Option<String> {
    let seconds = match step.limits.lock_timeout_ms {
        0 => 31_536_000,
        milliseconds => milliseconds.div_ceil(1000),
    };
    // What the file sets itself is left alone.
    let set: Vec<String> = ["lock_wait_timeout", "innodb_lock_wait_timeout"]
        .into_iter()
        .filter(|setting| !step.outline.settings.iter().any(|name| name == setting))
        .map(|setting| format!("{setting} = {}", seconds.min(1_073_741_824)))
        .collect();
    (!set.is_empty()).then(|| format!("set session {}", set.join(", ")))
}

/// The mark of the transaction, proof of the lease, the time-outs of the step.
pub(super) fn head(context: &Context<'_>, step: &Step, marks: &Marks, fresh: bool) -> Vec<Tagged> {
    let mut items = vec![control(MARK, Purpose::Settings)];
    if fresh {
        items.extend(time_outs(step).map(|text| control(text, Purpose::Settings)));
    }
    let borrowed = step.begins_otherwise() || (!fresh && step.outline.may_set());
    if borrowed {
        items.push(control(PUT_ASIDE, Purpose::Settings));
    }
    let fence = context.ledger.bound(
        &sql::FENCE,
        vec![
            Value::Integer(marks.epoch),
            Value::Text(marks.step_mark.clone()),
            Value::Text(String::new()),
            Value::Text(String::new()),
        ],
    );
    items.push((fence, Purpose::Fence));
    if borrowed {
        items.push(control(TAKE_UP, Purpose::Settings));
    }
    items
}

/// Proof that the transaction is still ours, then our own way of speaking.
pub(super) fn before_ledger(step: &Step) -> Vec<Tagged> {
    let mut items = vec![control(PROVE, Purpose::Ledger)];
    if step.may_leave() {
        items.push(control(PUT_ASIDE, Purpose::Settings));
    }
    items
}

/// The script's way of speaking again.
pub(crate) fn after_ledger(step: &Step) -> Vec<Tagged> {
    step.may_leave().then(|| control(TAKE_UP, Purpose::Settings)).into_iter().collect()
}
