//! Variables of the environment in goose's files, which it replaces between `ENVSUB ON` and `ENVSUB OFF`.
//!
//! limosa takes their values from its placeholders. What goose refuses is refused, and so are dollar signs that would make limosa cut
//! statements at other places than the server.

use limosa_sql::{Diagnostic, Engine, Label, Piece, Position, VariableFault, VariableLines, variable_fault};

use super::super::rollback::clipped;
use crate::codes;

/// What follows in a longer line is not looked at.
const LINE_LIMIT: usize = 64 * 1024;

/// Follows the lines of a file.
#[derive(Default)]
pub(super) struct Variables {
    lines: VariableLines,
    is_on: bool,
    /// The line so far, and its number.
    line: Vec<u8>,
    number: u64,
    diagnostics: Vec<Diagnostic>,
}

impl Variables {
    /// Line `number` says that from the next one on they are replaced, or no more.
    pub(super) fn switch(&mut self, is_on: bool, number: u64) {
        self.is_on = is_on;
        if is_on {
            self.lines.begin(number + 1);
        } else {
            self.lines.end(number);
        }
    }

    /// Where they are replaced, as far as the file was read.
    pub(super) fn lines(&self) -> &VariableLines {
        &self.lines
    }

    /// Adds bytes of a section, of which the first stands on line `number`.
    pub(super) fn take(&mut self, bytes: &[u8], mut number: u64, path: &str) {
        if !self.is_on {
            return;
        }
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

    /// Where they are replaced in a file of so many lines, and what is wrong with them.
    pub(super) fn finish(mut self, path: &str, lines: u64) -> (VariableLines, Vec<Diagnostic>) {
        self.look(self.number, path);
        self.lines.end(lines + 1);
        (self.lines, self.diagnostics)
    }

    fn look(&mut self, number: u64, path: &str) {
        if !self.line.contains(&b'$') {
            return;
        }
        let line = String::from_utf8_lossy(&self.line).trim_end_matches(['\r', '\n']).to_owned();
        if line.trim_start().starts_with("--") {
            return;
        }
        let Some(VariableFault { offset, length }) = variable_fault(&line) else { return };
        let written = &line[offset..offset + length];
        let label = Label::place(path, Position { line: number, column: line[..offset].chars().count() as u64 + 1 })
            .line(clipped(&line))
            .length(written.chars().count() as u64);
        let diagnostic =
            Diagnostic::error(codes::VARIABLE_FORM, format!("goose reads '{written}' as no variable, and refuses it"));
        self.diagnostics.push(diagnostic.at(label).help(
            "a variable is ${NAME}, with a default ${NAME:-default}; a dollar sign is \\$, or stands below '-- +goose ENVSUB OFF'",
        ));
    }
}

/// The error for a text that ends within something, of which dollar signs may be the reason.
pub(crate) fn explained(mut diagnostic: Diagnostic, engine: Engine, lines: &VariableLines) -> Diagnostic {
    const OPEN: &[&str] =
        &[limosa_sql::codes::OPEN_STRING, limosa_sql::codes::OPEN_DOLLAR_QUOTE, limosa_sql::codes::OPEN_BODY];
    if engine == Engine::Postgres && !lines.is_empty() && OPEN.contains(&diagnostic.code) {
        let help = diagnostic.help.take().unwrap_or_default();
        diagnostic.help =
            Some(format!("{help}; where variables are replaced, write \\$ for a dollar sign and ${{NAME}} for $NAME"));
    }
    diagnostic
}

/// The error for a statement with a string in dollar signs of which goose makes others.
pub(crate) fn misread(path: &str, engine: Engine, piece: &Piece, lines: &VariableLines) -> Option<Diagnostic> {
    let statement = piece.statement();
    let VariableFault { offset, length } = lines.misread(engine, statement, piece.position.line)?;
    let written = &statement[offset..offset + length];
    let from = statement[..offset].rfind('\n').map_or(0, |at| at + 1);
    let to = statement[offset..].find(['\n', '\r']).map_or(statement.len(), |at| offset + at);
    let mut label = Label::place(path, piece.position.after(&statement[..offset])).length(length as u64);
    if from > 0 || piece.position.column == 1 {
        label = label.line(clipped(&statement[from..to]));
    }
    let message = format!("'{written}' stands at an end of a string here, and is replaced where variables are");
    Some(Diagnostic::error(codes::VARIABLE_FORM, message).at(label).help(
        "write \\$\\$ at both ends, of which goose makes $$, or put the lines with $$ below '-- +goose ENVSUB OFF'",
    ))
}
