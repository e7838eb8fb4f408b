//! The pages of `docs/commands`, made from the definition of the command line.

use std::fmt::Write;

use clap::{Arg, Command};
use limosa::settings::keys::{KEYS, Kind};
use limosa_testkit::documents::{check, check_pages};

use super::EXIT_CODES;

/// What the codes 1 and 4 mean, where a command can end so.
const ENDS: [(&str, &str, &str); 15] = [
    (
        "plan",
        "history and files disagree: a file was changed, a version comes late",
        "half-done work stands in the way",
    ),
    (
        "migrate",
        "history and files disagree: a file was changed, a version comes late",
        "another runner holds the lock, half-done work needs a decision, the plan is another one, or consent is missing",
    ),
    (
        "rollback",
        "what is named is not applied, there is no way back, or another migration depends on it",
        "data would be lost and consent is missing, another runner holds the lock, or half-done work needs a decision",
    ),
    ("status", "something is pending, and `--fail-on-pending` was given", ""),
    ("validate", "there are findings", ""),
    ("baseline", "", "the ledger has one of these migrations already, or another runner holds the lock"),
    (
        "adopt",
        "",
        "the other tool left something half done, files were changed since, nobody can be asked, or another runner holds the lock",
    ),
    (
        "export",
        "",
        "a migration is half done, the other tool's table is there already, nobody can be asked, or another runner holds the lock",
    ),
    ("repair", "", "another runner holds the lock"),
    ("restore", "", "consent is missing, the environment is protected, or the restore broke off in the middle"),
    ("clean", "", "consent is missing, the environment is protected, or other projects are in the database"),
    ("reset", "", "consent is missing, the environment is protected, or other projects are in the database"),
    ("seed", "", "the environment is protected, or another runner holds the lock"),
    ("ready", "not ready; the reason is in the answer", ""),
    (
        "health",
        "something is changed or half done, or the last attempt at a migration failed; the reason is in the answer",
        "",
    ),
];

/// The same for commands that look for findings.
const FINDINGS: [&str; 2] = ["doctor", "audit"];

/// Commands that speak with no database.
const WITHOUT_DATABASE: [&str; 6] = ["init", "new", "config", "explain", "completion", "man"];

#[test]
fn the_pages_say_what_the_help_says() {
    let mut all = super::command();
    all.build();
    let mut index =
        "# Commands\n\nMade from the definition that the help comes from: `limosa help COMMAND` says the same.\n\n\
                     | command | what it does |\n|---|---|\n"
            .to_owned();
    let mut pages = Vec::new();
    for command in all.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = command.get_name();
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(index, "| [`{name}`](commands/{name}.md) | {about} |");
        pages.push((format!("{name}.md"), name.to_owned(), page(command)));
    }
    index.push_str(
        "\n## Options of every command\n\nWhat stands in `limosa.toml` needs no flag: see [settings](settings.md).\n\n",
    );
    index.push_str(&options(all.get_arguments().filter(|argument| argument.is_global_set())));
    index.push_str("\n## Exit codes\n\n| code | meaning |\n|---|---|\n");
    for line in EXIT_CODES.lines().skip(1) {
        let (code, meaning) = line.trim().split_once(' ').unwrap();
        let _ = writeln!(index, "| {code} | {} |", meaning.trim());
    }
    check("docs/commands.md", &index);
    check_pages("docs/commands", "commands.md", &pages);
}

#[test]
fn what_is_said_of_exit_codes_belongs_to_a_command() {
    let all = super::command();
    for name in ENDS.iter().map(|(name, ..)| *name).chain(FINDINGS).chain(WITHOUT_DATABASE) {
        assert!(all.find_subcommand(name).is_some(), "there is no command {name}");
    }
}

