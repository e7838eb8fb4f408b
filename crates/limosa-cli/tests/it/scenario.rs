//! Scenarios: each file in `scenarios/` is a story of files and commands, with what each command answers.
//!
//! ```text
//! ## prose
//! == migrations/001_users.sql      a file, up to the next line that begins with ==, $ or ##
//! create table users (id integer);
//! $ limosa status                  a command in the story's own folder, and below it what it must answer
//! exit code 0
//! ...
//! ```
//!
//! Besides `limosa` there are `cat FILE`, `rm FILE`, `ls`; `NAME=value` before a command sets a variable. With
//! `UPDATE_SCENARIOS=1` the answers are written into the files instead of compared.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use limosa_testkit::{Filters, Folder, Limosa};

/// A part of a story, as written.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Prose(String),
    File { line: String, name: String, text: String },
    Command { line: String, answer: String },
}

fn parse(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("== ") {
            parts.push(Part::File { line: line.to_owned(), name: name.trim().to_owned(), text: String::new() });
        } else if line.starts_with("$ ") {
            parts.push(Part::Command { line: line.to_owned(), answer: String::new() });
        } else if line.starts_with("## ") || parts.is_empty() {
            parts.push(Part::Prose(format!("{line}\n")));
        } else if let Some(Part::Prose(text) | Part::File { text, .. } | Part::Command { answer: text, .. }) =
            parts.last_mut()
        {
            text.push_str(line);
            text.push('\n');
        }
    }
    parts
}

/// Splits at blanks outside of quotes.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut any) = (Vec::new(), String::new(), None, false);
    for character in line.chars() {
        match (quote, character) {
            (None, '"' | '\'') => (quote, any) = (Some(character), true),
            (Some(open), character) if open == character => quote = None,
            (None, character) if character.is_whitespace() => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            (_, character) => {
                word.push(character);
                any = true;
            }
        }
    }
    if any {
        words.push(word);
    }
    words
}

fn filters(folder: &Folder) -> Filters {
    Filters::new()
        .folder(folder)
        .rule(r"SQLite \d+\.\d+\.\d+", "SQLite [version]")
        .and_then(|filters| filters.rule(r"(server_version.: ?.)\d+\.\d+\.\d+", "$1[version]"))
        .and_then(|filters| filters.rule(r#"((elapsed|execution)_ms"?: )\d+"#, "$1[n]"))
        .and_then(|filters| filters.rule(r" +\d+(\.\d+)? (ms|s)\b", " [duration]"))
        .and_then(|filters| filters.rule(r#"("(elapsed|waited|pause)_ms":)\d+"#, "$1[n]"))
        .and_then(|filters| filters.rule(r"(_seconds\{.*\}) [0-9.e-]+", "$1 [n]"))
        .and_then(|filters| filters.rule(r"limosa \d+\.\d+\.\d+", "limosa [version]"))
        .and_then(|filters| filters.rule(r"([/-])\d{14}([_.])", "${1}[stamp]$2"))
        .and_then(|filters| filters.rule(r"sha256:[0-9a-f]{12}\b", "[hash]"))
        .and_then(|filters| filters.rule(r", \d+ bytes", ", [n] bytes"))
        .unwrap()
}

fn answer(folder: &Folder, line: &str) -> String {
    let mut words = words(line.trim_start_matches("$ ")).into_iter().peekable();
    let mut variables = BTreeMap::new();
    while let Some((name, value)) = words
        .peek()
        .and_then(|word| word.split_once('='))
        .filter(|(name, _)| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
    {
        variables.insert(name.to_owned(), value.to_owned());
        words.next();
    }
    let program = words.next().unwrap_or_default();
    let arguments: Vec<String> = words.collect();
    let text = match program.as_str() {
        "limosa" => {
            let mut limosa = Limosa::new(super::LIMOSA).in_folder(folder.path()).env("LIMOSA_ACTOR", "tester");
            for (name, value) in &variables {
                limosa = limosa.env(name, value);
            }
            limosa.args(arguments).run().unwrap().to_string()
        }
        "cat" => folder.read(&arguments[0]),
        "rm" => {
            folder.remove(&arguments[0]);
            String::new()
        }
        "ls" => folder.files().iter().map(|name| format!("{name}\n")).collect(),
        other => panic!("a story cannot run {other}"),
    };
    filters(folder).apply(&text)
}

/// Plays a story; gives it with the answers that were given.
fn play(text: &str) -> String {
    let folder = Folder::new();
    let mut told = String::new();
    for part in parse(text) {
        match part {
            Part::Prose(text) => told.push_str(&text),
            Part::File { line, name, text } => {
                folder.write(&name, text.trim_end_matches('\n').to_owned() + "\n");
                told.push_str(&format!("{line}\n{text}"));
            }
            Part::Command { line, .. } => {
                told.push_str(&format!("{line}\n{}\n", answer(&folder, &line)));
            }
        }
    }
    told
}

fn stories() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/scenarios");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The first line in which two texts differ, with those before it.
fn difference(expected: &str, found: &str) -> String {
    let (expected, found): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let at = expected.iter().zip(&found).take_while(|(one, other)| one == other).count();
    let from = at.saturating_sub(12);
    let show = |lines: &[&str]| lines.iter().skip(from).take(30).map(|line| format!("  {line}\n")).collect::<String>();
    format!("differs at line {}\nexpected\n{}found\n{}", at + 1, show(&expected), show(&found))
}

#[test]
fn every_story_is_told_as_written() {
    let update = std::env::var_os("UPDATE_SCENARIOS").is_some();
    let stories = stories();
    assert!(stories.len() > 10, "the stories are gone");
    let mut wrong = Vec::new();
    for file in stories {
        let written = fs::read_to_string(&file).unwrap();
        let told = play(&written);
        if told == written {
            continue;
        }
        if update {
            fs::write(&file, told).unwrap();
        } else {
            wrong.push(format!("{}: {}", file.display(), difference(&written, &told)));
        }
    }
    assert!(wrong.is_empty(), "{}\nif that is right: UPDATE_SCENARIOS=1 cargo test -p limosa-cli", wrong.join("\n"));
}

#[test]
fn every_command_has_a_story() {
    let all: String = stories().iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let help = Limosa::new(super::LIMOSA).arg("--help").run().unwrap().assert_code(0).stdout;
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    for line in commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
        let command = line.split_whitespace().next().unwrap();
        assert!(command == "help" || all.contains(&format!("limosa {command}")), "no story runs limosa {command}");
    }
}

#[test]
fn stories_are_read_as_they_are_written() {
    let text = "## a story\n\n== a/b.sql\nselect 1;\n$ X=1 limosa new \"a b\"\nexit code 0\n";
    let parts = parse(text);
    assert_eq!(parts.len(), 3);
    assert_eq!(words("new \"a b\" c ''"), ["new", "a b", "c", ""]);
    assert!(matches!(&parts[1], Part::File { name, text, .. } if name == "a/b.sql" && text == "select 1;\n"));
    assert!(matches!(&parts[2], Part::Command { answer, .. } if answer == "exit code 0\n"));
}
