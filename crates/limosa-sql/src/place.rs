//! Follows line and column through a script that is seen part by part.

use crate::Position;
use crate::search::{find, find_last};

/// Longest line head that is kept for diagnostics, in bytes.
const HEAD_LIMIT: usize = 1600;

/// The place reached so far.
#[derive(Debug, Clone)]
pub(crate) struct Tracker {
    position: Position,
    after_return: bool,
    /// The bytes of the current line up to here; None once it is longer than anyone wants to read.
    head: Option<Vec<u8>>,
}

impl Tracker {
    pub(crate) fn new() -> Self {
        Tracker { position: Position::START, after_return: false, head: Some(Vec::new()) }
    }

    /// The place of the next byte.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// What stands before the next byte on its line; None where that is very long.
    pub(crate) fn head(&self) -> Option<&[u8]> {
        self.head.as_deref()
    }

    /// Goes past `bytes`.
    pub(crate) fn advance(&mut self, bytes: &[u8]) {
        let Some(&last) = bytes.last() else { return };
        let (lines, tail) = if find(bytes, 0, b'\r').is_some() || self.after_return {
            self.lines_with_returns(bytes)
        } else {
            match find_last(bytes, b'\n') {
                Some(at) => (bytes.iter().filter(|&&byte| byte == b'\n').count(), at + 1),
                None => (0, 0),
            }
        };
        self.after_return = last == b'\r';
        let rest = &bytes[tail..];
        if tail > 0 {
            self.position.line += lines as u64;
            self.position.column = 1;
            self.head = Some(Vec::new());
        }
        self.position.column += columns(rest);
        if let Some(head) = &mut self.head {
            if head.len() + rest.len() > HEAD_LIMIT {
                self.head = None;
            } else {
                head.extend_from_slice(rest);
            }
        }
    }

    /// Number of line ends in `bytes` and where its last line begins (0: no line ended here).
    fn lines_with_returns(&self, bytes: &[u8]) -> (usize, usize) {
        let (mut lines, mut tail, mut after_return) = (0, 0, self.after_return);
        for (at, &byte) in bytes.iter().enumerate() {
            match byte {
                b'\n' if after_return => tail = at + 1,
                b'\n' | b'\r' => {
                    lines += 1;
                    tail = at + 1;
                }
                _ => {}
            }
            after_return = byte == b'\r';
        }
        (lines, tail)
    }
}

/// Number of characters that have a column.
fn columns(bytes: &[u8]) -> u64 {
    let characters = bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80).count();
    let marks = match find(bytes, 0, 0xEF) {
        Some(from) => bytes[from..].windows(3).filter(|three| *three == [0xEF, 0xBB, 0xBF]).count(),
        None => 0,
    };
    (characters - marks) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_position_after(parts in proptest::collection::vec("[a\r\n\u{feff}é]{0,6}", 0..6)) {
            let mut tracker = Tracker::new();
            for part in &parts {
                tracker.advance(part.as_bytes());
            }
            let whole = parts.concat();
            prop_assert_eq!(tracker.position(), Position::START.after(&whole));
            let start = whole.rfind(['\r', '\n']).map_or(0, |at| at + 1);
            prop_assert_eq!(tracker.head(), Some(&whole.as_bytes()[start..]));
        }
    }
}
