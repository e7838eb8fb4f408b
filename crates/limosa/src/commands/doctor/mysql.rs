//! MySQL and MariaDB: which of them, what commits by itself, replicas and clusters, rights, limits, who can be seen.

use limosa_db::{DbErrorKind, Value};
use limosa_sql::Engine;

use super::{Checks, one};
use crate::Failure;
use crate::opened::Opened;

/// The oldest servers whose DDL is atomic: the whole statement took effect, or none of it.
const OLDEST_MARIADB: u32 = 100_600;
const OLDEST_MYSQL: u32 = 80_000;

/// Statements are files' whole statements: a server that takes less than this will refuse some.
const SMALL_PACKET: i64 = 16 * 1024 * 1024;

/// Modes that change where a text ends.
const READING: &[&str] = &["ANSI_QUOTES", "NO_BACKSLASH_ESCAPES"];

pub(super) async fn look(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let facts = opened.session.facts().clone();
    let mariadb = facts.version.to_ascii_lowercase().contains("mariadb");
    let oldest = if mariadb { OLDEST_MARIADB } else { OLDEST_MYSQL };
    if facts.version_number < oldest {
        checks.warn(
            "version",
            &facts.version,
            "a DDL statement of this server can be interrupted half-way; use MariaDB 10.6, MySQL 8.0, or newer",
        );
    }
    checks.note(
        "transactions",
        "DDL commits by itself here: limosa journals each such statement, and looks what became of it after a crash",
    );
    writable(opened, checks).await?;
    cluster(opened, checks).await?;
    settings(opened, checks).await?;
    rights(opened, checks).await?;
    engines(opened, checks).await?;
    visibility(opened, checks, mariadb).await?;
    long_transactions(opened, checks).await
}

async fn variable(opened: &mut Opened<'_>, name: &str) -> Result<Option<String>, Failure> {
    let rows = opened.session.query(&format!("show global variables like '{name}'"), &[]).await?;
    Ok(rows.first().and_then(|row| row.text(1)))
}

fn is_on(value: Option<&String>) -> bool {
    value.is_some_and(|value| ["ON", "1"].contains(&value.to_ascii_uppercase().as_str()))
}

async fn writable(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let mut closed = Vec::new();
    for name in ["read_only", "super_read_only", "innodb_read_only"] {
        if is_on(variable(opened, name).await?.as_ref()) {
            closed.push(name);
        }
    }
    match closed.is_empty() {
        true => checks.ok("writable", "the server takes writes"),
        false => checks.bad(
            "writable",
            format!("{} is on: this is a replica, or closed for writing", closed.join(" and ")),
            "use the address of the primary for migrations",
        ),
    }
    // Without the right to look (REPLICA MONITOR, REPLICATION CLIENT) nothing is known.
    if let Ok(rows) = opened.session.query("show slave status", &[]).await
        && !rows.is_empty()
    {
        checks.warn(
            "replica",
            "this server replicates from another",
            "migrate on the primary: it brings the change here",
        );
    }
    Ok(())
}

async fn cluster(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    if !is_on(variable(opened, "wsrep_on").await?.as_ref()) {
        return Ok(());
    }
    let ready = opened.session.query("show global status like 'wsrep_ready'", &[]).await?;
    let ready = ready.first().and_then(|row| row.text(1));
    match is_on(ready.as_ref()) {
        true => checks.warn(
            "cluster",
            "a Galera cluster: named locks hold on one node only",
            "let all runners use the same node; DDL blocks the whole cluster while it runs (wsrep_OSU_method = TOI)",
        ),
        false => {
            checks.bad("cluster", "this Galera node is not ready (wsrep_ready is off)", "use a node that is in sync")
        }
    }
    Ok(())
}

