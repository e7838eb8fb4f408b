//! How to talk before the command line is understood: a usage error must come in the form that was asked for.

use std::ffi::OsString;

use crate::console::{Color, Form, Log, Manner, plain_asked};

/// What can be seen of the command line without understanding it.
#[derive(Debug, Clone)]
pub(crate) struct FirstLook {
    /// How to talk.
    pub(crate) manner: Manner,
    /// The first word that is no flag; empty where there is none.
    pub(crate) command: String,
}

impl FirstLook {
    /// Looks at the arguments behind the program's name, and at variables.
    pub(crate) fn at(arguments: &[OsString], variable: impl Fn(&str) -> Option<String>) -> FirstLook {
        let words: Vec<&str> =
            arguments.iter().filter_map(|word| word.to_str()).take_while(|word| *word != "--").collect();
        let value = |flag: &str, name: &str| {
            let given = words.iter().enumerate().rev().find_map(|(at, word)| match word.strip_prefix(flag) {
                Some("") => words.get(at + 1).copied(),
                Some(rest) => rest.strip_prefix('='),
                None => None,
            });
            given.map(str::to_owned).or_else(|| variable(name)).unwrap_or_default().to_ascii_lowercase()
        };
        let form = if value("--output", "LIMOSA_OUTPUT") == "json" { Form::Json } else { Form::Text };
        let log = if value("--log-format", "LIMOSA_LOG_FORMAT") == "json" { Log::Json } else { Log::Text };
        let color = match value("--color", "LIMOSA_COLOR").as_str() {
            "always" => Color::Always,
            "never" => Color::Never,
            _ => Color::Auto,
        };
        let command = words.iter().find(|word| !word.starts_with('-')).copied().unwrap_or_default().to_owned();
        let manner = Manner { form, log, color, plain_asked: plain_asked(variable), ..Manner::default() };
        FirstLook { manner, command }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, form: Form, color: Color) {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let look = FirstLook::at(&words, |name| (name == "LIMOSA_COLOR").then(|| "never".to_owned()));
        assert_eq!((look.manner.form, look.manner.color), (form, color), "{line}");
    }

    #[test]
    fn form_and_colour() {
        check("status", Form::Text, Color::Never);
        check("status --output json", Form::Json, Color::Never);
        check("status --output=JSON --color always", Form::Json, Color::Always);
        check("status --output json --output text", Form::Text, Color::Never);
        check("status --output", Form::Text, Color::Never);
        check("status -- --output json", Form::Text, Color::Never);
    }

    #[test]
    fn form_of_the_log() {
        for (line, expected) in [
            ("status", Log::Text),
            ("status --log-format json", Log::Json),
            ("--log-format=JSON status", Log::Json),
            ("status --log-format text", Log::Text),
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(FirstLook::at(&words, |_| None).manner.log, expected, "{line}");
        }
        let look = FirstLook::at(&[], |name| (name == "LIMOSA_LOG_FORMAT").then(|| "json".to_owned()));
        assert_eq!(look.manner.log, Log::Json);
    }
}
