//! Reads one file as it streams past: checksums, headers, outline, and the way back. Holds no text of the up part.

mod inside;

use limosa_core::{Checksum, FileHasher, Markers, Outliner, Rollback, Script, TransactionWish};
use limosa_sql::{Diagnostic, Dialect, Engine, Label, Piece, PieceKind, Position, Span, Splitter, TransactionRule};

use super::comments::{CommentScanner, Line, LineKind};
use super::config::{self, Config};
use super::facts::{Content, FileFacts};
use super::headers::{Head, as_prose, read_headers};
use super::misuse::transaction_misuse;
use super::names::{FileRole, classify};
use super::rollback::{ROLLBACK_LIMIT, clipped, read_down, read_file, read_section};
use super::section::{
    Directive, SectionFinder, SectionStart, directive, directive_among_sections, foreign_section, leads_back,
    unknown_directive,
};
use super::sectioned::{Outside, SectionReader, Sectioned};
use super::up_text::UpText;
use super::wishes::Wishes;
use crate::Layout;
use crate::codes;

/// Headers are looked for in this many bytes; nobody writes longer comments above the first statement.
const HEAD_LIMIT: usize = 256 * 1024;

/// Reads one file, chunk by chunk.
///
/// The up part of a file reaches from its first byte to its rollback section, or to its end, without blanks at the
/// end: adding a rollback section to an applied file, or an empty line, is no change. Memory stays within the largest
/// statement and the way back, which may have 16 MiB.
pub struct FileReader {
    path: String,
    role: FileRole,
    dialect: Dialect,
    from_config: Wishes,
    /// What the file begins with where it is not to run in a transaction.
    no_transaction: Option<&'static str>,
    /// The file was written for another tool, which knows no headers.
    is_foreign: bool,
    /// That tool holds a transaction open around it.
    is_surrounded: bool,
    file_hasher: FileHasher,
    /// What it goes through before it is read further, where the file holds sections.
    sections: Option<Box<SectionReader>>,
    stage: Stage,
    diagnostics: Vec<Diagnostic>,
}

enum Stage {
    /// Nothing to be read in this file.
    Idle,
    /// Above the first statement; the bytes so far.
    Head { scanner: CommentScanner, lines: Vec<Line>, bytes: Vec<u8> },
    /// Headers are known.
    Body(Box<Body>),
}

impl FileReader {
    /// A reader for the file at `path`, read as a database of `dialect` does. `configs` are the configurations of all
    /// folders; the one beside the file counts.
    ///
    /// A file that is no script by its name is not read; [`FileReader::finish`] then only gives the warning.
    pub fn new(dialect: impl Into<Dialect>, path: &str, configs: &[Config]) -> FileReader {
        FileReader::of_role(dialect, path, classify(path), configs)
    }

    /// A reader for a file whose role another format says.
    pub fn of_role(dialect: impl Into<Dialect>, path: &str, role: FileRole, configs: &[Config]) -> FileReader {
        let dialect = dialect.into();
        let mut diagnostics = Vec::new();
        if let FileRole::Unclear(diagnostic) = &role {
            diagnostics.push((**diagnostic).clone());
        }
        let stage = if role.is_script() {
            // A block comment above the first statement is read by the rules of the engine at hand.
            Stage::Head { scanner: CommentScanner::new(dialect.engine()), lines: Vec::new(), bytes: Vec::new() }
        } else {
            Stage::Idle
        };
        FileReader {
            path: path.to_owned(),
            from_config: config::wishes_for(configs, path, &role),
            role,
            dialect,
            no_transaction: None,
            is_foreign: false,
            is_surrounded: false,
            file_hasher: FileHasher::new(),
            sections: None,
            stage,
            diagnostics,
        }
    }

    /// The file holds sections that these markers tell apart: those that lead up are the script, those that lead back its way back.
    #[must_use]
    pub fn with_markers(mut self, markers: Option<Markers>) -> FileReader {
        let markers = markers.filter(|_| self.role.is_script() && !matches!(self.role, FileRole::Rollback { .. }));
        self.sections = markers.map(|markers| Box::new(SectionReader::new(self.dialect, &self.path, markers)));
        self
    }

