//! limosa as it is handed out: built in its release form, watched at its work, and linked anew with its functions and constants in the order
//! of use.
//!
//! That takes a third off the memory of a command, which is mostly pages of code, and a sixth off the time of one that finds nothing to
//! do. The compiler does its work once: the linker keeps what it was given, and is called a second time with the order.

mod callgrind;
mod constants;
mod linking;
mod order;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::layouts::Layouts;
use crate::place::Place;
use crate::tools::{self, Task, Tool};
use crate::workload::{self, Engine};
use crate::{absolute, servers, stopwatch};
use linking::Kept;
use order::{Run, order};

/// Migrations of a run that is watched, and how many of them are taken back.
const MIGRATIONS: usize = 100;
const TAKEN_BACK: usize = 20;

/// Why it cannot be watched here, if so.
pub(crate) fn obstacle() -> Option<&'static str> {
    let found = cfg!(target_os = "linux") && tools::in_path("valgrind").is_ok();
    (!found).then_some(
        "its use of functions is watched by valgrind on Linux, which is not in PATH: apt-get install valgrind",
    )
}

/// Builds it below `target`, for this machine or for the target `triple` of the compiler. Where nothing changed since, nothing is done.
///
/// # Errors
/// It cannot be built, no run of it can be watched, or it cannot be linked.
pub(crate) fn build(target: &Path, triple: Option<&str>) -> Result<PathBuf> {
    let target = absolute(target)?;
    let folder = triple.map_or_else(|| target.clone(), |triple| target.join(triple)).join("dist");
    let (kept, program) = (Kept::below(&folder), folder.join("ordered/limosa"));
    kept.compile(triple)?;
    if kept.is_older_than(&program) {
        return Ok(program);
    }
    let runs = watch(&folder.join("limosa"), &target.join("bench/watched"))?;
    let functions = order(&runs);
    ensure!(!functions.is_empty(), "valgrind saw no function of limosa's");
    kept.link(&functions, &program)?;
    println!("{} functions in the order of use: {}", functions.len(), program.display());
    Ok(program)
}

/// Lets it work with each engine that is here, and says which functions each command went through.
fn watch(program: &Path, folder: &Path) -> Result<Vec<(Run, BTreeSet<String>)>> {
    let mut runs = Vec::new();
    let mut add = |engine: u8, place: Place<'_>, name: Engine| -> Result<()> {
        let layouts = Layouts::write(&folder.join("forms"), name, &workload::migrations(name, MIGRATIONS), TAKEN_BACK)?;
        let tool = Tool::limosa(program);
        let looks = |verb| tool.look(verb, &place, &layouts);
        let does = |task| tool.command(task, &place, &layouts).context("limosa has no such command");
        let commands = [
            looks("plan"),
            does(Task::Apply)?,
            does(Task::Nothing)?,
            looks("status"),
            looks("validate"),
            does(Task::Rollback(TAKEN_BACK))?,
        ];
        for (command, words) in (0..).zip(commands) {
            runs.push((Run { engine, command }, watch_one(program, &words, folder)?));
        }
        place.remove()
    };
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let sqlite = tools::in_path("sqlite3");
    match &sqlite {
        Ok(shell) => add(0, Place::sqlite(shell, folder, MIGRATIONS)?, Engine::Sqlite)?,
        Err(reason) => println!("not watched with SQLite: its shell sqlite3 is {reason}"),
    }
    match servers::start_postgres(false) {
        Ok(server) => add(1, Place::postgres(&server, None, MIGRATIONS)?, Engine::Postgres)?,
        Err(error) => println!("not watched with PostgreSQL: {error:#}"),
    }
    match servers::start_mysql(false) {
        Ok(server) => add(2, Place::mysql(&server, MIGRATIONS)?, Engine::Mysql)?,
        Err(error) => println!("not watched with MariaDB: {error:#}"),
    }
    Ok(runs)
}

/// Runs one command below valgrind.
fn watch_one(program: &Path, words: &[String], folder: &Path) -> Result<BTreeSet<String>> {
    let profile = folder.join("profile");
    let valgrind = ["valgrind", "--tool=callgrind", "--demangle=no", "--quiet"].map(str::to_owned);
    let out = format!("--callgrind-out-file={}", profile.display());
    let words: Vec<String> = valgrind.into_iter().chain([out]).chain(words.iter().cloned()).collect();
    stopwatch::measure(&words, folder)?;
    let text = fs::read_to_string(&profile).with_context(|| format!("valgrind wrote no {}", profile.display()))?;
    fs::remove_file(&profile)?;
    let program = program.to_str().context("the path of the target folder is no UTF-8")?;
    Ok(callgrind::functions(&text, program))
}
