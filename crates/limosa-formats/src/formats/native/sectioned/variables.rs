//! Variables of the environment in goose's files, which it replaces between `ENVSUB ON` and `ENVSUB OFF`.
//!
//! limosa takes their values from its placeholders. `${NAME}` is one; the other forms of goose (`$NAME`, `${NAME:-default}`, `$$`, ...)
//! would come out otherwise and are refused.

use limosa_sql::{Diagnostic, Label, Position};

use super::super::rollback::clipped;
use crate::codes;

/// What follows in a longer line is not looked at.
const LINE_LIMIT: usize = 64 * 1024;

/// Follows the lines of a file.
#[derive(Default)]
pub(super) struct Variables {
    is_on: bool,
    were_on: bool,
    /// The line so far, and its number.
    line: Vec<u8>,
    number: u64,
    /// The first that stands where goose replaces none.
    outside: Option<Label>,
    diagnostics: Vec<Diagnostic>,
}

impl Variables {
    /// From here on they are replaced, or no more.
    pub(super) fn switch(&mut self, is_on: bool) {
        self.is_on = is_on;
        self.were_on |= is_on;
    }

    /// Adds bytes of a section, of which the first stands on line `number`.
    pub(super) fn take(&mut self, bytes: &[u8], mut number: u64, path: &str) {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            let room = LINE_LIMIT - self.line.len().min(LINE_LIMIT);
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            if part.ends_with(b"\n") {
                self.look(number, path);
                self.line.clear();
                number += 1;
            }
        }
        self.number = number;
    }

    /// Whether any were replaced, and what is wrong with them.
    pub(super) fn finish(mut self, path: &str) -> (bool, Vec<Diagnostic>) {
        self.look(self.number, path);
        if let Some(label) = self.outside.take().filter(|_| self.were_on) {
            let message = "goose leaves this as it stands, and limosa replaces placeholders in all of a file";
            self.diagnostics.push(
                Diagnostic::error(codes::VARIABLE_FORM, message)
                    .at(label)
                    .help("write '-- +goose ENVSUB ON' above it too, or move it into a migration of its own"),
            );
        }
        (self.were_on, self.diagnostics)
    }

    fn look(&mut self, number: u64, path: &str) {
        if !self.line.contains(&b'$') {
            return;
        }
        let line = String::from_utf8_lossy(&self.line).trim_end_matches(['\r', '\n']).to_owned();
        if line.trim_start().starts_with("--") {
            return;
        }
        let label = |at: usize, written: &str| {
            let column = line[..at].chars().count() as u64 + 1;
            Label::place(path, Position { line: number, column })
                .line(clipped(&line))
                .length(written.chars().count() as u64)
        };
        if !self.is_on {
            let found = line.match_indices("${").find(|(at, _)| matches!(form(&line[*at..]), Form::Placeholder(_)));
            if let (Some((at, _)), None) = (found, &self.outside) {
                self.outside = Some(label(at, "${"));
            }
            return;
        }
        let mut at = 0;
        while let Some(found) = line[at..].find(['$', '\\']) {
            at += found;
            match form(&line[at..]) {
                Form::Plain(length) | Form::Placeholder(length) => at += length,
                Form::Other(written, help) => {
                    let message = format!("goose replaces '{written}' here, and limosa does not read this form");
                    let diagnostic = Diagnostic::error(codes::VARIABLE_FORM, message).at(label(at, written)).help(help);
                    self.diagnostics.push(diagnostic);
                    return;
                }
            }
        }
    }
}

/// What begins with a `$` or `\`.
enum Form<'a> {
    /// So many bytes of text.
    Plain(usize),
    /// `${NAME}`, of so many bytes.
    Placeholder(usize),
    /// As written, and what to write instead.
    Other(&'a str, String),
}

/// mfridman/interpolate, `parser.go`: the grammar that goose takes over.
fn form(text: &str) -> Form<'_> {
    if let Some(rest) = text.strip_prefix('\\') {
        return match rest.chars().next() {
            Some('\\') => Form::Plain(2),
            Some('$') => Form::Other(&text[..2], "write a dollar sign below '-- +goose ENVSUB OFF'".to_owned()),
            _ => Form::Plain(1),
        };
    }
    let rest = &text[1..];
    if rest.is_empty() || rest.starts_with('(') {
        return Form::Plain(1);
    }
    let Some(braced) = rest.strip_prefix('{') else {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
        let length = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        return match (length, rest.starts_with(char::is_alphabetic)) {
            (1.., true) => Form::Other(&text[..=length], format!("write ${{{}}}", &rest[..length])),
            _ => {
                let end = 1 + rest.chars().next().map_or(0, char::len_utf8);
                Form::Other(&text[..end], "write it below '-- +goose ENVSUB OFF'".to_owned())
            }
        };
    };
    let end = braced.find('}').unwrap_or(braced.len());
    let (inner, written) = (&braced[..end], &text[..(end + 3).min(text.len())]);
    let is_name = |name: &str| {
        name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let (name, kind) = inner.split_once(':').unwrap_or((inner, ""));
    if is_name(name) && ["", "identifier", "literal"].contains(&kind) && !inner.ends_with(':') && end < braced.len() {
        return Form::Placeholder(written.len());
    }
    let name = &inner[..inner.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(inner.len())];
    let default = inner.strip_prefix(name).and_then(|rest| rest.strip_prefix(":-").or_else(|| rest.strip_prefix('-')));
    let help = match default {
        Some(default) => {
            format!("write ${{{name}}}, and give the value in limosa.toml: [placeholders] {name} = \"{default}\"")
        }
        None => format!("write ${{{name}}}; where it has no value, limosa runs nothing"),
    };
    Form::Other(written, help)
}
