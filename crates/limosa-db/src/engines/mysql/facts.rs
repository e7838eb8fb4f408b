//! What is asked and set right after logging in.

use limosa_sql::{Dialect, Engine};

use super::statements;
use super::wire::{Failure, Wire};
use crate::{ConnectOptions, DbError, DbErrorKind, ServerFacts};

/// SQL that gives the second in which the server started, as [`ServerFacts::backend`] holds it behind the session's number.
/// Both parts of the difference belong to the statement's own time, so that it is the same each time.
const MARIADB_START: &str = "(unix_timestamp() - (select variable_value from information_schema.global_status \
     where variable_name = 'UPTIME'))";
const MYSQL_START: &str = "(unix_timestamp() - (select variable_value from performance_schema.global_status \
     where variable_name = 'Uptime'))";

/// Seconds that a session may be idle, at least. Servers that are set to a minute would end the session while a person reads
/// a question.
const IDLE: u64 = 28_800;

/// What was learnt.
pub(super) struct Learnt {
    pub(super) facts: ServerFacts,
    /// The server's number for the session.
    pub(super) connection: u64,
    /// Bytes of the longest command.
    pub(super) longest: usize,
    /// The server's `innodb_rollback_on_timeout`.
    pub(super) rolls_back_on_timeout: bool,
}

/// True where the server is MariaDB, by the version that it calls itself.
fn is_mariadb(version: &str) -> bool {
    version.to_ascii_lowercase().contains("mariadb")
}

/// SQL that names a session among those of the server, for a row of `information_schema.processlist` (`id`); its value is
/// what [`ServerFacts::backend`] holds.
pub fn backend_identity(facts: &ServerFacts) -> String {
    let start = if facts.is_mariadb() { MARIADB_START } else { MYSQL_START };
    format!("concat(id, ':', cast({start} as signed))")
}

/// Asks for the facts and makes the session what limosa needs.
pub(super) async fn learn(
    wire: &mut Wire,
    greeted: u32,
    greeting: &str,
    options: &ConnectOptions,
    host: String,
) -> Result<Learnt, DbError> {
    let mariadb = is_mariadb(greeting);
    let row = ask(wire, mariadb).await?;
    let version = row.text(0).unwrap_or_default();
    let version_number = version_number(&version);
    let database = row.text(1).unwrap_or_default();
    let connection = row.integer(3).and_then(|number| u64::try_from(number).ok()).unwrap_or_default();
    let on = |column: usize| {
        row.text(column).is_some_and(|text| !matches!(text.to_ascii_uppercase().as_str(), "" | "0" | "OFF" | "NO"))
    };
    let facts = ServerFacts {
        dialect: Dialect::mysql(&row.text(10).unwrap_or_default()),
        version_number,
        database,
        host,
        user: row.text(2).unwrap_or_default(),
        // A node of a Galera cluster that is not ready takes no statements at all.
        read_only: options.read_only || on(5) || on(6) || on(7) || row.text(11).is_some_and(|ready| ready == "OFF"),
        // A proxy greets with a number of its own.
        pooled: options.pooled.unwrap_or(connection & u64::from(u32::MAX) != u64::from(greeted)),
        backend: Some(format!("{connection}:{}", row.integer(4).unwrap_or_default())),
        search_path: None,
        current_schema: None,
        settings: Vec::new(),
        version,
    };
    let rolls_back_on_timeout = on(12);
    set(wire, options, row.integer(9).unwrap_or_default()).await?;
    Ok(Learnt {
        rolls_back_on_timeout,
        facts,
        connection,
        longest: row.integer(8).and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(1 << 24),
    })
}

async fn ask(wire: &mut Wire, mariadb: bool) -> Result<crate::Row, DbError> {
    // Both have variables that the other does not know.
    let (start, super_read_only, ready) = if mariadb {
        let ready = "(select variable_value from information_schema.global_status where variable_name = 'WSREP_READY' \
             and @@global.wsrep_on)";
        (MARIADB_START, "0", ready)
    } else {
        (MYSQL_START, "@@global.super_read_only", "null")
    };
    let full = |ready: &str| {
        format!(
            "select version(), database(), current_user(), connection_id(), cast({start} as signed), \
             @@global.read_only, {super_read_only}, @@global.innodb_read_only, @@session.max_allowed_packet, \
             @@session.wait_timeout, @@session.sql_mode, {ready}, @@global.innodb_rollback_on_timeout"
        )
    };
    let answer = match statements::text(wire, &full(ready)).await {
        // A server that was built without Galera does not know its variables.
        Err(Failure::Server(_)) => statements::text(wire, &full("null")).await,
        other => other,
    };
    answer
        .map_err(Failure::into_error)?
        .rows
        .pop()
        .ok_or_else(|| DbError::new(DbErrorKind::ConnectionLost, "the server did not say what it is"))
}

/// Names in UTF-8, each statement its own transaction, time for a person to think, and reading only or a role where the
/// options ask for it. `sql_mode` stays as it is: the scripts of users expect it.
async fn set(wire: &mut Wire, options: &ConnectOptions, idle: i64) -> Result<(), DbError> {
    let mut sql = "set names utf8mb4, autocommit = 1".to_owned();
    if u64::try_from(idle).is_ok_and(|idle| idle < IDLE) {
        sql.push_str(&format!(", session wait_timeout = {IDLE}"));
    }
    wire.command(sql).await?;
    if let Some(role) = &options.role {
        wire.command(format!("set role {}", Engine::Mysql.quote_identifier(role))).await?;
    }
    if options.read_only {
        wire.command("set session transaction read only").await?;
    }
    Ok(())
}

/// 101119 for 10.11.19, 80036 for 8.0.36.
fn version_number(version: &str) -> u32 {
    // MariaDB calls itself 5.5.5-10.11.19-MariaDB towards old replicas.
    let version = version.strip_prefix("5.5.5-").unwrap_or(version);
    let mut numbers =
        version.split(|letter: char| !letter.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0).min(9_999);
    next() * 10_000 + next() * 100 + next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        for (version, number, mariadb) in [
            ("10.11.19-MariaDB-0+deb12u1", 101_119, true),
            ("5.5.5-10.6.22-MariaDB-log", 100_622, true),
            ("11.4.8-MariaDB-ubu2404", 110_408, true),
            ("8.0.36", 80_036, false),
            ("8.4.6-0ubuntu0.1", 80_406, false),
            ("9.4.0", 90_400, false),
            ("", 0, false),
        ] {
            assert_eq!((version_number(version), is_mariadb(version)), (number, mariadb), "{version}");
        }
    }
}
