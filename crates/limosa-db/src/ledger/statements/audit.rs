//! The chained log of operations.

use super::{Statement, all};

/// The head of the audit log of a project ($1).
pub const HEAD: Statement = all("select sequence, hash from {audit_head} where project = $1");

/// Makes the head row of the audit log where there is none: project $1.
pub const ENSURE_HEAD: Statement = Statement {
    postgres: "insert into {audit_head} (project, sequence, hash) values ($1, 0, '') on conflict (project) do nothing",
    sqlite: "insert into {audit_head} (project, sequence, hash) values ($1, 0, '') on conflict (project) do nothing",
    mysql: "insert ignore into {audit_head} (project, sequence, hash) values ($1, 0, '')",
};

/// Appends to the audit log under its locked head; the server computes the hash of `limosa_core::row_hash`, from what only it
/// knows (sequence, time, the hash before) and the two parts around it that the client has written out. One row: sequence and
/// hash. $1 project, $2 actor, $3 operation, $4 identity, $5 outcome, $6 detail, $7 what stands between the hash before and the
/// sequence, $8 what follows the time (`limosa_core::hashed_around`).
pub const APPEND_AUDIT: Statement = Statement {
    postgres: "with head as (select sequence + 1 as sequence, hash as previous_hash, \
               to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as at \
               from {audit_head} where project = $1 for update), \
               logged as (insert into {audit_log} (project, sequence, at, actor, operation, identity, outcome, detail, \
               previous_hash, hash) select $1, sequence, at, $2, $3, $4, $5, $6, previous_hash, \
               encode(sha256(convert_to(previous_hash || $7 || sequence::text || e'\\n' || at || $8, 'UTF8')), 'hex') \
               from head returning sequence, hash) \
               update {audit_head} a set sequence = l.sequence, hash = l.hash from logged l where a.project = $1 \
               returning a.sequence, a.hash",
    sqlite: "insert into {audit_log} (project, sequence, at, actor, operation, identity, outcome, detail, previous_hash, hash) \
             select $1, sequence + 1, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), $2, $3, $4, $5, $6, hash, \
             limosa_sha256(hash || $7 || (sequence + 1) || char(10) || strftime('%Y-%m-%dT%H:%M:%fZ', 'now') || $8) \
             from {audit_head} where project = $1",
    mysql: "insert into {audit_log} (project, sequence, at, actor, operation, identity, outcome, detail, previous_hash, hash) \
            select $1, e.sequence, e.at, $2, $3, $4, $5, $6, e.previous_hash, \
            sha2(concat(e.previous_hash, $7, e.sequence, char(10 using utf8mb4), e.at, $8), 256) \
            from (select sequence + 1 as sequence, hash as previous_hash, \
            date_format(utc_timestamp(6), '%Y-%m-%dT%H:%i:%s.%fZ') as at \
            from {audit_head} where project = $1 for update) e",
};

/// MySQL, whose INSERT gives no rows: sequence and hash of the newest row of the audit log: project $1.
pub const LAST_AUDIT: Statement =
    all("select sequence, hash from {audit_log} where project = $1 order by sequence desc limit 1");

/// SQLite and MySQL move the head in a statement of its own: project $1. On SQLite it gives sequence and hash.
pub const MOVE_HEAD: Statement = Statement {
    postgres: "select 1",
    sqlite: "update {audit_head} set sequence = sequence + 1, hash = (select l.hash from {audit_log} l \
             where l.project = $1 and l.sequence = {audit_head}.sequence + 1) where project = $1 returning sequence, hash",
    mysql: "update {audit_head} h join (select sequence, hash from {audit_log} where project = $1 \
            order by sequence desc limit 1) l set h.sequence = l.sequence, h.hash = l.hash where h.project = $1",
};

/// A page of the audit log: project $1, after sequence $2, at most $3 rows.
pub const AUDIT_PAGE: Statement =
    all("select sequence, at, actor, operation, identity, outcome, detail, previous_hash, hash from {audit_log} \
     where project = $1 and sequence > $2 order by sequence limit $3");

/// The newest rows of the audit log: project $1, at most $2 rows.
pub const AUDIT_NEWEST: Statement =
    all("select sequence, at, actor, operation, identity, outcome, detail, previous_hash, hash from {audit_log} \
     where project = $1 order by sequence desc limit $2");
