//! Every statement that touches the ledger, once, with a column per engine.
//!
//! Parameters are written `$n`; where an engine has no column of its own it takes the PostgreSQL text. SQLite reads `$n`
//! as `?n`. Times are the server's: RFC 3339 in UTC with milliseconds.

use limosa_sql::Engine;

use super::LedgerNames;

/// One statement in the forms of the engines.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    postgres: &'static str,
    sqlite: &'static str,
}

impl Statement {
    /// The text for an engine, with the names of the tables.
    pub fn render(&self, names: &LedgerNames) -> String {
        match names.engine {
            Engine::Sqlite => names.fill(&self.sqlite.replace('$', "?")),
            _ => names.fill(self.postgres),
        }
    }
}

const fn both(sql: &'static str) -> Statement {
    Statement { postgres: sql, sqlite: sql }
}

/// The tables of version 1, as statements separated by `;`.
pub const CREATE: Statement = Statement {
    postgres: "\
create table {application_metadata} (
  project text not null,
  key text not null,
  value text not null,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (project, key)
);
create table {schema_migrations} (
  project text not null,
  identity text not null,
  version text,
  name text not null,
  checksum text not null,
  up_checksum text not null,
  state text not null check (state in ('applied', 'baseline', 'partial', 'reverting', 'skipped')),
  statements_done bigint not null,
  statements_total bigint not null,
  rank bigint not null,
  applied_at timestamptz not null default clock_timestamp(),
  applied_by text not null,
  execution_ms bigint not null,
  rollback_sql text,
  rollback_origin text,
  rollback_values text,
  depends_on text not null default '[]',
  plan_digest text,
  lease_epoch bigint not null,
  step_mark text not null,
  primary key (project, identity)
);
create table {audit_head} (
  project text primary key,
  sequence bigint not null,
  hash text not null
);
create table {audit_log} (
  project text not null,
  sequence bigint not null,
  at text not null,
  actor text not null,
  operation text not null,
  identity text,
  outcome text not null,
  detail text not null,
  previous_hash text not null,
  hash text not null,
  primary key (project, sequence)
);
create table {lease} (
  project text primary key,
  epoch bigint not null,
  holder text,
  backend text,
  pooled boolean not null default false,
  since timestamptz,
  heartbeat_at timestamptz,
  unique (project, epoch)
);
create table {journal} (
  project text not null,
  identity text not null,
  direction text not null check (direction in ('apply', 'revert')),
  done bigint not null,
  done_hash text not null,
  current_statement bigint,
  current_hash text,
  current_before text,
  current_started_at timestamptz,
  current_retry boolean not null default false,
  backend text,
  lease_epoch bigint not null,
  primary key (project, identity, direction)
);
insert into {application_metadata} (project, key, value) values ('', 'ledger_version', '1')",
    sqlite: "\
create table if not exists {application_metadata} (
  project text not null,
  key text not null,
  value text not null,
  updated_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  primary key (project, key)
) without rowid;
create table if not exists {schema_migrations} (
  project text not null,
  identity text not null,
  version text,
  name text not null,
  checksum text not null,
  up_checksum text not null,
  state text not null check (state in ('applied', 'baseline', 'partial', 'reverting', 'skipped')),
  statements_done integer not null,
  statements_total integer not null,
  rank integer not null,
  applied_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  applied_by text not null,
  execution_ms integer not null,
  rollback_sql text,
  rollback_origin text,
  rollback_values text,
  depends_on text not null default '[]',
  plan_digest text,
  lease_epoch integer not null,
  step_mark text not null,
  primary key (project, identity)
) without rowid;
create table if not exists {audit_head} (
  project text not null primary key,
  sequence integer not null,
  hash text not null
) without rowid;
create table if not exists {audit_log} (
  project text not null,
  sequence integer not null,
  at text not null,
  actor text not null,
  operation text not null,
  identity text,
  outcome text not null,
  detail text not null,
  previous_hash text not null,
  hash text not null,
  primary key (project, sequence)
) without rowid;
create table if not exists {lease} (
  project text not null primary key,
  epoch integer not null,
  holder text,
  backend text,
  pooled integer not null default 0,
  since text,
  heartbeat_at text,
  unique (project, epoch)
) without rowid;
create table if not exists {journal} (
  project text not null,
  identity text not null,
  direction text not null check (direction in ('apply', 'revert')),
  done integer not null,
  done_hash text not null,
  current_statement integer,
  current_hash text,
  current_before text,
  current_started_at text,
  current_retry integer not null default 0,
  backend text,
  lease_epoch integer not null,
  primary key (project, identity, direction)
) without rowid;
insert or ignore into {application_metadata} (project, key, value) values ('', 'ledger_version', '1')",
};

