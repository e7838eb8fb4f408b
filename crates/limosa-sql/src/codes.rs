//! The codes of everything that can be wrong with the text of a script.

/// A byte sequence is not UTF-8.
pub const NOT_UTF8: &str = "LIM-S001";
/// The file is UTF-16 or UTF-32.
pub const WIDE_ENCODING: &str = "LIM-S002";
/// A NUL byte stands in the script.
pub const NUL_BYTE: &str = "LIM-S003";
/// The file is an archive, a compressed file or a database, not a script.
pub const NOT_A_SCRIPT: &str = "LIM-S004";
/// A string constant is never closed.
pub const OPEN_STRING: &str = "LIM-S005";
/// A quoted identifier is never closed.
pub const OPEN_IDENTIFIER: &str = "LIM-S006";
/// A dollar-quoted string is never closed.
pub const OPEN_DOLLAR_QUOTE: &str = "LIM-S007";
/// A block comment is never closed.
pub const OPEN_COMMENT: &str = "LIM-S008";
/// A parenthesis is never closed.
pub const OPEN_PARENTHESIS: &str = "LIM-S009";
/// The body of a routine or trigger is never closed.
pub const OPEN_BODY: &str = "LIM-S010";
/// The data after `COPY ... FROM stdin` has no end.
pub const OPEN_COPY_DATA: &str = "LIM-S011";
/// Something stands between `COPY ... FROM stdin;` and the end of its line.
pub const TEXT_BEFORE_COPY_DATA: &str = "LIM-S012";
/// A meta-command of psql that a migration cannot hold.
pub const PSQL_COMMAND: &str = "LIM-S013";
/// A backslash outside strings that begins no meta-command, or `\.` without COPY.
pub const STRAY_BACKSLASH: &str = "LIM-S014";
/// A dot-command of the sqlite3 shell.
pub const SQLITE_COMMAND: &str = "LIM-S015";
/// One statement is larger than any server accepts.
pub const STATEMENT_TOO_LARGE: &str = "LIM-S016";
/// A byte-order mark stands inside the script.
pub const INNER_BYTE_ORDER_MARK: &str = "LIM-S017";
/// A lone carriage return would make a comment swallow SQL on SQLite.
pub const COMMENT_SWALLOWS: &str = "LIM-S018";
/// A command of the mysql client that a migration cannot hold.
pub const MYSQL_COMMAND: &str = "LIM-S019";
/// A DELIMITER command that cannot be followed.
pub const BAD_DELIMITER: &str = "LIM-S020";
/// A stored program whose end only a DELIMITER shows.
pub const NEEDS_DELIMITER: &str = "LIM-S021";
/// LOAD DATA LOCAL, which reads a file of the client's machine.
pub const LOCAL_FILE: &str = "LIM-S022";
/// `autocommit` is set together with other things.
pub const AUTOCOMMIT_WITH_OTHERS: &str = "LIM-S023";

/// All codes with their meaning, in order.
pub const TABLE: &[(&str, &str)] = &[
    (NOT_UTF8, "a byte sequence is not UTF-8"),
    (WIDE_ENCODING, "the file is UTF-16 or UTF-32 instead of UTF-8"),
    (NUL_BYTE, "a NUL byte stands in the script"),
    (NOT_A_SCRIPT, "the file is an archive, a compressed file or a database, not a script"),
    (OPEN_STRING, "a string constant is never closed"),
    (OPEN_IDENTIFIER, "a quoted identifier is never closed"),
    (OPEN_DOLLAR_QUOTE, "a dollar-quoted string is never closed"),
    (OPEN_COMMENT, "a block comment is never closed (PostgreSQL, MySQL)"),
    (OPEN_PARENTHESIS, "a parenthesis is never closed (PostgreSQL)"),
    (
        OPEN_BODY,
        "the body of a routine (BEGIN ATOMIC), of an SQLite trigger or of a stored program of MySQL is never closed",
    ),
    (OPEN_COPY_DATA, "the data after COPY ... FROM stdin does not end with a line that holds only \\."),
    (TEXT_BEFORE_COPY_DATA, "something stands between COPY ... FROM stdin; and the end of its line"),
    (PSQL_COMMAND, "a psql meta-command that a migration cannot hold"),
    (STRAY_BACKSLASH, "a backslash outside strings that begins no meta-command, or \\. without COPY"),
    (SQLITE_COMMAND, "a dot-command of the sqlite3 shell"),
    (STATEMENT_TOO_LARGE, "one statement is larger than any server accepts"),
    (INNER_BYTE_ORDER_MARK, "a byte-order mark stands inside the script, as after joining files"),
    (COMMENT_SWALLOWS, "a lone carriage return makes a comment swallow what follows (SQLite, MySQL)"),
    (MYSQL_COMMAND, "a command of the mysql client that a migration cannot hold"),
    (BAD_DELIMITER, "a DELIMITER command that cannot be followed"),
    (NEEDS_DELIMITER, "a stored program whose end only a DELIMITER shows (packages, Oracle's language)"),
    (LOCAL_FILE, "LOAD DATA LOCAL reads a file of the client's machine"),
    (AUTOCOMMIT_WITH_OTHERS, "autocommit is set together with other things"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_numbered_without_gaps() {
        for (index, (code, meaning)) in TABLE.iter().enumerate() {
            assert_eq!(*code, format!("LIM-S{:03}", index + 1));
            assert!(!meaning.is_empty());
        }
    }
}
