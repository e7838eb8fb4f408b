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
        let rest: Vec<String> = words.by_ref().take(4).collect();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        let whole = words.at_end();
        match (first.as_str(), rest.as_slice()) {
            ("BEGIN", [] | [";"] | ["WORK" | "TRANSACTION"] | ["WORK" | "TRANSACTION", ";"])
            | ("START", ["TRANSACTION"] | ["TRANSACTION", ";"]) => Control::Opens { plain: whole },
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

/// True for a COPY between a server's file and a table, or with the client: what follows must wait for its answer.
pub(super) fn is_copy(sql: &str) -> bool {
    Words::new(sql).next().as_deref() == Some("COPY")
}

/// True for `COPY ... FROM stdin` and `COPY ... TO stdout`, whose data go over the connection.
pub(super) fn copies_with_client(sql: &str) -> bool {
    if !is_copy(sql) {
        return false;
    }
    let mut words = Words::new(sql);
    let mut before = String::new();
    let mut depth = 0_usize;
    loop {
        if let Some(word) = words.next() {
            if depth == 0 && matches!((before.as_str(), word.as_str()), ("FROM", "STDIN") | ("TO", "STDOUT")) {
                return true;
            }
            before = word;
            continue;
        }
        let rest = words.rest;
        let Some(first) = rest.chars().next() else { return false };
        match first {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before.clear();
        let quoted = if first == '\'' || first == '"' { rest[1..].find(first).map(|at| at + 2) } else { None };
        words.rest = &rest[quoted.unwrap_or(first.len_utf8())..];
    }
}

/// The words of a statement in capitals, and `;` for itself, without blanks and comments. Ends at anything else.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    fn new(sql: &'a str) -> Words<'a> {
        Words { rest: sql }
    }

    fn at_end(&mut self) -> bool {
        self.skip_blanks();
        self.rest.is_empty()
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
            ("begin; commit", special),
            ("begin; (select 1)", special),
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
    fn a_copy_with_the_client_is_recognized() {
        for (sql, expected) in [
            ("copy t from stdin", true),
            ("COPY s.\"t\" (a, \"b\") FROM STDIN WITH (format csv)", true),
            ("/* x */ copy t to -- here\n stdout", true),
            ("copy (select 1) to stdout (format binary)", true),
            ("copy t from '/tmp/stdin'", false),
            ("copy t from program 'cat'", false),
            ("copy \"from stdin\" from '/tmp/x'", false),
            ("copy (select a from stdin) to '/tmp/x'", false),
            ("copy t to '/tmp/it''s' ", false),
            ("copy t from 'open", false),
            ("select 'copy t from stdin'", false),
            ("", false),
        ] {
            assert_eq!(copies_with_client(sql), expected, "{sql}");
        }
    }

    #[test]
    fn only_statements_that_change_rows_count_them() {
        assert!(changes_rows(" insert into t values (1)"));
        assert!(changes_rows("-- x\nupdate t set a = 1"));
        assert!(!changes_rows("select 1"));
        assert!(!changes_rows("create table t ()"));
    }
}
