//! `limosa adopt`.

use clap::Args;
use clap::builder::PossibleValuesParser;
use limosa::{AdoptOptions, Diagnostic, Exit, Failure, ForeignTool, GoBackOptions, ProveOn, Secret};

use crate::ask;
use crate::call::Call;
use crate::render::{adopt, done};

/// Take over a database that another migration tool has migrated.
///
/// Each migration that the other tool has on record and that has a file here counts as applied, and nothing is run. Where the tool keeps
/// checksums, each file is compared with the one that was applied.
#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// The other tool; without it, the one whose table is there.
    #[arg(long, value_name = "TOOL", value_parser = PossibleValuesParser::new(ForeignTool::WORDS))]
    from: Option<String>,
    /// Its table, where it has another name than usual or stands in another schema.
    #[arg(long, value_name = "[SCHEMA.]NAME")]
    ledger_table: Option<String>,
    /// Only show what would be taken over.
    #[arg(long)]
    dry_run: bool,
    /// Run the migrations in a database of their own, which is made and taken away again, and compare what they make with what stands
    /// here: tables, indexes, views, routines; not rows, owners and rights.
    /// With an address, on that server.
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = "", conflicts_with = "undo")]
    prove: Option<String>,
    /// Take over migrations whose files were changed since they were applied, and a database that a proof found to be another one.
    #[arg(long, conflicts_with = "undo")]
    accept_diverged: bool,
    /// From now on write the other tool's table too, with each migration, and hold its lock meanwhile: Flyway, golang-migrate, goose,
    /// dbmate, sqlx. A later adopt without this ends it.
    #[arg(long, conflicts_with = "undo")]
    keep_foreign_ledger: bool,
    /// Give the database back to the other tool, and tell it what limosa has applied since.
    #[arg(long, conflicts_with_all = ["from", "ledger_table"])]
    undo: bool,
}

impl Adopt {
    pub(super) async fn run(&self, call: &Call) -> Result<u8, Failure> {
        if self.undo { self.go_back(call).await } else { self.take_over(call).await }
    }

    async fn take_over(&self, call: &Call) -> Result<u8, Failure> {
        let migrator = call.migrator()?;
        let mut options = AdoptOptions {
            from: self.from.as_deref().and_then(ForeignTool::of_word),
            ledger_table: self.ledger_table.clone(),
            dry_run: self.dry_run,
            accept_diverged: self.accept_diverged,
            prove: self.prove.as_deref().map(|address| match address {
                "" => ProveOn::ThisServer,
                address => ProveOn::Server(Secret::new(address)),
            }),
            keep: self.keep_foreign_ledger,
        };
        let asks = !self.dry_run && !call.person.said_yes();
        if asks {
            options.dry_run = true;
            let first = migrator.adopt(&options, call.reporter.as_ref(), call.interrupt.stop()).await?;
            if first.outcome != "would" {
                return Ok(show(call, &first));
            }
            if !call.console.is_json() {
                call.notices(&first.notices);
                call.console.answer(&adopt::verdicts(&first, call.console.answer_width()));
            }
            if !ask::confirm(call.person, &call.console, &call.interrupt, &adopt::question(&first))? {
                return Err(declined());
            }
            // What was shown is proven.
            (options.dry_run, options.prove) = (false, None);
        }
        let answer = migrator.adopt(&options, call.reporter.as_ref(), call.interrupt.stop()).await?;
        if !asks || answer.outcome != "done" {
            return Ok(show(call, &answer));
        }
        // The table stands above already.
        call.answer(&answer, adopt::ending);
        Ok(answer.exit_code)
    }

    async fn go_back(&self, call: &Call) -> Result<u8, Failure> {
        let migrator = call.migrator()?;
        let looking = GoBackOptions { dry_run: true, accept_left_behind: false };
        let first = migrator.adopt_undo(looking, call.reporter.as_ref(), call.interrupt.stop()).await?;
        if self.dry_run {
            call.notices(&first.notices);
            call.answer(&first, |answer| done::render(answer, "would "));
            return Ok(first.exit_code);
        }
        if !call.console.is_json() && !call.person.said_yes() {
            call.notices(&first.notices);
            call.console.answer(&done::render(&first, "would "));
        }
        if !ask::confirm(call.person, &call.console, &call.interrupt, "give the database back to the other tool?")? {
            return Err(declined());
        }
        let doing = GoBackOptions { dry_run: false, accept_left_behind: true };
        let answer = migrator.adopt_undo(doing, call.reporter.as_ref(), call.interrupt.stop()).await?;
        call.notices(&answer.notices);
        call.answer(&answer, |answer| done::render(answer, ""));
        Ok(answer.exit_code)
    }
}

fn show(call: &Call, answer: &limosa::report::AdoptAnswer) -> u8 {
    call.notices(&answer.notices);
    call.answer(answer, |answer| adopt::render(answer, call.console.answer_width()));
    call.notices(&answer.errors);
    answer.exit_code
}

fn declined() -> Failure {
    Failure::new(Exit::Person, Diagnostic::error("LIM-U092", "the answer was no, so nothing was done"))
}
