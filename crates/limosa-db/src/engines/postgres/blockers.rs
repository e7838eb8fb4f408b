//! Who stands in the way: asked over a second connection while the first one waits for a lock.
//!
//! PostgreSQL documentation: `pg_blocking_pids`, `pg_stat_activity`, `pg_locks`, "CREATE INDEX Progress Reporting".

use super::PostgresSession;
use crate::{DbError, Row, Session, Value};

/// What the server shows in place of a statement that the user may not see.
const HIDDEN: &str = "<insufficient privilege>";

/// What a session of the server does, as far as the user may see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// Its process; 0 for a prepared transaction, which has none.
    pub pid: i64,
    /// Its user.
    pub user: Option<String>,
    /// Its database.
    pub database: Option<String>,
    /// The name that it has given itself.
    pub application: Option<String>,
    /// The client's address; None for a unix socket, and where it is hidden.
    pub client: Option<String>,
    /// `active`, `idle in transaction`, ...; `prepared transaction` where it has no process.
    pub state: Option<String>,
    /// Age of its transaction in seconds.
    pub transaction_seconds: Option<i64>,
    /// The statement that it runs, or ran last; for a prepared transaction its name.
    pub query: Option<String>,
    /// The statement that lets us see more, where something is hidden.
    pub grant: Option<String>,
}

/// A session that blocks another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blocker {
    /// Who it is.
    pub activity: Activity,
    /// What the blocked session waits for: a relation's name where it is in this database, else the kind of lock.
    pub object: Option<String>,
    /// The lock that the blocked session wants, such as `AccessExclusiveLock`.
    pub wanted: Option<String>,
    /// The locks that the blocker has on it, separated by commas.
    pub held: Option<String>,
    /// The lock that the blocker itself waits for: it stands in front of us in the queue.
    pub queued_for: Option<String>,
}

impl From<Blocker> for crate::Blocker {
    fn from(blocker: Blocker) -> Self {
        let Blocker { activity, object, .. } = blocker;
        crate::Blocker {
            pid: activity.pid,
            user: activity.user,
            application: activity.application,
            client: activity.client,
            state: activity.state,
            transaction_seconds: activity.transaction_seconds,
            query: activity.query,
            relation: object,
            grant: activity.grant,
        }
    }
}

/// The progress of `CREATE INDEX CONCURRENTLY` or `REINDEX CONCURRENTLY`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexBuild {
    /// The command, such as `CREATE INDEX CONCURRENTLY`.
    pub command: String,
    /// The table.
    pub table: Option<String>,
    /// The index, once it has a name.
    pub index: Option<String>,
    /// The phase in the server's words.
    pub phase: String,
    /// Sessions to wait for in this phase.
    pub lockers_total: i64,
    /// Sessions that have been waited for.
    pub lockers_done: i64,
    /// The session that is being waited for.
    pub current_locker: Option<Activity>,
    /// Blocks to read in this phase.
    pub blocks_total: i64,
    /// Blocks read.
    pub blocks_done: i64,
    /// Rows to handle in this phase.
    pub tuples_total: i64,
    /// Rows handled.
    pub tuples_done: i64,
}

/// Columns of one session: nine, as [`activity`] reads them. `a` is its row of `pg_stat_activity`.
const ACTIVITY: &str = "a.usename::text, a.datname::text, nullif(a.application_name, ''), host(a.client_addr), a.state, \
     extract(epoch from clock_timestamp() - a.xact_start)::int8, a.query, \
     'GRANT pg_read_all_stats TO ' || quote_ident(current_user)";

