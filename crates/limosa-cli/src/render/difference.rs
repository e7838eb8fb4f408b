//! What a file has in the place of what was recorded.

use limosa::RollbackDifference;

use super::style::{Tone, harmless};

/// Unchanged lines that are shown before and after the changed ones.
const AROUND: usize = 2;

/// The difference of one way back, with `-` for recorded lines and `+` for those of the file.
pub(crate) fn render(difference: &RollbackDifference) -> String {
    let identity = harmless(&difference.identity);
    let mut text = match &difference.recorded {
        Some(_) => format!("the way back of {identity}: recorded (-) and in the file (+)\n"),
        None => format!("the way back of {identity}: none was recorded, the file has one (+)\n"),
    };
    let recorded: Vec<&str> = difference.recorded.as_deref().unwrap_or_default().lines().collect();
    let file: Vec<&str> = difference.file.lines().collect();
    let head = recorded.iter().zip(&file).take_while(|(one, other)| one == other).count();
    let rest = recorded.len().min(file.len()) - head;
    let tail = recorded.iter().rev().zip(file.iter().rev()).take(rest).take_while(|(one, other)| one == other).count();
    let mut add = |sign: &str, lines: &[&str], tone: Tone| {
        for line in lines {
            let line = format!("{sign} {}", harmless(line));
            text.push_str("  ");
            text.push_str(&tone.paint(line.trim_end()));
            text.push('\n');
        }
    };
    add(" ", &file[head.saturating_sub(AROUND)..head], Tone::Faint);
    add("-", &recorded[head..recorded.len() - tail], Tone::Bad);
    add("+", &file[head..file.len() - tail], Tone::Good);
    let after = file.len() - tail;
    add(" ", &file[after..(after + AROUND).min(file.len())], Tone::Faint);
    text
}

#[cfg(test)]
mod tests {
    use super::super::style::bare;
    use super::*;

    fn check(recorded: Option<&str>, file: &str, expected: &[&str]) {
        let difference = RollbackDifference {
            identity: "7".to_owned(),
            recorded: recorded.map(str::to_owned),
            file: file.to_owned(),
        };
        let text = bare(&render(&difference));
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(lines, expected, "\n{text}");
    }

    #[test]
    fn only_what_differs_with_a_little_around_it() {
        check(
            Some("a\nb\nc\ndrop table x;\ne\nf\ng"),
            "a\nb\nc\ndrop table y;\ndrop table z;\ne\nf\ng",
            &["    b", "    c", "  - drop table x;", "  + drop table y;", "  + drop table z;", "    e", "    f"],
        );
        check(None, "drop table y;", &["  + drop table y;"]);
        check(Some("a\na"), "a", &["    a", "  - a"]);
        check(Some("a"), "a\na", &["    a", "  + a"]);
        check(Some("x"), "", &["  - x"]);
    }
}
