//! `limosa repair`.

use clap::Args;
use limosa::{Failure, Identity};

use crate::args;
use crate::call::Call;
use crate::render::done;

/// Explain what is wrong with the ledger, or mend what is named.
///
/// Without a flag it explains, with the commands to choose from. Nothing of the migrations themselves is run.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Repair {
    #[command(flatten)]
    what: What,
    /// Only say what would be done.
    #[arg(long, requires = "What")]
    dry_run: bool,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
struct What {
    /// A statement outside a transaction took effect.
    #[arg(long, value_name = "MIGRATION:NUMBER", value_parser = args::statement)]
    mark_done: Option<(Identity, u64)>,
    /// It took no effect: the next migrate runs it again.
    #[arg(long, value_name = "MIGRATION:NUMBER", value_parser = args::statement)]
    retry: Option<(Identity, u64)>,
    /// A migration counts as applied.
    #[arg(long, value_name = "MIGRATION", value_parser = args::identity)]
    mark_applied: Option<Identity>,
    /// A migration counts as not applied.
    #[arg(long, value_name = "MIGRATION", value_parser = args::identity)]
    mark_not_applied: Option<Identity>,
    /// The file of an applied migration is right as it stands now; of one that stopped half-way, its first statements count as those that ran.
    #[arg(long, value_name = "MIGRATION", value_parser = args::identity)]
    accept: Option<Identity>,
}

impl What {
    fn repair(&self) -> limosa::Repair {
        match self {
            What { mark_done: Some((identity, number)), .. } => limosa::Repair::MarkDone(identity.clone(), *number),
            What { retry: Some((identity, number)), .. } => limosa::Repair::Retry(identity.clone(), *number),
            What { mark_applied: Some(identity), .. } => limosa::Repair::MarkApplied(identity.clone()),
            What { mark_not_applied: Some(identity), .. } => limosa::Repair::MarkNotApplied(identity.clone()),
            What { accept: Some(identity), .. } => limosa::Repair::Accept(identity.clone()),
            _ => limosa::Repair::Explain,
        }
    }
}

impl Repair {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let repair = self.what.repair();
        let answer =
            call.migrator()?.repair(&repair, self.dry_run, call.reporter.as_ref(), call.interrupt.stop()).await?;
        call.notices(&answer.notices);
        call.answer(&answer, |answer| done::render(answer, if self.dry_run { "would do: " } else { "" }));
        Ok(answer.exit_code)
    }
}
