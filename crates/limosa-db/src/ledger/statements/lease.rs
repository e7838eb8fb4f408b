//! The lock of runners, and the lease that says who holds it.

use limosa_sql::Engine;

use super::{Statement, all};

/// The lease of a project ($1), whether the ledger of another tool is kept beside this one, the newest version that that tool had
/// applied and that had no file, and all that it had applied and that had none.
pub const LEASE: Statement = Statement {
    postgres: "select epoch, holder, to_char(since at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), \
               greatest(0, extract(epoch from clock_timestamp() - heartbeat_at)::bigint), backend, \
               extract(epoch from heartbeat_at)::text, \
               exists (select from {application_metadata} m where m.project = $1 and m.key = 'kept'), \
               (select value from {application_metadata} m where m.project = $1 and m.key = 'newest_elsewhere'), \
               (select value from {application_metadata} m where m.project = $1 and m.key = 'unfiled') \
               from {lease} where project = $1",
    sqlite: "select epoch, holder, since, max(0, cast((julianday('now') - julianday(heartbeat_at)) * 86400 as integer)), backend, \
             heartbeat_at, exists (select 1 from {application_metadata} m where m.project = $1 and m.key = 'kept'), \
             (select value from {application_metadata} m where m.project = $1 and m.key = 'newest_elsewhere'), \
             (select value from {application_metadata} m where m.project = $1 and m.key = 'unfiled') \
             from {lease} where project = $1",
    mysql: "select epoch, holder, concat(left(date_format(since, '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z'), \
            greatest(0, timestampdiff(second, heartbeat_at, utc_timestamp(3))), backend, \
            cast(heartbeat_at as char), \
            exists (select 1 from {application_metadata} m where m.project = $1 and m.`key` = 'kept'), \
            (select value from {application_metadata} m where m.project = $1 and m.`key` = 'newest_elsewhere'), \
            (select value from {application_metadata} m where m.project = $1 and m.`key` = 'unfiled') \
            from {lease} where project = $1",
};

/// PostgreSQL: tries the advisory lock $1 and remembers the answer for the statements of the same transaction.
pub const TRY_LOCK: Statement = Statement {
    postgres: "select set_config('limosa.locked', case when $2 then 'true' else pg_try_advisory_lock($1)::text end, true) = 'true'",
    sqlite: "select 1",
    mysql: "select coalesce(get_lock($1, 0), 0)",
};

/// PostgreSQL: names this session among those of the server for [`TAKE_LEASE`] in the same transaction. To be asked with the rights of the
/// user that connected: to others the server does not tell when the session began.
pub const KNOW_BACKEND: Statement = Statement {
    postgres: "select set_config('limosa.backend', pid || ':' || extract(epoch from backend_start), true) \
               from pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid())",
    sqlite: "select 1",
    mysql: "select 1",
};

/// PostgreSQL: gives the advisory lock $1 back, once per time it was taken.
pub const UNLOCK: Statement =
    Statement { postgres: "select pg_advisory_unlock($1)", sqlite: "select 1", mysql: "select release_lock($1)" };

/// Takes the lease where it is free, given up, or its holder is gone; one row with the new epoch, or none. On PostgreSQL a
/// holder whose start the server hides belongs to another user; that we hold the advisory lock tells that it is gone, and
/// behind a pooler, where nobody holds one, it counts as there.
/// A holder that cannot be looked up counts as gone where whoever asks has watched it in silence for long enough, by a clock
/// that nobody sets: the server's may jump.
/// $1 project, $2 holder, $3 pooled, $4 the epoch that was watched, or -1, $5 backend of this runner (PostgreSQL: unused, see
/// [`KNOW_BACKEND`]), $6 its last sign of life
/// as [`LEASE`] gives it, $7 (SQLite) the epoch whose holder is known to be gone, or -1.
pub const TAKE_LEASE: Statement = Statement {
    postgres: "insert into {lease} as l (project, epoch, holder, backend, pooled, since, heartbeat_at) \
               select $1, 1, $2, coalesce($5, nullif(current_setting('limosa.backend', true), '')), $3, clock_timestamp(), clock_timestamp() \
               where current_setting('limosa.locked', true) = 'true' \
               on conflict (project) do update set epoch = l.epoch + 1, holder = excluded.holder, backend = excluded.backend, \
               pooled = excluded.pooled, since = excluded.since, heartbeat_at = excluded.heartbeat_at \
               where current_setting('limosa.locked', true) = 'true' and (l.holder is null or \
               (l.pooled and l.epoch = $4 and extract(epoch from l.heartbeat_at)::text is not distinct from $6) or \
               (not l.pooled and not exists (select from pg_catalog.pg_stat_get_activity(null) a where a.pid::text = split_part(l.backend, ':', 1) \
               and (extract(epoch from a.backend_start)::text = split_part(l.backend, ':', 2) or (a.backend_start is null and $3))))) \
               returning epoch",
    sqlite: "insert into {lease} as l (project, epoch, holder, backend, pooled, since, heartbeat_at) \
             values ($1, 1, $2, $5, $3, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) \
             on conflict (project) do update set epoch = l.epoch + 1, holder = excluded.holder, backend = excluded.backend, \
             pooled = excluded.pooled, since = excluded.since, heartbeat_at = excluded.heartbeat_at \
             where l.holder is null or l.epoch = $7 or (l.epoch = $4 and l.heartbeat_at is $6) \
             returning epoch",
    mysql: "insert into {lease} (project, epoch, holder, backend, pooled, since, heartbeat_at) \
            values ($1, 1, $2, $5, $3, utc_timestamp(3), utc_timestamp(3)) \
            on duplicate key update epoch = epoch + 1, holder = values(holder), backend = values(backend), \
            pooled = values(pooled), since = values(since), heartbeat_at = values(heartbeat_at)",
};

