//! A world of values for the tests of settings.

mod canary;
mod databases;
mod errors;
mod flyway;
mod loading;
mod machine;
mod precedence;
mod references;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use super::*;
use limosa_sql::Diagnostic;

/// Files and programs that are only values.
#[derive(Default)]
struct Fake {
    files: BTreeMap<PathBuf, Vec<u8>>,
    readable_by_all: BTreeSet<PathBuf>,
    programs: BTreeMap<String, Result<Vec<u8>, ProgramFailure>>,
    /// Command lines that were run, word by word.
    ran: Mutex<Vec<Vec<String>>>,
}

impl Outside for Fake {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files.get(path).cloned().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such file"))
    }

    fn exists(&self, path: &Path) -> bool {
        self.files.keys().any(|file| file.starts_with(path))
    }

    fn readable_by_all(&self, path: &Path) -> bool {
        self.readable_by_all.contains(path)
    }

    fn run(&self, program: &str, arguments: &[String], _limit: Duration) -> Result<Vec<u8>, ProgramFailure> {
        let words = std::iter::once(program.to_owned()).chain(arguments.iter().cloned()).collect();
        self.ran.lock().unwrap().push(words);
        self.programs
            .get(program)
            .cloned()
            .unwrap_or_else(|| Err(ProgramFailure::NotStarted("no such program".to_owned())))
    }
}

/// What a test gives.
#[derive(Default)]
struct Case {
    outside: Fake,
    variables: BTreeMap<String, String>,
    flags: Vec<(String, String)>,
}

/// The folder in which the tests of loading are.
const HERE: &str = "/home/me/shop";

fn case() -> Case {
    Case::default()
}

impl Case {
    /// The configuration file of the current folder.
    fn toml(self, text: &str) -> Case {
        self.file("/home/me/shop/limosa.toml", text)
    }

    fn file(mut self, path: &str, text: &str) -> Case {
        self.outside.files.insert(PathBuf::from(path), text.as_bytes().to_vec());
        self
    }

    fn program(mut self, name: &str, answer: Result<&str, ProgramFailure>) -> Case {
        self.outside.programs.insert(name.to_owned(), answer.map(|text| text.as_bytes().to_vec()));
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Case {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A flag by the name of its key.
    fn flag(mut self, key: &str, value: &str) -> Case {
        assert!(keys::find(key).is_some_and(|key| key.flag.is_some()), "{key} has no flag");
        self.flags.push((key.to_owned(), value.to_owned()));
        self
    }

    fn load(&self) -> Result<Loaded, Vec<Diagnostic>> {
        self.load_in(HERE, Need::Secrets)
    }

    fn load_in(&self, folder: &str, need: Need) -> Result<Loaded, Vec<Diagnostic>> {
        let environment = self.variables.clone();
        let world = World { current_directory: PathBuf::from(folder), environment, outside: &self.outside };
        let flags = Layer::flags(|key| {
            self.flags.iter().filter(|(name, _)| name == key.name).map(|(_, value)| value.clone()).collect()
        });
        load(&world, flags, need)
    }

    fn loaded(&self) -> Loaded {
        self.load().unwrap_or_else(|problems| panic!("{problems:#?}"))
    }

    /// The only error.
    fn error(&self) -> Diagnostic {
        let problems = self.load().expect_err("no error");
        let errors: Vec<_> = problems.iter().filter(|problem| problem.is_error()).collect();
        assert_eq!(errors.len(), 1, "{problems:#?}");
        errors[0].clone()
    }
}

/// Where the value of a key came from.
fn origin(loaded: &Loaded, key: &str) -> String {
    loaded.provenance.of(key).map_or("nobody".to_owned(), |source| source.origin.to_string())
}

/// Code, place, marked text, message and help, as one line.
fn told(problem: &Diagnostic) -> String {
    let place = problem.labels.first().map_or(String::new(), |label| {
        let position = label.position.map_or(String::new(), |at| format!(":{}:{}", at.line, at.column));
        let line = label.line_text.as_ref().map_or(String::new(), |line| format!(" [{line}|{}]", label.length));
        format!(" {}{position}{line}", label.file)
    });
    format!("{}{place} {}; {}", problem.code, problem.message, problem.help.as_deref().unwrap_or(""))
}