fn page(command: &Command) -> String {
    let name = command.get_name();
    let mut text = format!("# limosa {name}\n\n");
    describe(command, &mut text, "##");
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        let _ = write!(text, "## limosa {name} {}\n\n", below.get_name());
        describe(below, &mut text, "###");
    }
    let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let _ = write!(text, "## Examples\n\n```sh\n");
    for example in examples.lines().filter(|line| line.starts_with("  ")) {
        let _ = writeln!(text, "{}", example.trim());
    }
    text.push_str("```\n\n## Exit codes\n\n| code | when |\n|---|---|\n| 0 | done |\n");
    let ends = ENDS.iter().find(|(of, ..)| *of == name);
    let no = if FINDINGS.contains(&name) { "there are findings" } else { ends.map_or("", |(_, no, _)| no) };
    for (code, when) in [
        (1, no),
        (2, "usage, settings or migration files are wrong"),
        (3, if WITHOUT_DATABASE.contains(&name) { "" } else { "the database cannot be asked, or the run failed" }),
        (4, ends.map_or("", |(_, _, person)| person)),
    ] {
        if !when.is_empty() {
            let _ = writeln!(text, "| {code} | {when} |");
        }
    }
    text.push_str("\nAll codes, and the options of every command: [commands](../commands.md)\n");
    text
}

/// What a command does, how it is called, and its own arguments.
fn describe(command: &Command, text: &mut String, heading: &str) {
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let _ = write!(text, "{about}\n\n");
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    let _ = write!(text, "```text\n{usage}\n```\n\n");
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| !argument.is_global_set() && !["help", "version"].contains(&argument.get_id().as_str()))
        .collect();
    if !own.is_empty() {
        let _ = write!(text, "{heading} Arguments\n\n{}\n", options(own.into_iter()));
    }
}

fn options<'a>(arguments: impl Iterator<Item = &'a Arg>) -> String {
    let mut text = "| argument | default | variable | meaning |\n|---|---|---|---|\n".to_owned();
    for argument in arguments {
        let (default, variable, meaning) = of_setting(argument).unwrap_or_else(|| of_command(argument));
        let _ = writeln!(text, "| {} | {default} | {variable} | {meaning} |", written(argument));
    }
    text
}

/// `-d`, `--database URL`.
fn written(argument: &Arg) -> String {
    let value: Vec<String> = argument.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
    let takes = argument.get_num_args().is_some_and(|range| range.takes_values());
    let value = if takes { value.join(" ") } else { String::new() };
    let Some(long) = argument.get_long() else { return format!("`{value}`") };
    let optional = argument.get_num_args().is_some_and(|range| range.min_values() == 0);
    let is_switch = KEYS.iter().any(|key| key.name == argument.get_id().as_str() && key.kind == Kind::Boolean);
    let value = match (value.is_empty() || is_switch, optional) {
        (true, _) => String::new(),
        (_, true) => format!("[={value}]"),
        (_, false) => format!(" {value}"),
    };
    let short = argument.get_short().map(|letter| format!("`-{letter}`, ")).unwrap_or_default();
    format!("{short}`--{long}{value}`")
}

/// Default, variable and meaning of a flag that is a setting.
fn of_setting(argument: &Arg) -> Option<(String, String, String)> {
    let key = KEYS.iter().find(|key| key.name == argument.get_id().as_str())?;
    let code = |text: &str| format!("`{text}`");
    let variable =
        key.variable.map(|name| code(&if key.kind == Kind::Map { format!("{name}NAME") } else { name.to_owned() }));
    let words = if let Kind::Choice(words) = key.kind { format!(" ({})", words.join(", ")) } else { String::new() };
    Some((key.default.map(code).unwrap_or_default(), variable.unwrap_or_default(), format!("{}{words}", key.doc)))
}

fn of_command(argument: &Arg) -> (String, String, String) {
    // A switch has the values true and false for clap, and none for people.
    let takes = argument.get_num_args().is_some_and(|range| range.takes_values());
    let defaults = argument.get_default_values().iter().filter(|_| takes);
    let defaults: Vec<String> = defaults.map(|value| format!("`{}`", value.to_string_lossy())).collect();
    let words = argument.get_possible_values().into_iter().filter(|_| takes);
    let words: Vec<String> = words.map(|value| value.get_name().to_owned()).collect();
    let words = if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) };
    let meaning = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let variable = argument.get_env().map(|name| format!("`{}`", name.to_string_lossy())).unwrap_or_default();
    (defaults.join(", "), variable, format!("{}{words}", meaning.replace('\n', " ").replace('|', "\\|")))
}
