//! `clean` and `reset`: an empty database again. Never where the environment is protected, never without consent.

use limosa_core::LedgerView;
use limosa_db::ledger::statements::{FINISHED, MARK_UNFINISHED};
use limosa_db::ledger::{TABLES, UNFINISHED};
use limosa_db::{Item, Value};
use limosa_run::Stop;
use limosa_sql::{Diagnostic, Engine};
use serde_json::json;

use super::adopt::forget;
use super::held::{Edit, take_unfinished, under_lock};
use crate::event::Listener;
use crate::opened::{Opened, Purpose, open};
use crate::report::{DoneAnswer, RunAnswer};
use crate::telling::told;
use crate::{Exit, Failure, MigrateOptions, Migrator};

/// PostgreSQL: what a clean drops, as (kind, quoted name). Extensions stay, with their members and the schemas they live in;
/// so do the tables ($2, joined by commas) of the ledger's schema ($1).
const POSTGRES: &str = include_str!("clean_postgres.sql");

/// SQLite: the same, ledger included.
const SQLITE: &str = "\
select type, name from sqlite_schema where type in ('view', 'table', 'trigger') and name not like 'sqlite\\_%' escape '\\' \
order by case type when 'trigger' then 0 when 'view' then 1 else 2 end, name";

/// MySQL: what a clean drops, ledger included; triggers go with their tables.
const MYSQL: &str = "\
select 'event', event_name, 0 from information_schema.events where event_schema = database() union all \
select 'view', table_name, 1 from information_schema.views where table_schema = database() union all \
select case table_type when 'SEQUENCE' then 'sequence' else 'table' end, table_name, 2 from information_schema.tables \
where table_schema = database() and table_type in ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE') union all \
select lower(routine_type), routine_name, 3 from information_schema.routines where routine_schema = database() \
and routine_type in ('PROCEDURE', 'FUNCTION', 'PACKAGE') order by 3, 1, 2";

