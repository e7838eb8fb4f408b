//! `limosa man`.

use std::path::PathBuf;

use clap::Args;
use limosa::{Exit, Failure};

use super::script;
use crate::args;
use crate::console::Console;

/// Print the manual page of limosa, or of one of its commands.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The command whose page is printed, such as migrate.
    #[arg(conflicts_with = "folder")]
    command: Vec<String>,
    /// Write all pages into this folder instead.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(&self, console: &Console, name: &str) -> Result<u8, Failure> {
        // Built once, so that a page of a command names itself in full: limosa-migrate.
        let mut all = args::command();
        all.build();
        if let Some(folder) = &self.folder {
            std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(args::command(), folder))
                .map_err(|error| unwritten(&folder.display().to_string(), &error))?;
            return Ok(Exit::Done.into());
        }
        let mut found = &all;
        for word in &self.command {
            found = found.find_subcommand(word).ok_or_else(|| {
                Failure::usage("LIM-U090", format!("there is no command '{word}'"), "see them: limosa help")
            })?;
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(found.clone()).render(&mut page).map_err(|error| unwritten("the page", &error))?;
        script::write(console, name, &String::from_utf8_lossy(&page));
        Ok(Exit::Done.into())
    }
}

fn unwritten(what: &str, error: &std::io::Error) -> Failure {
    Failure::usage("LIM-U096", format!("{what} cannot be written: {error}"), "choose another folder")
}
