//! Settings beside a script: `V1__create.sql.conf`.
//!
//! Flyway documentation, "Script Configuration".

use limosa_core::TransactionWish;
use limosa_sql::{Diagnostic, Label, PlaceholderMarks, Position};

use super::super::native::{Config, FileRole, Wishes, nearest};
use super::expression::evaluate;
use super::names::Naming;
use crate::codes;

const KEYS: [&str; 4] = ["executeInTransaction", "placeholderReplacement", "encoding", "shouldExecute"];

/// Reads the settings at `path`, which apply to the script of the same name without `.conf`: a script for which files named as
/// `naming` says are. `value_of` gives the values of placeholders.
pub(crate) fn read(
    path: &str,
    bytes: &[u8],
    naming: &Naming,
    value_of: &dyn Fn(&str) -> Option<String>,
) -> (Option<Config>, Vec<Diagnostic>) {
    let script = path.strip_suffix(super::names::SETTINGS).unwrap_or(path);
    let is_way_back = matches!(naming.classify(script), FileRole::Rollback { .. });
    let mut diagnostics = Vec::new();
    let Ok(text) = std::str::from_utf8(bytes) else {
        let problem = Diagnostic::error(codes::BAD_SCRIPT_SETTING, "the settings are not UTF-8").at(Label::file(path));
        return (None, vec![problem.help("save them as UTF-8")]);
    };
    let mut wishes = Wishes::default();
    for (number, line) in (1..).zip(text.strip_prefix('\u{feff}').unwrap_or(text).lines()) {
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with(['#', '!']) {
            continue;
        }
        let place = || {
            Label::place(path, Position { line: number, column: 1 }).line(line.chars().take(300).collect::<String>())
        };
        let (key, value) = bare.split_once(['=', ':']).map_or((bare, ""), |(key, value)| (key.trim(), value.trim()));
        let read = setting(key, value, &mut wishes, *naming.placeholders, value_of);
        if let Err(problem) = read.and_then(|()| if is_way_back { of_way_back(key, &wishes) } else { Ok(()) }) {
            diagnostics.push(Diagnostic::error(codes::BAD_SCRIPT_SETTING, problem.0).at(place()).help(problem.1));
        }
    }
    (Some(Config::of_script(path, super::names::SETTINGS, wishes)), diagnostics)
}

/// What is wrong, and what to do.
struct Problem(String, String);

fn setting(
    written: &str,
    value: &str,
    wishes: &mut Wishes,
    marks: PlaceholderMarks,
    value_of: &dyn Fn(&str) -> Option<String>,
) -> Result<(), Problem> {
    let key = written.strip_prefix("flyway.").unwrap_or(written);
    let known = KEYS.iter().find(|known| known.eq_ignore_ascii_case(key));
    match known.copied() {
        Some("executeInTransaction") => {
            let wish = if yes(key, value)? { TransactionWish::Auto } else { TransactionWish::None };
            wishes.transaction = Some(wish);
        }
        Some("placeholderReplacement") => wishes.placeholders_off = Some(!yes(key, value)?),
        Some("encoding") => {
            if !["utf-8", "utf8", "us-ascii", "ascii"].contains(&value.to_ascii_lowercase().as_str()) {
                let help = "save the script as UTF-8, and take this setting out";
                return Err(Problem(
                    format!("limosa reads UTF-8, and the script is said to be {value}"),
                    help.to_owned(),
                ));
            }
        }
        Some(_) => {
            let expression = replaced(value, marks, value_of)?;
            let Some(runs) = evaluate(&expression) else {
                let help = "write true, false, A==B, A!=B, joined by && and ||";
                return Err(Problem(format!("shouldExecute is no expression: {value}"), help.to_owned()));
            };
            if !runs {
                wishes.left_out = Some(format!("shouldExecute says so: {value}"));
            }
        }
        None => {
            let help = match nearest(key, KEYS.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("the settings of a script are {}", KEYS.join(", ")),
            };
            return Err(Problem(format!("the setting {written} of a script is not known"), help));
        }
    }
    Ok(())
}

/// A way back is kept as its migration is read, and may be asked for whatever the settings say by then.
fn of_way_back(key: &str, wishes: &Wishes) -> Result<(), Problem> {
    let is = |name: &str| key.strip_prefix("flyway.").unwrap_or(key).eq_ignore_ascii_case(name);
    let refused = is("placeholderReplacement") && wishes.placeholders_off == Some(true)
        || is("shouldExecute") && wishes.left_out.is_some();
    if !refused {
        return Ok(());
    }
    let help = "put it beside the migration, whose way back this is; `executeInTransaction` may stand here";
    Err(Problem(format!("a way back cannot have the setting {key} of its own"), help.to_owned()))
}

fn yes(key: &str, value: &str) -> Result<bool, Problem> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Problem(format!("{key} is '{value}'"), "it may be true or false".to_owned())),
    }
}

/// The text with the values of its placeholders.
fn replaced(text: &str, marks: PlaceholderMarks, value_of: &dyn Fn(&str) -> Option<String>) -> Result<String, Problem> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(marks.prefix()) {
        let Some((name, after)) = behind.split_once(marks.suffix()) else { break };
        let Some(value) = value_of(name) else {
            let help = format!("give it one: --placeholder {name}=...");
            return Err(Problem(format!("the placeholder {} has no value", marks.written(name)), help));
        };
        out.push_str(before);
        out.push_str(&value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
