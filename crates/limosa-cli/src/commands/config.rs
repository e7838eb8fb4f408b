//! `limosa config`.

use clap::{Args, Subcommand};
use limosa::report::SCHEMA_VERSION;
use limosa::settings::{Explained, explain};
use limosa::{Exit, Failure};
use serde::Serialize;

use crate::call::Call;
use crate::render::settings;

/// Look at the settings.
#[derive(Debug, Args)]
pub(crate) struct Config {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Explain(Explain),
}

/// Show each setting, its value without secrets, and where it came from.
#[derive(Debug, Args)]
struct Explain {
    /// Only the keys that contain this text.
    key: Option<String>,
}

#[derive(Debug, Serialize)]
struct ExplainAnswer {
    schema_version: u32,
    command: &'static str,
    exit_code: u8,
    settings: Vec<Explained>,
}

impl Config {
    pub(super) fn run(&self, call: &Call) -> Result<u8, Failure> {
        let What::Explain(wanted) = &self.what;
        let mut found = explain(&call.loaded.settings, &call.loaded.provenance);
        if let Some(key) = &wanted.key {
            found.retain(|line| line.key.contains(key.as_str()));
            if found.is_empty() {
                let message = format!("no setting has '{key}' in its name");
                return Err(Failure::usage("LIM-U097", message, "see them all: limosa config explain"));
            }
        }
        let exit_code = Exit::Done.into();
        let answer =
            ExplainAnswer { schema_version: SCHEMA_VERSION, command: "config explain", exit_code, settings: found };
        let (verbose, width) = (call.console.is_verbose(), call.console.answer_width());
        call.answer(&answer, |answer| settings::render(&answer.settings, verbose, width));
        Ok(exit_code)
    }
}
