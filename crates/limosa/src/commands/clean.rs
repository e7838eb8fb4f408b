//! `clean` and `reset`: an empty database again. Never where the environment is protected, never without consent.

use limosa_db::ledger::TABLES;
use limosa_db::{Item, Value};
use limosa_run::Stop;
use limosa_sql::{Diagnostic, Engine};
use serde_json::json;

use super::adopt::forget;
use super::held::{Edit, under_lock};
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
        let ledger: Vec<String> = TABLES.iter().map(|table| names.table(table)).collect();
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
    let view = opened.look().await?;
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
    let database = opened.target.database.clone();
    opened.configuration.refuse_without_consent("clean", "--allow-data-loss", &database, consent)?;
    let written = under_lock(opened, listener, stop, |opened, _, _| {
        let cascade = if opened.target.engine == Engine::Postgres { " cascade" } else { "" };
        let drops = objects.iter().map(|(kind, name)| format!("drop {kind} if exists {name}{cascade}"));
        let mut items: Vec<Item> = drops.map(Item::Control).collect();
        if opened.target.engine == Engine::Mysql {
            // There is no CASCADE: tables go whatever points at them.
            items.insert(0, Item::Control("set session foreign_key_checks = 0".to_owned()));
            items.push(Item::Control("set session foreign_key_checks = 1".to_owned()));
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
        Ok(Edit { items, audit: vec![("clean", None, json!({"dropped": objects.len()}))] })
    })
    .await?;
    Ok(written.answer(answer, lines))
}
