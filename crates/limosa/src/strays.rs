//! Several ledgers of other tools in one database, and those that stand in another schema or under another name, in words.

use limosa_core::ForeignTool;
use limosa_db::{OtherLedger, Unread};
use limosa_sql::{Diagnostic, Engine};

use crate::elsewhere::{missing_rights, worker};
use crate::opened::Opened;

/// So many are named in one line.
const NAMED: usize = 8;

/// True where what a ledger tells stops the first run: it stands where its tool keeps it, or the files may be of its tool. Those of others
/// are told, as where each of several applications has a schema of its own.
pub(crate) fn stops(engine: Engine, other: &OtherLedger, tools: &[ForeignTool]) -> bool {
    if !other.is_stray {
        return other.unread != Some(Unread::Missing);
    }
    // Databases of MySQL's are applications of their own; Sqitch alone keeps its registry in one by itself, whatever it is called.
    let is_of_another = engine == Engine::Mysql && other.place.0.is_some() && other.from != Some(ForeignTool::Sqitch);
    other.unread.is_none() && !is_of_another && other.from.is_some_and(|tool| tools.contains(&tool))
}

/// The table as a person may name it again, with its schema where that is known.
pub(crate) fn named(other: &OtherLedger) -> String {
    let (schema, table) = &other.place;
    schema.as_ref().map_or_else(|| table.clone(), |schema| format!("{schema}.{table}"))
}

/// The command that takes one of them over; None where its migrations are code.
pub(crate) fn command(other: &OtherLedger) -> Option<String> {
    let table = named(other);
    let is_plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-');
    let table = if table.chars().all(is_plain) { table } else { format!("'{}'", table.replace('\'', "'\\''")) };
    Some(format!("limosa adopt --from {} --ledger-table {table}", other.from?.word()))
}

/// What one of them says, in a few words.
fn described(other: &OtherLedger) -> String {
    let rows = match other.count {
        1 => "1 migration".to_owned(),
        count => format!("{count} migrations"),
    };
    let what = match (&other.unread, &other.newest) {
        (Some(Unread::Denied(why)), _) => format!("cannot be read: {why}"),
        (Some(Unread::Unknown(_)), _) => "of a form that this limosa does not know".to_owned(),
        (Some(Unread::Uncounted | Unread::Missing), _) => "not looked at".to_owned(),
        (None, Some(newest)) => format!("{rows}, newest: {newest}"),
        (None, None) => rows,
    };
    let trouble = other.broken.map(|words| format!("; {words}")).unwrap_or_default();
    format!("{} (table {}, {what}{trouble})", other.tool, named(other))
}

fn few(all: Vec<String>) -> String {
    let more = all.len().saturating_sub(NAMED);
    let shown = all.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// Some of them in a line, and the commands that take them over.
pub(crate) fn listed(others: &[OtherLedger]) -> (String, String) {
    let mut commands: Vec<String> = others.iter().filter_map(command).collect();
    commands.truncate(NAMED);
    let help = match commands.is_empty() {
        true => "limosa baseline --to VERSION counts as applied what stands there".to_owned(),
        false => format!("take over the one that these files belong to: {}", commands.join(", or ")),
    };
    (few(others.iter().map(described).collect()), help)
}

/// What several ledgers say that stop the first run, and what to do about it.
pub(crate) fn said_of_several(others: &[OtherLedger]) -> (String, String) {
    let (list, choice) = listed(others);
    (
        format!(
            "several ledgers of other tools are in this database, and limosa has no migration on record here: {list}"
        ),
        format!(
            "what was applied must not run again: {choice}; where these files have nothing to do with any of them: \
             --ignore-other-ledgers"
        ),
    )
}

/// What one says that stands in another place, where it stops the first run; `format` is to be named with what takes it over.
pub(crate) fn said_of_stray(other: &OtherLedger, format: Option<&str>) -> (String, String) {
    let first = if other.broken.is_some() { "look at what stands of it, and mend that first; then: " } else { "" };
    let command = command(other).unwrap_or_else(|| "limosa baseline --to VERSION".to_owned());
    let command = format.map_or_else(|| command.clone(), |format| format!("{command} --format {format}"));
    (
        format!(
            "a ledger of another tool is in this database, though not where that tool keeps it by itself, and limosa has no migration on \
             record here: {}",
            described(other)
        ),
        format!(
            "{first}where these files are the ones that it has applied, they must not run again: {command} takes it over; where they \
             have nothing to do with it: --ignore-other-ledgers"
        ),
    )
}

/// What one says that stands beside the place which settings name, where nothing is.
pub(crate) fn said_beside_missing(other: &OtherLedger, format: Option<&str>) -> (String, String) {
    let (_, help) = said_of_stray(other, format);
    let message = format!(
        "{} has migrated this database, and limosa has no migration on record here: {}",
        other.tool,
        described(other)
    );
    let help = format!(
        "{help}; where the settings are those of another environment, name the table that is meant: tool_table in limosa.toml"
    );
    (message, help)
}

/// What is said of those that stop nobody; nothing where there are none.
pub(crate) async fn told_of(opened: &mut Opened<'_>, strays: &[OtherLedger]) -> Option<Diagnostic> {
    let list = few(strays.iter().map(described).collect());
    let mut commands: Vec<String> = strays.iter().filter_map(command).collect();
    commands.truncate(NAMED);
    let mut rights = String::new();
    if let Some(denied) = strays.iter().find(|other| matches!(other.unread, Some(Unread::Denied(_)))) {
        let (schema, table) = &denied.place;
        let missing = missing_rights(opened, schema.as_deref(), table).await;
        rights = format!("; {} may not read {}: {missing}", worker(opened), named(denied));
    }
    let message = match strays.len() {
        0 => return None,
        1 => format!("a ledger of another tool is here, in another place than where it is looked for: {list}"),
        _ => format!("ledgers of other tools are here, in other places than where they are looked for: {list}"),
    };
    let help = match commands.is_empty() {
        true => format!(
            "where these files are the ones it has applied: limosa baseline --to VERSION, before limosa migrate{rights}"
        ),
        false => format!(
            "where these files are the ones that were applied by it, they must not run again: {}; else there is nothing to do{rights}",
            commands.join(", or ")
        ),
    };
    Some(Diagnostic::warning("LIM-U162", message).help(help))
}
