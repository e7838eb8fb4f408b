//! Comments between statements, line by line, in streams of any length.

use limosa_sql::{Engine, Piece, PieceKind};

/// Longer lines are no headers, rules or headings.
const LINE_LIMIT: usize = 4096;

/// One line outside statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Offset of its first byte.
    pub(crate) start: u64,
    /// Its number in the file, from 1.
    pub(crate) number: u64,
    pub(crate) kind: LineKind,
}

/// What stands on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// Nothing but blanks.
    Blank,
    /// A comment that ends with its line, alone on it.
    Comment {
        /// Number of blanks before its mark.
        indent: usize,
        /// `--`, or `#` of MySQL.
        mark: &'static str,
        /// What follows the mark.
        text: String,
    },
    /// Anything else: a part of a block comment or of a statement, or a very long comment.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Plain,
    Dash,
    Slash,
    /// Behind `/*`, where MySQL may have `!`.
    BlockStart,
    /// Behind `/*M`.
    BlockStartM,
    LineComment,
    Block {
        depth: u32,
        last: u8,
    },
}

/// Reads blanks and comments byte by byte; chunks may be cut anywhere.
pub(crate) struct CommentScanner {
    nested: bool,
    /// `#` begins comments, and `/*!` SQL.
    mysql: bool,
    state: State,
    offset: u64,
    number: u64,
    after_return: bool,
    line_start: u64,
    /// Bytes of the line so far, where it may still be blank or a comment.
    line: Option<Vec<u8>>,
    /// Where in `line` the text of the comment begins.
    comment: Option<usize>,
    /// The mark of that comment.
    mark: &'static str,
}

impl CommentScanner {
    pub(crate) fn new(engine: Engine) -> Self {
        CommentScanner {
            // SQLite and MySQL end a block comment at the first end mark.
            nested: engine == Engine::Postgres,
            mysql: engine == Engine::Mysql,
            state: State::Plain,
            offset: 0,
            number: 1,
            after_return: false,
            line_start: 0,
            line: Some(Vec::new()),
            comment: None,
            mark: "--",
        }
    }

    /// Offset of the next byte.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Number of the line that the next byte stands on.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Offset from which the current line may still turn out to be a comment; the next byte where it cannot.
    pub(crate) fn hold_from(&self) -> u64 {
        if self.line.is_some() { self.line_start } else { self.offset }
    }

    /// The number of bytes read that belong to what [`CommentScanner::feed`] stopped at: `/*` of `/*!`, one of two dashes.
    pub(crate) fn behind_start(&self) -> usize {
        match self.state {
            State::Dash | State::Slash => 1,
            State::BlockStart => 2,
            State::BlockStartM => 3,
            State::Plain | State::LineComment | State::Block { .. } => 0,
        }
    }

    /// Reads on until something is neither blank, comment nor `;`. Gives the number of bytes read.
    pub(crate) fn feed(&mut self, bytes: &[u8], lines: &mut Vec<Line>) -> usize {
        for (at, &byte) in bytes.iter().enumerate() {
            if self.is_code(byte) {
                return at;
            }
            self.step(byte, lines);
        }
        bytes.len()
    }

    /// Goes past bytes that are no comments: a statement, data.
    pub(crate) fn skip(&mut self, bytes: &[u8]) {
        let Some(&last) = bytes.last() else { return };
        self.state = State::Plain;
        self.line = None;
        self.comment = None;
        let mut from = 0;
        while let Some(at) = bytes[from..].iter().position(|&byte| byte == b'\n' || byte == b'\r') {
            let at = from + at;
            let pair = bytes[at] == b'\n' && (if at == 0 { self.after_return } else { bytes[at - 1] == b'\r' });
            self.number += u64::from(!pair);
            from = at + 1;
        }
        self.offset += bytes.len() as u64;
        self.after_return = last == b'\r';
        if matches!(last, b'\n' | b'\r') {
            self.begin_line();
        }
    }

    /// Ends the last line.
    pub(crate) fn finish(&mut self, lines: &mut Vec<Line>) {
        if self.offset > self.line_start {
            self.end_line(lines);
            self.begin_line();
        }
    }

    fn is_code(&self, byte: u8) -> bool {
        let blank = byte.is_ascii_whitespace() || byte == 0x0B || byte == b';';
        match self.state {
            State::Plain => {
                let hash = self.mysql && byte == b'#';
                !(blank || byte == b'-' || byte == b'/' || hash || self.in_mark(byte))
            }
            State::Dash => byte != b'-',
            State::Slash => byte != b'*',
            State::BlockStart | State::BlockStartM => self.mysql && byte == b'!',
            State::LineComment | State::Block { .. } => false,
        }
    }

