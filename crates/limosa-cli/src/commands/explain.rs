//! `limosa explain`.

use clap::Args;
use limosa::codes::{Explanation, explain, explanations};
use limosa::report::SCHEMA_VERSION;
use limosa::{Exit, Failure};
use serde::Serialize;

use crate::console::Console;
use crate::render::explanation;

/// Say what a code in a message means, what causes it, and what to do.
///
/// Needs no database and no settings. Without a code it lists all.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The code, as a message shows it: LIM-R001, or R001.
    code: Option<String>,
}

/// The width where there is no terminal.
const WIDE: usize = 100;

#[derive(Debug, Serialize)]
struct CodesAnswer {
    schema_version: u32,
    command: &'static str,
    exit_code: u8,
    codes: Vec<Explanation>,
}

impl Explain {
    pub(super) fn run(&self, console: &Console) -> Result<u8, Failure> {
        let codes = match &self.code {
            Some(code) => vec![explain(code).ok_or_else(|| {
                Failure::usage("LIM-U090", format!("there is no code '{code}'"), "see them all: limosa explain")
            })?],
            None => explanations(),
        };
        let exit_code = Exit::Done.into();
        if console.is_json() {
            console.json(&CodesAnswer { schema_version: SCHEMA_VERSION, command: "explain", exit_code, codes });
        } else if self.code.is_some() {
            console.answer(&explanation::page(&codes, console.answer_width().map_or(WIDE, usize::from)));
        } else {
            console.answer(&explanation::list(&codes));
        }
        Ok(exit_code)
    }
}
