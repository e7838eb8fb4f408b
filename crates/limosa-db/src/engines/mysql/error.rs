//! The server's errors in limosa's words, and ours about the connection.

use std::io;

use super::place;
use super::reply::ServerError;
use crate::{DbError, DbErrorKind};

/// What the server says about a statement that was sent.
pub(super) fn of_statement(said: ServerError, sql: &str) -> DbError {
    let number = said.number;
    let mut error = of_server(said);
    let Some(near) = place::near(&error.message) else {
        error.position = place::named(number, &error.message, sql);
        return error;
    };
    error.position = near.find(sql);
    let words = (number == SYNTAX).then(|| near.in_words());
    error.message = words.unwrap_or(error.message);
    error
}

/// What the server says about one of several statements of a message, as it would say it of the statement alone: a syntax
/// error quotes what stands `behind` the statement, too.
pub(super) fn of_joined(mut said: ServerError, sql: &str, behind: &str) -> DbError {
    if let Some(quoted) = place::near(&said.message).and_then(|near| near.within(sql, behind)) {
        said.message = quoted;
    }
    of_statement(said, sql)
}

/// What the server says, without a text of ours.
pub(super) fn of_server(said: ServerError) -> DbError {
    let ServerError { number, state, message } = said;
    let kind = kind(number, state.as_deref(), &message);
    let code = match state {
        Some(state) => format!("{number} ({state})"),
        None => number.to_string(),
    };
    DbError { kind, code: Some(code), hint: hint(number, &message), message, ..DbError::default() }
}

/// The number of a syntax error.
const SYNTAX: u16 = 1064;

/// A command that the server would not take, told before it is sent: the server would close the connection.
pub(super) fn too_long(length: usize, longest: usize) -> DbError {
    let message =
        format!("the statement has {length} bytes, and the server takes less than {longest} (max_allowed_packet)");
    let megabytes = (length + 2).div_ceil(1 << 20);
    DbError::new(DbErrorKind::Statement, message).hint(format!(
        "split the statement, or raise the limit: SET GLOBAL max_allowed_packet = {megabytes} * 1024 * 1024, also in the \
         server's option file, under [mysqld] max_allowed_packet={megabytes}M; it holds for new sessions, and goes up to 1G"
    ))
}

/// The connection broke.
pub(super) fn broken(failure: &io::Error) -> DbError {
    let message = match failure.kind() {
        io::ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
        _ => format!("the connection to the server broke: {failure}"),
    };
    DbError::new(DbErrorKind::ConnectionLost, message)
}

/// An error after which there is no session any more.
pub(super) fn lost(mut error: DbError) -> DbError {
    error.kind = DbErrorKind::ConnectionLost;
    error
}

/// A statement that ended the transaction that it ran in, and succeeded.
pub(super) fn committed_by_itself() -> DbError {
    DbError::new(DbErrorKind::ImplicitCommit, "the statement ended the transaction that it ran in").hint(
        "this statement committed by itself; what came before it in this file stands, and so does the statement. \
         Put it into a file of its own, or run the file without a transaction",
    )
}

/// How a statement that failed ended the transaction that it ran in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It had committed what came before it.
    Committed,
    /// The server rolled all of it back.
    RolledBack,
    /// Either.
    Unknown,
}

/// How the transaction ended that is no longer open after an error. `rolls_back_on_timeout` is the server's setting
/// `innodb_rollback_on_timeout`.
pub(super) fn ending(verb: &str, error: &DbError, rolls_back_on_timeout: bool) -> Ending {
    let rolls_back = match error.kind {
        DbErrorKind::Deadlock | DbErrorKind::Serialization => true,
        DbErrorKind::LockTimeout => rolls_back_on_timeout,
        // The lock table is full.
        _ => error.code.as_ref().is_some_and(|code| code.starts_with("1206 ")),
    };
    let is = |verbs: &[&str]| verbs.iter().any(|other| verb.eq_ignore_ascii_case(other));
    if !rolls_back {
        Ending::Committed
    } else if is(&["insert", "update", "delete", "replace", "select", "load", "with", "values", "do"]) {
        Ending::RolledBack
    } else if is(&["call", "execute", "begin"]) {
        Ending::Unknown
    } else {
        // DDL commits before it waits for its table.
        Ending::Committed
    }
}

