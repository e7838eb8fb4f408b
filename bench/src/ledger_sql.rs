//! The ledger's statements as limosa sends them to PostgreSQL (`limosa_db::ledger::statements`), as far as they are
//! measured here. The bench depends on no crate of limosa, so they stand here once more.

/// The tables that a transactional migration touches.
pub(crate) const CREATE: &str = "\
create schema limosa;
create table limosa.schema_migrations (
  project text not null, identity text not null, version text, name text not null, checksum text not null,
  up_checksum text not null,
  state text not null check (state in ('applied', 'baseline', 'partial', 'reverting', 'skipped')),
  statements_done bigint not null, statements_total bigint not null, rank bigint not null,
  applied_at timestamptz not null default clock_timestamp(), applied_by text not null, execution_ms bigint not null,
  rollback_sql text, rollback_origin text, rollback_values text, depends_on text not null default '[]',
  plan_digest text, lease_epoch bigint not null, step_mark text not null, primary key (project, identity));
create table limosa.audit_head (project text primary key, sequence bigint not null, hash text not null);
create table limosa.audit_log (
  project text not null, sequence bigint not null, at text not null, actor text not null, operation text not null,
  identity text, outcome text not null, detail text not null, previous_hash text not null, hash text not null,
  primary key (project, sequence));
create table limosa.lease (
  project text primary key, epoch bigint not null, holder text, backend text, pooled boolean not null default false,
  since timestamptz, heartbeat_at timestamptz, unique (project, epoch));
insert into limosa.lease (project, epoch, holder) values ('bench', 1, 'bench');
insert into limosa.audit_head (project, sequence, hash) values ('bench', 0, '')";

/// Before the statements of a migration: settings as in a fresh session, in one message.
pub(crate) const RESET: &str = "reset session authorization; reset role; reset all";

/// Before the row: the rights that the client came with.
pub(crate) const BEFORE_ROW: &str = "set local session authorization default; set local role none";

/// Proof of the lease, and the time-outs.
pub(crate) const FENCE: &str = "\
select 1 / count(*), set_config('limosa.step', $3, true), \
case when $4 <> '' then set_config('lock_timeout', $4, true) end, \
case when $5 <> '' then set_config('statement_timeout', $5, true) end \
from (select epoch from limosa.lease where project = $1 and epoch = $2 for key share) held";

/// The row of a migration.
pub(crate) const WRITE_ROW: &str = "\
insert into limosa.schema_migrations as m (project, identity, version, name, checksum, up_checksum, state, \
statements_done, statements_total, rank, applied_by, execution_ms, rollback_sql, rollback_origin, rollback_values, \
depends_on, plan_digest, lease_epoch, step_mark) \
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
(select coalesce(max(rank), 0) + 1 from limosa.schema_migrations where project = $1), $10, \
$11 + (extract(epoch from clock_timestamp() - transaction_timestamp()) * 1000)::bigint, $12, $13, $14, $15, $16, \
(select epoch from limosa.lease where project = $1 and epoch = $17 for key share), \
case when nullif(current_setting('limosa.step', true), '') = $18 then $18 end) \
on conflict (project, identity) do update set version = excluded.version, name = excluded.name, \
checksum = excluded.checksum, up_checksum = excluded.up_checksum, state = excluded.state, \
statements_done = excluded.statements_done, statements_total = excluded.statements_total, \
rank = case when m.state in ('skipped', 'baseline') or excluded.state = 'applied' then excluded.rank else m.rank end, \
applied_at = clock_timestamp(), applied_by = excluded.applied_by, execution_ms = excluded.execution_ms, \
rollback_sql = excluded.rollback_sql, rollback_origin = excluded.rollback_origin, \
rollback_values = excluded.rollback_values, depends_on = excluded.depends_on, plan_digest = excluded.plan_digest, \
lease_epoch = excluded.lease_epoch, step_mark = excluded.step_mark";

/// The audit row, its hash computed by the server under the locked head.
pub(crate) const APPEND_BY_SERVER: &str = "\
with head as (select sequence, hash from limosa.audit_head where project = $1 for update), \
entry as (select h.sequence + 1 as sequence, h.hash as previous_hash, \
to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as at from head h), \
hashed as (select e.*, encode(sha256(convert_to(e.previous_hash || e'\\n' || \
replace(replace($1, e'\\\\', e'\\\\\\\\'), e'\\n', e'\\\\n') || e'\\n' || e.sequence || e'\\n' || e.at || e'\\n' || \
replace(replace($2, e'\\\\', e'\\\\\\\\'), e'\\n', e'\\\\n') || e'\\n' || \
replace(replace($3, e'\\\\', e'\\\\\\\\'), e'\\n', e'\\\\n') || e'\\n' || \
replace(replace(coalesce($4, ''), e'\\\\', e'\\\\\\\\'), e'\\n', e'\\\\n') || e'\\n' || \
replace(replace($5, e'\\\\', e'\\\\\\\\'), e'\\n', e'\\\\n') || e'\\n' || \
replace(replace($6, e'\\\\', e'\\\\\\\\'), e'\\n', e'\\\\n'), 'UTF8')), 'hex') as hash from entry e), \
logged as (insert into limosa.audit_log (project, sequence, at, actor, operation, identity, outcome, detail, \
previous_hash, hash) select $1, sequence, at, $2, $3, $4, $5, $6, previous_hash, hash from hashed) \
update limosa.audit_head a set sequence = h.sequence, hash = h.hash from hashed h where a.project = $1 \
returning a.sequence, a.hash";

/// The audit row, its hash computed by the client: project $1, actor $2, operation $3, identity $4, outcome $5,
/// detail $6, sequence $7, time $8, previous hash $9, hash $10. Fails where the head has moved meanwhile.
pub(crate) const APPEND_BY_CLIENT: &str = "\
with moved as (update limosa.audit_head set sequence = $7, hash = $10 \
where project = $1 and sequence = $7 - 1 and hash = $9 returning 1), \
logged as (insert into limosa.audit_log (project, sequence, at, actor, operation, identity, outcome, detail, \
previous_hash, hash) values ($1, $7, $8, $2, $3, $4, $5, $6, $9, $10)) \
select 1 / count(*) from moved";
