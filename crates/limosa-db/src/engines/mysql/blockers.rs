//! Who stands in the way: asked over a second session while the first one waits for a lock.
//!
//! Each server knows something else, and each user may see something else of it. What cannot be asked is left out, and where
//! nobody is found for sure, those who may be it are named as such.
//!
//! MySQL documentation, "The data_lock_waits Table", "The metadata_locks Table"; MariaDB documentation, "Information Schema
//! METADATA_LOCK_INFO Table", "Information Schema INNODB_LOCK_WAITS Table".

use std::collections::BTreeMap;

use limosa_sql::Engine;

use super::statements;
use super::wire::{Failure, Wire};
use crate::{Blocker, DbError, Row};

/// Rows that are read of any list.
const LIMIT: &str = "limit 1000";

/// Kinds of table locks that keep readers or writers out.
const STRONG: &str = "('EXCLUSIVE', 'SHARED_NO_WRITE', 'SHARED_NO_READ_WRITE', 'SHARED_READ_ONLY')";

/// A session as the list of all shows it.
#[derive(Debug, Clone, Default)]
struct Process {
    user: Option<String>,
    client: Option<String>,
    database: Option<String>,
    command: String,
    seconds: i64,
    state: String,
    query: Option<String>,
}

impl Process {
    fn of(row: &Row) -> (i64, Process) {
        let process = Process {
            user: row.text(1),
            client: row.text(2).map(|host| host.rsplit_once(':').map_or(host.clone(), |(host, _)| host.to_owned())),
            database: row.text(3),
            command: row.text(4).unwrap_or_default(),
            seconds: row.integer(5).unwrap_or_default(),
            state: row.text(6).unwrap_or_default(),
            query: row.text(7),
        };
        (row.integer(0).unwrap_or_default(), process)
    }

    /// The threads of the server's own and of replication hold nothing that could be let go of.
    fn is_a_client(&self) -> bool {
        !matches!(
            self.command.as_str(),
            "Daemon" | "Binlog Dump" | "Binlog Dump GTID" | "Slave_SQL" | "Slave_IO" | "Slave_worker"
        )
    }

    /// It waits for a lock, by the words of the servers: `Waiting for table metadata lock`, `Waiting for backup lock`, ...
    fn waits(&self) -> bool {
        self.state.starts_with("Waiting for ") && self.state.contains("lock")
    }
}

/// Who is found, and what is fought over.
type Found = BTreeMap<i64, Option<String>>;

/// Sessions that block the one with this number, the one with the oldest transaction first; empty when it waits for no lock.
pub(super) async fn blockers(wire: &mut Wire, mariadb: bool, number: i64) -> Result<Vec<Blocker>, DbError> {
    let processes = processes(wire).await?;
    let Some(waiting) = processes.get(&number) else { return Ok(Vec::new()) };
    let (transactions, sees_transactions) = transactions(wire).await?;
    let mut found = row_locks(wire, mariadb, number).await?;
    let waits_for_row = transactions.get(&number).is_some_and(|(waits, _)| *waits);
    // Only a transaction holds rows. The list of transactions itself may be a little old.
    let by_row = !found.is_empty();
    if found.is_empty() {
        found = table_locks(wire, number).await?;
    }
    if found.is_empty() && mariadb && waiting.waits() {
        found = table_locks_of_plugin(wire, number, waiting).await?;
    }
    let certain = !found.is_empty();
    if !certain && (waiting.waits() || waits_for_row) {
        found = candidates(number, waiting, &processes, &transactions, sees_transactions);
        found.remove(&own_number(wire).await?);
    }
    let hidden = if certain { None } else { remedy(mariadb, sees_transactions) };
    let last = last_statements(wire).await?;
    let names = application_names(wire).await?;
    let me = current_user(wire).await?;
    let mut blockers: Vec<Blocker> = Vec::new();
    for (pid, relation) in found {
        let process = processes.get(&pid);
        let seconds = transactions.get(&pid).map(|(_, seconds)| *seconds);
        let grant = match process {
            Some(_) => hidden,
            None => Some(Remedy::Process),
        };
        let running = process.and_then(|process| process.query.clone());
        blockers.push(Blocker {
            pid,
            user: process.and_then(|process| process.user.clone()),
            application: names.get(&pid).cloned(),
            client: process.and_then(|process| process.client.clone()),
            state: Some(state(process, by_row || seconds.is_some(), certain)),
            transaction_seconds: seconds,
            query: running.or_else(|| last.get(&pid).cloned()),
            relation,
            grant: grant.map(|remedy| remedy.statement(&me)),
        });
    }
    if blockers.is_empty() && waiting.waits() && !sees_transactions {
        // Somebody is there, and may not be seen.
        let grant = Some(Remedy::Process.statement(&me));
        blockers.push(Blocker { state: Some("hidden".to_owned()), grant, ..Blocker::default() });
    }
    blockers.sort_by_key(|blocker| (std::cmp::Reverse(blocker.transaction_seconds), blocker.pid));
    Ok(blockers)
}