    /// The file was written for the tool of this layout.
    #[must_use]
    pub fn of_tool(self, layout: &Layout) -> FileReader {
        let is_surrounded = layout.holds_transaction() && !matches!(self.role, FileRole::Rollback { .. });
        FileReader { is_foreign: layout.is_foreign(), is_surrounded, ..self }
    }

    /// A file whose first bytes are this comment does not run in a transaction, where no header says otherwise.
    #[must_use]
    pub fn no_transaction_mark(self, mark: Option<&'static str>) -> FileReader {
        FileReader { no_transaction: mark, ..self }
    }

    /// Adds the next bytes of the file.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.file_hasher.update(bytes);
        match &mut self.sections {
            None => self.take(bytes),
            Some(sections) => {
                let up = sections.feed(bytes);
                self.take(&up);
            }
        }
    }

    /// Goes on with bytes that lead up, or are all of the file.
    fn take(&mut self, bytes: &[u8]) {
        match &mut self.stage {
            Stage::Idle => {}
            Stage::Body(body) => body.feed(bytes, self.sections.as_deref()),
            Stage::Head { scanner, lines, bytes: held } => {
                let room = HEAD_LIMIT - held.len().min(HEAD_LIMIT);
                let seen = &bytes[..bytes.len().min(room)];
                let whole = scanner.feed(seen, lines) == bytes.len();
                held.extend_from_slice(bytes);
                if !whole {
                    self.begin_body();
                }
            }
        }
    }

    /// Reads the headers, chooses the rules of SQL, and goes on to the statements.
    fn begin_body(&mut self) {
        let Stage::Head { mut scanner, mut lines, bytes } = std::mem::replace(&mut self.stage, Stage::Idle) else {
            return;
        };
        if bytes.len() as u64 == scanner.offset() {
            scanner.finish(&mut lines);
        }
        let mut finder = SectionFinder::default();
        let above = match &self.sections {
            Some(_) => lines.len(),
            None => lines.iter().position(|line| finder.line(line).is_some()).unwrap_or(lines.len()),
        };
        let is_rollback = matches!(self.role, FileRole::Rollback { .. });
        let head = if is_rollback { Head::RollbackFile } else { Head::Migration };
        let (mut own, diagnostics) = read_headers(&self.path, &lines[..above], head);
        if self.is_foreign {
            own.may_be_prose();
        }
        self.diagnostics.extend(diagnostics);
        let mut wishes = own.or(&self.from_config);
        if self.no_transaction.is_some_and(|mark| bytes.starts_with(mark.as_bytes())) && wishes.transaction.is_none() {
            wishes.transaction = Some(TransactionWish::None);
        }
        let mut body = Box::new(Body::new(&self.path, self.dialect, wishes, is_rollback));
        if self.is_surrounded {
            body.outliner.surround();
        }
        if let Some(sections) = &self.sections {
            body.expect_sections(sections.markers());
        }
        body.feed(&bytes, self.sections.as_deref());
        self.stage = Stage::Body(body);
    }

    /// Says that no more bytes will come. The facts are None where the file is no script by its name. Where a
    /// diagnostic is an error, they only serve to check other files against.
    pub fn finish(mut self) -> (Option<FileFacts>, Vec<Diagnostic>) {
        if let Some(sections) = &mut self.sections {
            let up = sections.end();
            self.take(&up);
        }
        if matches!(self.stage, Stage::Head { .. }) {
            self.begin_body();
        }
        let Stage::Body(mut body) = self.stage else { return (None, self.diagnostics) };
        body.end(self.sections.as_deref());
        let sectioned = self.sections.map(|sections| sections.finish());
        if let Some(sectioned) = &sectioned {
            // Without variables of its own `${...}` is text to the tool.
            body.wishes.placeholders_off.get_or_insert(!sectioned.has_variables);
        }
        let wishes = body.wishes.clone();
        let (content, diagnostics) = body.finish(self.file_hasher.finish(), sectioned);
        self.diagnostics.extend(diagnostics);
        if self.is_foreign {
            const OF_HEADERS: [&str; 2] = [codes::BAD_HEADER_VALUE, codes::REPEATED_HEADER];
            let of_headers = self.diagnostics.iter_mut().filter(|problem| OF_HEADERS.contains(&problem.code));
            of_headers.for_each(as_prose);
        }
        let facts = FileFacts {
            path: self.path,
            role: self.role,
            headers: wishes.headers(),
            wanted: wishes.wants(self.dialect.engine()),
            references: wishes.depends_on,
            content,
            is_code: false,
            is_unread: false,
        };
        (Some(facts), self.diagnostics)
    }
}

