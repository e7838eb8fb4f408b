//! A plan as an SQL script that a person can run with the engine's own client, with the same result: statements,
//! transactions, time-outs, and the rows of the ledger.

use std::collections::BTreeMap;
use std::fmt::Write;

use limosa_core::{Direction, Group, GroupMode, LedgerView, Plan, PutsBack, Skipped, Step, Work};
use limosa_db::ledger::{AuditEntry, statements as sql};
use limosa_db::{Item, RunnerLock, Spent};
use limosa_run::{locals, lock_key, lock_name, own_values, put_first, set_all};
use limosa_sql::{Engine, ForeignKeys, UnknownPlaceholder, classify};
use serde_json::json;

use crate::Failure;
use crate::commands::adopt::Beside;
use crate::commands::plan::{Listed, each_statement, preconditions};
use crate::opened::Opened;

/// Who works, as the tables of other tools name the user: that of the database, where there is one.
pub(crate) fn user_of(opened: &Opened<'_>) -> String {
    match opened.target.user.as_str() {
        "" => opened.configuration.actor.clone(),
        user => user.to_owned(),
    }
}

/// The script.
///
/// `schemas` are statements that make what the settings name and is missing, `given` is what the session of limosa began with.
pub(crate) fn script(
    opened: &Opened<'_>,
    plan: &Plan,
    view: &LedgerView,
    schemas: &[String],
    given: &[String],
) -> Result<String, Failure> {
    let engine = opened.target.engine;
    let client = match engine {
        Engine::Sqlite => "sqlite3 -bail FILE",
        Engine::Mysql => "mariadb DATABASE (or mysql DATABASE)",
        _ => "psql --no-psqlrc --set ON_ERROR_STOP=1",
    };
    let mut script = Script { opened, plan, engine, given, out: String::new() };
    let _ = write!(
        script.out,
        "-- What limosa would do to {}, for running by hand: {client} < this file\n-- Plan {}\n",
        plan.database,
        plan.digest()
    );
    let secrets: Vec<&str> =
        plan.values.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.as_str()).collect();
    if !secrets.is_empty() {
        let _ =
            writeln!(script.out, "-- Secrets stand here by their names; put in their values: {}", secrets.join(", "));
    }
    if !plan.callbacks.is_empty() {
        let _ = writeln!(script.out, "-- Callbacks are not in here; run them yourself:");
        for callback in &plan.callbacks {
            let _ = writeln!(script.out, "--   {}: {}", callback.event, callback.file().replace(['\n', '\r'], " "));
        }
    }
    let proofs: Vec<&str> =
        plan.steps.iter().filter_map(|step| step.proof.as_ref()).map(|proof| proof.work.origin().as_str()).collect();
    if !proofs.is_empty() {
        let _ = writeln!(script.out, "-- What proves the migrations is not in here; run it behind them:");
        for file in proofs {
            let _ = writeln!(script.out, "--   {}", file.replace(['\n', '\r'], " "));
        }
    }
    for step in &plan.steps {
        for precondition in preconditions(step) {
            let line = format!("-- {} is only to be run where {precondition}", step.identity);
            let _ = writeln!(script.out, "{}", line.replace(['\n', '\r'], " "));
        }
    }
    if engine == Engine::Postgres {
        let key = lock_key(&opened.configuration.ledger_schema, &opened.configuration.project);
        script.out.push_str("\n-- the lock of runners, for as long as this session lives\n");
        script.line(&format!("select pg_advisory_lock({key})"));
    }
    if engine == Engine::Mysql {
        let (schema, project) = (&opened.configuration.ledger_schema, &opened.configuration.project);
        let name = engine.quote_literal(&lock_name(&opened.target.database, schema, project));
        script.out.push_str("\n-- the lock of runners, for as long as this session lives\n");
        script.line(&format!("select get_lock({name}, 31536000)"));
    }
    if let Some(Beside { kept: Ok(kept), .. }) = &opened.beside {
        let _ = writeln!(script.out, "\n-- {}, whose table {} is written too", kept.ledger.name, kept.ledger.table());
        match &kept.lock {
            Some(RunnerLock::Key(key)) => script.line(&format!("select pg_advisory_lock({key})")),
            Some(RunnerLock::Keys(one, other)) => {
                script.line(&format!("select pg_advisory_lock({one}), pg_advisory_lock({other})"));
            }
            Some(RunnerLock::Name(name)) => {
                script.line(&format!("select get_lock({}, 31536000)", engine.quote_literal(name)));
            }
            None => {}
        }
    }
    script.schemas(schemas);
    if !view.exists {
        script.out.push_str("\n-- the ledger\n");
        script.out.push_str(&opened.ledger.script());
    }
    if engine == Engine::Sqlite {
        script.out.push_str("\n-- See to it that limosa does not run meanwhile. Its audit log is hashed by limosa itself: by hand it gets no rows.\n");
    }
    if let Some(code) = plan.steps.iter().find(|step| matches!(step.work, Work::Code(_))) {
        let message = format!("{} is code, which no script holds", code.work.origin());
        return Err(Failure::usage("LIM-U015", message, "run it by the application"));
    }
    let begins = plan.steps.first().map(|step| step.outline.foreign_keys).unwrap_or_default();
    if !begins.are_ignored() {
        script.out.push_str("\n-- what each migration begins with\n");
        script.foreign_keys(begins);
    }
    for (at, step) in plan.steps.iter().enumerate() {
        let ends = plan.steps.get(at + 1).is_none_or(|next| !next.joins_previous);
        script.step(step, ends)?;
    }
    if !plan.skipped.is_empty() {
        script.out.push_str("\n-- what does not apply here, so that it is not out of order when it does one day\n");
        for skipped in &plan.skipped {
            script.skipped(skipped);
        }
    }
    Ok(script.out)
}

