//! A file of formatted SQL, taken apart: where each change stands, and what its line says.

use limosa_core::{Direction, Mark, Markers, SectionMask};
use limosa_sql::{Diagnostic, EndDelimiter, Engine, Label, Position, Severity, placeholders};

use super::attributes::{Named, attributes};
use super::lines::valued;
use super::other_backs::{Elsewhere, Meant, OtherBack, may_name_any, named};
use super::preconditions::Preconditions;
use super::properties::Property;
use crate::codes;

/// A file that begins with `--liquibase formatted sql`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Formatted {
    /// `logicalFilePath` of its first line.
    pub(super) logical_path: Option<String>,
    pub(super) changes: Vec<ChangeSet>,
    /// Its properties, each with how many changes stand above it.
    pub(super) properties: Vec<(usize, Property)>,
    /// What is wrong with the file.
    pub(super) problems: Vec<Diagnostic>,
}

/// A change of such a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChangeSet {
    pub(super) named: Named,
    /// Its line.
    pub(super) label: Label,
    /// What stands below it: from this byte up to that one, from this line on.
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) line: u64,
    /// Lines of its text may end statements, where nothing is said of what ends them.
    pub(super) has_ending_lines: bool,
    /// It has comments that MySQL runs, or what looks like them.
    has_executable_comments: bool,
    /// Names of placeholders in its text.
    pub(super) asked: Vec<String>,
    /// What stands between `${` and `}` in its text, and is no placeholder.
    pub(super) unread: Vec<String>,
    /// What `--comment` says.
    pub(super) comment: Option<String>,
    /// What leads back, where that is what another change does.
    pub(super) back_of_other: Option<OtherBack>,
    /// The change of another file that does what leads back.
    pub(super) back_elsewhere: Option<Elsewhere>,
    /// What must hold before it.
    pub(super) preconditions: Preconditions,
    /// What `--validCheckSum` says.
    pub(super) valid: Vec<String>,
    /// Lines below it that ask for what cannot be had.
    pub(super) problems: Vec<Diagnostic>,
}

impl ChangeSet {
    /// Adds the names of placeholders in its preconditions.
    fn asked_before(&mut self, engine: Engine) {
        let checks = self.preconditions.guard().into_iter().flat_map(|guard| &guard.checks);
        let texts = checks.flat_map(|check| check.question.texts());
        self.asked.extend(texts.flat_map(|text| placeholders(engine, text)).map(|(name, _)| name));
        self.asked.sort();
        self.asked.dedup();
    }

    /// What ends statements besides `;`, as an attribute of `named` says; nothing where another attribute says that the text is one
    /// statement.
    pub(super) fn delimiter(&self, named: &Named, attribute: &str, splits: &str) -> Option<EndDelimiter> {
        let of_lines = || (named.get(attribute).is_none() && self.has_ending_lines).then(EndDelimiter::of_lines);
        named.delimiter(attribute).or_else(of_lines).filter(|_| named.is_not_denied(splits))
    }

    /// The comments that tell its sections apart. Where it has comments that the server would run and Liquibase takes out, they go.
    pub(super) fn markers(&self, named: &Named, engine: Engine) -> Markers {
        let is_stripped =
            self.has_executable_comments && engine == Engine::Mysql && named.is_not_denied("stripComments");
        if is_stripped { Markers::LiquibaseStripped } else { Markers::Liquibase }
    }

    /// What stands below its line, in the bytes of its file.
    pub(super) fn part_of<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        bytes.get(at(self.start)..at(self.end)).unwrap_or_default()
    }
}

/// True where a line of a change is `GO`, or begins with a slash, in what leads up or back.
fn has_ending_lines(part: &[u8]) -> bool {
    let mut lines = part.split(|&byte| byte == b'\n').map(String::from_utf8_lossy);
    lines.any(|line| match Markers::Liquibase.read(&line) {
        Some(Mark::BackLine { start }) => EndDelimiter::is_of_lines(line.get(start..).unwrap_or_default().trim_start()),
        _ => EndDelimiter::is_of_lines(&line),
    })
}

