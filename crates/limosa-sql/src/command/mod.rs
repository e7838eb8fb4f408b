//! Commands of the psql, sqlite3 and mysql shells: no server knows them, so a migration cannot hold them.

mod mysql;
mod psql;

pub(crate) use mysql::{DelimiterFault, instead_of_mysql, is_mysql_command, mysql_name, new_delimiter};
pub(crate) use psql::is_idle;

/// What to use instead of a psql meta-command; `name` is without its backslash.
pub(crate) fn instead_of_psql(name: &str) -> String {
    let known = match name.trim_end_matches('+') {
        "i" | "include" | "ir" | "include_relative" => {
            "put that SQL into a migration of its own, or into a repeatable one (R__name.sql)"
        }
        "copy" => "use COPY ... FROM stdin with the rows in this file",
        "set" | "unset" | "getenv" | "prompt" => {
            "use a placeholder: ${name}, with its value in limosa.toml or --placeholder"
        }
        "gset" => "use a placeholder ${name}, or a DO block that keeps the result in a variable",
        "c" | "connect" => "a migration runs in one database: choose it with --database or an environment",
        "g" | "gx" => "end the statement with ; instead",
        "gexec" => "use a DO block that runs the statements with EXECUTE",
        "watch" => "remove it: a migration runs each statement once",
        "if" | "elif" | "else" | "endif" => {
            "use IF in a DO block, or the headers Engines and Environments of the migration"
        }
        "echo" | "qecho" | "warn" => "remove it, or use RAISE NOTICE in a DO block",
        "!" | "setenv" | "cd" | "o" | "out" | "w" | "write" | "s" => {
            "remove it: a migration never runs programs and never writes files"
        }
        "encoding" => "remove it: migration files are UTF-8",
        "password" => "use ALTER ROLE ... PASSWORD with a placeholder that is a secret",
        "lo_import" | "lo_export" | "lo_list" | "lo_unlink" => {
            "use the server functions for large objects (lo_from_bytea)"
        }
        "bind" | "bind_named" | "parse" | "close" | "close_prepared" => "write the values into the statement",
        "q" | "quit" => "remove it: a migration ends at the end of its file",
        ";" => "write ; without the backslash",
        "timing" | "pset" | "x" | "a" | "t" | "H" | "html" | "C" | "T" | "f" | "errverbose" | "conninfo"
        | "copyright" | "h" | "help" | "?" | "e" | "edit" | "ef" | "ev" | "p" | "print" | "r" | "reset"
        | "crosstabview" | "gdesc" => "remove it: it only concerns psql's screen",
        other if other.starts_with('d') || matches!(other, "l" | "list" | "sf" | "sv" | "z" | "dconfig") => {
            "remove it: it only shows something; check with a query in a test instead"
        }
        _ => "remove it: only psql understands it; limosa accepts \\restrict and \\unrestrict alone",
    };
    known.to_owned()
}

/// What to use instead of a dot-command of the sqlite3 shell; `name` is without its dot.
pub(crate) fn instead_of_sqlite(name: &str) -> String {
    let known = match name {
        "read" => "put that SQL into a migration of its own, or into a repeatable one (R__name.sql)",
        "import" => "write the rows as INSERT statements",
        "param" | "parameter" => "use a placeholder: ${name}, with its value in limosa.toml or --placeholder",
        "open" | "connection" => "a migration runs in one database: choose it with --database or an environment",
        "backup" | "save" | "clone" | "dump" | "restore" => "use limosa's --backup and limosa restore",
        "bail" => "remove it: limosa stops at the first error always",
        "shell" | "system" | "cd" | "output" | "once" | "excel" | "www" => {
            "remove it: a migration never runs programs and never writes files"
        }
        "load" => "extensions are loaded by the application, not by a migration",
        "quit" | "exit" => "remove it: a migration ends at the end of its file",
        "dbconfig" => "use the PRAGMA of the same name where there is one",
        "timeout" => "remove it: limosa has --lock-timeout",
        "print" | "echo" => "remove it, or write a comment",
        _ => "remove it: only the sqlite3 shell understands it",
    };
    known.to_owned()
}

/// The name of a psql meta-command; `text` begins after the backslash. Empty where there is none.
pub(crate) fn psql_name(text: &[u8]) -> &str {
    let letters = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let length = match text.get(letters) {
        Some(b'+') if letters > 0 => letters + 1,
        Some(b'!' | b'?' | b';') if letters == 0 => 1,
        _ => letters,
    };
    std::str::from_utf8(&text[..length.min(40)]).unwrap_or_default()
}

/// The name of a dot-command; `text` begins after the dot.
pub(crate) fn sqlite_name(text: &[u8]) -> &str {
    let letters = text.iter().take(40).take_while(|byte| byte.is_ascii_alphabetic()).count();
    std::str::from_utf8(&text[..letters]).unwrap_or_default()
}
