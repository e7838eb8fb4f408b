//! One file per command: its arguments, and what it does with them.

mod adopt;
mod audit;
mod backup;
mod baseline;
mod clean;
mod completion;
mod config;
mod doctor;
mod explain;
mod export;
mod health;
mod history;
mod init;
mod man;
mod migrate;
mod new;
mod plan;
mod ready;
mod repair;
mod reset;
mod restore;
mod rollback;
mod script;
mod seed;
mod status;
mod validate;

use clap::Subcommand;
use limosa::Failure;
use limosa::settings::Need;

use crate::call::Call;
use crate::console::Console;

/// The commands, in the order of the help.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::Init),
    New(new::New),
    Plan(plan::Plan),
    Migrate(migrate::Migrate),
    Rollback(rollback::Rollback),
    Status(status::Status),
    History(history::History),
    Validate(validate::Validate),
    Baseline(baseline::Baseline),
    Adopt(adopt::Adopt),
    Export(export::Export),
    Repair(repair::Repair),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Clean(clean::Clean),
    Reset(reset::Reset),
    Seed(seed::Seed),
    Ready(ready::Ready),
    Health(health::Health),
    Doctor(doctor::Doctor),
    Audit(audit::Audit),
    Config(config::Config),
    Explain(explain::Explain),
    Completion(completion::Completion),
    Man(man::Man),
}

impl Command {
    /// Runs a command that needs no settings; None for the others.
    pub(crate) fn without_settings(&self, console: &Console, name: &str) -> Option<Result<u8, Failure>> {
        match self {
            Command::Explain(command) => Some(command.run(console)),
            Command::Completion(command) => Some(command.run(console, name)),
            Command::Man(command) => Some(command.run(console, name)),
            _ => None,
        }
    }

    /// Which settings it needs.
    pub(crate) fn need(&self) -> Need {
        match self {
            Command::Init(command) => command.need(),
            Command::New(command) => command.need(),
            Command::Validate(command) => command.need(),
            Command::Config(_) => Need::NoSecrets,
            _ => Need::Secrets,
        }
    }

    /// Runs it; gives its exit code.
    ///
    /// # Errors
    /// Why it could not answer.
    pub(crate) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        match self {
            Command::Init(command) => command.run(call),
            Command::New(command) => command.run(call).await,
            Command::Plan(command) => command.run(call).await,
            Command::Migrate(command) => command.run(call).await,
            Command::Rollback(command) => command.run(call).await,
            Command::Status(command) => command.run(call).await,
            Command::History(command) => command.run(call).await,
            Command::Validate(command) => command.run(call).await,
            Command::Baseline(command) => command.run(call).await,
            Command::Adopt(command) => command.run(call).await,
            Command::Export(command) => command.run(call).await,
            Command::Repair(command) => command.run(call).await,
            Command::Backup(command) => command.run(call).await,
            Command::Restore(command) => command.run(call).await,
            Command::Clean(command) => command.run(call).await,
            Command::Reset(command) => command.run(call).await,
            Command::Seed(command) => command.run(call).await,
            Command::Ready(command) => command.run(call).await,
            Command::Health(command) => command.run(call).await,
            Command::Doctor(command) => command.run(call).await,
            Command::Audit(command) => command.run(call).await,
            Command::Config(command) => command.run(call),
            // They were run already, for they need no settings.
            Command::Explain(command) => command.run(&call.console),
            Command::Completion(command) => command.run(&call.console, "completion"),
            Command::Man(command) => command.run(&call.console, "man"),
        }
    }
}
