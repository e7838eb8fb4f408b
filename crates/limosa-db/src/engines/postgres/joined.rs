//! Statements of limosa's own without parameters that follow each other within a transaction travel in one message.
//!
//! The server runs them one by one and answers each, so that the one which fails is known, and nothing behind it takes effect,
//! as if each had come alone. It reads the whole message in the encoding and with the quoting rules of before: only
//! texts that mean the same under all of them are joined.

use super::control;

/// By which a statement that meets no transaction changes nothing.
pub(super) const GUARD: &str = "set default_transaction_read_only = on";

/// Gives up what [`GUARD`] set.
pub(super) const UNGUARD: &str = "reset default_transaction_read_only";

/// Texts that wait for what may be joined to them.
#[derive(Debug)]
pub(super) struct Joined {
    /// The whole text.
    pub(super) text: String,
    /// The items in it.
    pub(super) parts: Vec<Part>,
    /// The first is a BEGIN that cannot fail.
    pub(super) opens: bool,
    /// The last is a COMMIT.
    pub(super) ends: bool,
    /// [`GUARD`] goes right before it, in a message of its own.
    pub(super) guarded: bool,
}

/// One item of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Its number in the flight.
    pub(super) item: u64,
    /// How many commands it is.
    pub(super) commands: usize,
    /// Where it begins in the text.
    pub(super) start: usize,
    /// Its rows are wanted, and its statement was prepared.
    pub(super) bound: bool,
    /// The number that the server gives counts rows that were changed, whether or not rows came back.
    pub(super) counts: bool,
}

impl Joined {
    /// A first text, which holds so many commands.
    pub(super) fn new(item: u64, text: String, commands: usize, opens: bool) -> Joined {
        let mut joined = Joined::empty();
        joined.opens = opens;
        joined.push(item, &text, commands);
        joined
    }

    /// A BEGIN with [`GUARD`] before it, which it gives up again.
    pub(super) fn guarded(item: u64) -> Joined {
        Joined { guarded: true, ..Joined::new(item, format!("BEGIN READ WRITE; {UNGUARD}"), 2, true) }
    }

    /// No text yet.
    pub(super) fn empty() -> Joined {
        Joined { text: String::new(), parts: Vec::new(), opens: false, ends: false, guarded: false }
    }

    /// Adds the next one.
    pub(super) fn push(&mut self, item: u64, text: &str, commands: usize) {
        if !self.parts.is_empty() {
            self.text.push_str("; ");
        }
        let counts = control::changes_rows(text);
        self.parts.push(Part { item, commands, start: self.text.len(), bound: false, counts });
        self.text.push_str(text);
    }

    /// Adds a prepared statement, whose own text is `sql`.
    pub(super) fn push_bound(&mut self, item: u64, text: &str, commands: usize, sql: &str) {
        self.push(item, text, commands);
        if let Some(part) = self.parts.last_mut() {
            (part.bound, part.counts) = (true, control::changes_rows(sql));
        }
    }

    /// Adds the COMMIT. Where something before it fails, the server does not come to it, and the transaction stays failed.
    pub(super) fn end(&mut self, item: u64) {
        self.push(item, "COMMIT", 1);
        self.ends = true;
    }
}

/// How many commands a text holds; None where it may not be joined to others: it has no command or an empty one, holds what a
/// setting may give another meaning, or comments, or quotes that stand open.
pub(super) fn commands(sql: &str) -> Option<usize> {
    let mut count = 1;
    let mut blank = true;
    let mut quote = None;
    let mut before = 0;
    for byte in sql.bytes() {
        if !byte.is_ascii() || matches!(byte, b'\\' | b'$' | 0) {
            return None;
        }
        match quote {
            Some(open) => quote = Some(open).filter(|open| *open != byte),
            None => match byte {
                b'\'' | b'"' => {
                    quote = Some(byte);
                    blank = false;
                }
                b';' if blank => return None,
                b';' => {
                    count += 1;
                    blank = true;
                }
                b'-' | b'*' if matches!((before, byte), (b'-', b'-') | (b'/', b'*')) => return None,
                _ => blank &= byte.is_ascii_whitespace(),
            },
        }
        before = byte;
    }
    (!blank && quote.is_none()).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_counted_outside_of_quotes() {
        for (sql, expected) in [
            ("reset all", Some(1)),
            ("reset session authorization; reset role; reset all", Some(3)),
            ("set local role \"a;b\"", Some(1)),
            ("set local role \"a\"\";\"\"b\"; reset all", Some(2)),
            ("set local lock_timeout = '3;s'", Some(1)),
            ("select set_config('a''; ', 'b', true); select 1", Some(2)),
            ("reset all;", None),
            ("; reset all", None),
            ("", None),
            (" ", None),
            ("set local role \"é\"", None),
            ("select e'\\'; select '", None),
            ("do $$ begin end $$", None),
            ("select 1 -- ; select 2", None),
            ("select 1 /* ; */", None),
            ("select 'open", None),
        ] {
            assert_eq!(commands(sql), expected, "{sql}");
        }
    }

    #[test]
    fn parts_know_where_they_begin() {
        let mut joined = Joined::new(4, "BEGIN".to_owned(), 1, true);
        joined.push(5, "reset role; reset all", 2);
        assert_eq!(joined.text, "BEGIN; reset role; reset all");
        assert_eq!(joined.parts[1], Part { item: 5, commands: 2, start: 7, bound: false, counts: false });
    }
}
