//! `cargo xtask check` and `cargo xtask ci`: what a change must pass.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::cargo::Workspace;
use crate::provision::{self, Range};
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
    stages.run("clippy with spans", || {
        let words = ["clippy", "-p", "limosa-cli", "--all-targets", "--features", "otel", "--", "-D", "warnings"];
        succeeds(&mut cargo(&words))
    });
    stages.run("documentation", || {
        let mut command = cargo(&["doc", "--workspace", "--no-deps"]);
        succeeds(command.env("RUSTDOCFLAGS", "-D warnings"))
    });
    stages.run("tidy", || tidy::run(workspace).map(|code| code == 0));
    if workspace.has("limosa-sql-oracle") {
        stages.run("exact parsers", || {
            provide_libclang()?;
            succeeds(&mut cargo(&["test", "-p", "limosa-sql-oracle", "--features", "oracle"]))
        });
    }
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

/// The exact PostgreSQL parser generates its bindings with libclang at build time.
fn provide_libclang() -> Result<()> {
    if std::env::var_os("LIBCLANG_PATH").is_some() || has_libclang() {
        return Ok(());
    }
    let debian_12 = ["libclang1-14", "libclang-common-14-dev"];
    provision::apt_install(&debian_12).or_else(|_| provision::apt_install(&["libclang-dev"])).map_err(|reason| {
        anyhow::anyhow!(
            "the exact parsers need libclang to build: {reason}. \
                 By hand: apt-get install {}, or set LIBCLANG_PATH",
            debian_12.join(" ")
        )
    })
}

fn has_libclang() -> bool {
    let names = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let mut folders: Vec<_> =
        ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/lib/x86_64-linux-gnu"].map(Into::into).into();
    folders.push("/usr/lib/aarch64-linux-gnu".into());
    folders.extend(names(Path::new("/usr/lib")).into_iter().map(|path| path.join("lib")));
    folders.iter().flat_map(|folder| names(folder)).any(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("libclang") && !name.starts_with("libclang-cpp") && name.contains(".so")
    })
}
