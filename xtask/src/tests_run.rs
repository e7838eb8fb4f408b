//! `cargo xtask test`: all tests, on a machine where no database server runs.

use anyhow::{Context, Result};

use crate::cargo::Workspace;
use crate::provision::{self, Range};

/// Provides servers, then runs `cargo test --workspace` with its output untouched; where no arguments choose among the tests,
/// those of the spans too, which are in the binary with a feature only.
///
/// Returns cargo's own exit code, of the first call that failed.
pub(crate) fn run(workspace: &Workspace, range: Range, arguments: &[String]) -> Result<u8> {
    let servers = provision::provide(workspace, range)?;
    eprint!("{servers}");
    let environment = servers.environment()?;
    let cargo_test = |words: &[&str]| -> Result<u8> {
        let mut command = workspace.cargo();
        command.arg("test").args(words).args(arguments).envs(environment.clone());
        let status = command.status().context("cannot run cargo test")?;
        Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
    };
    match cargo_test(&["--workspace"])? {
        0 if arguments.is_empty() => cargo_test(&["-p", "limosa-cli", "--features", "otel", "spans"]),
        code => Ok(code),
    }
}
