//! The binary as its users meet it: exit code, standard output and standard error together.
#![expect(clippy::unwrap_used, reason = "a test's own functions fail the test as the test does")]

mod behaviour;
mod branches;
mod clocks;
mod disk_full;
#[cfg(feature = "postgres")]
mod examples;
mod huge_file;
mod interrupt;
mod interrupt_keeping;
mod json;
mod kill_walk;
#[cfg(feature = "mysql")]
mod kill_walk_mysql;
mod many_runners;
#[cfg(feature = "mysql")]
mod mysql;
mod paused;
#[cfg(feature = "postgres")]
mod postgres;
mod scenario;
mod secrets;
#[cfg(all(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod shown_commands;
#[cfg(feature = "otel")]
mod spans;
mod stage;
mod terminal;
mod this_build;
mod unread;

/// The binary under test.
const LIMOSA: &str = env!("CARGO_BIN_EXE_limosa");
