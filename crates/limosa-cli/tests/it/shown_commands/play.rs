//! Plays a document: writes its files, runs its commands, compares what they say.

use std::path::{Path, PathBuf};

use limosa_testkit::binary::Output;
use limosa_testkit::blocks::{Block, Part};
use limosa_testkit::documents::root;
use limosa_testkit::{Folder, Limosa, postgres};
use serde_json::Value;

use super::places::Places;
use super::wording::{calls, check, words};
use crate::LIMOSA;

/// Small commands that a document may use beside limosa.
const SMALL: [&str; 11] = ["cat", "cp", "echo", "git", "ls", "mkdir", "mv", "printf", "psql", "rm", "test"];

/// What the real tools have left, one dump for each page that shows it.
pub(super) const DATABASES: &str = "crates/limosa-cli/tests/it/shown_commands/databases";

/// The way to run limosa without installing it.
const FROM_SOURCE: &str = "cargo run -- ";

/// The folders of limosa, of psql, and of what the machine has.
fn programs() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(LIMOSA).parent().unwrap().to_owned()];
    let servers = postgres::versions().unwrap();
    folders.extend(servers.iter().filter_map(|version| version.program("psql")?.parent().map(Path::to_owned)));
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders
}

/// What a document has made so far.
struct Stage {
    folder: Folder,
    /// Where the shell stands, below the folder.
    below: PathBuf,
    variables: Vec<(String, String)>,
    places: Places,
    /// What the last shell block wrote; None where words came between.
    said: Option<String>,
}

impl Stage {
    fn new() -> Stage {
        let folder = Folder::new();
        // The examples of the repository, as someone sees them who stands at its root.
        std::os::unix::fs::symlink(root().join("examples").canonicalize().unwrap(), folder.join("examples")).unwrap();
        Stage { folder, below: PathBuf::new(), variables: Vec::new(), places: Places::default(), said: None }
    }

    fn run(&mut self, place: &str, line: &str, code: i32) -> Output {
        let line = line.strip_prefix(FROM_SOURCE).map_or_else(|| line.to_owned(), |rest| format!("limosa {rest}"));
        let line = self.places.real(&line);
        let line = self.places.named(&line);
        let first = line.split(' ').find(|word| !word.contains('=')).unwrap_or_default();
        assert!(first == "limosa" || SMALL.contains(&first), "{place}: '{line}' is nothing that this test runs");
        let path = std::env::join_paths(programs()).unwrap();
        let mut shell = Limosa::new("/bin/sh")
            .in_folder(&self.folder.path().join(&self.below))
            .env("PATH", path)
            .env("HOME", self.folder.path())
            .env("GIT_AUTHOR_NAME", "a reader")
            .env("GIT_AUTHOR_EMAIL", "reader@example.com")
            .env("GIT_COMMITTER_NAME", "a reader")
            .env("GIT_COMMITTER_EMAIL", "reader@example.com")
            .args(["-c", &line]);
        for (name, value) in &self.variables {
            shell = shell.env(name, value);
        }
        let output = shell.run().unwrap();
        assert_eq!(output.code, Some(code), "{place}: {line}\n{output}");
        output
    }

    fn shell(&mut self, place: &str, block: &Block) -> usize {
        let joined = block.text.replace("\\\n", " ");
        let lines: Vec<&str> =
            joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        let mut said = String::new();
        let mut dump = block.database.as_deref();
        for (number, line) in lines.iter().enumerate() {
            if let Some((name, value)) = line.strip_prefix("export ").and_then(|line| line.split_once('=')) {
                let value = self.places.real(value.trim_matches(['"', '\'']));
                self.variables.retain(|(known, _)| known != name);
                self.variables.push((name.to_owned(), value));
                continue;
            }
            if let Some(name) = dump.take() {
                self.fill(place, name);
            }
            if let Some(folder) = line.strip_prefix("cd ") {
                self.below.push(folder);
                continue;
            }
            let code = if number + 1 == lines.len() { block.exit } else { 0 };
            let output = self.run(place, line, code);
            said.push_str(&self.places.shown(&format!("{}{}", output.stdout, output.stderr)));
        }
        self.said = Some(said);
        lines.len()
    }

