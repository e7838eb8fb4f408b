//! Measures limosa beside other migration tools and the engines' own shells; see README.md.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its tables are for a terminal")]

mod adoption;
mod delay;
mod handed_out;
mod layouts;
mod ledger_cost;
mod ledger_sql;
mod place;
mod report;
mod servers;
mod stopwatch;
mod tools;
mod workload;

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result, bail};
use clap::Parser;

use crate::layouts::Layouts;
use crate::place::Place;
use crate::report::Line;
use crate::tools::{Task, Tool};
use crate::workload::Engine;

/// Measures limosa beside other migration tools and the engines' own shells, all in one go.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    /// How many migrations; several numbers are measured one after the other
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "100")]
    migrations: Vec<usize>,

    /// How often each tool runs
    #[arg(long, value_name = "R", default_value = "3")]
    rounds: usize,

    /// Only this engine
    #[arg(long, value_name = "ENGINE")]
    only: Option<Engine>,

    /// Only tools whose names begin so; the objects are counted all the same
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    tools: Vec<String>,

    /// PostgreSQL and MariaDB wait for the disk at each commit, as a server in use does
    #[arg(long)]
    durable: bool,

    /// Put a network between the tools and PostgreSQL whose way there and back takes so many milliseconds
    #[arg(long, value_name = "MS")]
    delay: Option<u64>,

    /// Measure what the ledger row and the forms of the audit chain cost, in place of the tools
    #[arg(long)]
    ledger_cost: bool,

    /// Measure how long limosa takes to verify what sqlx has migrated on SQLite, in place of the tools
    #[arg(long, conflicts_with = "ledger_cost")]
    adopt: bool,

    /// Build limosa as it is handed out, with its functions in the order of use, and measure nothing
    #[arg(long, conflicts_with_all = ["ledger_cost", "adopt"])]
    build: bool,

    /// A target of the compiler to build it for, such as x86_64-unknown-linux-musl
    #[arg(long, value_name = "TRIPLE", requires = "build")]
    target: Option<String>,
}

