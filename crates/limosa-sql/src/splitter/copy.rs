//! The data that follows `COPY ... FROM stdin;` in a script, up to the line `\.`.

use super::fault::{Fault, Mark};
use super::{Mode, Splitter, no_copy_end};
use crate::search::{find, find_either};
use crate::{Class, Piece, PieceKind, codes};

/// Data is given out in chunks of whole lines, of at most this many bytes where lines are shorter.
const CHUNK: usize = 64 * 1024;

/// How far the data was read.
pub(super) struct CopyData {
    /// Where the current line begins.
    line: usize,
    /// Up to here it holds no line end.
    scanned: usize,
    /// The byte that ends lines: a carriage return only where the line of the statement ended with a lone one.
    newline: u8,
    /// The COPY statement.
    mark: Mark,
}

impl CopyData {
    pub(super) fn shift(&mut self, count: usize) {
        self.line -= count;
        self.scanned -= count;
    }
}

impl Splitter {
    /// The rest of the line behind the semicolon of `COPY ... FROM stdin;`.
    pub(super) fn copy_line(&mut self, semicolon: usize) -> Result<Option<Piece>, Box<Fault>> {
        let Some((from, to)) = self.body else { return Ok(None) };
        let rest = &self.buffer[semicolon..];
        let Some(line) = find_either(rest, 0, b'\n', b'\r') else {
            if !self.finished {
                return Ok(None);
            }
            let mark = self.mark(from);
            return self.refuse_at_end(no_copy_end(mark));
        };
        let (length, newline) = match &rest[line..] {
            [b'\r', b'\n', ..] => (line + 2, b'\n'),
            [b'\r'] if !self.finished => return Ok(None),
            [b'\r', ..] => (line + 1, b'\r'),
            _ => (line + 1, b'\n'),
        };
        let blanks = rest[..line].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if blanks < line && !rest[blanks..].starts_with(b"--") {
            let fault = Fault::at(
                semicolon + blanks,
                codes::TEXT_BEFORE_COPY_DATA,
                "the data of COPY ... FROM stdin begins on the next line, so that nothing may follow its ; on this one",
            )
            .help("put this behind the line \\. that ends the data");
            return self.refuse(fault, semicolon + line);
        }
        let end = semicolon + length;
        self.verify(end, true)?;
        let mark = self.mark(from);
        let data = Mode::Copy(CopyData { line: end, scanned: end, newline, mark });
        let class = match std::mem::replace(&mut self.mode, data) {
            Mode::CopyLine { class, .. } => class,
            _ => Box::<Class>::default(),
        };
        Ok(Some(self.emit(PieceKind::Statement(class), end, Some((from, to)))))
    }

    /// The next chunk of data, or the line that ends it.
    pub(super) fn copy_data(&mut self) -> Result<Option<Piece>, Box<Fault>> {
        let start = self.start;
        let length = self.buffer.len();
        let Mode::Copy(data) = &mut self.mode else { return Ok(None) };
        loop {
            let found = find(&self.buffer, data.scanned, data.newline);
            if found.is_none() && !self.finished {
                data.scanned = length;
                let cut = data.line;
                let full = length - start > CHUNK && cut > start;
                return Ok(full.then(|| self.emit(PieceKind::CopyData, cut, None)));
            }
            let content = &self.buffer[data.line..found.unwrap_or(length)];
            let end = found.map_or(length, |at| at + 1);
            if matches!(content, b"\\." | b"\\.\r") {
                let cut = data.line;
                if cut > start {
                    return Ok(Some(self.emit(PieceKind::CopyData, cut, None)));
                }
                self.mode = Mode::Statements;
                self.lexer.jump(end);
                return Ok(Some(self.emit(PieceKind::CopyEnd, end, None)));
            }
            if found.is_none() {
                return Err(Box::new(no_copy_end(data.mark.clone())));
            }
            let cut = if end - start > CHUNK && data.line > start { data.line } else { end };
            data.line = cut;
            data.scanned = cut;
            if end - start >= CHUNK {
                return Ok(Some(self.emit(PieceKind::CopyData, cut, None)));
            }
        }
    }
}
