//! Reads a file whose sections say where they lead: what of it is run, what takes it back, and whether its markers make sense.

mod outside;
mod rules;
mod variables;

use limosa_core::{Checksum, Direction, LineEnds, Mark, Markers, Part, SectionScanner, mask};
use limosa_sql::{Diagnostic, Dialect, ExecutableCommentMask, Label, Position, Severity, VariableLines, split};

pub(crate) use self::outside::Outside;
use self::rules::{Fault, Rules};
use self::variables::Variables;
pub(crate) use self::variables::{explained, misread};
use super::comments::CommentScanner;
use super::rollback::{DownMode, ROLLBACK_LIMIT, clipped};
use super::up_text::UpText;
use crate::codes;
use crate::recognise::spoken_for;

/// So many bytes tell what a file is that is no text, or whose markers it has.
const HEAD: usize = 1024;

/// Codes of the splitter for what is no text.
const NO_TEXT: &[&str] =
    &[limosa_sql::codes::WIDE_ENCODING, limosa_sql::codes::NUL_BYTE, limosa_sql::codes::NOT_A_SCRIPT];

/// What a file with sections holds besides its statements.
pub(crate) struct Sectioned {
    /// The checksum of what leads up, and the offset behind its last byte that is no blank.
    pub(crate) up: (Checksum, u64),
    /// What takes it back, and the line that it begins on.
    pub(crate) back: Option<(Vec<u8>, u64)>,
    /// How the way back runs.
    pub(crate) back_mode: DownMode,
    /// Lines of the file in which variables of the environment are replaced.
    pub(crate) variables: VariableLines,
    /// Whose sections they are.
    pub(crate) markers: Markers,
    /// What is wrong with the markers.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Takes a file with sections apart, chunk by chunk.
pub(crate) struct SectionReader {
    dialect: Dialect,
    head: Vec<u8>,
    scanner: SectionScanner,
    taken: Taken,
    /// What leads up goes through it besides. Its checksum is that of before.
    strips: Option<ExecutableCommentMask>,
}

impl SectionReader {
    pub(crate) fn new(dialect: Dialect, path: &str, markers: Markers) -> SectionReader {
        let taken = Taken {
            path: path.to_owned(),
            markers,
            offset: 0,
            line: 1,
            masked: Vec::new(),
            up: match markers {
                Markers::Liquibase | Markers::LiquibaseStripped => UpText::of_words(),
                _ => UpText::new(),
            },
            up_end: 0,
            back: Back::default(),
            above: Above::Blank(CommentScanner::new(dialect.engine())),
            rules: Rules::new(markers),
            variables: Variables::default(),
            modes: Vec::new(),
            texts: Vec::new(),
            back_texts: 0,
            is_in_text: false,
            between: Some(CommentScanner::new(dialect.engine())),
            no_transaction: false,
            diagnostics: Vec::new(),
        };
        SectionReader {
            dialect,
            head: Vec::new(),
            scanner: SectionScanner::new(markers),
            taken,
            strips: markers.strips(),
        }
    }

    /// Reads the next bytes; gives the next of what leads up, all else as blanks.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let room = HEAD - self.head.len().min(HEAD);
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.scanner.feed(bytes, &mut |part| self.taken.part(part));
        through(&mut self.strips, std::mem::take(&mut self.taken.masked), false)
    }

    /// The rest of what leads up.
    pub(crate) fn end(&mut self) -> Vec<u8> {
        self.scanner.finish(&mut |part| self.taken.part(part));
        through(&mut self.strips, std::mem::take(&mut self.taken.masked), true)
    }

    /// The tool whose markers these are.
    pub(crate) fn markers(&self) -> Markers {
        self.taken.markers
    }

    /// True where statements at this offset run outside of transactions, because their section says so.
    pub(crate) fn is_outside(&self, offset: u64) -> bool {
        self.taken.modes.iter().rev().find(|(start, _)| *start <= offset).is_some_and(|(_, is_outside)| *is_outside)
    }

    /// Which of the texts that the tool sends as one, as they are, a statement at this offset belongs to: where that begins.
    pub(crate) fn text_at(&self, offset: u64) -> Option<u64> {
        let found = self.taken.texts.iter().rev().find(|(start, _)| *start <= offset);
        found.filter(|(_, end)| offset < *end).map(|(start, _)| *start)
    }

    /// Lines in which variables of the environment are replaced, as far as the file was read.
    pub(crate) fn variables(&self) -> &VariableLines {
        self.taken.variables.lines()
    }

    /// True where all of the file runs outside of transactions, because a marker says so.
    pub(crate) fn has_no_transaction(&self) -> bool {
        self.taken.no_transaction
    }

