//! `limosa validate`.

use clap::Args;
use limosa::Failure;

use crate::call::Call;
use crate::render::findings;

/// Check that files and ledger agree; writes nothing.
///
/// Exits with code 1 where a file was changed, is gone, comes late, or was interrupted.
#[derive(Debug, Args)]
pub(crate) struct Validate {}

impl Validate {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let answer = call.migrator()?.validate().await?;
        let width = call.console.answer_width();
        call.answer(&answer, |answer| findings::render(answer, "valid: files and ledger agree", width));
        Ok(answer.exit_code)
    }
}
