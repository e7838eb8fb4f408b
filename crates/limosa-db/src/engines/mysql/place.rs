//! Where in a statement the server found fault.
//!
//! The server gives no offset. A syntax error quotes what follows the fault, at most about 80 bytes of it, and counts the
//! lines to there. MariaDB marks what it has cut with three dots, MySQL does not. Other errors name a column or a table; where
//! that name stands in the statement once only, that is the place.

/// The server's words about a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Near<'a> {
    text: &'a str,
    line: usize,
    /// All of the message, and where the text begins in it.
    message: &'a str,
    from: usize,
}

/// Reads `... near '...' at line 7`; None for other messages.
pub(super) fn near(message: &str) -> Option<Near<'_>> {
    const BEFORE: &str = "near '";
    const BEHIND: &str = "' at line ";
    let from = message.find(BEFORE)? + BEFORE.len();
    let to = message.rfind(BEHIND).filter(|to| *to >= from)?;
    let line = message[to + BEHIND.len()..].trim_end().parse().ok()?;
    Some(Near { text: &message[from..to], line, message, from })
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

    /// The message as it would be if the statement `sql` had been sent alone, where it was quoted with what stands `behind` it.
    pub(super) fn within(&self, sql: &str, behind: &str) -> Option<String> {
        let (sql, behind) = (sql.trim_end(), behind.trim_start());
        let quoted = self.text.strip_suffix("...").unwrap_or(self.text);
        let (end, _) = quoted.match_indices(';').find(|(end, _)| {
            let (own, others) = quoted.split_at(*end);
            sql.ends_with(own.trim_end()) && behind.starts_with(others)
        })?;
        let to = self.from + self.text.len();
        Some(format!("{}{}{}", &self.message[..self.from], quoted[..end].trim_end(), &self.message[to..]))
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

/// Errors that name what they find fault with first: unknown, ambiguous or duplicate columns, tables, keys, routines,
/// variables, engines.
const NAMING: [u16; 18] =
    [1050, 1051, 1052, 1054, 1060, 1061, 1072, 1091, 1109, 1115, 1146, 1176, 1193, 1273, 1286, 1304, 1305, 1359];

/// The byte offset of what an error names, where it stands in the statement once only.
pub(super) fn named(number: u16, message: &str, sql: &str) -> Option<usize> {
    if !NAMING.contains(&number) {
        return None;
    }
    let name = first_quoted(message).or_else(|| routine(message))?;
    // `database.table`, `table.column`: the last part is written in any case.
    let name = name.rsplit('.').next().filter(|name| !name.is_empty())?;
    let mut places = bare(sql).filter(|(_, word)| word.eq_ignore_ascii_case(name));
    let (place, _) = places.next()?;
    places.next().is_none().then_some(place)
}

/// What stands in quotes or backticks; the apostrophe of a word (`Can't`) is none.
fn first_quoted(message: &str) -> Option<&str> {
    let opens = |at: &usize| !message[..*at].ends_with(|letter: char| letter.is_alphanumeric());
    let from = message.match_indices(['\'', '`']).map(|(at, _)| at).find(opens)?;
    let quote = char::from(message.as_bytes()[from]);
    message[from + 1..].split_once(quote).map(|(name, _)| name)
}

/// `PROCEDURE shop.p does not exist`.
fn routine(message: &str) -> Option<&str> {
    ["PROCEDURE ", "FUNCTION ", "SAVEPOINT ", "TRIGGER "]
        .iter()
        .find_map(|kind| message.strip_prefix(kind)?.split(' ').next())
}

/// The names of a statement that stand outside of texts and comments, without their backticks, and where.
fn bare(sql: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = sql.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let rest = &sql[at..];
            let skipped = match bytes[at] {
                b'#' => rest.find('\n'),
                b'-' if rest.starts_with("-- ") => rest.find('\n'),
                b'/' if rest.starts_with("/*") && !rest.starts_with("/*!") => rest.find("*/").map(|end| end + 2),
                quote @ (b'\'' | b'"') => Some(quoted(rest, quote)),
                b'`' => {
                    let begin = at + 1;
                    let length = sql[begin..].find('`').unwrap_or(sql.len() - begin);
                    at = (begin + length + 1).min(bytes.len());
                    return Some((begin, &sql[begin..begin + length]));
                }
                _ => {
                    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '$');
                    let length = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
                    if length > 0 {
                        at += length;
                        return Some((at - length, &rest[..length]));
                    }
                    rest.chars().next().map(char::len_utf8)
                }
            };
            at += skipped.unwrap_or(rest.len());
        }
        None
    })
}

