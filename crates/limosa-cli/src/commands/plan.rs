//! `limosa plan`.

use clap::Args;
use limosa::{Failure, MigrateOptions, Version};

use super::script;
use crate::args;
use crate::call::Call;
use crate::render::plan;

/// Show what migrate would do, statement by statement; sends none of it.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Up to this version and no further; the name of a migration will do.
    #[arg(long, value_name = "VERSION", value_parser = args::version)]
    to: Option<Version>,
    /// At most so many migrations.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    /// Print an SQL script that does the same by hand, ledger included.
    #[arg(long)]
    sql: bool,
}

impl Plan {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let options = MigrateOptions {
            to: self.to.clone(),
            steps: self.steps.map(|steps| steps as usize),
            ..MigrateOptions::default()
        };
        let migrator = call.migrator()?;
        if self.sql {
            let text = migrator.plan_script(&options).await?;
            script::write(&call.console, "plan", &text);
            return Ok(0);
        }
        let answer = migrator.plan(&options).await?;
        call.notices(&answer.notices);
        call.answer(&answer, plan::render);
        Ok(answer.exit_code)
    }
}