/// The error of a statement that failed and had ended the transaction that it ran in.
pub(super) fn with_ending(mut error: DbError, ending: Ending) -> DbError {
    let hint = match ending {
        Ending::RolledBack => return error,
        Ending::Committed => "this statement committed by itself; what came before it in this file stands",
        Ending::Unknown => {
            "this statement ended the transaction by itself, and not even the server says how: look whether what came \
             before it in this file stands"
        }
    };
    error.kind = DbErrorKind::ImplicitCommit;
    error.hint = Some(match error.hint {
        Some(more) => format!("{hint}; {more}"),
        None => hint.to_owned(),
    });
    error
}

/// True where the server closes the connection behind the error: shutdown, KILL, a packet it cannot take, a time-out.
pub(super) fn ends_session(number: u16) -> bool {
    matches!(number, 1053 | 1077 | 1079 | 1152 | 1153 | 1156..=1161 | 1927 | 3169 | 4031)
}

/// Number to kind. MySQL documentation, "Server Error Message Reference"; MariaDB documentation, "MariaDB Error Codes".
pub(crate) fn kind(number: u16, state: Option<&str>, message: &str) -> DbErrorKind {
    match number {
        1205 | 3572 => DbErrorKind::LockTimeout,
        1213 | 1614 | 3058 => DbErrorKind::Deadlock,
        // Another transaction changed the row (MariaDB's innodb_snapshot_isolation), or a cluster refused the commit.
        1020 | 3101 => DbErrorKind::Serialization,
        // KILL QUERY, max_statement_time, max_execution_time, and an aborted sort.
        1317 | 1969 | 3024 | 1028 => DbErrorKind::Cancelled,
        _ if ends_session(number) => DbErrorKind::ConnectionLost,
        1045 | 1251 | 1275 | 1698 | 1820 | 1862 | 3118 | 3955 | 4151 => DbErrorKind::Authentication,
        1049 => DbErrorKind::DatabaseMissing,
        1044 | 1095 | 1130 | 1142 | 1143 | 1227 | 1370 | 1410 => DbErrorKind::PermissionDenied,
        1290 if message.contains("read-only") || message.contains("read_only") => DbErrorKind::ReadOnly,
        1036 | 1792 | 1836 | 1874 => DbErrorKind::ReadOnly,
        3 | 28 | 1021 | 1026 | 1037 | 1038 | 1041 | 1114 | 1135 | 1203 | 1206 | 1226 => DbErrorKind::Resources,
        // "Got error 28 ..." of a storage engine.
        1030 if message.contains("error 28 ") || message.contains("No space left") => DbErrorKind::Resources,
        1051 | 1146 => DbErrorKind::UndefinedTable,
        1007 | 1050 | 1060 | 1061 | 1125 | 1304 | 1359 | 1517 | 1537 | 1826 | 3822 => DbErrorKind::Duplicate,
        // "Can't create table" because a constraint of this name exists.
        1005 if message.contains("errno: 121") => DbErrorKind::Duplicate,
        1048 | 1263 | 1364 => DbErrorKind::NotNull,
        1365 => DbErrorKind::DivisionByZero,
        _ if state == Some("40001") => DbErrorKind::Serialization,
        _ => DbErrorKind::Statement,
    }
}

