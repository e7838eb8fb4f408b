//! Making the tables, and bringing them to the newest version.

use super::{Statement, all, postgres_only};

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
    mysql: "\
create table if not exists {application_metadata} (
  project varchar(128) not null,
  `key` varchar(128) not null,
  value longtext not null,
  updated_at datetime(3) not null default current_timestamp(3),
  primary key (project, `key`)
) engine = InnoDB character set utf8mb4 collate utf8mb4_bin;
create table if not exists {audit_head} (
  project varchar(128) not null primary key,
  sequence bigint not null,
  hash varchar(64) not null
) engine = InnoDB character set utf8mb4 collate utf8mb4_bin;
create table if not exists {audit_log} (
  project varchar(128) not null,
  sequence bigint not null,
  at varchar(32) not null,
  actor text not null,
  operation varchar(64) not null,
  identity varchar(512),
  outcome varchar(16) not null,
  detail longtext not null,
  previous_hash varchar(64) not null,
  hash varchar(64) not null,
  primary key (project, sequence),
  key audit_log_by_change (project, identity, sequence)
) engine = InnoDB character set utf8mb4 collate utf8mb4_bin;
create table if not exists {lease} (
  project varchar(128) not null primary key,
  epoch bigint not null,
  holder text,
  backend varchar(255),
  pooled boolean not null default false,
  since datetime(3),
  heartbeat_at datetime(3)
) engine = InnoDB character set utf8mb4 collate utf8mb4_bin;
create table if not exists {journal} (
  project varchar(128) not null,
  identity varchar(512) not null,
  direction varchar(16) not null check (direction in ('apply', 'revert')),
  done bigint not null,
  done_hash varchar(255) not null,
  current_statement bigint,
  current_hash varchar(255),
  current_before longtext,
  current_started_at datetime(3),
  current_retry boolean not null default false,
  backend varchar(255),
  lease_epoch bigint not null,
  primary key (project, identity, direction)
) engine = InnoDB character set utf8mb4 collate utf8mb4_bin;
insert ignore into {application_metadata} (project, `key`, value) values ('', 'ledger_version', '1');
create table if not exists {schema_migrations} (
  project varchar(128) not null,
  identity varchar(512) not null,
  version varchar(255),
  name text not null,
  checksum varchar(255) not null,
  up_checksum varchar(255) not null,
  state varchar(16) not null check (state in ('applied', 'baseline', 'partial', 'reverting', 'skipped')),
  statements_done bigint not null,
  statements_total bigint not null,
  `rank` bigint not null,
  applied_at datetime(3) not null,
  applied_by text not null,
  execution_ms bigint not null,
  rollback_sql longtext,
  rollback_origin text,
  rollback_values longtext,
  depends_on text not null,
  plan_digest varchar(255),
  lease_epoch bigint not null,
  step_mark varchar(255) not null,
  primary key (project, identity),
  key schema_migrations_by_rank (project, `rank`)
) engine = InnoDB character set utf8mb4 collate utf8mb4_bin",
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
        // There it reads its tables by their keys, and each index would be one page more that is written twice with each migration.
        sqlite: "select 1 where 0",
        // Its tables were made with these indexes.
        mysql: "do 0",
    },
}];

/// Remembers the version of the tables: $1.
pub const SET_VERSION: Statement = Statement {
    postgres: "update {application_metadata} set value = $1 where project = '' and key = 'ledger_version' and value <> $1",
    sqlite: "update {application_metadata} set value = $1 where project = '' and key = 'ledger_version' and value <> $1",
    mysql: "update {application_metadata} set value = $1 where project = '' and `key` = 'ledger_version' and value <> $1",
};

/// One row, one column: whether the ledger stands.
pub const EXISTS: Statement = Statement {
    postgres: "select exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
               where n.nspname = {schema_text} and c.relname = 'schema_migrations')",
    sqlite: "select exists (select 1 from sqlite_schema where type = 'table' and name = {schema_migrations_text})",
    mysql: "select exists (select 1 from information_schema.tables where table_schema = {database_text} \
            and table_name = {schema_migrations_text})",
};

/// As [`EXISTS`]; MySQL: with what was begun and not ended that leaves the database neither as it was nor as it should be, see
/// [`MARK_UNFINISHED`].
pub const STANDS: Statement = Statement {
    mysql: "select exists (select 1 from information_schema.tables where table_schema = {database_text} \
            and table_name = {schema_migrations_text}), (select table_comment from information_schema.tables \
            where table_schema = {database_text} and table_name = {unfinished_text})",
    ..EXISTS
};

/// MySQL: marks the database before objects are dropped one by one, in a table of its own, for the ledger may be dropped with the others; the
/// comment says by which command.
pub const MARK_UNFINISHED: Statement =
    Statement { mysql: "create table if not exists {unfinished} (n int) comment = 'clean'", ..all("select 1") };

/// MySQL: takes the mark away.
pub const FINISHED: Statement = Statement { mysql: "drop table if exists {unfinished}", ..all("select 1") };

/// PostgreSQL: one row, one column: whether the schema of the ledger stands.
pub const SCHEMA_EXISTS: Statement = Statement {
    postgres: "select exists (select from pg_catalog.pg_namespace where nspname = {schema_text})",
    sqlite: "select true",
    mysql: "select true",
};

/// PostgreSQL: fails, with [`GUARD_FAILED`], where the lock of runners is not ours, as `TRY_LOCK` left it in this transaction, or the schema of the
/// ledger stands, so that nobody knows yet what is missing in it.
pub const MAY_MAKE: Statement = postgres_only(
    "select 1 / (current_setting('limosa.locked', true) = 'true' \
     and not exists (select from pg_catalog.pg_namespace where nspname = {schema_text}))::int",
);

/// The code of an error of [`MAY_MAKE`]: a division by zero.
pub const GUARD_FAILED: &str = "22012";

/// The version of the ledger's tables.
pub const VERSION: Statement = Statement {
    postgres: "select value from {application_metadata} where project = '' and key = 'ledger_version'",
    sqlite: "select value from {application_metadata} where project = '' and key = 'ledger_version'",
    mysql: "select value from {application_metadata} where project = '' and `key` = 'ledger_version'",
};
