//! How long limosa takes to recognise, read and verify a folder and a database that another tool has migrated.

use std::path::Path;

use anyhow::{Context, Result};

use crate::layouts::Layouts;
use crate::place::Place;
use crate::report::{self, Line};
use crate::stopwatch;
use crate::tools::{self, Task};
use crate::workload::{self, Engine};

/// Lets sqlx, which keeps a checksum of each file, migrate a SQLite database; then measures the status of the old tool and what
/// limosa would take over. Gives a table.
///
/// # Errors
/// Where sqlx or limosa are not to be had, or fail.
pub(crate) fn measure(target: &Path, root: &Path, count: usize, rounds: usize) -> Result<String> {
    let shell = tools::in_path("sqlite3").map_err(anyhow::Error::msg).context("SQLite's shell is")?;
    let (tools, missing) = tools::find(Engine::Sqlite, target, Some(shell.clone()))?;
    let named = |name: &str| {
        let found = tools.iter().find(|tool| tool.name == name);
        found.with_context(|| format!("there is no {name}: {}", missing.join("; ")))
    };
    let (sqlx, limosa) = (named("sqlx")?, named("limosa")?);
    let engine = Engine::Sqlite;
    let layouts = Layouts::write(&root.join("forms"), engine, &workload::migrations(engine, count), 0)?;
    let folder = root.join("run");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let place = Place::sqlite(&shell, &folder, count)?;
    // sqlx makes no file by itself.
    let file = place.plain_url();
    std::fs::File::create(&file).with_context(|| format!("cannot make {file}"))?;
    let apply = sqlx.command(Task::Apply, &place, &layouts).context("sqlx applies")?;
    stopwatch::measure(&apply, &folder)?;
    place.verify(count)?;
    let info = sqlx.command(Task::Status, &place, &layouts).context("sqlx tells its state")?;
    let mut lines = Vec::new();
    for (words, name) in [(info, "sqlx migrate info"), (limosa.adoption(&place, &layouts), "limosa")] {
        let runs = (0..rounds).map(|_| stopwatch::measure(&words, &folder)).collect::<Result<_>>()?;
        lines.push(Line { name, runs });
    }
    place.remove()?;
    let title = format!("{engine}: recognise, read and verify {count} files against {count} rows (adopt --dry-run)");
    Ok(report::table(&title, &lines))
}