struct Script<'a> {
    opened: &'a Opened<'a>,
    plan: &'a Plan,
    engine: Engine,
    given: &'a [String],
    out: String,
}

impl Script<'_> {
    fn line(&mut self, sql: &str) {
        let _ = match self.engine {
            // The client of MySQL ends a statement at each semicolon, also at those of a routine's body.
            Engine::Mysql if sql.contains(';') => {
                let mut delimiter = "$$".to_owned();
                while sql.contains(&delimiter) {
                    delimiter.push('$');
                }
                writeln!(self.out, "DELIMITER {delimiter}\n{sql}\n{delimiter}\nDELIMITER ;")
            }
            _ => writeln!(self.out, "{sql};"),
        };
    }

    fn step(&mut self, step: &Step, ends: bool) -> Result<(), Failure> {
        if let Some(made) = self.plan.makes.as_ref().filter(|made| made.is_for(step)) {
            let _ = write!(self.out, "\n-- the table of {}, which the next migration uses\n", made.tool);
            made.statements.iter().for_each(|statement| self.line(statement));
        }
        let _ = write!(self.out, "\n-- {} {}\n", step.label, step.name);
        let atomic = step.outline.is_atomic() && step.action.done() == 0;
        let (before, after) = step.outline.pragmas_around();
        for lifted in before {
            let pragma = self.expanded(step, &lifted.text, lifted.line)?;
            self.line(&pragma);
        }
        if atomic && !step.outline.wrapped {
            self.begin(step, if step.joins_previous { "" } else { "begin" });
        }
        if !atomic && self.engine == Engine::Postgres {
            self.put_back(step);
        }
        let mut problem = None;
        each_statement(self.opened, step, u64::MAX, &mut |listed| {
            let result = match listed {
                Listed::Statement { number, line, text, .. } => self.statement(step, (number, line), text, atomic),
                Listed::CopyData { number, data } => self.copy_data(step, number, data),
                Listed::CopyEnd { number } if number > step.action.done() => {
                    self.out.push_str("\\.\n");
                    Ok(())
                }
                Listed::CopyEnd { .. } => Ok(()),
            };
            if let Err(failure) = result {
                problem.get_or_insert(failure);
            }
        })?;
        if let Some(failure) = problem {
            return Err(failure);
        }
        let open = step.outline.groups.last().is_none_or(|group| group.mode == GroupMode::Transaction);
        if !open {
            self.begin(step, "begin");
        }
        let next = self.plan.steps.iter().skip_while(|other| other.identity != step.identity).nth(1);
        locals::keep(step, next).iter().for_each(|text| self.line(text));
        self.rows(step);
        if ends || !open {
            self.line("commit");
        }
        for lifted in after {
            let pragma = self.expanded(step, &lifted.text, lifted.line)?;
            self.line(&pragma);
        }
        let switches = |name: &String| name == "foreign_keys" && self.engine == Engine::Sqlite;
        if (ends || !open) && step.outline.settings.iter().any(switches) {
            self.foreign_keys(step.outline.foreign_keys);
        }
        Ok(())
    }

    /// SQLite: what the next migration begins with.
    fn foreign_keys(&mut self, begins: ForeignKeys) {
        self.line(&format!("pragma foreign_keys = {}", begins.word()));
    }

    fn statement(&mut self, step: &Step, (number, line): (u64, u64), text: &str, atomic: bool) -> Result<(), Failure> {
        if number <= step.action.done() {
            return Ok(());
        }
        let outline = &step.outline;
        if outline.wrapped && number == 1 {
            // The file's own words, for they may name an isolation level.
            let begin = if self.engine == Engine::Postgres { text } else { "begin" };
            self.begin(step, if step.joins_previous { "" } else { begin });
            return Ok(());
        }
        let is_lifted = |number| outline.lifted.iter().any(|lifted| lifted.statement == number);
        let unsent = !outline.sends(number) || (self.engine == Engine::Sqlite && is_lifted(number));
        if unsent && atomic {
            return Ok(());
        }
        let place = outline.place_of(number);
        let ours = !atomic && place.is_some_and(|(group, _, _)| group.mode == GroupMode::Transaction);
        if ours && place.is_some_and(|(group, first, _)| first || is_resumed_in(step, group, number)) {
            self.begin(step, "begin");
        }
        if !unsent {
            let text = self.expanded(step, text, line)?;
            if self.engine == Engine::Postgres && place.is_some_and(|(group, _, _)| group.mode == GroupMode::Alone) {
                let concurrently = classify(self.engine, &text).verb.contains("CONCURRENTLY");
                let lock = if concurrently { 0 } else { step.limits.lock_timeout_ms };
                let statement = step.limits.statement_timeout_ms;
                self.line(&format!("set lock_timeout = {lock}; set statement_timeout = {statement}"));
            }
            self.line(&text);
            let is_open = place.is_some_and(|(group, _, _)| group.mode != GroupMode::Alone);
            if self.engine == Engine::Postgres && is_open && classify(self.engine, &text).resets_all() {
                self.time_outs(step);
            }
        }
        if ours && place.is_some_and(|(_, _, last)| last) && number < outline.statements {
            self.line("commit");
        }
        Ok(())
    }

    fn copy_data(&mut self, step: &Step, number: u64, data: &[u8]) -> Result<(), Failure> {
        if number <= step.action.done() {
            return Ok(());
        }
        let text = std::str::from_utf8(data).map_err(|_| {
            let message =
                format!("{} {} holds data for COPY that is not UTF-8, which no script can hold", step.label, step.name);
            Failure::usage("LIM-U014", message, "run it by limosa, or convert its data")
        })?;
        if step.placeholders_off || !step.outline.replaces_in_data {
            self.out.push_str(text);
            return Ok(());
        }
        let values = own_values(step);
        let expanded = values.expand_data(&step.outline, self.engine, data, &self.shown_values());
        let expanded = expanded.map_err(|unknown| without_value(step, &unknown))?;
        self.out.push_str(&String::from_utf8_lossy(&expanded));
        Ok(())
    }

    /// The values of placeholders, secrets by their names: a script is kept and mailed.
    fn shown_values(&self) -> BTreeMap<String, String> {
        let values = &self.opened.values;
        let mut shown = values.all.clone();
        for name in &values.secret {
            shown.insert(name.clone(), format!("${{{name}}}"));
        }
        shown
    }

    /// The statement that begins on this line of its script with its values.
    fn expanded(&self, step: &Step, text: &str, line: u64) -> Result<String, Failure> {
        if step.placeholders_off {
            return Ok(text.to_owned());
        }
        let expanded = own_values(step).expand(&step.outline, self.engine, text, line, &self.shown_values());
        Ok(expanded.map_err(|unknown| without_value(step, &unknown))?.text)
    }

    /// Settings back to those of a fresh session.
    fn reset(&self) -> String {
        let path = self.search_path().map(|path| format!("; {path}")).unwrap_or_default();
        let of_tool = self.of_tool().map(|of_tool| format!("; {of_tool}")).unwrap_or_default();
        let given: String = self.given.iter().map(|statement| format!("; {statement}")).collect();
        format!("reset session authorization; {}; reset all{path}{given}{of_tool}", self.own_role())
    }

    fn own_role(&self) -> String {
        match &self.opened.configuration.role {
            Some(role) => format!("set role {}", self.engine.quote_identifier(role)),
            None => "reset role".to_owned(),
        }
    }

    /// PostgreSQL: what gives whoever runs the script the search path with which the session of limosa begins, where it is not the usual one.
    fn search_path(&self) -> Option<String> {
        let path = self.opened.session.facts().search_path.as_deref()?;
        (path != "\"$user\", public").then(|| format!("set search_path = {path}"))
    }

    /// What a run makes first, and where it works.
    fn schemas(&mut self, creating: &[String]) {
        if !creating.is_empty() {
            self.out.push_str("\n-- the schemas that the settings name\n");
            creating.iter().for_each(|statement| self.line(statement));
        }
        if let Some(path) = self.search_path() {
            self.line(&path);
        }
        if !self.given.is_empty() {
            self.out.push_str("\n-- what the address gives with the login\n");
            self.given.iter().for_each(|statement| self.line(statement));
        }
        if let Some(of_tool) = self.of_tool() {
            self.out.push_str("\n-- what the tool of these files sets for its session\n");
            self.line(&of_tool);
        }
    }

    fn of_tool(&self) -> Option<String> {
        set_all(self.engine, false, &self.opened.tool_settings)
    }

    fn begin(&mut self, step: &Step, begin: &str) {
        match (self.engine, begin) {
            (Engine::Sqlite, "") => {}
            (Engine::Sqlite, _) => self.line("begin immediate"),
            (Engine::Mysql, begin) => {
                let seconds = step.limits.lock_timeout_ms.div_ceil(1000).max(1);
                self.line(&format!("set session lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}"));
                if !begin.is_empty() {
                    self.line("start transaction");
                }
            }
            (_, begin) => {
                if !begin.is_empty() {
                    self.line(begin);
                }
                if step.outline.is_atomic() && step.action.done() == 0 {
                    self.put_back(step);
                }
                self.time_outs(step);
                locals::take_up(step).iter().for_each(|text| self.line(text));
            }
        }
    }

    /// PostgreSQL: what a step begins with.
    fn put_back(&mut self, step: &Step) {
        let path = self.search_path().unwrap_or_else(|| "reset search_path".to_owned());
        let back = match step.inherits.as_ref().map(|inherited| inherited.puts_back) {
            None => Some(self.reset()),
            Some(PutsBack::PathRoleAndVariables) => {
                Some(format!("reset session authorization; {}; {path}", self.own_role()))
            }
            Some(PutsBack::Nothing) => None,
        };
        let first = self.opened.first_schema.as_deref().map(|schema| put_first(schema, false));
        back.into_iter().chain(first).for_each(|text| self.line(&text));
    }

    /// PostgreSQL: those of a step, for its transaction.
    fn time_outs(&mut self, step: &Step) {
        self.line(&format!("set local lock_timeout = {}", step.limits.lock_timeout_ms));
        self.line(&format!("set local statement_timeout = {}", step.limits.statement_timeout_ms));
    }

    /// The rows of the ledger for a step that is done.
    fn rows(&mut self, step: &Step) {
        let book = &self.opened.ledger;
        let engine = self.engine;
        let text = |value: &str| engine.quote_literal(value);
        let (project, identity) = (text(&book.project), text(step.identity.as_str()));
        let table = book.names.table("schema_migrations");
        let journal = book.names.table("journal");
        let changes_role = step.settings().any(|name| matches!(name, "role" | "session_authorization"));
        if changes_role && self.engine == Engine::Postgres {
            let role = match &self.opened.configuration.role {
                Some(role) => self.engine.quote_identifier(role),
                None => "none".to_owned(),
            };
            self.line(&format!("set local session authorization default; set local role {role}"));
        }
        self.line(&format!("delete from {journal} where project = {project} and identity = {identity}"));
        self.line(&format!("delete from {table} where project = {project} and identity = {identity}"));
        if self.plan.direction == Direction::Apply {
            let undo = step.undo.as_ref();
            let origin = undo.map(|undo| undo.origin(step.placeholders_off));
            let depends: Vec<&str> = step.depends_on.iter().map(limosa_core::Identity::as_str).collect();
            let row = [
                or_null(self.engine, step.version().map(|version| version.as_str())),
                text(&step.name),
                text(&step.file_checksum().to_string()),
                text(&step.up_checksum().to_string()),
                text("applied"),
                step.outline.statements.to_string(),
                step.outline.statements.to_string(),
                or_null(self.engine, undo.map(|undo| undo.text.as_str())),
                or_null(self.engine, origin.as_deref()),
                or_null(self.engine, self.rollback_values(step).as_deref()),
                text(&json!(depends).to_string()),
                text(&self.plan.digest().to_string()),
            ];
            self.insert(&project, &identity, &row);
        }
        if let Some(Beside { kept: Ok(kept), .. }) = &self.opened.beside
            && let Some(told) = kept.told.get(&step.identity)
        {
            for item in kept.items(engine, told, Spent::Unknown).unwrap_or_default() {
                self.line(&inlined(engine, &item));
            }
        }
        self.audit(step);
    }

    fn insert(&mut self, project: &str, identity: &str, row: &[String; 12]) {
        let table = self.opened.ledger.names.table("schema_migrations");
        let actor = self.engine.quote_literal(&self.opened.configuration.actor);
        let rank = self.engine.quote_identifier("rank");
        // MySQL's own default for it would be in the time zone of the session.
        let (at, now) = if self.engine == Engine::Mysql { ("applied_at, ", "utc_timestamp(3), ") } else { ("", "") };
        let insert = format!(
            "insert into {table} (project, identity, version, name, checksum, up_checksum, state, statements_done, \
             statements_total, rollback_sql, rollback_origin, rollback_values, depends_on, plan_digest, applied_by, \
             execution_ms, lease_epoch, step_mark, {at}{rank}) select {project}, {identity}, {}, {actor}, 0, 0, 'by hand', \
             {now}coalesce(max({rank}), 0) + 1 from {table} where project = {project}",
            row.join(", ")
        );
        self.line(&insert);
    }

    fn rollback_values(&self, step: &Step) -> Option<String> {
        let undo = step.undo.as_ref().filter(|_| !step.placeholders_off)?;
        undo.values(self.engine, &self.opened.values.all, &self.opened.values.secret)
    }

    fn skipped(&mut self, skipped: &Skipped) {
        let engine = self.engine;
        let text = |value: &str| engine.quote_literal(value);
        let project = text(&self.opened.ledger.project);
        let null = || "null".to_owned();
        let row = [
            or_null(self.engine, skipped.version.as_deref()),
            text(&skipped.name),
            text(&skipped.file_checksum.to_string()),
            text(&skipped.up_checksum.to_string()),
            text("skipped"),
            "0".to_owned(),
            "0".to_owned(),
            null(),
            null(),
            null(),
            text("[]"),
            null(),
        ];
        let identity = text(skipped.identity.as_str());
        self.insert(&project, &identity, &row);
    }

    fn audit(&mut self, step: &Step) {
        if self.engine == Engine::Sqlite {
            return;
        }
        let detail = json!({
            "name": step.name,
            "checksum": step.file_checksum(),
            "by_hand": true,
            "plan": self.plan.digest()
        });
        let operation = if self.plan.direction == Direction::Revert { "revert" } else { "apply" };
        let book = &self.opened.ledger;
        let entry = AuditEntry {
            actor: self.opened.configuration.actor.clone(),
            operation: operation.to_owned(),
            identity: Some(step.identity.to_string()),
            outcome: "done",
            detail: detail.to_string(),
        };
        let head = book.bound(&sql::ENSURE_HEAD, Vec::new());
        for item in std::iter::once(head).chain(book.audit(&entry)) {
            self.line(&inlined(self.engine, &item));
        }
    }
}

