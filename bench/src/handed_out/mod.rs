//! limosa as it is handed out: static where this machine can build it so, in its release form, watched at its work, and linked anew with its
//! functions and constants in the order of use.
//!
//! A static binary needs 1.8 MiB less memory than one that uses the libraries of the machine. The order takes a third off the memory of a
//! command, which is mostly pages of code, and a sixth off the time of one that finds nothing to do. The compiler does its work once: the
//! linker keeps what it was given, and is called a second time with the order.

mod callgrind;
mod constants;
mod linking;
mod order;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, ensure};

use crate::layouts::Layouts;
use crate::place::Place;
use crate::tools::{self, Task, Tool};
use crate::workload::{self, Engine};
use crate::{absolute, servers, stopwatch};
use linking::Kept;
use order::{Run, order};

/// Migrations of a run that is watched, and how many of them are taken back: enough for several threads to read them, and for progress to be
/// told.
const MIGRATIONS: usize = 400;
const TAKEN_BACK: usize = 20;

/// Why it cannot be watched here, if so.
pub(crate) fn obstacle() -> Option<&'static str> {
    let found = cfg!(target_os = "linux") && tools::in_path("valgrind").is_ok();
    (!found).then_some(
        "its use of functions is watched by valgrind on Linux, which is not in PATH: apt-get install valgrind",
    )
}

/// The target of the compiler that a static binary for this machine is built for, or what it lacks.
pub(crate) fn static_target() -> Result<String, String> {
    let triple = format!("{}-unknown-linux-musl", env::consts::ARCH);
    let folder = Command::new("rustc").args(["--print", "target-libdir", "--target", &triple]).output();
    let folder = folder.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    if !folder.is_ok_and(|folder| Path::new(&folder).is_dir()) {
        return Err(format!("rustup target add {triple}"));
    }
    // SQLite and ring are C.
    match tools::in_path("musl-gcc") {
        Ok(_) => Ok(triple),
        Err(_) => Err("apt-get install musl-tools".to_owned()),
    }
}

/// Where it is built below `target` for a target `triple` of the compiler, or for this machine with its libraries.
pub(crate) fn place(target: &Path, triple: Option<&str>) -> PathBuf {
    triple.map_or_else(|| target.to_owned(), |triple| target.join(triple)).join("dist/ordered/limosa")
}

/// Builds it below `target`, for the target `triple` of the compiler, or static where nothing is said and it can be. Where nothing changed
/// since, nothing is done.
///
/// # Errors
/// It cannot be built, no run of it can be watched, or it cannot be linked.
pub(crate) fn build(target: &Path, triple: Option<&str>) -> Result<PathBuf> {
    let target = absolute(target)?;
    let found = match triple {
        Some(triple) => Ok(triple.to_owned()),
        None => static_target(),
    };
    if let Err(missing) = &found {
        println!("limosa uses the libraries of this machine; for a static one: {missing}");
    }
    let triple = found.as_deref().ok();
    let program = place(&target, triple);
    let folder = program.ancestors().nth(2).context("a program stands in a folder")?;
    let kept = Kept::below(folder);
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