/// A step from one version of the tables to the next.
#[derive(Debug, Clone, Copy)]
pub struct Upgrade {
    /// The version that it leads to.
    pub to: i64,
    /// What it gives, for messages.
    pub gives: &'static str,
    /// False where this limosa works without it, so that a role without the rights for it can go on.
    pub needed: bool,
    /// The statements.
    pub statement: Statement,
}

/// All steps, in order. The tables of [`CREATE`] are those of version 1 and stay so: each new ledger goes the same way as
/// an old one.
pub const UPGRADES: &[Upgrade] = &[Upgrade {
    to: 2,
    gives: "indexes for the last operation on a change, and for the order of application",
    needed: false,
    statement: Statement {
        postgres: "create index if not exists audit_log_by_change on {audit_log} (project, identity, sequence); \
                   create index if not exists schema_migrations_by_rank on {schema_migrations} (project, rank)",
        sqlite: "create index if not exists {audit_log_by_change} on {audit_log} (project, identity, sequence); \
                 create index if not exists {schema_migrations_by_rank} on {schema_migrations} (project, rank)",
    },
}];

/// Remembers the version of the tables: $1.
pub const SET_VERSION: Statement =
    both("update {application_metadata} set value = $1 where project = '' and key = 'ledger_version' and value <> $1");

/// One row, one column: whether the ledger stands.
pub const EXISTS: Statement = Statement {
    postgres: "select exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
               where n.nspname = {schema_text} and c.relname = 'schema_migrations')",
    sqlite: "select exists (select 1 from sqlite_schema where type = 'table' and name = {schema_migrations_text})",
};

/// PostgreSQL: one row, one column: whether the schema of the ledger stands.
pub const SCHEMA_EXISTS: Statement = Statement {
    postgres: "select exists (select from pg_catalog.pg_namespace where nspname = {schema_text})",
    sqlite: "select true",
};

/// The version of the ledger's tables.
pub const VERSION: Statement =
    both("select value from {application_metadata} where project = '' and key = 'ledger_version'");

/// Rows of a project ($1) in the order of application: see `read::applied`.
pub const ROWS: Statement = Statement {
    postgres: "select identity, version, name, checksum, up_checksum, state, statements_done, statements_total, rank, \
               to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), applied_by, execution_ms, \
               rollback_sql is not null, plan_digest, depends_on \
               from {schema_migrations} where project = $1 order by rank",
    sqlite: "select identity, version, name, checksum, up_checksum, state, statements_done, statements_total, rank, \
             applied_at, applied_by, execution_ms, rollback_sql is not null, plan_digest, depends_on \
             from {schema_migrations} where project = $1 order by rank",
};

/// Journal rows of a project ($1).
pub const JOURNAL: Statement = Statement {
    postgres: "select identity, direction, done, done_hash, current_statement, current_hash, current_before, \
               to_char(current_started_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), current_retry, backend \
               from {journal} where project = $1",
    sqlite: "select identity, direction, done, done_hash, current_statement, current_hash, current_before, \
             current_started_at, current_retry, backend from {journal} where project = $1",
};