/// The names of placeholders in what leads up, and back; and what looks like one and is none.
fn asked_for(part: &[u8], engine: Engine) -> (Vec<String>, Vec<String>) {
    let (mut names, mut unread) = (Vec::new(), Vec::new());
    if !part.windows(2).any(|two| two == b"${") {
        return (names, unread);
    }
    for direction in [Direction::Apply, Direction::Revert] {
        let (mut mask, mut masked) = (SectionMask::new(Markers::Liquibase, direction), Vec::new());
        mask.feed(part, &mut masked);
        mask.finish(&mut masked);
        let text = String::from_utf8_lossy(&masked);
        names.extend(placeholders(engine, &text).into_iter().map(|(name, _)| name));
        let written = text.split("${").skip(1).filter_map(|rest| rest.split_once(['}', '\n']));
        unread.extend(written.map(|(inner, _)| inner.to_owned()));
    }
    names.sort();
    names.dedup();
    unread.sort();
    unread.dedup();
    unread.retain(|inner| !names.contains(inner));
    (names, unread)
}

/// True where the head of a file says that it is formatted SQL: its first line that is not blank.
pub(super) fn is_formatted(head: &[u8]) -> bool {
    let head = String::from_utf8_lossy(head);
    let first = head.trim_start_matches('\u{feff}').lines().find(|line| !line.trim().is_empty());
    first.and_then(formatted).is_some()
}

/// What stands behind `--liquibase formatted`.
fn formatted(line: &str) -> Option<&str> {
    let text = line.trim_start().strip_prefix("--")?.trim_start();
    let rest =
        text.get(.."liquibase".len()).filter(|word| word.eq_ignore_ascii_case("liquibase")).map(|_| &text[9..])?;
    let rest = rest.trim_start();
    rest.get(..9).filter(|word| word.eq_ignore_ascii_case("formatted")).map(|_| &rest[9..])
}

impl Formatted {
    /// Takes a file apart.
    pub(super) fn read(path: &str, bytes: &[u8], engine: Engine) -> Formatted {
        let mut reader =
            Reader { path, file: Formatted::default(), passed_over: None, is_told: false, is_comment: false };
        let mut offset = 0;
        for (number, line) in (1..).zip(bytes.split_inclusive(|&byte| byte == b'\n')) {
            let text = String::from_utf8_lossy(line);
            let text = if number == 1 { text.trim_start_matches('\u{feff}') } else { &text };
            reader.line(text, number, offset, offset + line.len() as u64);
            offset += line.len() as u64;
        }
        let mut file = reader.file;
        if let Some(last) = file.changes.last_mut() {
            last.end = offset;
        }
        for change in &mut file.changes {
            change.has_ending_lines = has_ending_lines(change.part_of(bytes));
            let part = change.part_of(bytes);
            change.has_executable_comments =
                [&b"/*!"[..], b"/*M!"].iter().any(|begin| part.windows(begin.len()).any(|found| found == *begin));
            (change.asked, change.unread) = asked_for(change.part_of(bytes), engine);
            change.asked_before(engine);
        }
        let count = if may_name_any(bytes) { file.changes.len() } else { 0 };
        for at in 0..count {
            let found = named(path, bytes, &file.changes[..=at]);
            let Some(change) = file.changes.get_mut(at) else { continue };
            match found {
                Meant::Here(other) => change.back_of_other = Some(other),
                Meant::Elsewhere(elsewhere) => change.back_elsewhere = Some(elsewhere),
                Meant::Wrong(message) => change.problems.push(no_such_back(message, &change.label)),
                Meant::Nothing => {}
            }
        }
        file
    }
}

/// A way back names a change that is not there.
pub(super) fn no_such_back(message: String, label: &Label) -> Diagnostic {
    let help = "name a change that stands above: --rollback changesetId:1 changesetAuthor:ann, with changesetPath:a.sql where another file \
                holds it; or write the SQL there";
    Diagnostic::error(codes::OTHER_BEHAVIOUR, message).at(label.clone()).help(help)
}

