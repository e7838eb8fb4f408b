//! `limosa baseline`.

use clap::Args;
use limosa::{Failure, Version};

use crate::args;
use crate::call::Call;
use crate::render::done;

/// Count all migrations up to a version as applied, without running them.
///
/// For a database that was made before limosa came to it.
#[derive(Debug, Args)]
pub(crate) struct Baseline {
    /// The newest version that the database has already, or the name of that migration.
    #[arg(long, value_name = "VERSION", value_parser = args::version)]
    to: Version,
    /// Only show what would be recorded.
    #[arg(long)]
    dry_run: bool,
}

impl Baseline {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let answer =
            call.migrator()?.baseline(&self.to, self.dry_run, call.reporter.as_ref(), call.interrupt.stop()).await?;
        call.notices(&answer.notices);
        call.answer(&answer, |answer| done::render(answer, "would record: "));
        Ok(answer.exit_code)
    }
}