/// Sessions that block `pid`, the one with the oldest transaction first; empty when it waits for no lock any more.
///
/// # Errors
/// What the server says.
pub async fn blockers(session: &mut PostgresSession, pid: i64) -> Result<Vec<Blocker>, DbError> {
    let sql = format!(
        "with wanted as (select * from pg_locks where pid = $1::int8 and not granted limit 1), \
         same as (select l.pid, l.mode, l.granted, l.virtualtransaction from pg_locks l, wanted w \
             where l.locktype = w.locktype and l.pid is distinct from w.pid \
             and (l.database, l.relation, l.page, l.tuple, l.virtualxid, l.transactionid, l.classid, l.objid, l.objsubid) \
             is not distinct from \
             (w.database, w.relation, w.page, w.tuple, w.virtualxid, w.transactionid, w.classid, w.objid, w.objsubid)), \
         blocking as (select distinct unnest(pg_blocking_pids($1::int8::int4)) as pid) \
         select b.pid, {ACTIVITY}, \
         (select coalesce(case when w.database = (select oid from pg_database where datname = current_database()) \
             then w.relation::regclass::text end, w.locktype) from wanted w), \
         (select mode from wanted), \
         (select string_agg(distinct s.mode, ', ') from same s where s.granted and coalesce(s.pid, 0) = b.pid), \
         (select min(s.mode) from same s where not s.granted and s.pid = b.pid), \
         (select string_agg(distinct p.gid, ', ') from same s \
             join pg_locks x on x.virtualtransaction = s.virtualtransaction and x.locktype = 'transactionid' and x.pid is null \
             join pg_prepared_xacts p on p.transaction = x.transactionid where b.pid = 0 and s.pid is null) \
         from blocking b left join pg_stat_activity a on a.pid = b.pid \
         order by a.xact_start nulls last, b.pid"
    );
    let session: &mut dyn Session = session;
    let rows = session.query(&sql, &[Value::Integer(pid)]).await?;
    Ok(rows.iter().map(blocker).collect())
}

fn blocker(row: &Row) -> Blocker {
    let mut activity = activity(row, 0);
    if activity.pid == 0 {
        activity.state = Some("prepared transaction".to_owned());
        activity.query = row.text(13);
        activity.grant = None;
    }
    Blocker { activity, object: row.text(9), wanted: row.text(10), held: row.text(11), queued_for: row.text(12) }
}

/// Reads nine columns: the process and [`ACTIVITY`].
fn activity(row: &Row, first: usize) -> Activity {
    let query = row.text(first + 7);
    let hidden = query.as_deref() == Some(HIDDEN);
    Activity {
        pid: row.integer(first).unwrap_or_default(),
        user: row.text(first + 1),
        database: row.text(first + 2),
        application: row.text(first + 3),
        client: row.text(first + 4),
        state: row.text(first + 5),
        transaction_seconds: row.integer(first + 6),
        query: query.filter(|_| !hidden),
        grant: row.text(first + 8).filter(|_| hidden),
    }
}

/// How far the concurrent index build of `pid` is, and whom it waits for; None when it builds none.
///
/// # Errors
/// What the server says.
pub async fn concurrent_index_waits(session: &mut PostgresSession, pid: i64) -> Result<Option<IndexBuild>, DbError> {
    let sql = format!(
        "select p.current_locker_pid, {ACTIVITY}, p.command, \
         case when p.datname = current_database() then p.relid::regclass::text end, \
         case when p.datname = current_database() then nullif(p.index_relid, 0)::regclass::text end, p.phase, \
         p.lockers_total, p.lockers_done, p.blocks_total, p.blocks_done, p.tuples_total, p.tuples_done \
         from pg_stat_progress_create_index p left join pg_stat_activity a on a.pid = p.current_locker_pid \
         where p.pid = $1"
    );
    let session: &mut dyn Session = session;
    let rows = session.query(&sql, &[Value::Integer(pid)]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let number = |column| row.integer(column).unwrap_or_default();
    Ok(Some(IndexBuild {
        current_locker: Some(activity(row, 0)).filter(|locker| locker.pid != 0),
        command: row.text(9).unwrap_or_default(),
        table: row.text(10),
        index: row.text(11),
        phase: row.text(12).unwrap_or_default(),
        lockers_total: number(13),
        lockers_done: number(14),
        blocks_total: number(15),
        blocks_done: number(16),
        tuples_total: number(17),
        tuples_done: number(18),
    }))
}
