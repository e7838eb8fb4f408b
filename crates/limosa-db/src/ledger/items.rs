//! The ledger's statements as items of a flight, and reading the whole ledger of a project in one.

use std::time::Duration;

use limosa_core::{AuditHead, Direction, LEDGER_VERSION, LedgerView, RowState, SEED_PREFIX, hashed_around};
use limosa_sql::Engine;

use super::{Glance, LedgerNames, read, statements as sql};
use crate::{Collector, DbError, DbErrorKind, FlightError, Item, Row, Session, Value};

/// The ledger of one project: names and statements, no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// Names of the tables.
    pub names: LedgerNames,
    /// The project: the first part of every key.
    pub project: String,
    /// Role that each transaction takes on by itself, where the session could not take it on for good (behind a pooler).
    pub role: Option<String>,
}

/// What a row of `schema_migrations` says.
#[derive(Debug, Clone, PartialEq)]
pub struct RowEntry {
    /// Identity.
    pub identity: String,
    /// Version as written; None for repeatables.
    pub version: Option<String>,
    /// Description.
    pub name: String,
    /// SHA-256 of the file.
    pub checksum: String,
    /// SHA-256 of the up part.
    pub up_checksum: String,
    /// State; None means skipped because it does not apply here.
    pub state: Option<RowState>,
    /// Statements that ran.
    pub done: i64,
    /// Statements in all.
    pub total: i64,
    /// User and host.
    pub applied_by: String,
    /// Milliseconds.
    pub execution_ms: i64,
    /// The way back as written.
    pub rollback: Option<String>,
    /// Its origin, as JSON.
    pub rollback_origin: Option<String>,
    /// Its placeholder values, as JSON.
    pub rollback_values: Option<String>,
    /// Dependencies, as JSON.
    pub depends_on: String,
    /// Digest of the plan.
    pub plan_digest: Option<String>,
    /// Guard: the epoch of the lease.
    pub epoch: i64,
    /// Guard: the mark of the transaction.
    pub step_mark: String,
    /// The rank; None for the one behind all others.
    pub rank: Option<i64>,
    /// The ledger has no row of it yet.
    pub is_new: bool,
}

/// What a row of the journal says.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalEntry {
    /// Identity.
    pub identity: String,
    /// Up or back.
    pub direction: Direction,
    /// Statements done.
    pub done: i64,
    /// Hash over them.
    pub done_hash: String,
    /// The statement that begins now: number, hash, catalogue before it.
    pub current: Option<(i64, String, Option<String>)>,
    /// Guard: the epoch of the lease.
    pub epoch: i64,
}

/// What a row of the audit log says.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// User and host.
    pub actor: String,
    /// The operation.
    pub operation: String,
    /// The change, where one is meant.
    pub identity: Option<String>,
    /// `done` or `failed`.
    pub outcome: &'static str,
    /// More, as JSON.
    pub detail: String,
}

/// Sequence and hash of the row that was appended last, among the rows that the items of [`Ledger::audit`] gave.
pub fn audit_head(rows: &[Vec<Row>]) -> Option<AuditHead> {
    let is_head = |row: &&Row| row.0.len() == 2 && row.text(1).is_some_and(|hash| hash.len() == 64);
    let row = rows.iter().rev().find_map(|rows| rows.first().filter(is_head))?;
    Some(AuditHead { sequence: row.integer(0)?, hash: row.text(1)? })
}

impl Ledger {
    /// The ledger of a project.
    pub fn new(names: LedgerNames, project: impl Into<String>) -> Self {
        Ledger { names, project: project.into(), role: None }
    }

    /// Begins a transaction of limosa's own: without waiting long for a lock, and on PostgreSQL with the role and with no names
    /// but the server's own in sight, so that nobody's operators and functions stand in for them.
    pub fn begin(&self) -> Vec<Item> {
        let mut items = vec![Item::Begin];
        if self.names.engine == Engine::Mysql {
            let time_outs = "set session lock_wait_timeout = 3, innodb_lock_wait_timeout = 3";
            items.insert(0, Item::Control(time_outs.to_owned()));
        }
        if self.names.engine == Engine::Postgres {
            let role = self
                .role
                .as_deref()
                .map(|role| format!("set local role {}; ", self.names.engine.quote_identifier(role)));
            let role = role.unwrap_or_default();
            items.push(Item::Control(format!(
                "{role}set local search_path = pg_catalog, pg_temp; set local lock_timeout = '3s'"
            )));
        }
        items
    }

