//! Reads a script piece by piece while it runs, and proves at its end that the file is the one that was planned.

use std::collections::VecDeque;
use std::io::Read;

use limosa_core::{Checksum, Direction, FileHasher, Markers, SectionMask, SharedText, Step, Work};
use limosa_sql::{Class, Diagnostic, Dialect, Label, Piece, PieceKind, Position, Splitter};

/// Where the files of a plan are read from.
pub trait Files: Send + Sync {
    /// Opens a file by the path that the plan names.
    ///
    /// # Errors
    /// As the file system says.
    fn open(&self, file: &str) -> std::io::Result<Box<dyn Read + Send>>;
}

/// A statement, or the data that belongs to one.
#[derive(Debug)]
pub(crate) enum Part {
    /// A statement with its number, from 1.
    Statement(Numbered),
    /// Data of the COPY before it.
    CopyData(Vec<u8>),
    /// The end of that data.
    CopyEnd,
}

/// A statement of a script.
#[derive(Debug, Clone)]
pub(crate) struct Numbered {
    pub(crate) number: u64,
    pub(crate) piece: Piece,
    /// Where it begins in its origin.
    pub(crate) position: Position,
}

/// Blanks at most that stand for the statements before one on its line; a place further right is told without its line.
const MOST_INDENT: usize = 100_000;

impl Numbered {
    pub(crate) fn class(&self) -> &Class {
        static UNKNOWN: std::sync::LazyLock<Class> = std::sync::LazyLock::new(Class::default);
        self.piece.class().unwrap_or(&UNKNOWN)
    }

    /// The place of a byte of the statement, with the text of its line.
    pub(crate) fn label(&self, file: &str, offset: usize) -> Label {
        let text = String::from_utf8_lossy(&self.piece.text);
        let at = (self.piece.body.0 + offset).min(text.len());
        let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let position = self.position.after(text.get(self.piece.body.0..at).unwrap_or_default());
        let ends = ['\n', '\r'];
        let from = text[..at].rfind(ends).map_or(0, |found| found + 1);
        let to = text[at..].find(ends).map_or(text.len(), |found| at + found);
        let word = text[at..to].chars().take_while(|c| c.is_alphanumeric() || *c == '_').count();
        let line = text[from..to].trim_start_matches('\u{feff}');
        let before = line.chars().count().saturating_sub(text[at..to].chars().count());
        let label = Label::place(file, position).length(word as u64);
        // What stands before the statement on its line is not at hand any more; blanks keep the columns.
        match usize::try_from(position.column).unwrap_or(usize::MAX).saturating_sub(before + 1) {
            indent @ 0..=MOST_INDENT => label.line(format!("{}{line}", " ".repeat(indent))),
            _ => label,
        }
    }
}

/// Bytes that are read at once, at most and at least.
const CHUNK: usize = 64 * 1024;
const SMALL_CHUNK: usize = 4 * 1024;

/// The pieces of one script, numbered.
pub(crate) struct ScriptReader {
    origin: SharedText,
    input: Box<dyn Read + Send>,
    splitter: Splitter,
    /// What it goes through before it is split, where the file holds sections; and the bytes that came out.
    mask: Option<(SectionMask, Vec<u8>)>,
    hasher: Option<FileHasher>,
    expected: Checksum,
    /// Bytes of the file before the script, and of the script, that are still to come.
    before: u64,
    left: u64,
    start: Position,
    fed_all: bool,
    number: u64,
    ahead: VecDeque<Part>,
    buffer: Vec<u8>,
}

impl ScriptReader {
    /// Opens the script of a step.
    pub(crate) fn open(step: &Step, dialect: Dialect, files: &dyn Files) -> Result<ScriptReader, Box<Diagnostic>> {
        let mask = match &step.work {
            Work::File(script) => script.outline.markers.map(|markers| SectionMask::new(markers, Direction::Apply)),
            Work::Code(_) | Work::Text(_) => None,
        };
        // A way back has none: what stood in its place is `;` already.
        let delimiter = match &step.work {
            Work::File(_) => step.outline.end_delimiter.as_deref(),
            Work::Code(_) | Work::Text(_) => None,
        };
        let (input, before, left, hasher): (Box<dyn Read + Send>, _, _, _) = match &step.work {
            Work::File(script) => {
                let input = files.open(&script.file).map_err(|error| unreadable(&script.file, &error))?;
                (input, script.span.start, script.span.end - script.span.start, Some(FileHasher::new()))
            }
            // It is no script, and nobody reads it as one.
            Work::Code(_) => (Box::new(std::io::empty()), 0, 0, None),
            Work::Text(text) => {
                let bytes = text.text.clone().into_bytes();
                let length = bytes.len() as u64;
                (Box::new(std::io::Cursor::new(bytes)), 0, length, None)
            }
        };
        let (origin, start) = (step.work.origin().clone(), step.work.position());
        Ok(ScriptReader {
            splitter: Splitter::new(dialect.with_marks(step.outline.marks()), &origin).with_delimiter(delimiter),
            origin,
            input,
            mask: mask.map(|mask| (mask, Vec::new())),
            hasher,
            expected: step.file_checksum().clone(),
            before,
            left,
            start,
            fed_all: false,
            number: 0,
            ahead: VecDeque::new(),
            // Most scripts are small, and each byte of it is set to zero first.
            buffer: vec![0; usize::try_from(before + left).unwrap_or(CHUNK).clamp(SMALL_CHUNK, CHUNK)],
        })
    }

