//! What statements of PostgreSQL leave in their session behind the transaction, besides settings, and what takes it away again.

use crate::lexer::{Kind, Reading};
use crate::words::Words;
use crate::{Class, Engine};

/// A kind of thing that lives as long as its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leftover {
    /// A temporary table, view or sequence that its transaction does not drop.
    Temporary,
    /// What PREPARE makes.
    Prepared,
    /// A channel that is listened to.
    Channel,
    /// A cursor WITH HOLD.
    Cursor,
    /// An advisory lock of the session.
    AdvisoryLock,
}

/// What a statement does to what its session holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionChange {
    /// It leaves something there. The name is in lower case, without quotes and schema; empty where none tells it apart.
    Leaves(Leftover, String),
    /// It takes these away; without names all of that kind.
    Takes(Leftover, Vec<String>),
}

/// PostgreSQL: what a statement leaves in its session or takes away there. Of what functions and blocks do nobody knows.
///
/// ```
/// use limosa_sql::{Engine, Leftover, SessionChange, classify, session_change};
/// let of = |statement: &str| session_change(statement, &classify(Engine::Postgres, statement));
/// assert_eq!(of("create temp table ids (n int)"), Some(SessionChange::Leaves(Leftover::Temporary, "ids".to_owned())));
/// assert_eq!(of("create temp table ids (n int) on commit drop"), None);
/// ```
pub fn session_change(statement: &str, class: &Class) -> Option<SessionChange> {
    use SessionChange::{Leaves, Takes};
    let words = &mut Words::new(Engine::Postgres, statement, Reading::of(Engine::Postgres));
    let verb = class.verb.split(' ').next().unwrap_or_default();
    match verb {
        "CREATE" => temporary(words, class).map(|name| Leaves(Leftover::Temporary, name)),
        "SELECT" => selected(words),
        "DROP" if words.is_any(1, &["TABLE", "VIEW", "SEQUENCE"]) => {
            let at = words.skip(2, &["IF", "EXISTS"]);
            let (names, _) = words.names(at);
            let names = names.iter().map(|name| last_part(name.written)).collect();
            Some(Takes(Leftover::Temporary, names))
        }
        "DISCARD" if words.is_any(1, &["TEMP", "TEMPORARY"]) => Some(Takes(Leftover::Temporary, Vec::new())),
        "PREPARE" if class.verb == "PREPARE" => Some(Leaves(Leftover::Prepared, named(words, 1))),
        "DEALLOCATE" => {
            let at = words.skip(1, &["PREPARE"]);
            Some(Takes(Leftover::Prepared, all_or(words, at)))
        }
        "LISTEN" => Some(Leaves(Leftover::Channel, named(words, 1))),
        "UNLISTEN" if words.symbol(1, b'*') => Some(Takes(Leftover::Channel, Vec::new())),
        "UNLISTEN" => Some(Takes(Leftover::Channel, vec![named(words, 1)])),
        "DECLARE" if find(words, &["WITH", "HOLD"]).is_some() => Some(Leaves(Leftover::Cursor, named(words, 1))),
        "CLOSE" => Some(Takes(Leftover::Cursor, all_or(words, 1))),
        _ => None,
    }
}

/// The name of what a CREATE makes for its session.
fn temporary(words: &mut Words<'_>, class: &Class) -> Option<String> {
    let at = words.skip(1, &["OR", "REPLACE"]);
    let at = if words.is_any(at, &["LOCAL", "GLOBAL"]) { at + 1 } else { at };
    let object = class.object.as_deref()?;
    let is_said = words.is_any(at, &["TEMP", "TEMPORARY"]);
    let is_in_schema = object.get(..8).is_some_and(|schema| schema.eq_ignore_ascii_case("pg_temp."));
    let is_relation = ["TABLE", "VIEW", "SEQUENCE"].iter().any(|kind| class.verb.contains(kind));
    let stays = is_relation && (is_said || is_in_schema) && find(words, &["ON", "COMMIT", "DROP"]).is_none();
    stays.then(|| last_part(object))
}

