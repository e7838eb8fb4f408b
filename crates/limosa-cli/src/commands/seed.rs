//! `limosa seed`.

use std::path::PathBuf;

use clap::Args;
use limosa::Failure;

use super::migrate::show;
use crate::call::Call;

/// Run the files of data for development and tests that are new or changed.
///
/// The ledger remembers them apart from migrations. Never where the environment is protected.
#[derive(Debug, Args)]
pub(crate) struct Seed {
    /// The folder of the files.
    #[arg(long, value_name = "DIR", default_value = "seeds")]
    dir_of_seeds: PathBuf,
    /// Run all of them, whether they ran before or not.
    #[arg(long)]
    again: bool,
}

impl Seed {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let migrator = call.migrator()?;
        let stop = call.interrupt.stop();
        let answer = migrator.seed(&self.dir_of_seeds, self.again, call.reporter.as_ref(), stop).await;
        let answer = answer.map_err(|failure| self.about_seeds(failure))?;
        Ok(show(call, &answer))
    }

    /// Where the folder itself is missing, names the flag that is meant for it.
    fn about_seeds(&self, mut failure: Failure) -> Failure {
        let folder = self.dir_of_seeds.display().to_string();
        for problem in &mut failure.diagnostics {
            if problem.code == "LIM-F900" && problem.labels.iter().any(|label| label.file == folder) {
                problem.help = Some("make the folder, or name another: --dir-of-seeds DIR".to_owned());
            }
        }
        failure
    }
}
