//! The rows of changes.

use super::{Statement, all};

/// Rows of a project ($1) in the order of application: see `read::applied`.
pub const ROWS: Statement = Statement {
    postgres: "select identity, version, name, checksum, up_checksum, state, statements_done, statements_total, rank, \
               to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), applied_by, execution_ms, \
               rollback_sql is not null, plan_digest, depends_on \
               from {schema_migrations} where project = $1 order by rank",
    sqlite: "select identity, version, name, checksum, up_checksum, state, statements_done, statements_total, rank, \
             applied_at, applied_by, execution_ms, rollback_sql is not null, plan_digest, depends_on \
             from {schema_migrations} where project = $1 order by rank",
    mysql: "select identity, version, name, checksum, up_checksum, state, statements_done, statements_total, `rank`, \
            concat(left(date_format(applied_at, '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z'), applied_by, execution_ms, \
            rollback_sql is not null, plan_digest, depends_on from {schema_migrations} where project = $1 order by `rank`",
};

/// The newest failed attempts of a project ($1) that no later operation on the same change followed.
pub const FAILURES: Statement =
    all("select a.identity, a.at, a.detail from {audit_log} a where a.project = $1 and a.outcome = 'failed' \
     and a.identity is not null and a.operation = 'apply' and not exists (select 1 from {audit_log} b \
     where b.project = a.project and b.identity = a.identity and b.sequence > a.sequence) \
     order by a.sequence desc limit 100");

/// The recorded ways back of some changes, with their identities: project $1; the identities follow, see
/// [`Statement::render_for`].
pub const ROLLBACKS_OF: Statement =
    all("select identity, rollback_sql, rollback_origin, rollback_values from {schema_migrations} \
     where project = $1 and identity in (...)");

/// The mark of the step that wrote a row, its state and progress: project $1, identity $2.
pub const STEP_MARK_OF: Statement = all(
    "select step_mark, state, statements_done, statements_total from {schema_migrations} where project = $1 and identity = $2",
);

/// The beginning of both statements that write a row, with what stands for the name of the table, the rank, and what becomes of a row
/// that is there.
macro_rules! row {
    (postgres, $named:literal, $rank:literal, $there:literal) => {
        row!(
            values,
            $named,
            $rank,
            $there,
            "$11 + greatest(0, (extract(epoch from clock_timestamp() - transaction_timestamp()) * 1000::numeric)::bigint)",
            "$17, case when nullif(current_setting('limosa.step', true), '') = $18 then $18 end"
        )
    };
    (sqlite, $named:literal, $rank:literal, $there:literal) => {
        row!(
            values,
            $named,
            $rank,
            $there,
            "max(0, $11 + limosa_monotonic_ms())",
            "(select epoch from {lease} where project = $1 and epoch = $17), $18"
        )
    };
    (values, $named:literal, $rank:literal, $there:literal, $took:literal, $guards:literal) => {
        concat!(
            "insert into {schema_migrations}",
            $named,
            " (project, identity, version, name, checksum, up_checksum, state, statements_done, \
         statements_total, rank, applied_by, execution_ms, rollback_sql, rollback_origin, rollback_values, depends_on, \
         plan_digest, lease_epoch, step_mark) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, ",
            $rank,
            ", $10, ",
            $took,
            ", $12, $13, $14, $15, $16, ",
            $guards,
            ")",
            $there
        )
    };
    (mysql, $rank:literal, $there:literal) => {
        concat!(
            "insert into {schema_migrations} (project, identity, version, name, checksum, up_checksum, state, statements_done, \
         statements_total, `rank`, applied_at, applied_by, execution_ms, rollback_sql, rollback_origin, rollback_values, \
         depends_on, plan_digest, lease_epoch, step_mark) \
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, \
         ",
            $rank,
            ", utc_timestamp(3), $10, \
         $11 + coalesce(@limosa_took, 0), $12, $13, $14, $15, $16, \
         coalesce((select l.epoch from {lease} l where l.project = $1 and l.epoch = $17 lock in share mode), (select 1 union all select 2)), $18 from dual",
            $there
        )
    };
}

