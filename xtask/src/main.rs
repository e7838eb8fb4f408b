//! Work on the workspace itself: `cargo xtask COMMAND`.
//!
//! Run it without a command to see the list.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "talking to a terminal is its work")]

mod book;
mod cargo;
mod ci;
mod histories;
mod provision;
mod release;
mod static_binary;
mod tests_run;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;

use crate::cargo::Workspace;
use crate::provision::{CannotProvide, Range};

const USAGE: &str = "\
cargo xtask COMMAND

  test [OPTIONS] [-- ARGUMENTS]   find or install test servers, run all tests
                                  (ARGUMENTS go to `cargo test --workspace`; without any, the exact
                                  parsers and the spans are tested, too)
  provision [OPTIONS]             find or install test servers, show them
  tidy                            check arrows between crates, file sizes, names, lints, links
  check                           formatting, clippy, documentation, tidy, dependencies:
                                  everything but the tests
  ci [OPTIONS]                    check, then test
  docs                            build the book of docs/, with mdbook
  histories [-- ARGUMENTS]        run public projects' migrations with limosa and with the engines'
                                  shells, and compare (ARGUMENTS: names of projects, --help)
  fixtures [-- ARGUMENTS]         let the real tools migrate, take over with limosa, give back
                                  (ARGUMENTS: names of tools; --pages writes the dumps anew with
                                  which the pages of docs/coming-from begin)
  static [-- ARGUMENTS]           build a static binary for musl
                                  (ARGUMENTS go to `cargo build` in place of `--release`)
  release [OPTIONS] [-- ARGUMENTS]
                                  build what is handed out: static where it can be, watched at its
                                  work, and linked with its functions in the order of use; needs
                                  valgrind (ARGUMENTS: --target x86_64-unknown-linux-gnu for one that
                                  uses the libraries of the machine)

Options, which say more servers than one older and the newest PostgreSQL, PgBouncer and one MariaDB:

  --all-postgres   PostgreSQL 14 to 18
  --all-mysql      a newer MariaDB and MySQL 8.0, which need Maven and linux on x86_64
  --all            both
";

/// The command line is wrong, or a machine lacks what cannot be installed.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<CannotProvide>() { EXIT_USAGE } else { 1 })
        }
    }
}

fn run(arguments: &[String]) -> Result<u8> {
    let (own, for_cargo) = match arguments.iter().position(|word| word == "--") {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => (arguments, &[][..]),
    };
    let Some((command, options)) = own.split_first() else {
        print!("{USAGE}");
        return Ok(EXIT_USAGE);
    };
    let mut range = Range::default();
    for option in options {
        match option.as_str() {
            "--all-postgres" => range.all_postgres = true,
            "--all-mysql" => range.all_mysql = true,
            "--all" => range = Range { all_postgres: true, all_mysql: true },
            other => return usage(&format!("unknown option {other}")),
        }
    }
    match command.as_str() {
        "test" => tests_run::run(&Workspace::find()?, range, for_cargo),
        "provision" => {
            print!("{}", provision::provide(&Workspace::find()?, range)?);
            Ok(0)
        }
        "tidy" => tidy::run(&Workspace::find()?),
        "check" => ci::check(&Workspace::find()?),
        "ci" => ci::all(&Workspace::find()?, range),
        "docs" => book::build(&Workspace::find()?),
        "histories" => histories::run(&Workspace::find()?, range, for_cargo, &[]),
        "fixtures" => histories::run(&Workspace::find()?, range, for_cargo, &["--fixtures"]),
        "release" => release::build(&Workspace::find()?, range, for_cargo),
        "static" => static_binary::build(&Workspace::find()?, for_cargo),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(0)
        }
        other => usage(&format!("unknown command {other}")),
    }
}

fn usage(problem: &str) -> Result<u8> {
    eprintln!("error: {problem}\n\n{USAGE}");
    Ok(EXIT_USAGE)
}
