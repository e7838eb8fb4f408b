//! A plan as an SQL script that a person can run with the engine's own client, with the same result: statements,
//! transactions, time-outs, and the rows of the ledger.

use std::fmt::Write;

use limosa_core::{Direction, GroupMode, LedgerView, Plan, Step};
use limosa_db::ledger::{AuditEntry, statements as sql};
use limosa_db::{Item, Value};
use limosa_sql::{Engine, expand};
use serde_json::json;

use crate::Failure;
use crate::commands::plan::each_statement;
use crate::opened::Opened;

/// The script.
pub(crate) fn script(opened: &Opened<'_>, plan: &Plan, view: &LedgerView) -> Result<String, Failure> {
    let engine = opened.target.engine;
    let client = match engine {
        Engine::Sqlite => "sqlite3 -bail FILE",
        _ => "psql --set ON_ERROR_STOP=1",
    };
    let mut out = format!(
        "-- What limosa would do to {}, for running by hand: {client} < this file\n-- Plan {}\n",
        plan.database,
        plan.digest()
    );
    if !view.exists {
        out.push_str("\n-- the ledger\n");
        out.push_str(&opened.ledger.script());
    }
    if engine == Engine::Sqlite {
        out.push_str("\n-- limosa hashes its audit log in the database; by hand the log gets no rows\n");
    }
    for (at, step) in plan.steps.iter().enumerate() {
        let ends = plan.steps.get(at + 1).is_none_or(|next| !next.joins_previous);
        write_step(opened, plan, step, ends, &mut out)?;
    }
    Ok(out)
}

fn write_step(opened: &Opened<'_>, plan: &Plan, step: &Step, ends: bool, out: &mut String) -> Result<(), Failure> {
    let engine = opened.target.engine;
    let values = &opened.configuration.values;
    let _ = write!(out, "\n-- {} {}\n", step.label, step.name);
    let mut problem = None;
    let total = step.outline.statements;
    for lifted in step.outline.lifted.iter().filter(|_| engine == Engine::Sqlite) {
        let _ = writeln!(out, "{};", lifted.text);
    }
    if total == 0 || (step.outline.is_atomic() && !step.joins_previous) {
        begin(engine, step, out);
    }
    let single = step.outline.is_atomic();
    each_statement(opened, step, u64::MAX, &mut |number, _, _, text| {
        let place = step.outline.place_of(number);
        let wrapper = step.outline.wrapped && (number == 1 || number == total);
        let lifted = engine == Engine::Sqlite && step.outline.lifted.iter().any(|lifted| lifted.statement == number);
        if wrapper || lifted || number <= step.action.done() {
            return;
        }
        // Secrets stand in the script by their names: a script is kept and mailed.
        let shown = values.all.iter().filter(|(name, _)| !values.secret.contains(*name));
        let mut shown: std::collections::BTreeMap<String, String> =
            shown.map(|(name, value)| (name.clone(), value.clone())).collect();
        for name in &values.secret {
            shown.insert(name.clone(), format!("${{{name}}}"));
        }
        let text = match step.placeholders_off {
            true => text,
            false => match expand(engine, &text, &shown) {
                Ok(expanded) => expanded.text,
                Err(unknown) => {
                    problem = Some(unknown.name);
                    text
                }
            },
        };
        let ours = place.is_some_and(|(group, _, _)| group.mode == GroupMode::Transaction) && !single;
        if ours && place.is_some_and(|(_, first, _)| first) {
            begin(engine, step, out);
        }
        let _ = writeln!(out, "{text};");
        if ours && place.is_some_and(|(_, _, last)| last) && number < total {
            out.push_str("commit;\n");
        }
    })?;
    if let Some(name) = problem {
        return Err(Failure::usage(
            "LIM-R012",
            format!("the placeholder ${{{name}}} has no value"),
            "give it one: --placeholder",
        ));
    }
    let open = step.outline.groups.last().is_none_or(|group| group.mode == GroupMode::Transaction);
    if !open {
        begin(engine, step, out);
    }
    ledger_rows(opened, plan, step, out);
    if ends || !open {
        out.push_str("commit;\n");
    }
    Ok(())
}

