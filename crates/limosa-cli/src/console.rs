//! The one place that writes: answers to standard output, talk to standard error.

mod talk;

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressDrawTarget};
use limosa::Diagnostic;
use serde::Serialize;
use serde_json::{Value, json};

use self::talk::Talk;
use crate::render::{diagnostic_text, json_line, style};

/// The form of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Form {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

/// The form of talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Log {
    /// Lines for people.
    #[default]
    Text,
    /// JSON lines.
    Json,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How a console talks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// The form of answers.
    pub(crate) form: Form,
    /// The form of what goes to standard error.
    pub(crate) log: Log,
    /// Colours.
    pub(crate) color: Color,
    /// Only problems on standard error.
    pub(crate) quiet: bool,
    /// More on standard error.
    pub(crate) verbose: bool,
    /// True where the environment asks for no colours: `NO_COLOR`, or a terminal that has none.
    pub(crate) plain_asked: bool,
}

/// Writes answers and talk.
pub(crate) struct Console {
    manner: Manner,
    answer_color: bool,
    talk_color: bool,
    terminal: bool,
    talk: Talk,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Nobody reads standard output any more.
    closed: bool,
    /// Why an answer could not be written, where it is not that nobody reads it.
    failed: Option<String>,
    /// The line that moves at the foot of the terminal.
    bar: Option<ProgressBar>,
}

impl Console {
    /// A console for this process.
    pub(crate) fn new(manner: Manner) -> Console {
        let terminal = io::stderr().is_terminal();
        Console {
            manner,
            answer_color: colored(&manner, io::stdout().is_terminal()),
            talk_color: colored(&manner, terminal),
            terminal,
            talk: Talk::new(manner.log == Log::Json),
            state: Mutex::default(),
        }
    }

