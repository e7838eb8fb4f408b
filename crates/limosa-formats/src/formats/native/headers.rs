//! Header comments: `-- Key: value` lines above the first statement.

use limosa_sql::{Diagnostic, Label, Position, Severity};

use super::comments::{Line, LineKind};
use super::names::{split, stem_of};
use super::rules::{Arity, DURATION, HeaderRule, Item, SYNONYMS, header_rules};
use super::values::{duration, nearest};
use super::wishes::Wishes;
use crate::codes;

/// What the statements below some headers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// A migration.
    Migration,
    /// A way back in a file of its own.
    RollbackFile,
    /// The way back at the end of a migration's file.
    RollbackSection,
}

/// Reads the headers out of the comment lines above the first statement.
pub(crate) fn read_headers<'a>(
    path: &str,
    lines: impl IntoIterator<Item = &'a Line>,
    head: Head,
) -> (Wishes, Vec<Diagnostic>) {
    let mut reading = Reading { path, head, wishes: Wishes::default(), seen: Vec::new(), diagnostics: Vec::new() };
    for line in lines {
        if let LineKind::Comment { indent, mark, text } = &line.kind {
            reading.line(line.number, *indent, mark, text);
        }
    }
    (reading.wishes, reading.diagnostics)
}

/// What is said of a header in a file of another tool, which knows none: it may be prose, and nothing is refused for it.
pub(crate) fn as_prose(diagnostic: &mut Diagnostic) {
    if diagnostic.is_error() {
        diagnostic.severity = Severity::Warning;
        let help = diagnostic.help.take().map(|help| format!("; else {help}")).unwrap_or_default();
        diagnostic.help = Some(format!("it has no effect: where it is prose all is well{help}"));
    }
}

struct Reading<'a> {
    path: &'a str,
    head: Head,
    wishes: Wishes,
    seen: Vec<&'static str>,
    diagnostics: Vec<Diagnostic>,
}

impl Reading<'_> {
    /// `text` is what follows the mark of the comment, `indent` the number of characters before it.
    fn line(&mut self, number: u64, indent: usize, mark: &str, text: &str) {
        let Some((key, value)) = text.split_once(':') else { return };
        let written = key.trim();
        if !is_key(written) {
            return;
        }
        let start = key.len() - key.trim_start().len();
        let place = |offset: usize, length: usize| {
            let column = (indent + mark.len() + text[..offset].chars().count() + 1) as u64;
            Label::place(self.path, Position { line: number, column })
                .line(format!("{}{mark}{text}", " ".repeat(indent)))
                .length(length as u64)
        };
        let key_label = place(start, written.chars().count());
        let name = normalised(written);
        let Some(rule) = header_rules().iter().find(|rule| normalised(rule.name) == name) else {
            self.misspelt(written, &name, key_label);
            return;
        };
        let items = items(rule.arity, key.len() + 1, value, place);
        self.take(rule, &items, key_label);
    }

    fn misspelt(&mut self, written: &str, name: &str, label: Label) {
        let synonym = SYNONYMS.iter().find(|(word, _)| *word == name).map(|&(_, rule)| rule);
        let Some(meant) = synonym.or_else(|| nearest(name, header_rules().iter().map(|rule| rule.name))) else {
            return;
        };
        self.diagnostics.push(
            Diagnostic::warning(codes::MISSPELT_HEADER, format!("'{written}' is no header; did you mean '{meant}'?"))
                .at(label.text("has no effect"))
                .help(format!("write '-- {meant}: ...', or leave out the colon where this is prose")),
        );
    }

    fn take(&mut self, rule: &'static HeaderRule, items: &[Item], key_label: Label) {
        let back = match self.head {
            Head::Migration => None,
            Head::RollbackFile => Some("a rollback file"),
            Head::RollbackSection => Some("a rollback section"),
        };
        if let Some(back) = back.filter(|_| !rule.in_rollback) {
            let message = format!("'{}' has no effect in {back}", rule.name);
            self.diagnostics.push(
                Diagnostic::warning(codes::HEADER_WITHOUT_EFFECT, message)
                    .at(key_label)
                    .help("write it at the head of the migration"),
            );
            return;
        }
        if rule.name == "Migration" {
            self.check_name(items);
        }
        if rule.arity == Arity::One && self.seen.contains(&rule.name) {
            let message = format!("'{}' is given twice", rule.name);
            self.diagnostics.push(
                Diagnostic::error(codes::REPEATED_HEADER, message).at(key_label).help("keep one of the two lines"),
            );
            return;
        }
        self.seen.push(rule.name);
        if let Err(index) = (rule.take)(&mut self.wishes, items) {
            let (text, label) = match items.get(index) {
                Some(item) => (item.text.as_str(), item.label.clone()),
                None => ("", key_label),
            };
            self.diagnostics.push(bad_value(codes::BAD_HEADER_VALUE, rule, rule.name, text, label));
        }
    }

    /// The header of a file that was copied from another one.
    fn check_name(&mut self, items: &[Item]) {
        let Some(item) = items.first() else { return };
        let named = split(&item.text).1;
        let is_file =
            !named.contains(' ') && (named.ends_with(".sql") || named.starts_with(|c: char| c.is_ascii_digit()));
        let (own, own_stem) = (split(self.path).1, stem_of(self.path));
        let own_stem = own_stem.strip_suffix(".rollback").unwrap_or(own_stem);
        let stem = stem_of(named);
        let stem = stem.strip_suffix(".rollback").unwrap_or(stem);
        // A file in a folder of rollbacks is named otherwise than its migration.
        if !is_file || self.head == Head::RollbackFile || stem == own_stem {
            return;
        }
        let message = format!("the header says {named}, the file is {own}");
        self.diagnostics.push(
            Diagnostic::warning(codes::OTHER_FILE_NAMED, message)
                .at(item.label.clone())
                .help(format!("write '-- Migration: {own}'")),
        );
    }
}