/// The part of a file from its first statement on; the head is fed again.
struct Body {
    path: String,
    dialect: Dialect,
    wishes: Wishes,
    is_rollback: bool,
    splitter: Splitter,
    scanner: CommentScanner,
    finder: SectionFinder,
    /// Where the file holds sections: whose.
    markers: Option<Markers>,
    outliner: Outliner,
    /// The outline without transactions, where a marker further below may ask for it.
    without_transaction: Option<Outliner>,
    outside: Outside,
    statements: u64,
    /// None once the section began.
    up: Option<UpText>,
    up_end: Option<(Checksum, u64)>,
    section: Option<SectionStart>,
    /// The text of the way back so far.
    back: Vec<u8>,
    /// Lines of statements that an error about transactions may name.
    places: Vec<(Position, String)>,
    diagnostics: Vec<Diagnostic>,
    failed: bool,
}

impl Body {
    fn new(path: &str, dialect: Dialect, wishes: Wishes, is_rollback: bool) -> Body {
        // A file for another engine is read by that engine's rules, so that it is judged by nothing else.
        let other = wishes.engines.as_ref().and_then(|engines| engines.first()).copied();
        let dialect = if wishes.wants(dialect.engine()) { dialect } else { other.map_or(dialect, Dialect::from) };
        Body {
            path: path.to_owned(),
            dialect,
            is_rollback,
            splitter: Splitter::new(dialect, path),
            scanner: CommentScanner::new(dialect.engine()),
            finder: SectionFinder::default(),
            markers: None,
            without_transaction: None,
            outside: Outside::default(),
            outliner: Outliner::new(dialect.engine(), wishes.transaction.unwrap_or_default()),
            wishes,
            statements: 0,
            up: Some(UpText::new()),
            up_end: None,
            section: None,
            back: Vec::new(),
            places: Vec::new(),
            diagnostics: Vec::new(),
            failed: false,
        }
    }

    /// What follows goes through a mask: sections are told apart already.
    fn expect_sections(&mut self, markers: Markers) {
        self.markers = Some(markers);
        self.up = None;
        if markers == Markers::Goose && self.wishes.transaction.is_none() {
            self.without_transaction = Some(Outliner::new(self.dialect.engine(), TransactionWish::None));
        }
    }

    fn feed(&mut self, bytes: &[u8], sections: Option<&SectionReader>) {
        if !self.failed {
            self.splitter.feed(bytes);
            self.pieces(sections);
        }
    }

    /// Says that no more bytes will come.
    fn end(&mut self, sections: Option<&SectionReader>) {
        if !self.failed {
            self.splitter.finish();
            self.pieces(sections);
        }
        self.outside.flush(self.without_transaction.as_mut().unwrap_or(&mut self.outliner));
        if sections.is_some_and(SectionReader::has_no_transaction)
            && let Some(mut outliner) = self.without_transaction.take()
        {
            outliner.set_wish(TransactionWish::None);
            self.outliner = outliner;
            self.wishes.transaction = Some(TransactionWish::None);
        }
    }

    fn pieces(&mut self, sections: Option<&SectionReader>) {
        while !self.failed {
            match self.splitter.next_piece() {
                Ok(Some(piece)) => match (self.markers, sections) {
                    (Some(markers), Some(sections)) => self.piece_of_section(&piece, markers, sections),
                    _ => self.piece(&piece),
                },
                Ok(None) => return,
                Err(diagnostic) => self.fail(*diagnostic),
            }
        }
    }

    fn fail(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
        self.failed = true;
    }

