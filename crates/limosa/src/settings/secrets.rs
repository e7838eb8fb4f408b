//! References to secrets: `env:NAME`, `file:/path`, `cmd:program arguments`, and `${env:NAME}` inside an address.
//!
//! A reference says where the secret is, so that the secret itself stands in no file, no command line and no plan. A
//! program is run without a shell. `text:` in front of a value keeps it from being read as a reference.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use limosa_db::Secret;
use limosa_sql::Diagnostic;

use super::address;
use super::codes;
use super::world::{Outside, ProgramFailure};

/// How long the program of a `cmd:` reference may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Which secrets a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// All: references are followed, programs are run.
    Secrets,
    /// None, for commands that speak with no database: references stay what they are, and settings that would need them
    /// are not there.
    NoSecrets,
}

/// What references are followed with.
pub struct Follower<'a> {
    /// The variables of the process and of the env file.
    pub variables: &'a BTreeMap<String, String>,
    /// Files and programs.
    pub outside: &'a dyn Outside,
    /// The current folder, at which relative addresses begin.
    pub folder: &'a Path,
    /// Whether to follow them at all.
    pub need: Need,
}

/// A value behind a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Followed {
    /// The value; None where references are not followed.
    pub(super) value: Option<Secret>,
    /// The reference, as far as it may be shown; None for a value that stands for itself.
    pub(super) reference: Option<String>,
    /// An address that was put together, as it may be shown.
    pub(super) shown: Option<String>,
    /// What is worth knowing on the way.
    pub(super) warnings: Vec<Problem>,
}

/// Why a reference leads nowhere: to stand behind the name of the key. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) help: String,
}

impl Problem {
    fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Problem {
        Problem { code, message: message.into(), help: help.into() }
    }

    /// As a diagnostic about a key at a place.
    pub(super) fn diagnostic(&self, key: &str, place: &str) -> Diagnostic {
        let message = format!("`{key}`{place}: {}", self.message);
        let problem = match self.code {
            codes::READABLE_BY_ALL => Diagnostic::warning(self.code, message),
            _ => Diagnostic::error(self.code, message),
        };
        problem.help(self.help.clone())
    }
}

/// How a reference begins.
const PREFIXES: [&str; 3] = ["env:", "file:", "cmd:"];

