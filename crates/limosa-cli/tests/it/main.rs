//! The binary as its users meet it: exit code, standard output and standard error together.

mod behaviour;
mod json;
mod scenario;
mod secrets;
mod terminal;

/// The binary under test.
const LIMOSA: &str = env!("CARGO_BIN_EXE_limosa");
