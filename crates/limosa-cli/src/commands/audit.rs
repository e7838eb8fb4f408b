//! `limosa audit`.

use clap::{Args, Subcommand};
use limosa::{AuditHead, Failure};

use crate::args;
use crate::call::Call;
use crate::render::findings;

/// Check the log of everything that was done.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Verify(Verify),
}

/// Find rows that were changed, removed or inserted; writes nothing.
///
/// Each run prints the head of the log. What stands before a head that was kept elsewhere cannot be changed unseen: the
/// heads of the setting audit.anchor_file count, and those given here.
#[derive(Debug, Args)]
struct Verify {
    /// A head that a run printed; may be repeated.
    #[arg(long, value_name = "NUMBER:HASH", value_parser = args::head)]
    head: Vec<AuditHead>,
}

impl Audit {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let What::Verify(verify) = &self.what;
        let answer = call.migrator()?.audit_verify(&verify.head).await?;
        let width = call.console.answer_width();
        call.answer(&answer, |answer| findings::render(answer, "the log is whole", width));
        Ok(answer.exit_code)
    }
}
