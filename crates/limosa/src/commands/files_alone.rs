//! `validate --files-only`: what is wrong with migration files, as far as they say it themselves. No database is asked.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use limosa_core::Change;
use limosa_formats::codes::{DEPENDENCY_CYCLE, DUPLICATE_IDENTITY};
use limosa_sql::{Diagnostic, Engine, Severity};

use crate::files::load;
use crate::report::{CheckLine, FindingsAnswer, SCHEMA_VERSION};
use crate::{Configuration, Exit, Failure, Migrator};

impl Migrator {
    /// What is wrong with the files: names and formats, headers, sections, settings beside them, statements that cannot be read,
    /// versions that two of them have, and dependencies. Where it is not known which engine they are for, what is wrong for each of
    /// the engines. Speaks with no database, and writes nothing.
    ///
    /// # Errors
    /// Where a folder or file cannot be read, or nobody can say which format the files have.
    pub async fn validate_files(&self) -> Result<FindingsAnswer, Failure> {
        self.look_at_files(self.configuration.directories.clone()).await
    }

    /// The same of some folders.
    pub(crate) async fn look_at_files(&self, folders: Vec<PathBuf>) -> Result<FindingsAnswer, Failure> {
        let configuration = self.configuration.clone();
        let engines = self.files_for.map_or_else(|| Engine::ALL.to_vec(), |engine| vec![engine]);
        let reading = move || look(&configuration, &folders, &engines);
        tokio::task::spawn_blocking(reading).await.map_err(|_| crate::commands::interrupted())?
    }
}

fn look(configuration: &Configuration, folders: &[PathBuf], engines: &[Engine]) -> Result<FindingsAnswer, Failure> {
    let (mut told, mut changes) = (Vec::with_capacity(engines.len()), 0);
    for &engine in engines {
        let loaded = load(configuration, folders, engine)?;
        changes = changes.max(loaded.changes.len());
        let refusals = loaded.changes.iter().flat_map(warned);
        told.push(loaded.diagnostics.iter().cloned().chain(refusals).collect());
    }
    let findings = certain(&told);
    let is_wrong = findings.iter().any(Diagnostic::is_error);
    Ok(FindingsAnswer {
        schema_version: SCHEMA_VERSION,
        command: "validate",
        exit_code: if is_wrong { Exit::No } else { Exit::Done }.into(),
        target: None,
        against: None,
        findings,
        checks: vec![CheckLine { name: "migrations read".to_owned(), result: "ok", seen: changes.to_string() }],
    })
}

/// Why a change cannot be run here; it may have run elsewhere.
pub(crate) fn warned(change: &Change) -> impl Iterator<Item = Diagnostic> {
    change.refusals.iter().map(|refusal| Diagnostic { severity: Severity::Warning, ..refusal.clone() })
}

/// What is wrong whichever engine the files are for: what was told for each of them, in its mildest form. Two files of one version, and
/// a circle, are wrong for the engine that has them, whatever others read.
fn certain(told: &[Vec<Diagnostic>]) -> Vec<Diagnostic> {
    let readings: Vec<HashMap<Place<'_>, &Diagnostic>> =
        told.iter().map(|told| told.iter().map(|problem| (place(problem), problem)).collect()).collect();
    let (mut seen, mut findings) = (HashSet::new(), Vec::new());
    for problem in told.iter().flatten() {
        let place = place(problem);
        let alike: Vec<&Diagnostic> = readings.iter().filter_map(|reading| reading.get(&place).copied()).collect();
        let is_certain = alike.len() == told.len() || [DUPLICATE_IDENTITY, DEPENDENCY_CYCLE].contains(&problem.code);
        if is_certain && seen.insert(place) {
            findings.extend(alike.into_iter().min_by_key(|found| found.severity).cloned());
        }
    }
    findings
}

/// What is told, in whatever words: its code, and the lines that it is of.
type Place<'d> = (&'static str, Vec<(&'d str, Option<u64>)>);

fn place(problem: &Diagnostic) -> Place<'_> {
    let labels = problem.labels.iter();
    (problem.code, labels.map(|label| (label.file.as_str(), label.position.map(|position| position.line))).collect())
}

#[cfg(test)]
mod tests {
    use limosa_sql::Label;

    use super::*;

    #[test]
    fn what_only_one_engine_says_is_left_out_but_for_two_of_one_version() {
        let at = |problem: Diagnostic, file: &str| problem.at(Label::file(file));
        let error = |code| Diagnostic::error(code, "wrong for this one");
        let warning = |code| Diagnostic::warning(code, "wrong for that one");
        let told = [
            vec![at(error("LIM-F001"), "a"), at(error("LIM-S001"), "b"), at(error("LIM-F002"), "c")],
            vec![at(warning("LIM-F001"), "a"), at(error("LIM-S001"), "c"), at(error(DUPLICATE_IDENTITY), "d")],
        ];
        let found: Vec<_> = certain(&told).into_iter().map(|one| (one.code, one.severity)).collect();
        assert_eq!(
            found,
            [("LIM-F001", limosa_sql::Severity::Warning), (DUPLICATE_IDENTITY, limosa_sql::Severity::Error)]
        );
        assert_eq!(certain(&told[..1]).len(), 3);
    }
}