    /// Sends statements of limosa's own; gives the rows of each. On PostgreSQL in a transaction of their own; on SQLite as they
    /// stand, since a transaction of limosa's takes the write lock there.
    ///
    /// # Errors
    /// What the server says.
    pub async fn transact(&self, session: &mut dyn Session, items: Vec<Item>) -> Result<Vec<Vec<Row>>, DbError> {
        if self.names.engine == Engine::Sqlite {
            return session.send(items).await;
        }
        let mut all = self.begin();
        let (before, count) = (all.len(), items.len());
        all.extend(items);
        all.push(Item::Commit);
        let mut rows = session.send(all).await?;
        rows.truncate(before + count);
        Ok(rows.split_off(before))
    }

    /// A statement with parameters, the project first.
    pub fn bound(&self, statement: &sql::Statement, parameters: Vec<Value>) -> Item {
        let mut all = vec![Value::Text(self.project.clone())];
        all.extend(parameters);
        Item::Bound { sql: statement.render(&self.names), parameters: all }
    }

    /// As [`Ledger::bound`], for a statement that runs once a migration. Parameters that are the same for a whole run (`same`, by
    /// their numbers) become part of it on PostgreSQL, which keeps it and would read them anew each time.
    pub fn bound_in_run(&self, statement: &sql::Statement, same: &[usize], parameters: Vec<Value>) -> Item {
        if self.names.engine != Engine::Postgres {
            return self.bound(statement, parameters);
        }
        let all: Vec<Value> = std::iter::once(Value::Text(self.project.clone())).chain(parameters).collect();
        let constant =
            |(number, value): (usize, &Value)| same.contains(&number).then(|| value.constant(self.names.engine));
        let written: Vec<Option<String>> = (1..).zip(&all).map(constant).collect();
        let sql = statement.render_written(&self.names, &written);
        let rest = (1..).zip(&all).filter(|(number, _)| !same.contains(number));
        let parameters = rest.map(|(_, value)| value.clone()).collect();
        Item::Bound { sql, parameters }
    }

    /// As [`Ledger::bound`], for a statement that need not run more often than this.
    pub fn seldom(&self, every: Duration, statement: &sql::Statement, parameters: Vec<Value>) -> Item {
        match self.bound(statement, parameters) {
            Item::Bound { sql, parameters } => Item::Seldom { every, sql, parameters },
            other => other,
        }
    }

    /// A statement on a list of values, of which it has at least one; a few times over where the list is long.
    pub fn bound_lists(&self, statement: &sql::Statement, values: Vec<Value>) -> Vec<Item> {
        /// Parameters of one statement: far less than any server takes.
        const AT_ONCE: usize = 500;
        let shares = values.chunks(AT_ONCE).map(|share| {
            let parameters = std::iter::once(Value::Text(self.project.clone())).chain(share.iter().cloned()).collect();
            Item::Bound { sql: statement.render_for(&self.names, share.len()), parameters }
        });
        shares.collect()
    }

    /// A statement with exactly these parameters.
    pub fn plain(&self, statement: &sql::Statement, parameters: Vec<Value>) -> Item {
        Item::Bound { sql: statement.render(&self.names), parameters }
    }

    /// The tables of the newest version, as statements separated by `;`.
    fn newest(&self) -> String {
        let mut text = sql::CREATE.render(&self.names);
        for upgrade in sql::UPGRADES {
            text.push_str(";\n");
            text.push_str(&upgrade.statement.render(&self.names));
        }
        text.push_str(";\n");
        text.push_str(&self.set_version());
        text
    }

    /// What leads from a version of the tables to the newest one; empty where it is that already.
    pub fn upgrades(&self, from: i64) -> Vec<Item> {
        let mut items: Vec<Item> = sql::UPGRADES
            .iter()
            .filter(|upgrade| upgrade.to > from)
            .map(|upgrade| Item::Control(upgrade.statement.render(&self.names)))
            .collect();
        if !items.is_empty() {
            items.push(self.plain(&sql::SET_VERSION, vec![Value::Text(LEDGER_VERSION.to_string())]));
        }
        items
    }

    /// The statements of [`Ledger::upgrades`] for a database administrator.
    pub fn upgrade_script(&self, from: i64) -> String {
        let steps = sql::UPGRADES.iter().filter(|upgrade| upgrade.to > from);
        let mut text: String =
            steps.map(|upgrade| format!("{}; -- {}\n", upgrade.statement.render(&self.names), upgrade.gives)).collect();
        text.push_str(&self.set_version());
        text.push_str(";\n");
        text
    }

