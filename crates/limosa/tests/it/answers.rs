//! Answers as short texts, and the calls that most tests make.

use limosa::report::{DoneAnswer, FindingsAnswer, RunAnswer, StatusAnswer};
use limosa::{
    Configuration, Diagnostic, Failure, MigrateOptions, Migrator, Progress, Repair, RollbackOptions, Selection,
    StatusOptions, Stop, Version,
};

use crate::place::Home;

/// Hears nothing.
pub(crate) fn quiet(_: Progress) {}

pub(crate) fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

pub(crate) fn id(text: &str) -> limosa::Identity {
    limosa::Identity::new(text)
}

pub(crate) fn to(text: &str) -> MigrateOptions {
    MigrateOptions { to: Some(version(text)), ..MigrateOptions::default() }
}

/// Up to the change of this name, where tools know their changes by names.
pub(crate) fn to_name(name: &str) -> MigrateOptions {
    MigrateOptions { to: Some(Version::of_name(name)), ..MigrateOptions::default() }
}

pub(crate) fn steps(count: usize) -> MigrateOptions {
    MigrateOptions { steps: Some(count), ..MigrateOptions::default() }
}

/// Code, message and help of each.
pub(crate) fn words<'d>(diagnostics: impl IntoIterator<Item = &'d Diagnostic>) -> String {
    diagnostics
        .into_iter()
        .map(|it| {
            let labels: Vec<String> = it
                .labels
                .iter()
                .map(|label| {
                    let place = label.position.map(|at| format!(":{}:{}", at.line, at.column)).unwrap_or_default();
                    format!("{}{place}", short(&label.file))
                })
                .collect();
            format!("{} {}\n[{}]\n{}\n", it.code, it.message, labels.join(", "), it.help.as_deref().unwrap_or_default())
        })
        .collect()
}

/// A path without its folders; other origins as they are.
fn short(file: &str) -> &str {
    match file.contains(' ') {
        true => file,
        false => file.rsplit('/').next().unwrap_or_default(),
    }
}

/// The exit code and everything that was said to be wrong.
pub(crate) fn said(result: &Result<RunAnswer, Failure>) -> (u8, String) {
    match result {
        Ok(answer) => (answer.exit_code, words(answer.error.iter().chain(&answer.notices))),
        Err(failure) => refused(failure),
    }
}

pub(crate) fn refused(failure: &Failure) -> (u8, String) {
    (failure.exit.into(), words(&failure.diagnostics))
}

/// The answer of a run that must have ended well.
#[track_caller]
pub(crate) fn done(result: Result<RunAnswer, Failure>) -> RunAnswer {
    let (exit, text) = said(&result);
    assert_eq!(exit, 0, "{text}");
    result.unwrap()
}

/// Checks the exit code, the words, and gives the whole text.
#[track_caller]
pub(crate) fn failed(result: &Result<RunAnswer, Failure>, exit: u8, wanted: &[&str]) -> String {
    let (found, text) = said(result);
    check(found, exit, &text, wanted);
    text
}

/// As [`failed`], for commands of other answers.
#[track_caller]
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, Failure>, exit: u8, wanted: &[&str]) -> String {
    let (found, text) = refused(&result.unwrap_err());
    check(found, exit, &text, wanted);
    text
}

#[track_caller]
fn check(found: u8, exit: u8, text: &str, wanted: &[&str]) {
    assert_eq!(found, exit, "{text}");
    for words in wanted {
        assert!(text.contains(words), "'{words}' is not in: {text}");
    }
}

/// Labels of the steps that are done.
pub(crate) fn labels(answer: &RunAnswer) -> Vec<&str> {
    answer.steps.iter().filter(|step| step.state == "done").map(|step| step.version.as_str()).collect()
}

/// `identity state` of each change.
pub(crate) fn states(answer: &StatusAnswer) -> Vec<String> {
    answer.changes.iter().map(|change| format!("{} {}", change.identity, change.state.title())).collect()
}

pub(crate) fn findings(answer: &FindingsAnswer) -> String {
    words(&answer.findings)
}

impl Home {
    /// A migrator whose configuration is a little different.
    pub(crate) fn with(&self, edit: impl FnOnce(&mut Configuration)) -> Migrator {
        let mut configuration = self.configuration();
        edit(&mut configuration);
        Migrator::new(configuration)
    }

    /// `identity state` of each change.
    pub(crate) async fn states(&self) -> Vec<String> {
        states(&self.migrator().status(StatusOptions::default()).await.unwrap())
    }

    pub(crate) async fn repair(&self, repair: Repair) -> Result<DoneAnswer, Failure> {
        self.migrator().repair(&repair, false, &quiet, Stop::new()).await
    }

    /// Without consent.
    pub(crate) async fn back(&self, selection: Selection) -> Result<RunAnswer, Failure> {
        back(&self.migrator(), selection, None).await
    }

    /// One number.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        self.rows(sql)[0].parse().unwrap()
    }
}

pub(crate) async fn migrate(migrator: &Migrator) -> Result<RunAnswer, Failure> {
    migrator.migrate(&MigrateOptions::default(), &quiet, Stop::new()).await
}

pub(crate) async fn back(
    migrator: &Migrator,
    selection: Selection,
    consent: Option<&str>,
) -> Result<RunAnswer, Failure> {
    let options = RollbackOptions { selection, use_file: false, consent: consent.map(str::to_owned), backup: false };
    migrator.rollback(&options, &quiet, Stop::new()).await
}

/// This very program, even where a newer one has taken its place on the disk.
pub(crate) fn this_program() -> std::path::PathBuf {
    let linux = std::path::PathBuf::from("/proc/self/exe");
    if linux.exists() { linux } else { std::env::current_exe().unwrap() }
}