    pub(crate) fn origin(&self) -> &SharedText {
        &self.origin
    }

    /// The next part; None at the end of the script.
    pub(crate) fn next(&mut self) -> Result<Option<Part>, Box<Diagnostic>> {
        match self.ahead.pop_front() {
            Some(part) => Ok(Some(part)),
            None => self.read_part(),
        }
    }

    /// The next part, which stays next.
    pub(crate) fn peek(&mut self) -> Result<Option<&Part>, Box<Diagnostic>> {
        if self.ahead.is_empty()
            && let Some(part) = self.read_part()?
        {
            self.ahead.push_back(part);
        }
        Ok(self.ahead.front())
    }

    fn read_part(&mut self) -> Result<Option<Part>, Box<Diagnostic>> {
        loop {
            if let Some(piece) = self.splitter.next_piece()? {
                match piece.kind {
                    PieceKind::Statement(_) => {
                        self.number += 1;
                        let position = shift(self.start, piece.position);
                        return Ok(Some(Part::Statement(Numbered { number: self.number, piece, position })));
                    }
                    PieceKind::CopyData => return Ok(Some(Part::CopyData(piece.text))),
                    PieceKind::CopyEnd => return Ok(Some(Part::CopyEnd)),
                    PieceKind::Meta | PieceKind::Blank => continue,
                }
            }
            if self.fed_all {
                return Ok(None);
            }
            self.feed()?;
        }
    }

    fn feed(&mut self) -> Result<(), Box<Diagnostic>> {
        let count = self.read()?;
        let skipped = (self.before.min(count as u64)) as usize;
        self.before -= skipped as u64;
        let wanted = ((count - skipped) as u64).min(self.left) as usize;
        self.left -= wanted as u64;
        let bytes = &self.buffer[skipped..skipped + wanted];
        let is_last = count == 0 || self.left == 0;
        match &mut self.mask {
            None => self.splitter.feed(bytes),
            Some((mask, masked)) => {
                mask.feed(bytes, masked);
                if is_last {
                    mask.finish(masked);
                }
                self.splitter.feed(masked);
                masked.clear();
            }
        }
        if is_last {
            self.splitter.finish();
            self.fed_all = true;
        }
        Ok(())
    }

    fn read(&mut self) -> Result<usize, Box<Diagnostic>> {
        loop {
            match self.input.read(&mut self.buffer) {
                Ok(count) => {
                    if let Some(hasher) = &mut self.hasher {
                        hasher.update(&self.buffer[..count]);
                    }
                    return Ok(count);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(&self.origin, &error)),
            }
        }
    }

    /// Reads the file to its end and compares its checksum with the planned one. Called before the commit.
    pub(crate) fn prove_unchanged(&mut self) -> Result<(), Box<Diagnostic>> {
        while self.hasher.is_some() && self.read()? > 0 {}
        let Some(hasher) = self.hasher.take() else { return Ok(()) };
        let found = hasher.finish();
        if found == self.expected {
            return Ok(());
        }
        let message =
            format!("{} was changed while it ran: planned as {}, read as {found}", self.origin, self.expected);
        Err(Box::new(
            Diagnostic::error("LIM-R010", message)
                .at(Label::file(self.origin.as_str()))
                .help("nothing of this transaction was kept; run again when the file is at rest"),
        ))
    }
}

/// The up part of a file that holds sections, everything else as blanks.
pub struct Masked<R> {
    input: R,
    mask: SectionMask,
    masked: Vec<u8>,
    told: usize,
    is_ended: bool,
}

impl<R: Read> Masked<R> {
    /// The up part of what `input` gives from its first byte on.
    pub fn new(input: R, markers: Markers) -> Masked<R> {
        let mask = SectionMask::new(markers, Direction::Apply);
        Masked { input, mask, masked: Vec::new(), told: 0, is_ended: false }
    }
}

impl<R: Read> Read for Masked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.told == self.masked.len() && !self.is_ended && !buffer.is_empty() {
            self.masked.clear();
            self.told = 0;
            let count = self.input.read(buffer)?;
            self.mask.feed(&buffer[..count], &mut self.masked);
            if count == 0 {
                self.mask.finish(&mut self.masked);
                self.is_ended = true;
            }
        }
        let count = (self.masked.len() - self.told).min(buffer.len());
        buffer[..count].copy_from_slice(&self.masked[self.told..self.told + count]);
        self.told += count;
        Ok(count)
    }
}

fn unreadable(file: &str, error: &std::io::Error) -> Box<Diagnostic> {
    Box::new(Diagnostic::error("LIM-R011", format!("{file} cannot be read: {error}")).at(Label::file(file)))
}

/// A position within a text, as a position within the file that holds the text.
pub(crate) fn shift(start: Position, within: Position) -> Position {
    if within.line == 1 {
        Position { line: start.line, column: start.column + within.column - 1 }
    } else {
        Position { line: start.line + within.line - 1, column: within.column }
    }
}
