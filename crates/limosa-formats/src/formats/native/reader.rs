//! Reads one file as it streams past: checksums, headers, outline, and the way back. Holds no text of the up part.

use limosa_core::{FileHasher, Markers, SharedText, ToolTransaction, TransactionWish};
use limosa_sql::{Diagnostic, Dialect, EndDelimiter};

use super::body::{Body, Finished};
use super::comments::{CommentScanner, Line};
use super::config::{self, Config};
use super::entry::{Entry, FilePart};
use super::facts::FileFacts;
use super::headers::{Head, as_prose, read_headers};
use super::names::{FileRole, classify};
use super::section::SectionFinder;
use super::sectioned::SectionReader;
use super::wishes::Wishes;
use crate::{Layout, codes};

/// Headers are looked for in this many bytes; nobody writes longer comments above the first statement.
const HEAD_LIMIT: usize = 256 * 1024;

/// Reads one file, chunk by chunk.
///
/// The up part of a file reaches from its first byte to its rollback section, or to its end, without blanks at the
/// end: adding a rollback section to an applied file, or an empty line, is no change. Memory stays within the largest
/// statement and the way back, which may have 16 MiB.
pub struct FileReader {
    path: SharedText,
    role: FileRole,
    dialect: Dialect,
    from_config: Wishes,
    /// What the file begins with where it is not to run in a transaction.
    no_transaction: Option<&'static str>,
    /// The file was written for another tool, which knows no headers.
    is_foreign: bool,
    /// Its tool replaces placeholders in data of COPY, too.
    replaces_in_data: bool,
    /// The transaction that this tool has around it.
    around: Option<ToolTransaction>,
    /// What ends statements besides `;` in all of its files.
    delimiter: Option<EndDelimiter>,
    /// The table in which that tool keeps its record.
    ledger_table: Option<String>,
    file_hasher: FileHasher,
    /// What it goes through before it is read further, where the file holds sections.
    sections: Option<Box<SectionReader>>,
    /// Where only a part of the file is fed: which.
    part: Option<FilePart>,
    /// What its entry says of it; the places are those of the file.
    told: Vec<Diagnostic>,
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
            path: path.into(),
            from_config: config::wishes_for(configs, path, &role),
            role,
            dialect,
            no_transaction: None,
            is_foreign: false,
            replaces_in_data: false,
            around: None,
            delimiter: None,
            ledger_table: None,
            file_hasher: FileHasher::new(),
            sections: None,
            part: None,
            told: Vec::new(),
            stage,
            diagnostics,
        }
    }

    /// A reader for a change of which more is known than the name of its file says. Where it is a part of the file, that part alone
    /// is fed.
    pub fn of_entry(dialect: impl Into<Dialect>, path: &str, entry: Entry, configs: &[Config]) -> FileReader {
        let Entry { role, part, wishes, problems } = entry;
        let mut reader = FileReader::of_role(dialect, path, role, configs);
        reader.from_config = wishes.or(&reader.from_config);
        let markers = part.as_ref().map(|part| part.markers);
        reader.part = part;
        reader.told = problems;
        reader.with_markers(markers)
    }

    /// The file holds sections that these markers tell apart: those that lead up are the script, those that lead back its way back.
    #[must_use]
    pub fn with_markers(mut self, markers: Option<Markers>) -> FileReader {
        let markers = markers.filter(|_| self.role.is_script() && !matches!(self.role, FileRole::Rollback { .. }));
        if self.sections.is_some() {
            return self;
        }
        self.sections = markers.map(|markers| Box::new(SectionReader::new(self.dialect, &self.path, markers)));
        self
    }

    /// The file was written for the tool of this layout.
    #[must_use]
    pub fn of_tool(self, layout: &Layout) -> FileReader {
        let around = layout.transaction().filter(|_| !matches!(self.role, FileRole::Rollback { .. }));
        let ledger_table = layout.ledger_table(self.dialect.engine()).map(|ledger| ledger.table);
        FileReader {
            is_foreign: layout.is_foreign(),
            around,
            delimiter: layout.end_delimiter(),
            ledger_table,
            // Before it looks for statements (`PlaceholderReplacingReader`).
            replaces_in_data: matches!(layout, Layout::Flyway(_)),
            ..self
        }
    }

    /// That tool keeps its record in the table of this name.
    #[must_use]
    pub fn with_ledger_table(self, table: &str) -> FileReader {
        FileReader { ledger_table: Some(table.to_owned()), ..self }
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
        let lines_above = self.part.as_ref().map_or(0, FilePart::lines_above);
        for position in own.depends_on.iter_mut().filter_map(|reference| reference.label.position.as_mut()) {
            position.line += lines_above;
        }
        self.diagnostics.extend(diagnostics);
        let mut wishes = own.or(&self.from_config);
        if self.no_transaction.is_some_and(|mark| bytes.starts_with(mark.as_bytes())) && wishes.transaction.is_none() {
            wishes.transaction = Some(TransactionWish::None);
        }
        let mut body = Box::new(Body::new(&self.path, self.dialect, wishes, is_rollback));
        if let Some(around) = self.around {
            body.surround(around);
        }
        if self.replaces_in_data {
            body.search_data();
        }
        if let Some(sections) = &self.sections {
            body.expect_sections(sections.markers());
        }
        if let Some(delimiter) = &self.delimiter {
            body.expect_delimiters(Some(delimiter), Some(delimiter));
        }
        if let Some(FilePart { delimiter, back_delimiter, back_of_other, .. }) = &self.part {
            body.expect_delimiters(delimiter.as_ref(), back_delimiter.as_ref());
            body.expect_back(back_of_other.as_ref());
        }
        if let Some(table) = &self.ledger_table {
            body.watch_ledger(table);
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
        if let Some(sectioned) = &sectioned
            && !sectioned.markers.are_liquibases()
        {
            // Without variables of its own `${...}` is text to the tool.
            body.wishes.placeholders_off.get_or_insert(sectioned.variables.is_empty());
        }
        let wishes = body.wishes.clone();
        let file_checksum = match &self.part {
            Some(part) => part.checksum.clone(),
            None => self.file_hasher.finish(),
        };
        let Finished { mut content, told: mut diagnostics, mut told_elsewhere } = body.finish(file_checksum, sectioned);
        if wishes.left_out.is_some() {
            // It may be written for another database, whose rules are not those that it was read by.
            diagnostics.clear();
            told_elsewhere.clear();
        }
        if wishes.guard.is_some() && matches!(self.role, FileRole::Callback { .. }) {
            // One that only asks has nothing to run.
            diagnostics.retain(|problem| problem.code != codes::NO_STATEMENT);
        }
        self.diagnostics.extend(diagnostics);
        if self.is_foreign {
            const OF_HEADERS: [&str; 2] = [codes::BAD_HEADER_VALUE, codes::REPEATED_HEADER];
            let of_headers = self.diagnostics.iter_mut().filter(|problem| OF_HEADERS.contains(&problem.code));
            of_headers.for_each(as_prose);
        }
        if matches!(self.role, FileRole::Proof { .. }) {
            self.diagnostics.extend(content.becomes_proof(&self.path));
        }
        if let Some(part) = &self.part {
            content.stands_in(part);
            let labels = self.diagnostics.iter_mut().flat_map(|diagnostic| &mut diagnostic.labels);
            for position in labels.filter_map(|label| label.position.as_mut()) {
                position.line += part.lines_above();
            }
        }
        self.diagnostics.extend(told_elsewhere);
        let (refusals, told): (Vec<Diagnostic>, Vec<Diagnostic>) =
            self.told.into_iter().partition(Diagnostic::is_error);
        self.diagnostics.extend(told);
        let facts = FileFacts {
            refusals: refusals.into(),
            path: self.path,
            role: self.role,
            headers: wishes.headers().into(),
            wanted: wishes.wants(self.dialect.engine()),
            references: wishes.depends_on.into(),
            content,
            is_code: false,
            is_unread: false,
        };
        (Some(facts), self.diagnostics)
    }
}
