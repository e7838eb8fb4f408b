//! Where the way back begins inside a migration file.

use limosa_core::{Direction, Mark, Markers};
use limosa_sql::{Diagnostic, Label, Position};

use super::comments::{Line, LineKind};
use super::rollback::clipped;
use crate::codes;

/// What a `-- limosa:` comment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Directive {
    /// `-- limosa:rollback`: what follows is the SQL of the way back.
    Rollback,
    /// Something else, as written.
    Unknown(String),
}

/// Reads a comment's text (what follows `--`) as a directive, where it is one.
pub(crate) fn directive(text: &str) -> Option<Directive> {
    let text = text.trim();
    let prefix = text.get(.."limosa:".len()).filter(|prefix| prefix.eq_ignore_ascii_case("limosa:"))?;
    let word = text[prefix.len()..].trim();
    if word.eq_ignore_ascii_case("rollback") {
        return Some(Directive::Rollback);
    }
    Some(Directive::Unknown(word.to_owned()))
}

/// The tool whose section leads back below this comment: a file that is run as a whole must hold none.
pub(crate) fn leads_back(indent: usize, mark: &str, text: &str) -> Option<Markers> {
    // What looks like prose of node-pg-migrate's must be the whole comment.
    if text.trim().eq_ignore_ascii_case("down migration") {
        return Some(Markers::NodePgMigrate);
    }
    let is_candidate =
        mark == "--" && indent == 0 && ["migrate:", "+goose", "+migrate"].iter().any(|word| text.contains(word));
    let line = is_candidate.then(|| format!("{mark}{text}"))?;
    let leads_back =
        |markers: &Markers| matches!(markers.read(&line), Some(Mark::Section { direction: Direction::Revert, .. }));
    Markers::ALL.into_iter().find(leads_back)
}

/// The error for a section of another tool that leads back.
pub(crate) fn foreign_section(path: &str, number: u64, mark: &str, text: &str, markers: Markers) -> Diagnostic {
    let (tool, name) = (markers.tool(), markers.format_name());
    let message = format!("below this marker of {tool} stands a way back, and this file is run as a whole");
    Diagnostic::error(codes::FOREIGN_MARKER, message)
        .at(Label::place(path, Position { line: number, column: 1 })
            .line(clipped(&format!("{mark}{text}")))
            .length((mark.len() + text.trim_end().chars().count()) as u64))
        .help(format!(
            "say that the folder is {tool}'s: --format {name}; or write '-- limosa:rollback' in place of the marker"
        ))
}

/// True for a comment that is only a line drawn: `-- =====`.
pub(crate) fn is_rule(text: &str) -> bool {
    let text = text.trim();
    text.len() >= 3 && text.bytes().all(|byte| b"=-*#~_+".contains(&byte))
}

/// True for a comment that says `ROLLBACK` and nothing more.
fn is_heading(text: &str) -> bool {
    let text = text.trim();
    text.strip_suffix(':').unwrap_or(text).trim_end().eq_ignore_ascii_case("rollback")
}

/// The first line of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SectionStart {
    pub(crate) offset: u64,
    pub(crate) line: u64,
}

/// Watches lines for the beginning of a section: the directive, or `ROLLBACK` with a rule above or below it.
#[derive(Default)]
pub(crate) struct SectionFinder {
    rule: Option<SectionStart>,
    heading: Option<SectionStart>,
}

impl SectionFinder {
    /// Looks at the next line outside statements.
    pub(crate) fn line(&mut self, line: &Line) -> Option<SectionStart> {
        let here = SectionStart { offset: line.start, line: line.number };
        let (rule, heading) = (self.rule.take(), self.heading.take());
        let LineKind::Comment { text, .. } = &line.kind else { return None };
        if directive(text) == Some(Directive::Rollback) {
            return Some(here);
        }
        if is_rule(text) {
            self.rule = Some(here);
            return heading;
        }
        if is_heading(text) {
            self.heading = Some(here);
            return rule;
        }
        None
    }

    /// A statement stands between: what was seen before does not count.
    pub(crate) fn interrupt(&mut self) {
        *self = SectionFinder::default();
    }

