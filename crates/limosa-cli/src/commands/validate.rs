//! `limosa validate`.

use clap::Args;
use limosa::Failure;
use limosa::report::FindingsAnswer;
use limosa::settings::Need;

use crate::call::{Call, or_files_only};
use crate::render::findings;

/// Check that files and ledger agree; writes nothing.
///
/// Exits with code 1 where a file was changed, is gone, comes late, or was interrupted.
///
/// With --against the files of this checkout are compared with those of another branch, which git must know: versions that both
/// have added, files that would come late there, and files of that branch that were changed here. That needs no database; where
/// one is named, it is looked at as well.
///
/// With --files-only the files are read and no database is: names, formats, headers, sections, settings beside files, statements that
/// cannot be read, versions that two files have, dependencies. The address that is named, if any, says for which engine; without one
/// that is told which is wrong for every engine.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Compare with this branch, tag or commit of git's, too.
    #[arg(long, value_name = "REF")]
    against: Option<String>,
    /// Look at files alone: speak with no database, though one is named.
    #[arg(long)]
    files_only: bool,
}

impl Validate {
    /// Without a database no secret is needed.
    pub(super) fn need(&self) -> Need {
        if self.files_only { Need::NoSecrets } else { Need::Secrets }
    }

    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let answer = match &self.against {
            None if self.files_only => call.migrator_of_files().validate_files().await?,
            None => call.migrator().map_err(or_files_only)?.validate().await?,
            Some(reference) if self.files_only => call.migrator_of_files().validate_against(reference).await?,
            Some(reference) => {
                call.migrator_without_database().validate_against(reference).await.map_err(or_files_only)?
            }
        };
        let width = call.console.answer_width();
        call.answer(&answer, |answer| findings::render(answer, &well(answer), width));
        Ok(answer.exit_code)
    }
}

/// What is to be said where nothing is wrong.
fn well(answer: &FindingsAnswer) -> String {
    let agree = match (&answer.target, &answer.against) {
        (Some(_), _) => Some("valid: files and ledger agree".to_owned()),
        (None, None) => Some("valid: nothing is wrong with the files; no database was asked".to_owned()),
        (None, Some(_)) => None,
    };
    let added = answer.against.as_ref().map(|line| {
        let files = findings::count(line.added, "file");
        let late = answer.checks.iter().any(|check| check.name == "late");
        let late = match (late, line.added) {
            (true, _) | (_, 0) => "",
            (false, 1) => ", and it is not late",
            (false, _) => ", none of them late",
        };
        let since: String = line.merge_base.chars().take(7).collect();
        format!("{files} added since {since}{late}")
    });
    agree.into_iter().chain(added).collect::<Vec<_>>().join("; ")
}
