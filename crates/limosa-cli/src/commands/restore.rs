//! `limosa restore`.

use std::path::PathBuf;

use clap::Args;
use limosa::Failure;

use crate::ask;
use crate::call::Call;
use crate::render::done;

/// Bring the database back to a backup; everything since then is lost.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup; without it, the newest in the folder of backups.
    #[arg(value_name = "FILE")]
    from: Option<PathBuf>,
    /// Consent to lose data; names the database.
    #[arg(long, value_name = "DATABASE")]
    allow_data_loss: Option<String>,
}

impl Restore {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let migrator = call.migrator()?;
        let given = self.allow_data_loss.as_deref();
        let answer = ask::with_consent(call.person, &call.console, &call.interrupt, given, async |consent| {
            migrator.restore(self.from.as_deref(), consent, call.reporter.as_ref(), call.interrupt.stop()).await
        })
        .await?;
        call.notices(&answer.notices);
        call.answer(&answer, |answer| done::render(answer, ""));
        Ok(answer.exit_code)
    }
}
