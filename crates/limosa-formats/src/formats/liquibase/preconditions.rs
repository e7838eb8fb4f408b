//! Preconditions of a change: `--preconditions onFail:MARK_RAN`, and what is asked on the lines below.
//!
//! Liquibase 5, `FormattedSqlChangeLogParser.java`, `PreconditionContainer.java`: each question is one line, all must hold, and without a
//! word on it a run stops where one does not.

use limosa_core::{Check, Guard, Otherwise, Question};
use limosa_sql::Label;

use super::attributes::attributes;
use super::patterns::identifier;

/// The preconditions of a change as they are read, line by line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Preconditions {
    guard: Option<Guard>,
}

impl Preconditions {
    /// Reads a line that begins with `--precondition`. `label` is its place.
    ///
    /// # Errors
    /// What of it is not known, in words.
    pub(super) fn line(&mut self, text: &str, label: &Label) -> Result<(), String> {
        let word = text.trim_start().trim_start_matches('-').trim();
        let rest = word.get("precondition".len()..).unwrap_or_default();
        if let Some(rest) = rest.strip_prefix(['s', 'S']) {
            return self.container(rest.trim_start_matches(':'));
        }
        let (kind, body) = rest.strip_prefix('-').and_then(|rest| rest.split_once(' ')).unwrap_or((rest, ""));
        let named = |attribute: &str| {
            let found = attributes(body).into_iter().find(|(name, _)| name.eq_ignore_ascii_case(attribute));
            found.map(|(_, value)| value).filter(|value| !value.is_empty())
        };
        let missing = |what: &str| format!("the precondition '{kind}' names no {what}");
        let question = match kind {
            "sql-check" => {
                sql_check(body).ok_or_else(|| "this sql-check has no expectedResult and query".to_owned())?
            }
            "table-exists" => {
                Question::Table { schema: named("schema"), name: named("table").ok_or_else(|| missing("table"))? }
            }
            "view-exists" => {
                Question::View { schema: named("schema"), name: named("view").ok_or_else(|| missing("view"))? }
            }
            other => return Err(format!("'{other}' is no precondition that Liquibase knows in SQL")),
        };
        let (Some(position), line) = (label.position, text.trim_end().to_owned()) else { return Ok(()) };
        self.guard.get_or_insert_with(nothing_asked).checks.push(Check { question, position, line });
        Ok(())
    }

    /// The line `--preconditions`: what it says counts for what is asked below it. Liquibase forgets what was asked above.
    fn container(&mut self, text: &str) -> Result<(), String> {
        self.guard = Some(Guard {
            on_no: otherwise(text, "onFail")?,
            on_error: otherwise(text, "onError")?,
            words_on_no: message(text, "onFailMessage"),
            words_on_error: message(text, "onErrorMessage"),
            ..nothing_asked()
        });
        Ok(())
    }

    /// What is asked; None where nothing is.
    pub(super) fn guard(&self) -> Option<&Guard> {
        self.guard.as_ref().filter(|guard| !guard.checks.is_empty())
    }
}

/// Where `failOnError:false` is said: what stops a run otherwise is left for the next one.
pub(super) fn forgiving(guard: Option<Guard>) -> Guard {
    let mut guard = guard.unwrap_or_else(nothing_asked);
    for otherwise in [&mut guard.on_no, &mut guard.on_error, &mut guard.on_failure] {
        if *otherwise == Otherwise::Stop {
            *otherwise = Otherwise::Leave;
        }
    }
    guard
}

fn nothing_asked() -> Guard {
    Guard {
        checks: Vec::new(),
        on_no: Otherwise::Stop,
        on_error: Otherwise::Stop,
        on_failure: Otherwise::Stop,
        words_on_no: None,
        words_on_error: None,
    }
}

/// A word of letters, digits and `_` counts; anything else is as if nothing were said, and stops the run.
fn otherwise(text: &str, name: &str) -> Result<Otherwise, String> {
    Ok(match identifier(text, name).unwrap_or_default().to_ascii_uppercase().as_str() {
        "" | "HALT" => Otherwise::Stop,
        "CONTINUE" => Otherwise::Leave,
        "MARK_RAN" => Otherwise::Count,
        "WARN" => Otherwise::Warn,
        other => return Err(format!("{name} may be HALT, CONTINUE, MARK_RAN or WARN, and not {other}")),
    })
}

