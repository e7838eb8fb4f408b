//! A diagnostic as text: the message, the place in the file with a caret, what to do.

use annotate_snippets::{AnnotationKind, Element, Level, Origin, Padding, Renderer, Snippet};
use limosa::{Diagnostic, Label, Position, Severity};

use super::style::{harmless, harmless_lines};

/// Characters of a line that are shown at most; of a longer line, those around the marked place.
const SHOWN: usize = 160;

/// Characters of a line up to which the renderer gets the whole line.
const WHOLE: usize = 1000;

/// What the server says beside its message begins a line of the help with one of these.
const PARTS: [&str; 4] = ["detail", "hint", "inside", "context"];

/// The diagnostic, with colours, without a line feed at its end.
pub(crate) fn render(diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut elements: Vec<Element<'static>> = Vec::new();
    for label in &diagnostic.labels {
        elements.extend(place(label));
    }
    let help = diagnostic.help.as_deref().map(help_parts).unwrap_or_default();
    if !help.is_empty() && diagnostic.labels.iter().any(|label| label.line_text.is_some()) {
        elements.push(Padding.into());
    }
    for (name, text) in help {
        let level = if name == "help" { Level::HELP } else { Level::NOTE };
        elements.push(level.with_name(Some(name)).message(text).into());
    }
    let title = level.primary_title(harmless_lines(&diagnostic.message)).id(diagnostic.code);
    Renderer::styled().term_width(SHOWN + 40).render(&[title.elements(elements)])
}

/// The help in parts: what to do, and what the server said beside its message. A line that begins no part belongs to the
/// one before it.
fn help_parts(help: &str) -> Vec<(&'static str, String)> {
    let mut parts: Vec<(&'static str, String)> = Vec::new();
    for line in harmless_lines(help).lines() {
        let begun =
            PARTS.iter().find_map(|name| Some((*name, line.strip_prefix(name)?.strip_prefix(": ")?.to_owned())));
        match (begun, parts.last_mut()) {
            (Some(part), _) => parts.push(part),
            (None, None) => parts.push(("help", line.to_owned())),
            (None, Some((_, text))) => {
                text.push('\n');
                text.push_str(line);
            }
        }
    }
    parts
}

fn place(label: &Label) -> Vec<Element<'static>> {
    let origin = Origin::path(harmless(&label.file));
    let Some(position) = label.position else { return vec![origin.into()] };
    let (line, column) = (small(position.line), small(position.column));
    let origin = origin.line(line).char_column(column);
    let Some(text) = &label.line_text else { return vec![origin.into()] };
    let Some((shown, span)) = window(text, position, label.length) else { return vec![origin.into()] };
    let whole = text.chars().count() <= WHOLE;
    let mut annotation = AnnotationKind::Primary.span(span);
    if !label.text.is_empty() {
        annotation = annotation.label(harmless(&label.text));
    }
    let snippet = Snippet::source(shown).line_start(line).annotation(annotation);
    match whole {
        // The column is counted from the marks.
        true => vec![snippet.path(harmless(&label.file)).into()],
        false => vec![origin.into(), snippet.into()],
    }
}

/// The part of a line that is shown, and the bytes of it that are marked; None where the place is not in the line.
fn window(line: &str, position: Position, length: u64) -> Option<(String, std::ops::Range<usize>)> {
    let column = small(position.column).checked_sub(1)?;
    let total = line.chars().count();
    if column > total {
        return None;
    }
    let (from, most) = match total <= WHOLE {
        true => (0, WHOLE),
        false => (column.saturating_sub(SHOWN / 2).min(total - SHOWN), SHOWN),
    };
    let (mut shown, mut start, mut end) = (String::new(), None, 0);
    for (index, character) in line.chars().enumerate().skip(from).take(most) {
        if index == column {
            start = Some(shown.len());
        }
        // What replaces a control character may be longer; the marks are counted in what is shown.
        shown.push_str(&harmless(&character.to_string()));
        if index >= column && index < column + small(length).max(1) {
            end = shown.len();
        }
    }
    // At the end of a line there is nothing to underline but the place behind it.
    let start = start.unwrap_or(shown.len());
    Some((shown, start..end.max(start)))
}

