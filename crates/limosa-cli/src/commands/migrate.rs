//! `limosa migrate`.

use clap::{Args, ValueEnum};
use limosa::report::RunAnswer;
use limosa::{Engine, Failure, MigrateOptions, Migrator, Version};

use crate::args;
use crate::ask::{self, confirm};
use crate::call::Call;
use crate::render::{plan, run};

/// Run what is pending.
///
/// Each migration runs in one transaction together with its record, where its statements allow that. A failed one is
/// rolled back; those before it stand. One runner at a time works on a database, the others wait for it.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Up to this version and no further; the name of a migration will do.
    #[arg(long, value_name = "VERSION", value_parser = args::version)]
    to: Option<Version>,
    /// At most so many migrations.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    /// Only show the plan; with =execute, run it in one transaction and roll that back.
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "plan")]
    dry_run: Option<DryRun>,
    /// Consent to an executed dry run; names the database.
    #[arg(long, value_name = "DATABASE", requires = "dry_run")]
    allow_execute: Option<String>,
    /// Run only if the plan still has this digest, as plan printed it.
    #[arg(long, value_name = "DIGEST", conflicts_with = "dry_run")]
    plan: Option<String>,
    /// Make the database first, where the server says that it does not exist.
    #[arg(long, conflicts_with = "dry_run")]
    create_database: bool,
}

/// How a dry run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DryRun {
    /// Sends none of the statements.
    Plan,
    /// Runs all in one transaction and rolls it back.
    Execute,
}

impl Migrate {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        let migrator = call.migrator()?;
        let options = MigrateOptions {
            to: self.to.clone(),
            steps: self.steps.map(|steps| steps as usize),
            auto_rollback: call.loaded.settings.auto_rollback,
            backup: call.loaded.settings.backup,
            expected_plan: self.plan.clone(),
        };
        match self.dry_run {
            Some(how) => self.dry_run(call, &migrator, &options, how).await,
            None => {
                let answer = self.migrate(call, &migrator, &options).await?;
                Ok(show_up_to(call, &answer, self.to.as_ref()))
            }
        }
    }

    async fn dry_run(
        &self,
        call: &Call,
        migrator: &Migrator,
        options: &MigrateOptions,
        how: DryRun,
    ) -> Result<u8, Failure> {
        let answer = match how {
            DryRun::Plan if self.allow_execute.is_some() => {
                let message = "--allow-execute is given, but nothing would be executed";
                return Err(Failure::usage(
                    "LIM-U090",
                    message,
                    "write --dry-run=execute, or leave --allow-execute out",
                ));
            }
            DryRun::Plan => migrator.plan(options).await?,
            DryRun::Execute => {
                let given = self.allow_execute.as_deref();
                ask::with_consent(call.person, &call.console, &call.interrupt, given, async |consent| {
                    migrator.dry_run(options, consent, call.reporter.as_ref(), call.interrupt.stop()).await
                })
                .await?
            }
        };
        call.notices(&answer.notices);
        call.answer(&answer, plan::render);
        Ok(answer.exit_code)
    }

    /// Migrates; where the database does not exist and that is wanted, makes it first.
    async fn migrate(&self, call: &Call, migrator: &Migrator, options: &MigrateOptions) -> Result<RunAnswer, Failure> {
        let run = || migrator.migrate(options, call.reporter.as_ref(), call.interrupt.stop());
        let mut failure = match run().await {
            // The file of a SQLite database is made by the migrate itself; what is missing then is its folder.
            Err(failure) if is_missing(&failure) && migrator.engine()? != Engine::Sqlite => failure,
            other => return other,
        };
        let question = format!("{}; make it?", failure.diagnostics[0].message);
        let wanted = self.create_database
            || migrator.may_create_database()?
            || confirm(call.person, &call.console, &call.interrupt, &question).unwrap_or(false);
        if !wanted {
            let help = "to make it: limosa migrate --create-database";
            let problem = &mut failure.diagnostics[0];
            problem.help = Some(match problem.help.take() {
                Some(before) => format!("{help}\n{before}"),
                None => help.to_owned(),
            });
            return Err(failure);
        }
        call.interrupt.begin();
        migrator.create_database().await?;
        call.console.say("made the database");
        run().await
    }
}

fn is_missing(failure: &Failure) -> bool {
    failure.diagnostics.first().is_some_and(|problem| problem.code == "LIM-D004")
}

/// Shows how a run ended; gives its exit code.
pub(super) fn show(call: &Call, answer: &RunAnswer) -> u8 {
    show_up_to(call, answer, None)
}

/// The same, of a run that went up to a version.
fn show_up_to(call: &Call, answer: &RunAnswer, to: Option<&Version>) -> u8 {
    call.notices(&answer.notices);
    call.notices(answer.error.as_slice());
    call.answer(answer, |answer| run::render(answer, call.reporter.planned(), to));
    answer.exit_code
}