    /// The offset from which lines seen may still turn out to begin a section.
    pub(crate) fn hold_from(&self) -> Option<u64> {
        self.rule.or(self.heading).map(|start| start.offset)
    }
}

/// The error for a section that begins within a statement.
pub(crate) fn inside_statement(path: &str, position: Position, line: &str, verb: &str) -> Diagnostic {
    let column = (line.len() - line.trim_start().len()) as u64 + 1;
    Diagnostic::error(codes::SECTION_INSIDE_STATEMENT, format!("the rollback section begins inside {verb}"))
        .at(Label::place(path, Position { column, ..position })
            .line(clipped(line))
            .length(line.trim().chars().count() as u64))
        .help("close the statement before it")
}

/// The error for a directive that is not known.
pub(crate) fn unknown_directive(
    path: &str,
    number: u64,
    indent: usize,
    mark: &str,
    text: &str,
    word: &str,
) -> Diagnostic {
    let blanks = text.chars().take_while(|character| character.is_whitespace()).count();
    let message = match word {
        "" => "'limosa:' says nothing".to_owned(),
        _ => format!("'limosa:{word}' is not known"),
    };
    Diagnostic::error(codes::UNKNOWN_DIRECTIVE, message)
        .at(Label::place(path, Position { line: number, column: (indent + mark.len() + blanks + 1) as u64 })
            .line(clipped(&format!("{}{mark}{text}", " ".repeat(indent))))
            .length(text.trim().chars().count() as u64))
        .help("the only one is '-- limosa:rollback', alone on its line")
}

/// The error for a directive of limosa's in a file whose sections are another tool's.
pub(crate) fn directive_among_sections(
    path: &str,
    number: u64,
    mark: &str,
    text: &str,
    markers: Markers,
) -> Diagnostic {
    let down = markers.of(Direction::Revert);
    let message = format!("'{}' says nothing in a file of {}", text.trim(), markers.tool());
    Diagnostic::error(codes::UNKNOWN_DIRECTIVE, message)
        .at(Label::place(path, Position { line: number, column: 1 }).line(clipped(&format!("{mark}{text}"))))
        .help(format!("write '{down}' above the way back"))
}

#[cfg(test)]
mod tests {
    use limosa_sql::Engine;

    use super::super::comments::CommentScanner;
    use super::*;

    fn found(text: &str) -> Option<u64> {
        let mut scanner = CommentScanner::new(Engine::Sqlite);
        let mut lines = Vec::new();
        scanner.feed(text.as_bytes(), &mut lines);
        scanner.finish(&mut lines);
        let mut finder = SectionFinder::default();
        lines.iter().find_map(|line| finder.line(line)).map(|start| start.line)
    }

    #[test]
    fn sections_begin_at_a_directive_or_a_ruled_heading() {
        for (text, expected) in [
            ("-- limosa:rollback\n", Some(1)),
            ("\n  --LIMOSA: Rollback", Some(2)),
            ("-- ====\n-- ROLLBACK\n-- ====\n", Some(1)),
            ("-- a\n-- -----\n-- Rollback:\n", Some(2)),
            ("-- ROLLBACK\n-- ====\n", Some(1)),
            ("-- ====\n-- INDEXES\n-- ====\n-- ====\n-- ROLLBACK", Some(4)),
            ("-- ROLLBACK\n", None),
            ("-- ==\n-- ROLLBACK\n-- ==", None),
            ("-- ====\n\n-- ROLLBACK\n\n-- ====", None),
            ("-- ====\n-- ROLLBACK PLAN\n-- ====", None),
            ("-- say limosa:rollback", None),
            ("-- limosa:rollback now", None),
            ("/*\n-- limosa:rollback\n*/", None),
        ] {
            assert_eq!(found(text), expected, "{text:?}");
        }
    }

    #[test]
    fn directives_are_read() {
        assert_eq!(directive(" limosa:rollback "), Some(Directive::Rollback));
        assert_eq!(directive("limosa: rolback"), Some(Directive::Unknown("rolback".to_owned())));
        assert_eq!(directive(" limosa"), None);
        assert_eq!(directive(" limösa:rollback"), None);
    }
}
