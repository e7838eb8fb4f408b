//! Cuts a script into pieces without ever holding more of it than one statement.

mod check;
mod copy;
mod fault;
mod shell;
#[cfg(test)]
mod tests;

use crate::boundary::Boundary;
use crate::classify::{Modes, classify_with, sets_autocommit};
use crate::command::is_mysql_command;
use crate::encoding::{SIGNATURE_BYTES, recognise};
use crate::lexer::{Kind, Lexer, Step, Token};
use crate::place::Tracker;
use crate::search::{find, find_either};
use crate::{Class, Diagnostic, Dialect, Effect, EndDelimiter, Engine, Piece, PieceKind, Span, codes, in_usual_marks};
use check::{foreign_file, hanging_fault, no_copy_end};
use copy::CopyData;
use fault::{Fault, Mark, Place};

/// Comments and blanks longer than this are given out in parts, in bytes.
const BLANK_LIMIT: usize = 64 * 1024;
/// The largest message that a PostgreSQL server takes is 1 GiB (`MaxAllocSize`), and so it is for MySQL
/// (`max_allowed_packet`); SQLite takes 1,000,000,000 bytes (`SQLITE_MAX_SQL_LENGTH`).
const STATEMENT_LIMIT: usize = 1_000_000_000;

/// Cuts a script, fed chunk by chunk, into [`Piece`]s. Joined, the pieces are the script byte for byte, and they do not
/// depend on how the script was cut into chunks.
///
/// ```
/// use limosa_sql::{Engine, Splitter};
/// let mut splitter = Splitter::new(Engine::Postgres, "001_jobs.sql");
/// splitter.feed(b"create table job (id int); insert into job ");
/// splitter.feed(b"values (1)");
/// splitter.finish();
/// let mut statements = Vec::new();
/// while let Some(piece) = splitter.next_piece()? {
///     statements.push(piece.statement().to_owned());
/// }
/// assert_eq!(statements, ["create table job (id int)", "insert into job values (1)"]);
/// # Ok::<(), Box<limosa_sql::Diagnostic>>(())
/// ```
pub struct Splitter {
    dialect: Dialect,
    engine: Engine,
    file: String,
    /// Bytes of the script that are not given out yet, after `start` bytes that are.
    buffer: Vec<u8>,
    /// Where the next piece begins in the buffer.
    start: usize,
    /// File offset of the first byte in the buffer.
    base: u64,
    finished: bool,
    mode: Mode,
    lexer: Lexer,
    boundary: Boundary,
    /// First and last byte of the statement's tokens so far, in the buffer.
    body: Option<(usize, usize)>,
    /// The body holds more than the marks of comments.
    substance: bool,
    /// Up to here the buffer is known to be well encoded.
    checked: usize,
    tracker: Tracker,
    /// Where a comment began whose beginning is given out already.
    comment: Option<Mark>,
    modes: Modes,
    statement_limit: usize,
    fault: Option<Fault>,
    failed: Option<Box<Diagnostic>>,
}

/// What is being read.
enum Mode {
    /// The first bytes, which show what the file is.
    Signature,
    Statements,
    /// A shell command whose backslash or dot stands at `at`.
    Command {
        at: usize,
    },
    /// The rest of the line after `COPY ... FROM stdin;`, which ends at `semicolon`.
    CopyLine {
        semicolon: usize,
        class: Box<Class>,
    },
    Copy(CopyData),
}

impl Splitter {
    /// A splitter for scripts of one engine, as a session of its server begins to read them. `file` is the name used in
    /// diagnostics.
    pub fn new(dialect: impl Into<Dialect>, file: &str) -> Self {
        let dialect = dialect.into();
        let engine = dialect.engine();
        let modes = Modes::new(dialect);
        let mut boundary = Boundary::new(engine);
        boundary.set_oracle(modes.oracle());
        let mut lexer = Lexer::new(engine, modes.reading());
        lexer.set_marks(dialect.marks());
        Splitter {
            dialect,
            engine,
            file: file.to_owned(),
            buffer: Vec::new(),
            start: 0,
            base: 0,
            finished: false,
            mode: Mode::Signature,
            lexer,
            boundary,
            body: None,
            substance: false,
            checked: 0,
            tracker: Tracker::new(),
            comment: None,
            modes,
            statement_limit: STATEMENT_LIMIT,
            fault: None,
            failed: None,
        }
    }

