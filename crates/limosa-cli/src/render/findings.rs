//! Answers that are lists of findings: what was looked at, and what is wrong with it.

use limosa::report::FindingsAnswer;

use super::diagnostic_text;
use super::style::Tone;
use super::table::Columns;

/// Checks, findings, and one line that says whether all is well.
pub(crate) fn render(answer: &FindingsAnswer, well: &str, width: Option<u16>) -> String {
    let mut text = String::new();
    if !answer.checks.is_empty() {
        let mut table = Columns::new(&[], width);
        for check in &answer.checks {
            let tone = match check.result {
                "error" => Tone::Bad,
                "warning" => Tone::Doubtful,
                _ => Tone::Plain,
            };
            table.row(vec![
                (check.result.to_owned(), tone),
                (check.name.clone(), Tone::Plain),
                (check.seen.clone(), Tone::Plain),
            ]);
        }
        text.push_str(&table.render());
    }
    for finding in &answer.findings {
        text.push('\n');
        text.push_str(&diagnostic_text::render(finding));
        text.push('\n');
    }
    if !answer.findings.is_empty() {
        text.push('\n');
    }
    let errors = answer.findings.iter().filter(|finding| finding.is_error()).count();
    let warnings = answer.findings.len() - errors;
    let line = match (errors, warnings) {
        (0, 0) => Tone::Good.paint(well),
        (0, warnings) => Tone::Doubtful.paint(&format!("{well}, {}", count(warnings, "warning"))),
        (errors, 0) => Tone::Bad.paint(&count(errors, "problem")),
        (errors, warnings) => Tone::Bad.paint(&format!("{}, {}", count(errors, "problem"), count(warnings, "warning"))),
    };
    text + &line + "\n"
}

/// `1 problem`, `2 problems`.
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
