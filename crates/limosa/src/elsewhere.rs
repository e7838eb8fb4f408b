//! Ledgers of other tools in words: what they say, why they cannot be read, and the rights that are missing for that.

use limosa_db::{Item, OtherLedger, Unread};
use limosa_sql::{Diagnostic, Engine};

use crate::ledger_told::ToldLedger;
use crate::opened::Opened;

/// How to go on where the tool is a neighbour.
const UNRELATED: &str = "where these files have nothing to do with it: --ignore-other-ledgers";

/// What another tool has done here, and what to do about it; `format` is to be named with that.
pub(crate) async fn said_of(opened: &mut Opened<'_>, other: &OtherLedger, format: Option<&str>) -> (String, String) {
    let OtherLedger { tool, table, newest, broken, .. } = other;
    match &other.unread {
        // What is not there was said by a warning: see `missing_told`.
        None | Some(Unread::Missing | Unread::Uncounted) => {}
        Some(Unread::Denied(why)) => {
            let (schema, name) = &other.place;
            let rights = missing_rights(opened, schema.as_deref(), name).await;
            return (
                format!(
                    "the table {table}, in which {tool} keeps its record, may not be read by {}, and limosa has no migration on record here: {why}",
                    worker(opened)
                ),
                format!("what {tool} has applied must not run again. {rights}. {UNRELATED}"),
            );
        }
        Some(Unread::Unknown(how)) => {
            return (
                format!(
                    "the table {table}, in which {tool} keeps its record, has a form that this limosa does not know, and limosa has no \
                     migration on record here: {how}"
                ),
                format!(
                    "what {tool} has applied must not run again: limosa baseline --to VERSION counts it as applied; {UNRELATED}"
                ),
            );
        }
    }
    let newest_words = newest.as_ref().map(|newest| format!(", newest: {newest}")).unwrap_or_default();
    let (trouble, first) = match broken {
        Some(words) => (format!("; {words}"), "look at what stands of it, and mend that first; then: "),
        None => (String::new(), ""),
    };
    let with = format.map(|format| format!(" --format {format}")).unwrap_or_default();
    (
        format!(
            "{tool} has migrated this database (table {table}{newest_words}{trouble}), and limosa has no migration on record here"
        ),
        format!(
            "{first}what it has applied must not run again: limosa adopt{with} takes it over, file by file (--dry-run shows that first); \
             limosa baseline{with} --to VERSION counts all up to that version as applied, unseen (the newest need not be the highest); \
             {UNRELATED}",
        ),
    )
}

/// In words, that the table which settings name is not there; None where it is.
pub(crate) fn missing_words(found: &[OtherLedger], told: Option<&ToldLedger>) -> Option<String> {
    let missing = found.iter().find(|other| other.unread == Some(Unread::Missing))?;
    Some(format!("there is no table {}, which {} names, or this user may not see it", missing.table, told?.by))
}

/// What is said of a table that the setting names, and that is not there; nothing of one that a file of the tool's names, which is
/// there before the tool has run.
pub(crate) fn missing_told(found: &[OtherLedger], told: Option<&ToldLedger>) -> Option<Diagnostic> {
    let told = told.filter(|told| told.is_by_setting());
    let message = missing_words(found, told)?;
    let help = "where the tool has migrated this database, check the name: what it has applied would run again; \
                where it has not, there is nothing to do";
    Some(Diagnostic::warning("LIM-U110", message).help(help))
}

/// What is said of columns of a tool's table that this limosa does not know; nothing where there are none.
pub(crate) fn told_of_columns(tool: &str, table: &str, columns: &[String]) -> Option<Diagnostic> {
    let what = match columns {
        [] => return None,
        [column] => format!("a column that this limosa does not know: {column}"),
        several => format!("columns that this limosa does not know: {}", several.join(", ")),
    };
    let help = format!(
        "a newer {tool} may have made what is not known, or your team has added it; all other columns are read as ever. Where it is of a \
         newer version, look whether limosa adopt --dry-run says of each migration what that tool says"
    );
    Some(Diagnostic::warning("LIM-U163", format!("the table {table} of {tool} has {what}")).help(help))
}

/// As whom limosa works.
pub(crate) fn worker(opened: &Opened<'_>) -> String {
    opened.configuration.role.clone().unwrap_or_else(|| opened.target.user.clone())
}

/// The rights without which a table cannot be read, as statements in words. On PostgreSQL that to use its schema is among them where it is
/// missing.
pub(crate) async fn missing_rights(opened: &mut Opened<'_>, schema: Option<&str>, table: &str) -> String {
    let engine = opened.target.engine;
    let user = grantee(opened);
    let select = format!("grant select on {} to {user}", engine.quote_qualified(schema, table));
    let Some(schema) = schema.filter(|_| engine == Engine::Postgres) else {
        return format!("the right that is missing: {select}");
    };
    let question = format!("select pg_catalog.has_schema_privilege({}, 'usage')", engine.quote_literal(schema));
    let item = Item::Bound { sql: question, parameters: Vec::new() };
    let book = opened.ledger.clone();
    let answers = book.transact(opened.session.as_mut(), vec![item]).await;
    // Where that cannot be told, the right is named: it does no harm a second time.
    let may_use =
        answers.is_ok_and(|answers| answers.first().and_then(|rows| rows.first()).is_some_and(|row| row.boolean(0)));
    match may_use {
        true => format!("the right that is missing: {select}"),
        false => {
            let usage = format!("grant usage on schema {} to {user}", engine.quote_identifier(schema));
            format!("the rights that are missing: {usage}; {select}")
        }
    }
}

/// The user, or the role, as GRANT takes it.
fn grantee(opened: &Opened<'_>) -> String {
    let engine = opened.target.engine;
    let name = worker(opened);
    if engine != Engine::Mysql {
        return engine.quote_identifier(&name);
    }
    // A user has its host there, a role may have none.
    match name.rsplit_once('@') {
        Some((user, host)) => format!("{}@{}", engine.quote_literal(user), engine.quote_literal(host)),
        None => engine.quote_literal(&name),
    }
}