/// The next step, where the server says too little.
fn hint(number: u16, message: &str) -> Option<String> {
    let text = match number {
        1153 => {
            "split the statement, or raise max_allowed_packet at the server: SET GLOBAL max_allowed_packet, and its option file"
        }
        1290 if message.contains("read-only") || message.contains("read_only") => {
            "the server only replicates: use the address of its primary"
        }
        1114 | 1021 | 28 => "make room on the server's disk, for its data and its temporary files; then run it again",
        1206 => {
            "the transaction holds more locks than fit into memory: change fewer rows at a time, or raise innodb_buffer_pool_size"
        }
        1820 | 1862 => "log in with the mysql client and set a new password: ALTER USER USER() IDENTIFIED BY '...'",
        1418 | 1419 => {
            "declare the routine DETERMINISTIC, NO SQL or READS SQL DATA, or have an administrator set \
             log_bin_trust_function_creators=1"
        }
        1148 | 3948 | 4166 => {
            "limosa lets no server read files of this machine: load the rows with INSERT statements, or with LOAD DATA INFILE \
             (without LOCAL) from a file of the server's"
        }
        1399 => "a script left an XA transaction open: end it with XA END and XA ROLLBACK, or begin a new session",
        1969 => "max_statement_time of the user, the session or the server ended it",
        3024 => "max_execution_time of the session or the server ended it",
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_transaction_ended() {
        let error = |kind, code: &str| DbError { kind, code: Some(code.to_owned()), ..DbError::default() };
        let timeout = error(DbErrorKind::LockTimeout, "1205 (HY000)");
        let deadlock = error(DbErrorKind::Deadlock, "1213 (40001)");
        let full = error(DbErrorKind::Resources, "1206 (HY000)");
        let other = error(DbErrorKind::Duplicate, "1050 (42S01)");
        for (verb, error, on_timeout, expected) in [
            ("create", &other, true, Ending::Committed),
            ("call", &other, true, Ending::Committed),
            ("UPDATE", &timeout, true, Ending::RolledBack),
            ("update", &timeout, false, Ending::Committed),
            ("alter", &timeout, false, Ending::Committed),
            ("alter", &timeout, true, Ending::Committed),
            ("insert", &deadlock, false, Ending::RolledBack),
            ("alter", &deadlock, false, Ending::Committed),
            ("call", &deadlock, false, Ending::Unknown),
            ("delete", &full, false, Ending::RolledBack),
        ] {
            assert_eq!(ending(verb, error, on_timeout), expected, "{verb} {error:?}");
        }
        let told = with_ending(deadlock.clone(), Ending::Unknown);
        assert_eq!(told.kind, DbErrorKind::ImplicitCommit);
        assert!(!told.is_transient());
        assert_eq!(with_ending(deadlock.clone(), Ending::RolledBack), deadlock);
    }

    #[test]
    fn numbers_have_their_kinds() {
        let read_only = "The MariaDB server is running with the --read-only option so it cannot execute this statement";
        let other =
            "The MySQL server is running with the --secure-file-priv option so it cannot execute this statement";
        for (number, state, message, expected) in [
            (1205, "HY000", "", DbErrorKind::LockTimeout),
            (3572, "HY000", "", DbErrorKind::LockTimeout),
            (1213, "40001", "", DbErrorKind::Deadlock),
            (1317, "70100", "", DbErrorKind::Cancelled),
            (1969, "70100", "", DbErrorKind::Cancelled),
            (3024, "HY000", "", DbErrorKind::Cancelled),
            (1053, "08S01", "", DbErrorKind::ConnectionLost),
            (1927, "70100", "", DbErrorKind::ConnectionLost),
            (4031, "HY000", "", DbErrorKind::ConnectionLost),
            (1045, "28000", "", DbErrorKind::Authentication),
            (1698, "28000", "", DbErrorKind::Authentication),
            (1049, "42000", "", DbErrorKind::DatabaseMissing),
            (1044, "42000", "", DbErrorKind::PermissionDenied),
            (1142, "42000", "", DbErrorKind::PermissionDenied),
            (1227, "42000", "", DbErrorKind::PermissionDenied),
            (1370, "42000", "", DbErrorKind::PermissionDenied),
            (1290, "HY000", read_only, DbErrorKind::ReadOnly),
            (1290, "HY000", other, DbErrorKind::Statement),
            (1792, "25006", "", DbErrorKind::ReadOnly),
            (1836, "HY000", "", DbErrorKind::ReadOnly),
            (1114, "HY000", "", DbErrorKind::Resources),
            (1021, "HY000", "", DbErrorKind::Resources),
            (1030, "HY000", "Got error 28 \"No space left on device\" from storage engine", DbErrorKind::Resources),
            (1030, "HY000", "Got error 121 from storage engine", DbErrorKind::Statement),
            (1146, "42S02", "", DbErrorKind::UndefinedTable),
            (1050, "42S01", "", DbErrorKind::Duplicate),
            (1061, "42000", "", DbErrorKind::Duplicate),
            (1060, "42S21", "", DbErrorKind::Duplicate),
            (1005, "HY000", "Can't create table (errno: 121 \"Duplicate key\")", DbErrorKind::Duplicate),
            (1005, "HY000", "Can't create table (errno: 150)", DbErrorKind::Statement),
            (1062, "23000", "", DbErrorKind::Statement),
            (1048, "23000", "", DbErrorKind::NotNull),
            (1364, "HY000", "", DbErrorKind::NotNull),
            (1365, "22012", "", DbErrorKind::DivisionByZero),
            (1064, "42000", "", DbErrorKind::Statement),
            (1644, "45000", "", DbErrorKind::Statement),
            (1180, "40001", "", DbErrorKind::Serialization),
        ] {
            assert_eq!(kind(number, Some(state), message), expected, "{number}");
        }
    }
}
