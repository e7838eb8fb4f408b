//! `limosa export`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use limosa::{Diagnostic, Exit, ExportOptions, Failure, ForeignTool};

use crate::ask;
use crate::call::Call;
use crate::render::export;

/// Write the project in the form of another migration tool.
///
/// Makes a folder with the files as that tool reads them, its table with what is applied as `ledger.sql`, and `limosa-export.json` with
/// what it cannot hold. Nothing of the project is changed.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The other tool.
    #[arg(long, value_name = "TOOL", value_parser = PossibleValuesParser::new(ExportOptions::words()))]
    to: String,
    /// The folder that is made; without it, `limosa-export-TOOL`.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Make the other tool's table in the database, too, in one transaction.
    #[arg(long)]
    write_ledger: bool,
    /// Only list what would be written.
    #[arg(long)]
    dry_run: bool,
}

impl Export {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let Some(to) = ForeignTool::of_word(&self.to) else {
            return Err(Failure::usage(
                "LIM-U143",
                format!("{} is no tool that limosa knows", self.to),
                "see: limosa export --help",
            ));
        };
        let out = self.out.clone().unwrap_or_else(|| PathBuf::from(format!("limosa-export-{}", self.to)));
        let options = ExportOptions { to, out, write_ledger: self.write_ledger, dry_run: self.dry_run };
        if options.write_ledger && !options.dry_run {
            let question = format!("make the table of {} in the database?", to.name());
            if !ask::confirm(call.person, &call.console, &call.interrupt, &question)? {
                let declined = Diagnostic::error("LIM-U092", "the answer was no, so nothing was done");
                return Err(Failure::new(Exit::Person, declined));
            }
        }
        let answer = call.migrator()?.export(&options, call.reporter.as_ref(), call.interrupt.stop()).await?;
        call.notices(&answer.notices);
        call.answer(&answer, export::render);
        Ok(answer.exit_code)
    }
}
