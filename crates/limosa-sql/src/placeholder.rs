//! `${name}` in scripts, or what their marks are: found by the lexer's rules, replaced per statement, with a map back to the file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::lexer::{Kind, Lexer, Reading, Step, Token};
use crate::{Dialect, Engine, PlaceholderMarks};

/// What became of a statement whose placeholders were replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded {
    /// The text to send.
    pub text: String,
    /// Pairs (byte offset in `text`, byte offset in the original), ascending: each says where a run begins. Runs are
    /// in turn unchanged (the first, third, ...; they may be empty) and replaced (the second, fourth, ...). Empty where
    /// nothing was replaced.
    pub map: Vec<(usize, usize)>,
    /// Names that were used, each once, in order of their first use.
    pub used: Vec<String>,
}

impl Expanded {
    /// The byte offset in the original statement for a byte offset in the expanded text. All of a replaced value leads
    /// to the `$` of its placeholder.
    pub fn original_offset(&self, offset: usize) -> usize {
        let run = self.map.partition_point(|(start, _)| *start <= offset);
        let Some(run) = run.checked_sub(1) else { return offset };
        let (start, original) = self.map[run];
        if run % 2 == 0 { original + (offset - start) } else { original }
    }
}

/// A placeholder that has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPlaceholder {
    /// Its name; with `:form` where the form is not known.
    pub name: String,
    /// Byte offset of `${` in the statement.
    pub offset: usize,
    /// What the script says for that case.
    pub message: Option<String>,
}

/// Replaces `${name}` (as is), `${name:identifier}` (quoted as an identifier) and `${name:literal}` (quoted as a text constant)
/// everywhere but in comments.
///
/// Names are `[A-Za-z_][A-Za-z0-9_.-]*`. The `$` that ends the delimiter of a dollar-quoted string begins no
/// placeholder: `$${"a": 1}$$` and `$json${x}$json$` stay as they are, while placeholders inside the string, its
/// comments included, are replaced.
///
/// # Errors
/// The first placeholder without a value.
pub fn expand(
    dialect: impl Into<Dialect>,
    statement: &str,
    values: &BTreeMap<String, String>,
) -> Result<Expanded, UnknownPlaceholder> {
    let dialect = dialect.into();
    let engine = dialect.engine();
    let mut expanded = Expanded { text: String::with_capacity(statement.len()), map: Vec::new(), used: Vec::new() };
    let mut done = 0;
    for found in find(dialect, statement) {
        let unknown = || UnknownPlaceholder { name: found.name.to_owned(), offset: found.start, message: None };
        let (name, replaced) = match found.replaced(engine, values) {
            Some(replaced) => replaced,
            // psql leaves what it has no value for as it stands.
            None if dialect.marks().are_psql() && !values.contains_key(found.name) => continue,
            None => return Err(unknown()),
        };
        expanded.map.push((expanded.text.len(), done));
        expanded.text.push_str(&statement[done..found.start]);
        expanded.map.push((expanded.text.len(), found.start));
        expanded.text.push_str(&replaced);
        done = found.end;
        if !expanded.used.iter().any(|used| used == name) {
            expanded.used.push(name.to_owned());
        }
    }
    if done > 0 {
        expanded.map.push((expanded.text.len(), done));
    }
    expanded.text.push_str(&statement[done..]);
    Ok(expanded)
}

/// Data of COPY with the values of its placeholders: nothing in it is a comment, and bytes that are no UTF-8 stay as they are.
///
/// # Errors
/// The first placeholder without a value.
pub fn expand_data(
    dialect: impl Into<Dialect>,
    data: &[u8],
    values: &BTreeMap<String, String>,
) -> Result<Vec<u8>, UnknownPlaceholder> {
    let dialect = dialect.into();
    let mut expanded = Vec::with_capacity(data.len());
    for chunk in data.utf8_chunks() {
        let (text, mut done) = (chunk.valid(), 0);
        for found in inside(dialect.marks(), text, 0) {
            let unknown = || UnknownPlaceholder { name: found.name.to_owned(), offset: 0, message: None };
            let (_, replaced) = found.replaced(dialect.engine(), values).ok_or_else(unknown)?;
            expanded.extend_from_slice(&text.as_bytes()[done..found.start]);
            expanded.extend_from_slice(replaced.as_bytes());
            done = found.end;
        }
        expanded.extend_from_slice(&text.as_bytes()[done..]);
        expanded.extend_from_slice(chunk.invalid());
    }
    Ok(expanded)
}