impl Migrator {
    /// Drops everything but the ledger, which forgets what this project applied.
    ///
    /// # Errors
    /// Where the environment is protected, consent is missing, or another project lives in the same database.
    pub async fn clean(
        &self,
        consent: Option<&str>,
        dry_run: bool,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<DoneAnswer, Failure> {
        if dry_run {
            return self.empty(consent, dry_run, listener, stop).await;
        }
        told(&self.configuration, "clean", listener, self.empty(consent, dry_run, listener, stop)).await
    }

    async fn empty(
        &self,
        consent: Option<&str>,
        dry_run: bool,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<DoneAnswer, Failure> {
        self.configuration.refuse_cleaning("clean")?;
        let mut opened = open(&self.configuration, if dry_run { Purpose::Read } else { Purpose::Change }).await?;
        let result = clean(&mut opened, consent, dry_run, listener, &stop).await;
        opened.close().await;
        result
    }

    /// `clean`, then `migrate`.
    ///
    /// # Errors
    /// As either.
    pub async fn reset(
        &self,
        consent: Option<&str>,
        options: &MigrateOptions,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<RunAnswer, Failure> {
        told(&self.configuration, "reset", listener, self.build_again(consent, options, listener, stop)).await
    }

    async fn build_again(
        &self,
        consent: Option<&str>,
        options: &MigrateOptions,
        listener: &dyn Listener,
        stop: Stop,
    ) -> Result<RunAnswer, Failure> {
        self.configuration.refuse_cleaning("reset")?;
        // Nothing is dropped for files of which nobody knows what they are.
        if let Some(problem) = self.mixed_formats() {
            return Err(Failure::new(Exit::Usage, problem));
        }
        self.empty(consent, false, listener, stop.clone()).await?;
        // Whatever becomes of the migrate, the clean stands, and must not be taken for undone.
        let emptied = || {
            Diagnostic::warning("LIM-U072", "the database was emptied before, and that stands: the clean is committed")
                .help("to build it up: limosa migrate")
        };
        match self.run_pending(options, listener, stop).await {
            Ok(mut answer) => {
                if answer.exit_code != u8::from(Exit::Done) {
                    answer.notices.push(emptied());
                }
                Ok(answer)
            }
            Err(mut failure) => {
                failure.diagnostics.push(emptied());
                Err(failure)
            }
        }
    }
}

async fn objects(opened: &mut Opened<'_>) -> Result<Vec<(String, String)>, Failure> {
    let pair = |row: &limosa_db::Row| (row.text(0).unwrap_or_default(), row.text(1).unwrap_or_default());
    let engine = opened.target.engine;
    if engine != Engine::Postgres {
        let query = if engine == Engine::Mysql { MYSQL } else { SQLITE };
        let rows = opened.session.query(query, &[]).await?;
        let names = &opened.ledger.names;
        let ledger: Vec<String> = TABLES.iter().chain([&UNFINISHED]).map(|table| names.table(table)).collect();
        let database = names.database.clone();
        let quoted = |(kind, name): (String, String)| (kind, engine.quote_qualified(database.as_deref(), &name));
        return Ok(rows.iter().map(pair).map(quoted).filter(|(_, name)| !ledger.contains(name)).collect());
    }
    let schema = Value::Text(opened.configuration.ledger_schema.clone());
    let rows = opened.session.query(POSTGRES, &[schema, Value::Text(TABLES.join(","))]).await?;
    Ok(rows.iter().map(pair).collect())
}

async fn others(opened: &mut Opened<'_>, exists: bool) -> Result<Vec<String>, Failure> {
    if !exists {
        return Ok(Vec::new());
    }
    let table = opened.ledger.names.table("schema_migrations");
    let mark = if opened.target.engine == Engine::Sqlite { "?1" } else { "$1" };
    let query = format!("select distinct project from {table} where project <> {mark} order by project");
    let rows = opened.session.query(&query, &[Value::Text(opened.configuration.project.clone())]).await?;
    Ok(rows.iter().filter_map(|row| row.text(0)).collect())
}

async fn clean(
    opened: &mut Opened<'_>,
    consent: Option<&str>,
    dry_run: bool,
    listener: &dyn Listener,
    stop: &Stop,
) -> Result<DoneAnswer, Failure> {
    let database = opened.target.database.clone();
    let view = match opened.look().await {
        // An earlier one, or a restore, ended in the middle: this is the way out.
        Err(failure) if failure.is_unfinished() && dry_run => LedgerView::default(),
        Err(failure) if failure.is_unfinished() => {
            opened.configuration.refuse_without_consent("clean", "--allow-data-loss", &database, consent)?;
            take_unfinished(opened).await?;
            opened.session.send(vec![Item::Control(FINISHED.render(&opened.ledger.names))]).await?;
            opened.look().await?
        }
        looked => looked?,
    };
    let others = others(opened, view.exists).await?;
    if !others.is_empty() {
        let message = format!("clean would destroy what other projects made here: {}", others.join(", "));
        return Err(Failure::person("LIM-U070", message, "take back this project alone: limosa rollback --to 0"));
    }
    let objects = objects(opened).await?;
    let lines: Vec<String> = objects.iter().map(|(kind, name)| format!("drop {kind} {name}")).collect();
    let mut answer = DoneAnswer::new("clean", Some(&opened.target));
    if dry_run {
        answer.would = lines;
        return Ok(answer);
    }
    opened.configuration.refuse_without_consent("clean", "--allow-data-loss", &database, consent)?;
    let engine = opened.target.engine;
    let written = under_lock(opened, listener, stop, |opened, _, _| {
        let mut items: Vec<Item> = drops(engine, &objects).into_iter().map(Item::Control).collect();
        if engine == Engine::Mysql {
            items.insert(0, Item::Control(MARK_UNFINISHED.render(&opened.ledger.names)));
        }
        let table = opened.ledger.names.table("schema_migrations");
        let journal = opened.ledger.names.table("journal");
        let mark = if opened.target.engine == Engine::Sqlite { "?1" } else { "$1" };
        for table in [table, journal] {
            items.push(Item::Bound {
                sql: format!("delete from {table} where project = {mark}"),
                parameters: vec![Value::Text(opened.configuration.project.clone())],
            });
        }
        // The table of the tool that the database was taken over from is gone with the others.
        items.extend(forget(opened));
        if engine == Engine::Mysql {
            items.push(Item::Control(FINISHED.render(&opened.ledger.names)));
        }
        Ok(Edit { items, audit: vec![("clean", None, json!({"dropped": objects.len()}))] })
    })
    .await;
    match written {
        Ok(written) => Ok(written.answer(answer, lines)),
        Err(failure) if engine == Engine::Mysql => Err(half_done(opened, objects, failure).await),
        Err(failure) => Err(failure),
    }
}

/// MySQL commits each of them by itself, and has no CASCADE: tables go first, whatever points at them, and all at once: the server takes the
/// locks of all before it drops one.
fn drops(engine: Engine, objects: &[(String, String)]) -> Vec<String> {
    if engine != Engine::Mysql {
        let cascade = if engine == Engine::Postgres { " cascade" } else { "" };
        return objects.iter().map(|(kind, name)| format!("drop {kind} if exists {name}{cascade}")).collect();
    }
    let tables: Vec<&str> = objects.iter().filter(|(kind, _)| kind == "table").map(|(_, name)| name.as_str()).collect();
    let all_tables = (!tables.is_empty()).then(|| format!("drop table if exists {}", tables.join(", ")));
    let others = objects.iter().filter(|(kind, _)| kind != "table");
    std::iter::once("set session foreign_key_checks = 0".to_owned())
        .chain(all_tables)
        .chain(others.map(|(kind, name)| format!("drop {kind} if exists {name}")))
        .chain(std::iter::once("set session foreign_key_checks = 1".to_owned()))
        .collect()
}

/// MySQL: says what a clean that failed has dropped. Where that is nothing, the mark goes.
async fn half_done(opened: &mut Opened<'_>, before: Vec<(String, String)>, mut failure: Failure) -> Failure {
    let Ok(now) = objects(opened).await else { return failure };
    let dropped: Vec<String> =
        before.iter().filter(|object| !now.contains(object)).map(|(kind, name)| format!("{kind} {name}")).collect();
    if dropped.is_empty() {
        let _ = opened.session.send(vec![Item::Control(FINISHED.render(&opened.ledger.names))]).await;
        for problem in &mut failure.diagnostics {
            problem.message = format!("nothing was changed: {}", problem.message);
        }
        return failure;
    }
    let message = format!(
        "the clean ended in the middle: {} of {} objects are dropped ({}), and the ledger still tells of them",
        dropped.len(),
        before.len(),
        dropped.join(", ")
    );
    let told = Failure::person("LIM-U073", message, "mend the cause, and run it again to its end: limosa clean");
    Failure { diagnostics: told.diagnostics.into_iter().chain(failure.diagnostics).collect(), ..told }
}