struct Reader<'p> {
    path: &'p str,
    file: Formatted,
    /// Lines that count for nothing: how many, or up to the marker.
    passed_over: Option<Option<u64>>,
    /// SQL above the first change was told.
    is_told: bool,
    /// Within a comment above the first change.
    is_comment: bool,
}

impl Reader<'_> {
    fn line(&mut self, text: &str, number: u64, start: u64, end: u64) {
        let mark = Markers::Liquibase.read(text);
        if let Some(left) = self.passed_over {
            self.passed_over = match left {
                None if mark == Some(Mark::IgnoreEnd) => None,
                None => Some(None),
                Some(left @ 2..) => Some(Some(left - 1)),
                Some(_) => None,
            };
            return;
        }
        match mark {
            Some(Mark::Change) => self.change(text, number, start, end),
            Some(Mark::IgnoreBegin) => self.passed_over = Some(None),
            Some(Mark::Ignore(count @ 1..)) => self.passed_over = Some(Some(count)),
            Some(Mark::Note) => self.note(text, number),
            None if self.file.changes.is_empty() => self.above(text, number),
            _ => {}
        }
    }

    fn label(&self, text: &str, number: u64) -> Label {
        let line: String = text.trim_end().chars().take(300).collect();
        let length = line.chars().count() as u64;
        Label::place(self.path, Position { line: number, column: 1 }).line(line).length(length)
    }

    fn change(&mut self, text: &str, number: u64, start: u64, end: u64) {
        if let Some(before) = self.file.changes.last_mut() {
            before.end = start;
        }
        let label = self.label(text, number);
        let Some(named) = Named::read(text) else {
            let message = format!("'{}' names no author and id", text.trim());
            let help = "write --changeset author:id, and attributes behind it";
            self.file.problems.push(Diagnostic::error(codes::MISPLACED_MARKER, message).at(label).help(help));
            return;
        };
        self.file.changes.push(ChangeSet {
            named,
            label,
            start: end,
            end,
            line: number + 1,
            has_ending_lines: false,
            has_executable_comments: false,
            asked: Vec::new(),
            unread: Vec::new(),
            comment: None,
            back_of_other: None,
            back_elsewhere: None,
            preconditions: Preconditions::default(),
            valid: Vec::new(),
            problems: Vec::new(),
        });
    }

    fn note(&mut self, text: &str, number: u64) {
        if let Some(rest) = formatted(text) {
            let found = attributes(rest).into_iter().find(|(name, _)| name.eq_ignore_ascii_case("logicalFilePath"));
            if let Some((_, path)) = found.filter(|_| self.file.logical_path.is_none()) {
                self.file.logical_path = Some(path);
            }
            return;
        }
        let word = text.trim_start().trim_start_matches('-').trim_start().to_ascii_lowercase();
        if word.starts_with("property") {
            let read = Property::read(text, self.path);
            self.file.properties.extend(read.map(|property| (self.file.changes.len(), property)));
            return;
        }
        let bare = text.trim_end_matches(['\r', '\n']);
        if let Some(change) = self.file.changes.last_mut() {
            change.valid.extend(valued(bare, "validCheckSum").map(str::to_owned));
            if let Some(comment) = valued(bare, "comment") {
                change.comment = Some(comment.to_owned());
            }
        }
        if word.starts_with("precondition") {
            let label = self.label(text, number);
            let Some(change) = self.file.changes.last_mut() else { return self.above_all(label) };
            if let Err(wrong) = change.preconditions.line(bare, &label)
                && change.problems.is_empty()
            {
                let help = "limosa asks what --precondition-sql-check, -table-exists and -view-exists say, as liquibase does; write it so";
                change.problems.push(Diagnostic::error(codes::OTHER_BEHAVIOUR, wrong).at(label).help(help));
            }
        }
    }

    /// Preconditions above the first change: liquibase passes over them.
    fn above_all(&mut self, label: Label) {
        let message = "this precondition stands above the first '--changeset', where Liquibase does not look at it";
        let problem = Diagnostic::warning(codes::OTHER_BEHAVIOUR, message).at(label);
        self.file.problems.push(problem.help("write it below '--changeset author:id', or remove it"));
    }

    /// A line above the first change: Liquibase runs none of it.
    fn above(&mut self, text: &str, number: u64) {
        let bare = text.trim();
        let begins = bare.starts_with("/*");
        if self.is_comment || begins {
            self.is_comment = !bare.ends_with("*/");
            return;
        }
        if bare.is_empty() || bare.starts_with("--") || self.is_told {
            return;
        }
        self.is_told = true;
        let message = "this SQL stands above the first '--changeset', where Liquibase runs nothing";
        let problem = Diagnostic::new(codes::SQL_ABOVE_SECTIONS, Severity::Warning, message);
        let problem = problem
            .at(self.label(text, number))
            .help("move it below '--changeset author:id' where it shall run, or remove it");
        self.file.problems.push(problem);
    }
}