/// A SELECT that makes a temporary table, or calls for an advisory lock of the session.
fn selected(words: &mut Words<'_>) -> Option<SessionChange> {
    let mut at = 0;
    while let Some(token) = words.get(at) {
        at += 1;
        if token.kind != Kind::Word {
            continue;
        }
        if words.is(at - 1, "INTO") && words.is_any(at, &["TEMP", "TEMPORARY"]) {
            let at = words.skip(at + 1, &["TABLE"]);
            return Some(SessionChange::Leaves(Leftover::Temporary, named(words, at)));
        }
        if !words.symbol(at, b'(') {
            continue;
        }
        if words.is_any(at - 1, &["pg_advisory_lock", "pg_advisory_lock_shared"])
            || words.is_any(at - 1, &["pg_try_advisory_lock", "pg_try_advisory_lock_shared"])
        {
            return Some(SessionChange::Leaves(Leftover::AdvisoryLock, String::new()));
        }
        if words.is_any(at - 1, &["pg_advisory_unlock", "pg_advisory_unlock_shared", "pg_advisory_unlock_all"]) {
            return Some(SessionChange::Takes(Leftover::AdvisoryLock, Vec::new()));
        }
    }
    None
}

/// Where these words stand in a row.
fn find(words: &mut Words<'_>, row: &[&str]) -> Option<usize> {
    let mut at = 0;
    while words.get(at).is_some() {
        if words.are(at, row) {
            return Some(at);
        }
        at += 1;
    }
    None
}

fn all_or(words: &mut Words<'_>, at: usize) -> Vec<String> {
    if words.is(at, "ALL") { Vec::new() } else { vec![named(words, at)] }
}

fn named(words: &mut Words<'_>, at: usize) -> String {
    words.name(at).map(|name| last_part(name.written)).unwrap_or_default()
}

/// Quotes and schemas left away: one name too many that counts as dropped is the name of a temporary table all the same.
fn last_part(written: &str) -> String {
    written.rsplit('.').next().unwrap_or(written).trim_matches('"').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify;

    #[test]
    fn what_stays_in_a_session_is_known_by_its_words() {
        use Leftover::*;
        let leaves = |kind, name: &str| Some(SessionChange::Leaves(kind, name.to_owned()));
        let takes = |kind, names: &[&str]| {
            Some(SessionChange::Takes(kind, names.iter().map(|name| (*name).to_owned()).collect()))
        };
        for (statement, expected) in [
            ("CREATE TEMPORARY TABLE ids AS SELECT 1", leaves(Temporary, "ids")),
            ("create local temp table if not exists \"Ids\" (n int) on commit delete rows", leaves(Temporary, "ids")),
            ("create or replace temp view v as select 1", leaves(Temporary, "v")),
            ("create temp sequence s", leaves(Temporary, "s")),
            ("create table pg_temp.t (n int)", leaves(Temporary, "t")),
            ("create temp table ids (n int) on commit drop", None),
            ("create table temp (n int)", None),
            ("create function temp() returns int language sql as 'select 1'", None),
            ("select * into temp table x from y", leaves(Temporary, "x")),
            ("select 1 as into_temp", None),
            ("drop table if exists a, pg_temp.ids", takes(Temporary, &["a", "ids"])),
            ("discard temp", takes(Temporary, &[])),
            ("prepare p (int) as select $1", leaves(Prepared, "p")),
            ("deallocate all", takes(Prepared, &[])),
            ("deallocate prepare p", takes(Prepared, &["p"])),
            ("listen events", leaves(Channel, "events")),
            ("unlisten *", takes(Channel, &[])),
            ("declare c cursor with hold for select 1", leaves(Cursor, "c")),
            ("declare c cursor for select 1", None),
            ("close c", takes(Cursor, &["c"])),
            ("select pg_advisory_lock(42)", leaves(AdvisoryLock, "")),
            ("select pg_catalog.pg_try_advisory_lock_shared(1, 2)", leaves(AdvisoryLock, "")),
            ("select pg_advisory_xact_lock(42)", None),
            ("select 'pg_advisory_lock(42)'", None),
            ("select pg_advisory_unlock(42)", takes(AdvisoryLock, &[])),
            ("insert into t values (1)", None),
        ] {
            assert_eq!(session_change(statement, &classify(Engine::Postgres, statement)), expected, "{statement}");
        }
    }
}