    fn piece(&mut self, piece: &Piece) {
        if self.is_rollback || self.section.is_some() {
            self.keep_back(&piece.text);
            return;
        }
        let mut lines = Vec::new();
        let number = self.scanner.number();
        self.scanner.piece(piece, &mut lines);
        let is_statement = matches!(piece.kind, PieceKind::Statement(_));
        let body = piece.body_start();
        let mut begun = self.section_in(lines.iter().filter(|line| !is_statement || line.start < body));
        if is_statement && begun.is_none() {
            begun = self.section_inside(piece, number);
            if begun.is_none() {
                self.statement(piece);
                self.finder.interrupt();
                begun = self.section_in(lines.iter().filter(|line| line.start >= body));
            }
        }
        let hold = self.finder.hold_from().unwrap_or(u64::MAX).min(self.scanner.hold_from());
        let Some(up) = &mut self.up else { return };
        up.add(&piece.text, begun.map_or(hold, |start| start.offset));
        if let Some(start) = begun {
            self.begin_section(start);
        }
    }

    /// A piece of a file whose sections are told apart already.
    fn piece_of_section(&mut self, piece: &Piece, markers: Markers, sections: &SectionReader) {
        let mut lines = Vec::new();
        self.scanner.piece(piece, &mut lines);
        for line in &lines {
            if let LineKind::Comment { mark, text, .. } = &line.kind
                && directive(text).is_some()
            {
                self.diagnostics.push(directive_among_sections(&self.path, line.number, mark, text, markers));
            }
        }
        let offset = piece.span.start + piece.body.0 as u64;
        let is_statement = matches!(piece.kind, PieceKind::Statement(_));
        let text = sections.text_at(offset).filter(|_| self.dialect.engine() == Engine::Postgres);
        let is_outside = self.wishes.transaction.is_none() && sections.is_outside(offset);
        match &mut self.without_transaction {
            Some(outliner) if is_statement => {
                self.outside.add(outliner, piece, text);
                self.outliner.add(piece);
            }
            None if is_statement && is_outside => self.outside.add(&mut self.outliner, piece, text),
            // Data of COPY belongs to the outline, too.
            other => {
                if let Some(outliner) = other {
                    self.outside.flush(outliner);
                    outliner.add(piece);
                } else {
                    self.outside.flush(&mut self.outliner);
                    self.outliner.set_wish(self.wishes.transaction.unwrap_or_default());
                }
                self.outliner.add(piece);
            }
        }
        if is_statement {
            self.note(piece);
        }
    }

