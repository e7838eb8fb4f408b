//! `$1`, `$2`, ... of limosa's own statements as the question marks that the server knows.

use crate::{DbError, DbErrorKind};

/// A statement with question marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marked {
    pub(super) sql: String,
    /// For each question mark the index of its parameter.
    pub(super) order: Vec<usize>,
    /// For each question mark where it stands, and by how many bytes the text before it has become shorter.
    places: Vec<(usize, usize)>,
}

impl Marked {
    /// Where a byte of the text that was sent stands in the text as it was written.
    pub(super) fn original(&self, position: usize) -> usize {
        let before = self.places.iter().take_while(|(place, _)| *place < position).last();
        position + before.map_or(0, |(_, shorter)| *shorter)
    }
}

/// A statement with constants in the place of its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) sql: String,
    /// Where each constant begins and ends, and where its question mark stands in the marked statement.
    constants: Vec<(usize, usize, usize)>,
}

impl Filled {
    /// Where a byte of the text that was sent stands in the text as it was written.
    pub(super) fn original(&self, marked: &Marked, position: usize) -> usize {
        let before = self.constants.iter().take_while(|(begin, _, _)| *begin <= position).last();
        marked.original(match before {
            None => position,
            Some((_, end, mark)) if position < *end => *mark,
            Some((_, end, mark)) => position - end + mark + 1,
        })
    }
}

impl Marked {
    /// Writes the constants, one for each parameter.
    pub(super) fn fill(&self, constants: &[String]) -> Filled {
        let mut filled = Filled { sql: String::with_capacity(self.sql.len()), constants: Vec::new() };
        let mut copied = 0;
        for ((place, _), index) in self.places.iter().zip(&self.order) {
            filled.sql.push_str(&self.sql[copied..*place]);
            let begin = filled.sql.len();
            filled.sql.push_str(constants.get(*index).map_or("null", String::as_str));
            filled.constants.push((begin, filled.sql.len(), *place));
            copied = place + 1;
        }
        filled.sql.push_str(&self.sql[copied..]);
        filled
    }
}

/// Replaces the parameters outside of quotes and comments. `count` is how many values there are.
pub(super) fn mark(sql: &str, count: usize) -> Result<Marked, DbError> {
    let bytes = sql.as_bytes();
    let mut marked = Marked { sql: String::with_capacity(sql.len()), order: Vec::new(), places: Vec::new() };
    let (mut copied, mut at, mut shorter) = (0, 0, 0);
    while at < bytes.len() {
        let end = match bytes[at] {
            quote @ (b'\'' | b'"' | b'`') => quoted(bytes, at, quote),
            b'-' if bytes[at..].starts_with(b"-- ") => line(bytes, at),
            b'#' => line(bytes, at),
            b'/' if bytes[at..].starts_with(b"/*") => {
                sql[at + 2..].find("*/").map_or(bytes.len(), |length| at + 2 + length + 2)
            }
            b'?' => return Err(wrong("a statement of limosa's own has a ? outside of quotes")),
            b'$' if !in_name(bytes, at) => {
                let digits = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                let end = at + 1 + digits;
                let number = sql[at + 1..end].parse::<usize>().ok().filter(|number| (1..=count).contains(number));
                let Some(number) = number else {
                    let name = &sql[at..end];
                    return Err(wrong(&format!("the statement has the parameter {name}, given were {count}")));
                };
                marked.sql.push_str(&sql[copied..at]);
                shorter += digits;
                marked.places.push((marked.sql.len(), shorter));
                marked.sql.push('?');
                marked.order.push(number - 1);
                copied = end;
                end
            }
            _ => at + 1,
        };
        at = end;
    }
    marked.sql.push_str(&sql[copied..]);
    Ok(marked)
}

/// A dollar sign may stand within a name.
fn in_name(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|before| {
        let byte = bytes[before];
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
    })
}

/// The end of a quoted text or name. Two quotes stand for one, which reads the same as two texts side by side.
fn quoted(bytes: &[u8], at: usize, quote: u8) -> usize {
    let mut index = at + 1;
    while index < bytes.len() && bytes[index] != quote {
        index += if bytes[index] == b'\\' && quote != b'`' { 2 } else { 1 };
    }
    (index + 1).min(bytes.len())
}

fn line(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length)
}

fn wrong(message: &str) -> DbError {
    DbError::new(DbErrorKind::Statement, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_become_question_marks_in_their_order() {
        for (sql, expected, order) in [
            ("select 1", "select 1", &[][..]),
            ("select $1", "select ?", &[0]),
            ("select $2, $1, $2, $10", "select ?, ?, ?, ?", &[1, 0, 1, 9]),
            ("select '$1', $1", "select '$1', ?", &[0]),
            ("select 'it''s $2', $1", "select 'it''s $2', ?", &[0]),
            (r"select 'a\'$2', $1", r"select 'a\'$2', ?", &[0]),
            ("select \"$2\", `$3`, a$4, $1", "select \"$2\", `$3`, a$4, ?", &[0]),
            ("select `a\\`, $1", "select `a\\`, ?", &[0]),
            ("-- $2\nselect $1 # $3", "-- $2\nselect ? # $3", &[0]),
            ("/* $2 */ select $1", "/* $2 */ select ?", &[0]),
            ("select 1--$1", "select 1--?", &[0]),
            ("select 'open $1", "select 'open $1", &[]),
        ] {
            let marked = mark(sql, 10).unwrap();
            assert_eq!((marked.sql.as_str(), &marked.order[..]), (expected, order), "{sql}");
        }
    }

    #[test]
    fn places_are_found_again() {
        let sql = "insert into t values ($1, $12, $2) oops";
        let marked = mark(sql, 12).unwrap();
        assert_eq!(marked.original(marked.sql.find("oops").unwrap()), sql.find("oops").unwrap());
        assert_eq!(marked.original(marked.sql.find('?').unwrap()), sql.find('$').unwrap());
        assert_eq!(marked.original(0), 0);
    }

    #[test]
    fn constants_stand_where_the_parameters_stood() {
        let sql = "insert into t values ($2, '$1', $1, $2) oops";
        let marked = mark(sql, 2).unwrap();
        let filled = marked.fill(&["-7".to_owned(), "'it''s $1'".to_owned()]);
        assert_eq!(filled.sql, "insert into t values ('it''s $1', '$1', -7, 'it''s $1') oops");
        for (word, expected) in [("insert", "insert"), ("oops", "oops"), ("-7", "$1, $2"), ("s $1', '", "$2, '")] {
            let found = filled.original(&marked, filled.sql.find(word).unwrap());
            assert_eq!(found, sql.find(expected).unwrap(), "{word}");
        }
    }

    #[test]
    fn parameters_without_a_value_are_named() {
        for sql in ["select $3", "select $0", "select $", "select $99999999999999999999", "select ?"] {
            assert!(mark(sql, 2).unwrap_err().message.contains(if sql.contains('?') { "?" } else { "given were 2" }));
        }
    }

    proptest! {
        #[test]
        fn parameters_put_back_at_their_places_give_the_text(sql in "[a$12'\"`#*/\\\\é \n-]{0,40}") {
            if let Ok(marked) = mark(&sql, 22) {
                let mut back = marked.sql.clone();
                for ((place, _), index) in marked.places.iter().zip(&marked.order).rev() {
                    prop_assert_eq!(&back[*place..=*place], "?");
                    back.replace_range(*place..=*place, &format!("${}", index + 1));
                }
                prop_assert_eq!(back, sql);
            }
        }
    }
}
