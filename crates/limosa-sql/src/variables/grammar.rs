//! How variables are written in goose's files: mfridman/interpolate 0.0.2, `parser.go`.
//!
//! Beside that grammar `${NAME:identifier}` and `${NAME:literal}` are limosa's own, and `${NAME:?message}` is what the README of that
//! library says it would be. goose refuses all three.

use super::VariableFault;

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Text as it stands.
    Text(&'a str),
    /// `$$` or `\$`: one dollar sign.
    Dollar(&'a str),
    /// A variable.
    Variable(Variable<'a>),
}

/// A variable, and what becomes of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable<'a> {
    /// As it is written, with its dollar sign.
    pub(super) written: &'a str,
    pub(super) name: &'a str,
    pub(super) operation: Operation<'a>,
}

/// What becomes of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation<'a> {
    /// `$NAME`, `${NAME}`: it stands there as it is.
    Plain,
    /// `${NAME:identifier}`
    Identifier,
    /// `${NAME:literal}`
    Literal,
    /// `${NAME:-default}`, and without the colon `${NAME-default}`, which an empty value is a value for.
    Default { or_empty: bool, parts: Vec<Part<'a>> },
    /// `${NAME:?message}`, and without the colon `${NAME?message}`.
    Required { or_empty: bool, message: Vec<Part<'a>> },
    /// `${NAME:offset}`, `${NAME:offset:length}`, in bytes; negative ones count from its end.
    Cut { offset: i64, length: Option<i64> },
}

impl<'a> Variable<'a> {
    /// Names that it may read, each where it stands first.
    pub(super) fn names(&self, names: &mut Vec<&'a str>) {
        if !names.contains(&self.name) {
            names.push(self.name);
        }
        if let Operation::Default { parts, .. } | Operation::Required { message: parts, .. } = &self.operation {
            for part in parts {
                if let Part::Variable(variable) = part {
                    variable.names(names);
                }
            }
        }
    }
}

/// The parts of a text that ends with its line.
///
/// # Errors
/// What goose refuses, with its place.
pub(super) fn parts(line: &str) -> Result<Vec<Part<'_>>, VariableFault> {
    let mut reader = Reader { line, at: 0 };
    reader.parts(false)
}

struct Reader<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    /// What follows, up to a `}` where it stands within braces.
    fn parts(&mut self, in_braces: bool) -> Result<Vec<Part<'a>>, VariableFault> {
        let mut parts = Vec::new();
        while let Some(first) = self.rest().chars().next() {
            let (rest, start) = (self.rest(), self.at);
            if in_braces && first == '}' {
                break;
            }
            if rest.starts_with(r"\$") || rest.starts_with("$$") {
                self.at += 2;
                parts.push(Part::Dollar(&rest[..2]));
            } else if first == '$' && rest.len() > 1 && !rest.starts_with("$(") {
                parts.push(Part::Variable(self.variable()?));
            } else {
                let taken = if rest.starts_with(r"\\") || rest.starts_with("$(") { 2 } else { first.len_utf8() };
                let plain = |letter: char| !(matches!(letter, '$' | '\\') || (in_braces && letter == '}'));
                self.at += taken + length(&rest[taken..], plain);
                parts.push(Part::Text(&self.line[start..self.at]));
            }
        }
        Ok(parts)
    }

    fn variable(&mut self) -> Result<Variable<'a>, VariableFault> {
        let start = self.at;
        self.at += 1;
        let in_braces = self.rest().starts_with('{');
        self.at += usize::from(in_braces);
        let (rest, is_part) = (self.rest(), |letter: char| letter.is_alphanumeric() || letter == '_');
        // goose takes no name that begins with `_`; within braces it is a placeholder of limosa's.
        if !rest.starts_with(|first: char| first.is_alphabetic() || (in_braces && first == '_')) {
            let next = rest.chars().next().map_or(0, char::len_utf8);
            return Err(VariableFault { offset: start, length: self.at + next - start });
        }
        let name = &rest[..length(rest, is_part)];
        self.at += name.len();
        let operation = if in_braces { self.operation(start)? } else { Operation::Plain };
        Ok(Variable { written: &self.line[start..self.at], name, operation })
    }

    /// What stands behind the name, and the brace that ends it.
    fn operation(&mut self, start: usize) -> Result<Operation<'a>, VariableFault> {
        let rest = self.rest();
        let begins = [":-", ":?", "-", "?"].into_iter().find(|begin| rest.starts_with(begin));
        let operation = match begins {
            Some(begin) => {
                self.at += begin.len();
                let (parts, or_empty) = (self.parts(true)?, begin.starts_with(':'));
                match begin.ends_with('-') {
                    true => Operation::Default { or_empty, parts },
                    false => Operation::Required { or_empty, message: parts },
                }
            }
            None => {
                let end = rest.find('}').unwrap_or(rest.len());
                self.at += end;
                match of_colon(&rest[..end]) {
                    Some(operation) => operation,
                    None => return Err(self.fault(start)),
                }
            }
        };
        if !self.rest().starts_with('}') {
            return Err(self.fault(start));
        }
        self.at += 1;
        Ok(operation)
    }

    /// What begins at `start` and was read up to here is none.
    fn fault(&self, start: usize) -> VariableFault {
        let end = self.at + usize::from(self.rest().starts_with('}'));
        VariableFault { offset: start, length: end - start }
    }
}

/// What a text between the name and the brace asks for, where it is no default and no message.
fn of_colon(text: &str) -> Option<Operation<'static>> {
    let number = |text: &str| text.trim().parse::<i64>().ok();
    match text {
        "" => return Some(Operation::Plain),
        ":identifier" => return Some(Operation::Identifier),
        ":literal" => return Some(Operation::Literal),
        _ => {}
    }
    let text = text.strip_prefix(':')?;
    let (offset, length) = match text.split_once(':') {
        Some((offset, length)) => (offset, Some(number(length)?)),
        None => (text, None),
    };
    Some(Operation::Cut { offset: number(offset)?, length })
}

/// Bytes at the start of a text whose letters all fit.
fn length(text: &str, fits: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !fits(letter)).unwrap_or(text.len())
}