/// The way back of a change, as it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WayBack {
    /// SQL.
    Sql,
    /// Nothing is to be done: `empty`, `not required`.
    Nothing,
    /// What another change does.
    OtherChange,
}

/// What the text behind `--rollback` says.
pub(crate) fn way_back(text: &str) -> WayBack {
    let lower = text.trim().to_ascii_lowercase();
    match lower {
        _ if lower.starts_with("not required") || lower.starts_with("empty") => WayBack::Nothing,
        _ if lower.contains("changesetid:") => WayBack::OtherChange,
        _ => WayBack::Sql,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_whole_lines() {
        let text = "\u{feff}--liquibase formatted sql logicalFilePath:db/a.sql\r\n\r\n-- words\r\nselect 1;\r\n\
                    --changeset ann:1\r\ncreate table a (n int);\r\n--rollback drop table a;\r\n\
                    --ignoreLines:1\r\n--changeset no:1\r\n\
                    -- changeset bob:\"2 b\" runAlways:true\r\n--precondition-sql-check expectedResult:0 select 1\r\nselect 2;";
        let file = Formatted::read("a.sql", text.as_bytes(), Engine::Postgres);
        assert_eq!(file.logical_path.as_deref(), Some("db/a.sql"));
        let parts: Vec<(&str, u64, &str)> = file
            .changes
            .iter()
            .map(|change| (change.named.id.as_str(), change.line, &text[change.start as usize..change.end as usize]))
            .collect();
        let first = "create table a (n int);\r\n--rollback drop table a;\r\n--ignoreLines:1\r\n--changeset no:1\r\n";
        let second = "--precondition-sql-check expectedResult:0 select 1\r\nselect 2;";
        assert_eq!(parts, [("1", 6, first), ("2 b", 11, second)]);
        assert_eq!(file.problems.len(), 1);
        assert_eq!(
            (file.problems[0].code, file.problems[0].labels[0].position.unwrap().line),
            (codes::SQL_ABOVE_SECTIONS, 4)
        );
        let lines: Vec<usize> = file.changes.iter().map(|change| change.problems.len()).collect();
        assert_eq!(lines, [0, 0]);
        assert_eq!(file.changes[1].preconditions.guard().unwrap().checks[0].position.line, 11);
        assert!(
            is_formatted(text.as_bytes())
                && is_formatted(b"\n -- Liquibase  Formatted SQL")
                && !is_formatted(b"-- x\n")
        );
        let broken = Formatted::read("a.sql", b"--liquibase formatted sql\n--changeset\nselect 1;", Engine::Postgres);
        assert_eq!(broken.problems[0].code, codes::MISPLACED_MARKER);
    }

    #[test]
    fn ways_back_may_be_no_sql() {
        for (text, expected) in [
            (" not required", WayBack::Nothing),
            ("EMPTY\n", WayBack::Nothing),
            ("changesetId:1 changesetAuthor:ann", WayBack::OtherChange),
            ("drop table empty_ones;", WayBack::Sql),
        ] {
            assert_eq!(way_back(text), expected, "{text}");
        }
    }
}
