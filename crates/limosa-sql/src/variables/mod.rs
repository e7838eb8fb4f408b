//! Variables as goose's files have them between `-- +goose ENVSUB ON` and `OFF`: line by line, with defaults, messages and parts of values.
//! Their values are those of placeholders, and they are replaced per statement, as placeholders are.

mod grammar;
mod lines;

use std::collections::BTreeMap;

use crate::Engine;
use crate::lexer::Kind;
use crate::placeholder::{Expanded, UnknownPlaceholder, tokens_of};
use grammar::{Operation, Part, Variable, parts};
pub use lines::VariableLines;

/// What looks like a variable and is none: goose refuses it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VariableFault {
    /// Byte offset of its first byte in the line, or in the statement.
    pub offset: usize,
    /// Bytes of it.
    pub length: usize,
}

/// A variable in a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundVariable {
    /// As it is written: `$NAME`, `${NAME:-default}`.
    pub written: String,
    /// Names that it may read: its own, and those within its default or message.
    pub names: Vec<String>,
    /// True where it stands for the value of its name as it is.
    pub is_plain: bool,
    /// True where it, or one within it, stands for a part of a value.
    pub is_cut: bool,
    /// Byte offset of its `$` in the statement.
    pub offset: usize,
}

/// What goose would refuse in a line.
pub fn variable_fault(line: &str) -> Option<VariableFault> {
    parts(line).err()
}

/// The value of one variable as it is written; see [`VariableLines::expand`].
///
/// # Errors
/// The variable has no value, or its part cannot be had. The offset is 0.
pub fn variable_value(
    engine: Engine,
    written: &str,
    values: &BTreeMap<String, String>,
) -> Result<String, UnknownPlaceholder> {
    match parts(written).as_deref() {
        Ok([Part::Variable(variable)]) => value(engine, variable, values),
        _ => Err(UnknownPlaceholder { name: written.to_owned(), offset: 0, message: None }),
    }
}

impl VariableLines {
    /// Replaces variables in the lines of a statement that goose replaces them in, comments apart. `first_line` is the line that the
    /// statement begins on. Elsewhere all of it stays as it is.
    ///
    /// `$NAME` and `${NAME}` need a value; goose puts nothing in the place of one that it does not know. `${NAME:-default}` takes the
    /// default where there is no value or an empty one, `${NAME-default}` only where there is none. Where `values` holds one for
    /// a variable as it is written, with its braces, that counts.
    ///
    /// # Errors
    /// The first variable that needs a value and has none.
    pub fn expand(
        &self,
        engine: Engine,
        statement: &str,
        first_line: u64,
        values: &BTreeMap<String, String>,
    ) -> Result<Expanded, UnknownPlaceholder> {
        let mut expanded = Expanded { text: String::with_capacity(statement.len()), map: Vec::new(), used: Vec::new() };
        let mut done = 0;
        for (start, part) in self.parts_of(engine, statement, first_line) {
            let (written, replaced) = match &part {
                Part::Text(_) => continue,
                Part::Dollar(written) => (*written, "$".to_owned()),
                Part::Variable(variable) => {
                    let replaced = value(engine, variable, values)
                        .map_err(|unknown| UnknownPlaceholder { offset: start, ..unknown })?;
                    let mut names = Vec::new();
                    variable.names(&mut names);
                    names.retain(|name| !expanded.used.iter().any(|used| used == name));
                    expanded.used.extend(names.into_iter().map(str::to_owned));
                    (variable.written, replaced)
                }
            };
            expanded.map.push((expanded.text.len(), done));
            expanded.text.push_str(&statement[done..start]);
            expanded.map.push((expanded.text.len(), start));
            expanded.text.push_str(&replaced);
            done = start + written.len();
        }
        if done > 0 {
            expanded.map.push((expanded.text.len(), done));
        }
        expanded.text.push_str(&statement[done..]);
        Ok(expanded)
    }

    /// The variables of a statement, in order.
    pub fn variables(&self, engine: Engine, statement: &str, first_line: u64) -> Vec<FoundVariable> {
        let found = self.parts_of(engine, statement, first_line).into_iter();
        found
            .filter_map(|(offset, part)| {
                let Part::Variable(variable) = part else { return None };
                let mut names = Vec::new();
                variable.names(&mut names);
                Some(FoundVariable {
                    written: variable.written.to_owned(),
                    names: names.into_iter().map(str::to_owned).collect(),
                    is_plain: matches!(
                        variable.operation,
                        Operation::Plain | Operation::Identifier | Operation::Literal
                    ),
                    is_cut: is_cut(&variable),
                    offset,
                })
            })
            .collect()
    }

    /// PostgreSQL: a dollar sign that begins or ends a string for limosa, and of which goose makes something else: a statement that
    /// would be cut at the wrong places.
    pub fn misread(&self, engine: Engine, statement: &str, first_line: u64) -> Option<VariableFault> {
        if engine != Engine::Postgres || self.is_empty() || !statement.contains('$') {
            return None;
        }
        let mut place = Place { statement, offset: 0, line: first_line };
        tokens_of(engine, statement).into_iter().find_map(|token| {
            let Kind::DollarText(length) = token.kind else { return None };
            // An escaped one must be replaced at both its ends.
            let is_escaped = statement[token.start..].starts_with('\\');
            let ends = [token.start, token.end - length].map(|offset| (offset, self.contains(place.go_to(offset))));
            let is_one_inside = ends.iter().any(|(_, is_inside)| *is_inside);
            let (offset, _) = ends.into_iter().find(|(_, is_inside)| *is_inside != is_escaped)?;
            is_one_inside.then_some(VariableFault { offset, length })
        })
    }

