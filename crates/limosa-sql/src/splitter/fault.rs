//! What is wrong with a script, before its place is turned into line and column.

use super::Splitter;
use crate::search::find_either;
use crate::{Diagnostic, Label, Position};

/// At most this much of a line is shown, in bytes.
pub(super) const LINE_BYTES: usize = 1600;
/// At most this much of a line is shown, in characters.
const LINE_CHARACTERS: usize = 400;

/// A fault and its place in the buffer.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) place: Place,
    code: &'static str,
    message: String,
    help: Option<String>,
    length: usize,
}

/// Where a fault stands.
#[derive(Debug)]
pub(super) enum Place {
    /// In the buffer.
    Offset(usize),
    /// In a part of the file that is gone.
    Mark(Mark),
    /// It concerns the whole file.
    File,
}

/// A place with the text of its line.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    position: Position,
    line_text: Option<String>,
}

impl Fault {
    pub(super) fn at(offset: usize, code: &'static str, message: impl Into<String>) -> Self {
        Fault { place: Place::Offset(offset), code, message: message.into(), help: None, length: 1 }
    }

    pub(super) fn file(code: &'static str, message: impl Into<String>) -> Self {
        Fault { place: Place::File, ..Fault::at(0, code, message) }
    }

    pub(super) fn marked(mut self, mark: Mark) -> Self {
        self.place = Place::Mark(mark);
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Number of characters to underline.
    pub(super) fn length(mut self, length: usize) -> Self {
        self.length = length;
        self
    }
}

impl Splitter {
    /// The place of a byte in the buffer, at or after the start of the piece.
    pub(super) fn mark(&self, offset: usize) -> Mark {
        let mut tracker = self.tracker.clone();
        tracker.advance(&self.buffer[self.start..offset]);
        let rest = &self.buffer[offset..];
        let end = find_either(rest, 0, b'\n', b'\r').unwrap_or(rest.len()).min(LINE_BYTES);
        let position = tracker.position();
        let line_text = tracker.head().filter(|_| position.column as usize <= LINE_CHARACTERS).map(|head| {
            let line = [head, &rest[..end]].concat();
            let line = String::from_utf8_lossy(&line);
            line.chars()
                .filter(|character| *character != '\u{feff}')
                .map(|character| if character == '\0' { '\u{2400}' } else { character })
                .take(LINE_CHARACTERS)
                .collect()
        });
        Mark { position, line_text }
    }

    /// The fault as users see it.
    pub(super) fn diagnostic(&self, fault: Fault) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(fault.code, fault.message);
        diagnostic.help = fault.help;
        let mark = match fault.place {
            Place::File => return diagnostic.at(Label::file(&self.file)),
            Place::Offset(offset) => self.mark(offset),
            Place::Mark(mark) => mark,
        };
        let mut label = Label::place(&self.file, mark.position).length(fault.length as u64);
        label.line_text = mark.line_text;
        diagnostic.at(label)
    }
}
