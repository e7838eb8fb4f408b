//! The way back: its text out of a section, out of comments, or out of a file of its own.

use limosa_core::{Outliner, Rollback, TimeOuts, TransactionWish};
use limosa_sql::{Diagnostic, Dialect, Engine, Label, Piece, PieceKind, Position, Splitter, VariableLines};

use super::comments::{CommentScanner, Line, LineKind};
use super::headers::{Head, read_headers};
use super::misuse::transaction_misuse;
use super::section::{Directive, directive, is_rule};
use super::sectioned::{explained, misread};
use super::wishes::Wishes;
use crate::codes;

/// A way back is stored in the ledger and held in memory; larger ones are refused.
pub(crate) const ROLLBACK_LIMIT: usize = 16 * 1024 * 1024;

/// Words that begin statements, to tell SQL from prose in comments.
const VERBS: &[&str] = &[
    "ABORT",
    "ALTER",
    "ANALYZE",
    "ATTACH",
    "BEGIN",
    "CALL",
    "CHECKPOINT",
    "CLOSE",
    "CLUSTER",
    "COMMENT",
    "COMMIT",
    "CREATE",
    "DEALLOCATE",
    "DECLARE",
    "DELETE",
    "DELIMITER",
    "DETACH",
    "DISCARD",
    "DO",
    "DROP",
    "END",
    "EXECUTE",
    "EXPLAIN",
    "FETCH",
    "FLUSH",
    "GRANT",
    "IMPORT",
    "INSERT",
    "INSTALL",
    "LISTEN",
    "LOAD",
    "LOCK",
    "MERGE",
    "MOVE",
    "NOTIFY",
    "OPTIMIZE",
    "PRAGMA",
    "PREPARE",
    "REASSIGN",
    "REFRESH",
    "REINDEX",
    "RELEASE",
    "RENAME",
    "REPAIR",
    "REPLACE",
    "RESET",
    "REVOKE",
    "ROLLBACK",
    "SAVEPOINT",
    "SECURITY",
    "SELECT",
    "SET",
    "START",
    "TABLE",
    "TRUNCATE",
    "UNINSTALL",
    "UNLISTEN",
    "UNLOCK",
    "UPDATE",
    "USE",
    "VACUUM",
    "VALUES",
    "WITH",
];

/// What is read out of a file, and what is wrong with it.
pub(crate) type Read = (Option<Rollback>, Vec<Diagnostic>);

/// Reads a section: everything from its first line to the end of the file.
pub(crate) fn read_section(file: &str, dialect: Dialect, text: &str, first_line: u64) -> Read {
    let section = Section::scan(dialect.engine(), text, first_line);
    match section.directive {
        Some(at) => section.marked(file, dialect, text, at),
        None => section.commented(file, dialect, text),
    }
}

/// The whole text of a file of its own, with what its headers ask for.
pub(crate) fn read_file(file: &str, dialect: Dialect, text: String, wishes: &Wishes) -> Read {
    whole(file, dialect, text, Position::START, wishes, Form::Plain)
}

/// How the sections of a way back run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DownMode {
    /// In a transaction, where the statements allow it.
    Inside,
    /// Statement by statement.
    Outside,
    /// Outside of transactions, and sent as one text: PostgreSQL makes one transaction of several statements.
    OutsideAsOne,
}

/// The way back of a file whose sections say where they lead. None in silence where it holds no SQL, for some tools want a section
/// all the same. `first_line` is the line of the file that the text begins on.
pub(crate) fn read_down(
    file: &str,
    dialect: Dialect,
    text: String,
    first_line: u64,
    mode: DownMode,
    variables: &VariableLines,
) -> Read {
    let section = Section::scan(dialect.engine(), &text, first_line);
    let (mut wishes, mut diagnostics) = section.headers(file, 0);
    if section.code.is_none() || !wishes.wants(dialect.engine()) {
        return (None, diagnostics);
    }
    let start = Position { line: first_line, column: 1 };
    let says_nothing = wishes.transaction.is_none();
    if says_nothing && mode != DownMode::Inside {
        wishes.transaction = Some(TransactionWish::None);
    }
    let (mut rollback, mut found) = whole(file, dialect, text.clone(), start, &wishes, Form::Variables(variables));
    let are_several = rollback.as_ref().is_some_and(|rollback| rollback.outline.statements > 1);
    if says_nothing && are_several && mode == DownMode::OutsideAsOne && dialect.engine() == Engine::Postgres {
        wishes.transaction = None;
        (rollback, found) = whole(file, dialect, text, start, &wishes, Form::Variables(variables));
    }
    diagnostics.extend(found);
    (rollback, diagnostics)
}

