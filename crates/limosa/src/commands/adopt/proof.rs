//! A proof for tools that keep no checksums: the folder is run in a database of its own, and what it makes is compared with what
//! stands in the one that is taken over.

use std::collections::HashSet;

use limosa_core::{ForeignTool, Identity, differences};
use limosa_db::Secret;
use limosa_run::Stop;
use limosa_sql::{Diagnostic, Engine, Label, PieceKind, reaches_beyond, split};
use serde_json::json;

use super::super::baseline::counted;
use super::super::held::{Edit, under_lock};
use super::finding::Foreign;
use crate::embedding::Scratch;
use crate::event::{Listener, Progress};
use crate::files::Loaded;
use crate::opened::{Opened, Purpose, open};
use crate::report::{Proof, ProofLine};
use crate::{Configuration, Exit, Failure, MigrateOptions, Migrator, OutOfOrder, structure};

/// Where the database for a proof is made.
#[derive(Debug, Clone)]
pub enum ProveOn {
    /// On the server of the database that is taken over.
    ThisServer,
    /// On the server of another address.
    Server(Secret),
}

/// Runs the migrations that are taken over in a database of their own, and compares.
///
/// # Errors
/// Where that database cannot be made, a migration fails there, or one would change more than that database: then there is no proof.
pub(super) async fn prove(
    opened: &mut Opened<'_>,
    loaded: &Loaded,
    foreign: &Foreign,
    taken: &HashSet<Identity>,
    place: &ProveOn,
    listener: &dyn Listener,
    stop: &Stop,
) -> Result<Proof, Failure> {
    let server = match place {
        ProveOn::ThisServer => {
            refuse_reaching_out(opened, loaded, taken)?;
            &opened.configuration.database
        }
        ProveOn::Server(address) => address,
    };
    // From here on a signal to stop ends the proof in order, and what it has made is taken away.
    listener.progress(Progress::Note("making a database for the proof".to_owned()));
    let scratch = Scratch::on(server.expose()).await.map_err(no_place)?;
    let database = scratch.url().clone();
    // Two databases of one name are no danger, two engines are.
    if limosa_db::engine_of(database.expose())? != opened.target.engine {
        scratch.remove().await?;
        let message = format!("the address for the proof is not one of {}", opened.target.engine.title());
        return Err(Failure::usage("LIM-U123", message, "name a server of the same kind: --prove=ADDRESS"));
    }
    listener.progress(Progress::Note(format!(
        "running {} migrations in {}, which is taken away afterwards",
        taken.len(),
        scratch.name()
    )));
    let alike = alike(opened, &scratch).await.map_err(no_place);
    let configuration = Configuration {
        database,
        direct_url: None,
        pooled: None,
        ignore_other_ledgers: true,
        protected: false,
        out_of_order: OutOfOrder::Allow,
        single_transaction: false,
        anchor_file: None,
        allow_commands: false,
        ..opened.configuration.clone()
    };
    let replayed = match alike {
        Ok(()) => Box::pin(replay(&configuration, loaded, foreign, taken, stop)).await,
        Err(failure) => Err(failure),
    };
    let removed = scratch.remove().await;
    let there = match (replayed, removed) {
        (Ok(there), Ok(())) => there,
        (Err(mut failure), Err(stays)) => {
            failure.diagnostics.extend(stays.diagnostics);
            return Err(failure);
        }
        (Err(failure), Ok(())) | (Ok(_), Err(failure)) => return Err(failure),
    };
    let here = structure::of(opened, &foreign.ledger, stop).await?;
    let [here, there] = [here, there].map(|structure| as_sent(foreign.tool, structure));
    let found = differences(opened.dialect(), &here, &there).map_err(|problem| Failure::refused(vec![*problem]))?;
    let lines =
        found.into_iter().map(|found| ProofLine { what: found.what, here: found.first, from_files: found.second });
    Ok(Proof { migrations: taken.len(), differences: lines.collect() })
}

/// Without what the tool does not send of a file: sql-migrate passes over lines of comment, though they stand within the body of a function or
/// a string (`sqlparse/sqlparse.go`), and limosa sends them.
fn as_sent(tool: ForeignTool, structure: String) -> String {
    if tool != ForeignTool::SqlMigrate {
        return structure;
    }
    let is_sent = |line: &&str| !line.starts_with("-- ") || line.starts_with("-- +");
    structure.split_inclusive('\n').filter(is_sent).collect()
}

/// MySQL: tables have the character set and the collation of their database, where nothing else is said.
async fn alike(opened: &mut Opened<'_>, scratch: &Scratch) -> Result<(), Failure> {
    if opened.target.engine != Engine::Mysql {
        return Ok(());
    }
    let rows = opened.session.query("select @@character_set_database, @@collation_database", &[]).await?;
    let Some((charset, collation)) = rows.first().and_then(|row| Some((row.text(0)?, row.text(1)?))) else {
        return Ok(());
    };
    let name = Engine::Mysql.quote_identifier(&scratch.name());
    let [charset, collation] = [charset, collation].map(|word| Engine::Mysql.quote_literal(&word));
    scratch.execute(&format!("alter database {name} character set {charset} collate {collation}")).await
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
    let left_out = under_lock(&mut opened, &quiet, stop, |opened, view, marks| {
        let row = |(rank, change)| opened.ledger.write_row(&counted(opened, change, marks, Some(rank)));
        let items = (view.newest_rank + 1..).zip(others).map(row).collect();
        Ok(Edit { items, audit: vec![("baseline", None, json!({"proof": true}))] })
    })
    .await;
    opened.close().await;
    left_out?;
    let (migrator, options) = (Migrator::new(configuration.clone()), MigrateOptions::default());
    let answer = Box::pin(migrator.migrate(&options, &quiet, stop.clone())).await?;
    if let Some(failure) = answer.failure() {
        return Err(no_proof(failure));
    }
    let mut opened = open(configuration, Purpose::Change).await?;
    let made = structure::of(&mut opened, &foreign.ledger, stop).await;
    opened.close().await;
    made
}

/// What a migration does beyond its database it would do a second time.
fn refuse_reaching_out(opened: &Opened<'_>, loaded: &Loaded, taken: &HashSet<Identity>) -> Result<(), Failure> {
    let database = opened.target.database.clone();
    for change in loaded.changes.iter().filter(|change| taken.contains(&change.identity) && !change.is_code) {
        let file = change.script.file.as_str();
        let text = opened.scripts().read(file)?;
        let pieces = split(opened.dialect(), file, &text).map_err(|problem| Failure::refused(vec![*problem]))?;
        for piece in pieces.iter().filter(|piece| matches!(piece.kind, PieceKind::Statement(_))) {
            let Some(words) = reaches_beyond(opened.target.engine, &database, piece.statement()) else { continue };
            let message =
                format!("{file} may change more than its database ({words}), and a proof here would do that again");
            let help = "give the proof a server of its own: --prove=ADDRESS; or take over without a proof";
            let problem = Diagnostic::error("LIM-U123", message).at(Label::place(file, piece.position)).help(help);
            return Err(Failure::new(Exit::Usage, problem));
        }
    }
    Ok(())
}

fn no_place(mut failure: Failure) -> Failure {
    for problem in &mut failure.diagnostics {
        problem.message = format!("the database for the proof cannot be made: {}", problem.message);
        if problem.code == "LIM-D005" {
            let help = "give this user the right to make databases (PostgreSQL: alter role NAME createdb); or name a server where the proof \
                        may make one: --prove=ADDRESS; or take over without a proof";
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
