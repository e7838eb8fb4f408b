//! The migrations of one branch beside those of another one, in real repositories.

mod finding;
mod lists;
mod renumbering;
mod repositories;

use std::path::PathBuf;

use limosa::report::FindingsAnswer;
use limosa::{Configuration, Failure, Migrator};
use limosa_testkit::Repository;

/// A migrator of the folder `migrations` of a checkout, without a database.
pub(crate) fn configuration(repository: &Repository) -> Configuration {
    Configuration { directories: vec![repository.folder().join("migrations")], ..Configuration::new("") }
}

/// `main` and a branch, `work`, which is checked out: what both had, what `main` has added, and what `work` has.
pub(crate) fn parted(both: &[(&str, &str)], main: &[(&str, &str)], work: &[(&str, &str)]) -> Repository {
    let repository = Repository::new();
    repository.commit(both);
    repository.git(&["branch", "work"]);
    repository.commit(main);
    repository.git(&["checkout", "--quiet", "work"]);
    repository.commit(work);
    repository
}

pub(crate) async fn against(repository: &Repository, reference: &str) -> Result<FindingsAnswer, Failure> {
    Migrator::new(configuration(repository)).validate_against(reference).await
}

/// Exit code and findings: code, severity's first letter, message; without the folder of the test.
pub(crate) fn said(repository: &Repository, answer: &FindingsAnswer) -> String {
    let folder = format!("{}/migrations/", repository.folder().path().display());
    let lines = answer.findings.iter().map(|finding| {
        let place = finding.labels.first().map_or("", |label| label.file.as_str());
        assert!(finding.help.is_some() && !place.is_empty(), "{finding:?}");
        let severity = format!("{:?}", finding.severity);
        format!("{} {} {}", finding.code, &severity[..1], finding.message)
    });
    let text = std::iter::once(answer.exit_code.to_string()).chain(lines).collect::<Vec<_>>().join("\n");
    text.replace(&folder, "")
}

/// The files below `migrations`.
pub(crate) fn names(repository: &Repository) -> Vec<String> {
    let files = repository.folder().files().into_iter();
    files.filter_map(|name| name.strip_prefix("migrations/").map(str::to_owned)).collect()
}

pub(crate) fn path(repository: &Repository, name: &str) -> PathBuf {
    repository.folder().join("migrations").join(name)
}
