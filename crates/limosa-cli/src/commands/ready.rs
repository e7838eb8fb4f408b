//! `limosa ready`.

use clap::Args;
use limosa::{Failure, Version};

use crate::args;
use crate::call::Call;
use crate::render::health;

/// Say whether an application may start: the database has the version it needs, and nothing is half done.
///
/// Reads no files, takes no lock, writes nothing. Exits with code 1 where the answer is no.
#[derive(Debug, Args)]
pub(crate) struct Ready {
    /// The version that the application needs; where migrations are known by names, the name.
    #[arg(long, value_name = "VERSION", value_parser = args::version)]
    at_least: Option<Version>,
}

impl Ready {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let answer = call.migrator()?.ready(self.at_least.as_ref()).await?;
        call.answer(&answer, health::render);
        Ok(answer.exit_code)
    }
}