async fn settings(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let row = one(
        opened,
        "select @@max_allowed_packet, @@sql_mode, @@character_set_database, @@collation_database, \
         @@lock_wait_timeout, @@innodb_lock_wait_timeout",
        &[],
    )
    .await?;
    let packet = row.integer(0).unwrap_or(0);
    match packet < SMALL_PACKET {
        true => checks.warn(
            "max_allowed_packet",
            format!("{packet} bytes"),
            "a longer statement is refused; raise it on the server: SET GLOBAL max_allowed_packet = 67108864",
        ),
        false => checks.ok("max_allowed_packet", format!("{packet} bytes")),
    }
    let mode = row.text(1).unwrap_or_default();
    match mode.contains("STRICT_TRANS_TABLES") || mode.contains("STRICT_ALL_TABLES") {
        true => checks.ok("sql_mode", mode),
        false => checks.warn(
            "sql_mode",
            if mode.is_empty() { "empty".to_owned() } else { mode },
            "without a strict mode the server changes values that do not fit; add STRICT_TRANS_TABLES",
        ),
    }
    let reading: Vec<&str> =
        READING.iter().copied().filter(|name| row.text(1).unwrap_or_default().contains(name)).collect();
    if !reading.is_empty() {
        checks.note(
            "sql_mode",
            format!("{} changes how quotes are read, and limosa reads files so, too", reading.join(" and ")),
        );
    }
    let charset = row.text(2).unwrap_or_default();
    let collation = row.text(3).unwrap_or_default();
    match charset == "utf8mb4" {
        true => checks.ok("character set", format!("{charset}, {collation}")),
        false => checks.warn(
            "character set",
            format!("{charset}, {collation}: new tables cannot hold all of Unicode"),
            "ALTER DATABASE ... CHARACTER SET utf8mb4, or name the character set in each CREATE TABLE",
        ),
    }
    checks.note(
        "settings",
        format!(
            "lock_wait_timeout {} s, innodb_lock_wait_timeout {} s (limosa sets its own per step)",
            row.text(4).unwrap_or_default(),
            row.text(5).unwrap_or_default()
        ),
    );
    Ok(())
}

async fn rights(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let stands = opened.look().await;
    let help = "ask a database administrator to run: limosa init --print-ledger-sql";
    match stands {
        Err(failure) => {
            let why = failure.diagnostics.first().map(|problem| problem.message.clone()).unwrap_or_default();
            checks.bad("ledger rights", format!("the ledger cannot be read: {why}"), help);
        }
        Ok(view) => {
            let grants = opened.session.query("show grants", &[]).await?;
            let names = &opened.ledger.names;
            let wanted = if view.exists { "INSERT" } else { "CREATE" };
            let database = opened.target.database.clone();
            let table = names.table("schema_migrations");
            let granted =
                grants.iter().filter_map(|row| row.text(0)).any(|grant| gives(&grant, wanted, &database, &table));
            match (view.exists, granted) {
                (true, true) => checks.ok("ledger rights", "the ledger stands and can be written"),
                (false, true) => checks.ok("ledger rights", "the ledger can be made"),
                // Rights may come through a role or a pattern, which only the server can judge.
                (true, false) => checks.note("ledger rights", "no grant shows that the ledger can be written"),
                (false, false) => checks.note("ledger rights", "no grant shows that the ledger can be made"),
            }
        }
    }
    Ok(())
}

/// True where a line of SHOW GRANTS gives a right on everything, on the database, or on the table.
fn gives(grant: &str, right: &str, database: &str, table: &str) -> bool {
    let Some((rights, rest)) = grant.split_once(" ON ") else { return false };
    let place = rest.split(" TO ").next().unwrap_or_default();
    let names_right = rights.contains("ALL PRIVILEGES") || rights.split([' ', ',']).any(|word| word == right);
    let quoted = Engine::Mysql.quote_identifier(database);
    // In SHOW GRANTS an underscore of a database's name may be escaped, for it is a pattern there.
    let plain = place.replace("\\_", "_");
    names_right && (place == "*.*" || plain == format!("{quoted}.*") || plain == table)
}

