//! What a statement does to the transaction around it, read from its first words.

/// The effect of a statement on the open transaction, as far as sending ahead of answers is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    /// None.
    Nothing,
    /// Opens a transaction; `plain` where it has no options and so cannot fail.
    Opens { plain: bool },
    /// Ends the transaction; with `AND CHAIN` another begins at once.
    Ends,
    /// `ROLLBACK TO`: makes a failed transaction usable again, so nothing may have failed before it.
    Revives,
}

impl Control {
    /// Reads a statement. Of several in one text the first decides, but a `ROLLBACK TO` is found anywhere, at worst where
    /// there is none: that costs one wait.
    pub(super) fn of(sql: &str) -> Control {
        let mut words = Words::new(sql);
        let first = words.next().unwrap_or_default();
        let rest: Vec<String> = words.take(8).collect();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        match (first.as_str(), rest.as_slice()) {
            ("BEGIN", [] | ["WORK" | "TRANSACTION"] | [";", ..] | ["WORK" | "TRANSACTION", ";", ..])
            | ("START", ["TRANSACTION"] | ["TRANSACTION", ";", ..]) => Control::Opens { plain: true },
            ("BEGIN", _) | ("START", ["TRANSACTION", ..]) => Control::Opens { plain: false },
            ("COMMIT" | "ROLLBACK", ["PREPARED", ..]) => Control::Nothing,
            ("ROLLBACK", ["TO", ..] | ["WORK" | "TRANSACTION", "TO", ..]) => Control::Revives,
            ("PREPARE", ["TRANSACTION", ..]) | ("COMMIT" | "END" | "ROLLBACK" | "ABORT", _) => Control::Ends,
            _ => Control::Nothing,
        }
    }

    /// Reads a text that may hold several statements.
    pub(super) fn of_several(sql: &str) -> Control {
        let first = Control::of(sql);
        let words = || sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        if first == Control::Nothing && sql.contains(';') && words().any(|word| word.eq_ignore_ascii_case("rollback")) {
            return Control::Revives;
        }
        first
    }
}

/// True where the number in the command tag counts rows that were changed, whether or not rows came back.
pub(super) fn changes_rows(sql: &str) -> bool {
    let first = Words::new(sql).next().unwrap_or_default();
    matches!(first.as_str(), "INSERT" | "UPDATE" | "DELETE" | "MERGE" | "COPY")
}

/// The words of a statement in capitals, and `;` for itself, without blanks and comments. Ends at anything else.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    fn new(sql: &'a str) -> Words<'a> {
        Words { rest: sql }
    }

    fn skip_blanks(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            if self.rest.starts_with("--") {
                self.rest = self.rest.split_once(['\n', '\r']).map_or("", |(_, rest)| rest);
            } else if self.rest.starts_with("/*") {
                self.rest = after_comment(self.rest);
            } else {
                return;
            }
        }
    }
}

impl Iterator for Words<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.skip_blanks();
        if let Some(rest) = self.rest.strip_prefix(';') {
            self.rest = rest;
            return Some(";".to_owned());
        }
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then(|| word.to_ascii_uppercase())
    }
}

/// What follows the comment at the start of the text; comments nest in PostgreSQL.
fn after_comment(text: &str) -> &str {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => {
                depth += 1;
                at += 2;
            }
            b"*/" => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return &text[at..];
                }
            }
            _ => at += 1,
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_words_tell_what_becomes_of_the_transaction() {
        let plain = Control::Opens { plain: true };
        let special = Control::Opens { plain: false };
        let ends = Control::Ends;
        for (sql, expected) in [
            ("begin", plain),
            ("BEGIN;", plain),
            ("begin work", plain),
            ("start transaction;", plain),
            ("-- note\n/* a /* b */ c */ Begin Transaction ;", plain),
            ("begin isolation level serializable", special),
            ("begin read only", special),
            ("start transaction read write", special),
            ("commit", ends),
            ("COMMIT WORK;", ends),
            ("end", ends),
            ("abort", ends),
            ("rollback;", ends),
            ("rollback transaction", ends),
            ("prepare transaction 'x'", ends),
            ("commit and chain", ends),
            ("rollback work and chain", ends),
            ("commit and no chain", ends),
            ("rollback to savepoint a", Control::Revives),
            ("rollback work to a", Control::Revives),
            ("rollback /* x */ transaction to savepoint a", Control::Revives),
            ("commit prepared 'x'", Control::Nothing),
            ("rollback prepared 'x'", Control::Nothing),
            ("prepare p as select 1", Control::Nothing),
            ("savepoint a", Control::Nothing),
            ("select 'commit'", Control::Nothing),
            ("beginning", Control::Nothing),
            ("", Control::Nothing),
            ("/* open", Control::Nothing),
            ("-- only a comment", Control::Nothing),
        ] {
            assert_eq!(Control::of(sql), expected, "{sql:?}");
        }
    }

    #[test]
    fn a_rollback_in_several_statements_is_found() {
        assert_eq!(Control::of_several("set local a = 1; ROLLBACK to b; release b"), Control::Revives);
        assert_eq!(Control::of_several("set local a = 1; savepoint b"), Control::Nothing);
        assert_eq!(Control::of_several("commit"), Control::Ends);
    }

    #[test]
    fn only_statements_that_change_rows_count_them() {
        assert!(changes_rows(" insert into t values (1)"));
        assert!(changes_rows("-- x\nupdate t set a = 1"));
        assert!(!changes_rows("select 1"));
        assert!(!changes_rows("create table t ()"));
    }
}
