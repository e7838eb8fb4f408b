//! The comments of Liquibase's formatted SQL, line by line.
//!
//! Liquibase 5, `AbstractFormattedChangeLogParser.java`: capitals make no difference, and blanks may stand before and behind `--`.

use super::Mark;

/// Words behind `--` that say something of a change, and what must follow them.
const NOTES: &[&str] = &["comment", "comments", "preconditions", "validchecksum", "property"];

pub(super) fn read(line: &str) -> Option<Mark> {
    let bare = line.trim_start();
    if let Some(text) = bare.strip_prefix("/*") {
        let mut words = text.split_whitespace();
        let is = |word: Option<&str>, wanted: &str| word.is_some_and(|word| word.eq_ignore_ascii_case(wanted));
        let begins = is(words.next(), "liquibase") && is(words.next(), "rollback") && words.next().is_none();
        return begins.then_some(Mark::BackBegin);
    }
    let text = bare.strip_prefix("--")?.trim_start();
    let length = text.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (word, rest) = (text[..length].to_ascii_lowercase(), &text[length..]);
    match word.as_str() {
        "changeset" if rest.trim().is_empty() || rest.starts_with(char::is_whitespace) => Some(Mark::Change),
        "rollback" if rest.starts_with(' ') => Some(Mark::BackLine { start: line.len() - rest.len() + 1 }),
        "ignorelines" => match rest.strip_prefix(':')?.trim_end() {
            "start" => Some(Mark::IgnoreBegin),
            "end" => Some(Mark::IgnoreEnd),
            count => Some(count.parse().map_or(Mark::Unknown, Mark::Ignore)),
        },
        "precondition" if rest.starts_with('-') => Some(Mark::Note),
        "liquibase" if rest.trim_start().get(..9).is_some_and(|word| word.eq_ignore_ascii_case("formatted")) => {
            Some(Mark::Note)
        }
        word if NOTES.contains(&word) && (rest.is_empty() || rest.starts_with([' ', '\t', ':', '\r', '\n'])) => {
            Some(Mark::Note)
        }
        _ => None,
    }
}

/// Where a comment ends that ends with this line: the offset of `*/`.
pub(super) fn comment_end(line: &[u8]) -> Option<usize> {
    let bare = line.trim_ascii_end();
    bare.ends_with(b"*/").then(|| bare.len() - 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_liquibase_reads_them() {
        for (line, expected) in [
            ("--changeset a:1", Some(Mark::Change)),
            (" --  ChangeSet a:1 runAlways:true\r\n", Some(Mark::Change)),
            ("--changesets are parts", None),
            ("--rollback drop table a;\n", Some(Mark::BackLine { start: 11 })),
            ("  -- ROLLBACK not required", Some(Mark::BackLine { start: 14 })),
            ("--rollback", None),
            ("/* liquibase rollback\n", Some(Mark::BackBegin)),
            ("/*liquibase rollback */", None),
            ("/* a comment */", None),
            ("--comment: why", Some(Mark::Note)),
            ("--comment why", Some(Mark::Note)),
            ("--commented out", None),
            ("--preconditions onFail:HALT", Some(Mark::Note)),
            ("--precondition-sql-check expectedResult:0 select 1", Some(Mark::Note)),
            ("--validCheckSum: ANY", Some(Mark::Note)),
            ("--property name:a value:b", Some(Mark::Note)),
            ("--liquibase formatted sql", Some(Mark::Note)),
            ("--liquibase is a tool", None),
            ("--ignoreLines:3\n", Some(Mark::Ignore(3))),
            ("--ignoreLines:start", Some(Mark::IgnoreBegin)),
            ("--ignoreLines:end", Some(Mark::IgnoreEnd)),
            ("--ignoreLines:x", Some(Mark::Unknown)),
            ("select 1; --rollback x", None),
            ("", None),
        ] {
            assert_eq!(read(line), expected, "{line:?}");
        }
    }
}