fn small(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::style::bare;
    use super::*;

    fn check(diagnostic: &Diagnostic, expected: &str) {
        let text = bare(&render(diagnostic));
        assert_eq!(text, expected.trim_start_matches('\n'), "\n{text}\n");
    }

    fn at(line: u64, column: u64) -> Position {
        Position { line, column }
    }

    #[test]
    fn a_place_with_its_line() {
        let label = Label::place("m/002.sql", at(4, 13)).line("insert into userz values (1);").length(5).text("here");
        let diagnostic = Diagnostic::error("LIM-R002", "no such table: userz").at(label).help("hint: look for it");
        check(
            &diagnostic,
            "
error[LIM-R002]: no such table: userz
 --> m/002.sql:4:13
  |
4 | insert into userz values (1);
  |             ^^^^^ here
  |
  = hint: look for it",
        );
    }

    #[test]
    fn help_of_several_parts_and_lines() {
        let diagnostic = Diagnostic::error("LIM-R002", "duplicate key").help(
            "detail: Key (id)=(1)\nexists already.\nhint: choose another\ncontext: PL/pgSQL function f()\nline 3",
        );
        check(
            &diagnostic,
            "
error[LIM-R002]: duplicate key
 |
 = detail: Key (id)=(1)
           exists already.
 = hint: choose another
 = context: PL/pgSQL function f()
            line 3",
        );
        let plain = Diagnostic::warning("LIM-X", "odd").help("do this:\n  limosa a\n  limosa b");
        check(
            &plain,
            "
warning[LIM-X]: odd
 |
 = help: do this:
           limosa a
           limosa b",
        );
    }

    #[test]
    fn a_file_without_a_place_and_a_message_without_anything() {
        check(
            &Diagnostic::error("LIM-F900", "cannot be read").at(Label::file("a/b.sql")),
            "
error[LIM-F900]: cannot be read
--> a/b.sql",
        );
        check(&Diagnostic::new("LIM-N", Severity::Note, "so it is"), "note[LIM-N]: so it is");
    }

    #[test]
    fn the_column_counts_characters_whatever_their_width() {
        let label = Label::place("a.sql", at(1, 6)).line("größe x").length(1);
        let text = bare(&render(&Diagnostic::error("LIM-X", "m").at(label)));
        assert!(text.contains("a.sql:1:6") && text.contains("|      ^"), "{text}");
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let line = format!("{}here{}", "a".repeat(5000), "b".repeat(100_000));
        let label = Label::place("a.sql", at(7, 5001)).line(line).length(4);
        let text = bare(&render(&Diagnostic::error("LIM-X", "m").at(label)));
        assert!(text.contains("a.sql:7:5001") && text.contains("aahereb") && text.contains("^^^^"), "{text}");
        assert!(text.len() < 1000, "{text}");
    }

    #[test]
    fn a_place_behind_the_end_or_far_beyond_it() {
        let end = Label::place("a.sql", at(1, 4)).line("abc");
        assert!(bare(&render(&Diagnostic::error("LIM-X", "m").at(end))).contains("^"));
        let beyond = Label::place("a.sql", at(1, 400)).line("abc");
        assert!(bare(&render(&Diagnostic::error("LIM-X", "m").at(beyond))).contains("a.sql:1:400"));
    }

    #[test]
    fn nothing_steers_the_terminal() {
        let label = Label::place("a\u{1b}[2J.sql", at(1, 2)).line("x\u{1b}[31my").length(3).text("\u{7}");
        let diagnostic = Diagnostic::error("LIM-X", "m\u{1b}]0;t").at(label).help("h\u{1b}[1m");
        let text = bare(&render(&diagnostic));
        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text:?}");
    }
}
