//! Ends of lines as tools have them that read a file line by line.

/// Takes each CR away that stands before a LF; texts may be cut anywhere.
#[derive(Debug, Clone, Default)]
pub struct LineEnds {
    /// The text so far ended with a CR, which was held back.
    is_held_back: bool,
}

impl LineEnds {
    /// Does so with what was added to `text` behind its first `from` bytes. `is_end` says that nothing follows.
    pub fn join(&mut self, text: &mut Vec<u8>, from: usize, is_end: bool) {
        if self.is_held_back && (text.len() > from || is_end) {
            text.insert(from, b'\r');
            self.is_held_back = false;
        }
        let mut to = from;
        for at in from..text.len() {
            if text[at] == b'\r' && text.get(at + 1) == Some(&b'\n') {
                continue;
            }
            text[to] = text[at];
            to += 1;
        }
        text.truncate(to);
        if !is_end && text.len() > from && text.last() == Some(&b'\r') {
            text.pop();
            self.is_held_back = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carriage_returns_go_from_the_ends_of_lines_only() {
        for text in ["", "a\r\nb\r\n", "\r\n", "\r", "a\rb\n\r\r\n\r", "\n\n\r\n", "a\r\r\r\nb\r"] {
            for size in 1..=text.len().max(1) {
                let (mut ends, mut all) = (LineEnds::default(), Vec::new());
                for part in text.as_bytes().chunks(size) {
                    let from = all.len();
                    all.extend_from_slice(part);
                    ends.join(&mut all, from, false);
                }
                let from = all.len();
                ends.join(&mut all, from, true);
                assert_eq!(String::from_utf8(all).unwrap(), text.replace("\r\n", "\n"), "{text:?} {size}");
            }
        }
    }
}