/// The message for a value that is not allowed.
pub(crate) fn bad_value(code: &'static str, rule: &HeaderRule, key: &str, text: &str, label: Label) -> Diagnostic {
    let message = match text {
        "" => format!("'{key}' has no value"),
        _ => format!("'{text}' is no value of '{key}'"),
    };
    let unit = duration(&format!("{text}s")).filter(|_| rule.allowed == DURATION && !text.is_empty());
    let help = match unit {
        Some(_) => format!("give the unit: {text}s or {text}ms"),
        None => format!("allowed: {}", rule.allowed),
    };
    Diagnostic::error(code, message).at(label).help(help)
}

fn is_key(text: &str) -> bool {
    text.starts_with(|character: char| character.is_ascii_alphabetic())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || " -_".contains(character))
}

/// Capitals, blanks and underscores make no difference.
fn normalised(key: &str) -> String {
    key.to_ascii_lowercase().replace([' ', '_'], "-")
}

/// The values of a header line, each with its place. `offset` is where `value` begins in the comment's text.
fn items(arity: Arity, offset: usize, value: &str, place: impl Fn(usize, usize) -> Label) -> Vec<Item> {
    let item = |at: usize, part: &str| {
        let bare = part.trim();
        let start = offset + at + (part.len() - part.trim_start().len());
        Item { text: bare.to_owned(), label: place(start, bare.chars().count()) }
    };
    if arity != Arity::List {
        return if value.trim().is_empty() { Vec::new() } else { vec![item(0, value)] };
    }
    let mut found = Vec::new();
    let mut at = 0;
    for part in value.split(',') {
        if !part.trim().is_empty() {
            found.push(item(at, part));
        }
        at += part.len() + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use limosa_core::{Headers, TransactionWish};
    use limosa_sql::Engine;

    use super::super::comments::CommentScanner;
    use super::*;

    fn read(path: &str, text: &str) -> (Headers, Vec<String>) {
        let mut scanner = CommentScanner::new(Engine::Postgres);
        let mut lines = Vec::new();
        scanner.feed(text.as_bytes(), &mut lines);
        scanner.finish(&mut lines);
        let head = if path.contains("rollback") { Head::RollbackFile } else { Head::Migration };
        let (wishes, diagnostics) = read_headers(path, &lines, head);
        let shown = diagnostics
            .into_iter()
            .map(|diagnostic| {
                let label = &diagnostic.labels[0];
                let position = label.position.unwrap();
                format!(
                    "{} {:?} {}:{}+{} {} / {}",
                    diagnostic.code,
                    diagnostic.severity,
                    position.line,
                    position.column,
                    label.length,
                    diagnostic.message,
                    diagnostic.help.unwrap_or_default()
                )
            })
            .collect();
        (wishes.headers(), shown)
    }

    #[test]
    fn every_example_of_the_documentation_is_read() {
        for rule in header_rules() {
            let (headers, problems) = read("m/002_add_index.sql", rule.example);
            assert_eq!(problems, [] as [&str; 0], "{}", rule.example);
            assert!(rule.name == "Migration" || headers != Headers::default(), "{} says nothing", rule.example);
            assert!(rule.details.ends_with('.'), "{}", rule.name);
        }
    }

    #[test]
    fn every_header_is_read() {
        let text = "-- Migration: 001_a.sql\n-- Purpose: why: because\n-- PHASE: 2\n--Checklist: docs/list.md#3\n\
                    -- Depends-on: 001, R:views ,002_x.sql\n-- depends on: 7\n-- Transaction: None\n\
                    -- Lock_timeout: 3s\n-- Statement-timeout: off\n-- Environments: staging, production\n\
                    -- Engines: pg, SQLite\n-- Requires-extension: pg_trgm\n-- Tags: a\n-- Tags: b,a\n\
                    -- Data-loss: allowed\n-- Placeholders: OFF\n";
        let (headers, problems) = read("m/001_a.sql", text);
        assert_eq!(problems, [] as [&str; 0]);
        let words = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let expected = Headers {
            purpose: Some("why: because".to_owned()),
            phase: Some("2".to_owned()),
            checklist: Some("docs/list.md#3".to_owned()),
            depends_on: words(&["001", "R:views", "002_x.sql", "7"]).into(),
            transaction: TransactionWish::None,
            lock_timeout: Some(3000),
            statement_timeout: Some(0),
            environments: words(&["staging", "production"]).into(),
            engines: vec![Engine::Postgres, Engine::Sqlite].into(),
            requires_extension: words(&["pg_trgm"]).into(),
            tags: words(&["a", "b"]).into(),
            data_loss_allowed: true,
            placeholders_off: true,
            placeholders_on: false,
            left_out: None,
            may_come_late: false,
            place: None,
            made_at: None,
            runs_always: false,
            guard: None,
            counted_values: None,
        };
        assert_eq!(headers, expected);
    }

    #[test]
    fn bad_headers_are_named_with_their_place() {
        for (line, expected) in [
            (
                "-- Transaction: sometimes",
                "LIM-F004 Error 1:17+9 'sometimes' is no value of 'Transaction' / allowed: auto, always or none",
            ),
            (
                "-- Lock-timeout: 5",
                "LIM-F004 Error 1:18+1 '5' is no value of 'Lock-timeout' / give the unit: 5s or 5ms",
            ),
            (
                "  --   Lock-timeout:   soon",
                "LIM-F004 Error 1:24+4 'soon' is no value of 'Lock-timeout' / allowed: a number with ms, s, min or h \
                 (3s, 500ms), or 0 or off",
            ),
            ("-- Transaction:", "LIM-F004 Error 1:4+11 'Transaction' has no value / allowed: auto, always or none"),
            (
                "-- Engines: sqlite, oracle",
                "LIM-F004 Error 1:21+6 'oracle' is no value of 'Engines' / allowed: postgres, sqlite, mysql; joined by commas",
            ),
            (
                "-- Tags: two words",
                "LIM-F004 Error 1:10+9 'two words' is no value of 'Tags' / allowed: words, joined by commas",
            ),
            ("-- Data-loss: no", "LIM-F004 Error 1:15+2 'no' is no value of 'Data-loss' / allowed: allowed"),
            (
                "-- Transaction: none\n-- transaction: auto",
                "LIM-F005 Error 2:4+11 'Transaction' is given twice / keep one of the two lines",
            ),
            (
                "-- Lock-timout: 3s",
                "LIM-F003 Warning 1:4+11 'Lock-timout' is no header; did you mean 'Lock-timeout'? / write \
                 '-- Lock-timeout: ...', or leave out the colon where this is prose",
            ),
            (
                "-- Dependencies: 001",
                "LIM-F003 Warning 1:4+12 'Dependencies' is no header; did you mean 'Depends-on'? / write \
                 '-- Depends-on: ...', or leave out the colon where this is prose",
            ),
            (
                "-- Migration: 002_b.sql",
                "LIM-F006 Warning 1:15+9 the header says 002_b.sql, the file is 001_a.sql / write '-- Migration: 001_a.sql'",
            ),
        ] {
            assert_eq!(read("m/001_a.sql", line).1, [expected], "{line}");
        }
        assert_eq!(
            read("m/001_a.rollback.sql", "-- Transaction: none\n-- Engines: pg\n-- Lock-timeout: 1s\n-- Tags: a\n").1,
            ["LIM-F007 Warning 4:4+4 'Tags' has no effect in a rollback file / write it at the head of the migration"]
        );
    }

    #[test]
    fn prose_is_no_header() {
        for line in [
            "-- Note: this is prose",
            "-- WARNING: take care",
            "-- see https://example.org",
            "-- Author: someone",
            "-- Date: 2024-01-01",
            "-- Migration: Create the jobs",
            "-- Depends-on: none",
            "-- Depends-on:",
            "-- Checklist:",
            "-- e.g. Transaction: nonsense",
            "/* Transaction: nonsense */",
            "-- 12:30",
            "--",
        ] {
            let (headers, problems) = read("m/001_a.sql", line);
            assert_eq!((headers, problems), (Headers::default(), Vec::new()), "{line}");
        }
    }
}