    /// Refuses statements that are longer than `bytes`; 1,000,000,000 if not said otherwise.
    #[must_use]
    pub fn with_statement_limit(mut self, bytes: usize) -> Self {
        self.statement_limit = bytes;
        self
    }

    /// Says what ends statements besides `;`, where the file has something of its own.
    #[must_use]
    pub fn with_delimiter(mut self, delimiter: Option<&EndDelimiter>) -> Self {
        self.lexer.set_end_delimiter(delimiter.cloned());
        self
    }

    /// Adds the next bytes of the script.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        // Only when at least as much goes as stays, so that each byte is moved a bounded number of times.
        if self.start > 0 && self.start >= self.buffer.len() - self.start {
            self.forget(self.start);
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Says that no more bytes will come.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// The next piece; `Ok(None)` means: feed more, or, after [`Splitter::finish`], the end.
    ///
    /// # Errors
    /// What is wrong with the script, with one of [`codes`]; the same again with each further call.
    pub fn next_piece(&mut self) -> Result<Option<Piece>, Box<Diagnostic>> {
        if let Some(diagnostic) = &self.failed {
            return Err(diagnostic.clone());
        }
        if self.fault.is_none() {
            match self.advance() {
                Ok(piece) => return Ok(piece),
                Err(fault) => self.fault = Some(*fault),
            }
        }
        let Some(fault) = self.fault.take_if(|fault| match fault.place {
            Place::Offset(at) => self.finished || line_is_complete(&self.buffer[at..]),
            Place::Mark(_) | Place::File => true,
        }) else {
            return Ok(None);
        };
        let diagnostic = Box::new(self.diagnostic(fault));
        self.failed = Some(diagnostic.clone());
        self.buffer = Vec::new();
        Err(diagnostic)
    }

    fn advance(&mut self) -> Result<Option<Piece>, Box<Fault>> {
        loop {
            match &self.mode {
                Mode::Signature => {
                    if self.buffer.len() < SIGNATURE_BYTES && !self.finished {
                        return Ok(None);
                    }
                    match recognise(&self.buffer) {
                        Some(foreign) => return Err(Box::new(foreign_file(foreign))),
                        None => self.mode = Mode::Statements,
                    }
                }
                Mode::Statements => {
                    let piece = self.statements()?;
                    if piece.is_some() || matches!(self.mode, Mode::Statements) {
                        return Ok(piece);
                    }
                }
                Mode::Command { at } => return self.command(*at),
                Mode::CopyLine { semicolon, .. } => return self.copy_line(*semicolon),
                Mode::Copy(_) => return self.copy_data(),
            }
        }
    }

    /// Reads tokens up to the end of a piece, or until more text is needed, or until another mode begins.
    fn statements(&mut self) -> Result<Option<Piece>, Box<Fault>> {
        loop {
            let length = self.buffer.len();
            let bound = if self.body.is_none() { length.min(self.start + BLANK_LIMIT) } else { length };
            let (text, last) = (&self.buffer[..bound], self.finished && bound == length);
            let step = match &mut self.body {
                Some((_, end)) if self.boundary.is_calm() => self.lexer.next_notable(text, last, end),
                _ => self.lexer.next(text, last),
            };
            match step {
                Step::Token(token) if token.kind.is_blank() => self.blank(token)?,
                Step::Token(token) => {
                    if self.is_command(token) {
                        self.mode = Mode::Command { at: token.start };
                        return Ok(None);
                    }
                    if token.kind == Kind::Delimiter || self.boundary.take(token, &self.buffer) {
                        return self.statement(token.end, true);
                    }
                    if let Some(at) = self.boundary.opaque()
                        && !self.lexer.has_delimiter()
                    {
                        return self.refuse(check::needs_delimiter(at), token.end);
                    }
                    self.substance |= !token.kind.is_executable_mark();
                    let (start, _) = self.body.unwrap_or((token.start, 0));
                    self.body = Some((start, token.end));
                    self.check_size(token.end)?;
                }
                Step::More if bound < length => {
                    if let Some(piece) = self.long_blank()? {
                        return Ok(Some(piece));
                    }
                }
                Step::More => {
                    self.check_size(self.lexer.at())?;
                    self.verify(self.lexer.settled(), false)?;
                    return Ok(None);
                }
                Step::End => return self.end(),
                Step::Unclosed(open, at) => {
                    let fault = self.unclosed(open, at);
                    return self.refuse_at_end(fault);
                }
            }
        }
    }

    /// True where a command of a shell begins with the token.
    fn is_command(&self, token: Token) -> bool {
        let at_start = self.body.is_none();
        match (self.engine, token.kind) {
            (Engine::Postgres | Engine::Mysql, Kind::Symbol(b'\\')) => true,
            (Engine::Sqlite, Kind::Symbol(b'.')) => at_start,
            (Engine::Mysql, Kind::Word) => at_start && is_mysql_command(&self.buffer[token.start..token.end]),
            _ => false,
        }
    }

    /// Looks at a comment, blank or byte-order mark.
    fn blank(&mut self, token: Token) -> Result<(), Box<Fault>> {
        match token.kind {
            Kind::BlockComment => self.comment = None,
            Kind::LineComment if self.engine != Engine::Postgres => {
                self.check_comment(token.start.max(self.start), token.end)?;
            }
            Kind::Mark if self.engine != Engine::Sqlite && self.base + token.start as u64 > 0 => {
                let message = format!(
                    "a byte-order mark (U+FEFF) stands inside the script, where {} takes it for a name",
                    self.engine.title()
                );
                let fault = Fault::at(token.start, codes::INNER_BYTE_ORDER_MARK, message)
                    .help("remove it; it often comes from joining files");
                return self.refuse(fault, token.end);
            }
            _ => {}
        }
        Ok(())
    }

    /// A lone carriage return ends the line for an editor, but not the comment for SQLite and MySQL.
    fn check_comment(&mut self, start: usize, end: usize) -> Result<(), Box<Fault>> {
        let comment = &self.buffer[start..end];
        let Some(at) = find(comment, 0, b'\r') else { return Ok(()) };
        if comment[at + 1..].iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let message = format!(
            "a comment goes on after a lone carriage return: {} ends comments at line feeds only, so that what follows \
             would not run",
            self.engine.title()
        );
        let fault = Fault::at(start, codes::COMMENT_SWALLOWS, message).help("save the file with LF or CR LF line ends");
        self.refuse(fault, end)
    }

    /// Gives out the beginning of a very long comment or blank, if that is what stands at the start of the piece.
    fn long_blank(&mut self) -> Result<Option<Piece>, Box<Fault>> {
        let mut cut = if self.lexer.in_blank() { self.lexer.at() } else { self.lexer.token_start() };
        if self.lexer.in_blank() {
            for _ in 0..3 {
                if cut > self.start && self.buffer[cut] & 0xC0 == 0x80 {
                    cut -= 1;
                }
            }
        }
        if cut <= self.start {
            // The first token is that long: it belongs to a statement.
            self.body = Some((self.start, self.start));
            return Ok(None);
        }
        if self.lexer.in_block_comment() && self.comment.is_none() {
            self.comment = Some(self.mark(self.lexer.token_start()));
        }
        if self.engine != Engine::Postgres && self.lexer.in_line_comment() {
            self.check_comment(self.lexer.token_start().max(self.start), cut)?;
        }
        self.verify(cut, true)?;
        Ok(Some(self.emit(PieceKind::Blank, cut, None)))
    }

    /// The end of the script.
    fn end(&mut self) -> Result<Option<Piece>, Box<Fault>> {
        let length = self.buffer.len();
        if let Some(hanging) = self.boundary.hanging() {
            return self.refuse_at_end(hanging_fault(hanging));
        }
        if self.start == length {
            return Ok(None);
        }
        self.statement(length, false)
    }

    /// A statement that ends at `end`, behind its semicolon if it has one.
    fn statement(&mut self, end: usize, terminated: bool) -> Result<Option<Piece>, Box<Fault>> {
        self.verify(end, true)?;
        let Some((from, to)) = self.body.filter(|_| self.substance) else {
            return Ok(Some(self.emit(PieceKind::Blank, end, None)));
        };
        self.check_size(end)?;
        let text = std::str::from_utf8(&self.buffer[from..to]).unwrap_or_default();
        let usual = in_usual_marks(self.dialect, text);
        let class = Box::new(classify_with(self.engine, &usual, self.lexer.reading()));
        if class.effect == Effect::CopyFromStdin {
            if !terminated {
                let mark = self.mark(from);
                return self.refuse_at_end(no_copy_end(mark));
            }
            self.mode = Mode::CopyLine { semicolon: end, class };
            return Ok(None);
        }
        self.modes.follow(&usual, &class);
        self.lexer.set_reading(self.modes.reading());
        if self.engine == Engine::Mysql {
            self.boundary.set_oracle(self.modes.oracle());
            let unfit = check::unfit(&class, text, from, self.lexer.reading());
            if let Some(fault) = unfit.or_else(|| check::swallowed_delimiter(text, from, &self.buffer[to..end])) {
                return self.refuse(fault, end);
            }
            if sets_autocommit(&class) {
                return Ok(Some(self.emit(PieceKind::Meta, end, Some((from, from)))));
            }
        }
        Ok(Some(self.emit(PieceKind::Statement(class), end, Some((from, to)))))
    }

    fn check_size(&mut self, end: usize) -> Result<(), Box<Fault>> {
        let Some((from, _)) = self.body else { return Ok(()) };
        if end - from <= self.statement_limit {
            return Ok(());
        }
        let message = format!("this statement is longer than {} bytes, more than servers accept", self.statement_limit);
        let fault = Fault::at(from, codes::STATEMENT_TOO_LARGE, message).help(match self.engine {
            Engine::Postgres => "divide it into several statements, or load the rows with COPY ... FROM stdin",
            Engine::Sqlite | Engine::Mysql => "divide it into several statements",
        });
        self.refuse(fault, from + self.statement_limit)
    }

    /// Makes a piece of everything up to `end`. `body` is in the buffer.
    fn emit(&mut self, kind: PieceKind, end: usize, body: Option<(usize, usize)>) -> Piece {
        let text = self.buffer[self.start..end].to_vec();
        let (from, to) = body.map_or((0, 0), |(from, to)| (from - self.start, to - self.start));
        self.tracker.advance(&text[..from]);
        let position = self.tracker.position();
        self.tracker.advance(&text[from..]);
        let span = Span::new(self.base + self.start as u64, self.base + end as u64);
        self.start = end;
        self.checked = self.checked.max(end);
        self.body = None;
        self.substance = false;
        self.boundary.reset();
        self.lexer.begin_statement(end);
        Piece { kind, span, text, body: (from, to), position }
    }

    /// Drops the first `count` bytes of the buffer, which are given out.
    fn forget(&mut self, count: usize) {
        self.buffer.drain(..count);
        self.base += count as u64;
        self.start -= count;
        self.checked = self.checked.saturating_sub(count);
        self.lexer.shift(count);
        self.boundary.shift(count);
        self.body = self.body.map(|(from, to)| (from - count, to - count));
        match &mut self.mode {
            Mode::Signature | Mode::Statements => {}
            Mode::Command { at } => *at -= count,
            Mode::CopyLine { semicolon, .. } => *semicolon -= count,
            Mode::Copy(data) => data.shift(count),
        }
        if let Some(Fault { place: Place::Offset(at), .. }) = &mut self.fault {
            *at -= count;
        }
    }
}

/// Cuts a script that is in memory as a whole.
///
/// # Errors
/// What is wrong with the script, as from [`Splitter::next_piece`].
pub fn split(dialect: impl Into<Dialect>, file: &str, text: &[u8]) -> Result<Vec<Piece>, Box<Diagnostic>> {
    let mut splitter = Splitter::new(dialect, file);
    splitter.feed(text);
    splitter.finish();
    let mut pieces = Vec::new();
    while let Some(piece) = splitter.next_piece()? {
        pieces.push(piece);
    }
    Ok(pieces)
}

/// True where the rest of a line is at hand, or as much of it as a diagnostic shows.
fn line_is_complete(rest: &[u8]) -> bool {
    rest.len() > fault::LINE_BYTES || find_either(rest, 0, b'\n', b'\r').is_some()
}
