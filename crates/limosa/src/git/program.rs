//! The program `git`: started without a shell, with bounded answers.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use limosa_sql::Diagnostic;

use crate::settings::{ProgramFailure, answer_of};
use crate::{Exit, Failure};

/// No call takes longer; a partial clone may fetch what it lacks meanwhile.
const LIMIT: Duration = Duration::from_secs(120);

/// What a call may write at most. A tree of a million files has less.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// What is kept of its words.
const MOST_WORDS: u64 = 4096;

/// How a call ended.
pub(super) enum Ran {
    /// Well, with what it wrote.
    Well(Vec<u8>),
    /// With another code than 0, and these words.
    Badly(String),
}

/// Variables that lead git elsewhere than to the folder it is asked about; a hook of git's has them.
const LEADING: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
];

fn command(place: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(place).args(words);
    for variable in LEADING {
        command.env_remove(variable);
    }
    // Its words are told as they are; it must not ask, nor write.
    command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0");
    command
}

/// Runs git in a folder.
pub(super) fn run(place: &Path, words: &[&str]) -> Result<Ran, Failure> {
    let mut command = command(place, words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| not_started(&error))?;
    let said = words_of(&mut child);
    let answer = answer_of(&mut child, Instant::now() + LIMIT, MOST_BYTES);
    if answer.is_err() {
        // It may have ended already; either way nothing more is wanted of it.
        let _ = child.kill();
        let _ = child.wait();
    }
    let verb = words.first().copied().unwrap_or_default();
    match answer {
        Ok(bytes) => Ok(Ran::Well(bytes)),
        Err(ProgramFailure::Ended(_)) => Ok(Ran::Badly(said())),
        Err(ProgramFailure::TooSlow) => Err(refused(verb, "it did not end within two minutes")),
        Err(ProgramFailure::TooMuch) => Err(refused(verb, "it wrote more than 256 MiB")),
        Err(ProgramFailure::NotStarted(why) | ProgramFailure::Unreadable(why)) => Err(refused(verb, &why)),
    }
}

/// As [`run`], where an end with another code than 0 is a failure.
pub(super) fn run_well(place: &Path, words: &[&str]) -> Result<Vec<u8>, Failure> {
    match run(place, words)? {
        Ran::Well(bytes) => Ok(bytes),
        Ran::Badly(said) => Err(refused(words.first().copied().unwrap_or_default(), &said)),
    }
}

/// Starts git in a folder, to be spoken with.
pub(super) fn start(place: &Path, words: &[&str]) -> Result<Child, Failure> {
    let mut command = command(place, words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().map_err(|error| not_started(&error))
}

/// The first of what it says, read beside its answer so that it never waits for a reader.
fn words_of(child: &mut Child) -> impl FnOnce() -> String + use<> {
    let (sender, receiver) = mpsc::channel();
    if let Some(mut error) = child.stderr.take() {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = error.by_ref().take(MOST_WORDS).read_to_end(&mut bytes);
            let _ = sender.send(bytes);
            let _ = io::copy(&mut error, &mut io::sink());
        });
    }
    move || {
        let bytes = receiver.recv_timeout(Duration::from_secs(5)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).trim().to_owned()
    }
}

fn not_started(error: &io::Error) -> Failure {
    let (message, help) = match error.kind() {
        io::ErrorKind::NotFound => (
            "git is not here: no program of that name is on the PATH".to_owned(),
            "install git, or run this where it is; limosa reads branches with it",
        ),
        _ => (format!("git cannot be started: {error}"), "check the program 'git' on the PATH"),
    };
    Failure::new(Exit::Usage, Diagnostic::error("LIM-U130", message).help(help))
}

/// git said no.
pub(super) fn refused(verb: &str, said: &str) -> Failure {
    let line = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it does not say why");
    let line = line.trim_start_matches("fatal: ");
    let help = match said.contains("dubious ownership") {
        true => "the checkout belongs to another user: git config --global --add safe.directory FOLDER".to_owned(),
        false => format!("run 'git {verb}' there to see more"),
    };
    Failure::new(Exit::Usage, Diagnostic::error("LIM-U134", format!("git {verb} failed: {line}")).help(help))
}
