//! Colours by meaning, and text of others made harmless.

use anstyle::{AnsiColor, Style};

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// It went well.
    Good,
    /// It needs a look.
    Doubtful,
    /// It went wrong.
    Bad,
    /// It matters less.
    Faint,
    /// It matters more.
    Strong,
    /// As the rest.
    Plain,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Doubtful => AnsiColor::Yellow.on_default(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
            Tone::Faint => Style::new().dimmed(),
            Tone::Strong => Style::new().bold(),
            Tone::Plain => Style::new(),
        }
    }

    /// The text in this tone. The console takes the colours away where none are wanted.
    pub(crate) fn paint(self, text: &str) -> String {
        let style = self.style();
        format!("{style}{text}{style:#}")
    }
}

/// The text without colours.
pub(crate) fn bare(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// Text of a file or a server on one line, without the control characters that could steer a terminal: what stands on a line of its own is
/// limosa's.
pub(crate) fn harmless(text: &str) -> String {
    harmless_lines(text).replace('\n', "\\n")
}

/// The same, with the ends of its lines, for whoever puts something before each.
pub(crate) fn harmless_lines(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => safe.push(character),
            '\r' => {}
            // Marks that reorder what follows them make text look like other text.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => safe.extend(character.escape_unicode()),
            character if character.is_control() => safe.extend(character.escape_default()),
            character => safe.push(character),
        }
    }
    safe
}

/// The same on one line, at most so many characters.
pub(crate) fn short(text: &str, most: usize) -> String {
    let words = harmless_lines(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() <= most {
        return words;
    }
    words.chars().take(most.saturating_sub(3)).collect::<String>() + "..."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_sent() {
        for (text, expected) in [
            ("plain\ntext\there", "plain\ntext\there"),
            ("a\r\nb", "a\nb"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("a\u{7}b\0", "a\\u{7}b\\u{0}"),
            ("ab\u{202e}cd", "ab\\u{202e}cd"),
            ("größe 表", "größe 表"),
        ] {
            assert_eq!(harmless_lines(text), expected);
        }
        assert_eq!(harmless("x\r\ndone: 1 migration"), "x\\ndone: 1 migration");
    }

    #[test]
    fn short_is_one_line() {
        assert_eq!(short("select  1,\n  2", 80), "select 1, 2");
        assert_eq!(short("abcdefghij", 8), "abcde...");
    }

    #[test]
    fn paint_and_bare_are_inverse() {
        for tone in [Tone::Good, Tone::Doubtful, Tone::Bad, Tone::Faint, Tone::Strong, Tone::Plain] {
            assert_eq!(bare(&tone.paint("text")), "text");
        }
        assert_ne!(Tone::Bad.paint("text"), "text");
    }
}