    /// Remembers the newest version, as a statement without parameters.
    fn set_version(&self) -> String {
        let table = self.names.table("application_metadata");
        // A reserved word of MySQL's.
        let key = if self.names.engine == Engine::Mysql { "`key`" } else { "key" };
        format!("update {table} set value = '{LEDGER_VERSION}' where project = '' and {key} = 'ledger_version'")
    }

    /// SQLite, MySQL: makes the tables that are missing.
    pub fn create(&self) -> Item {
        Item::Control(self.newest())
    }

    /// PostgreSQL: makes the tables; the lock must be held. Fails where they stand already.
    pub fn create_under_lock(&self, schema_exists: bool) -> Vec<Item> {
        let schema = (!schema_exists).then(|| Item::Control(self.names.fill("create schema {schema}")));
        schema.into_iter().chain([Item::Control(self.newest())]).collect()
    }

    /// The statements that a database administrator runs by hand to make the ledger.
    pub fn script(&self) -> String {
        let tables = self.newest();
        match self.names.engine {
            Engine::Sqlite | Engine::Mysql => format!("{tables};\n"),
            _ => format!("{};\n{tables};\n", self.names.fill("create schema if not exists {schema}")),
        }
    }

    /// Writes the row of a change. One that the ledger is known to have no row of is added; else what is there is replaced.
    pub fn write_row(&self, row: &RowEntry) -> Item {
        let mut values = vec![
            Value::Text(row.identity.clone()),
            Value::optional(row.version.clone()),
            Value::Text(row.name.clone()),
            Value::Text(row.checksum.clone()),
            Value::Text(row.up_checksum.clone()),
            Value::Text(row.state.map_or("skipped", RowState::as_str).to_owned()),
            Value::Integer(row.done),
            Value::Integer(row.total),
            Value::Text(row.applied_by.clone()),
            Value::Integer(row.execution_ms),
            Value::optional(row.rollback.clone()),
            Value::optional(row.rollback_origin.clone()),
            Value::optional(row.rollback_values.clone()),
            Value::Text(row.depends_on.clone()),
            Value::optional(row.plan_digest.clone()),
            Value::Integer(row.epoch),
            Value::Text(row.step_mark.clone()),
        ];
        values.push(row.rank.map_or(Value::Null, Value::Integer));
        if !row.is_new || row.rank.is_none() {
            return self.bound(&sql::WRITE_ROW, values);
        }
        // Project, state, who, digest of the plan, epoch.
        self.bound_in_run(&sql::ADD_ROW, &[1, 7, 10, 16, 17], values)
    }

    /// Writes the journal of a script.
    pub fn write_journal(&self, entry: &JournalEntry) -> Item {
        let (number, hash, before) = match &entry.current {
            Some((number, hash, before)) => {
                (Value::Integer(*number), Value::Text(hash.clone()), Value::optional(before.clone()))
            }
            None => (Value::Null, Value::Null, Value::Null),
        };
        self.bound(
            &sql::WRITE_JOURNAL,
            vec![
                Value::Text(entry.identity.clone()),
                Value::from(entry.direction.as_str()),
                Value::Integer(entry.done),
                Value::Text(entry.done_hash.clone()),
                number,
                hash,
                before,
                Value::Integer(entry.epoch),
            ],
        )
    }

    /// Appends to the audit log; one of the items gives sequence and hash, see [`audit_head`].
    pub fn audit(&self, entry: &AuditEntry) -> Vec<Item> {
        let identity = entry.identity.as_deref().unwrap_or_default();
        let fields = [entry.actor.as_str(), &entry.operation, identity, entry.outcome, &entry.detail];
        let (before, behind) = hashed_around(&self.project, fields);
        // Project, who, operation, outcome, and what is hashed of them before the sequence.
        let append = self.bound_in_run(
            &sql::APPEND_AUDIT,
            &[1, 2, 3, 5, 7],
            vec![
                Value::Text(entry.actor.clone()),
                Value::Text(entry.operation.clone()),
                Value::optional(entry.identity.clone()),
                Value::from(entry.outcome),
                Value::Text(entry.detail.clone()),
                Value::Text(before),
                Value::Text(behind),
            ],
        );
        match self.names.engine {
            Engine::Sqlite => vec![append, self.bound(&sql::MOVE_HEAD, Vec::new())],
            Engine::Mysql => {
                vec![append, self.bound(&sql::LAST_AUDIT, Vec::new()), self.bound(&sql::MOVE_HEAD, Vec::new())]
            }
            _ => vec![append],
        }
    }

    /// Items that read the whole ledger of the project, in the order that [`Ledger::view`] expects.
    pub fn reads(&self) -> Vec<Item> {
        vec![
            self.plain(&sql::VERSION, Vec::new()),
            self.bound(&sql::ROWS, Vec::new()),
            self.bound(&sql::JOURNAL, Vec::new()),
            self.bound(&sql::LEASE, Vec::new()),
            self.bound(&sql::HEAD, Vec::new()),
            self.bound(&sql::FAILURES, Vec::new()),
        ]
    }

