//! MySQL: comments that the server runs (`/*! ... */`, `/*M! ... */`), taken out as by a tool that strips comments before it sends anything.

/// Gives blanks in the place of such comments; offsets and lines stay. Text comes in chunks that may be cut anywhere.
#[derive(Debug, Clone, Default)]
pub struct ExecutableCommentMask {
    place: Place,
    /// Bytes that may begin something, not yet given.
    held: Vec<u8>,
}

/// Where the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    #[default]
    Plain,
    /// Within quotes of this kind; behind a backslash.
    Quoted(u8, bool),
    /// Within a comment that ends with its line.
    Line,
    /// Within one that ends with `*/`, which is taken out or not; behind a `*`.
    Block { is_out: bool, behind_star: bool },
}

impl ExecutableCommentMask {
    /// Adds what is decided to `masked`.
    pub fn feed(&mut self, bytes: &[u8], masked: &mut Vec<u8>) {
        for &byte in bytes {
            match self.place {
                Place::Plain => self.plain(byte, masked),
                Place::Quoted(quote, is_escaped) => {
                    masked.push(byte);
                    self.place = match (byte, is_escaped) {
                        (_, true) => Place::Quoted(quote, false),
                        (b'\\', false) if quote != b'`' => Place::Quoted(quote, true),
                        // Two of them are one that stands there: another text begins at once.
                        (_, false) if byte == quote => Place::Plain,
                        _ => Place::Quoted(quote, false),
                    };
                }
                Place::Line => {
                    masked.push(byte);
                    if byte == b'\n' {
                        self.place = Place::Plain;
                    }
                }
                Place::Block { is_out, behind_star } => {
                    let is_kept = !is_out || matches!(byte, b'\n' | b'\r');
                    masked.push(if is_kept { byte } else { b' ' });
                    self.place = match behind_star && byte == b'/' {
                        true => Place::Plain,
                        false => Place::Block { is_out, behind_star: byte == b'*' },
                    };
                }
            }
        }
    }

    /// Says that no more bytes will come.
    pub fn finish(&mut self, masked: &mut Vec<u8>) {
        masked.append(&mut self.held);
        self.place = Place::Plain;
    }

    fn plain(&mut self, byte: u8, masked: &mut Vec<u8>) {
        self.held.push(byte);
        let (is_out, place) = match self.held.as_slice() {
            b"/" | b"-" | b"--" | b"/*" | b"/*M" => return,
            b"/*!" | b"/*M!" => (true, Place::Block { is_out: true, behind_star: false }),
            [b'/', b'*', .., last] => (false, Place::Block { is_out: false, behind_star: *last == b'*' }),
            [b'-', b'-', b'\n'] => (false, Place::Plain),
            [b'-', b'-', last] if last.is_ascii_whitespace() => (false, Place::Line),
            [b'#'] => (false, Place::Line),
            [quote @ (b'\'' | b'"' | b'`')] => (false, Place::Quoted(*quote, false)),
            [_] => (false, Place::Plain),
            // The last one may begin something itself.
            [.., last] => {
                let last = *last;
                self.held.pop();
                masked.append(&mut self.held);
                return self.plain(last, masked);
            }
            [] => return,
        };
        match is_out {
            true => masked.extend(self.held.drain(..).map(|_| b' ')),
            false => masked.append(&mut self.held),
        }
        // `/**/` and `/*/`: the star that begins it does not end it.
        self.place = place;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_would_run_is_blank() {
        // What is between brackets goes.
        for text in [
            "[/*!40014 SET a=0 */];",
            "select [/*M! 1 + */] 2",
            "select [/*!40000 'a]\n[b' */] 2",
            "select /* kept /*! */ 1",
            "select /*+ hint */ 1 /**/ /*/ */",
            "select '/*! in */', \"/*! in */\", `/*! in */`",
            "select 'a\\'/*! in */', 'b''/*! in */'",
            "select 1 -- it's /*! in */\n[/*! out */]",
            "select 1 # it's\n[/*! out */]",
            "select 5--3, 6-[/*! out */]2 --",
            "select 1 --\n[/*! out */] [/*! not ended]",
            "a /*M b */ /[/*! c */]",
        ] {
            let (mut whole, mut expected, mut is_out) = (String::new(), String::new(), false);
            for letter in text.chars() {
                match letter {
                    '[' => is_out = true,
                    ']' => is_out = false,
                    letter => {
                        whole.push(letter);
                        expected.push(if is_out { ' ' } else { letter });
                    }
                }
            }
            for size in [1, 2, 3, 100] {
                let (mut mask, mut masked) = (ExecutableCommentMask::default(), Vec::new());
                whole.as_bytes().chunks(size).for_each(|chunk| mask.feed(chunk, &mut masked));
                mask.finish(&mut masked);
                assert_eq!(String::from_utf8(masked).unwrap(), expected, "{text} {size}");
            }
        }
    }
}