/// What the author says to people, in quotes or one word.
fn message(text: &str, name: &str) -> Option<String> {
    let found = attributes(text).into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value)
}

/// `expectedResult:0 select ...`; the value may stand in quotes, and its name may be left out.
fn sql_check(body: &str) -> Option<Question> {
    const NAME: &str = "expectedResult:";
    let body = body.trim();
    let body = match body.get(..NAME.len()) {
        Some(name) if name.eq_ignore_ascii_case(NAME) => &body[NAME.len()..],
        _ => body,
    };
    let (expected, text) = match body.strip_prefix(['"', '\'']).zip(body.chars().next()) {
        Some((rest, quote)) => rest.split_once(quote)?,
        None => body.split_once(' ')?,
    };
    let text = text.trim();
    let text = text.strip_suffix(';').unwrap_or(text).trim_end();
    (!text.is_empty()).then(|| Question::Sql { text: text.to_owned(), expected: expected.to_owned() })
}

#[cfg(test)]
mod tests {
    use limosa_sql::Position;

    use super::*;

    fn read(lines: &[&str]) -> Result<String, String> {
        let mut preconditions = Preconditions::default();
        for line in lines {
            preconditions.line(line, &Label::place("a.sql", Position::START))?;
        }
        let Some(guard) = preconditions.guard() else { return Ok("nothing".to_owned()) };
        let asked: Vec<String> = guard.checks.iter().map(|check| check.question.words()).collect();
        let words = guard.words_on_no.iter().map(|words| format!(" ({words})")).collect::<String>();
        Ok(format!("{:?} {:?}{words}: {}", guard.on_no, guard.on_error, asked.join("; ")))
    }

    #[test]
    fn lines_become_questions() {
        for (lines, expected) in [
            (&["--preconditions onFail:HALT"][..], "nothing"),
            (
                &[
                    "--preconditions onFail:mark_ran onError:CONTINUE onFailMessage:\"not here\"",
                    "--precondition-sql-check expectedResult:0 SELECT COUNT(*) FROM t;",
                ],
                "Count Leave (not here): SELECT COUNT(*) FROM t gives '0'",
            ),
            (
                &[
                    "  -- precondition-sql-check expectedResult:\"a b\" select x\r\n",
                    "--precondition-table-exists table:t schema:app",
                    "--precondition-view-exists view:v",
                ],
                "Stop Stop: select x gives 'a b'; there is a table app.t; there is a view v",
            ),
            (
                &["--preconditions onFail:MARK_RAN,onError:WARN dbms:x", "--precondition-sql-check 1 select 1"],
                "Count Warn: select 1 gives '1'",
            ),
            (
                &["--preconditions: onFail:CONTINUE", "--precondition-sql-check 1 select 1"],
                "Leave Stop: select 1 gives '1'",
            ),
            (&["--preconditions onFail: WARN", "--precondition-sql-check 1 select 1"], "Stop Stop: select 1 gives '1'"),
            (
                &["--preconditions onFail:\"WARN\"", "--precondition-sql-check 1 select 1"],
                "Stop Stop: select 1 gives '1'",
            ),
            (&["--precondition-sql-check 1 select 1", "--preconditions onFail:WARN"], "nothing"),
            (&["--preconditions", "--precondition-sql-check 'x' select 'x'"], "Stop Stop: select 'x' gives 'x'"),
        ] {
            assert_eq!(read(lines).as_deref(), Ok(expected), "{lines:?}");
        }
        for (line, expected) in [
            ("--preconditions onFail:NEVER", "onFail may be"),
            ("--preconditions onError:nothing", "and not NOTHING"),
            ("--precondition-sql-check expectedResult:0", "no expectedResult and query"),
            ("--precondition-table-exists schema:x", "names no table"),
            ("--precondition-index-exists index:x", "'index-exists' is no precondition"),
        ] {
            assert!(read(&[line]).unwrap_err().contains(expected), "{line}");
        }
    }
}
