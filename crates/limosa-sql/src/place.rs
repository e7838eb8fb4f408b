//! Follows line and column through a script that is seen part by part.

use crate::Position;
use crate::search::find_either;

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
        let mut tail = 0;
        if self.after_return && bytes[0] == b'\n' {
            // The carriage return before it ended the line already.
            tail = 1;
        }
        while let Some(at) = find_either(bytes, tail, b'\n', b'\r') {
            self.position.line += 1;
            tail = if bytes[at..].starts_with(b"\r\n") { at + 2 } else { at + 1 };
        }
        self.after_return = last == b'\r';
        let rest = &bytes[tail..];
        if tail > 0 {
            self.position.column = 1;
            self.head.get_or_insert_default().clear();
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
}

/// Number of characters that have a column.
fn columns(bytes: &[u8]) -> u64 {
    if bytes.is_ascii() {
        return bytes.len() as u64;
    }
    let characters = bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80).count();
    let marks = bytes.windows(3).filter(|three| *three == [0xEF, 0xBB, 0xBF]).count();
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
