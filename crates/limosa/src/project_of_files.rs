//! The project that the files themselves name, as Sqitch's plan does: two plans in one database are two projects, whose changes may have
//! the same names.

use limosa_core::{Change, LedgerView};
use limosa_db::Value;
use limosa_sql::{Diagnostic, Engine};

use crate::files::Listing;
use crate::opened::Opened;
use crate::scripts::Scripts;
use crate::{Configuration, Failure};

/// The project where neither settings nor files name one.
pub(crate) const DEFAULT: &str = "default";

/// The files by which a folder is known to be of a tool that names its projects.
const SIGNS: &[&str] = &["sqitch.plan", "sqitch.conf"];

/// So many changes are named in a message.
const NAMED: usize = 3;

/// The name, where nobody says another one; None for files that name none.
pub(crate) fn project_of_files(configuration: &Configuration, engine: Engine) -> Option<String> {
    if configuration.project_is_given {
        return None;
    }
    let scripts = Scripts::of(configuration);
    let folders = &configuration.directories;
    let is_sign = |name: &String| SIGNS.iter().any(|sign| name == sign || name.ends_with(&format!("/{sign}")));
    let may_name_one = match &configuration.embedded {
        Some(_) => scripts.list(folders).ok()?.iter().any(is_sign),
        None => SIGNS.iter().any(|sign| scripts.beside(folders, sign).is_some()),
    };
    if !may_name_one {
        return None;
    }
    // What is wrong with the files is said where they are read for good.
    let there: Vec<_> = folders.iter().filter(|folder| folder.is_dir()).cloned().collect();
    let listing = Listing::of(configuration, &there, engine).ok()?;
    listing.layout().project().map(str::to_owned)
}

/// Stops where changes of these names are on record as applied under the project that counted before the files named theirs: they would
/// run a second time.
///
/// # Errors
/// What the server says; LIM-P045.
pub(crate) async fn refuse_applied_by_default(
    opened: &mut Opened<'_>,
    changes: &[Change],
    view: &LedgerView,
) -> Result<(), Failure> {
    match applied_by_default(opened, changes, view).await? {
        Some(problem) => Err(Failure::refused(vec![problem])),
        None => Ok(()),
    }
}

/// What is said of them; None where there are none.
///
/// # Errors
/// What the server says.
pub(crate) async fn applied_by_default(
    opened: &mut Opened<'_>,
    changes: &[Change],
    view: &LedgerView,
) -> Result<Option<Diagnostic>, Failure> {
    let project = opened.configuration.project.clone();
    let is_first = view.exists && view.rows.is_empty() && view.skipped.is_empty();
    if opened.configuration.project_is_given || project == DEFAULT || !is_first {
        return Ok(None);
    }
    let table = opened.ledger.names.table("schema_migrations");
    let mark = if opened.target.engine == Engine::Sqlite { "?1" } else { "$1" };
    let question = format!("select identity from {table} where project = {mark}");
    let rows = opened.session.query(&question, &[Value::Text(DEFAULT.to_owned())]).await?;
    let known: Vec<String> = rows.iter().filter_map(|row| row.text(0)).collect();
    let common: Vec<&str> = changes
        .iter()
        .map(|change| change.identity.as_str())
        .filter(|name| known.iter().any(|it| it == name))
        .collect();
    if common.is_empty() {
        return Ok(None);
    }
    let more = common.len().saturating_sub(NAMED);
    let shown = common.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let message = format!(
        "{shown}{more} stand on record here under the project {DEFAULT}, and these files are of the project {project}"
    );
    let help = format!(
        "where limosa has applied these very files under that name, keep it: project = \"{DEFAULT}\" in limosa.toml (or --project {DEFAULT}); \
         where those are another project's: project = \"{project}\""
    );
    Ok(Some(Diagnostic::error("LIM-P045", message).help(help)))
}