/// True for the first statement of a group that an earlier run began.
fn is_resumed_in(step: &Step, group: &Group, number: u64) -> bool {
    let done = step.action.done();
    number == done + 1 && group.first <= done
}

fn or_null(engine: Engine, text: Option<&str>) -> String {
    text.map_or("null".to_owned(), |text| engine.quote_literal(text))
}

/// A statement of limosa's own with its parameters as quoted constants. A sign within quotes belongs to a name or a text.
pub(crate) fn inlined(engine: Engine, item: &Item) -> String {
    let (Item::Bound { sql, parameters } | Item::Seldom { sql, parameters, .. }) = item else { return String::new() };
    let mut out = String::with_capacity(sql.len());
    let mut quote = None;
    let mut rest = sql.char_indices().peekable();
    while let Some((at, letter)) = rest.next() {
        match quote {
            Some(open) if letter == open => quote = None,
            None if matches!(letter, '"' | '\'' | '`') => quote = Some(letter),
            None if letter == '$' || (letter == '?' && engine == Engine::Sqlite) => {
                let digits: String = sql[at + 1..].chars().take_while(char::is_ascii_digit).collect();
                let number = digits.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                if let Some(value) = number.and_then(|number| parameters.get(number)) {
                    out.push_str(&value.constant(engine));
                    for _ in 0..digits.len() {
                        rest.next();
                    }
                    continue;
                }
            }
            _ => {}
        }
        out.push(letter);
    }
    out
}
fn without_value(step: &Step, unknown: &UnknownPlaceholder) -> Failure {
    let message = format!("the placeholder {} has no value", step.outline.marks().written(&unknown.name));
    Failure::usage("LIM-R012", message, "give it one: --placeholder")
}