    /// What is known once all was read.
    pub(crate) fn finish(mut self) -> Sectioned {
        self.taken.finish_rules(self.dialect, &self.head);
        let is_back_one = self.taken.back_texts == 1 && self.taken.between.is_some();
        let markers = self.taken.markers;
        let Taken { up, up_end, mut back, variables, no_transaction, path, line, mut diagnostics, .. } = self.taken;
        if markers.joins_lines() {
            LineEnds::default().join(&mut back.text, 0, true);
        }
        let (variables, found) = variables.finish(&path, line);
        diagnostics.extend(found);
        Sectioned {
            up: (up.finish(u64::MAX).0, up_end),
            back_mode: match (back.is_outside || no_transaction, is_back_one) {
                (false, _) => DownMode::Inside,
                (true, false) => DownMode::Outside,
                (true, true) => DownMode::OutsideAsOne,
            },
            back: back.line.map(|line| (through(&mut markers.strips(), back.text, true), line)),
            variables,
            markers,
            diagnostics,
        }
    }
}

/// A text as the tool sends it. `is_end` says that nothing follows.
fn through(strips: &mut Option<ExecutableCommentMask>, text: Vec<u8>, is_end: bool) -> Vec<u8> {
    let Some(strips) = strips else { return text };
    let mut stripped = Vec::with_capacity(text.len());
    strips.feed(&text, &mut stripped);
    if is_end {
        strips.finish(&mut stripped);
    }
    stripped
}

/// What was taken out of the file so far.
struct Taken {
    path: String,
    markers: Markers,
    /// Of the next byte.
    offset: u64,
    line: u64,
    masked: Vec<u8>,
    up: UpText,
    up_end: u64,
    back: Back,
    above: Above,
    rules: Rules,
    variables: Variables,
    /// Sections that lead up: where they begin, and whether they run outside of transactions.
    modes: Vec<(u64, bool)>,
    /// What leads up and is sent as one: from which byte on, and up to which.
    texts: Vec<(u64, u64)>,
    /// How many such texts lead back, whether one is open, and what stands between them; None once that was SQL.
    back_texts: usize,
    is_in_text: bool,
    between: Option<CommentScanner>,
    no_transaction: bool,
    diagnostics: Vec<Diagnostic>,
}

/// What stands above the first marker.
enum Above {
    Blank(CommentScanner),
    /// SQL, on this line.
    Sql(u64),
    /// A section has begun.
    Over,
}

impl Taken {
    fn part(&mut self, part: Part<'_>) {
        mask(part, Direction::Apply, &mut self.masked);
        match part {
            Part::Plain(section, bytes) => self.plain(section, bytes),
            Part::Marker { mark, within, line } => self.marker(mark, within, line),
        }
        if self.back.take(part, self.line).is_err() {
            let message = format!("this rollback is larger than {} MiB", ROLLBACK_LIMIT >> 20);
            self.diagnostics.push(
                Diagnostic::error(codes::ROLLBACK_TOO_LARGE, message)
                    .at(Label::place(&self.path, Position { line: self.line, column: 1 }))
                    .help("a way back is kept in the database; let it call a function or copy from a table instead of holding data"),
            );
        }
        self.offset += part.bytes().len() as u64;
        self.line += part.bytes().iter().filter(|&&byte| byte == b'\n').count() as u64;
    }

    fn plain(&mut self, section: Option<Direction>, bytes: &[u8]) {
        if let Above::Blank(scanner) = &mut self.above
            && scanner.feed(bytes, &mut Vec::new()) < bytes.len()
        {
            self.above = Above::Sql(scanner.number());
        }
        if section == Some(Direction::Apply) {
            self.up.add(bytes, u64::MAX);
            if let Some(last) = bytes.iter().rposition(|byte| !byte.is_ascii_whitespace()) {
                self.up_end = self.offset + last as u64 + 1;
            }
        }
        if section == Some(Direction::Revert)
            && !self.is_in_text
            && self.between.as_mut().is_some_and(|scanner| scanner.feed(bytes, &mut Vec::new()) < bytes.len())
        {
            self.between = None;
        }
        if section.is_some() && self.markers == Markers::Goose {
            self.variables.take(bytes, self.line, &self.path);
        }
    }

    /// Follows the texts that the tool sends as one: dbmate's sections, blocks elsewhere.
    fn text(&mut self, mark: Mark, within: Option<Direction>) {
        let begins = match mark {
            Mark::Section { direction, .. } => (self.markers == Markers::Dbmate).then_some(direction),
            Mark::StatementBegin => within,
            Mark::StatementEnd => None,
            // What says nothing of sections.
            _ => return,
        };
        if let Some((_, end)) = self.texts.last_mut() {
            *end = self.offset.min(*end);
        }
        self.is_in_text = begins.is_some();
        match begins {
            Some(Direction::Apply) => self.texts.push((self.offset, u64::MAX)),
            Some(Direction::Revert) => self.back_texts += 1,
            None => {}
        }
    }