fn begin(engine: Engine, step: &Step, out: &mut String) {
    match engine {
        Engine::Sqlite => out.push_str("begin immediate;\n"),
        _ => {
            let _ = writeln!(
                out,
                "begin;\nset local lock_timeout = {};\nset local statement_timeout = {};",
                step.limits.lock_timeout_ms, step.limits.statement_timeout_ms
            );
        }
    }
}

fn ledger_rows(opened: &Opened<'_>, plan: &Plan, step: &Step, out: &mut String) {
    let book = &opened.ledger;
    let engine = opened.target.engine;
    let text = |value: &str| engine.quote_literal(value);
    let project = text(&book.project);
    let identity = text(step.identity.as_str());
    let table = book.names.table("schema_migrations");
    if plan.direction == Direction::Revert {
        let _ = writeln!(out, "delete from {table} where project = {project} and identity = {identity};");
    } else {
        let undo = step.undo.as_ref();
        let or_null = |value: Option<String>| value.map_or("null".to_owned(), |value| text(&value));
        let origin = undo.map(|undo| {
            json!({"file": undo.file, "line": undo.position.line, "column": undo.position.column}).to_string()
        });
        let depends: Vec<&str> = step.depends_on.iter().map(limosa_core::Identity::as_str).collect();
        let _ = writeln!(
            out,
            "insert into {table} (project, identity, version, name, checksum, up_checksum, state, statements_done, \
             statements_total, rank, applied_by, execution_ms, rollback_sql, rollback_origin, depends_on, plan_digest, \
             lease_epoch, step_mark) values ({project}, {identity}, {}, {}, {}, {}, 'applied', {total}, {total}, \
             (select coalesce(max(rank), 0) + 1 from {table} where project = {project}), {}, 0, {}, {}, {}, {}, 0, 'by hand');",
            or_null(step.version.clone()),
            text(&step.name),
            text(step.file_checksum.as_str()),
            text(step.up_checksum.as_str()),
            text(&opened.configuration.actor),
            or_null(undo.map(|undo| undo.text.clone())),
            or_null(origin),
            text(&json!(depends).to_string()),
            text(plan.digest().as_str()),
            total = step.outline.statements,
        );
    }
    if engine == Engine::Sqlite {
        return;
    }
    let detail = json!({"name": step.name, "checksum": step.file_checksum.as_str(), "by_hand": true, "plan": plan.digest().as_str()});
    let operation = if plan.direction == Direction::Revert { "revert" } else { "apply" };
    let entry = AuditEntry {
        actor: opened.configuration.actor.clone(),
        operation: operation.to_owned(),
        identity: Some(step.identity.to_string()),
        outcome: "done",
        detail: detail.to_string(),
    };
    let head = book.bound(&sql::ENSURE_HEAD, Vec::new());
    for item in std::iter::once(head).chain(book.audit(&entry)) {
        let _ = writeln!(out, "{};", inlined(engine, &item));
    }
}

/// A statement of limosa's own with its parameters as quoted constants.
fn inlined(engine: Engine, item: &Item) -> String {
    let Item::Bound { sql, parameters } = item else { return String::new() };
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql.as_str();
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let digits: String = rest[at + 1..].chars().take_while(char::is_ascii_digit).collect();
        let value = digits.parse::<usize>().ok().and_then(|number| parameters.get(number.checked_sub(1)?));
        match value {
            Some(Value::Text(text)) => {
                let _ = write!(out, "{}::text", engine.quote_literal(text));
            }
            Some(Value::Integer(number)) => {
                let _ = write!(out, "{number}");
            }
            Some(Value::Boolean(truth)) => {
                let _ = write!(out, "{truth}");
            }
            Some(Value::Null) => out.push_str("null::text"),
            None => {
                out.push('$');
                rest = &rest[at + 1..];
                continue;
            }
        }
        rest = &rest[at + 1 + digits.len()..];
    }
    out.push_str(rest);
    out
}
