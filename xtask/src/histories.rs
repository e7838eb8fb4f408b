//! `cargo xtask histories` and `cargo xtask fixtures`: limosa beside what public projects and the real tools do.

use anyhow::{Context, Result};

use crate::cargo::Workspace;
use crate::provision::{self, Range};

/// Provides servers, builds limosa, and runs the program `histories` with these options and arguments. It needs the network.
pub(crate) fn run(workspace: &Workspace, range: Range, arguments: &[String], options: &[&str]) -> Result<u8> {
    let servers = provision::provide(workspace, range)?;
    eprint!("{servers}");
    let environment = servers.environment()?;
    for words in [&["build", "--quiet", "-p", "limosa-cli"][..], &["run", "--quiet", "-p", "histories", "--"]] {
        let mut command = workspace.cargo();
        command.args(words).envs(environment.clone());
        if words[0] == "run" {
            command.args(options).args(arguments);
        }
        let status = command.status().context("cannot run cargo")?;
        if !status.success() {
            return Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1));
        }
    }
    Ok(0)
}