/// Migrations that are taken back.
const UNDONE: usize = 100;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let done = match words.first() {
        Some(first) if first == stopwatch::WORD => stopwatch::run(&words[1..]),
        _ => {
            let arguments = Arguments::parse();
            move_to_memory(&arguments).and_then(|()| run(&arguments)).map(|()| ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// The folder of a file system in memory, on Linux.
const MEMORY: &str = "/dev/shm";

/// Starts this program again with the servers' data in memory, where that was not decided by `TMPDIR`: making and dropping
/// hundreds of files takes a disk twice as long at one time as at another.
fn move_to_memory(arguments: &Arguments) -> Result<()> {
    if arguments.durable || env::var_os("TMPDIR").is_some() || !Path::new(MEMORY).is_dir() {
        return Ok(());
    }
    let program = env::current_exe().context("where is this program?")?;
    let error = Command::new(program).args(env::args_os().skip(1)).env("TMPDIR", MEMORY).exec();
    Err(error).context("cannot start this program again")
}

fn run(arguments: &Arguments) -> Result<()> {
    if arguments.build {
        if let Some(obstacle) = handed_out::obstacle() {
            bail!("{obstacle}");
        }
        let program = handed_out::build(&target(), arguments.target.as_deref())?;
        println!("{}", program.display());
        return Ok(());
    }
    println!("CPU stalled in the last minute, before: {}", report::pressure());
    let wanted = |engine| arguments.only.is_none_or(|only| only == engine);
    if arguments.ledger_cost {
        let server = servers::start_postgres(arguments.durable)?;
        for &count in &arguments.migrations {
            print!("{}", ledger_cost::measure(&server, count, arguments.rounds)?);
        }
    } else if arguments.adopt {
        for &count in &arguments.migrations {
            let root = absolute(&target().join("bench").join("adopt").join(count.to_string()))?;
            print!("{}", adoption::measure(&target(), &root, count, arguments.rounds)?);
        }
    } else {
        if wanted(Engine::Postgres) {
            let server = servers::start_postgres(arguments.durable)?;
            let shell = tools::psql(server.version());
            let through = match arguments.delay {
                Some(delay) => {
                    println!("through a network of {delay} ms");
                    Some(delay::before(server.port(), Duration::from_millis(delay))?)
                }
                None => None,
            };
            measure_engine(arguments, Engine::Postgres, shell.as_deref(), |_, count| {
                Place::postgres(&server, through, count)
            })?;
        }
        if wanted(Engine::Sqlite) {
            match tools::in_path("sqlite3") {
                Ok(shell) => measure_engine(arguments, Engine::Sqlite, Some(&shell), |folder, count| {
                    Place::sqlite(&shell, folder, count)
                })?,
                Err(reason) => println!("skipped: SQLite: its shell sqlite3 is {reason}"),
            }
        }
        if wanted(Engine::Mysql) {
            let server = servers::start_mysql(arguments.durable)?;
            let shell = ["mariadb", "mysql"].iter().find_map(|name| server.version().program(name));
            measure_engine(arguments, Engine::Mysql, shell.as_deref(), |_, count| Place::mysql(&server, count))?;
        }
    }
    println!("\nCPU stalled in the last minute, after: {}", report::pressure());
    Ok(())
}

/// Where cargo builds to; all files of a bench stand below it.
fn target() -> PathBuf {
    let built = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    built.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"))
}

fn measure_engine<'a>(
    arguments: &Arguments,
    engine: Engine,
    shell: Option<&Path>,
    fresh: impl Fn(&Path, usize) -> Result<Place<'a>>,
) -> Result<()> {
    let target = target();
    let (mut tools, missing) = tools::find(engine, &target, shell.map(Path::to_owned))?;
    let is_wanted =
        |tool: &Tool| arguments.tools.is_empty() || arguments.tools.iter().any(|name| tool.name.starts_with(name));
    tools.retain(is_wanted);
    println!("\n## {engine}");
    for line in missing {
        println!("{line}");
    }
    for &count in &arguments.migrations {
        let root = target.join("bench").join(engine.word()).join(count.to_string());
        let root = absolute(&root)?;
        let undone = UNDONE.min(count);
        let layouts = Layouts::write(&root.join("forms"), engine, &workload::migrations(engine, count), undone)?;
        let folder = root.join("run");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;

        let tasks = [Task::Apply, Task::Nothing, Task::Status, Task::Rollback(undone)];
        let mut taken: Vec<Vec<Line>> = tasks
            .iter()
            .map(|_| tools.iter().map(|tool| Line { name: tool.name, runs: Vec::new() }).collect())
            .collect();
        for round in 0..arguments.rounds {
            for step in 0..tools.len() {
                let at = (round + step) % tools.len();
                let tool = &tools[at];
                let place = fresh(&folder, count)?;
                tool.prepare(&place, &layouts)?;
                for (task, lines) in tasks.iter().zip(&mut taken) {
                    match measure(tool, *task, &place, &layouts, &folder) {
                        Ok(runs) => lines[at].runs.extend(runs),
                        Err(error) => println!("\nFAILED, left out: {}, {task:?}: {error:#}", tool.name),
                    }
                }
                place.remove()?;
            }
        }
        for (task, lines) in tasks.iter().zip(&taken) {
            let title = match task {
                Task::Apply => format!("{engine}: apply {count} migrations to an empty database"),
                Task::Nothing => format!("{engine}: nothing pending of {count}"),
                Task::Status => format!("{engine}: status of {count}"),
                Task::Rollback(undone) => format!("{engine}: take back {undone} of {count}"),
            };
            print!("{}{}", report::table(&title, lines), report::chart(lines));
        }
    }
    Ok(())
}

/// Runs one task of one tool, and looks whether the right objects stand after it.
fn measure(
    tool: &Tool,
    task: Task,
    place: &Place<'_>,
    layouts: &Layouts,
    folder: &Path,
) -> Result<Option<stopwatch::Taken>> {
    let Some(words) = tool.command(task, place, layouts) else { return Ok(None) };
    let taken = stopwatch::measure(&words, folder)?;
    place.verify(match task {
        Task::Rollback(undone) => place.migrations - undone,
        _ => place.migrations,
    })?;
    Ok(Some(taken))
}

fn absolute(path: &Path) -> Result<PathBuf> {
    fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    path.canonicalize().with_context(|| format!("cannot find {}", path.display()))
}
