//! What a client program's last words mean.

use crate::backup::tool::Ended;
use crate::engines::mysql::kind;
use crate::{DbError, DbErrorKind};

/// How a program ended, as an error where it failed.
///
/// # Errors
/// What went wrong.
pub(super) fn success(ended: &Ended) -> Result<(), DbError> {
    match &ended.status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let by_signal = status.code().is_none();
            Err(failure(&format!("{} failed ({status})", ended.name), &ended.complaint, by_signal))
        }
        Err(error) => Err(DbError::new(DbErrorKind::Resources, format!("{} was lost: {error}", ended.name))),
    }
}

fn failure(message: &str, complaint: &str, by_signal: bool) -> DbError {
    let words = own_words(complaint);
    let says = |text: &str| words.contains(text);
    let number = number_in(&words);
    let kind = match number {
        _ if says("errno 28") || says("errno: 28") || says("No space left") => DbErrorKind::Resources,
        _ if says("errno 27") || says("errno: 27") || says("File too large") => DbErrorKind::Resources,
        Some(2002 | 2003 | 2005 | 2012 | 2026) => DbErrorKind::CannotConnect,
        Some(2006 | 2013 | 2055) => DbErrorKind::ConnectionLost,
        Some(2059 | 2061) => DbErrorKind::Authentication,
        Some(number) => kind(number, None, &words),
        None if says("insufficient privileges") => DbErrorKind::PermissionDenied,
        None if by_signal => DbErrorKind::Cancelled,
        None => DbErrorKind::Statement,
    };
    let hint = match (kind, number) {
        (DbErrorKind::Resources, None) => "free some space on the disk of the backup",
        (DbErrorKind::Resources, _) => "make room on the server's disk, for its data and its temporary files",
        (_, Some(2026)) => {
            "the server's own programs check the name in the certificate too, and take the system's certificates where \
             ssl-ca names none"
        }
        (_, Some(2020 | 1153)) => "raise max_allowed_packet at the server: SET GLOBAL max_allowed_packet = 1073741824",
        (_, Some(1356)) => "mend the view or drop it: what it refers to is gone, or hidden from its definer",
        (DbErrorKind::CannotConnect, _) => "check that the server runs and can be reached from here",
        (DbErrorKind::ConnectionLost, _) => "look at the server, then run it again",
        (DbErrorKind::Authentication, _) => "check user and password",
        (DbErrorKind::PermissionDenied, None) => {
            "the texts of other users' routines are hidden: GRANT SELECT ON mysql.proc (MariaDB), or GRANT SHOW_ROUTINE ON *.* (MySQL)"
        }
        (DbErrorKind::PermissionDenied, _) => "ask for the right that is named, or use another user",
        (DbErrorKind::LockTimeout, _) => "end the other sessions that use the database, or wait longer",
        (DbErrorKind::DatabaseMissing, _) => "check the name, or make the database",
        (DbErrorKind::Cancelled, _) => "it was interrupted",
        (DbErrorKind::ReadOnly, _) => "use the address of the primary",
        _ => "see what the program says",
    };
    let mut error = DbError::new(kind, message).hint(hint);
    error.code = number.map(|number| number.to_string());
    if !words.is_empty() {
        error.detail = Some(words);
    }
    error
}

/// The line of its input at which the client stopped: `ERROR 1062 (23000) at line 7: ...`.
pub(super) fn line_of(complaint: &str) -> Option<u64> {
    let rest = complaint.lines().rev().find_map(|line| line.strip_prefix("ERROR ")?.split_once(" at line "))?.1;
    rest.split_once(':')?.0.parse().ok()
}

