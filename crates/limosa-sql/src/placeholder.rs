//! `${name}` in scripts: found by the lexer's rules, replaced per statement, with a map back to the file.

use std::collections::BTreeMap;

use crate::Engine;
use crate::lexer::{Kind, Lexer, Reading, Step, Token};

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
    engine: Engine,
    statement: &str,
    values: &BTreeMap<String, String>,
) -> Result<Expanded, UnknownPlaceholder> {
    let mut expanded = Expanded { text: String::with_capacity(statement.len()), map: Vec::new(), used: Vec::new() };
    let mut done = 0;
    for found in find(engine, statement) {
        let unknown = || UnknownPlaceholder { name: found.name.to_owned(), offset: found.start, message: None };
        // A name of a namespace, such as `flyway:user`, looks like one with a form.
        let (name, form) = match found.name.split_once(':') {
            Some((name, form)) if !values.contains_key(found.name) => (name, form),
            _ => (found.name, ""),
        };
        let value = values.get(name).ok_or_else(unknown)?;
        let replaced = match form {
            "" => value.clone(),
            "identifier" => engine.quote_identifier(value),
            "literal" => engine.quote_literal(value),
            _ => return Err(unknown()),
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

/// The placeholders of a statement in order: the name (without its form, where that is known), and the byte offset of `${`.
pub fn placeholders(engine: Engine, statement: &str) -> Vec<(String, usize)> {
    let name = |found: Found<'_>| {
        let name = match found.name.split_once(':') {
            Some((name, "identifier" | "literal")) => name,
            _ => found.name,
        };
        (name.to_owned(), found.start)
    };
    find(engine, statement).into_iter().map(name).collect()
}

/// A placeholder: `${` at `start`, the text behind `}` at `end`.
struct Found<'a> {
    start: usize,
    end: usize,
    name: &'a str,
}

fn find(engine: Engine, statement: &str) -> Vec<Found<'_>> {
    if !statement.contains("${") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for token in tokens_of(engine, statement) {
        let text = &statement[token.start..token.end];
        match token.kind {
            Kind::LineComment | Kind::BlockComment | Kind::Space | Kind::Word => {}
            Kind::DollarText(length) => {
                let body = &text[length..text.len() - length];
                let within = inside(body, token.start + length);
                found.extend(within.into_iter().filter(|one| !ends_delimiter(body, one.start - token.start - length)));
            }
            _ => found.extend(inside(text, token.start)),
        }
    }
    found
}

/// The tokens of a statement; all of it as one where something is never closed.
pub(crate) fn tokens_of(engine: Engine, statement: &str) -> Vec<Token> {
    // A setting that is not known here decides whether backslashes escape in plain strings; the reading that closes
    // all strings is the right one.
    let usual = Reading::of(engine);
    tokens(engine, statement, usual)
        .or_else(|| tokens(engine, statement, Reading { backslashes: !usual.backslashes, ..usual }))
        .unwrap_or_else(|| vec![Token { kind: Kind::Number, start: 0, end: statement.len() }])
}

/// The tokens of a statement; None where something is never closed.
fn tokens(engine: Engine, statement: &str, reading: Reading) -> Option<Vec<Token>> {
    let mut lexer = Lexer::new(engine, reading);
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
fn inside(text: &str, offset: usize) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(dollar) = text[at..].find("${") {
        let start = at + dollar;
        at = start + 2;
        if let Some(name) = name_at(&text[at..]) {
            at += name.len() + 1;
            found.push(Found { start: offset + start, end: offset + at, name });
        }
    }
    found
}

/// `name` or `name:form` before a `}`.
fn name_at(text: &str) -> Option<&str> {
    let name = &text[..text.find('}')?];
    let (plain, form) = name.split_once(':').unwrap_or((name, "form"));
    let first = plain.bytes().next()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let well_named = (first.is_ascii_alphabetic() || first == b'_') && plain.bytes().all(fits);
    let well_formed = !form.is_empty() && form.bytes().all(|byte| byte.is_ascii_alphabetic());
    (well_named && well_formed && name.len() <= 253).then_some(name)
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
