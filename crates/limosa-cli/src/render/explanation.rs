//! Codes, explained.

use std::fmt::Write;

use limosa::codes::Explanation;

/// A line longer than this is hard to read, however wide the terminal is.
const WIDEST: usize = 100;

/// What there is to say about each code.
pub(crate) fn page(codes: &[Explanation], width: usize) -> String {
    let width = width.min(WIDEST);
    let mut text = String::new();
    for found in codes {
        let _ = writeln!(text, "{}: {}", found.code, found.meaning);
        for (title, words) in [("Cause", found.cause), ("What to do", found.remedy)] {
            let _ = write!(text, "\n{title}:\n{}", indented(words, width));
        }
    }
    text
}

/// A line for each code, below the name of its group.
pub(crate) fn list(codes: &[Explanation]) -> String {
    let mut text = String::new();
    let mut group = "";
    for found in codes {
        if group != found.group {
            let gap = if group.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{}", found.group);
            group = found.group;
        }
        let _ = writeln!(text, "  {}  {}", found.code, found.meaning);
    }
    text
}

/// Words in lines of at most this width, two blanks before each.
fn indented(words: &str, width: usize) -> String {
    let mut text = String::new();
    let mut column = 0;
    for word in words.split_whitespace() {
        let length = word.chars().count();
        if column == 0 || column + 1 + length > width {
            text.push_str(if column == 0 { "  " } else { "\n  " });
            column = 2 + length;
        } else {
            text.push(' ');
            column += 1 + length;
        }
        text.push_str(word);
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUND: Explanation = Explanation {
        code: "LIM-X001",
        group: "Runs",
        meaning: "something is wrong",
        cause: "Somebody did it.",
        remedy: "Undo it, then run it once more.",
    };

    #[test]
    fn a_page_is_as_wide_as_it_may_be() {
        let expected = "LIM-X001: something is wrong\n\nCause:\n  Somebody did it.\n\nWhat to do:\n  Undo it, then run\n  it once more.\n";
        assert_eq!(page(&[FOUND], 20), expected);
    }

    #[test]
    fn a_list_names_each_group_once() {
        let codes = [FOUND, Explanation { group: "Files", ..FOUND }];
        let expected = "Runs\n  LIM-X001  something is wrong\n\nFiles\n  LIM-X001  something is wrong\n";
        assert_eq!(list(&codes), expected);
    }
}
