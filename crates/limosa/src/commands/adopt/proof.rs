//! A proof for tools that keep no checksums: the folder is run in a database of its own, and what it makes is compared with what
//! stands in the one that is taken over.

use std::collections::HashSet;

use limosa_core::{Identity, differences};
use limosa_run::Stop;
use limosa_sql::Diagnostic;
use serde_json::json;

use super::super::baseline::counted;
use super::super::held::{Edit, under_lock};
use super::finding::Foreign;
use crate::embedding::Scratch;
use crate::event::{Listener, Progress};
use crate::files::Loaded;
use crate::opened::{Opened, Purpose, open};
use crate::report::{Proof, ProofLine};
use crate::{Configuration, Failure, MigrateOptions, Migrator, OutOfOrder, structure};

/// Runs the migrations that are taken over in a database of their own, and compares.
///
/// # Errors
/// Where that database cannot be made, or a migration fails there: then there is no proof.
pub(super) async fn prove(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    foreign: &Foreign,
    taken: &HashSet<Identity>,
    listener: &dyn Listener,
    stop: &Stop,
) -> Result<Proof, Failure> {
    let here = structure::of(opened, &foreign.ledger, stop).await?;
    let scratch = Scratch::on(opened.configuration.database.expose()).await.map_err(no_place)?;
    let database = scratch.url().clone();
    listener.progress(Progress::Note(format!("running {} migrations in a database of their own", taken.len())));
    let configuration = Configuration {
        database,
        direct_url: None,
        ignore_other_ledgers: true,
        protected: false,
        out_of_order: OutOfOrder::Allow,
        single_transaction: false,
        anchor_file: None,
        allow_commands: false,
        ..opened.configuration.clone()
    };
    let replayed = Box::pin(replay(&configuration, loaded, foreign, taken, stop)).await;
    let removed = scratch.remove().await;
    let there = replayed?;
    removed?;
    let found = differences(opened.dialect(), &here, &there).map_err(|problem| Failure::refused(vec![*problem]))?;
    let lines =
        found.into_iter().map(|found| ProofLine { what: found.what, here: found.first, from_files: found.second });
    Ok(Proof { migrations: taken.len(), differences: lines.collect() })
}

/// Runs what is taken, in the order of the folder; gives the structure that it made.
async fn replay(
    configuration: &Configuration,
    loaded: &Loaded,
    foreign: &Foreign,
    taken: &HashSet<Identity>,
    stop: &Stop,
) -> Result<String, Failure> {
    let quiet = |_: Progress| {};
    let mut opened = open(configuration, Purpose::Write).await?;
    // What the tool has not applied counts as applied there, so that nothing else runs.
    let others = loaded.changes.iter().filter(|change| !taken.contains(&change.identity));
    let left_out = under_lock(&mut opened, &quiet, stop, |opened, _, marks| {
        let items = others.map(|change| opened.ledger.write_row(&counted(opened, change, marks))).collect();
        Ok(Edit { items, audit: vec![("baseline", None, json!({"proof": true}))] })
    })
    .await;
    opened.close().await;
    left_out?;
    let (migrator, options) = (Migrator::new(configuration.clone()), MigrateOptions::default());
    let answer = Box::pin(migrator.migrate(&options, &quiet, stop.clone())).await?;
    answer.into_result().map_err(no_proof)?;
    let mut opened = open(configuration, Purpose::Change).await?;
    let made = structure::of(&mut opened, &foreign.ledger, stop).await;
    opened.close().await;
    made
}

fn no_place(mut failure: Failure) -> Failure {
    for problem in &mut failure.diagnostics {
        problem.message = format!("the database for the proof cannot be made: {}", problem.message);
        if problem.code == "LIM-D005" {
            let help = "give this user the right to make databases (PostgreSQL: alter role NAME createdb), or take over without --prove";
            problem.help = Some(help.to_owned());
        }
    }
    failure
}

fn no_proof(mut failure: Failure) -> Failure {
    for problem in &mut failure.diagnostics {
        problem.message =
            format!("there is no proof, for the files do not run in an empty database: {}", problem.message);
    }
    failure
}

/// What the proof has found, where it is none.
pub(super) fn unlike(foreign: &Foreign, proof: &Proof) -> Option<Diagnostic> {
    /// Differences that are named.
    const NAMED: usize = 8;
    if proof.differences.is_empty() {
        return None;
    }
    let words = |line: &ProofLine| match (&line.here, &line.from_files) {
        (Some(_), None) => format!("{} stands here only", line.what),
        (None, Some(_)) => format!("{} comes of the files only", line.what),
        _ => format!("{} is another one", line.what),
    };
    let shown: Vec<String> = proof.differences.iter().take(NAMED).map(words).collect();
    let more = match proof.differences.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let message = format!(
        "what stands here is not what the files make that {} has applied: {}{more}",
        foreign.tool.name(),
        shown.join(", ")
    );
    Some(Diagnostic::error("LIM-U122", message).help(
        "somebody changed the database by hand, or a file after it was applied: bring it in line, or where it is right as it \
         stands: --accept-diverged; all differences with their statements: --output json",
    ))
}