    /// Brings the database that limosa would speak to into the state of a dump.
    fn fill(&self, place: &str, name: &str) {
        let url = self.variables.iter().find(|(known, _)| known == "LIMOSA_DATABASE").map(|(_, url)| url);
        let url = url.unwrap_or_else(|| panic!("{place}: LIMOSA_DATABASE names no database for {name}"));
        let path = root().join(DATABASES).join(name);
        let dump =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{place}: {}: {error}", path.display()));
        self.places.fill(url, &dump);
    }

    fn block(&mut self, place: &str, block: &Block) -> usize {
        let before = self.said.take();
        let is_shell = block.language == "sh";
        if block.language == "yaml" {
            yaml(place, &block.text);
        }
        if let Some(name) = &block.file {
            let text = self.places.real(&block.text);
            self.folder.write(name, text);
        } else if block.not_run.is_some() {
            let joined = block.text.replace("\\\n", " ");
            for call in joined.lines().flat_map(calls) {
                check(place, &words(&call));
            }
        } else if is_shell {
            return self.shell(place, block);
        } else if let Some(said) = before.filter(|_| block.language == "text") {
            for line in block.text.lines().filter(|line| !line.trim().is_empty()) {
                assert!(said.lines().any(|found| is_like(line, found)), "{place}: nobody said '{line}'\n{said}");
            }
        }
        0
    }
}

/// Plays a document; gives the number of commands that were run.
///
/// # Panics
/// Something is not as the document says.
pub(super) fn document(name: &str, parts: &[Part]) -> usize {
    let mut stage = Stage::new();
    let mut ran = 0;
    for part in parts {
        match part {
            Part::Block(block) => ran += stage.block(&format!("{name}:{}", block.line), block),
            Part::NewFolder => stage = Stage::new(),
            Part::Words => stage.said = None,
        }
    }
    ran
}

/// A line of an output is what the document shows, `...` being anything.
fn is_like(shown: &str, found: &str) -> bool {
    let mut rest = found.trim();
    let shown = shown.trim();
    for (number, part) in shown.split("...").enumerate() {
        let part = part.trim();
        match rest.find(part) {
            Some(at) if number > 0 || at == 0 => rest = &rest[at + part.len()..],
            _ => return false,
        }
    }
    shown.ends_with("...") || rest.is_empty()
}

/// YAML can be read, and each call of limosa in it can be understood.
fn yaml(place: &str, text: &str) {
    for document in text.split("\n---\n") {
        let value: Value =
            serde_saphyr::from_str(document).unwrap_or_else(|error| panic!("{place}: {error}\n{document}"));
        walk(place, &value);
    }
}

fn walk(place: &str, value: &Value) {
    match value {
        Value::String(text) => text.lines().flat_map(calls).for_each(|call| check(place, &words(&call))),
        Value::Array(items) => items.iter().for_each(|item| walk(place, item)),
        Value::Object(fields) => {
            let list = |name: &str| -> Vec<String> {
                let items = fields.get(name).and_then(Value::as_array).into_iter().flatten();
                items.filter_map(Value::as_str).map(str::to_owned).collect()
            };
            let ours = fields.get("image").and_then(Value::as_str).is_some_and(|image| image.contains("limosa"));
            let called = [list("command"), list("args")].concat();
            let words = called.strip_prefix(&["limosa".to_owned()]).or_else(|| ours.then_some(called.as_slice()));
            if let Some(words) = words.filter(|words| !words.is_empty() && words[0] != "sh") {
                check(place, words);
            }
            fields.values().for_each(|value| walk(place, value));
        }
        _ => {}
    }
}

#[test]
fn three_dots_are_anything() {
    assert!(is_like("done: 1 migration applied in ...", "done: 1 migration applied in 3 ms"));
    assert!(is_like("  001 ... applied ... yes", "  001      users  applied  now   1 ms  yes"));
    assert!(!is_like("done: 1 migration", "done: 1 migration applied"));
    assert!(!is_like("1 migration ...", "done: 1 migration applied"));
}
