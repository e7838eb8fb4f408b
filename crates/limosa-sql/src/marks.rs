//! How placeholders are written: `${name}`, or what Flyway's settings `placeholderPrefix` and its like say instead.

use serde::{Deserialize, Serialize};

/// The longest mark, in bytes.
const LONGEST: usize = 15;

/// What built-in placeholders begin with, before the separator.
const NAMESPACE: &str = "flyway";

/// A mark, in place: scripts are read byte by byte with these at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Mark {
    /// Of a text that is not too long; what is too much is left out.
    const fn of(text: &str) -> Mark {
        let (from, mut bytes, mut length) = (text.as_bytes(), [0; LONGEST], 0);
        while length < from.len() && length < LONGEST {
            bytes[length] = from[length];
            length += 1;
        }
        Mark { bytes, length }
    }

    fn text(&self) -> &str {
        // It was made of a text.
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// How placeholders are written in a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "[String; 3]", try_from = "[String; 3]")]
pub struct PlaceholderMarks {
    prefix: Mark,
    suffix: Mark,
    separator: Mark,
}

/// Why marks make no sense; the text names which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadMarks {
    /// Nothing tells where a placeholder begins or ends.
    Empty(&'static str),
    /// It is longer than limosa looks.
    Long(&'static str),
    /// No placeholder goes over lines, and none begins with a blank.
    Blank(&'static str),
}

impl std::fmt::Display for BadMarks {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BadMarks::Empty(which) => {
                write!(formatter, "the {which} is empty, so that no placeholder can be told from other text")
            }
            BadMarks::Long(which) => write!(formatter, "the {which} is longer than {LONGEST} bytes"),
            BadMarks::Blank(which) => write!(formatter, "the {which} holds the end of a line, or begins with a blank"),
        }
    }
}

impl std::error::Error for BadMarks {}

const USUAL: PlaceholderMarks =
    PlaceholderMarks { prefix: Mark::of("${"), suffix: Mark::of("}"), separator: Mark::of(":") };

/// psql's variables: `:name`, `:'name'` and `:"name"`. They have no mark behind the name, which no other spelling goes without.
const PSQL: PlaceholderMarks =
    PlaceholderMarks { prefix: Mark::of(":"), suffix: Mark::of(""), separator: Mark::of(":") };

impl Default for PlaceholderMarks {
    fn default() -> PlaceholderMarks {
        USUAL
    }
}

impl PlaceholderMarks {
    /// Marks before and behind a name, and between the parts of the names of built-in placeholders (`flyway:user`).
    ///
    /// # Errors
    /// [`BadMarks`].
    pub fn new(prefix: &str, suffix: &str, separator: &str) -> Result<PlaceholderMarks, BadMarks> {
        let mark = |text: &str, which: &'static str| {
            if text.is_empty() {
                return Err(BadMarks::Empty(which));
            }
            if text.contains(['\n', '\r']) || (which == "prefix" && text.starts_with(char::is_whitespace)) {
                return Err(BadMarks::Blank(which));
            }
            if text.len() > LONGEST { Err(BadMarks::Long(which)) } else { Ok(Mark::of(text)) }
        };
        let (prefix, suffix) = (mark(prefix, "prefix")?, mark(suffix, "suffix")?);
        Ok(PlaceholderMarks { prefix, suffix, separator: mark(separator, "separator")? })
    }

    /// True for `${name}` and `${flyway:name}`.
    pub fn are_usual(&self) -> bool {
        *self == USUAL
    }

    /// The variables of psql: replaced outside of strings, comments and quoted names only, and only those that have a value.
    pub fn psql() -> PlaceholderMarks {
        PSQL
    }

    /// True for those of [`PlaceholderMarks::psql`].
    pub fn are_psql(&self) -> bool {
        *self == PSQL
    }

    /// What stands before a name.
    pub fn prefix(&self) -> &str {
        self.prefix.text()
    }

    /// What stands behind a name.
    pub fn suffix(&self) -> &str {
        self.suffix.text()
    }

    /// What stands behind `flyway` in the names of built-in placeholders.
    pub fn separator(&self) -> &str {
        self.separator.text()
    }

    pub(crate) fn prefix_bytes(&self) -> &[u8] {
        self.prefix.bytes()
    }

    pub(crate) fn suffix_bytes(&self) -> &[u8] {
        self.suffix.bytes()
    }

    /// A placeholder as scripts write it.
    pub fn written(&self, name: &str) -> String {
        format!("{}{name}{}", self.prefix(), self.suffix())
    }

    /// The name of a built-in placeholder, such as `flyway:user`.
    pub fn built_in(&self, name: &str) -> String {
        format!("{NAMESPACE}{}{name}", self.separator.text())
    }

    /// True for the name of a placeholder, with its form (`name:literal`) or without.
    pub(crate) fn is_name(&self, name: &str) -> bool {
        if name.len() > 253 {
            return false;
        }
        let is_built_in = |name: &str| {
            let word = name.strip_prefix(NAMESPACE).and_then(|rest| rest.strip_prefix(self.separator.text()));
            word.is_some_and(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic()))
        };
        let is_plain = |name: &str| {
            let first = name.bytes().next();
            first.is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
        };
        let is_form = |form: &str| !form.is_empty() && form.bytes().all(|byte| byte.is_ascii_alphabetic());
        match name.rsplit_once(':') {
            // With the usual separator what stands behind it is the form.
            Some((name, form))
                if is_form(form) && (is_plain(name) || (is_built_in(name) && self.separator != USUAL.separator)) =>
            {
                true
            }
            _ => is_plain(name) || is_built_in(name),
        }
    }
}

impl From<PlaceholderMarks> for [String; 3] {
    fn from(marks: PlaceholderMarks) -> [String; 3] {
        [marks.prefix, marks.suffix, marks.separator].map(|mark| mark.text().to_owned())
    }
}

impl TryFrom<[String; 3]> for PlaceholderMarks {
    type Error = BadMarks;

    fn try_from([prefix, suffix, separator]: [String; 3]) -> Result<PlaceholderMarks, BadMarks> {
        if suffix.is_empty() && prefix == PSQL.prefix() {
            return Ok(PSQL);
        }
        PlaceholderMarks::new(&prefix, &suffix, &separator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_told_and_refused() {
        assert!(PlaceholderMarks::new("${", "}", ":").unwrap().are_usual());
        let marks = PlaceholderMarks::new("#[", "]", "__").unwrap();
        assert!(!marks.are_usual());
        assert_eq!((marks.written("a"), marks.built_in("user")), ("#[a]".to_owned(), "flyway__user".to_owned()));
        for (prefix, suffix, separator, expected) in [
            ("", "}", ":", BadMarks::Empty("prefix")),
            ("${", "", ":", BadMarks::Empty("suffix")),
            ("${", "}", "", BadMarks::Empty("separator")),
            ("1234567890123456", "}", ":", BadMarks::Long("prefix")),
            (" {", "}", ":", BadMarks::Blank("prefix")),
            ("{", "\n", ":", BadMarks::Blank("suffix")),
        ] {
            assert_eq!(PlaceholderMarks::new(prefix, suffix, separator), Err(expected));
        }
    }

    #[test]
    fn names() {
        let marks = PlaceholderMarks::new("#[", "]", "/").unwrap();
        for name in ["a", "_a.b-c9", "a:literal", "flyway/user", "flyway/user:literal"] {
            assert!(marks.is_name(name), "{name}");
        }
        for name in ["", "9", "a b", "a:", "a:9", "flyway/", "flyway/a b", "other/user", "\u{e4}"] {
            assert!(!marks.is_name(name), "{name}");
        }
    }
}