/// A way back on which nothing is to be done, as its author says.
pub(crate) fn nothing_back(file: &str, line: u64) -> Rollback {
    Rollback {
        file: file.into(),
        start: Position { line, column: 1 },
        text: "-- nothing is to be taken back".to_owned(),
        outline: Default::default(),
        own_time_outs: None,
    }
}

/// A way back that is what another change does, which is not there.
pub(crate) fn back_elsewhere(file: &str, line: u64) -> Diagnostic {
    let message = "this way back names a change that is not there; there is none";
    Diagnostic::warning(codes::OTHER_BEHAVIOUR, message)
        .at(Label::place(file, Position { line, column: 1 }))
        .help("write the SQL of that change behind --rollback")
}

/// The lines of a section up to the first SQL that is no comment.
struct Section {
    lines: Vec<Line>,
    first_line: u64,
    /// Index of the line that says `limosa:rollback`.
    directive: Option<usize>,
    /// Where SQL stands uncommented, and its place.
    code: Option<(usize, Position)>,
}

impl Section {
    fn scan(engine: Engine, text: &str, first_line: u64) -> Section {
        let mut scanner = CommentScanner::new(engine);
        let mut lines = Vec::new();
        let read = scanner.feed(text.as_bytes(), &mut lines);
        let code = (read < text.len()).then(|| {
            let read = read - scanner.behind_start();
            let here = Position { line: first_line, column: 1 }.after(&text[..read]);
            (read, here)
        });
        if code.is_none() {
            scanner.finish(&mut lines);
        }
        let directive = lines.iter().position(|line| match &line.kind {
            LineKind::Comment { text, .. } => directive(text) == Some(Directive::Rollback),
            _ => false,
        });
        Section { lines, first_line, directive, code }
    }

    /// The file's number of a line of the section.
    fn number(&self, line: &Line) -> u64 {
        self.first_line + line.number - 1
    }

    /// Comments that are SQL: index, characters up to the end of the mark, what follows the mark.
    fn sql_lines(&self) -> impl Iterator<Item = (usize, usize, &str)> {
        self.lines.iter().enumerate().filter_map(|(index, line)| match &line.kind {
            LineKind::Comment { indent, mark, text } if is_sql_line(text) => {
                Some((index, *indent + mark.len(), text.as_str()))
            }
            _ => None,
        })
    }

    fn label(&self, file: &str, index: usize) -> Label {
        let line = &self.lines[index];
        let (indent, mark, text) = match &line.kind {
            LineKind::Comment { indent, mark, text } => (*indent, *mark, text.as_str()),
            _ => (0, "--", ""),
        };
        let blanks = text.chars().take_while(|character| character.is_whitespace()).count();
        let column = (indent + mark.len() + blanks + 1) as u64;
        Label::place(file, Position { line: self.number(line), column })
            .line(format!("{}{mark}{text}", " ".repeat(indent)))
            .length(text.trim().chars().count() as u64)
    }

    /// The form with the directive: what follows it is SQL.
    fn marked(&self, file: &str, dialect: Dialect, text: &str, at: usize) -> Read {
        if let Some((index, ..)) = self.sql_lines().find(|&(index, ..)| index < at) {
            let diagnostic = Diagnostic::error(codes::TWO_WAYS_BACK, "this file holds two ways back")
                .at(self.label(file, index).text("one as comments"))
                .at(self.label(file, at).text("the other one here"))
                .help("keep one of the two");
            return (None, vec![diagnostic]);
        }
        let (wishes, mut diagnostics) = self.headers(file, at + 1);
        if !wishes.wants(dialect.engine()) {
            return (None, diagnostics);
        }
        let from = line_after(text, self.lines[at].start as usize);
        let start = Position { line: self.number(&self.lines[at]) + 1, column: 1 };
        let (rollback, found) = whole(file, dialect, text[from..].to_owned(), start, &wishes, Form::Plain);
        diagnostics.extend(found);
        (rollback, diagnostics)
    }

    /// What the comments between a line and the first statement ask for.
    fn headers(&self, file: &str, from: usize) -> (Wishes, Vec<Diagnostic>) {
        let lines: Vec<Line> =
            self.lines[from..].iter().map(|line| Line { number: self.number(line), ..line.clone() }).collect();
        read_headers(file, &lines, Head::RollbackSection)
    }