    /// Looks for the beginning of the rollback section in lines between statements.
    fn section_in<'a>(&mut self, lines: impl Iterator<Item = &'a Line>) -> Option<SectionStart> {
        for line in lines {
            if let LineKind::Comment { indent, mark, text } = &line.kind {
                if let Some(Directive::Unknown(word)) = directive(text) {
                    self.diagnostics.push(unknown_directive(&self.path, line.number, *indent, mark, text, &word));
                } else if let Some(markers) = leads_back(*indent, mark, text) {
                    self.diagnostics.push(foreign_section(&self.path, line.number, mark, text, markers));
                }
            }
            if let Some(start) = self.finder.line(line) {
                return Some(start);
            }
        }
        None
    }

    fn statement(&mut self, piece: &Piece) {
        self.outliner.add(piece);
        self.note(piece);
    }

    fn note(&mut self, piece: &Piece) {
        self.statements += 1;
        let remarkable = piece.class().is_some_and(|class| class.transaction != TransactionRule::Either);
        if remarkable && self.places.len() < 1000 {
            self.places.push((piece.position, clipped(piece.statement().lines().next().unwrap_or_default())));
        }
    }

    fn begin_section(&mut self, start: SectionStart) {
        self.section = Some(start);
        let Some(up) = self.up.take() else { return };
        let (checksum, end, rest) = up.finish(start.offset);
        self.up_end = Some((checksum, end));
        self.keep_back(&rest);
    }

    fn keep_back(&mut self, bytes: &[u8]) {
        if self.back.len() + bytes.len() > ROLLBACK_LIMIT {
            let message = format!("this rollback is larger than {} MiB", ROLLBACK_LIMIT >> 20);
            let label = match self.section {
                Some(start) => Label::place(&self.path, Position { line: start.line, column: 1 }),
                None => Label::file(&self.path),
            };
            self.back = Vec::new();
            self.fail(Diagnostic::error(codes::ROLLBACK_TOO_LARGE, message).at(label).help(
                "a way back is kept in the database; let it call a function or copy from a table instead of holding data",
            ));
            return;
        }
        self.back.extend_from_slice(bytes);
    }

    fn finish(mut self, file_checksum: Checksum, sectioned: Option<Sectioned>) -> (Content, Vec<Diagnostic>) {
        if let Some(sectioned) = sectioned {
            return self.finish_sections(file_checksum, sectioned);
        }
        if !self.failed && self.section.is_none() && !self.is_rollback {
            self.last_line();
        }
        let back = self.way_back();
        if self.is_rollback {
            return (Content::WayBack(back), self.diagnostics);
        }
        let script = Box::new(self.script(file_checksum));
        (Content::Change { script, rollback: back }, self.diagnostics)
    }

    fn finish_sections(mut self, file_checksum: Checksum, sectioned: Sectioned) -> (Content, Vec<Diagnostic>) {
        // Where the markers are wrong nothing else is worth saying.
        self.failed |= sectioned.diagnostics.iter().any(Diagnostic::is_error);
        self.diagnostics.extend(sectioned.diagnostics);
        self.up_end = Some(sectioned.up);
        let rollback = sectioned.back.filter(|_| !self.failed).and_then(|(bytes, line)| {
            let text = self.text_of(bytes)?;
            let (back, found) = read_down(&self.path, self.dialect, text, line, sectioned.back_mode);
            self.diagnostics.extend(found);
            back
        });
        let script = Box::new(self.script(file_checksum));
        (Content::Change { script, rollback }, self.diagnostics)
    }

    /// The last line, which nothing ended.
    fn last_line(&mut self) {
        let mut lines = Vec::new();
        self.scanner.finish(&mut lines);
        if let Some(start) = self.section_in(lines.iter()) {
            self.begin_section(start);
        }
    }

    fn way_back(&mut self) -> Option<Rollback> {
        if self.failed || !(self.is_rollback || self.section.is_some()) {
            return None;
        }
        let bytes = std::mem::take(&mut self.back);
        let text = self.text_of(bytes)?;
        let (back, diagnostics) = match self.section {
            Some(start) => read_section(&self.path, self.dialect, &text, start.line),
            None => {
                let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
                read_file(&self.path, self.dialect, text, &self.wishes)
            }
        };
        self.diagnostics.extend(diagnostics);
        back
    }

    /// The text of a way back.
    fn text_of(&mut self, bytes: Vec<u8>) -> Option<String> {
        match String::from_utf8(bytes) {
            Ok(text) => Some(text),
            // Only data for COPY, and sections, get this far unchecked.
            Err(_) => {
                let message = "this rollback is not UTF-8, and a way back is kept as text";
                self.fail(Diagnostic::error(limosa_sql::codes::NOT_UTF8, message).at(Label::file(&self.path)));
                None
            }
        }
    }

    fn script(&mut self, file_checksum: Checksum) -> Script {
        let (up_checksum, end) = match (self.up_end.take(), self.up.take()) {
            (Some(known), _) => known,
            (None, up) => {
                let (checksum, end, _) = up.unwrap_or_else(UpText::new).finish(u64::MAX);
                (checksum, end)
            }
        };
        let wish = self.wishes.transaction.unwrap_or_default();
        let outliner = std::mem::replace(&mut self.outliner, Outliner::new(self.dialect.engine(), wish));
        let mut outline = match outliner.finish() {
            Ok(outline) => outline,
            Err(error) => {
                let line = self.places.iter().find(|(position, _)| *position == error.position());
                let line = line.map(|(_, line)| line.clone());
                self.diagnostics.push(transaction_misuse(&self.path, &error, line));
                Default::default()
            }
        };
        outline.bytes = end;
        if self.statements == 0 && !self.failed {
            self.diagnostics.push(
                Diagnostic::warning(codes::NO_STATEMENT, "this migration holds no statement")
                    .at(Label::file(&self.path))
                    .help("it will be recorded as applied without doing anything"),
            );
        }
        Script {
            file: self.path.clone(),
            span: Span::new(0, end),
            start: Position::START,
            markers: self.markers,
            file_checksum,
            up_checksum,
            outline,
        }
    }
}