/// What would show more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    Process,
    Plugin,
    PerformanceSchema,
}

impl Remedy {
    fn statement(self, user: &str) -> String {
        match self {
            Remedy::Process => format!("GRANT PROCESS ON *.* TO {user}"),
            Remedy::Plugin => "INSTALL SONAME 'metadata_lock_info'".to_owned(),
            Remedy::PerformanceSchema => format!("GRANT SELECT ON performance_schema.* TO {user}"),
        }
    }
}

fn remedy(mariadb: bool, sees_transactions: bool) -> Option<Remedy> {
    Some(match (sees_transactions, mariadb) {
        (false, _) => Remedy::Process,
        (true, true) => Remedy::Plugin,
        (true, false) => Remedy::PerformanceSchema,
    })
}

fn state(process: Option<&Process>, in_transaction: bool, certain: bool) -> String {
    let state = match process {
        None => "hidden",
        Some(process) if process.command == "Sleep" && in_transaction => "idle in transaction",
        Some(process) if process.command == "Sleep" => "idle",
        Some(_) => "active",
    };
    if certain { state.to_owned() } else { format!("{state}; it may be this one") }
}

/// Runs a query whose tables may be missing or forbidden; then there are no rows, and false.
async fn ask(wire: &mut Wire, sql: &str) -> Result<(Vec<Row>, bool), DbError> {
    match statements::text(wire, sql).await {
        Ok(answer) => Ok((answer.rows, true)),
        Err(Failure::Server(_)) => Ok((Vec::new(), false)),
        Err(Failure::Ours(error)) => Err(error),
    }
}

async fn processes(wire: &mut Wire) -> Result<BTreeMap<i64, Process>, DbError> {
    let answer = statements::text(wire, "show full processlist").await.map_err(Failure::into_error)?;
    Ok(answer.rows.iter().map(Process::of).collect())
}

/// Open transactions by session: whether it waits for a row, and the age in seconds. False where they may not be seen.
async fn transactions(wire: &mut Wire) -> Result<(BTreeMap<i64, (bool, i64)>, bool), DbError> {
    let sql = format!(
        "select trx_mysql_thread_id, trx_state = 'LOCK WAIT', timestampdiff(second, trx_started, now()) \
         from information_schema.innodb_trx {LIMIT}"
    );
    let (rows, seen) = ask(wire, &sql).await?;
    let of = |row: &Row| {
        let number = |column| row.integer(column).unwrap_or_default();
        (number(0), (number(1) != 0, number(2)))
    };
    Ok((rows.iter().map(of).collect(), seen))
}

fn found(rows: &[Row]) -> Found {
    rows.iter().filter_map(|row| Some((row.integer(0)?, row.text(1)))).collect()
}

async fn row_locks(wire: &mut Wire, mariadb: bool, number: i64) -> Result<Found, DbError> {
    let sql = if mariadb {
        format!(
            "select b.trx_mysql_thread_id, replace(l.lock_table, '`', '') from information_schema.innodb_lock_waits w \
             join information_schema.innodb_trx r on r.trx_id = w.requesting_trx_id \
             join information_schema.innodb_trx b on b.trx_id = w.blocking_trx_id \
             left join information_schema.innodb_locks l on l.lock_id = w.requested_lock_id \
             where r.trx_mysql_thread_id = {number} {LIMIT}"
        )
    } else {
        format!(
            "select b.processlist_id, concat(l.object_schema, '.', l.object_name) from performance_schema.data_lock_waits w \
             join performance_schema.threads r on r.thread_id = w.requesting_thread_id \
             join performance_schema.threads b on b.thread_id = w.blocking_thread_id \
             left join performance_schema.data_locks l on l.engine_lock_id = w.requesting_engine_lock_id \
             where r.processlist_id = {number} {LIMIT}"
        )
    };
    Ok(found(&ask(wire, &sql).await?.0))
}

