//! Which lines of a change Liquibase takes for its SQL: what its checksums are of. As exact as its own patterns, which are pickier about
//! blanks than what limosa reads.
//!
//! Liquibase 4.33 and 5, `AbstractFormattedChangeLogParser.java`, `FormattedSqlChangeLogParser.java`.

/// The SQL of a change, its lines joined by LF, from what stands below `--changeset`.
pub(super) fn sql_of(part: &str) -> String {
    let mut sql = String::with_capacity(part.len());
    let mut block = Block::Open;
    for line in lines(part) {
        block = match block {
            Block::Back if line.trim_end_matches(is_space).ends_with("*/") => Block::Open,
            Block::Ignored(1) => Block::Open,
            Block::Ignored(left) => Block::Ignored(left - 1),
            Block::IgnoredToEnd if ignored(line) == Some("end") => Block::Open,
            Block::Back | Block::IgnoredToEnd => block,
            Block::Open => match ignored(line).map(str::parse) {
                Some(Ok(0)) => Block::Open,
                Some(Ok(count)) => Block::Ignored(count),
                Some(Err(_)) => Block::IgnoredToEnd,
                None if begins_way_back(line) => Block::Back,
                None => {
                    if !is_note(line) {
                        sql.push_str(line);
                        sql.push('\n');
                    }
                    Block::Open
                }
            },
        };
    }
    sql
}

/// Lines that are read together.
#[derive(Clone, Copy)]
enum Block {
    Open,
    /// Up to the end of the comment.
    Back,
    /// So many more.
    Ignored(u64),
    /// Up to `--ignoreLines:end`.
    IgnoredToEnd,
}

/// Lines as Java reads them: a CR ends one, too.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(['\r', '\n']).unwrap_or(rest.len());
        let (line, behind) = rest.split_at(end);
        rest = behind.strip_prefix("\r\n").or_else(|| behind.get(1..)).unwrap_or("");
        Some(line)
    })
}

/// What Java's `\s` means.
fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r')
}

/// What stands behind `--`, blanks, and this word.
fn behind<'l>(line: &'l str, word: &str) -> Option<&'l str> {
    let text = line.strip_prefix("--")?.trim_start_matches(is_space);
    text.get(..word.len()).filter(|found| found.eq_ignore_ascii_case(word)).map(|_| &text[word.len()..])
}

/// What a line `--word: value` says, with or without the colon.
pub(super) fn valued<'l>(line: &'l str, word: &str) -> Option<&'l str> {
    let rest = behind(line, word)?;
    rest.strip_prefix(':').unwrap_or(rest).strip_prefix(' ')
}

/// True for a line that says something of the change, and is no SQL.
fn is_note(line: &str) -> bool {
    let bare = line.trim_start_matches(is_space);
    let is_precondition = || {
        let rest = behind(bare, "precondition-")?;
        let kind = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-')?;
        (kind > 0 && rest[kind..].starts_with(' ')).then_some(())
    };
    valued(line, "comment").is_some()
        || valued(line, "validCheckSum").is_some()
        || behind(bare, "rollback").is_some_and(|rest| rest.starts_with(' '))
        || behind(bare, "preconditions").is_some()
        || is_precondition().is_some()
        || is_property(bare)
}

/// True for `--property name:x value:y`: two pairs, with blanks between.
fn is_property(bare: &str) -> bool {
    let Some(rest) = behind(bare, "property").filter(|rest| rest.starts_with(is_space)) else { return false };
    let (Some(first), Some(last)) = (rest.find(':'), rest.rfind(':')) else { return false };
    rest[first..last].contains(is_space)
}

/// What `--ignoreLines:` says: a number, `start` or `end`.
fn ignored(line: &str) -> Option<&str> {
    let what = behind(line, "ignoreLines:")?;
    (!what.is_empty() && what.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')).then_some(what)
}

/// True for `/* liquibase rollback`.
fn begins_way_back(line: &str) -> bool {
    let word = |text: &'static str| {
        move |rest: &str| {
            let rest = rest.trim_start_matches(is_space);
            let found = rest.get(..text.len()).filter(|found| found.eq_ignore_ascii_case(text));
            found.map(|_| rest[text.len()..].to_owned())
        }
    };
    let rest = word("/*")(line).as_deref().and_then(word("liquibase")).as_deref().and_then(word("rollback"));
    rest.is_some_and(|rest| rest.chars().all(is_space))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_no_sql() {
        for (line, expected) in [
            ("--comment: why", true),
            ("-- COMMENT why", true),
            ("  --comment indented", false),
            ("--comment:tight", false),
            ("--validCheckSum: ANY", true),
            ("--validCheckSum:1:any", false),
            ("  -- rollback drop table a;", true),
            ("--rollback", false),
            ("--preconditions", true),
            ("  --precondition-sql-check expectedResult:0 select 1", true),
            ("--precondition- x", false),
            ("--property name:a value:b", true),
            ("--property name:a", false),
            ("--properties a:b c:d", false),
            ("-- words", false),
            ("--", false),
            ("-", false),
            ("select 1; --comment x", false),
        ] {
            assert_eq!(is_note(line), expected, "{line:?}");
        }
    }

    #[test]
    fn blocks_are_left_out_with_their_ends() {
        for (part, expected) in [
            ("a;\r\n--ignoreLines:2\r\nb;\r\nc;\r\nd;", "a;\nd;\n"),
            ("--ignoreLines:start\n--changeset no:1\nb;\n--ignoreLines:end\nc;\n", "c;\n"),
            ("--ignoreLines:start\na;\n", ""),
            ("a;\n/* liquibase rollback\ndrop a;\n drop b; */  \nb;", "a;\nb;\n"),
            ("/* liquibase rollback */\na;", "/* liquibase rollback */\na;\n"),
            ("-- x\ra;\r--rollback no;\rb;\n", "-- x\na;\nb;\n"),
            ("\n\na;\n", "\n\na;\n"),
            ("", ""),
        ] {
            assert_eq!(sql_of(part), expected, "{part:?}");
        }
    }
}
