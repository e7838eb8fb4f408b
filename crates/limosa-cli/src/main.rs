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

fn main() -> ExitCode {
    panics::install();
    ExitCode::from(panics::guard(|| entry::run(std::env::args_os().collect())))
}
