//! One history both ways.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use limosa_testkit::Limosa;
use serde_json::Value;

use crate::checkout::Source;
use crate::database::{Content, Database, Servers};
use crate::order;
use crate::projects::{Format, Project};
use crate::report::{Line, Verdict};
use crate::scripts::{self, Script};

/// What limosa did.
struct Done {
    /// Why it stopped; None where it did not.
    stopped: Option<String>,
    format: String,
    applied: BTreeSet<PathBuf>,
    seconds: f64,
}

/// Runs a history with limosa and with the shell, each on a database of its own.
pub(crate) fn compare(project: &Project, source: &Source, servers: &mut Servers, limosa: &Path) -> Result<Line> {
    let root = source.check_out(project)?;
    let files = order::files(&root.join(project.folder), project.format)?;
    let (ours, theirs) = (servers.database(project.engine)?, servers.database(project.engine)?);
    for database in [&ours, &theirs] {
        let ahead = Script { sql: project.ahead.to_owned(), in_transaction: false };
        database.run(&ahead)?.map_err(anyhow::Error::msg).context("what comes ahead of the migrations")?;
    }
    let done = by_limosa(project, &root, &ours, limosa)?;
    let mut shell = by_shell(project, &files, &theirs)?;
    if shell.stopped.is_none() {
        let behind = order::behind(&root.join(project.folder), project.format)?;
        shell.stopped = by_shell(project, &behind, &theirs)?.stopped;
    }
    let (ours_now, theirs_now) = (ours.content()?, theirs.content()?);
    let verdict = verdict(project, &files, &done, &shell, &ours_now, &theirs_now);
    Ok(Line {
        project: project.name,
        format: project.format.name(),
        engine: ours.version(),
        files: (done.applied.len(), files.len()),
        tables: ours_now.rows.len(),
        rows: ours_now.rows.values().sum(),
        seconds: done.seconds,
        verdict,
    })
}

fn by_limosa(project: &Project, root: &Path, database: &Database, limosa: &Path) -> Result<Done> {
    let url = format!("{}{}", database.url(), project.address);
    let call = |words: &[&str]| {
        let run = Limosa::new(limosa).in_folder(root).args(words);
        run.args(["--database", url.as_str(), "--dir", project.folder]).run()
    };
    let began = Instant::now();
    let mut migrated = call(&["migrate", "--yes"])?;
    // Programs of the tool are done by hand, which here is: not at all, as the shell does.
    let programs = programs(&migrated.stderr);
    for program in &programs {
        let marked = call(&["repair", "--mark-applied", program, "--yes"])?;
        ensure!(marked.code == Some(0), "{program} cannot be counted as applied: {}", marked.stderr.trim());
    }
    if !programs.is_empty() {
        migrated = call(&["migrate", "--yes", "--out-of-order", "allow"])?;
    }
    let seconds = began.elapsed().as_secs_f64();
    if migrated.code == Some(0) {
        let again = call(&["migrate", "--yes"])?;
        ensure!(again.code == Some(0), "a second run finds something: {}", again.stderr.trim());
    }
    let told = call(&["status", "--output", "json"])?;
    let status: Value =
        serde_json::from_str(&told.stdout).with_context(|| format!("limosa status: {}", first_error(&told.stderr)))?;
    let is_applied = |change: &&Value| change["state"].as_str() == Some("applied");
    let changes = status["changes"].as_array().into_iter().flatten();
    let applied = changes.filter(is_applied).filter_map(|change| Some(root.join(change["file"].as_str()?)));
    Ok(Done {
        stopped: (migrated.code != Some(0)).then(|| first_error(&migrated.stderr)),
        format: status["format"].as_str().unwrap_or_default().to_owned(),
        applied: applied.collect(),
        seconds,
    })
}