    fn marker(&mut self, mark: Mark, within: Option<Direction>, line: &[u8]) {
        self.text(mark, within);
        match mark {
            Mark::Section { direction, is_outside } => {
                // Where no marker is needed, only one that leads up says that what stands above it is not run.
                let says_nothing = self.markers == Markers::NodePgMigrate && direction == Direction::Revert;
                match std::mem::replace(&mut self.above, Above::Over) {
                    above @ Above::Sql(_) if says_nothing => self.above = above,
                    Above::Sql(line) => self.diagnostics.push(sql_above(&self.path, self.markers, line)),
                    Above::Blank(_) | Above::Over => {}
                }
                match direction {
                    Direction::Apply => self.modes.push((self.offset, is_outside)),
                    Direction::Revert => self.back.is_outside |= is_outside,
                }
            }
            Mark::NoTransaction => self.no_transaction = true,
            Mark::Variables(is_on) => self.variables.switch(is_on, self.line),
            _ => {}
        }
        let written = String::from_utf8_lossy(line);
        if let Err(fault) = self.rules.marker(mark, written.trim_matches(['\u{feff}', '\r', '\n']), self.line) {
            self.fault(codes::MISPLACED_MARKER, fault);
        }
    }

    fn fault(&mut self, code: &'static str, fault: Fault) {
        let mut label = Label::file(&self.path);
        if let Some(line) = fault.line {
            label = Label::place(&self.path, Position { line, column: 1 });
        }
        if let Some(written) = &fault.written {
            label = label.line(clipped(written)).length(written.trim_end().chars().count() as u64);
        }
        self.diagnostics.push(Diagnostic::error(code, fault.message).at(label).help(fault.help));
    }

    fn finish_rules(&mut self, dialect: Dialect, head: &[u8]) {
        if self.rules.is_marked() {
            if let Some(fault) = self.rules.end() {
                self.fault(codes::MISPLACED_MARKER, fault);
            }
            return;
        }
        // A file in another encoding has its markers, and nobody can see them.
        match split(dialect, &self.path, head) {
            Err(problem) if NO_TEXT.contains(&problem.code) => self.diagnostics.push(*problem),
            _ => self.fault(
                codes::MISSING_MARKER,
                rules::missing(self.markers, spoken_for(head).filter(|(other, _)| *other != self.markers)),
            ),
        }
    }
}

fn sql_above(path: &str, markers: Markers, line: u64) -> Diagnostic {
    let up = markers.of(Direction::Apply);
    let message = format!("this SQL stands above the first section, where {} runs nothing", markers.tool());
    // sql-migrate leaves it out without a word, in files that ran long ago.
    let severity = if markers == Markers::SqlMigrate { Severity::Warning } else { Severity::Error };
    Diagnostic::new(codes::SQL_ABOVE_SECTIONS, severity, message)
        .at(Label::place(path, Position { line, column: 1 }))
        .help(format!("move it below '{up}' where it shall run, or remove it"))
}

/// The text of the way back: its sections, and of what stands between them the line ends.
#[derive(Default)]
struct Back {
    text: Vec<u8>,
    /// The line that it begins on.
    line: Option<u64>,
    is_outside: bool,
    is_too_large: bool,
}

impl Back {
    /// Adds what belongs to it. The error, told once: it is too large.
    fn take(&mut self, part: Part<'_>, line: u64) -> Result<(), ()> {
        match part {
            Part::Plain(Some(Direction::Revert), bytes) => {
                self.line.get_or_insert(line);
                self.text.extend_from_slice(bytes);
            }
            Part::Marker { mark: Mark::BackLine { .. }, line: marker, .. } => {
                self.line.get_or_insert(line);
                // Blanks in place of the marker keep the columns as they are in the file.
                self.text.extend(std::iter::repeat_n(b' ', marker.len()));
            }
            _ if self.line.is_some() => {
                if part.ends_statement(Direction::Revert) && !ends_by_itself(&self.text) {
                    self.text.push(b';');
                }
                self.text.extend(part.bytes().iter().filter(|&&byte| byte == b'\n'));
            }
            _ => {}
        }
        if self.text.len() <= ROLLBACK_LIMIT || self.is_too_large {
            return Ok(());
        }
        (self.text, self.is_too_large) = (Vec::new(), true);
        Err(())
    }
}

/// True where the last line ends with a semicolon that is none of a comment's.
fn ends_by_itself(text: &[u8]) -> bool {
    let text = text.trim_ascii_end();
    let line = text.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    let has_comment = line.contains(&b'#') || line.windows(2).any(|pair| pair == b"--" || pair == b"/*");
    text.is_empty() || (text.ends_with(b";") && !has_comment)
}