/// What the program itself says. MariaDB's client repeats the statement, with the user's data in it, before its error.
fn own_words(complaint: &str) -> String {
    let own = |line: &&str| {
        let speaker = line.split(": ").next().unwrap_or_default();
        let name = speaker.rsplit('/').next().unwrap_or_default();
        line.starts_with("ERROR ") || ["mariadb", "mysql"].iter().any(|start| name.starts_with(start))
    };
    let mut lines: Vec<&str> = complaint.lines().filter(own).collect();
    // The last words count, whatever they are.
    if lines.is_empty() {
        lines.extend(complaint.lines().next_back());
    }
    lines.join("\n")
}

/// The number of the error: `ERROR 1045 (28000)`, `Got error: 1045: `, `Error 2020: `, or `... (1142)` at the end of a line.
fn number_in(words: &str) -> Option<u16> {
    let digits = |text: &str| {
        let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        text[..end].parse().ok()
    };
    let line = words.lines().next_back()?;
    let before = ["ERROR ", "Got error: ", "Error: ", "Error "];
    let leading = before.iter().find_map(|before| digits(line.split_once(before)?.1));
    leading.or_else(|| digits(line.strip_suffix(')')?.rsplit_once('(')?.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_kinds() {
        for (complaint, code, expected) in [
            (
                "mariadb-dump: Got error: 1045: \"Access denied for user 'u'@'localhost' (using password: YES)\" when trying to connect",
                Some("1045"),
                DbErrorKind::Authentication,
            ),
            ("ERROR 1045 (28000): Access denied for user 'u'@'localhost'", Some("1045"), DbErrorKind::Authentication),
            (
                "ERROR 2002 (HY000): Can't connect to local server through socket '/x' (2)",
                Some("2002"),
                DbErrorKind::CannotConnect,
            ),
            (
                "ERROR 2013 (HY000) at line 3: Lost connection to server during query",
                Some("2013"),
                DbErrorKind::ConnectionLost,
            ),
            (
                "mariadb-dump: Couldn't execute 'show create table `v`': SHOW VIEW command denied to user 'r'@'localhost' (1142)",
                Some("1142"),
                DbErrorKind::PermissionDenied,
            ),
            (
                "mysqldump: Error 2020: Got packet bigger than 'max_allowed_packet' bytes when dumping table `t`",
                Some("2020"),
                DbErrorKind::Statement,
            ),
            (
                "ERROR 1205 (HY000) at line 2: Lock wait timeout exceeded; try restarting transaction",
                Some("1205"),
                DbErrorKind::LockTimeout,
            ),
            ("mariadb-dump: Got errno 28 on write", None, DbErrorKind::Resources),
            ("ERROR 1114 (HY000) at line 9: The table 't' is full", Some("1114"), DbErrorKind::Resources),
            ("ERROR 1317 (70100) at line 9: Query execution was interrupted", Some("1317"), DbErrorKind::Cancelled),
            ("mysqldump: [ERROR] unknown variable 'x=y'.", None, DbErrorKind::Statement),
            (
                "mariadb-dump: r has insufficient privileges to SHOW CREATE FUNCTION `agg`!",
                None,
                DbErrorKind::PermissionDenied,
            ),
        ] {
            let error = failure("it failed", complaint, false);
            assert_eq!((error.code.as_deref(), error.kind), (code, expected), "{complaint}");
            assert!(error.hint.is_some());
        }
        assert_eq!(failure("it failed", "", true).kind, DbErrorKind::Cancelled);
    }

    #[test]
    fn data_of_the_user_is_not_repeated() {
        let complaint = "--------------\nINSERT INTO `t` VALUES\n(1,'secret')\n--------------\n\n\
             ERROR 1062 (23000) at line 57: Duplicate entry '1' for key 'PRIMARY'";
        let error = failure("it failed", complaint, false);
        assert_eq!(
            error.detail.as_deref(),
            Some("ERROR 1062 (23000) at line 57: Duplicate entry '1' for key 'PRIMARY'")
        );
        assert_eq!(line_of(complaint), Some(57));
        assert_eq!(line_of("ERROR 1045 (28000): Access denied"), None);
    }
}
