//! Where in a statement the server found fault.
//!
//! The server gives no offset. A syntax error quotes what follows the fault, at most about 80 bytes of it, and counts the
//! lines to there. MariaDB marks what it has cut with three dots, MySQL does not.

/// The server's words about a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Near<'a> {
    text: &'a str,
    line: usize,
}

/// Reads `... near '...' at line 7`; None for other messages.
pub(super) fn near(message: &str) -> Option<Near<'_>> {
    const BEFORE: &str = "near '";
    const BEHIND: &str = "' at line ";
    let from = message.find(BEFORE)? + BEFORE.len();
    let to = message.rfind(BEHIND).filter(|to| *to >= from)?;
    let line = message[to + BEHIND.len()..].trim_end().parse().ok()?;
    Some(Near { text: &message[from..to], line })
}

impl Near<'_> {
    /// The byte offset in the statement; the beginning of the line where several places fit.
    pub(super) fn find(&self, sql: &str) -> Option<usize> {
        // The server cuts blanks and semicolons off both ends before it counts.
        let cut = |letter: char| letter == ';' || letter.is_ascii_whitespace();
        let start = sql.len() - sql.trim_start_matches(cut).len();
        let text = sql[start..].trim_end_matches(cut);
        self.find_in(text).map(|offset| start + offset)
    }

    fn find_in(&self, text: &str) -> Option<usize> {
        // Where all of the rest is quoted it can stand in one place only.
        if text.ends_with(self.text) {
            return Some(text.len() - self.text.len());
        }
        let quoted = self.text.strip_suffix("...").unwrap_or(self.text);
        // Characters that the server's messages cannot hold come as question marks or escapes.
        let legible = quoted.find(['?', '\\', '\u{fffd}']).map_or(quoted, |end| &quoted[..end]);
        let lines = line_starts(text);
        let line_of = |offset: usize| lines.partition_point(|start| *start <= offset);
        let fitting: Vec<usize> = [quoted, legible]
            .into_iter()
            .filter(|wanted| !wanted.is_empty())
            .map(|wanted| text.match_indices(wanted).map(|(offset, _)| offset).collect::<Vec<_>>())
            .find(|found| !found.is_empty())
            .unwrap_or_default();
        let on_line: Vec<usize> = fitting.iter().copied().filter(|offset| line_of(*offset) == self.line).collect();
        match (&on_line[..], &fitting[..]) {
            // A token of several lines begins on one and is counted at its end.
            ([only], _) | ([], [only]) => Some(*only),
            _ => self.line.checked_sub(1).and_then(|index| lines.get(index)).copied(),
        }
    }

    /// The message of a syntax error without the advice to read the manual.
    pub(super) fn in_words(&self) -> String {
        if self.text.is_empty() {
            "syntax error at the end".to_owned()
        } else {
            format!("syntax error near '{}'", self.text)
        }
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(offset, _)| offset + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(near: &str, line: usize) -> String {
        format!(
            "You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for \
             the right syntax to use near '{near}' at line {line}"
        )
    }

    fn check(sql: &str, quoted: &str, line: usize, expected: Option<usize>) {
        assert_eq!(near(&message(quoted, line)).unwrap().find(sql), expected, "{sql} {quoted}");
    }

    #[test]
    fn places() {
        check("selec 1", "selec 1", 1, Some(0));
        check("select 1 oops oops", "oops", 1, Some(14));
        check("select 1 oops oops ; ", "oops", 1, Some(14));
        check("\n\n select 'it''s' oops oops;\n", "oops", 1, Some(23));
        check("select (1", "", 1, Some(9));
        check("select (1 ;\n", "", 1, Some(9));
        check("select 'né' from from t", "from t", 1, Some(18));
        // Cut off, with dots and without.
        check("select from from a\n, b", "from a...", 1, Some(12));
        check("select from from a\n, b", "from a", 1, Some(12));
        // The same words on other lines.
        check("insert oops x\n, oops x\n, oops x y", "oops x...", 2, Some(16));
        // Twice on the line, and nowhere.
        check("select 1,\noops x oops x y", "oops x...", 2, Some(10));
        check("select 1,\nx", "nowhere...", 2, Some(10));
        check("select 1", "nowhere...", 7, None);
        check("select 1", "x...", 0, None);
        // A token that goes on over the line.
        check("select 'a\nb' 'c\nd' e f", "'c\nd' e...", 3, Some(13));
        // What the message cannot hold.
        check("select 1 from from '𝄞', x", "from '?', x", 1, Some(14));
    }

    #[test]
    fn other_messages_have_no_place() {
        for text in
            ["", "Table 'x.t' doesn't exist", "near 'x", "near 'x' at line", "near 'x' at line y", "' at line 1 near '"]
        {
            assert_eq!(near(text), None, "{text}");
        }
    }
}
