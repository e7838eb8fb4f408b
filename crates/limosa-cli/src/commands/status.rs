//! `limosa status`.

use clap::Args;
use limosa::{Failure, StatusOptions};

use crate::call::Call;
use crate::render::status;

/// Show each migration and its state; writes nothing.
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Exit with code 1 where something is pending.
    #[arg(long)]
    fail_on_pending: bool,
}

impl Status {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let options = StatusOptions { fail_on_pending: self.fail_on_pending };
        let answer = call.migrator()?.status(options).await?;
        call.notices(&answer.notices);
        call.answer(&answer, |answer| status::render(answer, call.console.answer_width()));
        Ok(answer.exit_code)
    }
}
