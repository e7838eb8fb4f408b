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

/// musl's own allocator gives pages back with each release and takes a lock for each call: it takes SQLite twice the time.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    panics::install();
    ExitCode::from(panics::guard(|| entry::run(std::env::args_os().collect())))
}