/// The lease of a project ($1).
pub const LEASE: Statement = Statement {
    postgres: "select epoch, holder, to_char(since at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), \
               greatest(0, extract(epoch from clock_timestamp() - heartbeat_at)::bigint), backend, \
               extract(epoch from heartbeat_at)::text from {lease} where project = $1",
    sqlite: "select epoch, holder, since, max(0, cast((julianday('now') - julianday(heartbeat_at)) * 86400 as integer)), backend, \
             heartbeat_at from {lease} where project = $1",
};

/// The head of the audit log of a project ($1).
pub const HEAD: Statement = both("select sequence, hash from {audit_head} where project = $1");

/// The newest failed attempts of a project ($1) that no later operation on the same change followed.
pub const FAILURES: Statement = both(
    "select a.identity, a.at, a.detail from {audit_log} a where a.project = $1 and a.outcome = 'failed' \
     and a.identity is not null and a.operation = 'apply' and not exists (select 1 from {audit_log} b \
     where b.project = a.project and b.identity = a.identity and b.sequence > a.sequence) \
     order by a.sequence desc limit 100",
);

/// The recorded way back of one change: project $1, identity $2.
pub const ROLLBACK_OF: Statement = both(
    "select rollback_sql, rollback_origin, rollback_values from {schema_migrations} where project = $1 and identity = $2",
);

/// The mark of the step that wrote a row, its state and progress: project $1, identity $2.
pub const STEP_MARK_OF: Statement =
    both("select step_mark, state, statements_done from {schema_migrations} where project = $1 and identity = $2");

/// Ends a lease from outside of its session: waits for a transaction that holds it, and no later one of that session can
/// commit. The holder is forgotten only where a pooler stands between; else the next runner looks whether its session is
/// gone. Project $1, epoch $2.
pub const FENCE_OFF: Statement = both(
    "update {lease} set epoch = epoch + 1, holder = case when pooled then null else holder end \
     where project = $1 and epoch = $2",
);

/// PostgreSQL: tries the advisory lock $1 and remembers the answer for the statements of the same transaction.
pub const TRY_LOCK: Statement = Statement {
    postgres: "select set_config('limosa.locked', case when $2 then 'true' else pg_try_advisory_lock($1)::text end, true) = 'true'",
    sqlite: "select 1",
};

/// PostgreSQL: gives the advisory lock $1 back, once per time it was taken.
pub const UNLOCK: Statement = Statement { postgres: "select pg_advisory_unlock($1)", sqlite: "select 1" };

/// Takes the lease where it is free, given up, or its holder is gone; one row with the new epoch, or none. On PostgreSQL a
/// holder whose start the server hides belongs to another user; that we hold the advisory lock tells that it is gone, and
/// behind a pooler, where nobody holds one, it counts as there.
/// A holder that cannot be looked up counts as gone where whoever asks has watched it in silence for long enough, by a clock
/// that nobody sets: the server's may jump.
/// $1 project, $2 holder, $3 pooled, $4 the epoch that was watched, or -1, $5 backend of this runner, $6 its last sign of life
/// as [`LEASE`] gives it, $7 (SQLite) the epoch whose holder is known to be gone, or -1.
pub const TAKE_LEASE: Statement = Statement {
    postgres: "insert into {lease} as l (project, epoch, holder, backend, pooled, since, heartbeat_at) \
               select $1, 1, $2, $5, $3, clock_timestamp(), clock_timestamp() \
               where current_setting('limosa.locked', true) = 'true' \
               on conflict (project) do update set epoch = l.epoch + 1, holder = excluded.holder, backend = excluded.backend, \
               pooled = excluded.pooled, since = excluded.since, heartbeat_at = excluded.heartbeat_at \
               where current_setting('limosa.locked', true) = 'true' and (l.holder is null or \
               (l.pooled and l.epoch = $4 and extract(epoch from l.heartbeat_at)::text is not distinct from $6) or \
               (not l.pooled and not exists (select from pg_catalog.pg_stat_activity a where a.pid::text = split_part(l.backend, ':', 1) \
               and (extract(epoch from a.backend_start)::text = split_part(l.backend, ':', 2) or (a.backend_start is null and $3))))) \
               returning epoch",
    sqlite: "insert into {lease} as l (project, epoch, holder, backend, pooled, since, heartbeat_at) \
             values ($1, 1, $2, $5, $3, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) \
             on conflict (project) do update set epoch = l.epoch + 1, holder = excluded.holder, backend = excluded.backend, \
             pooled = excluded.pooled, since = excluded.since, heartbeat_at = excluded.heartbeat_at \
             where l.holder is null or l.epoch = $7 or (l.epoch = $4 and l.heartbeat_at is $6) \
             returning epoch",
};