/// The length of a text in quotes.
fn quoted(text: &str, quote: u8) -> usize {
    let bytes = text.as_bytes();
    let mut index = 1;
    while index < bytes.len() && bytes[index] != quote {
        index += if bytes[index] == b'\\' { 2 } else { 1 };
    }
    // A backslash may stand before a letter of several bytes.
    (index + 1..=bytes.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(bytes.len())
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(offset, _)| offset + 1)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn what_stands_behind_a_statement_is_not_quoted() {
        let behind = "\n;\nshow warnings limit 64\n;\ninsert into u values (2)";
        for (sql, quoted, expected) in [
            (
                "insert into t valuesss (1)",
                "valuesss (1)\n;\nshow warnings limit 64\n;\ninsert into...",
                Some("valuesss (1)"),
            ),
            ("insert into t valuesss (1) -- x", "valuesss (1) -- x\n;\nshow warn", Some("valuesss (1) -- x")),
            ("insert into t values (", ";\nshow warnings limit 64", Some("")),
            ("insert into t values ('a;b'", "'a;b'\n;\nshow warnings", Some("'a;b'")),
            (
                "insert into t valuesss ('a\n;\nshow warnings limit 64'",
                "valuesss ('a\n;\nshow warnings limit 64...",
                None,
            ),
            ("insert into t valuesss (1)", "valuesss (1)", None),
        ] {
            let said = message(quoted, 1);
            let within = near(&said).unwrap().within(sql, behind);
            assert_eq!(within, expected.map(|expected| message(expected, 1)), "{sql}");
        }
    }

    #[test]
    fn names_are_places_where_they_stand_once() {
        for (number, message, sql, expected) in [
            (1054, "Unknown column 'nope' in 'field list'", "select a, nope from t", Some(10)),
            (1054, "Unknown column 'nope' in 'SELECT'", "select `NOPE` from t", Some(8)),
            (
                1054,
                "Unknown column 't.nope' in 'where clause'",
                "select 1 from t where t.nope = 'nope' -- nope",
                Some(24),
            ),
            (1054, "Unknown column 'nope' in 'field list'", "select nope, nope from t", None),
            (1054, "Unknown column 'é' in 'field list'", "select 'é\\'é', é /* é */", Some(17)),
            (1146, "Table 'shop.missing' doesn't exist", "insert into\n missing values ('missing')", Some(13)),
            (1146, "Table 'shop.missing' doesn't exist", "insert into v values (1)", None),
            (1091, "Can't DROP COLUMN `x`; check that it exists", "alter table t drop column x", Some(26)),
            (1305, "PROCEDURE shop.p does not exist", "call p()", Some(5)),
            (1060, "Duplicate column name 'b'", "create table t (a int, b int, c int, b int)", None),
            (1050, "Table 't' already exists", "create table `t` (n int)", Some(14)),
            (1062, "Duplicate entry 'a' for key 'n'", "insert into t values (a)", None),
            (1054, "Unknown column", "select a", None),
            (1054, "Unknown column 'x", "select \"x", None),
        ] {
            assert_eq!(named(number, message, sql), expected, "{sql}");
        }
    }

    #[test]
    fn other_messages_have_no_place() {
        for text in
            ["", "Table 'x.t' doesn't exist", "near 'x", "near 'x' at line", "near 'x' at line y", "' at line 1 near '"]
        {
            assert_eq!(near(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn places_are_on_boundaries_of_characters(
            sql in "[a-c'\"`#*/\\\\é€ \n;.-]{0,40}",
            quoted in "[a-c'\"`\\\\é€ \n.]{0,12}",
            line in 0_usize..5,
        ) {
            if let Some(place) = near(&message(&quoted, line)).and_then(|near| near.find(&sql)) {
                prop_assert!(sql.is_char_boundary(place));
            }
            if let Some(place) = named(1054, &format!("Unknown column '{quoted}' in x"), &sql) {
                prop_assert!(sql.is_char_boundary(place));
            }
        }
    }
}
