//! A folder in memory, and what becomes of it.

use limosa_core::Change;
use limosa_formats::native::{ChangeSet, Config, FileFacts, FileReader, FileRole, assemble, classify};
use limosa_sql::{Diagnostic, Engine, Severity};

/// What became of a folder.
pub(crate) struct Outcome {
    pub(crate) set: ChangeSet,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Outcome {
    /// Each diagnostic on one line: code, kind, place, message, help.
    pub(crate) fn shown(&self) -> Vec<String> {
        self.diagnostics.iter().map(show).collect()
    }

    /// The only change.
    pub(crate) fn only(&self) -> &Change {
        assert_eq!(self.set.changes.len(), 1);
        &self.set.changes[0]
    }

    /// The files in the order in which they run.
    pub(crate) fn files(&self) -> Vec<&str> {
        self.set.changes.iter().map(|change| change.script.file.as_str()).collect()
    }
}

pub(crate) fn show(diagnostic: &Diagnostic) -> String {
    let kind = match diagnostic.severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let places: Vec<String> = diagnostic
        .labels
        .iter()
        .map(|label| match label.position {
            Some(position) => format!("{}:{}:{}", label.file, position.line, position.column),
            None => label.file.clone(),
        })
        .collect();
    let help = diagnostic.help.as_deref().unwrap_or("-");
    format!("{} {kind} [{}] {} / {help}", diagnostic.code, places.join(", "), diagnostic.message)
}

/// Reads one file in chunks of `chunk` bytes.
pub(crate) fn read_file(
    engine: Engine,
    path: &str,
    bytes: &[u8],
    chunk: usize,
    configs: &[Config],
) -> (Option<FileFacts>, Vec<Diagnostic>) {
    let mut reader = FileReader::new(engine, path, configs);
    for part in bytes.chunks(chunk.max(1)) {
        reader.feed(part);
    }
    reader.finish()
}

/// Reads a whole folder.
pub(crate) fn folder(engine: Engine, files: &[(&str, &str)]) -> Outcome {
    folder_in_chunks(engine, files, usize::MAX)
}

/// Reads a whole folder, each file in chunks.
pub(crate) fn folder_in_chunks(engine: Engine, files: &[(&str, &str)], chunk: usize) -> Outcome {
    let mut diagnostics = Vec::new();
    let mut configs = Vec::new();
    for (path, text) in files.iter().filter(|(path, _)| classify(path) == FileRole::Config) {
        let (config, problems) = Config::read(path, text.as_bytes());
        configs.extend(config);
        diagnostics.extend(problems);
    }
    let mut facts = Vec::new();
    for (path, text) in files {
        let (found, problems) = read_file(engine, path, text.as_bytes(), chunk, &configs);
        facts.extend(found);
        diagnostics.extend(problems);
    }
    let (set, problems) = assemble(facts, &configs, engine);
    diagnostics.extend(problems);
    Outcome { set, diagnostics }
}
