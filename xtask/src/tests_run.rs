//! `cargo xtask test`: all tests, on a machine where no database server runs.

use std::env;
use std::thread::available_parallelism;

use anyhow::{Context, Result};

use crate::cargo::{EXACT_PARSERS, SPANS, Workspace};
use crate::provision::{self, Range};

/// How many tests run at a time besides one for each processor: most wait for a server, or for time to pass.
const TESTS_THAT_WAIT: usize = 2;

/// Provides servers, then runs `cargo test --workspace` with its output untouched. Where no arguments choose among the tests, those
/// that stand behind features run, too: the exact parsers with all others, and the spans in a second call, for the binary that has
/// them is another one.
///
/// All calls choose the whole workspace, so that the crates of others have the same features in each and are built once.
///
/// Returns cargo's own exit code, of the first call that failed.
pub(crate) fn run(workspace: &Workspace, range: Range, arguments: &[String]) -> Result<u8> {
    let servers = provision::provide(workspace, range)?;
    eprint!("{servers}");
    let mut environment = servers.environment()?;
    if env::var_os("RUST_TEST_THREADS").is_none() {
        let threads = available_parallelism().map_or(1, usize::from) + TESTS_THAT_WAIT;
        environment.push(("RUST_TEST_THREADS", threads.to_string().into()));
    }
    let cargo_test = |words: &[&str]| -> Result<u8> {
        let mut command = workspace.cargo();
        command.args(["test", "--workspace"]).args(words).args(arguments).envs(environment.clone());
        let status = command.status().context("cannot run cargo test")?;
        Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
    };
    if !arguments.is_empty() {
        return cargo_test(&[]);
    }
    // What cannot be had fails the run, but not before the other tests have shown what they find.
    let has_libclang = provision::provide_libclang();
    let features = if has_libclang.is_ok() { EXACT_PARSERS } else { "" };
    let code = match cargo_test(&["--features", features])? {
        0 => cargo_test(&["--features", &format!("{features},{SPANS}"), "--bin", "limosa", "--test", "it", "spans"])?,
        code => code,
    };
    has_libclang.map(|()| code)
}
