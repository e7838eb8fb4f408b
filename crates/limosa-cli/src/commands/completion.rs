//! `limosa completion`.

use clap::Args;
use clap_complete::Shell;
use limosa::{Exit, Failure};

use super::script;
use crate::args;
use crate::console::Console;

/// Print a completion script for a shell.
#[derive(Debug, Args)]
pub(crate) struct Completion {
    /// The shell.
    shell: Shell,
}

impl Completion {
    pub(super) fn run(&self, console: &Console, name: &str) -> Result<u8, Failure> {
        let mut bytes = Vec::new();
        clap_complete::generate(self.shell, &mut args::command(), "limosa", &mut bytes);
        script::write(console, name, &String::from_utf8_lossy(&bytes));
        Ok(Exit::Done.into())
    }
}
