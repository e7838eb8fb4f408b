//! `cargo xtask check` and `cargo xtask ci`: what a change must pass.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::cargo::{SPANS, Workspace};
use crate::provision::Range;
use crate::{tests_run, tidy};

/// Runs everything but the tests; all stages run, even after one has failed.
pub(crate) fn check(workspace: &Workspace) -> Result<u8> {
    let mut stages = Stages::default();
    checks(workspace, &mut stages);
    Ok(stages.finish())
}

/// Runs everything.
pub(crate) fn all(workspace: &Workspace, range: Range) -> Result<u8> {
    let mut stages = Stages::default();
    checks(workspace, &mut stages);
    stages.run("tests", || tests_run::run(workspace, range, &[]).map(|code| code == 0));
    Ok(stages.finish())
}

fn checks(workspace: &Workspace, stages: &mut Stages) {
    let cargo = |arguments: &[&str]| {
        let mut command = workspace.cargo();
        command.args(arguments);
        command
    };
    stages.run("formatting", || succeeds(&mut cargo(&["fmt", "--all", "--check"])));
    stages.run("clippy", || {
        let words = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
        succeeds(&mut cargo(&words))
    });
    // The whole workspace again: chosen alone, the binary has other features in the crates below it, and all are built anew.
    stages.run("clippy with spans", || {
        let words = ["clippy", "--workspace", "--all-targets", "--features", SPANS, "--", "-D", "warnings"];
        succeeds(&mut cargo(&words))
    });
    // As somebody installs it: with no feature that only a test or another member asks for.
    stages.run("binary alone", || succeeds(&mut cargo(&["check", "-p", "limosa-cli"])));
    stages.run("documentation", || {
        let mut command = cargo(&["doc", "--workspace", "--no-deps", "--features", SPANS]);
        succeeds(command.env("RUSTDOCFLAGS", "-D warnings"))
    });
    stages.run("tidy", || tidy::run(workspace).map(|code| code == 0));
    // Its advisory database may be out of reach; what it checks offline is enough here.
    if succeeds_silently(cargo(&["deny", "--version"])) {
        stages.run("dependencies", || succeeds(&mut cargo(&["deny", "check", "bans", "licenses", "sources"])));
    } else {
        println!("== dependencies: left out, for cargo-deny is not installed");
    }
}

/// Names, results and seconds of what has run.
#[derive(Default)]
struct Stages {
    done: Vec<(&'static str, bool, f64)>,
}

impl Stages {
    fn run(&mut self, name: &'static str, action: impl FnOnce() -> Result<bool>) {
        println!("== {name}");
        let begun = Instant::now();
        let passed = action().unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            false
        });
        self.done.push((name, passed, begun.elapsed().as_secs_f64()));
    }

    /// Prints the summary and returns the exit code.
    fn finish(self) -> u8 {
        println!("==");
        for (name, passed, seconds) in &self.done {
            let result = if *passed { "passed" } else { "FAILED" };
            println!("{name:<17} {result}  {seconds:7.1} s");
        }
        u8::from(self.done.iter().any(|stage| !stage.1))
    }
}

fn succeeds(command: &mut Command) -> Result<bool> {
    let status = command.status().with_context(|| format!("cannot run {}", command.get_program().to_string_lossy()))?;
    Ok(status.success())
}

fn succeeds_silently(mut command: Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
