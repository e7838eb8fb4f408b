//! `cargo xtask test`: all tests, on a machine where no database server runs.

use anyhow::{Context, Result};

use crate::cargo::Workspace;
use crate::provision::{self, Range};

/// Provides servers, then runs `cargo test --workspace` with its output untouched.
///
/// Returns cargo's own exit code.
pub(crate) fn run(workspace: &Workspace, range: Range, arguments: &[String]) -> Result<u8> {
    let servers = provision::provide(workspace, range)?;
    eprint!("{servers}");
    let status = workspace
        .cargo()
        .args(["test", "--workspace"])
        .args(arguments)
        .envs(servers.environment()?)
        .status()
        .context("cannot run cargo test")?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
