//! `cargo xtask release`: the binary that is handed out.

use anyhow::{Context, Result};

use crate::EXIT_USAGE;
use crate::cargo::Workspace;
use crate::provision::{self, Range};
use crate::static_binary;

/// Provides servers, valgrind, and what a static binary is built with, and lets the program `bench` build limosa, which it watches at the work that it measures otherwise. The
/// last line that is printed is the path of the binary.
pub(crate) fn build(workspace: &Workspace, range: Range, arguments: &[String]) -> Result<u8> {
    let targets = arguments.iter().map(|word| word.trim_start_matches("--target="));
    for target in targets.filter(|target| target.ends_with("-musl")) {
        if !static_binary::can_be_built(target)? {
            return Ok(EXIT_USAGE);
        }
    }
    if !arguments.iter().any(|word| word.starts_with("--target"))
        && let Err(reason) = provision::provide_musl(&static_binary::target())
    {
        eprintln!("no static binary can be built here: {reason}");
    }
    if let Err(reason) = provision::provide_valgrind() {
        eprintln!("error: valgrind is missing, and cannot be installed: {reason}");
        return Ok(EXIT_USAGE);
    }
    let servers = provision::provide(workspace, range)?;
    eprint!("{servers}");
    let mut bench = workspace.cargo();
    bench.args(["run", "--quiet", "--release", "-p", "bench", "--", "--build"]).args(arguments);
    let status = bench.envs(servers.environment()?).status().context("cannot run bench")?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
