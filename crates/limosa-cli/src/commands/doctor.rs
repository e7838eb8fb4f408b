//! `limosa doctor`.

use clap::Args;
use limosa::Failure;

use crate::call::Call;
use crate::render::findings;

/// Look up what could go wrong here: rights, settings, pooler, extensions, clock; writes nothing.
#[derive(Debug, Args)]
pub(crate) struct Doctor {}

impl Doctor {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let migrator = call.migrator()?;
        call.refuse_mixed_formats(&migrator)?;
        let answer = migrator.doctor().await?;
        let width = call.console.answer_width();
        call.answer(&answer, |answer| findings::render(answer, "well: nothing stands in the way", width));
        Ok(answer.exit_code)
    }
}
