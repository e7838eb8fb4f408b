//! Questions to the person at the terminal.

use std::io::{self, BufRead, IsTerminal};

use limosa::{Choice, Diagnostic, Exit, Failure};

use crate::console::Console;
use crate::interrupt::Interrupt;
use crate::render::style::{harmless, harmless_lines};

/// Longest answer that is read.
const MOST: u64 = 4096;

/// Who can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Person {
    /// Somebody sits there.
    There,
    /// `--yes`: plain questions are answered already.
    SaidYes,
    /// Nobody: a script, a job.
    Nobody,
}

impl Person {
    /// True where plain questions are answered already.
    pub(crate) fn said_yes(self) -> bool {
        self == Person::SaidYes
    }

    /// Who can be asked in this process.
    pub(crate) fn of_process(yes: bool) -> Person {
        match (yes, io::stdin().is_terminal() && io::stderr().is_terminal()) {
            (true, _) => Person::SaidYes,
            (false, true) => Person::There,
            (false, false) => Person::Nobody,
        }
    }
}

/// Asks a plain question; `--yes` answers it without asking.
///
/// # Errors
/// Where nobody can be asked.
pub(crate) fn confirm(
    person: Person,
    console: &Console,
    interrupt: &Interrupt,
    question: &str,
) -> Result<bool, Failure> {
    match person {
        Person::SaidYes => Ok(true),
        Person::Nobody => Err(Failure::person(
            "LIM-U091",
            format!("a person must answer this: {question}"),
            "nobody can be asked here; to say yes: --yes",
        )),
        Person::There => {
            console.question(&format!("{question} [y/N]"));
            Ok(read_line(interrupt).is_some_and(|line| means_yes(&line)))
        }
    }
}

/// Asks for a text; None where nothing was typed.
pub(crate) fn text(console: &Console, interrupt: &Interrupt, question: &str) -> Option<String> {
    console.question(question);
    read_line(interrupt)
}

/// Asks which of several is meant, until the answer is one of them; None where nothing was typed. `what` names one of them in a word.
pub(crate) fn choice<'p>(
    console: &Console,
    interrupt: &Interrupt,
    problem: &'p Diagnostic,
    what: &str,
) -> Option<&'p Choice> {
    let widest = problem.choices.iter().map(|choice| choice.value.len()).max().unwrap_or_default();
    console.insist(&harmless_lines(&problem.message));
    for choice in &problem.choices {
        console.insist(&format!("  {:widest$}  {}", choice.value, harmless(&choice.text)));
    }
    loop {
        let typed = text(console, interrupt, &format!("which {what} is meant? Type its name:"))?;
        let chosen = problem.choices.iter().find(|choice| choice.value.eq_ignore_ascii_case(&typed));
        if chosen.is_some() {
            return chosen;
        }
        let names: Vec<&str> = problem.choices.iter().map(|choice| choice.value.as_str()).collect();
        console.insist(&format!("'{}' is none of them: {}", harmless(&typed), names.join(", ")));
    }
}

fn read_line(interrupt: &Interrupt) -> Option<String> {
    interrupt.asking(true);
    let mut line = String::new();
    let read = io::Read::take(io::stdin().lock(), MOST).read_line(&mut line);
    interrupt.asking(false);
    let line = line.trim();
    (read.is_ok() && !line.is_empty()).then(|| line.to_owned())
}

fn means_yes(line: &str) -> bool {
    matches!(line.to_ascii_lowercase().as_str(), "y" | "yes")
}

/// True where a failure asks for consent that names the database, and none was given.
fn asks_for_consent(failure: &Failure) -> bool {
    failure.exit == Exit::Person
        && failure.diagnostics.iter().all(|problem| matches!(problem.code, "LIM-P016" | "LIM-U004"))
}

/// Runs something that may need consent which names the database; where a person is there and gave none, asks for it once.
///
/// # Errors
/// Those of the work.
pub(crate) async fn with_consent<T>(
    person: Person,
    console: &Console,
    interrupt: &Interrupt,
    given: Option<&str>,
    work: impl AsyncFn(Option<&str>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let failure = match work(given).await {
        Err(failure) if given.is_none() && person == Person::There && asks_for_consent(&failure) => failure,
        other => return other,
    };
    failure.diagnostics.iter().for_each(|problem| console.problem(problem));
    let typed = text(console, interrupt, "to go on, type the name of the database:");
    match typed {
        Some(name) => work(Some(&name)).await,
        None => {
            Err(Failure::new(Exit::Person, Diagnostic::error("LIM-U092", "nothing was typed, so nothing was done")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::Manner;

    fn refusal() -> Failure {
        Failure::person("LIM-U004", "consent is needed", "name it")
    }

    #[test]
    fn only_refusals_for_want_of_consent_are_asked_about() {
        assert!(asks_for_consent(&refusal()));
        assert!(!asks_for_consent(&Failure::person("LIM-U003", "protected", "no")));
        assert!(!asks_for_consent(&Failure::usage("LIM-U004", "other", "no")));
        let mixed = Failure {
            exit: Exit::Person,
            diagnostics: [refusal().diagnostics, Failure::person("LIM-P001", "x", "y").diagnostics].concat(),
        };
        assert!(!asks_for_consent(&mixed));
    }

    #[test]
    fn answers() {
        for (line, yes) in [("y", true), ("YES", true), ("n", false), ("yep", false), ("", false)] {
            assert_eq!(means_yes(line), yes, "{line}");
        }
    }

    #[test]
    fn nobody_is_told_which_flag_says_yes() {
        let console = Console::new(Manner { quiet: true, ..Manner::default() });
        let interrupt = Interrupt::default();
        assert!(confirm(Person::SaidYes, &console, &interrupt, "go on?").unwrap());
        let failure = confirm(Person::Nobody, &console, &interrupt, "go on?").unwrap_err();
        assert_eq!(failure.exit, Exit::Person);
        assert!(failure.diagnostics[0].help.as_deref().unwrap().contains("--yes"));
    }

    #[tokio::test]
    async fn without_a_person_the_refusal_stands() {
        let console = Console::new(Manner { quiet: true, ..Manner::default() });
        for person in [Person::Nobody, Person::SaidYes] {
            let result =
                with_consent(person, &console, &Interrupt::default(), None, async |_| Err::<(), _>(refusal())).await;
            assert_eq!(result.unwrap_err().diagnostics[0].code, "LIM-U004");
        }
    }
}
