//! The limosa command.

mod args;
mod ask;
mod call;
mod commands;
mod configuration;
mod console;
mod consumers;
mod entry;
mod interrupt;
mod panics;
mod progress;
mod render;

use std::process::ExitCode;

/// One heap for all threads: what the readers of files give back serves whoever decides on them. musl's own allocator gives pages back with
/// each release, which takes SQLite twice the time; for that, and whatever else is C, there is mimalloc.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[cfg(target_env = "musl")]
use mimalloc as _;

fn main() -> ExitCode {
    panics::install();
    ExitCode::from(panics::guard(|| entry::run(std::env::args_os().collect())))
}
