//! Where a thing stands in a file.

use serde::{Deserialize, Serialize};

/// A half-open range of byte offsets, counted from the first byte of the file (a byte-order mark included).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset after the last byte.
    pub end: u64,
}

impl Span {
    /// The span from `start` to `end`.
    pub fn new(start: u64, end: u64) -> Self {
        Span { start, end }
    }

    /// Number of bytes.
    pub fn len(self) -> u64 {
        self.end - self.start
    }

    /// True where the span covers no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// A place as people name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Line, from 1. A lone CR, a lone LF and a CR LF pair each end one line.
    pub line: u64,
    /// Column in characters (Unicode scalar values), from 1; a byte-order mark has no column.
    pub column: u64,
}

impl Position {
    /// The first character of a file.
    pub const START: Position = Position { line: 1, column: 1 };

    /// The position after `text`, where `text` begins at `self`.
    ///
    /// ```
    /// # use limosa_sql::Position;
    /// assert_eq!(Position::START.after("ab\r\nc"), Position { line: 2, column: 2 });
    /// ```
    pub fn after(self, text: &str) -> Position {
        let mut here = self;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let ends_line = character == '\n' || (character == '\r' && characters.peek() != Some(&'\n'));
            if ends_line {
                here.line += 1;
                here.column = 1;
            } else if character != '\r' && character != '\u{feff}' {
                here.column += 1;
            }
        }
        here
    }
}