/// Gives the lease up: project $1, epoch $2.
pub const RELEASE_LEASE: Statement =
    both("update {lease} set holder = null, backend = null where project = $1 and epoch = $2");

/// A sign of life, in no column of a key: project $1, epoch $2.
pub const HEARTBEAT: Statement = Statement {
    postgres: "update {lease} set heartbeat_at = clock_timestamp() where project = $1 and epoch = $2 returning epoch",
    sqlite: "update {lease} set heartbeat_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') where project = $1 and epoch = $2 returning epoch",
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
};

/// Writes or replaces the row of a change. $1 project, $2 identity, $3 version, $4 name, $5 checksum, $6 up checksum,
/// $7 state, $8 statements done, $9 statements total, $10 applied by, $11 milliseconds spent before this transaction began
/// (SQLite: less `monotonic_ms` at its beginning), to which the server adds those since, $12 rollback, $13 its origin,
/// $14 its placeholder values, $15 dependencies, $16 plan digest, $17 epoch, $18 step mark. The last two are guards: NULL, and
/// with it the end of the transaction, where the lease is lost or the file ended our transaction.
pub const WRITE_ROW: Statement = Statement {
    postgres: "insert into {schema_migrations} as m (project, identity, version, name, checksum, up_checksum, state, statements_done, \
               statements_total, rank, applied_by, execution_ms, rollback_sql, rollback_origin, rollback_values, depends_on, \
               plan_digest, lease_epoch, step_mark) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
               (select coalesce(max(rank), 0) + 1 from {schema_migrations} where project = $1), $10, \
               $11 + greatest(0, (extract(epoch from clock_timestamp() - transaction_timestamp()) * 1000::numeric)::bigint), $12, $13, $14, $15, $16, \
               (select epoch from {lease} where project = $1 and epoch = $17 for key share), \
               case when nullif(current_setting('limosa.step', true), '') = $18 then $18 end) \
               on conflict (project, identity) do update set version = excluded.version, name = excluded.name, \
               checksum = excluded.checksum, up_checksum = excluded.up_checksum, state = excluded.state, \
               statements_done = excluded.statements_done, statements_total = excluded.statements_total, \
               rank = case when m.state in ('skipped', 'baseline') or excluded.state = 'applied' then excluded.rank else m.rank end, \
               applied_at = clock_timestamp(), applied_by = excluded.applied_by, execution_ms = excluded.execution_ms, \
               rollback_sql = excluded.rollback_sql, rollback_origin = excluded.rollback_origin, \
               rollback_values = excluded.rollback_values, depends_on = excluded.depends_on, plan_digest = excluded.plan_digest, \
               lease_epoch = excluded.lease_epoch, step_mark = excluded.step_mark",
    sqlite: "insert into {schema_migrations} as m (project, identity, version, name, checksum, up_checksum, state, statements_done, \
             statements_total, rank, applied_by, execution_ms, rollback_sql, rollback_origin, rollback_values, depends_on, \
             plan_digest, lease_epoch, step_mark) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
             (select coalesce(max(rank), 0) + 1 from {schema_migrations} where project = $1), $10, \
             max(0, $11 + limosa_monotonic_ms()), $12, $13, $14, $15, $16, \
             (select epoch from {lease} where project = $1 and epoch = $17), $18) \
             on conflict (project, identity) do update set version = excluded.version, name = excluded.name, \
             checksum = excluded.checksum, up_checksum = excluded.up_checksum, state = excluded.state, \
             statements_done = excluded.statements_done, statements_total = excluded.statements_total, \
             rank = case when m.state in ('skipped', 'baseline') or excluded.state = 'applied' then excluded.rank else m.rank end, \
             applied_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), applied_by = excluded.applied_by, \
             execution_ms = excluded.execution_ms, \
             rollback_sql = excluded.rollback_sql, rollback_origin = excluded.rollback_origin, \
             rollback_values = excluded.rollback_values, depends_on = excluded.depends_on, plan_digest = excluded.plan_digest, \
             lease_epoch = excluded.lease_epoch, step_mark = excluded.step_mark",
};

