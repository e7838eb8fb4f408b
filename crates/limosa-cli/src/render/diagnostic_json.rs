//! Diagnostics as JSON: what a command answers that could not do its work.

use limosa::Diagnostic;
use limosa::report::SCHEMA_VERSION;
use serde::Serialize;

/// The answer of a command that failed before it had one.
#[derive(Debug, Serialize)]
pub(crate) struct FailureAnswer<'a> {
    schema_version: u32,
    command: &'a str,
    exit_code: u8,
    /// The first problem; the same field holds it where a run was begun.
    error: Option<&'a Diagnostic>,
    /// All problems, the first included.
    diagnostics: &'a [Diagnostic],
}

/// The answer for these problems.
pub(crate) fn answer<'a>(command: &'a str, exit_code: u8, diagnostics: &'a [Diagnostic]) -> FailureAnswer<'a> {
    FailureAnswer { schema_version: SCHEMA_VERSION, command, exit_code, error: diagnostics.first(), diagnostics }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_problem_is_the_error() {
        let problems = [Diagnostic::error("LIM-X001", "one").help("do"), Diagnostic::error("LIM-X002", "two")];
        let json = serde_json::to_value(answer("migrate", 2, &problems)).unwrap();
        assert_eq!(json["schema_version"], 1);
        assert_eq!(json["exit_code"], 2);
        assert_eq!(json["error"]["code"], "LIM-X001");
        assert_eq!(json["diagnostics"][1]["message"], "two");
    }
}
