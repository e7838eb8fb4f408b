//! `limosa rollback`.

use clap::Args;
use limosa::{Failure, Identity, Migrator, RollbackOptions, Selection, Version};

use super::migrate::show;
use crate::args;
use crate::ask::{self, confirm};
use crate::call::Call;
use crate::render::{difference, plan};

/// Take back what was applied; without a selection, the last migration.
///
/// It runs the ways back that were recorded when the migrations were applied. What destroys data needs consent that names
/// the database, and never runs where the environment is protected. It is seen in statements and in the blocks of DO, not in
/// functions that they call, nor in a text that only a variable or a placeholder holds.
#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// One migration, by its version or R:name; nothing applied may depend on it.
    #[arg(value_name = "MIGRATION", value_parser = args::identity, conflicts_with_all = ["steps", "to", "from"])]
    one: Option<Identity>,
    /// The last so many migrations.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["to", "from"], value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    /// All migrations above this version, or above that of a migration's name; 0 takes back everything.
    #[arg(long, value_name = "VERSION", conflicts_with = "from", value_parser = args::version)]
    to: Option<Version>,
    /// This migration and all that were applied after it.
    #[arg(long, value_name = "MIGRATION", value_parser = args::identity)]
    from: Option<Identity>,
    /// Take the ways back from the files; shows how they differ from what was recorded, and asks.
    #[arg(long)]
    use_file: bool,
    /// Only show what would be run.
    #[arg(long)]
    dry_run: bool,
    /// Consent to lose data; names the database.
    #[arg(long, value_name = "DATABASE", conflicts_with = "dry_run")]
    allow_data_loss: Option<String>,
}

impl Rollback {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let migrator = call.migrator()?;
        let options = RollbackOptions {
            selection: self.selection(),
            use_file: self.use_file,
            consent: None,
            backup: call.loaded.settings.backup,
        };
        if self.use_file && !self.differences(call, &migrator, &options).await? {
            call.console.insist("nothing was taken back");
            return Ok(limosa::Exit::Person.into());
        }
        if self.dry_run {
            let answer = migrator.plan_rollback(&options).await?;
            call.notices(&answer.notices);
            call.answer(&answer, plan::render);
            return Ok(answer.exit_code);
        }
        let given = self.allow_data_loss.as_deref();
        let answer = ask::with_consent(call.person, &call.console, &call.interrupt, given, async |consent| {
            let options = RollbackOptions { consent: consent.map(str::to_owned), ..options.clone() };
            migrator.rollback(&options, call.reporter.as_ref(), call.interrupt.stop()).await
        })
        .await?;
        Ok(show(call, &answer))
    }

    fn selection(&self) -> Selection {
        match (&self.one, self.steps, &self.to, &self.from) {
            (Some(one), ..) => Selection::One(one.clone()),
            (_, Some(steps), ..) => Selection::Steps(steps as usize),
            (_, _, Some(to), _) => Selection::To(to.clone()),
            (_, _, _, Some(from)) => Selection::From(from.clone()),
            _ => Selection::Steps(1),
        }
    }

    /// Shows how the files differ from what was recorded; true where that may be run.
    async fn differences(&self, call: &Call, migrator: &Migrator, options: &RollbackOptions) -> Result<bool, Failure> {
        let differences = migrator.rollback_differences(options).await?;
        if differences.is_empty() {
            call.console.say("the files say what was recorded");
            return Ok(true);
        }
        for found in &differences {
            call.console.insist(difference::render(found).trim_end());
        }
        if self.dry_run {
            return Ok(true);
        }
        confirm(call.person, &call.console, &call.interrupt, "take the ways back from the files?")
    }
}