/// The placeholders of data of COPY, as [`expand_data`] replaces them: the names without their forms, and the lines of the data, from 0.
pub fn placeholders_in_data(dialect: impl Into<Dialect>, data: &[u8]) -> Vec<(String, u64)> {
    let marks = dialect.into().marks();
    let (mut names, mut line) = (Vec::new(), 0);
    for chunk in data.utf8_chunks() {
        let (text, mut counted) = (chunk.valid(), 0);
        for found in inside(marks, text, 0) {
            line += text[counted..found.start].matches('\n').count() as u64;
            counted = found.start;
            names.push((found.bare_name().to_owned(), line));
        }
        line += text[counted..].matches('\n').count() as u64;
    }
    names
}

/// The placeholders of a statement in order: the name (without its form, where that is known), and the byte offset of `${`.
pub fn placeholders(dialect: impl Into<Dialect>, statement: &str) -> Vec<(String, usize)> {
    let name = |found: Found<'_>| (found.bare_name().to_owned(), found.start);
    // `[1:n]` is a slice for psql where `n` has no value: that it lacks one is not certain.
    find(dialect.into(), statement).into_iter().filter(|found| !found.is_in_brackets).map(name).collect()
}

/// A statement with its placeholders written as `${name}`, for those who look at nothing but what it does.
pub fn in_usual_marks(dialect: impl Into<Dialect>, statement: &str) -> Cow<'_, str> {
    let dialect = dialect.into();
    if dialect.marks().are_usual() {
        return Cow::Borrowed(statement);
    }
    let (mut text, mut done) = (String::with_capacity(statement.len()), 0);
    for found in find(dialect, statement) {
        text.push_str(&statement[done..found.start]);
        let usual = PlaceholderMarks::default();
        match found.form {
            "" => text.push_str(&usual.written(found.name)),
            form => text.push_str(&usual.written(&format!("{}:{form}", found.name))),
        }
        done = found.end;
    }
    text.push_str(&statement[done..]);
    Cow::Owned(text)
}

/// A placeholder: `${` at `start`, the text behind `}` at `end`.
struct Found<'a> {
    start: usize,
    end: usize,
    name: &'a str,
    /// How its value is quoted, where its marks say that; else empty.
    form: &'static str,
    is_in_brackets: bool,
}

impl<'a> Found<'a> {
    /// Its name without its form, where that is known.
    fn bare_name(&self) -> &'a str {
        match self.name.rsplit_once(':') {
            Some((name, "identifier" | "literal")) => name,
            _ => self.name,
        }
    }

    /// The name that has the value, and what stands in its place; None where it has none, or no such form.
    fn replaced(&self, engine: Engine, values: &BTreeMap<String, String>) -> Option<(&'a str, String)> {
        // A name of a namespace, such as `flyway:user`, looks like one with a form.
        let (name, form) = match self.name.rsplit_once(':') {
            Some((name, form)) if !values.contains_key(self.name) => (name, form),
            _ => (self.name, self.form),
        };
        let value = values.get(name)?;
        let replaced = match form {
            "" => value.clone(),
            "identifier" => engine.quote_identifier(value),
            "literal" => engine.quote_literal(value),
            _ => return None,
        };
        Some((name, replaced))
    }
}