/// Table locks by the performance schema: MySQL has it switched on, MariaDB has not.
async fn table_locks(wire: &mut Wire, number: i64) -> Result<Found, DbError> {
    let sql = format!(
        "select t.processlist_id, nullif(concat_ws('.', w.object_schema, w.object_name), '') \
         from performance_schema.threads r \
         join performance_schema.metadata_locks w on w.owner_thread_id = r.thread_id and w.lock_status = 'PENDING' \
         join performance_schema.metadata_locks g on g.object_type = w.object_type \
             and g.object_schema <=> w.object_schema and g.object_name <=> w.object_name \
             and g.owner_thread_id <> w.owner_thread_id \
             and (g.lock_status = 'GRANTED' and (w.lock_type = 'EXCLUSIVE' or g.lock_type in {STRONG}) \
                 or g.lock_status = 'PENDING' and g.lock_type = 'EXCLUSIVE' and w.lock_type <> 'EXCLUSIVE') \
         join performance_schema.threads t on t.thread_id = g.owner_thread_id \
         where r.processlist_id = {number} and t.processlist_id is not null {LIMIT}"
    );
    Ok(found(&ask(wire, &sql).await?.0))
}

/// Table locks by MariaDB's plugin. It shows what is held and not what is waited for: that is taken from the tables that
/// the waiting session holds a weaker lock of, and from the words of its statement.
async fn table_locks_of_plugin(wire: &mut Wire, number: i64, waiting: &Process) -> Result<Found, DbError> {
    let kind =
        if waiting.state.contains("backup lock") || waiting.state.contains("global") { "Backup" } else { "Table" };
    let sql = format!(
        "select thread_id, nullif(concat_ws('.', nullif(table_schema, ''), nullif(table_name, '')), ''), table_name, \
         lock_mode from information_schema.metadata_lock_info where lock_type like '{kind}%' {LIMIT}"
    );
    let (rows, _) = ask(wire, &sql).await?;
    let statement = waiting.query.as_deref().unwrap_or_default().to_lowercase();
    let (ours, others): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.integer(0) == Some(number));
    let fought_over = |row: &Row| {
        kind == "Backup"
            || ours.iter().any(|ours| ours.text(1) == row.text(1))
            || row.text(2).is_some_and(|table| !table.is_empty() && statement.contains(&table.to_lowercase()))
    };
    Ok(found(&others.into_iter().filter(|row| fought_over(row)).cloned().collect::<Vec<_>>()))
}

/// Those who may be it: whoever has a transaction open, or has run a statement for longer than the session waits.
fn candidates(
    number: i64,
    waiting: &Process,
    processes: &BTreeMap<i64, Process>,
    transactions: &BTreeMap<i64, (bool, i64)>,
    sees_transactions: bool,
) -> Found {
    let may_be = |pid: &i64, process: &Process| {
        let runs = process.command != "Sleep" && !process.waits() && process.seconds >= waiting.seconds;
        let same = process.database.is_none() || process.database == waiting.database;
        transactions.contains_key(pid) || (same && runs) || (!sees_transactions && same)
    };
    processes
        .iter()
        .filter(|(pid, process)| **pid != number && process.is_a_client() && may_be(pid, process))
        .map(|(pid, _)| (*pid, None))
        .collect()
}

async fn own_number(wire: &mut Wire) -> Result<i64, DbError> {
    let (rows, _) = ask(wire, "select connection_id()").await?;
    Ok(rows.first().and_then(|row| row.integer(0)).unwrap_or_default())
}

/// What sessions ran last, where the performance schema keeps it.
async fn last_statements(wire: &mut Wire) -> Result<BTreeMap<i64, String>, DbError> {
    let sql = format!(
        "select t.processlist_id, s.sql_text from performance_schema.events_statements_current s \
         join performance_schema.threads t on t.thread_id = s.thread_id where s.sql_text is not null {LIMIT}"
    );
    let (rows, _) = ask(wire, &sql).await?;
    Ok(rows.iter().filter_map(|row| Some((row.integer(0)?, row.text(1)?))).collect())
}

/// The names that sessions have given themselves.
async fn application_names(wire: &mut Wire) -> Result<BTreeMap<i64, String>, DbError> {
    let sql = format!(
        "select processlist_id, attr_value from performance_schema.session_connect_attrs \
         where attr_name = 'program_name' {LIMIT}"
    );
    let (rows, _) = ask(wire, &sql).await?;
    Ok(rows.iter().filter_map(|row| Some((row.integer(0)?, row.text(1)?))).collect())
}

/// The account, quoted.
async fn current_user(wire: &mut Wire) -> Result<String, DbError> {
    let (rows, _) = ask(wire, "select current_user()").await?;
    let account = rows.first().and_then(|row| row.text(0)).unwrap_or_default();
    let (user, host) = account.rsplit_once('@').unwrap_or((&account, "%"));
    Ok(format!("{}@{}", Engine::Mysql.quote_identifier(user), Engine::Mysql.quote_identifier(host)))
}