/// Tables whose engine knows no transactions keep what a failed migration did to them.
async fn engines(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let tables = limosa_db::catalogue::tables_without_transactions(opened.session.as_mut()).await?;
    match tables.is_empty() {
        true => checks.ok("storage engines", "all tables know transactions"),
        false => checks.warn(
            "storage engines",
            format!("no transactions in {}", tables.join(", ")),
            "changes of rows there are not taken back when a migration fails; convert them: ALTER TABLE ... ENGINE = InnoDB",
        ),
    }
    Ok(())
}

async fn visibility(opened: &mut Opened<'_>, checks: &mut Checks, mariadb: bool) -> Result<(), Failure> {
    let schema = is_on(variable(opened, "performance_schema").await?.as_ref());
    let plugin = "select count(*) from information_schema.plugins where plugin_name = 'METADATA_LOCK_INFO' \
        and plugin_status = 'ACTIVE'";
    let plugin = one(opened, plugin, &[]).await?.integer(0).unwrap_or(0) > 0;
    match (schema || plugin, mariadb) {
        (true, _) => checks.ok("blockers", "who holds the lock of a table can be shown"),
        (false, true) => checks.note(
            "blockers",
            "who holds the lock of a table is hidden; to see it: INSTALL SONAME 'metadata_lock_info'",
        ),
        (false, false) => checks.note(
            "blockers",
            "who holds the lock of a table is hidden; to see it start the server with performance_schema = ON",
        ),
    }
    let user = opened.target.user.clone();
    let sees = opened.session.query("select count(*) from information_schema.innodb_trx", &[]).await;
    if sees.is_err_and(|error| error.kind == DbErrorKind::PermissionDenied) {
        let user = Engine::Mysql.quote_literal(&user);
        checks.note(
            "processes",
            format!("sessions of other users are hidden; to see them: GRANT PROCESS ON *.* TO {user}"),
        );
    }
    Ok(())
}

async fn long_transactions(opened: &mut Opened<'_>, checks: &mut Checks) -> Result<(), Failure> {
    let sql = "select t.trx_mysql_thread_id, p.user, p.command, timestampdiff(second, t.trx_started, now()) \
        from information_schema.innodb_trx t left join information_schema.processlist p on p.id = t.trx_mysql_thread_id \
        where t.trx_started < now() - interval $1 second and t.trx_mysql_thread_id <> connection_id() \
        order by t.trx_started limit 5";
    let rows = match opened.session.query(sql, &[Value::Integer(60)]).await {
        Ok(rows) => rows,
        Err(error) if error.kind == DbErrorKind::PermissionDenied => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if rows.is_empty() {
        checks.ok("old transactions", "none older than a minute");
    }
    for row in rows {
        let seen = format!(
            "connection {} of {}, {} for {} s",
            row.integer(0).unwrap_or(0),
            row.text(1).unwrap_or_else(|| "?".to_owned()),
            row.text(2).unwrap_or_else(|| "?".to_owned()),
            row.integer(3).unwrap_or(0)
        );
        checks.warn("old transaction", seen, "it may hold locks that DDL waits for; end it, or: KILL its number");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read() {
        let table = "`shop`.`limosa_schema_migrations`";
        for (grant, right, expected) in [
            ("GRANT ALL PRIVILEGES ON *.* TO `u`@`%` WITH GRANT OPTION", "CREATE", true),
            ("GRANT SELECT, INSERT ON `shop`.* TO `u`@`%`", "INSERT", true),
            ("GRANT SELECT, INSERT ON `shop`.* TO `u`@`%`", "CREATE", false),
            ("GRANT INSERT ON `shop`.`limosa_schema_migrations` TO `u`@`%`", "INSERT", true),
            ("GRANT INSERT ON `other`.* TO `u`@`%`", "INSERT", false),
            ("GRANT USAGE ON *.* TO `u`@`%`", "INSERT", false),
            ("GRANT `clerk` TO `u`@`%`", "INSERT", false),
        ] {
            assert_eq!(gives(grant, right, "shop", table), expected, "{grant}");
        }
        assert!(gives("GRANT CREATE ON `my\\_shop`.* TO `u`@`%`", "CREATE", "my_shop", table));
    }
}
