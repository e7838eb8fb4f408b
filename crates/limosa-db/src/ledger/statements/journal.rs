//! The journal of scripts that are no single transaction.

use super::{Statement, all};

/// Journal rows of a project ($1).
pub const JOURNAL: Statement = Statement {
    postgres: "select identity, direction, done, done_hash, current_statement, current_hash, current_before, \
               to_char(current_started_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), current_retry, backend \
               from {journal} where project = $1",
    sqlite: "select identity, direction, done, done_hash, current_statement, current_hash, current_before, \
             current_started_at, current_retry, backend from {journal} where project = $1",
    mysql: "select identity, direction, done, done_hash, current_statement, current_hash, current_before, \
            concat(left(date_format(current_started_at, '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z'), current_retry, backend \
            from {journal} where project = $1",
};

/// Writes the journal of a script: $1 project, $2 identity, $3 direction, $4 done, $5 hash over the statements done,
/// $6 current statement, $7 its hash, $8 the catalogue before it, $9 epoch (a guard).
pub const WRITE_JOURNAL: Statement = Statement {
    postgres: "insert into {journal} (project, identity, direction, done, done_hash, current_statement, current_hash, \
               current_before, current_started_at, current_retry, backend, lease_epoch) \
               select $1, $2, $3, $4, $5, $6::bigint, $7, $8, case when $6 is not null then clock_timestamp() end, false, \
               (select backend from {lease} where project = $1 and epoch = $9), \
               (select epoch from {lease} where project = $1 and epoch = $9 for key share) \
               on conflict (project, identity, direction) do update set done = excluded.done, done_hash = excluded.done_hash, \
               current_statement = excluded.current_statement, current_hash = excluded.current_hash, \
               current_before = excluded.current_before, current_started_at = excluded.current_started_at, \
               current_retry = false, backend = excluded.backend, lease_epoch = excluded.lease_epoch",
    sqlite: "insert into {journal} (project, identity, direction, done, done_hash, current_statement, current_hash, \
             current_before, current_started_at, current_retry, backend, lease_epoch) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, case when $6 is not null then strftime('%Y-%m-%dT%H:%M:%fZ', 'now') end, 0, \
             null, (select epoch from {lease} where project = $1 and epoch = $9)) \
             on conflict (project, identity, direction) do update set done = excluded.done, done_hash = excluded.done_hash, \
             current_statement = excluded.current_statement, current_hash = excluded.current_hash, \
             current_before = excluded.current_before, current_started_at = excluded.current_started_at, \
             current_retry = 0, lease_epoch = excluded.lease_epoch",
    mysql: "insert into {journal} (project, identity, direction, done, done_hash, current_statement, current_hash, \
            current_before, current_started_at, current_retry, backend, lease_epoch) \
            select $1, $2, $3, $4, $5, $6, $7, $8, case when $6 is not null then utc_timestamp(3) end, false, \
            (select backend from {lease} where project = $1 and epoch = $9), \
            coalesce((select epoch from {lease} where project = $1 and epoch = $9 lock in share mode), (select 1 union all select 2)) from dual \
            on duplicate key update done = values(done), done_hash = values(done_hash), \
            current_statement = values(current_statement), current_hash = values(current_hash), \
            current_before = values(current_before), current_started_at = values(current_started_at), \
            current_retry = false, backend = values(backend), lease_epoch = values(lease_epoch)",
};

/// Takes the journal of a script away: project $1, identity $2, direction $3.
pub const DELETE_JOURNAL: Statement =
    all("delete from {journal} where project = $1 and identity = $2 and direction = $3");

/// Writes another hash over the statements done: project $1, identity $2, direction $3, hash $4.
pub const REHASH_JOURNAL: Statement =
    all("update {journal} set done_hash = $4 where project = $1 and identity = $2 and direction = $3");

/// Says that the current statement is to run again: project $1, identity $2, direction $3.
pub const RETRY_JOURNAL: Statement = Statement {
    postgres: "update {journal} set current_retry = true where project = $1 and identity = $2 and direction = $3",
    sqlite: "update {journal} set current_retry = 1 where project = $1 and identity = $2 and direction = $3",
    mysql: "update {journal} set current_retry = true where project = $1 and identity = $2 and direction = $3",
};
