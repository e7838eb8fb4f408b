//! What Liquibase's patterns find in a line of formatted SQL (4.33, `AbstractFormattedChangeLogParser.java`): they look for `name:` wherever
//! it stands, and the last place where something fits counts. Capitals make no difference.

/// What stands behind the last `name:` for which `take` finds something.
fn last<'l>(line: &'l str, name: &str, take: impl Fn(&'l str) -> Option<&'l str>) -> Option<&'l str> {
    let (lower, wanted) = (line.to_ascii_lowercase(), format!("{}:", name.to_ascii_lowercase()));
    let places: Vec<usize> = lower.match_indices(&wanted).map(|(at, _)| at + wanted.len()).collect();
    places.into_iter().rev().find_map(|at| take(line.get(at..)?))
}

fn up_to(text: &str, ends: impl Fn(char) -> bool) -> Option<&str> {
    let end = text.find(ends).unwrap_or(text.len());
    Some(&text[..end]).filter(|found| !found.is_empty())
}

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// `name:` and letters, digits or `_`.
pub(super) fn identifier<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    last(line, name, |text| up_to(text, |letter| !is_of_word(letter)))
}

/// `name:` and anything up to a blank, quotes included; blanks may stand before it.
pub(super) fn plain<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    last(line, name, |text| up_to(text.trim_start(), char::is_whitespace))
}

/// `name:` and a text in quotes, or anything up to a blank.
pub(super) fn quoted<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    last(line, name, |text| match text.strip_prefix('"').and_then(|inner| inner.split_once('"')) {
        Some((inner, _)) => Some(inner).filter(|inner| !inner.is_empty()),
        None => up_to(text, char::is_whitespace),
    })
}

/// `dbms:`, any letter, and then letters, digits, `_`, `!` and commas. In quotes, which Liquibase refuses in formatted SQL and which stand
/// around what its other formats say, all that is within them.
pub(super) fn databases(line: &str) -> Option<&str> {
    last(line, "dbms", |text| {
        if let Some((inner, _)) = text.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
            return Some(inner.trim()).filter(|inner| !inner.is_empty());
        }
        let first = text.chars().next().filter(|letter| *letter != ',')?.len_utf8();
        let rest = up_to(&text[first..], |letter| !is_of_word(letter) && letter != '!' && letter != ',')?;
        Some(text[..first + rest.len()].trim_start())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_place_that_fits_counts() {
        for (line, expected) in [
            ("name:x value:\"a b\"", Some("\"a")),
            ("name:x value:val:value:3", Some("3")),
            ("name:x VALUE:  v\tw", Some("v")),
            ("value:x value:", Some("x")),
            ("name:x", None),
        ] {
            assert_eq!(plain(line, "value"), expected, "{line}");
        }
        for (line, expected) in [
            ("onFail:MARK_RAN, x", Some("MARK_RAN")),
            ("onfail: WARN", None),
            ("onFail:\"WARN\"", None),
            ("onFail:HALT onFail:WARN", Some("WARN")),
        ] {
            assert_eq!(identifier(line, "onFail"), expected, "{line}");
        }
        for (line, expected) in
            [("context:\"a or b\" x", Some("a or b")), ("context:a,b x", Some("a,b")), ("context:", None)]
        {
            assert_eq!(quoted(line, "context"), expected, "{line}");
        }
        for (line, expected) in [
            ("dbms:h2,!oracle x", Some("h2,!oracle")),
            ("dbms: h2", Some("h2")),
            ("dbms:\"h2, sqlite\"", Some("h2, sqlite")),
            ("dbms:\" \"", None),
            ("dbms:,h2", None),
            ("dbms:", None),
        ] {
            assert_eq!(databases(line), expected, "{line}");
        }
    }
}
