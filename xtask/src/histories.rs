//! `cargo xtask histories` and `cargo xtask fixtures`: limosa beside what public projects and the real tools do.

use std::process::Command;

use anyhow::{Context, Result};

use crate::cargo::Workspace;
use crate::provision::{self, Range};

/// Provides servers, builds limosa, and runs the program `histories` with these options and arguments. It needs the network.
pub(crate) fn run(workspace: &Workspace, range: Range, arguments: &[String], options: &[&str]) -> Result<u8> {
    let servers = provision::provide(workspace, range)?;
    eprint!("{servers}");
    let environment = servers.environment()?;
    // One call builds both: what they share has other features when each is built by itself, and would be built anew every time.
    let mut build = workspace.cargo();
    build.args(["build", "--quiet", "-p", "limosa-cli", "-p", "histories"]);
    let mut program = Command::new(workspace.target.join("debug/histories"));
    program.current_dir(&workspace.root).args(options).args(arguments).envs(environment);
    for command in [&mut build, &mut program] {
        let status = command.status().with_context(|| format!("cannot run {}", command.get_program().display()))?;
        if !status.success() {
            return Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1));
        }
    }
    Ok(0)
}
