//! `limosa init`.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;
use limosa::settings::Need;
use limosa::{Engine, Failure};

use super::script;
use crate::call::Call;
use crate::render::done;

/// Make a folder for migrations and a settings file, or print the ledger for a database administrator.
///
/// What is there already is left as it is. The ledger needs no preparation: the first migrate makes it. Where limosa's role
/// may not do that, let an administrator run what --print-ledger-sql prints.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Print the ledger's tables and the rights that limosa needs, as SQL, and do nothing else.
    #[arg(long)]
    print_ledger_sql: bool,
    /// The engine to print for; without it, that of the database that was named.
    #[arg(long, requires = "print_ledger_sql", value_parser = PossibleValuesParser::new(Engine::ALL.iter().map(|engine| engine.name())))]
    engine: Option<String>,
}

impl Init {
    /// The engine of a database is known by its address only, which may be a secret.
    pub(super) fn need(&self) -> Need {
        if self.print_ledger_sql && self.engine.is_none() { Need::Secrets } else { Need::NoSecrets }
    }

    pub(super) fn run(&self, call: &Call) -> Result<u8, Failure> {
        if self.print_ledger_sql {
            let engine = self.engine.as_deref().and_then(Engine::from_name);
            let migrator = if engine.is_some() { call.migrator_without_database() } else { call.migrator()? };
            let text = limosa::ledger_script(migrator.configuration(), engine)?;
            script::write(&call.console, "init", &text);
            return Ok(0);
        }
        let folders = &call.loaded.settings.directories;
        let migrations = folders.first().cloned().unwrap_or_else(|| PathBuf::from("migrations"));
        let answer = limosa::init(Path::new(""), &migrations)?;
        call.answer(&answer, |answer| done::render(answer, ""));
        Ok(answer.exit_code)
    }
}
