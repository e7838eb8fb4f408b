//! Commands of psql that change nothing where a script stops at its first error and nobody reads what it shows.

/// Variables of psql's own that decide how it shows things, or what it remembers of what was typed.
const OF_SCREEN: &[&str] = &[
    "QUIET",
    "VERBOSITY",
    "SHOW_CONTEXT",
    "ECHO",
    "ECHO_HIDDEN",
    "HIDE_TABLEAM",
    "HIDE_TOAST_COMPRESSION",
    "FETCH_COUNT",
    "HISTCONTROL",
    "HISTFILE",
    "HISTSIZE",
    "IGNOREEOF",
    "PROMPT1",
    "PROMPT2",
    "PROMPT3",
    "SHOW_ALL_RESULTS",
    "SINGLELINE",
];

/// True for such a command; `written` is what stands behind its name in the line. What psql would run (a text between backticks), and a
/// further command in the line, is never idle.
pub(crate) fn is_idle(name: &str, written: &[u8]) -> bool {
    let Ok(written) = std::str::from_utf8(written) else { return false };
    if written.contains(['`', '\\']) {
        return false;
    }
    let unquoted = written.replace('\'', "");
    let mut words = unquoted.split_whitespace();
    match name {
        "echo" | "qecho" | "warn" | "timing" | "pset" | "x" | "a" | "t" | "H" | "html" | "C" | "T" | "f"
        | "errverbose" | "conninfo" | "copyright" => true,
        "encoding" => words.next().is_none_or(|encoding| {
            ["utf8", "utf-8", "unicode"].iter().any(|known| encoding.eq_ignore_ascii_case(known))
        }),
        "set" => match (words.next(), words.next(), words.next()) {
            (Some("ON_ERROR_STOP" | "AUTOCOMMIT"), Some(value), None) => is_true(value),
            (Some("ON_ERROR_ROLLBACK"), Some(value), None) => is_false(value),
            (Some(variable), ..) => OF_SCREEN.contains(&variable),
            // It shows all of them.
            (None, ..) => true,
        },
        "unset" => match (words.next(), words.next()) {
            (Some("ON_ERROR_ROLLBACK"), None) => true,
            (Some(variable), None) => OF_SCREEN.contains(&variable),
            _ => false,
        },
        _ => false,
    }
}

fn is_true(value: &str) -> bool {
    ["on", "1", "true", "yes", "t", "y"].iter().any(|known| value.eq_ignore_ascii_case(known))
}

fn is_false(value: &str) -> bool {
    ["off", "0", "false", "no", "f", "n"].iter().any(|known| value.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_nothing_is_idle() {
        for (command, expected) in [
            ("set ON_ERROR_STOP on", true),
            ("set ON_ERROR_STOP 'true'", true),
            ("set ON_ERROR_STOP off", false),
            ("set ON_ERROR_ROLLBACK off", true),
            ("set ON_ERROR_ROLLBACK interactive", false),
            ("set AUTOCOMMIT off", false),
            ("set QUIET 1", true),
            ("set VERBOSITY terse", true),
            ("set schema app", false),
            ("unset QUIET", true),
            ("unset ON_ERROR_STOP", false),
            ("echo 'it is done'", true),
            ("echo `date`", false),
            ("echo a \\\\ select 1;", false),
            ("pset pager off", true),
            ("encoding UTF8", true),
            ("encoding latin1", false),
            ("i other.sql", false),
        ] {
            let (name, written) = command.split_once(' ').unwrap();
            assert_eq!(is_idle(name, format!(" {written}").as_bytes()), expected, "{command}");
        }
    }
}