/// Writes or replaces the row of a change. $1 project, $2 identity, $3 version, $4 name, $5 checksum, $6 up checksum,
/// $7 state, $8 statements done, $9 statements total, $10 applied by, $11 milliseconds spent before this transaction began
/// (SQLite: less `monotonic_ms` at its beginning), to which the server adds those since (MySQL: those that the run has noted
/// in its session), $12 rollback, $13 its origin, $14 its placeholder values, $15 dependencies, $16 plan digest, $17 epoch, $18 step mark,
/// $19 rank, or NULL for the one behind all others. Epoch and mark are guards: NULL, and
/// with it the end of the transaction, where the lease is lost or the file ended our transaction. On PostgreSQL the mark tells
/// both: only the fence sets it, for its transaction, which holds the lease from then on.
pub const WRITE_ROW: Statement = Statement {
    postgres: row!(
        postgres,
        " as m",
        "coalesce($19, (select coalesce(max(rank), 0) + 1 from {schema_migrations} where project = $1))",
        " on conflict (project, identity) do update set version = excluded.version, name = excluded.name, \
         checksum = excluded.checksum, up_checksum = excluded.up_checksum, state = excluded.state, \
         statements_done = excluded.statements_done, statements_total = excluded.statements_total, \
         rank = case when m.state in ('skipped', 'baseline') or excluded.state = 'applied' then excluded.rank else m.rank end, \
         applied_at = clock_timestamp(), applied_by = excluded.applied_by, execution_ms = excluded.execution_ms, \
         rollback_sql = excluded.rollback_sql, rollback_origin = excluded.rollback_origin, \
         rollback_values = excluded.rollback_values, depends_on = excluded.depends_on, plan_digest = excluded.plan_digest, \
         lease_epoch = excluded.lease_epoch, step_mark = excluded.step_mark"
    ),
    sqlite: row!(
        sqlite,
        " as m",
        "coalesce($19, (select coalesce(max(rank), 0) + 1 from {schema_migrations} where project = $1))",
        " on conflict (project, identity) do update set version = excluded.version, name = excluded.name, \
         checksum = excluded.checksum, up_checksum = excluded.up_checksum, state = excluded.state, \
         statements_done = excluded.statements_done, statements_total = excluded.statements_total, \
         rank = case when m.state in ('skipped', 'baseline') or excluded.state = 'applied' then excluded.rank else m.rank end, \
         applied_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), applied_by = excluded.applied_by, \
         execution_ms = excluded.execution_ms, \
         rollback_sql = excluded.rollback_sql, rollback_origin = excluded.rollback_origin, \
         rollback_values = excluded.rollback_values, depends_on = excluded.depends_on, plan_digest = excluded.plan_digest, \
         lease_epoch = excluded.lease_epoch, step_mark = excluded.step_mark"
    ),
    mysql: row!(
        mysql,
        "coalesce($19, (select coalesce(max(m.`rank`), 0) + 1 from {schema_migrations} m where m.project = $1))",
        " on duplicate key update version = values(version), name = values(name), checksum = values(checksum), \
         up_checksum = values(up_checksum), statements_done = values(statements_done), \
         statements_total = values(statements_total), \
         `rank` = case when state in ('skipped', 'baseline') or values(state) = 'applied' then values(`rank`) else `rank` end, \
         state = values(state), applied_at = values(applied_at), applied_by = values(applied_by), \
         execution_ms = values(execution_ms), rollback_sql = values(rollback_sql), \
         rollback_origin = values(rollback_origin), rollback_values = values(rollback_values), \
         depends_on = values(depends_on), plan_digest = values(plan_digest), lease_epoch = values(lease_epoch), \
         step_mark = values(step_mark)"
    ),
};

/// As [`WRITE_ROW`], for a change that has no row yet, and whose rank is known. Half the work, which counts where there are
/// thousands.
pub const ADD_ROW: Statement = Statement {
    postgres: row!(postgres, "", "$19", ""),
    sqlite: row!(sqlite, "", "$19", ""),
    mysql: row!(mysql, "$19", ""),
};