/// What is refused because it is a program, by the command that would count it as applied.
fn programs(text: &str) -> BTreeSet<&str> {
    let refused = text.split("error[LIM-F034]").skip(1);
    let commands = refused.filter_map(|told| Some(told.split_once("--mark-applied ")?.1));
    commands.filter_map(|rest| rest.split([';', ' ', '\n']).next()).collect()
}

/// From the first line that is an error on, for a few lines.
fn first_error(text: &str) -> String {
    let from = text.lines().skip_while(|line| !line.starts_with("error"));
    from.take(8).collect::<Vec<_>>().join("\n")
}

/// How many files the shell ran, and what it says of the one behind them.
struct Shell {
    ran: usize,
    stopped: Option<String>,
}

fn by_shell(project: &Project, files: &[PathBuf], database: &Database) -> Result<Shell> {
    for (ran, path) in files.iter().enumerate() {
        let script = scripts::read(path, project.format, project.engine)?;
        if let Err(stopped) = database.run(&script)? {
            return Ok(Shell { ran, stopped: Some(stopped) });
        }
    }
    Ok(Shell { ran: files.len(), stopped: None })
}

fn verdict(
    project: &Project,
    files: &[PathBuf],
    done: &Done,
    shell: &Shell,
    ours: &Content,
    theirs: &Content,
) -> Verdict {
    let name = |path: &PathBuf| {
        let last = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // The file of each migration has the same name there.
        match project.format {
            Format::Diesel | Format::Prisma => {
                path.parent().and_then(Path::file_name).map_or(last, |folder| folder.to_string_lossy().into_owned())
            }
            _ => last,
        }
    };
    let behind = |at: usize| files.get(at).map_or_else(|| "its end".to_owned(), name);
    let taken_for = if project.taken_for.is_empty() { project.format.name() } else { project.taken_for };
    if done.format != taken_for {
        return Verdict::Different(format!("limosa takes the folder for {}", done.format));
    }
    let expected: BTreeSet<&PathBuf> = files.iter().take(shell.ran).collect();
    let applied: BTreeSet<&PathBuf> = done.applied.iter().collect();
    if applied != expected {
        let lacks = expected.difference(&applied).next().map(|path| name(path)).unwrap_or_default();
        let more = applied.difference(&expected).next().map(|path| name(path)).unwrap_or_default();
        return Verdict::Different(format!(
            "limosa applied {} files and the shell {}, up to {}: limosa lacks {lacks:?}, the shell {more:?}\n{}\n{}",
            applied.len(),
            shell.ran,
            behind(shell.ran),
            done.stopped.as_deref().unwrap_or_default(),
            shell.stopped.as_deref().unwrap_or_default(),
        ));
    }
    if let Some(line) = difference(ours, theirs) {
        return Verdict::Different(line);
    }
    match (&done.stopped, project.stops) {
        (None, "") => Verdict::Same,
        (Some(_), why) if !why.is_empty() => Verdict::SameUntil(format!("{}: {why}", behind(shell.ran))),
        (None, why) => Verdict::Different(format!("it runs to its end, though {why}")),
        (Some(said), _) => Verdict::Different(format!(
            "both stop at {}\n{said}\n{}",
            behind(shell.ran),
            shell.stopped.as_deref().unwrap_or_default()
        )),
    }
}

/// The first thing that is not the same.
fn difference(ours: &Content, theirs: &Content) -> Option<String> {
    let differs = ours.schema.iter().zip(&theirs.schema).find(|(one, other)| one != other);
    if let Some((one, other)) = differs {
        return Some(format!("the schemas differ: limosa {one:?}, the shell {other:?}"));
    }
    if ours.schema.len() != theirs.schema.len() {
        return Some(format!("the schemas have {} and {} lines", ours.schema.len(), theirs.schema.len()));
    }
    let rows = ours.rows.iter().find(|(table, rows)| theirs.rows.get(*table) != Some(rows));
    rows.map(|(table, rows)| format!("limosa leaves {rows} rows in {table}, the shell {:?}", theirs.rows.get(table)))
}
