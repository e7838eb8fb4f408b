//! Cuts a script into pieces without ever holding more of it than one statement.

mod copy;
mod fault;
#[cfg(test)]
mod tests;

use crate::boundary::{Boundary, Hanging};
use crate::classify::{Conforming, classify_with};
use crate::command::{instead_of_psql, instead_of_sqlite, psql_name, sqlite_name};
use crate::encoding::{Flaw, Foreign, SIGNATURE_BYTES, check, recognise};
use crate::lexer::{Kind, Lexer, Open, Step, Token};
use crate::place::Tracker;
use crate::search::{find, find_either};
use crate::{Class, Diagnostic, Effect, Engine, Piece, PieceKind, Span, codes};
use copy::CopyData;
use fault::{Fault, Mark, Place};

/// Comments and blanks longer than this are given out in parts, in bytes.
const BLANK_LIMIT: usize = 64 * 1024;
/// The largest message that a PostgreSQL server takes is 1 GiB (`MaxAllocSize`); SQLite takes 1,000,000,000 bytes
/// (`SQLITE_MAX_SQL_LENGTH`).
const STATEMENT_LIMIT: usize = 1_000_000_000;
/// A shell command is looked at up to this length, in bytes.
const COMMAND_LIMIT: usize = 4096;

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
    /// Up to here the buffer is known to be well encoded.
    checked: usize,
    tracker: Tracker,
    /// Where a comment began whose beginning is given out already.
    comment: Option<Mark>,
    conforming: Conforming,
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
    /// A splitter for scripts of one engine. `file` is the name used in diagnostics.
    pub fn new(engine: Engine, file: &str) -> Self {
        Splitter {
            engine,
            file: file.to_owned(),
            buffer: Vec::new(),
            start: 0,
            base: 0,
            finished: false,
            mode: Mode::Signature,
            lexer: Lexer::new(engine, false),
            boundary: Boundary::new(engine),
            body: None,
            checked: 0,
            tracker: Tracker::new(),
            comment: None,
            conforming: Conforming::default(),
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
                    let at_start = self.body.is_none();
                    let is_command = match token.kind {
                        Kind::Symbol(b'\\') => self.engine == Engine::Postgres,
                        Kind::Symbol(b'.') => self.engine == Engine::Sqlite && at_start,
                        _ => false,
                    };
                    if is_command {
                        self.mode = Mode::Command { at: token.start };
                        return Ok(None);
                    }
                    if self.boundary.take(token, &self.buffer) {
                        return self.statement(token.end, true);
                    }
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

    /// Looks at a comment, blank or byte-order mark.
    fn blank(&mut self, token: Token) -> Result<(), Box<Fault>> {
        match token.kind {
            Kind::BlockComment => self.comment = None,
            Kind::LineComment if self.engine == Engine::Sqlite => {
                self.check_comment(token.start.max(self.start), token.end)?;
            }
            Kind::Mark if self.engine == Engine::Postgres && self.base + token.start as u64 > 0 => {
                let fault = Fault::at(
                    token.start,
                    codes::INNER_BYTE_ORDER_MARK,
                    "a byte-order mark (U+FEFF) stands inside the script, where PostgreSQL takes it for a name",
                )
                .help("remove it; it often comes from joining files");
                return self.refuse(fault, token.end);
            }
            _ => {}
        }
        Ok(())
    }

    /// A lone carriage return ends the line for an editor, but not the comment for SQLite.
    fn check_comment(&mut self, start: usize, end: usize) -> Result<(), Box<Fault>> {
        let comment = &self.buffer[start..end];
        let Some(at) = find(comment, 0, b'\r') else { return Ok(()) };
        if comment[at + 1..].iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let fault = Fault::at(
            start,
            codes::COMMENT_SWALLOWS,
            "a comment goes on after a lone carriage return: SQLite ends comments at line feeds only, so that what \
             follows would not run",
        )
        .help("save the file with LF or CR LF line ends");
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
        if self.engine == Engine::Sqlite && self.lexer.in_line_comment() {
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
        let Some((from, to)) = self.body else {
            return Ok(Some(self.emit(PieceKind::Blank, end, None)));
        };
        self.check_size(end)?;
        let text = std::str::from_utf8(&self.buffer[from..to]).unwrap_or_default();
        let class = Box::new(classify_with(self.engine, text, self.lexer.backslashes()));
        if class.effect == Effect::CopyFromStdin {
            if !terminated {
                let mark = self.mark(from);
                return self.refuse_at_end(no_copy_end(mark));
            }
            self.mode = Mode::CopyLine { semicolon: end, class };
            return Ok(None);
        }
        if self.engine == Engine::Postgres {
            self.conforming.follow(text, &class);
            self.lexer.set_backslashes(self.conforming.backslashes());
        }
        Ok(Some(self.emit(PieceKind::Statement(class), end, Some((from, to)))))
    }

    /// A command of a shell, whose first character stands at `at`.
    fn command(&mut self, at: usize) -> Result<Option<Piece>, Box<Fault>> {
        let rest = &self.buffer[at..];
        let line = find_either(rest, 0, b'\n', b'\r');
        if line.is_none() && !self.finished && rest.len() < COMMAND_LIMIT {
            return Ok(None);
        }
        let after = &rest[1..];
        if self.engine == Engine::Sqlite {
            let name = sqlite_name(after);
            let message = format!("`.{name}` is a command of the sqlite3 shell, not SQL");
            let fault =
                Fault::at(at, codes::SQLITE_COMMAND, message).length(name.len() + 1).help(instead_of_sqlite(name));
            return self.refuse(fault, at);
        }
        let name = psql_name(after);
        let accepted = matches!(name, "restrict" | "unrestrict");
        if accepted && self.body.is_none() {
            let end = match line {
                Some(line) if rest[line] == b'\r' && rest.len() == line + 1 && !self.finished => return Ok(None),
                Some(line) if rest[line..].starts_with(b"\r\n") => at + line + 2,
                Some(line) => at + line + 1,
                None if self.finished => self.buffer.len(),
                None => return Ok(None),
            };
            self.verify(end, true)?;
            self.lexer.jump(end);
            self.mode = Mode::Statements;
            let piece = self.emit(PieceKind::Meta, end, Some((at, at)));
            return Ok(Some(piece));
        }
        let fault = match (name, after.first()) {
            _ if accepted => Fault::at(at, codes::PSQL_COMMAND, format!("`\\{name}` stands inside a statement"))
                .help("put it on a line of its own, behind the ; that ends the statement"),
            ("", Some(b'.')) => Fault::at(
                at,
                codes::STRAY_BACKSLASH,
                "`\\.` ends COPY data, but no COPY ... FROM stdin comes before it",
            )
            .help("remove it, or write the COPY statement before its data and end it with ;"),
            ("", _) => Fault::at(at, codes::STRAY_BACKSLASH, "a backslash stands outside strings and comments")
                .help("remove it, or put the text into quotes"),
            _ => Fault::at(at, codes::PSQL_COMMAND, format!("`\\{name}` is a command of psql, not SQL"))
                .help(instead_of_psql(name)),
        };
        let length = name.len() + 1;
        self.refuse(fault.length(length), at)
    }

    fn unclosed(&self, open: Open, at: usize) -> Fault {
        let (code, what, help, length) = match open {
            Open::Text => (codes::OPEN_STRING, "this string constant is never closed", "close it with '", 1),
            Open::Name if self.buffer[at] == b'[' => {
                (codes::OPEN_IDENTIFIER, "this quoted identifier is never closed", "close it with ]", 1)
            }
            Open::Name => {
                (codes::OPEN_IDENTIFIER, "this quoted identifier is never closed", "close it with the same quote", 1)
            }
            Open::Dollar(length) => {
                let tag = String::from_utf8_lossy(&self.buffer[at..at + length]).into_owned();
                let message = format!("the dollar-quoted string that {tag} opens is never closed");
                return Fault::at(at, codes::OPEN_DOLLAR_QUOTE, message)
                    .length(length)
                    .help(format!("close it with {tag}, in the same letters"));
            }
            Open::Comment => (
                codes::OPEN_COMMENT,
                "this comment is never closed",
                "close it with */; PostgreSQL nests comments, so that each /* inside needs its own */",
                2,
            ),
        };
        let fault = Fault::at(at, code, what).length(length).help(help);
        match (&self.comment, open) {
            (Some(mark), Open::Comment) => fault.marked(mark.clone()),
            _ => fault,
        }
    }

    fn check_size(&mut self, end: usize) -> Result<(), Box<Fault>> {
        let Some((from, _)) = self.body else { return Ok(()) };
        if end - from <= self.statement_limit {
            return Ok(());
        }
        let message = format!("this statement is longer than {} bytes, more than servers accept", self.statement_limit);
        let fault = Fault::at(from, codes::STATEMENT_TOO_LARGE, message)
            .help("divide it into several statements, or load the rows with COPY ... FROM stdin");
        self.refuse(fault, from + self.statement_limit)
    }

    /// Reports `fault`, unless a flaw of the encoding comes before it.
    fn refuse<T>(&mut self, fault: Fault, until: usize) -> Result<T, Box<Fault>> {
        self.verify(until, false)?;
        Err(Box::new(fault))
    }

    /// Reports a fault that shows only at the end of the script.
    fn refuse_at_end<T>(&mut self, fault: Fault) -> Result<T, Box<Fault>> {
        self.verify(self.buffer.len(), true)?;
        Err(Box::new(fault))
    }

    /// Checks the encoding up to `until`, which is the end of a piece if `last` says so.
    fn verify(&mut self, until: usize, last: bool) -> Result<(), Box<Fault>> {
        if until <= self.checked {
            return Ok(());
        }
        match check(&self.buffer[self.checked..until], last) {
            Ok(good) => {
                self.checked += good;
                Ok(())
            }
            Err(Flaw::Nul(at)) => Err(Box::new(
                Fault::at(self.checked + at, codes::NUL_BYTE, "a NUL byte (0x00) stands in the script")
                    .help("remove it; if the whole file looks like this, save it as UTF-8 text"),
            )),
            Err(Flaw::Invalid(at)) => {
                let at = self.checked + at;
                let message =
                    format!("the byte 0x{:02X} is no UTF-8 here; migration files must be UTF-8", self.buffer[at]);
                let help = "save the file as UTF-8, for example: iconv -f LATIN1 -t UTF-8 FILE";
                Err(Box::new(Fault::at(at, codes::NOT_UTF8, message).help(help)))
            }
        }
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
        self.boundary.reset();
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
pub fn split(engine: Engine, file: &str, text: &[u8]) -> Result<Vec<Piece>, Box<Diagnostic>> {
    let mut splitter = Splitter::new(engine, file);
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

fn foreign_file(foreign: Foreign) -> Fault {
    match foreign {
        Foreign::Wide(name) => {
            Fault::file(codes::WIDE_ENCODING, format!("the file is {name}; migration files must be UTF-8"))
                .help("convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW (UTF-32: -f UTF-32)")
        }
        Foreign::Binary(name, advice) => {
            Fault::file(codes::NOT_A_SCRIPT, format!("the file is {name}, not an SQL script")).help(advice)
        }
    }
}

fn hanging_fault(hanging: Hanging) -> Fault {
    match hanging {
        Hanging::Parenthesis(at) => {
            Fault::at(at, codes::OPEN_PARENTHESIS, "this parenthesis is never closed, so that the statement has no end")
                .help("close it with ) before the ; of its statement")
        }
        Hanging::Routine(at) => {
            Fault::at(at, codes::OPEN_BODY, "the routine body that BEGIN ATOMIC opens here is never closed")
                .length(5)
                .help("end each statement of the body with ; and the body with END;")
        }
        Hanging::Trigger(at) => {
            Fault::at(at, codes::OPEN_BODY, "the trigger body that BEGIN opens here is never closed")
                .length(5)
                .help("end each statement of the body with ; and the body with END;")
        }
    }
}

fn no_copy_end(mark: Mark) -> Fault {
    Fault::file(codes::OPEN_COPY_DATA, "the data of this COPY ... FROM stdin has no end: the line \\. is missing")
        .marked(mark)
        .length(4)
        .help("write the rows on the lines after the statement, then a line that holds only \\.")
}
