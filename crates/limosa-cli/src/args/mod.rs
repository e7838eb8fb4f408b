//! The command line: one definition, from which parsing, help, man pages and completions come.

mod examples;
mod first_look;
#[cfg(test)]
mod pages;
mod settings;
mod this_build;
mod values;

use std::ffi::OsString;

use clap::{ArgMatches, CommandFactory, Parser};

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
    /// Say only what went wrong, and how it ended.
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

/// Understands a command line in which `chosen` is the first word that is no flag.
///
/// # Errors
/// What clap says of it, help and version among it.
pub(crate) fn matches(arguments: &[OsString], chosen: &str) -> Result<ArgMatches, clap::Error> {
    let whole = parsed();
    // clap gives the flags of every command to each of them before it looks which one is meant: that is half of what it takes until
    // a command begins. What the chosen one alone does not understand is left to the whole, which knows what to say.
    if let Some(command) = whole.find_subcommand(chosen) {
        let alone = clap::Command::new(whole.get_name().to_owned()).subcommand_required(true);
        let alone = alone.args(whole.get_arguments().cloned()).subcommand(command.clone());
        if let Ok(matches) = alone.try_get_matches_from(arguments) {
            return Ok(matches);
        }
    }
    whole.try_get_matches_from(arguments)
}

/// The words that name the chosen command: `audit verify`.
pub(crate) fn name(matches: &ArgMatches) -> String {
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
    use clap::error::ErrorKind;

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
                let words: Vec<OsString> =
                    ["limosa".to_owned()].into_iter().chain(words(example)).map(OsString::from).collect();
                let matches = super::command()
                    .try_get_matches_from(&words)
                    .unwrap_or_else(|error| panic!("limosa {example}\n{error}"));
                let understood =
                    |matches: &ArgMatches| format!("{:?} {:?}", Limosa::from_arg_matches(matches), layer(matches));
                assert_eq!(
                    understood(&super::matches(&words, name).unwrap()),
                    understood(&matches),
                    "limosa {example}"
                );
                assert!(self::name(&matches).starts_with(name), "limosa {example} stands at {name}");
                Limosa::from_arg_matches(&matches).unwrap();
            }
        }
    }

    #[test]
    fn a_word_that_only_looks_like_the_command_does_not_hide_it() {
        let understood = |line: &str, chosen: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            super::matches(&words, chosen).map(|matches| self::name(&matches)).map_err(|error| error.kind())
        };
        assert_eq!(understood("limosa --environment plan migrate", "plan").unwrap(), "migrate");
        assert_eq!(understood("limosa plan --environment migrate", "plan").unwrap(), "plan");
        assert_eq!(understood("limosa audit verify", "audit").unwrap(), "audit verify");
        assert_eq!(understood("limosa plan status", "plan"), Err(ErrorKind::UnknownArgument));
        assert_eq!(understood("limosa migrate --help", "migrate"), Err(ErrorKind::DisplayHelp));
        assert_eq!(understood("limosa migrate --version", "migrate"), Err(ErrorKind::DisplayVersion));
        assert_eq!(understood("limosa migrat", "migrat"), Err(ErrorKind::InvalidSubcommand));
        assert_eq!(understood("limosa", ""), Err(ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand));
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
