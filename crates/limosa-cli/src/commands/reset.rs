//! `limosa reset`.

use clap::Args;
use limosa::{Failure, MigrateOptions};

use super::migrate::show;
use crate::ask;
use crate::call::Call;

/// Drop everything, then migrate from the beginning; never where the environment is protected.
#[derive(Debug, Args)]
pub(crate) struct Reset {
    /// Consent to lose data; names the database.
    #[arg(long, value_name = "DATABASE")]
    allow_data_loss: Option<String>,
}

impl Reset {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let migrator = call.migrator()?;
        let options = MigrateOptions { backup: false, ..MigrateOptions::default() };
        let given = self.allow_data_loss.as_deref();
        let mut answer = ask::with_consent(call.person, &call.console, &call.interrupt, given, async |consent| {
            // The backup must hold what the clean drops; one before the migrate would be empty.
            if consent.is_some() && call.loaded.settings.backup {
                migrator.backup(call.reporter.as_ref(), call.interrupt.stop()).await?;
            }
            migrator.reset(consent, &options, call.reporter.as_ref(), call.interrupt.stop()).await
        })
        .await?;
        answer.command = "reset";
        Ok(show(call, &answer))
    }
}
