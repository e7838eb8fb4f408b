//! `limosa health`.

use clap::Args;
use limosa::Failure;
use limosa::settings::Origin;

use crate::call::Call;
use crate::render::health;

/// Say how the database and its migrations are, for monitors; writes nothing.
///
/// The answer is JSON; --output text gives one line instead. A database that cannot be asked is an answer too.
#[derive(Debug, Args)]
pub(crate) struct Health {}

impl Health {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let migrator = call.migrator()?;
        let chosen = call.loaded.provenance.of("output").is_some_and(|source| source.origin != Origin::Default);
        if chosen {
            call.refuse_mixed_formats(&migrator)?;
        }
        let answer = migrator.health().await;
        if chosen {
            call.answer(&answer, health::render);
        } else {
            call.reporter.end();
            call.console.json(&answer);
        }
        Ok(answer.exit_code)
    }
}
