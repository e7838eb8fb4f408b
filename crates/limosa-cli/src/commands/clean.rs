//! `limosa clean`.

use clap::Args;
use limosa::Failure;

use crate::ask;
use crate::call::Call;
use crate::render::done;

/// Drop everything in the database but the ledger; never where the environment is protected.
#[derive(Debug, Args)]
pub(crate) struct Clean {
    /// Consent to lose data; names the database.
    #[arg(long, value_name = "DATABASE", conflicts_with = "dry_run")]
    allow_data_loss: Option<String>,
    /// Only show what would be dropped.
    #[arg(long)]
    dry_run: bool,
}

impl Clean {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let migrator = call.migrator()?;
        let given = self.allow_data_loss.as_deref();
        let answer = ask::with_consent(call.person, &call.console, &call.interrupt, given, async |consent| {
            migrator.clean(consent, self.dry_run, call.reporter.as_ref(), call.interrupt.stop()).await
        })
        .await?;
        call.notices(&answer.notices);
        call.answer(&answer, |answer| {
            let empty = answer.done.is_empty() && answer.would.is_empty();
            let nothing = if empty { "nothing to drop: the database is empty\n" } else { "" };
            nothing.to_owned() + &done::render(answer, "would ")
        });
        Ok(answer.exit_code)
    }
}
