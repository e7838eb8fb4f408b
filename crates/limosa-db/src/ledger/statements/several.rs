//! PostgreSQL: rows of several changes that one transaction does. Elsewhere no changes share one by themselves.

use super::{Statement, postgres_only};

/// As `ADD_ROW`, for several changes: project $1, the changes as JSON $2, the milliseconds that each took as an array $3,
/// who $4, plan digest $5, epoch $6, step mark $7.
pub const ADD_ROWS: Statement = postgres_only(
    "insert into {schema_migrations} (project, identity, version, name, checksum, up_checksum, state, statements_done, \
     statements_total, rank, applied_by, execution_ms, rollback_sql, rollback_origin, rollback_values, depends_on, \
     plan_digest, lease_epoch, step_mark) \
     select $1, r.i, r.v, r.t, r.c, r.u, 'applied', r.s, r.s, r.k, $4, t.took[r.n], r.r, r.o, r.w, r.d, $5, $6, \
     case when nullif(current_setting('limosa.step', true), '') = $7 then $7 end \
     from json_to_recordset($2::json) as r (n int, i text, v text, t text, c text, u text, s bigint, k bigint, r text, \
     o text, w text, d text), (select $3::bigint[] as took) t",
);

/// As `APPEND_AUDIT`, for several rows, of which the last gives sequence and hash: project $1, actor $2, operation $3, outcome $4, what
/// stands between the hash before and the sequence $5, and as arrays in the order of the rows identities $6, details $7, and what
/// follows the time $8.
pub const APPEND_AUDITS: Statement = postgres_only(
    "with recursive head as (select sequence, hash, \
     to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as at \
     from {audit_head} where project = $1 for update), \
     told as materialized (select $6::text[] as identities, $7::text[] as details, $8::text[] as behind), \
     chain (place, sequence, previous_hash, hash, at) as (select 0, sequence, hash, hash, at from head union all \
     select c.place + 1, c.sequence + 1, c.hash, encode(sha256(convert_to(c.hash || $5 || (c.sequence + 1)::text || e'\\n' || c.at \
     || t.behind[c.place + 1], 'UTF8')), 'hex'), c.at from chain c, told t where c.place < cardinality(t.behind)), \
     logged as (insert into {audit_log} (project, sequence, at, actor, operation, identity, outcome, detail, previous_hash, hash) \
     select $1, c.sequence, c.at, $2, $3, t.identities[c.place], $4, t.details[c.place], c.previous_hash, c.hash \
     from chain c, told t where c.place > 0) \
     update {audit_head} a set sequence = c.sequence, hash = c.hash from chain c, told t \
     where a.project = $1 and c.place = cardinality(t.behind) returning a.sequence, a.hash",
);

/// As `TAKE_ROW`, for several changes: project $1, step mark $2, their identities as JSON $3.
pub const TAKE_ROWS: Statement = postgres_only(
    "delete from {schema_migrations} where project = $1 and identity in (select json_array_elements_text($3::json)) and \
     case when nullif(current_setting('limosa.step', true), '') = $2 then true \
     else ('step_mark ' || coalesce(current_setting('limosa.step', true), ''))::boolean end",
);