    /// The form of comments below a heading.
    fn commented(&self, file: &str, dialect: Dialect, text: &str) -> Read {
        if let Some((offset, position)) = self.code {
            return (None, vec![sql_below_heading(file, text, offset, position)]);
        }
        let sql: Vec<(usize, usize, &str)> = self.sql_lines().collect();
        let (Some(&(first, ..)), Some(&(last, ..))) = (sql.first(), sql.last()) else {
            return (None, self.unread(file).into_iter().collect());
        };
        if let Some(index) = self.stray_sql(first, last) {
            let message = "a line of this rollback looks like SQL and has too few blanks to be read as such";
            let diagnostic = Diagnostic::error(codes::BROKEN_COMMENT_ROLLBACK, message)
                .at(self.label(file, index))
                .help("put two or more blanks after '--' before SQL, and one before prose");
            return (None, vec![diagnostic]);
        }
        let mut plain = String::new();
        let mut wanted = sql.iter().peekable();
        for index in first..=last {
            if let Some((_, before, line)) = wanted.next_if(|&&(at, ..)| at == index) {
                // Blanks in place of '--' keep the columns as they are in the file.
                plain.push_str(&" ".repeat(*before));
                plain.push_str(line);
            }
            plain.push('\n');
        }
        let start = Position { line: self.number(&self.lines[first]), column: 1 };
        let labels: Vec<Label> = (first..=last).map(|index| self.label(file, index)).collect();
        whole(file, dialect, plain, start, &Wishes::default(), Form::Comments(&labels))
    }

    /// Prose between (or beside) lines of SQL that looks like a statement.
    fn stray_sql(&self, first: usize, last: usize) -> Option<usize> {
        self.lines.iter().enumerate().find_map(|(index, line)| match &line.kind {
            LineKind::Comment { text, .. } if !is_sql_line(text) && looks_like_sql(text) => Some(index),
            // A part of a statement that spans lines.
            LineKind::Comment { text, .. }
                if index > first && index < last && !is_sql_line(text) && text.trim_end().ends_with(';') =>
            {
                Some(index)
            }
            _ => None,
        })
    }

    fn unread(&self, file: &str) -> Option<Diagnostic> {
        let index = self.lines.iter().position(|line| match &line.kind {
            LineKind::Comment { text, .. } => looks_like_sql(text),
            _ => false,
        })?;
        let message = "the comments below this ROLLBACK heading are read as prose, so there is no way back";
        Some(
            Diagnostic::warning(codes::UNREAD_COMMENT_ROLLBACK, message)
                .at(self.label(file, index).text("looks like SQL"))
                .help("put two or more blanks after '--' before SQL, or write it below '-- limosa:rollback'"),
        )
    }
}

/// Two or more blanks before the text; a rule is never SQL.
fn is_sql_line(text: &str) -> bool {
    let blanks = text.len() - text.trim_start_matches([' ', '\t']).len();
    blanks >= 2 && !text.trim().is_empty() && !is_rule(text)
}

/// Begins like a statement and ends like one.
fn looks_like_sql(text: &str) -> bool {
    text.trim_end().ends_with(';') && begins_with_verb(text)
}

fn begins_with_verb(text: &str) -> bool {
    let text = text.trim_start().trim_start_matches('(');
    let word = text.split(|character: char| !character.is_ascii_alphabetic()).next().unwrap_or_default();
    VERBS.iter().any(|verb| verb.eq_ignore_ascii_case(word))
}

/// Offset of the line after the one that begins at `start`.
fn line_after(text: &str, start: usize) -> usize {
    let rest = &text.as_bytes()[start..];
    match rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        None => text.len(),
        Some(at) if rest[at..].starts_with(b"\r\n") => start + at + 2,
        Some(at) => start + at + 1,
    }
}

fn sql_below_heading(file: &str, text: &str, offset: usize, position: Position) -> Diagnostic {
    let line = text[offset..].lines().next().unwrap_or_default();
    let start = text[..offset].rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let message =
        "this SQL stands below a ROLLBACK heading and is no comment, so it would run as part of the migration";
    Diagnostic::error(codes::SQL_BELOW_HEADING, message)
        .at(Label::place(file, position)
            .line(clipped(&format!("{}{line}", &text[start..offset])))
            .length(line.trim_end().chars().count() as u64))
        .help("write '-- limosa:rollback' on the line before it where it is the way back, or give the heading another name")
}

/// A line short enough to be shown.
pub(crate) fn clipped(line: &str) -> String {
    line.chars().take(300).collect()
}