    /// True where answers are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.manner.form == Form::Json
    }

    /// The form of talk.
    pub(crate) fn log(&self) -> Log {
        self.manner.log
    }

    /// True where only problems are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.manner.quiet
    }

    /// True where more is to be said.
    pub(crate) fn is_verbose(&self) -> bool {
        self.manner.verbose
    }

    /// The width of the terminal that answers go to; None where they go elsewhere.
    pub(crate) fn answer_width(&self) -> Option<u16> {
        comfy_table::Table::new().width().map(usable)
    }

    /// Writes a part of the answer, as it stands.
    pub(crate) fn answer(&self, text: &str) {
        self.above_bar(|| {
            let text = if self.answer_color { text.to_owned() } else { style::bare(text) };
            self.write_answer(text.as_bytes());
        });
    }

    /// Writes bytes of the answer that are no text for people, such as a script.
    pub(crate) fn data(&self, bytes: &[u8]) {
        self.above_bar(|| self.write_answer(bytes));
    }

    /// Writes the answer as JSON.
    pub(crate) fn json<T: Serialize>(&self, answer: &T) {
        match serde_json::to_string_pretty(answer) {
            Ok(mut text) => {
                text.push('\n');
                self.data(text.as_bytes());
            }
            Err(error) => self.state().failed = Some(format!("it has no JSON form: {error}")),
        }
    }

    /// Says something that only people read; silent where quiet was asked for.
    pub(crate) fn say(&self, text: &str) {
        if !self.manner.quiet {
            self.tell(text, false);
        }
    }

    /// Says something whatever was asked for.
    pub(crate) fn insist(&self, text: &str) {
        self.tell(text, true);
    }

    fn tell(&self, text: &str, is_problem: bool) {
        match self.manner.log {
            Log::Text => self.above_bar(|| self.write_talk(text, "\n", is_problem)),
            Log::Json => self.write_record("message", &json!({"text": style::bare(text)}), is_problem),
        }
    }

    /// Writes a line of JSON to standard error: one event with its fields.
    pub(crate) fn record(&self, event: &str, fields: &Value) {
        self.write_record(event, fields, false);
    }

    fn write_record(&self, event: &str, fields: &Value, is_problem: bool) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let line = json_line::render(now, event, fields);
        self.talk.write(line.as_bytes(), is_problem);
    }

    /// Waits until what was said is written, but not for long: before the process ends.
    pub(crate) fn settle(&self) {
        self.talk.settle();
    }

    /// Shows a problem. Worth-knowing ones are left out where quiet was asked for.
    pub(crate) fn problem(&self, diagnostic: &Diagnostic) {
        if self.manner.quiet && !diagnostic.is_error() {
            return;
        }
        match self.manner.log {
            Log::Text => self.insist(&diagnostic_text::render(diagnostic)),
            Log::Json => self.write_record("problem", &json!(diagnostic), true),
        }
    }

    /// Asks a question; the answer is read by the caller.
    pub(crate) fn question(&self, text: &str) {
        match self.manner.log {
            Log::Text => {
                self.above_bar(|| self.write_talk(text, " ", true));
                self.settle();
            }
            Log::Json => self.write_record("question", &json!({"text": style::bare(text)}), true),
        }
    }

    /// True where a line moves at the foot of the terminal while a run goes on.
    pub(crate) fn has_bar(&self) -> bool {
        self.terminal && !self.manner.quiet && self.manner.log == Log::Text
    }

    /// A line at the foot of the terminal; None where there is no terminal, or no lines for people are wanted.
    pub(crate) fn bar(&self) -> Option<ProgressBar> {
        if !self.has_bar() {
            return None;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        self.state().bar = Some(bar.clone());
        Some(bar)
    }

    /// Why the answer could not be written; None where it was, or where nobody wanted to read it.
    pub(crate) fn failed(&self) -> Option<String> {
        self.state().failed.take()
    }

    fn above_bar(&self, write: impl FnOnce()) {
        let bar = self.state().bar.clone();
        match bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn write_answer(&self, bytes: &[u8]) {
        if self.state().closed {
            return;
        }
        // On a terminal both stand below each other.
        self.talk.settle();
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
        match written {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.state().closed = true,
            Err(error) => self.state().failed = Some(error.to_string()),
        }
    }

    fn write_talk(&self, text: &str, end: &str, is_problem: bool) {
        let text = if self.talk_color { format!("{text}{end}") } else { style::bare(text) + end };
        self.talk.write(text.as_bytes(), is_problem);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn colored(manner: &Manner, terminal: bool) -> bool {
    match manner.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && !manner.plain_asked,
    }
}

/// The width that is written for: a terminal that says 0 does not know it.
fn usable(width: u16) -> u16 {
    if width == 0 { 80 } else { width }
}

/// True where the environment asks for no colours (`NO_COLOR` as no-color.org says it, or `TERM=dumb`).
pub(crate) fn plain_asked(variable: impl Fn(&str) -> Option<String>) -> bool {
    variable("NO_COLOR").is_some_and(|value| !value.is_empty()) || variable("TERM").is_some_and(|term| term == "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_by_choice_terminal_and_environment() {
        for (color, plain_asked, terminal, expected) in [
            (Color::Auto, false, true, true),
            (Color::Auto, false, false, false),
            (Color::Auto, true, true, false),
            (Color::Always, true, false, true),
            (Color::Never, false, true, false),
        ] {
            let manner = Manner { color, plain_asked, ..Manner::default() };
            assert_eq!(colored(&manner, terminal), expected, "{color:?} {plain_asked} {terminal}");
        }
    }

    #[test]
    fn a_width_that_nobody_knows_is_eighty() {
        assert_eq!([0, 1, 80, 200].map(usable), [80, 1, 80, 200]);
    }

    #[test]
    fn no_color_must_have_a_value() {
        let given =
            |name: &'static str, value: &'static str| move |asked: &str| (asked == name).then(|| value.to_owned());
        assert!(plain_asked(given("NO_COLOR", "1")));
        assert!(!plain_asked(given("NO_COLOR", "")));
        assert!(plain_asked(given("TERM", "dumb")));
        assert!(!plain_asked(given("TERM", "xterm")));
    }
}