/// True where a text would be read as a reference.
pub(super) fn is_reference(text: &str) -> bool {
    PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

impl Follower<'_> {
    /// The value of a secret or a placeholder: a reference, or a text that stands for itself.
    pub(super) fn secret(&self, text: &str, base: &Path) -> Result<Followed, Problem> {
        if !is_reference(text) {
            let plain = text.strip_prefix("text:").unwrap_or(text);
            return Ok(Followed {
                value: Some(Secret::new(plain)),
                reference: None,
                shown: None,
                warnings: Vec::new(),
            });
        }
        let mut warnings = Vec::new();
        let value = match self.need {
            Need::Secrets => Some(Secret::new(self.fetch(text, base, &mut warnings)?)),
            Need::NoSecrets => None,
        };
        Ok(Followed { value, reference: Some(address::redact(text)), shown: None, warnings })
    }

    /// The address of a database: a reference as a whole, or a text whose `${env:NAME}` parts are filled in, escaped
    /// by the rules of the address. Relative SQLite paths begin at `base`.
    pub(super) fn address(&self, text: &str, base: &Path) -> Result<Followed, Problem> {
        let text = text.trim();
        let mut followed = match is_reference(text) {
            true => self.secret(text, base)?,
            false => self.parts(text, base)?,
        };
        followed.value = match followed.value {
            Some(value) if value.expose().trim().is_empty() => {
                return Err(Problem::new(
                    codes::BROKEN_REFERENCE,
                    "the value is empty",
                    "give the address of a database",
                ));
            }
            Some(value) => Some(Secret::new(address::based(value.expose().trim(), base))),
            None => None,
        };
        Ok(followed)
    }

    fn parts(&self, text: &str, base: &Path) -> Result<Followed, Problem> {
        let mut filled = String::with_capacity(text.len());
        let mut masked = String::with_capacity(text.len());
        let mut names = Vec::new();
        let mut warnings = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let inside = &rest[start + 2..];
            if !is_reference(inside) {
                filled.push_str(&rest[..start + 2]);
                masked.push_str(&rest[..start + 2]);
                rest = inside;
                continue;
            }
            let Some(end) = inside.find('}') else {
                let help = "write ${env:NAME} with its closing brace";
                return Err(Problem::new(codes::BROKEN_REFERENCE, "a reference in the address is not closed", help));
            };
            filled.push_str(&rest[..start]);
            masked.push_str(&rest[..start]);
            // What was inserted is a secret wherever it stands, even as the name of a user.
            masked.push_str("***");
            let reference = &inside[..end];
            names.push(address::redact(reference));
            if self.need == Need::Secrets {
                let value = self.fetch(reference, base, &mut warnings)?;
                filled.push_str(&escaped(&value, text));
            }
            rest = &inside[end + 1..];
        }
        filled.push_str(rest);
        masked.push_str(rest);
        let complete = names.is_empty() || self.need == Need::Secrets;
        let reference = (!names.is_empty()).then(|| names.join(", "));
        let shown = reference.as_ref().map(|_| address::redact(&address::based(&masked, base)));
        Ok(Followed { value: complete.then(|| Secret::new(filled)), reference, shown, warnings })
    }

    fn fetch(&self, reference: &str, base: &Path, warnings: &mut Vec<Problem>) -> Result<String, Problem> {
        if let Some(name) = reference.strip_prefix("env:") {
            return self.variable(name);
        }
        if let Some(path) = reference.strip_prefix("file:") {
            return self.file(path, base, warnings);
        }
        self.command(reference.strip_prefix("cmd:").unwrap_or(reference))
    }

    fn variable(&self, name: &str) -> Result<String, Problem> {
        let help = format!("set {name}, or name another variable");
        match self.variables.get(name) {
            Some(value) if value.is_empty() => {
                Err(Problem::new(codes::BROKEN_REFERENCE, format!("the variable {name} is empty"), help))
            }
            Some(value) => Ok(value.clone()),
            None => Err(Problem::new(codes::BROKEN_REFERENCE, format!("the variable {name} is not set"), help)),
        }
    }

    fn file(&self, path: &str, base: &Path, warnings: &mut Vec<Problem>) -> Result<String, Problem> {
        let path = base.join(path);
        let shown = path.display();
        let broken = |message: String, help: &str| Problem::new(codes::BROKEN_REFERENCE, message, help);
        let bytes = self.outside.read(&path).map_err(|error| {
            broken(format!("the file {shown} cannot be read: {error}"), "make the file, or name another one")
        })?;
        let text = String::from_utf8(bytes)
            .map_err(|_| broken(format!("the file {shown} is not UTF-8"), "store the secret as text"))?;
        let text = without_line_end(&text);
        if text.is_empty() {
            return Err(broken(format!("the file {shown} is empty"), "store the secret in it"));
        }
        if self.outside.readable_by_all(&path) {
            let help = format!("chmod 600 {shown}");
            let message = format!("every user of this machine can read the secret in {shown}");
            warnings.push(Problem::new(codes::READABLE_BY_ALL, message, help));
        }
        Ok(text.to_owned())
    }

    /// Errors name the program only: an argument may be a secret.
    fn command(&self, line: &str) -> Result<String, Problem> {
        let words = words(line).ok_or_else(|| {
            let help = "close the quotes; the rules are those of a shell, but no shell runs";
            Problem::new(codes::BROKEN_REFERENCE, "the command has an open quote", help)
        })?;
        let Some((program, arguments)) = words.split_first() else {
            let help = "write cmd:program arguments";
            return Err(Problem::new(codes::BROKEN_REFERENCE, "the command is empty", help));
        };
        let failed = |what: String| {
            let help = format!("run {program} by hand to see what it says; its messages are not shown here");
            Problem::new(codes::COMMAND_FAILED, format!("the program {program} {what}"), help)
        };
        let bytes = self.outside.run(program, arguments, LIMIT).map_err(|failure| match failure {
            ProgramFailure::NotStarted(why) => failed(format!("could not be started: {why}")),
            ProgramFailure::Ended(Some(code)) => failed(format!("ended with code {code}")),
            ProgramFailure::Ended(None) => failed("was ended by a signal".to_owned()),
            ProgramFailure::TooSlow => failed(format!("did not end within {} seconds", LIMIT.as_secs())),
            ProgramFailure::TooMuch => failed("wrote more than 1 MiB".to_owned()),
            ProgramFailure::Unreadable(why) => failed(format!("could not be read: {why}")),
        })?;
        let text = String::from_utf8(bytes).map_err(|_| failed("wrote something that is not UTF-8".to_owned()))?;
        match without_line_end(&text) {
            "" => Err(failed("wrote nothing".to_owned())),
            text => Ok(text.to_owned()),
        }
    }
}

fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// A value as it must stand inside this address.
fn escaped(value: &str, whole: &str) -> String {
    let scheme = whole.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        // The path of a file keeps its slashes.
        Some("sqlite" | "sqlite3") => address::encoded(value, b"/"),
        _ if whole.contains("://") => address::encoded(value, b""),
        // libpq's key=value pairs know the backslash, inside of quotes and outside.
        _ => {
            let special = |c: char| c.is_whitespace() || c == '\'' || c == '\\';
            value.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
        }
    }
}

/// Splits a command into words: blanks separate, quotes hold together, a backslash takes the next character as it is,
/// nothing is expanded. None where a quote is not closed.
fn words(line: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match c {
            c if c.is_whitespace() => found.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        '"' => break,
                        '\\' => match characters.next()? {
                            c @ ('"' | '\\' | '$' | '`') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            c => word.get_or_insert_default().push(c),
        }
    }
    found.extend(word);
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_fall_into_words() {
        for (line, expected) in [
            ("vault read -field=x secret/db", Some(vec!["vault", "read", "-field=x", "secret/db"])),
            ("  a  'b c'  \"d e\" ", Some(vec!["a", "b c", "d e"])),
            (r#"a"b"'c'\ d"#, Some(vec!["abc d"])),
            (r#"a "x\"y\n" 'x\y'"#, Some(vec!["a", "x\"y\\n", "x\\y"])),
            ("a ''", Some(vec!["a", ""])),
            ("a $HOME | b; c", Some(vec!["a", "$HOME", "|", "b;", "c"])),
            ("", Some(vec![])),
            ("a 'b", None),
            ("a \"b", None),
            ("a \\", None),
        ] {
            let expected = expected.map(|words| words.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(words(line), expected, "{line}");
        }
    }

    #[test]
    fn inserted_values_are_escaped_for_their_address() {
        for (value, whole, expected) in [
            ("p@s/s", "postgres://u:${env:X}@h/d", "p%40s%2Fs"),
            ("p s'\\", "host=h password=${env:X}", "p\\ s\\'\\\\"),
            ("/a b/c?", "sqlite:${env:X}", "/a%20b/c%3F"),
        ] {
            assert_eq!(escaped(value, whole), expected);
        }
    }
}
