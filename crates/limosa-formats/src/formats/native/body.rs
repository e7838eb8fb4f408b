//! What stands below the headers of a file, as it streams past: the outline, the checksum, and the way back.

use std::sync::Arc;

use limosa_core::{Checksum, Markers, Outliner, Rollback, Script, SharedText, ToolTransaction, TransactionWish};
use limosa_sql::{
    Diagnostic, Dialect, EndDelimiter, Engine, Label, Piece, PieceKind, Position, Span, Splitter, TransactionRule,
};

use super::comments::{CommentScanner, Line, LineKind};
use super::entry::OtherBack;
use super::facts::Content;
use super::misuse::transaction_misuse;
use super::rollback::{ROLLBACK_LIMIT, back_elsewhere, clipped, nothing_back, read_down, read_file, read_section};
use super::section::{
    Cut, Directive, SectionFinder, SectionStart, directive, directive_among_sections, foreign_section, heading_after,
    inside_statement, leads_back, unknown_directive,
};
use super::sectioned::{Outside, SectionReader, Sectioned, explained, misread};
use super::up_text::UpText;
use super::wishes::Wishes;
use crate::codes;
use crate::formats::liquibase::{WayBack, way_back};

/// The part of a file from its first statement on; the head is fed again.
pub(super) struct Body {
    path: SharedText,
    dialect: Dialect,
    pub(super) wishes: Wishes,
    is_rollback: bool,
    splitter: Splitter,
    scanner: CommentScanner,
    finder: SectionFinder,
    /// Where the file holds sections: whose.
    markers: Option<Markers>,
    /// What ends statements besides `;`: in what leads up, and back.
    delimiters: [Option<EndDelimiter>; 2],
    /// What leads back where another change says it.
    back_of_other: Option<OtherBack>,
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

/// What came of a file.
pub(super) struct Finished {
    pub(super) content: Content,
    /// What is to be said of it, at places of what was fed.
    pub(super) told: Vec<Diagnostic>,
    /// The same at places of other files, or of all of the file.
    pub(super) told_elsewhere: Vec<Diagnostic>,
}

impl Body {
    pub(super) fn new(path: &SharedText, dialect: Dialect, wishes: Wishes, is_rollback: bool) -> Body {
        // A file for another engine is read by that engine's rules, so that it is judged by nothing else.
        let other = wishes.engines.as_ref().and_then(|engines| engines.first()).copied();
        let dialect = if wishes.wants(dialect.engine()) {
            dialect
        } else {
            other.map_or(dialect, |other| Dialect::from(other).with_marks(dialect.marks()))
        };
        Body {
            path: path.clone(),
            dialect,
            is_rollback,
            splitter: Splitter::new(dialect, path),
            scanner: CommentScanner::new(dialect.engine()),
            finder: SectionFinder::default(),
            markers: None,
            delimiters: [None, None],
            back_of_other: None,
            without_transaction: None,
            outside: Outside::default(),
            outliner: Outliner::new(dialect, wishes.transaction.unwrap_or_default()),
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

    /// The tool that the file was written for has a transaction around it.
    pub(super) fn surround(&mut self, around: ToolTransaction) {
        self.outliner.surround(around);
    }

    /// The tool that the file was written for replaces placeholders in data of COPY, too.
    pub(super) fn search_data(&mut self) {
        self.outliner.search_data();
    }

    /// The tool that the file was written for keeps its record in a table of this name.
    pub(super) fn watch_ledger(&mut self, table: &str) {
        for outliner in std::iter::once(&mut self.outliner).chain(&mut self.without_transaction) {
            outliner.watch_ledger(table);
        }
    }

    /// What follows goes through a mask: sections are told apart already.
    pub(super) fn expect_sections(&mut self, markers: Markers) {
        self.markers = Some(markers);
        self.up = None;
        if markers == Markers::Goose && self.wishes.transaction.is_none() {
            self.without_transaction = Some(Outliner::new(self.dialect, TransactionWish::None));
        }
    }

    /// Something else than `;` may end statements, in what leads up, and back.
    pub(super) fn expect_delimiters(&mut self, up: Option<&EndDelimiter>, back: Option<&EndDelimiter>) {
        self.splitter = Splitter::new(self.dialect, &self.path).with_delimiter(up);
        self.delimiters = [up.cloned(), back.cloned()];
    }

    /// Where the way back names another part of the file: what that does.
    pub(super) fn expect_back(&mut self, of_other: Option<&OtherBack>) {
        self.back_of_other = of_other.cloned();
    }

    pub(super) fn feed(&mut self, bytes: &[u8], sections: Option<&SectionReader>) {
        if !self.failed {
            self.splitter.feed(bytes);
            self.pieces(sections);
        }
    }

    /// Says that no more bytes will come.
    pub(super) fn end(&mut self, sections: Option<&SectionReader>) {
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
                Err(diagnostic) => self.fail(match sections {
                    Some(sections) => explained(*diagnostic, self.dialect.engine(), sections.variables()),
                    None => *diagnostic,
                }),
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
        } else if piece.kind == PieceKind::CopyData {
            self.outliner.add(piece);
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
        self.read_variables(piece, sections);
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

    /// Tells the outliners where variables are replaced, as far as that is known.
    fn read_variables(&mut self, piece: &Piece, sections: &SectionReader) {
        let variables = sections.variables();
        if variables.is_empty() {
            return;
        }
        for outliner in std::iter::once(&mut self.outliner).chain(&mut self.without_transaction) {
            outliner.read_variables(variables);
        }
        if let Some(problem) = misread(&self.path, self.dialect.engine(), piece, variables) {
            self.diagnostics.push(problem);
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

    /// Looks for the directive inside a statement that was never ended with `;`. `number` is the line that the piece
    /// begins on. What came before the directive is added to the outline.
    fn section_inside(&mut self, piece: &Piece, number: u64) -> Option<SectionStart> {
        let statement = piece.statement();
        let mut from = 0;
        while let Some(found) = statement[from..].find("limosa:") {
            let at = from + found;
            from = at + 1;
            let start = statement[..at].rfind(['\n', '\r']).map_or(0, |at| at + 1);
            let end = statement[at..].find(['\n', '\r']).map_or(statement.len(), |end| at + end);
            let line = &statement[start..end];
            let marks: &[&str] = if self.dialect.engine() == Engine::Mysql { &["--", "#"] } else { &["--"] };
            let bare = line.trim_start();
            let Some(mark) = marks.iter().find(|mark| bare.starts_with(**mark)).filter(|_| start > 0) else { continue };
            let text = &bare[mark.len()..];
            let Some(directive) = directive(text) else { continue };
            let head = piece.text.get(..piece.body.0 + start).unwrap_or_default();
            let place = Position { line: number, column: 1 }.after(&String::from_utf8_lossy(head));
            match (self.cut(piece, start), directive) {
                (Cut::InsideText, _) => {}
                (_, Directive::Unknown(word)) => {
                    let indent = line.len() - line.trim_start().len();
                    self.diagnostics.push(unknown_directive(&self.path, place.line, indent, mark, text, &word));
                }
                (Cut::Whole(part), Directive::Rollback) => {
                    let start = SectionStart { offset: part.span.end, line: place.line };
                    let heading = heading_after(&part, number, self.dialect.engine());
                    self.statement(&part);
                    return Some(heading.unwrap_or(start));
                }
                (Cut::InsideStatement(verb), Directive::Rollback) => {
                    self.fail(inside_statement(&self.path, place, line, &verb));
                    return None;
                }
            }
        }
        None
    }

    /// Ends a statement at `end`, an offset within it.
    fn cut(&self, piece: &Piece, end: usize) -> Cut {
        let mut splitter = Splitter::new(self.dialect, &self.path);
        splitter.feed(&piece.statement().as_bytes()[..end]);
        splitter.finish();
        match splitter.next_piece() {
            Ok(Some(part)) if matches!(part.kind, PieceKind::Statement(_)) => {
                let end = piece.body.0 + end;
                Cut::Whole(Piece {
                    kind: part.kind,
                    span: Span::new(piece.span.start, piece.span.start + end as u64),
                    text: piece.text[..end].to_vec(),
                    body: (piece.body.0 + part.body.0, piece.body.0 + part.body.1),
                    position: piece.position,
                })
            }
            Ok(_) => Cut::InsideText,
            Err(diagnostic) if INSIDE_STATEMENT.contains(&diagnostic.code) => {
                let verb = piece.class().map_or_else(String::new, |class| class.verb.clone());
                Cut::InsideStatement(verb)
            }
            Err(_) => Cut::InsideText,
        }
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

    pub(super) fn finish(mut self, file_checksum: Checksum, sectioned: Option<Sectioned>) -> Finished {
        if let Some(sectioned) = sectioned {
            return self.finish_sections(file_checksum, sectioned);
        }
        if !self.failed && self.section.is_none() && !self.is_rollback {
            self.last_line();
        }
        let back = self.way_back();
        if self.is_rollback {
            return Finished {
                content: Content::WayBack(self.held(back)),
                told: self.diagnostics,
                told_elsewhere: Vec::new(),
            };
        }
        let script = self.script(file_checksum).into();
        let content = Content::Change { script, rollback: self.held(back) };
        Finished { content, told: self.diagnostics, told_elsewhere: Vec::new() }
    }

    /// A way back, which mostly has its path from the file that is read.
    fn held(&self, rollback: Option<Rollback>) -> Option<Arc<Rollback>> {
        let mut rollback = rollback?;
        if rollback.file == self.path {
            rollback.file = self.path.clone();
        }
        Some(Arc::new(rollback))
    }

    fn finish_sections(mut self, file_checksum: Checksum, sectioned: Sectioned) -> Finished {
        // Where the markers are wrong nothing else is worth saying.
        self.failed |= sectioned.diagnostics.iter().any(Diagnostic::is_error);
        self.diagnostics.extend(sectioned.diagnostics);
        self.up_end = Some(sectioned.up);
        self.outliner.read_variables(&sectioned.variables);
        let mut told_elsewhere = Vec::new();
        let rollback = sectioned.back.filter(|_| !self.failed).and_then(|(bytes, line)| {
            let of_other = self.back_of_other.take();
            let is_of_other = of_other.is_some();
            let OtherBack { file, line, text } = match of_other {
                Some(other) => other,
                None => OtherBack { file: self.path.to_string(), line, text: self.text_of(bytes)? },
            };
            // It is kept as a text, which nothing else comes with. What is wrong with it is told below.
            let replaced =
                self.delimiters[1].as_ref().map(|delimiter| delimiter.replaced(self.dialect, &self.path, &text));
            let text = replaced.and_then(Result::ok).unwrap_or(text);
            if sectioned.markers.are_liquibases() && !is_of_other {
                match way_back(&text) {
                    WayBack::Sql => {}
                    WayBack::Nothing => return Some(nothing_back(&self.path, line)),
                    WayBack::OtherChange => {
                        self.diagnostics.push(back_elsewhere(&self.path, line));
                        return None;
                    }
                }
            }
            let (back, found) = read_down(&file, self.dialect, text, line, sectioned.back_mode, &sectioned.variables);
            if is_of_other {
                told_elsewhere.extend(found)
            } else {
                self.diagnostics.extend(found)
            }
            back
        });
        let script = self.script(file_checksum).into();
        let rollback = self.held(rollback);
        Finished { content: Content::Change { script, rollback }, told: self.diagnostics, told_elsewhere }
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
        let outliner = std::mem::replace(&mut self.outliner, Outliner::new(self.dialect, wish));
        let mut outline = match outliner.finish() {
            Ok(outline) => outline,
            Err(error) => {
                let line = self.places.iter().find(|(position, _)| *position == error.position());
                let line = line.map(|(_, line)| line.clone());
                self.diagnostics.push(transaction_misuse(&self.path, &error, line));
                Default::default()
            }
        };
        outline.markers = self.markers;
        outline.end_delimiter = self.delimiters[0].take().map(Box::new);
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
            file_checksum,
            up_checksum,
            outline: outline.into(),
        }
    }
}

/// Codes of the splitter for what is open at the end, strings and comments apart.
const INSIDE_STATEMENT: &[&str] = &[limosa_sql::codes::OPEN_PARENTHESIS, limosa_sql::codes::OPEN_BODY];