/// MySQL: the lease of a project ($1), held for the transaction: epoch, holder, backend, and whether a session of that number
/// is there, as far as our rights show.
pub const HOLD_LEASE: Statement = Statement {
    postgres: "select 1",
    sqlite: "select 1",
    mysql: "select l.epoch, l.holder, l.backend, exists (select 1 from information_schema.processlist p \
            where p.id = substring_index(l.backend, ':', 1)) from {lease} l where l.project = $1 for update",
};

/// Gives the lease up: project $1, epoch $2.
pub const RELEASE_LEASE: Statement =
    all("update {lease} set holder = null, backend = null where project = $1 and epoch = $2");

/// Ends a lease from outside of its session: waits for a transaction that holds it, and no later one of that session can
/// commit. The holder is forgotten only where a pooler stands between; else the next runner looks whether its session is
/// gone. Project $1, epoch $2.
pub const FENCE_OFF: Statement =
    all("update {lease} set epoch = epoch + 1, holder = case when pooled then null else holder end \
     where project = $1 and epoch = $2");

/// A sign of life, in no column of a key: project $1, epoch $2.
pub const HEARTBEAT: Statement = Statement {
    postgres: "update {lease} set heartbeat_at = clock_timestamp() where project = $1 and epoch = $2 returning epoch",
    sqlite: "update {lease} set heartbeat_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') where project = $1 and epoch = $2 returning epoch",
    mysql: "update {lease} set heartbeat_at = utc_timestamp(3) where project = $1 and epoch = $2",
};

/// Fails where the lease is not ours any more (PostgreSQL: by a division by zero; SQLite: by a NULL), holds it against
/// takeover for the transaction, and sets the marks and time-outs of the transaction: project $1, epoch $2, step mark $3, lock
/// time-out $4, statement time-out $5 (milliseconds as text; empty leaves what the file itself has set). On SQLite it is a sign
/// of life too.
pub const FENCE: Statement = Statement {
    postgres: "select 1 / count(*), set_config('limosa.step', $3, true), \
               case when $4 <> '' then set_config('lock_timeout', $4, true) end, \
               case when $5 <> '' then set_config('statement_timeout', $5, true) end \
               from (select epoch from {lease} where project = $1 and epoch = $2 for key share) held",
    sqlite: "insert into {lease} (project, epoch, heartbeat_at) \
             values ($1, (select epoch from {lease} where project = $1 and epoch = $2), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) \
             on conflict (project) do update set heartbeat_at = excluded.heartbeat_at returning $3, $4, $5",
    mysql: "select case when (select count(*) from {lease} where project = $1 and epoch = $2 lock in share mode) = 1 \
            then $3 else (select 1 union all select 2) end, $4, $5",
};

/// PostgreSQL: sets the mark of a transaction again where something has reset all settings, and only in the transaction of which the
/// fence holds the lease, which its lock on that table tells: project $1, step mark $2.
pub const MARK_AGAIN: Statement = Statement {
    postgres: "select set_config('limosa.step', $2, true) where nullif(current_setting('limosa.step', true), '') is null \
               and exists (select from pg_catalog.pg_locks where pid = pg_catalog.pg_backend_pid() and locktype = 'relation' \
               and mode = 'RowShareLock' and relation = (select tableoid from {lease} where project = $1))",
    sqlite: "select 1",
    mysql: "select 1",
};

/// PostgreSQL: as [`FENCE`], for a transaction that was sent before the commit of the one before it was answered: fails as well
/// where that did not commit. $6 is the mark that it left by [`leave_mark`].
pub const FENCE_AHEAD: Statement = Statement {
    postgres: "select 1 / count(*), set_config('limosa.step', $3, true), set_config('lock_timeout', $4, true), \
               set_config('statement_timeout', $5, true) \
               from (select epoch from {lease} where project = $1 and epoch = $2 \
               and current_setting('limosa.committed', true) = $6 for key share) held",
    sqlite: "select 1",
    mysql: "select 1",
};

/// PostgreSQL: by which a transaction leaves its mark for the next one, right before it commits. The mark goes back with a transaction that
/// fails, and where none is open nothing is left: SAVEPOINT fails there. A request to cancel that hits a BEGIN could otherwise have the next
/// transaction believe that this one took place.
pub fn leave_mark(mark: &str) -> String {
    format!("savepoint limosa; set limosa.committed = {}", Engine::Postgres.quote_literal(mark))
}
