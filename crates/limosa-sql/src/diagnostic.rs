//! What is wrong with the user's input, as a value. Rendering lives at the edge.

use serde::Serialize;

use crate::Position;

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably a mistake; work goes on.
    Warning,
    /// Work cannot go on.
    Error,
}

/// One problem: what is wrong, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Stable code such as `LIM-F003`, documented in `docs/errors.md`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, with names; one sentence without a full stop.
    pub message: String,
    /// Where; the first label is the main one.
    pub labels: Vec<Label>,
    /// What to do next.
    pub help: Option<String>,
    /// Where one of several is meant and nobody said which: what there is to choose from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
}

/// One of several that may be meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// What to say to choose it.
    pub value: String,
    /// What speaks for it, in a few words.
    pub text: String,
}

/// A marked place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// Path as the user gave it.
    pub file: String,
    /// Line and column; absent where the whole file is meant.
    pub position: Option<Position>,
    /// The text of that line, so that a renderer need not read the file again; at most 20,000 characters.
    pub line_text: Option<String>,
    /// Number of characters to underline, at least 1.
    pub length: u64,
    /// What stands there; may be empty.
    pub text: String,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message)
    }

    /// A warning without a place.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    /// A diagnostic without a place.
    pub fn new(code: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        Diagnostic { code, severity, message: message.into(), labels: Vec::new(), help: None, choices: Vec::new() }
    }

    /// Adds a place.
    #[must_use]
    pub fn at(mut self, label: Label) -> Self {
        self.labels.push(label);
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// True for errors.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Characters of a line that are kept: one may be a dump's INSERT of many megabytes.
const LONGEST_LINE: usize = 20_000;

impl Label {
    /// Marks a whole file.
    pub fn file(file: impl Into<String>) -> Self {
        Label { file: file.into(), position: None, line_text: None, length: 1, text: String::new() }
    }

    /// Marks one place in a file.
    pub fn place(file: impl Into<String>, position: Position) -> Self {
        Label { position: Some(position), ..Label::file(file) }
    }

    /// Gives the text of the marked line. Of a long one the beginning is kept, where the place is in it; nothing of it otherwise.
    #[must_use]
    pub fn line(mut self, line_text: impl Into<String>) -> Self {
        let mut text: String = line_text.into();
        let column = self.position.map_or(1, |position| position.column);
        if let Some((end, _)) = text.char_indices().nth(LONGEST_LINE) {
            text.truncate(end);
            text.shrink_to_fit();
        }
        self.line_text = (column <= LONGEST_LINE as u64).then_some(text);
        self
    }

    /// Number of characters to underline.
    #[must_use]
    pub fn length(mut self, length: u64) -> Self {
        self.length = length.max(1);
        self
    }

    /// Says what stands at this place.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }
}
