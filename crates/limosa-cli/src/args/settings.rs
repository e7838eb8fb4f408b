//! The flags of the settings, made from the table of keys: what stands in the table stands in the help, and what is given
//! reaches the settings.

use clap::builder::{PossibleValuesParser, StyledStr};
use clap::{Arg, ArgAction, ArgMatches};
use limosa::settings::keys::{KEYS, Key, Kind};
use limosa::settings::{Layer, value_name};

use super::EVERYWHERE;

/// Keys whose flags only some commands have.
const SOME_COMMANDS: [(&str, &[&str]); 3] = [
    ("backup", &["migrate", "rollback", "reset"]),
    ("auto_rollback", &["migrate"]),
    ("metrics_file", &["migrate", "rollback", "reset", "seed"]),
];

/// Flags that have a letter.
const LETTERS: [(&str, char); 2] = [("environment", 'e'), ("database", 'd')];

/// Flags that the short help shows; `--help` shows all.
const OFTEN: [&str; 7] = ["config", "environment", "database", "dir", "placeholders", "output", "yes"];

/// Names of values that say more than those of the table.
const VALUE_NAMES: [(&str, &str); 5] =
    [("config", "FILE"), ("metrics_file", "FILE"), ("dir", "DIR"), ("backup_dir", "DIR"), ("placeholders", "K=V")];

/// Adds the flags of all keys: each where it belongs.
pub(super) fn add(mut command: clap::Command) -> clap::Command {
    for (order, key) in KEYS.iter().enumerate() {
        let Some(argument) = argument(key) else { continue };
        match SOME_COMMANDS.iter().find(|(name, _)| *name == key.name) {
            Some((_, commands)) => {
                command = command.mut_subcommands(|command| match commands.contains(&command.get_name()) {
                    true => command.arg(&argument),
                    false => command,
                });
            }
            None => {
                command = command.arg(argument.global(true).help_heading(EVERYWHERE).display_order(500 + order));
            }
        }
    }
    command
}

/// What was typed, as a layer of the settings.
pub(crate) fn layer(matches: &ArgMatches) -> Layer {
    // Global flags are known to every level; those of a command to the innermost one only.
    let mut innermost = matches;
    while let Some((_, below)) = innermost.subcommand() {
        innermost = below;
    }
    Layer::flags(|key| match innermost.try_get_many::<String>(key.name) {
        Ok(Some(values)) => values.cloned().collect(),
        _ => Vec::new(),
    })
}

fn argument(key: &'static Key) -> Option<Arg> {
    let flag = key.flag?.trim_start_matches("--");
    let mut argument = Arg::new(key.name).long(flag).help(help(key));
    let named = VALUE_NAMES.iter().find(|(name, _)| *name == key.name);
    argument = argument.value_name(named.map_or_else(|| value_name(key), |(_, name)| name));
    if let Some((_, letter)) = LETTERS.iter().find(|(name, _)| *name == key.name) {
        argument = argument.short(*letter);
    }
    if !OFTEN.contains(&key.name) && !SOME_COMMANDS.iter().any(|(name, _)| *name == key.name) {
        argument = argument.hide_short_help(true);
    }
    Some(match key.kind {
        Kind::Boolean => argument
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_parser(PossibleValuesParser::new(["true", "false"]))
            .hide_possible_values(true)
            .action(ArgAction::Set),
        Kind::Choice(words) => argument.value_parser(PossibleValuesParser::new(words)).hide_possible_values(true),
        _ if key.name == "output" => {
            argument.value_parser(PossibleValuesParser::new(["text", "json"])).hide_possible_values(true)
        }
        Kind::Map | Kind::Paths | Kind::Names => argument.action(ArgAction::Append),
        Kind::Path => argument.value_hint(clap::ValueHint::AnyPath),
        _ => argument,
    })
}

/// The meaning of a key, its default and its variable.
fn help(key: &Key) -> StyledStr {
    let mut letters = key.doc.chars();
    let mut text: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    if let Kind::Choice(words) = key.kind {
        text.push_str(&format!(" [{}]", words.join(", ")));
    }
    let mut more = Vec::new();
    if let Some(default) = key.default.filter(|_| key.kind != Kind::Boolean) {
        more.push(format!("default: {default}"));
    }
    if let Some(variable) = key.variable {
        let name = if key.kind == Kind::Map { format!("{variable}NAME") } else { variable.to_owned() };
        more.push(format!("env: {name}"));
    }
    if matches!(key.kind, Kind::Map | Kind::Paths) {
        more.push("may be repeated".to_owned());
    }
    text.push_str(&format!(" [{}]", more.join("; ")));
    text.into()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::{Limosa, command};

    #[test]
    fn every_flag_of_the_table_can_be_typed_and_reaches_the_settings() {
        for key in KEYS.iter().filter(|key| key.flag.is_some()) {
            let value = match key.kind {
                Kind::Choice(words) => words[0].to_owned(),
                Kind::Boolean => "true".to_owned(),
                Kind::Duration { .. } => "7s".to_owned(),
                Kind::Integer { .. } => "7".to_owned(),
                Kind::Map => "name=value".to_owned(),
                _ if key.name == "output" => "json".to_owned(),
                _ => "value".to_owned(),
            };
            let flag = format!("{}={value}", key.flag.unwrap());
            let matches = command().try_get_matches_from(["limosa", "migrate", &flag]).unwrap();
            let layer = layer(&matches);
            assert_eq!(layer.problems(), [], "{flag}");
            assert!(format!("{layer:?}").contains(&format!("Flag(\"{}\")", key.flag.unwrap())), "{flag} got lost");
        }
    }

    #[test]
    fn names_in_the_lists_are_keys_and_commands() {
        let known = |name: &str| KEYS.iter().any(|key| key.name == name && key.flag.is_some());
        let names = SOME_COMMANDS.iter().map(|(name, _)| *name).chain(LETTERS.iter().map(|(name, _)| *name));
        for name in names.chain(OFTEN).chain(VALUE_NAMES.iter().map(|(name, _)| *name)) {
            assert!(known(name), "{name}");
        }
        let commands = Limosa::command();
        for (_, names) in SOME_COMMANDS {
            assert!(names.iter().all(|name| commands.find_subcommand(name).is_some()), "{names:?}");
        }
    }

    #[test]
    fn flags_work_before_and_behind_the_command() {
        for line in [["limosa", "--yes", "status"], ["limosa", "status", "--yes"]] {
            let matches = command().try_get_matches_from(line).unwrap();
            assert!(format!("{:?}", layer(&matches)).contains("--yes"), "{line:?}");
        }
    }
}
