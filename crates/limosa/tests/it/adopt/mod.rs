//! Databases that another tool has migrated are taken over, and given back. Tables and rows are as those tools make them.

mod back;
mod columns;
mod default_schema;
mod keeping;
mod kept_trouble;
mod liquibase;
mod long_names;
mod passed_over;
mod proof;
mod sqitch;
mod taking;
mod told;
pub(crate) mod tools;
mod turned_up;

use limosa::report::{AdoptAnswer, DoneAnswer};
use limosa::{AdoptOptions, Failure, GoBackOptions, Stop};

use crate::answers::quiet;
use crate::place::Home;

pub(crate) async fn adopt(home: &Home) -> Result<AdoptAnswer, Failure> {
    adopt_with(home, &AdoptOptions::default()).await
}

pub(crate) async fn adopt_with(home: &Home, options: &AdoptOptions) -> Result<AdoptAnswer, Failure> {
    home.migrator().adopt(options, &quiet, Stop::new()).await
}

pub(crate) async fn go_back(home: &Home) -> Result<DoneAnswer, Failure> {
    home.migrator().adopt_undo(GoBackOptions::default(), &quiet, Stop::new()).await
}

pub(crate) async fn go_back_all_the_same(home: &Home) -> DoneAnswer {
    let options = GoBackOptions { accept_left_behind: true, ..GoBackOptions::default() };
    home.migrator().adopt_undo(options, &quiet, Stop::new()).await.unwrap()
}

/// `verdict version name`, with the note behind it.
pub(crate) fn verdicts(answer: &AdoptAnswer) -> Vec<String> {
    let line = |line: &limosa::report::AdoptLine| {
        let note = line.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        format!("{} {} {}{note}", line.verdict, line.version, line.name)
    };
    answer.migrations.iter().map(line).collect()
}
