//! `limosa new`.

use clap::Args;
use limosa::{Failure, NewKind, Numbering};

use crate::call::Call;
use crate::render::done;

/// Write the next migration as an empty file with its headers.
///
/// It goes into the first folder of migrations. Its version continues what stands there: the next number, or the time
/// where the newest version is a time.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// What it does, in a few words.
    title: String,
    /// Make a repeatable one, which runs again whenever it changes.
    #[arg(long, conflicts_with_all = ["timestamp", "sequential"])]
    repeatable: bool,
    /// Take the time in UTC as the version.
    #[arg(long, conflicts_with = "sequential")]
    timestamp: bool,
    /// Take the next number as the version.
    #[arg(long)]
    sequential: bool,
}

impl New {
    pub(super) fn run(&self, call: &Call) -> Result<u8, Failure> {
        let kind = if self.repeatable { NewKind::Repeatable } else { NewKind::Versioned };
        let numbering = match (self.timestamp, self.sequential) {
            (true, _) => Numbering::Timestamp,
            (_, true) => Numbering::Sequential,
            _ => Numbering::Auto,
        };
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let stamp = limosa::clock::stamp(now);
        let answer = call.migrator_without_database().new_migration(&self.title, kind, numbering, &stamp)?;
        call.answer(&answer, |answer| done::render(answer, ""));
        Ok(answer.exit_code)
    }
}