/// Takes the row of a change away, guarded like [`WRITE_ROW`]: project $1, identity $2, epoch $3, step mark $4. The guard works
/// by writing NULL into the row first where the lease or the transaction is lost.
pub const GUARD_ROW: Statement = Statement {
    postgres: "update {schema_migrations} set \
               lease_epoch = (select epoch from {lease} where project = $1 and epoch = $3 for key share), \
               step_mark = case when nullif(current_setting('limosa.step', true), '') = $4 then $4 end \
               where project = $1 and identity = $2",
    sqlite: "update {schema_migrations} set lease_epoch = (select epoch from {lease} where project = $1 and epoch = $3), \
             step_mark = $4 where project = $1 and identity = $2",
};

/// Takes the row of a change away: project $1, identity $2.
pub const DELETE_ROW: Statement = both("delete from {schema_migrations} where project = $1 and identity = $2");

/// Changes the state and progress of a row, guarded: project $1, identity $2, epoch $3, step mark $4, state $5, done $6, total $7.
pub const PROGRESS_ROW: Statement = Statement {
    postgres: "update {schema_migrations} set state = $5, statements_done = $6, statements_total = $7, \
               lease_epoch = (select epoch from {lease} where project = $1 and epoch = $3 for key share), \
               step_mark = case when nullif(current_setting('limosa.step', true), '') = $4 then $4 end \
               where project = $1 and identity = $2",
    sqlite: "update {schema_migrations} set state = $5, statements_done = $6, statements_total = $7, \
             lease_epoch = (select epoch from {lease} where project = $1 and epoch = $3), step_mark = $4 \
             where project = $1 and identity = $2",
};

/// Accepts the file of an applied change as it stands: project $1, identity $2, checksum $3, up checksum $4, name $5.
pub const ACCEPT_ROW: Statement = both(
    "update {schema_migrations} set checksum = $3, up_checksum = $4, name = $5 where project = $1 and identity = $2",
);

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
};

/// Takes the journal of a script away: project $1, identity $2, direction $3.
pub const DELETE_JOURNAL: Statement =
    both("delete from {journal} where project = $1 and identity = $2 and direction = $3");

/// Says that the current statement is to run again: project $1, identity $2, direction $3.
pub const RETRY_JOURNAL: Statement = Statement {
    postgres: "update {journal} set current_retry = true where project = $1 and identity = $2 and direction = $3",
    sqlite: "update {journal} set current_retry = 1 where project = $1 and identity = $2 and direction = $3",
};

/// Makes the head row of the audit log where there is none: project $1.
pub const ENSURE_HEAD: Statement =
    both("insert into {audit_head} (project, sequence, hash) values ($1, 0, '') on conflict (project) do nothing");