    /// The ledger from the rows of [`Ledger::reads`].
    ///
    /// # Errors
    /// A ledger that a newer limosa wrote.
    pub fn view(&self, rows: &[Vec<Row>]) -> Result<LedgerView, DbError> {
        let nothing = Vec::new();
        let part = |at: usize| rows.get(at).unwrap_or(&nothing);
        let version = read::version(part(0).first())?;
        let mut view = LedgerView { exists: true, version, ..LedgerView::default() };
        for row in part(1) {
            view.newest_rank = view.newest_rank.max(row.integer(8).unwrap_or(0));
            match read::applied_row(row) {
                Ok(row) if row.identity.as_str().starts_with(SEED_PREFIX) => view.seeds.push(row),
                Ok(row) => view.rows.push(row),
                Err(identity) => {
                    view.skipped.insert(identity);
                }
            }
        }
        view.journal = part(2).iter().map(read::journal_row).collect();
        view.lease = part(3).first().map(read::lease_row);
        view.keeps_another = part(3).first().is_some_and(|row| row.boolean(6));
        view.newest_elsewhere = part(3).first().and_then(|row| row.text(7));
        view.unfiled = part(3).first().and_then(|row| read::unfiled(row, 8)).transpose()?;
        view.head = part(4).first().and_then(|row| read::head(row, 0));
        view.failures = part(5).iter().map(read::failure).collect();
        Ok(view)
    }

    /// Looks whether the ledger stands and reads it; waits once. Writes nothing.
    ///
    /// # Errors
    /// What the server says.
    pub async fn look(&self, session: &mut dyn Session) -> Result<LedgerView, DbError> {
        match self.read(session, self.reads()).await? {
            Some(rows) => self.view(&rows),
            None => Ok(LedgerView::default()),
        }
    }

    /// Looks only so far as to see whether anything can be pending; waits once. Writes nothing. None where the ledger does not stand.
    ///
    /// # Errors
    /// What the server says, and a ledger that a newer limosa wrote.
    pub async fn glance(&self, session: &mut dyn Session) -> Result<Option<Glance>, DbError> {
        let reads = vec![self.bound(&sql::ROWS_IN_SHORT, Vec::new()), self.bound(&sql::REST_IN_SHORT, Vec::new())];
        self.read(session, reads).await?.map(Glance::of).transpose()
    }

    /// The rows of each of some statements that only read; None where the ledger does not stand.
    async fn read(&self, session: &mut dyn Session, reads: Vec<Item>) -> Result<Option<Vec<Vec<Row>>>, DbError> {
        if self.names.engine != Engine::Postgres {
            let rows = session.send(vec![self.plain(&sql::STANDS, Vec::new())]).await?;
            if let Some(command) = rows[0].first().and_then(|row| row.text(1)) {
                return Err(read::unfinished(&command));
            }
            if !rows[0].first().is_some_and(|row| row.boolean(0)) {
                return Ok(None);
            }
            // SQLite takes its write lock where a transaction is begun by name: looking must not take it.
            let begins = self.names.engine != Engine::Sqlite;
            let mut items: Vec<Item> = begins.then_some(Item::Begin).into_iter().collect();
            items.extend(reads);
            items.extend(begins.then_some(Item::Commit));
            let mut rows = session.send(items).await?;
            return Ok(Some(rows.split_off(usize::from(begins))));
        }
        let mut items = self.begin();
        let looks_at = items.len();
        // A new session's first look into the catalogue is dear: by name it is a quarter of the work.
        let table = self.names.engine.quote_literal(&self.names.table("schema_migrations"));
        items.push(Item::Bound { sql: format!("select to_regclass({table}) is not null"), parameters: Vec::new() });
        items.extend(reads);
        items.push(Item::Commit);
        let mut collector = Collector::default();
        let flown = session.flight(&mut items.into_iter(), &mut collector).await;
        let exists = collector.rows.get(looks_at).and_then(|rows| rows.first()).is_some_and(|row| row.boolean(0));
        match flown {
            Ok(()) => Ok(Some(collector.rows.split_off(looks_at + 1))),
            Err(FlightError::Failed { error, .. }) if !exists && error.kind == DbErrorKind::UndefinedTable => Ok(None),
            Err(FlightError::Failed { error, .. }) => Err(*error),
            Err(FlightError::Aborted) => Ok(None),
        }
    }
}