/// How the text of a way back was written.
#[derive(Clone, Copy)]
enum Form<'a> {
    Plain,
    /// As comments, which are these lines, and must be made of whole statements.
    Comments(&'a [Label]),
    /// In a section of a file with variables in these lines.
    Variables(&'a VariableLines),
}

/// Makes a rollback of a text.
fn whole(file: &str, dialect: Dialect, text: String, start: Position, wishes: &Wishes, form: Form<'_>) -> Read {
    let mut splitter = Splitter::new(dialect, file);
    splitter.feed(text.as_bytes());
    splitter.finish();
    let mut outliner = Outliner::new(dialect, wishes.transaction.unwrap_or_default());
    if let Form::Variables(lines) = form {
        outliner.read_variables(lines);
    }
    let mut places = Vec::new();
    loop {
        match splitter.next_piece() {
            Ok(None) => break,
            Ok(Some(mut piece)) => {
                let within = piece.position.line;
                piece.position.line += start.line - 1;
                let problem = match form {
                    Form::Plain => None,
                    Form::Comments(lines) => not_whole(&piece, within, lines),
                    Form::Variables(lines) => misread(file, dialect.engine(), &piece, lines),
                };
                if let Some(problem) = problem {
                    return (None, vec![problem]);
                }
                outliner.add(&piece);
                places.push((piece.position, shown_line(&piece)));
            }
            Err(mut diagnostic) => {
                for position in diagnostic.labels.iter_mut().filter_map(|label| label.position.as_mut()) {
                    position.line += start.line - 1;
                }
                let diagnostic = match form {
                    Form::Variables(lines) => explained(*diagnostic, dialect.engine(), lines),
                    _ => *diagnostic,
                };
                return (None, vec![diagnostic]);
            }
        }
    }
    match outliner.finish() {
        Ok(outline) if outline.statements == 0 => (None, vec![empty(file, start)]),
        Ok(mut outline) => {
            outline.variables = outline.variables.above(start.line - 1);
            outline.lifted.iter_mut().for_each(|lifted| lifted.line -= start.line - 1);
            let time_outs = TimeOuts { lock_ms: wishes.lock_timeout, statement_ms: wishes.statement_timeout };
            let own_time_outs = (time_outs != TimeOuts::default()).then(|| Box::new(time_outs));
            (Some(Rollback { file: file.into(), start, text, outline: outline.into(), own_time_outs }), Vec::new())
        }
        Err(error) => {
            let line = places.iter().find(|(position, _)| *position == error.position()).map(|(_, line)| line.clone());
            (None, vec![transaction_misuse(file, &error, line)])
        }
    }
}

/// The first line of a statement.
fn shown_line(piece: &Piece) -> String {
    clipped(piece.statement().lines().next().unwrap_or_default())
}

fn empty(file: &str, start: Position) -> Diagnostic {
    let label = if start == Position::START { Label::file(file) } else { Label::place(file, start) };
    Diagnostic::warning(codes::NO_STATEMENT, "this rollback holds no statement, so there is no way back")
        .at(label)
        .help("write the SQL, or remove the rollback")
}

/// What keeps a piece of a rollback in comments from being a whole statement.
fn not_whole(piece: &Piece, line: u64, lines: &[Label]) -> Option<Diagnostic> {
    let label = |line: u64| {
        let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        lines.get(index).or_else(|| lines.last()).cloned()
    };
    let refuse = |message: String, place: u64| {
        let mut diagnostic = Diagnostic::error(codes::BROKEN_COMMENT_ROLLBACK, message)
            .help("prose gets one blank after '--', SQL two or more; or write the way back below '-- limosa:rollback'");
        diagnostic.labels.extend(label(place));
        diagnostic
    };
    match &piece.kind {
        PieceKind::Blank => None,
        PieceKind::CopyData | PieceKind::CopyEnd | PieceKind::Meta => {
            Some(refuse("a rollback written as comments holds SQL statements only".to_owned(), line))
        }
        PieceKind::Statement(_) if !begins_with_verb(piece.statement()) => {
            let word = piece.statement().split_whitespace().next().unwrap_or_default();
            Some(refuse(format!("this line of the rollback is read as SQL, and '{word}' begins no statement"), line))
        }
        PieceKind::Statement(_) if !is_terminated(piece) => {
            let last = line + piece.statement().matches('\n').count() as u64;
            Some(refuse("a statement of this rollback does not end with ';'".to_owned(), last))
        }
        PieceKind::Statement(_) => None,
    }
}

/// True where `;` follows the statement.
fn is_terminated(piece: &Piece) -> bool {
    let mut rest = piece.text[piece.body.1..].trim_ascii_start();
    loop {
        if rest.starts_with(b"--") || rest.starts_with(b"#") {
            let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
            rest = rest[end..].trim_ascii_start();
        } else if rest.starts_with(b"/*") {
            let end = rest.windows(2).position(|pair| pair == b"*/").map_or(rest.len(), |at| at + 2);
            rest = rest[end..].trim_ascii_start();
        } else {
            return rest.first() == Some(&b';');
        }
    }
}