    /// The parts of those lines that goose replaces something in, comments apart, with their offsets.
    fn parts_of<'a>(&self, engine: Engine, statement: &'a str, first_line: u64) -> Vec<(usize, Part<'a>)> {
        let mut found = Vec::new();
        if self.is_empty() || !statement.contains('$') {
            return found;
        }
        let mut place = Place { statement, offset: 0, line: first_line };
        for (start, end) in outside_of_comments(engine, statement) {
            let mut at = start;
            for line in statement[start..end].split_inclusive('\n') {
                let mut offset = at;
                at += line.len();
                if !line.contains('$') || !self.contains(place.go_to(offset)) {
                    continue;
                }
                // What goose refuses was told when the file was read.
                for part in parts(line.trim_end_matches(['\n', '\r'])).unwrap_or_default() {
                    let written = match &part {
                        Part::Text(written) | Part::Dollar(written) => *written,
                        Part::Variable(variable) => variable.written,
                    };
                    found.push((offset, part));
                    offset += written.len();
                }
            }
        }
        found
    }
}

/// The stretches of a statement between its comments.
fn outside_of_comments(engine: Engine, statement: &str) -> Vec<(usize, usize)> {
    let mut stretches = Vec::new();
    let mut start = 0;
    for token in tokens_of(engine, statement) {
        if matches!(token.kind, Kind::LineComment | Kind::BlockComment) {
            stretches.push((start, token.start));
            start = token.end;
        }
    }
    stretches.push((start, statement.len()));
    stretches
}

/// A place in a statement that only moves on, so that its lines are counted once.
struct Place<'a> {
    statement: &'a str,
    offset: usize,
    line: u64,
}

impl Place<'_> {
    /// Goes to an offset; gives its line.
    fn go_to(&mut self, offset: usize) -> u64 {
        let passed = &self.statement.as_bytes()[self.offset..offset];
        self.line += passed.iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.offset = offset;
        self.line
    }
}

fn is_cut(variable: &Variable<'_>) -> bool {
    let within = |parts: &[Part<'_>]| parts.iter().any(|part| matches!(part, Part::Variable(one) if is_cut(one)));
    match &variable.operation {
        Operation::Cut { .. } => true,
        Operation::Default { parts, .. } => within(parts),
        _ => false,
    }
}

fn value(
    engine: Engine,
    variable: &Variable<'_>,
    values: &BTreeMap<String, String>,
) -> Result<String, UnknownPlaceholder> {
    let missing = |message: Option<String>| UnknownPlaceholder { name: variable.name.to_owned(), offset: 0, message };
    let known = values.get(variable.name);
    let needed = || known.ok_or_else(|| missing(None));
    match &variable.operation {
        Operation::Plain => needed().cloned(),
        Operation::Identifier => needed().map(|value| engine.quote_identifier(value)),
        Operation::Literal => needed().map(|value| engine.quote_literal(value)),
        _ if values.contains_key(variable.written) => Ok(values[variable.written].clone()),
        Operation::Default { or_empty, parts } => match known.filter(|value| !(*or_empty && value.is_empty())) {
            Some(value) => Ok(value.clone()),
            None => joined(engine, parts, values),
        },
        Operation::Required { or_empty, message } => {
            match known.filter(|value| !(*or_empty && value.is_empty())) {
                Some(value) => Ok(value.clone()),
                // A message may read others, of which none needs a value: there is something to tell in any case.
                None => Err(missing(Some(joined(engine, message, values).unwrap_or_default()))),
            }
        }
        Operation::Cut { offset, length } => {
            let value = needed()?;
            let (from, to) = bounds(value.len(), *offset, *length);
            let part = value.get(from..to).map(str::to_owned);
            part.ok_or_else(|| missing(Some(format!("bytes {from} to {to} of its value cut a letter in two"))))
        }
    }
}

fn joined(engine: Engine, parts: &[Part<'_>], values: &BTreeMap<String, String>) -> Result<String, UnknownPlaceholder> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(plain) => text.push_str(plain),
            Part::Dollar(_) => text.push('$'),
            Part::Variable(variable) => text.push_str(&value(engine, variable, values)?),
        }
    }
    Ok(text)
}

/// The first byte of a part of a value, and the one behind its last: `interpolate.go`, `SubstringExpansion`.
fn bounds(size: usize, offset: i64, length: Option<i64>) -> (usize, usize) {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let from = if offset < 0 { offset.saturating_add(size).max(0) } else { offset.min(size) };
    let to = match length {
        None => size,
        Some(length) if length < 0 => length.saturating_add(size).max(from),
        Some(length) => length.saturating_add(from).min(size),
    };
    (usize::try_from(from).unwrap_or(0), usize::try_from(to).unwrap_or(0))
}
