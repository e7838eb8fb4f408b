//! What a backup cannot hold, and what its user must be told.

use std::collections::BTreeMap;

use limosa_sql::Engine;

use super::dump_file::Contents;
use super::dumping::keeps_history;
use super::programs::{Program, shown};
use super::survey::{Kind, Object, Survey};
use crate::{DbError, DbErrorKind, Notice};

/// Names that are listed before the rest is only counted.
const LISTED: usize = 5;

/// Engines whose rows are elsewhere. The programs dump their definition only.
const ELSEWHERE: [&str; 7] = ["CONNECT", "FEDERATED", "MRG_ISAM", "MRG_MYISAM", "OQGRAPH", "SPIDER", "VP"];

/// Refuses where the server would hide something without a word: tables without SELECT, triggers without TRIGGER, events
/// without EVENT, routines of others without a right on routines.
pub(super) fn sees_everything(survey: &Survey, role: Option<&str>) -> Result<(), DbError> {
    let rights = &survey.rights;
    let mut lacking: Vec<&str> =
        ["SELECT", "TRIGGER", "EVENT"].into_iter().filter(|right| !rights.has(right)).collect();
    if !rights.sees_routines() {
        lacking.push("EXECUTE");
    }
    if lacking.is_empty() {
        return Ok(());
    }
    let (user, database) = (&survey.user, Engine::Mysql.quote_identifier(&survey.database));
    let lacking = lacking.join(", ");
    let message = format!("{user} lacks {lacking} on {database}.*: what is hidden would be missing from the backup");
    let account = account(user);
    let grant = format!(
        "an administrator can allow it: GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE ON {database}.* TO {account}"
    );
    let hint = match role {
        Some(role) => {
            let role = Engine::Mysql.quote_identifier(role);
            format!("{grant}; or, for a dump takes on no role by itself: SET DEFAULT ROLE {role} FOR {account}")
        }
        None => grant,
    };
    Err(DbError::new(DbErrorKind::PermissionDenied, message).hint(hint))
}

/// `` `u`@`%` `` for `u@%`.
pub(super) fn account(user: &str) -> String {
    let quote = |text: &str| Engine::Mysql.quote_identifier(text);
    match user.rsplit_once('@') {
        Some((name, host)) => format!("{}@{}", quote(name), quote(host)),
        None => quote(user),
    }
}

/// What the backup is not.
pub(super) fn warnings(survey: &Survey, dump: &Program, contents: &Contents) -> Vec<Notice> {
    let mut warnings = Vec::new();
    let tables = || survey.of(&[Kind::Table, Kind::VersionedTable]);
    let elsewhere = |table: &&Object| {
        table.engine.as_deref().is_some_and(|engine| ELSEWHERE.iter().any(|name| name.eq_ignore_ascii_case(engine)))
    };
    let without_rows: Vec<&Object> = tables().filter(elsewhere).collect();
    if !without_rows.is_empty() {
        let message =
            format!("only the definition of {} is in the backup: the rows are elsewhere", listed(&without_rows));
        warnings.push(warning(message, "back them up where they are"));
    }
    let unsteady: Vec<&Object> = tables().filter(|table| !table.transactional && !elsewhere(table)).collect();
    if !unsteady.is_empty() {
        let message =
            format!("the rows of {} are not of one moment with the rest: no transactions there", listed(&unsteady));
        warnings.push(warning(
            message,
            "let nobody write while a backup runs, or convert them: ALTER TABLE ... ENGINE = InnoDB",
        ));
    }
    let versioned: Vec<&Object> = survey.of(&[Kind::VersionedTable]).collect();
    if !versioned.is_empty() && !keeps_history(survey, dump) {
        let message = format!(
            "the history of {} is not in the backup: {} {} leaves it out",
            listed(&versioned),
            dump.name,
            shown(dump.version)
        );
        warnings.push(warning(message, "use the client programs of MariaDB 10.11 or newer"));
    }
    if contents.longest >= survey.packet {
        let (longest, packet) = (contents.longest, survey.packet);
        let message = format!(
            "the backup has a statement of {longest} bytes, and the server takes less than {packet} (max_allowed_packet)"
        );
        warnings.push(warning(message, "raise max_allowed_packet before it is restored"));
    }
    warnings.extend(definers(survey));
    warnings
}

/// Who restores must be able to give objects back to their definers.
fn definers(survey: &Survey) -> Option<Notice> {
    if survey.rights.sets_definers() {
        return None;
    }
    let mut others: BTreeMap<&str, &Object> = BTreeMap::new();
    for object in &survey.objects {
        if let Some(definer) = object.definer.as_deref().filter(|definer| *definer != survey.user) {
            others.entry(definer).or_insert(object);
        }
    }
    let examples: Vec<String> = others
        .iter()
        .take(LISTED)
        .map(|(definer, object)| format!("{definer} ({} {})", object.kind.word(), object.name))
        .collect();
    (!examples.is_empty()).then(|| {
        let message =
            format!("{} could not restore this backup: it holds objects of {}", survey.user, examples.join(", "));
        warning(message, "restore it as a user with the right SET USER (MariaDB), SET_ANY_DEFINER (MySQL) or SUPER")
    })
}

fn listed(tables: &[&Object]) -> String {
    let mut names: Vec<String> = tables
        .iter()
        .take(LISTED)
        .map(|table| format!("{} ({})", table.name, table.engine.as_deref().unwrap_or("?")))
        .collect();
    if tables.len() > LISTED {
        names.push(format!("{} more", tables.len() - LISTED));
    }
    names.join(", ")
}

fn warning(message: String, hint: &str) -> Notice {
    Notice { severity: "WARNING".to_owned(), message, detail: None, hint: Some(hint.to_owned()), code: None }
}
