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

use std::pin::Pin;

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
        // In one future all of them would have the room of the largest, on the stack.
        let work: Pin<Box<dyn Future<Output = Result<u8, Failure>> + '_>> = match self {
            Command::Init(command) => return command.run(call),
            Command::New(command) => Box::pin(command.run(call)),
            Command::Plan(command) => Box::pin(command.run(call)),
            Command::Migrate(command) => Box::pin(command.run(call)),
            Command::Rollback(command) => Box::pin(command.run(call)),
            Command::Status(command) => Box::pin(command.run(call)),
            Command::History(command) => Box::pin(command.run(call)),
            Command::Validate(command) => Box::pin(command.run(call)),
            Command::Baseline(command) => Box::pin(command.run(call)),
            Command::Adopt(command) => Box::pin(command.run(call)),
            Command::Export(command) => Box::pin(command.run(call)),
            Command::Repair(command) => Box::pin(command.run(call)),
            Command::Backup(command) => Box::pin(command.run(call)),
            Command::Restore(command) => Box::pin(command.run(call)),
            Command::Clean(command) => Box::pin(command.run(call)),
            Command::Reset(command) => Box::pin(command.run(call)),
            Command::Seed(command) => Box::pin(command.run(call)),
            Command::Ready(command) => Box::pin(command.run(call)),
            Command::Health(command) => Box::pin(command.run(call)),
            Command::Doctor(command) => Box::pin(command.run(call)),
            Command::Audit(command) => Box::pin(command.run(call)),
            Command::Config(command) => return command.run(call),
            // They were run already, for they need no settings.
            Command::Explain(command) => return command.run(&call.console),
            Command::Completion(command) => return command.run(&call.console, "completion"),
            Command::Man(command) => return command.run(&call.console, "man"),
        };
        work.await
    }
}