/// Appends to the audit log under its locked head; the server computes the hash of `limosa_core::row_hash`. One row:
/// sequence and hash. $1 project, $2 actor, $3 operation, $4 identity, $5 outcome, $6 detail.
pub const APPEND_AUDIT: Statement = Statement {
    postgres: "with head as (select sequence, hash from {audit_head} where project = $1 for update), \
               entry as (select h.sequence + 1 as sequence, h.hash as previous_hash, \
               to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as at from head h), \
               hashed as (select e.*, encode(sha256(convert_to(e.previous_hash || e'\\n' || \
               replace(replace($1, e'\\\\', e'\\\\\\\\'), e'\\n', e'\\\\n') || e'\\n' || e.sequence::text || e'\\n' || e.at || e'\\n' || \
               replace(replace($2, e'\\\\', e'\\\\\\\\'), e'\\n', e'\\\\n') || e'\\n' || \
               replace(replace($3, e'\\\\', e'\\\\\\\\'), e'\\n', e'\\\\n') || e'\\n' || \
               replace(replace(coalesce($4, ''), e'\\\\', e'\\\\\\\\'), e'\\n', e'\\\\n') || e'\\n' || \
               replace(replace($5, e'\\\\', e'\\\\\\\\'), e'\\n', e'\\\\n') || e'\\n' || \
               replace(replace($6, e'\\\\', e'\\\\\\\\'), e'\\n', e'\\\\n'), 'UTF8')), 'hex') as hash from entry e), \
               logged as (insert into {audit_log} (project, sequence, at, actor, operation, identity, outcome, detail, \
               previous_hash, hash) select $1, sequence, at, $2, $3, $4, $5, $6, previous_hash, hash from hashed) \
               update {audit_head} a set sequence = h.sequence, hash = h.hash from hashed h where a.project = $1 \
               returning a.sequence, a.hash",
    sqlite: "insert into {audit_log} (project, sequence, at, actor, operation, identity, outcome, detail, previous_hash, hash) \
             select $1, e.sequence, e.at, $2, $3, $4, $5, $6, e.previous_hash, \
             limosa_sha256(e.previous_hash || char(10) || replace(replace($1, '\\', '\\\\'), char(10), '\\n') || char(10) || \
             e.sequence || char(10) || e.at || char(10) || replace(replace($2, '\\', '\\\\'), char(10), '\\n') || char(10) || \
             replace(replace($3, '\\', '\\\\'), char(10), '\\n') || char(10) || \
             replace(replace(coalesce($4, ''), '\\', '\\\\'), char(10), '\\n') || char(10) || \
             replace(replace($5, '\\', '\\\\'), char(10), '\\n') || char(10) || \
             replace(replace($6, '\\', '\\\\'), char(10), '\\n')) \
             from (select sequence + 1 as sequence, hash as previous_hash, strftime('%Y-%m-%dT%H:%M:%fZ', 'now') as at \
             from {audit_head} where project = $1) e returning sequence, hash",
};

/// SQLite moves the head in a statement of its own: project $1.
pub const MOVE_HEAD: Statement = Statement {
    postgres: "select 1",
    sqlite: "update {audit_head} set (sequence, hash) = (select sequence, hash from {audit_log} where project = $1 \
             order by sequence desc limit 1) where project = $1",
};

/// A page of the audit log: project $1, after sequence $2, at most $3 rows.
pub const AUDIT_PAGE: Statement = both(
    "select sequence, at, actor, operation, identity, outcome, detail, previous_hash, hash from {audit_log} \
     where project = $1 and sequence > $2 order by sequence limit $3",
);

/// The newest rows of the audit log: project $1, at most $2 rows.
pub const AUDIT_NEWEST: Statement = both(
    "select sequence, at, actor, operation, identity, outcome, detail, previous_hash, hash from {audit_log} \
     where project = $1 order by sequence desc limit $2",
);

/// Sets a value of the application's metadata: project $1, key $2, value $3.
pub const SET_METADATA: Statement = Statement {
    postgres: "insert into {application_metadata} (project, key, value) values ($1, $2, $3) on conflict (project, key) \
               do update set value = excluded.value, updated_at = clock_timestamp()",
    sqlite: "insert into {application_metadata} (project, key, value) values ($1, $2, $3) on conflict (project, key) \
             do update set value = excluded.value, updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
};
