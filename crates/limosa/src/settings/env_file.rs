//! Env files: lines of `NAME=VALUE`, as many tools write them.
//!
//! `export` in front is allowed. `#` begins a comment at the start of a line or behind a blank. A value in single quotes
//! stands for itself; in double quotes `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are escapes; quoted values may span lines.
//! Nothing is expanded. The last of two equal names counts.

use std::collections::BTreeMap;

use limosa_sql::{Diagnostic, Label, Position};

use super::codes;

/// A variable of an env file.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) value: String,
    /// The line of its name, from 1.
    pub(super) line: u64,
}

/// Reads an env file. No message repeats what stands in a line: it may be a secret.
pub(super) fn parse(file: &str, text: &str) -> (BTreeMap<String, Line>, Vec<Diagnostic>) {
    let mut found = BTreeMap::new();
    let mut problems = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rest = text;
    let mut line = 1;
    while !rest.is_empty() {
        let (outcome, after) = entry(rest);
        match outcome {
            Ok(Some((name, value))) => {
                found.insert(name.to_owned(), Line { value, line });
            }
            Ok(None) => {}
            Err(problem) => {
                let label = Label::place(file, Position { line, column: 1 });
                problems.push(Diagnostic::error(codes::ENV_FILE_LINE, problem.0).at(label).help(problem.1));
            }
        }
        line += rest[..rest.len() - after.len()].matches('\n').count() as u64;
        rest = after;
    }
    (found, problems)
}

type Problem = (&'static str, &'static str);

/// A name with its value, or nothing.
type Entry<'a> = Result<Option<(&'a str, String)>, Problem>;

/// One entry, blank line or comment, and what follows it.
fn entry(text: &str) -> (Entry<'_>, &str) {
    let end = text.find('\n').map_or(text.len(), |at| at + 1);
    let (line, below) = text.split_at(end);
    let start = line.trim_start();
    if start.trim_end().is_empty() || start.starts_with('#') {
        return (Ok(None), below);
    }
    let start = match start.strip_prefix("export") {
        Some(after) if after.starts_with([' ', '\t']) => after.trim_start(),
        _ => start,
    };
    let name_end = start.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')));
    let (name, after) = start.split_at(name_end.unwrap_or(start.len()));
    let Some(value) = after.trim_start_matches([' ', '\t']).strip_prefix('=') else {
        return (Err(("a line of the env file is not NAME=VALUE", "write NAME=VALUE, and # before a comment")), below);
    };
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return (Err(("a line of the env file has no name", "a name begins with a letter or _")), below);
    }
    let value = value.trim_start_matches([' ', '\t']);
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
        return (Ok(Some((name, plain(value)))), below);
    };
    // Where the value begins in the whole text: a quoted one may go on below this line.
    let offset = text.len() - below.len() - value.len() + 1;
    let Some((value, after)) = quoted(&text[offset..], quote) else {
        return (Err(("a quoted value of the env file is not closed", "put its closing quote")), below);
    };
    let end = after.find('\n').map_or(after.len(), |at| at + 1);
    let behind = after[..end].trim();
    if !behind.is_empty() && !behind.starts_with('#') {
        let problem = ("something stands behind a quoted value of the env file", "put the whole value into the quotes");
        return (Err(problem), &after[end..]);
    }
    (Ok(Some((name, value))), &after[end..])
}

/// A value without quotes: up to the end of the line, or to a comment.
fn plain(text: &str) -> String {
    let comment = text.char_indices().find(|(at, c)| *c == '#' && (*at == 0 || text[..*at].ends_with([' ', '\t'])));
    text[..comment.map_or(text.len(), |(at, _)| at)].trim().to_owned()
}

fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            c if c == quote => return Some((value, &text[at + 1..])),
            '\\' if quote == '"' => match characters.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                c @ ('"' | '\\' | '$') => value.push(c),
                c => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines() {
        let text = "\u{feff}# comment\r\n\
            A=1\r\n\
            export B = two words  # comment\n\
            C=a#b\n\
            D=\n\
            E='single $X \\n' # comment\n\
            F=\"line\\none \\\"q\\\" \\$X \\d\"\n\
            G=\"first\n\
            second\"\n\
            \n\
            A=again\n\
            exported=yes\n\
            H='x'";
        let (found, problems) = parse(".env", text);
        assert_eq!(problems, Vec::new());
        let found: Vec<_> = found.iter().map(|(name, line)| (name.as_str(), line.value.as_str(), line.line)).collect();
        assert_eq!(
            found,
            [
                ("A", "again", 11),
                ("B", "two words", 3),
                ("C", "a#b", 4),
                ("D", "", 5),
                ("E", "single $X \\n", 6),
                ("F", "line\none \"q\" $X \\d", 7),
                ("G", "first\nsecond", 8),
                ("H", "x", 13),
                ("exported", "yes", 12),
            ]
        );
    }

    #[test]
    fn wrong_lines_are_named_but_not_shown() {
        let text = "A=1\ncanary\n1X=canary\nB='canary\nC=3\nD='x' canary\n= canary\n";
        let (found, problems) = parse(".env", text);
        let lines: Vec<_> =
            problems.iter().filter_map(|problem| problem.labels[0].position).map(|at| at.line).collect();
        // The quote of line 4 is closed in line 6.
        assert_eq!(lines, [2, 3, 4, 7]);
        assert!(!format!("{problems:?}").contains("canary"));
        assert_eq!(found.keys().collect::<Vec<_>>(), ["A"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_is_too_odd(text in "[A-C=\\\\'\"# \n\r\tx$é]{0,60}") {
            let (found, problems) = parse(".env", &text);
            let lines = text.lines().count() as u64 + 1;
            prop_assert!(found.values().all(|line| (1..=lines).contains(&line.line)));
            prop_assert!(problems.iter().all(|problem| problem.labels[0].position.is_some()));
        }

        #[test]
        fn a_double_quoted_value_is_read_as_it_was(value in any::<String>()) {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            let (found, problems) = parse(".env", &format!("X=\"{escaped}\"\nY=2"));
            prop_assert!(problems.is_empty());
            prop_assert_eq!(&found["X"].value, &value);
            prop_assert_eq!(&found["Y"].value, "2");
        }
    }
}
