//! Commands that are not run: they are understood all the same.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use limosa_testkit::Limosa;

use crate::LIMOSA;

/// The command lines of limosa in a line of a shell; what follows a pipe or a redirection is not theirs.
pub(super) fn calls(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find("limosa ") {
        let before = rest[..at].trim_end();
        let last = before.split_whitespace().next_back().unwrap_or_default();
        let begins =
            last.is_empty() || last.ends_with([';', '&', '|', '(', '"', '=']) || last == "exec" || last.contains('=');
        let begins = begins && !rest[..at].ends_with(['/', '-', '_', '.']);
        rest = &rest[at + "limosa ".len()..];
        let first = rest.chars().next().unwrap_or(' ');
        if begins && (first.is_ascii_lowercase() || first == '-') {
            found.push(rest.split(['|', '>', ';', '&', '#']).next().unwrap_or_default().trim().to_owned());
        }
    }
    found
}

/// The words of a call, as a shell divides them; a variable has some value.
pub(super) fn words(call: &str) -> Vec<String> {
    let parts = call.split('"').enumerate();
    let words = parts.flat_map(|(number, part)| match number % 2 {
        1 => vec![part.to_owned()],
        _ => part.split_whitespace().map(str::to_owned).collect(),
    });
    words.map(|word| if word.starts_with('$') { "1".to_owned() } else { word }).collect()
}

/// The command and its flags exist, and its values are understood: with `--help` at its end it is read and not run.
///
/// # Panics
/// They do not.
pub(super) fn check(place: &str, words: &[String]) {
    let output = Limosa::new(LIMOSA).args(words).arg("--help").run().unwrap();
    assert_eq!(output.code, Some(0), "{place}: limosa {}\n{output}", words.join(" "));
}

/// What is wrong with a command that a sentence names, with words such as VERSION in place of values.
pub(super) fn problem(span: &str) -> Option<String> {
    static HELP: Mutex<BTreeMap<String, Option<String>>> = Mutex::new(BTreeMap::new());
    let rest = span.strip_prefix("limosa ")?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let name = *words.first()?;
    if name.starts_with('-') || name == "help" {
        return None;
    }
    let mut known = HELP.lock().unwrap_or_else(PoisonError::into_inner);
    let help = known.entry(name.to_owned()).or_insert_with(|| {
        let output = Limosa::new(LIMOSA).args([name, "--help"]).run().unwrap();
        (output.code == Some(0)).then_some(output.stdout)
    });
    let Some(help) = help else { return Some(format!("`{span}`: there is no command {name}")) };
    let flags = words.iter().filter(|word| word.starts_with("--")).map(|word| word.split('=').next().unwrap_or(word));
    let unknown = flags.filter(|flag| !help.contains(*flag)).collect::<Vec<_>>();
    (!unknown.is_empty()).then(|| format!("`{span}`: {name} has no {}", unknown.join(", ")))
}

#[test]
fn calls_are_found_within_a_line() {
    assert_eq!(calls("exec limosa migrate --yes && limosa status | cat"), ["migrate --yes", "status"]);
    assert_eq!(calls("docker run registry/limosa:1 x; LIMOSA_YES=1 limosa plan > a.sql"), ["plan"]);
    assert_eq!(words("new \"create users\" --dir $DIR"), ["new", "create users", "--dir", "1"]);
    assert!(problem("limosa migrate --bogus").is_some() && problem("limosa lint").is_some());
    assert_eq!(problem("limosa repair --mark-done MIGRATION:NUMBER"), None);
}
