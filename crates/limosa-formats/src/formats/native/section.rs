//! Where the way back begins inside a migration file.

use super::comments::{Line, LineKind};

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
