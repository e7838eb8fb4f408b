//! The command line: one definition, from which parsing, help, man pages and completions come.

mod examples;
mod first_look;
#[cfg(test)]
mod pages;
mod settings;
mod this_build;
mod values;

use clap::{CommandFactory, Parser};

pub(crate) use first_look::FirstLook;
pub(crate) use settings::layer;
pub(crate) use values::{head, identity, statement, version};

use crate::commands::Command;

/// Moves databases without stopping anyone: runs and undoes SQL migrations.
///
/// Migrations are plain SQL files in a folder. limosa runs those that a database has not seen yet, each in one
/// transaction with its own record, one runner at a time, and says what stands whatever happens.
#[derive(Debug, Parser)]
#[command(
    name = "limosa",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Limosa {
    /// Say only what went wrong.
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = EVERYWHERE, display_order = 900)]
    pub(crate) quiet: bool,

    /// Say more: each statement as it ends, what each setting decides.
    #[arg(short, long, global = true, help_heading = EVERYWHERE, display_order = 901)]
    pub(crate) verbose: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The heading of the flags that every command has.
const EVERYWHERE: &str = "Options of every command";

/// What stands below the list of commands.
const EXIT_CODES: &str = "\
Exit codes:
  0   done
  1   the answer is no: findings, or something pending where that was asked
  2   usage, settings or migration files are wrong
  3   the database or the run failed
  4   a person is needed: half-done work, a lock that is held, a consent that is missing
  70  a bug of limosa
  130 interrupted twice";

/// What stands below them.
const CODES: &str = "What a code in a message means: limosa explain LIM-R001";

/// The whole definition.
pub(crate) fn command() -> clap::Command {
    let command = settings::add(Limosa::command()).after_help(format!("{EXIT_CODES}\n\n{CODES}"));
    examples::add(command)
}

/// The definition as it is parsed: `--version` says which build this is, `-V` only the number. Pages of the manual leave that
/// out, for they belong to all builds.
pub(crate) fn parsed() -> clap::Command {
    command().long_version(this_build::version())
}

/// The words that name the chosen command: `audit verify`.
pub(crate) fn name(matches: &clap::ArgMatches) -> String {
    let mut words = Vec::new();
    let mut level = matches.subcommand();
    while let Some((name, below)) = level {
        words.push(name);
        level = below.subcommand();
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_command_has_a_description_and_examples_that_parse() {
        for command in super::command().get_subcommands() {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name} says nothing about itself");
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples: Vec<&str> = help.lines().filter_map(|line| line.trim().strip_prefix("limosa ")).collect();
            assert!((2..=7).contains(&examples.len()), "{name} has {} examples", examples.len());
            for example in examples {
                let words = words(example);
                let matches = super::command()
                    .try_get_matches_from(["limosa".to_owned()].into_iter().chain(words))
                    .unwrap_or_else(|error| panic!("limosa {example}\n{error}"));
                assert!(self::name(&matches).starts_with(name), "limosa {example} stands at {name}");
                Limosa::from_arg_matches(&matches).unwrap();
            }
        }
    }

    /// Splits an example at blanks, as a shell does with double quotes; what follows `>` is the shell's.
    fn words(example: &str) -> Vec<String> {
        let example = example.split(" >").next().unwrap();
        let parts = example.split('"').enumerate();
        parts
            .flat_map(|(number, part)| match number % 2 {
                1 => vec![part.to_owned()],
                _ => part.split_whitespace().map(str::to_owned).collect(),
            })
            .collect()
    }
}