/// Takes the row of a change away, guarded like [`WRITE_ROW`]: project $1, identity $2, epoch $3, step mark $4. The guard works
/// by writing NULL into the row first where the lease or the transaction is lost.
pub const GUARD_ROW: Statement = Statement {
    postgres: "update {schema_migrations} set \
               lease_epoch = $3, \
               step_mark = case when nullif(current_setting('limosa.step', true), '') = $4 then $4 end \
               where project = $1 and identity = $2",
    sqlite: "update {schema_migrations} set lease_epoch = (select epoch from {lease} where project = $1 and epoch = $3), \
             step_mark = $4 where project = $1 and identity = $2",
    mysql: "update {schema_migrations} set \
            lease_epoch = coalesce((select epoch from {lease} where project = $1 and epoch = $3 lock in share mode), (select 1 union all select 2)), step_mark = $4 \
            where project = $1 and identity = $2",
};

/// Takes the row of a change away: project $1, identity $2.
pub const DELETE_ROW: Statement = all("delete from {schema_migrations} where project = $1 and identity = $2");

/// PostgreSQL: both in one: takes the row of a change away, and fails where the file ended our transaction or the lease is lost:
/// project $1, identity $2, step mark $3. What fails depends on a setting, for the server computes constants ahead.
pub const TAKE_ROW: Statement = all("delete from {schema_migrations} where project = $1 and identity = $2 and \
     case when nullif(current_setting('limosa.step', true), '') = $3 then true \
     else ('step_mark ' || coalesce(current_setting('limosa.step', true), ''))::boolean end");

/// Changes the state and progress of a row, guarded: project $1, identity $2, epoch $3, step mark $4, state $5, done $6, total $7.
pub const PROGRESS_ROW: Statement = Statement {
    postgres: "update {schema_migrations} set state = $5, statements_done = $6, statements_total = $7, \
               lease_epoch = $3, \
               step_mark = case when nullif(current_setting('limosa.step', true), '') = $4 then $4 end \
               where project = $1 and identity = $2",
    sqlite: "update {schema_migrations} set state = $5, statements_done = $6, statements_total = $7, \
             lease_epoch = (select epoch from {lease} where project = $1 and epoch = $3), step_mark = $4 \
             where project = $1 and identity = $2",
    mysql: "update {schema_migrations} set state = $5, statements_done = $6, statements_total = $7, \
            lease_epoch = coalesce((select epoch from {lease} where project = $1 and epoch = $3 lock in share mode), (select 1 union all select 2)), step_mark = $4 \
            where project = $1 and identity = $2",
};

/// Accepts the file of an applied change as it stands: project $1, identity $2, checksum $3, up checksum $4, name $5.
pub const ACCEPT_ROW: Statement = all(
    "update {schema_migrations} set checksum = $3, up_checksum = $4, name = $5 where project = $1 and identity = $2",
);

/// Sets a value of the application's metadata: project $1, key $2, value $3.
pub const SET_METADATA: Statement = Statement {
    postgres: "insert into {application_metadata} (project, key, value) values ($1, $2, $3) on conflict (project, key) \
               do update set value = excluded.value, updated_at = clock_timestamp()",
    sqlite: "insert into {application_metadata} (project, key, value) values ($1, $2, $3) on conflict (project, key) \
             do update set value = excluded.value, updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
    mysql: "insert into {application_metadata} (project, `key`, value, updated_at) values ($1, $2, $3, utc_timestamp(3)) \
            on duplicate key update value = values(value), updated_at = values(updated_at)",
};

/// A value of the application's metadata, and when it was set: project $1, key $2.
pub const METADATA_OF: Statement = Statement {
    postgres: "select value, to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') \
               from {application_metadata} where project = $1 and key = $2",
    sqlite: "select value, updated_at from {application_metadata} where project = $1 and key = $2",
    mysql: "select value, concat(left(date_format(updated_at, '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z') \
            from {application_metadata} where project = $1 and `key` = $2",
};

/// Forgets a value of the application's metadata: project $1, key $2.
pub const FORGET_METADATA: Statement = Statement {
    postgres: "delete from {application_metadata} where project = $1 and key = $2",
    sqlite: "delete from {application_metadata} where project = $1 and key = $2",
    mysql: "delete from {application_metadata} where project = $1 and `key` = $2",
};

/// Takes the rows of all changes away, those of seeds apart: project $1, the prefix of seeds with `%` behind it $2.
pub const DELETE_CHANGES: Statement =
    all("delete from {schema_migrations} where project = $1 and identity not like $2");