    /// A byte-order mark at the start of the file.
    fn in_mark(&self, byte: u8) -> bool {
        [0xEF, 0xBB, 0xBF].get(usize::try_from(self.offset).unwrap_or(3)) == Some(&byte)
    }

    fn step(&mut self, byte: u8, lines: &mut Vec<Line>) {
        if matches!(byte, b'\n' | b'\r') {
            self.line_end(byte, lines);
            return;
        }
        self.after_return = false;
        let mark = self.state == State::Plain && self.in_mark(byte) && byte >= 0x80;
        if !mark {
            self.keep(byte);
        }
        self.offset += 1;
        self.state = match self.state {
            State::Plain => match byte {
                b'-' => State::Dash,
                b'/' => State::Slash,
                b'#' if self.mysql => self.begin_comment("#"),
                _ => State::Plain,
            },
            State::Dash => self.begin_comment("--"),
            State::Slash => State::BlockStart,
            State::BlockStart if byte == b'M' => State::BlockStartM,
            State::BlockStart => self.in_block(1, 0, byte),
            State::BlockStartM => self.in_block(1, b'M', byte),
            State::LineComment => State::LineComment,
            State::Block { depth, last } => self.in_block(depth, last, byte),
        };
        let other = match self.state {
            State::Plain => byte == b';',
            State::Dash | State::LineComment => false,
            State::Slash | State::BlockStart | State::BlockStartM | State::Block { .. } => true,
        };
        if other {
            self.line = None;
        }
    }

    fn begin_comment(&mut self, mark: &'static str) -> State {
        self.comment = self.line.as_ref().map(Vec::len);
        self.mark = mark;
        State::LineComment
    }

    fn in_block(&self, depth: u32, last: u8, byte: u8) -> State {
        match (last, byte) {
            (b'*', b'/') if depth == 1 => State::Plain,
            (b'*', b'/') => State::Block { depth: depth - 1, last: 0 },
            (b'/', b'*') if self.nested => State::Block { depth: depth + 1, last: 0 },
            _ => State::Block { depth, last: byte },
        }
    }

    fn keep(&mut self, byte: u8) {
        let Some(line) = &mut self.line else { return };
        if line.len() == LINE_LIMIT {
            self.line = None;
        } else {
            line.push(byte);
        }
    }

    fn line_end(&mut self, byte: u8, lines: &mut Vec<Line>) {
        let second_of_pair = byte == b'\n' && self.after_return;
        if !second_of_pair {
            self.end_line(lines);
            self.number += 1;
        }
        self.offset += 1;
        self.after_return = byte == b'\r';
        self.state = match self.state {
            State::Block { depth, .. } => State::Block { depth, last: 0 },
            State::BlockStart | State::BlockStartM => State::Block { depth: 1, last: 0 },
            _ => State::Plain,
        };
        self.begin_line();
    }

    fn begin_line(&mut self) {
        self.line_start = self.offset;
        self.comment = None;
        self.line = (self.state == State::Plain).then(Vec::new);
    }

    fn end_line(&self, lines: &mut Vec<Line>) {
        let kind = match (&self.line, self.comment) {
            (None, _) => LineKind::Other,
            (Some(_), None) => LineKind::Blank,
            (Some(line), Some(from)) => {
                let text = String::from_utf8_lossy(&line[from..]).into_owned();
                LineKind::Comment { indent: from - self.mark.len(), mark: self.mark, text }
            }
        };
        lines.push(Line { start: self.line_start, number: self.number, kind });
    }

    /// Goes past one piece and gives the lines that ended around its statement.
    pub(crate) fn piece(&mut self, piece: &Piece, lines: &mut Vec<Line>) {
        let (body, tail) = match piece.kind {
            PieceKind::Statement(_) => piece.body,
            PieceKind::Blank => (piece.text.len(), piece.text.len()),
            PieceKind::Meta => (piece.body.0, piece.text.len()),
            PieceKind::CopyData | PieceKind::CopyEnd => (0, piece.text.len()),
        };
        self.around(&piece.text[..body], lines);
        self.skip(&piece.text[body..tail]);
        self.around(&piece.text[tail..], lines);
    }

