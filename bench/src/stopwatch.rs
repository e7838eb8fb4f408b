//! Wall time, CPU time and peak memory of one command.
//!
//! The kernel counts what a process's dead children used, over all of them. So each command is started by a process of
//! its own, this program again with [`WORD`] as first argument, which has no other child.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// First argument of the process that starts a command and measures it.
pub(crate) const WORD: &str = "--stopwatch";

/// Variables of the environment that could lead a tool somewhere else.
const FOREIGN: [&str; 8] = ["LIMOSA_", "DATABASE_URL", "PG", "DBMATE_", "MYSQL_", "MARIADB_", "GOOSE_", "FLYWAY_"];

/// What one run of a command took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) wall: Duration,
    /// User and system time of the command and its children.
    pub(crate) cpu: Duration,
    /// Largest resident set of a single process, in KiB. Not below that of the measuring process, about 4 MiB.
    pub(crate) peak_kib: i64,
}

/// Runs a command in an empty folder and measures it.
///
/// # Errors
/// The command cannot be started, or ends with another code than 0; with what it wrote last.
pub(crate) fn measure(words: &[String], folder: &Path) -> Result<Taken> {
    let report = folder.join("measured");
    let mut command = Command::new(env::current_exe().context("where is this program?")?);
    command.arg(WORD).arg(&report).args(words).current_dir(folder).env("HOME", folder).stdin(Stdio::null());
    for (name, _) in env::vars_os() {
        if FOREIGN.iter().any(|foreign| name.to_string_lossy().starts_with(foreign)) {
            command.env_remove(name);
        }
    }
    let output = command.output().context("cannot start the measuring process")?;
    if !output.status.success() {
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        let tail: Vec<&str> = text.lines().rev().take(20).collect();
        bail!("`{}` failed:\n{}", words.join(" "), tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
    }
    let text = fs::read_to_string(&report).with_context(|| format!("cannot read {}", report.display()))?;
    fs::remove_file(&report)?;
    let numbers: Vec<i64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    ensure!(numbers.len() == 3, "the measuring process wrote {text:?}");
    let micros = |at: usize| Duration::from_micros(numbers[at].unsigned_abs());
    Ok(Taken { wall: micros(0), cpu: micros(1), peak_kib: numbers[2] })
}

/// The measuring process itself: `REPORT PROGRAM ARGUMENT...`.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let [report, program, rest @ ..] = arguments else { bail!("{WORD} needs a file and a program") };
    let start = Instant::now();
    let status = Command::new(program).args(rest).status().with_context(|| format!("cannot start {program}"))?;
    let wall = start.elapsed();
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).context("cannot read what the child used")?;
    let cpu = used.user_time().num_microseconds() + used.system_time().num_microseconds();
    fs::write(report, format!("{} {cpu} {}\n", wall.as_micros(), used.max_rss()))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