fn find(dialect: Dialect, statement: &str) -> Vec<Found<'_>> {
    let marks = dialect.marks();
    if !statement.contains(marks.prefix()) {
        return Vec::new();
    }
    if marks.are_psql() {
        return psql_variables(dialect, statement);
    }
    let mut found = Vec::new();
    for token in tokens_of(dialect, statement) {
        let text = &statement[token.start..token.end];
        match token.kind {
            Kind::LineComment | Kind::BlockComment | Kind::Space | Kind::Word => {}
            Kind::DollarText(length) => {
                let body = &text[length..text.len() - length];
                let ends = |one: &Found<'_>| {
                    marks.prefix().starts_with('$') && ends_delimiter(body, one.start - token.start - length)
                };
                found.extend(inside(marks, body, token.start + length).into_iter().filter(|one| !ends(one)));
            }
            _ => found.extend(inside(marks, text, token.start)),
        }
    }
    found
}

/// The variables of psql's in a statement.
fn psql_variables(dialect: Dialect, statement: &str) -> Vec<Found<'_>> {
    let (mut found, mut brackets) = (Vec::new(), 0_usize);
    for Token { kind, start, end } in tokens_of(dialect, statement) {
        match kind {
            Kind::Symbol(b'[') => brackets += 1,
            Kind::Symbol(b']') => brackets = brackets.saturating_sub(1),
            Kind::Placeholder if statement[start..].starts_with(':') => {
                let written = &statement[start + 1..end];
                let form = match written.as_bytes().first() {
                    Some(b'\'') => "literal",
                    Some(b'"') => "identifier",
                    _ => "",
                };
                let name = written.trim_matches(['\'', '"']);
                found.push(Found { start, end, name, form, is_in_brackets: brackets > 0 });
            }
            _ => {}
        }
    }
    found
}

/// The tokens of a statement; all of it as one where something is never closed.
pub(crate) fn tokens_of(dialect: impl Into<Dialect>, statement: &str) -> Vec<Token> {
    let dialect = dialect.into();
    // A setting that is not known here decides whether backslashes escape in plain strings; the reading that closes
    // all strings is the right one.
    let usual = Reading::of(dialect.engine());
    tokens(dialect, statement, usual)
        .or_else(|| tokens(dialect, statement, Reading { backslashes: !usual.backslashes, ..usual }))
        .unwrap_or_else(|| vec![Token { kind: Kind::Number, start: 0, end: statement.len() }])
}

/// The tokens of a statement; None where something is never closed.
fn tokens(dialect: Dialect, statement: &str, reading: Reading) -> Option<Vec<Token>> {
    let mut lexer = Lexer::new(dialect.engine(), reading);
    lexer.set_marks(dialect.marks());
    let mut tokens = Vec::new();
    loop {
        match lexer.next(statement.as_bytes(), true) {
            Step::Token(token) => tokens.push(token),
            Step::End => return Some(tokens),
            Step::More | Step::Unclosed(..) => return None,
        }
    }
}

/// All placeholders in a text that is no code, which begins at `offset` of the statement.
fn inside(marks: PlaceholderMarks, text: &str, offset: usize) -> Vec<Found<'_>> {
    let (prefix, suffix) = (marks.prefix().to_owned(), marks.suffix().to_owned());
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(behind) = text[at..].find(&prefix) {
        let start = at + behind;
        let first = text[start..].chars().next().map_or(1, char::len_utf8);
        let inner = &text[start + prefix.len()..];
        match inner.find(&suffix).map(|end| &inner[..end]).filter(|name| marks.is_name(name)) {
            Some(name) => {
                at = start + prefix.len() + name.len() + suffix.len();
                found.push(Found { start: offset + start, end: offset + at, name, form: "", is_in_brackets: false });
            }
            None => at = start + first,
        }
    }
    found
}

/// True where the `$` at `at` ends a delimiter `$$` or `$tag$` of a string within this dollar-quoted body: one that
/// stands elsewhere in the body too, as the other end.
fn ends_delimiter(body: &str, at: usize) -> bool {
    let before = &body[..at];
    let tag = before.rfind(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
    let Some(open) = tag.filter(|&open| before[open..].starts_with('$')) else { return false };
    let delimiter = &body[open..=at];
    let is_tag = !before[open + 1..].starts_with(|letter: char| letter.is_ascii_digit());
    is_tag && (body[at + 1..].contains(delimiter) || before[..open].contains(delimiter))
}