    /// Goes past bytes between statements.
    pub(crate) fn around(&mut self, mut bytes: &[u8], lines: &mut Vec<Line>) {
        while !bytes.is_empty() {
            let read = self.feed(bytes, lines);
            bytes = &bytes[read..];
            // What the splitter took for blank and this scanner does not is gone past.
            let strange = bytes.len().min(1);
            self.skip(&bytes[..strange]);
            bytes = &bytes[strange..];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scan(text: &str, chunk: usize) -> (Vec<Line>, u64) {
        scan_as(Engine::Postgres, text, chunk)
    }

    fn scan_as(engine: Engine, text: &str, chunk: usize) -> (Vec<Line>, u64) {
        let mut scanner = CommentScanner::new(engine);
        let mut lines = Vec::new();
        for part in text.as_bytes().chunks(chunk) {
            if scanner.feed(part, &mut lines) < part.len() {
                return (lines, scanner.offset());
            }
        }
        scanner.finish(&mut lines);
        (lines, scanner.offset())
    }

    fn comment(start: u64, number: u64, indent: usize, text: &str) -> Line {
        Line { start, number, kind: LineKind::Comment { indent, mark: "--", text: text.to_owned() } }
    }

    #[test]
    fn lines_are_told_apart() {
        let text = "\u{feff}-- a\r\n\r\n  --b\r/* x\n-- y\n*/\n;-- z\n--\nselect 1";
        for chunk in [1, 2, 3, 100] {
            let (lines, end) = scan(text, chunk);
            let expected = [
                comment(0, 1, 0, " a"),
                Line { start: 9, number: 2, kind: LineKind::Blank },
                comment(11, 3, 2, "b"),
                Line { start: 17, number: 4, kind: LineKind::Other },
                Line { start: 22, number: 5, kind: LineKind::Other },
                Line { start: 27, number: 6, kind: LineKind::Other },
                Line { start: 30, number: 7, kind: LineKind::Other },
                comment(36, 8, 0, ""),
            ];
            assert_eq!(lines, expected, "in chunks of {chunk}");
            assert_eq!(end, 39);
        }
    }

    #[test]
    fn block_comments_nest_on_postgres_only() {
        let text = "/* /* */ */ select";
        let (_, end) = scan(text, 100);
        assert_eq!(end, 12);
        let mut scanner = CommentScanner::new(Engine::Sqlite);
        assert_eq!(scanner.feed(text.as_bytes(), &mut Vec::new()), 9);
    }

    #[test]
    fn mysql_has_comments_of_its_own() {
        let hash = |start, number, indent, text: &str| Line {
            start,
            number,
            kind: LineKind::Comment { indent, mark: "#", text: text.to_owned() },
        };
        for (text, lines, rest) in [
            (
                "# a\n #b -- c\n-- d\nselect",
                vec![hash(0, 1, 0, " a"), hash(4, 2, 1, "b -- c"), comment(13, 3, 0, " d")],
                18,
            ),
            ("--x\n/* a */select", vec![comment(0, 1, 0, "x")], 11),
            ("/*!40101 set", Vec::new(), 2),
            ("/*M!100100 set", Vec::new(), 3),
            ("/*M*/ /*Mx*/ /**/ /*\n!*/select", vec![Line { start: 0, number: 1, kind: LineKind::Other }], 24),
            ("/*+ a */ /***/ /*/ */x", Vec::new(), 21),
        ] {
            for chunk in [1, 2, 3, 100] {
                assert_eq!(scan_as(Engine::Mysql, text, chunk), (lines.clone(), rest), "{text:?} in chunks of {chunk}");
            }
        }
        let mut scanner = CommentScanner::new(Engine::Mysql);
        assert_eq!(scanner.feed(b"-- a\n/*M!50000 x */", &mut Vec::new()), 8);
        assert_eq!(scanner.behind_start(), 3);
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(text in "(\u{feff})?[-/*;x#!M \r\n\té]{0,60}", chunk in 1_usize..9, mysql: bool) {
            let engine = if mysql { Engine::Mysql } else { Engine::Postgres };
            let whole = scan_as(engine, &text, usize::MAX);
            let parts = scan_as(engine, &text, chunk);
            // A stray '-' or '/' at the end of a chunk is only known to be code with the next byte.
            prop_assert_eq!(whole, parts);
        }

        #[test]
        fn skipping_counts_lines(text in "[a\r\n]{0,40}", chunk in 1_usize..5) {
            let mut scanner = CommentScanner::new(Engine::Sqlite);
            for part in text.as_bytes().chunks(chunk) {
                scanner.skip(part);
            }
            prop_assert_eq!(scanner.number(), limosa_sql::Position::START.after(&text).line);
            prop_assert_eq!(scanner.offset(), text.len() as u64);
        }
    }
}
