//! `limosa history`.

use clap::Args;
use limosa::Failure;

use crate::call::Call;
use crate::render::history;

/// Show what was done, newest first, failures included; writes nothing.
#[derive(Debug, Args)]
pub(crate) struct History {
    /// At most so many operations.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

impl History {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let answer = call.migrator()?.history(self.limit).await?;
        call.answer(&answer, |answer| history::render(answer, call.console.answer_width()));
        Ok(answer.exit_code)
    }
}
