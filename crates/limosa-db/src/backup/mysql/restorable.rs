//! Whether a dump can be restored here: all that can be known before anything is dropped.

use std::path::Path;

use limosa_sql::Engine;

use super::MysqlTools;
use super::dump_file::Contents;
use super::programs::shown;
use super::survey::{Kind, Survey};
use super::worth_knowing::account;
use crate::engines::mysql::Flavor;
use crate::{DbError, DbErrorKind};

/// Whether it is a whole dump of one database, for a server like this one.
pub(super) fn is_whole(contents: &Contents, from: &Path, tools: &MysqlTools<'_>) -> Result<(), DbError> {
    let shown_path = from.display();
    let refuse = |kind: DbErrorKind, message: String, hint: &str| Err(DbError::new(kind, message).hint(hint));
    let Some(maker) = contents.maker else {
        let message = format!("{shown_path} is no dump by mysqldump or mariadb-dump");
        return refuse(DbErrorKind::Statement, message, "check the path; unpack it where it is compressed");
    };
    if !contents.completed {
        let message = format!("{shown_path} is cut off: its last line does not say that the dump is complete");
        return refuse(DbErrorKind::Statement, message, "look for another backup");
    }
    if let Some(other) = &contents.other_database {
        let other = Engine::Mysql.quote_identifier(other);
        let message =
            format!("{shown_path} names a database itself, {other}: it would not be restored into this one alone");
        return refuse(DbErrorKind::Configuration, message, "run it with the client program by hand");
    }
    let (flavor, version) = contents.server.unwrap_or((maker, 0));
    if maker != tools.flavor || flavor != tools.flavor {
        let (theirs, ours) = (flavor.title(), tools.flavor.title());
        let message = format!("{shown_path} was made from a {theirs} server, and this one is {ours}");
        return refuse(
            DbErrorKind::Configuration,
            message,
            "run it with the client program by hand, once it is adapted",
        );
    }
    if version / 100 > tools.server_version / 100 {
        let message = format!(
            "{shown_path} was made from version {}, and this server has {}",
            shown(version),
            shown(tools.server_version)
        );
        return refuse(DbErrorKind::Configuration, message, "restore it into a server that is as new or newer");
    }
    Ok(())
}

/// Whether the server will take it from this user.
pub(super) fn fits(contents: &Contents, from: &Path, survey: &Survey, flavor: Flavor) -> Result<(), DbError> {
    let shown_path = from.display();
    if contents.longest >= survey.packet {
        let (longest, packet) = (contents.longest, survey.packet);
        let megabytes = (longest + 1).div_ceil(1 << 20);
        let message = format!(
            "a statement of {shown_path} has {longest} bytes, and the server takes less than {packet} (max_allowed_packet)"
        );
        return Err(DbError::new(DbErrorKind::Statement, message).hint(format!(
            "raise it, also in the server's option file: SET GLOBAL max_allowed_packet = {megabytes} * 1024 * 1024"
        )));
    }
    has_rights(contents, from, survey)?;
    takes_definers(contents, from, survey, flavor)?;
    takes_functions(contents, from, survey)
}

fn has_rights(contents: &Contents, from: &Path, survey: &Survey) -> Result<(), DbError> {
    let rights = &survey.rights;
    let stands = |kinds: &[Kind]| survey.of(kinds).next().is_some();
    let routines = [Kind::Function, Kind::Procedure, Kind::Package];
    let wanted = [
        ("CREATE", true),
        ("DROP", true),
        ("ALTER", true),
        ("INSERT", true),
        // Of a table that another one points to.
        ("REFERENCES", contents.has_foreign_keys),
        ("CREATE VIEW", contents.has_views),
        ("TRIGGER", contents.has_triggers),
        ("EVENT", contents.has_events || stands(&[Kind::Event])),
        ("CREATE ROUTINE", contents.has_routines),
        ("ALTER ROUTINE", contents.has_routines || stands(&routines)),
    ];
    let lacking: Vec<&str> =
        wanted.iter().filter(|(right, needed)| *needed && !rights.has(right)).map(|(right, _)| *right).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let (user, database) = (&survey.user, Engine::Mysql.quote_identifier(&survey.database));
    let lacking = lacking.join(", ");
    let message = format!("{user} lacks {lacking} on {database}.*, which restoring {} needs", from.display());
    let hint = format!("an administrator can allow it: GRANT {lacking} ON {database}.* TO {}", account(user));
    Err(DbError::new(DbErrorKind::PermissionDenied, message).hint(hint))
}

fn takes_definers(contents: &Contents, from: &Path, survey: &Survey, flavor: Flavor) -> Result<(), DbError> {
    let others: Vec<&str> =
        contents.definers.iter().map(String::as_str).filter(|definer| *definer != survey.user).collect();
    if others.is_empty() || survey.rights.sets_definers() {
        return Ok(());
    }
    let (user, others) = (&survey.user, others.join(", "));
    let right = match flavor {
        Flavor::MariaDb => "SET USER",
        Flavor::Mysql => "SET_ANY_DEFINER (before MySQL 8.2: SET_USER_ID)",
    };
    let message = format!(
        "{} holds views, triggers, events or routines of {others}, and {user} may not make objects for others",
        from.display()
    );
    let account = account(user);
    let hint = format!("an administrator can allow it, GRANT {right} ON *.* TO {account}, or restore it");
    Err(DbError::new(DbErrorKind::PermissionDenied, message).hint(hint))
}

/// With a binary log a server takes functions and triggers only from whom it trusts, and from nobody a function that does not
/// say what it does.
fn takes_functions(contents: &Contents, from: &Path, survey: &Survey) -> Result<(), DbError> {
    if !survey.guards_binary_log {
        return Ok(());
    }
    let what = if contents.has_undeclared_function {
        "a function that says neither DETERMINISTIC nor NO SQL nor READS SQL DATA"
    } else if (contents.has_functions || contents.has_triggers) && !survey.rights.has_everywhere("SUPER") {
        "functions or triggers, and the user is without SUPER"
    } else {
        return Ok(());
    };
    let message = format!("the server has a binary log and would refuse what {} holds: {what}", from.display());
    Err(DbError::new(DbErrorKind::PermissionDenied, message)
        .hint("an administrator can allow it: SET GLOBAL log_bin_trust_function_creators = 1"))
}
