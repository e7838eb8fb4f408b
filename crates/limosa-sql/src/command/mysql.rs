//! Commands of the mysql and mariadb clients.

/// The longest delimiter that the client takes, in bytes.
const DELIMITER_BYTES: usize = 15;

/// Commands with a name, which stand at the beginning of a line; no SQL statement begins like that.
const NAMES: &[&str] = &[
    "charset",
    "clear",
    "connect",
    "costs",
    "delimiter",
    "edit",
    "ego",
    "exit",
    "go",
    "help",
    "nopager",
    "notee",
    "nowarning",
    "pager",
    "print",
    "prompt",
    "query_attributes",
    "quit",
    "rehash",
    "resetconnection",
    "sandbox",
    "source",
    "status",
    "system",
    "tee",
    "warnings",
];

/// True where a word at the beginning of a statement is for the client.
pub(crate) fn is_mysql_command(word: &[u8]) -> bool {
    let named = NAMES.iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes()));
    named || is_glued(word)
}

/// `DELIMITER$$`: a blank is missing.
fn is_glued(word: &[u8]) -> bool {
    const NAME: &[u8] = b"delimiter";
    word.len() > NAME.len() && word[..NAME.len()].eq_ignore_ascii_case(NAME) && word[NAME.len()] == b'$'
}

/// The command at the start of `text`: a name, or a backslash and its character.
pub(crate) fn mysql_name(text: &[u8]) -> &str {
    let length = match text {
        [b'\\', letter, ..] if letter.is_ascii_graphic() => 2,
        [b'\\', ..] => 1,
        _ => text.iter().take(40).take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'_').count(),
    };
    std::str::from_utf8(&text[..length]).unwrap_or_default()
}

/// What to use instead of a command of the client; `name` is as [`mysql_name`] gives it.
pub(crate) fn instead_of_mysql(name: &str) -> String {
    let known = match name.to_ascii_lowercase().as_str() {
        _ if name == "\\T" => TEE,
        _ if name == "\\G" => TERMINATOR,
        _ if name == "\\C" => CHARSET,
        _ if name == "\\R" => SCREEN,
        _ if name == "\\P" => SCREEN,
        _ if name == "\\W" => SCREEN,
        "source" | "\\." => "put that SQL into a migration of its own, or into a repeatable one (R__name.sql)",
        "go" | "ego" | "\\g" => TERMINATOR,
        "\\d" => "write DELIMITER, a blank and the delimiter on a line of their own",
        "connect" | "\\r" => "a migration runs in one database: choose it with --database or an environment",
        "\\u" => "write USE and the name of the database, and end it with ;",
        "charset" => CHARSET,
        "system" | "\\!" => "remove it: a migration never runs programs",
        "tee" | "notee" | "pager" | "nopager" | "\\t" => TEE,
        "clear" | "\\c" => "remove it, and what stands before it where that should not run",
        "exit" | "quit" | "\\q" => "remove it: a migration ends at the end of its file",
        "query_attributes" => "remove it: limosa sends statements without attributes",
        "sandbox" | "\\-" => "remove it: limosa never runs commands of the client",
        "resetconnection" | "\\x" => "remove it: limosa gives each file a fresh session state",
        "edit" | "help" | "print" | "prompt" | "rehash" | "status" | "warnings" | "nowarning" | "costs" | "\\e"
        | "\\h" | "\\?" | "\\p" | "\\n" | "\\#" | "\\s" | "\\w" => SCREEN,
        _ => "remove it: only the mysql client understands it; limosa accepts DELIMITER alone",
    };
    known.to_owned()
}

const TERMINATOR: &str = "end the statement with ; instead";
const CHARSET: &str = "remove it: migration files are UTF-8, and limosa speaks utf8mb4 with the server";
const SCREEN: &str = "remove it: it only concerns the client's screen";
const TEE: &str = "remove it: a migration never writes files";

/// What is wrong with a DELIMITER command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DelimiterFault {
    Missing,
    TooLong,
    /// It holds what no delimiter can.
    Character,
    /// Something stands behind it.
    Trailing,
}

/// The delimiter that a DELIMITER command names; `text` is the rest of its line.
pub(crate) fn new_delimiter(text: &[u8]) -> Result<Vec<u8>, DelimiterFault> {
    let written = text.trim_ascii();
    if written.len() == text.trim_ascii_end().len() || written.is_empty() {
        return Err(DelimiterFault::Missing);
    }
    let (delimiter, rest) = match written[0] {
        quote @ (b'\'' | b'"' | b'`') => {
            let inner = &written[1..];
            let end = inner.iter().position(|&byte| byte == quote).ok_or(DelimiterFault::Character)?;
            (&inner[..end], &inner[end + 1..])
        }
        _ => {
            let end = written.iter().position(u8::is_ascii_whitespace).unwrap_or(written.len());
            written.split_at(end)
        }
    };
    let strange = |byte: &u8| byte.is_ascii_whitespace() || byte.is_ascii_control() || b"\\'\"`".contains(byte);
    let rest = rest.trim_ascii_start();
    match delimiter {
        [] => Err(DelimiterFault::Missing),
        _ if delimiter.iter().any(strange) => Err(DelimiterFault::Character),
        _ if delimiter.len() > DELIMITER_BYTES => Err(DelimiterFault::TooLong),
        _ if !(rest.is_empty() || [&b"--"[..], b"#", b"/*"].iter().any(|mark| rest.starts_with(mark))) => {
            Err(DelimiterFault::Trailing)
        }
        _ => Ok(delimiter.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_read_as_the_client_reads_them() {
        for (text, expected) in [
            (" //", Ok("//")),
            ("\t$$  ", Ok("$$")),
            (" ;", Ok(";")),
            (" ;;", Ok(";;")),
            (" '//'", Ok("//")),
            (" \"go\"", Ok("go")),
            (" // -- from here on", Ok("//")),
            (" // /* x", Ok("//")),
            ("", Err(DelimiterFault::Missing)),
            ("  ", Err(DelimiterFault::Missing)),
            ("$$", Err(DelimiterFault::Missing)),
            (" ''", Err(DelimiterFault::Missing)),
            (" \\\\", Err(DelimiterFault::Character)),
            (" '/ /'", Err(DelimiterFault::Character)),
            (" '//", Err(DelimiterFault::Character)),
            (" a'b", Err(DelimiterFault::Character)),
            (" 1234567890123456", Err(DelimiterFault::TooLong)),
            (" // create", Err(DelimiterFault::Trailing)),
            (" ; ;", Err(DelimiterFault::Trailing)),
        ] {
            let found = new_delimiter(text.as_bytes());
            assert_eq!(found, expected.map(|delimiter| delimiter.as_bytes().to_vec()), "{text:?}");
        }
    }
}
