//! One file per command: what it does, without a word of how it is shown.

pub(crate) mod adopt;
pub(crate) mod against;
pub(crate) mod audit;
pub(crate) mod baseline;
pub(crate) mod clean;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod files_alone;
pub(crate) mod health;
pub(crate) mod held;
pub(crate) mod init;
pub(crate) mod migrate;
pub(crate) mod plan;
pub(crate) mod repair;
pub(crate) mod restore;
pub(crate) mod rollback;
pub(crate) mod scaffold;
pub(crate) mod seed;
pub(crate) mod status;

use limosa_sql::Diagnostic;

use crate::{Exit, Failure};

/// What a command that was stopped left: nothing, for the reason given.
pub(crate) fn stopped(what: &str) -> Failure {
    let help = "run it again when it may go on";
    Failure::new(Exit::Database, Diagnostic::error("LIM-R005", format!("interrupted: {what}")).help(help))
}

/// The run was asked to stop before it began.
pub(crate) fn interrupted() -> Failure {
    Failure::new(Exit::Database, Diagnostic::error("LIM-R005", "interrupted before anything was run"))
}
