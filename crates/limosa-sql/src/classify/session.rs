//! Settings of the session.

use super::verb;
use crate::lexer::{Kind, Reading};
use crate::literal::constant;
use crate::words::Words;
use crate::{Class, Effect, Engine, TransactionRule};

const SCS: &str = "standard_conforming_strings";

/// SET and RESET of PostgreSQL.
pub(super) fn set(words: &mut Words<'_>, first: &str) -> Class {
    let scope = behind_scope(words);
    let local = scope == 2 && words.is(1, "LOCAL");
    let name = match setting(words, scope) {
        Some(name) => name,
        None => return verb(format!("{first} {}", &*words.capitals(scope)).trim_end()),
    };
    let verb = verb(if local { "SET LOCAL" } else { first });
    Class { object: Some(name.clone()), effect: Effect::SetsSession { name }, ..verb }
}

/// The token behind SET SESSION or SET LOCAL.
fn behind_scope(words: &mut Words<'_>) -> usize {
    let scoped = words.is(0, "SET") && words.is_any(1, &["SESSION", "LOCAL"]);
    // SET SESSION AUTHORIZATION and SET SESSION CHARACTERISTICS have SESSION as part of the name.
    if scoped && !words.is_any(2, &["AUTHORIZATION", "CHARACTERISTICS", "TO"]) && !words.symbol(2, b'=') {
        2
    } else {
        1
    }
}

/// The setting that stands at `at`, in lower case; None for what is no setting of the session.
fn setting(words: &mut Words<'_>, at: usize) -> Option<String> {
    let special: &[(&[&str], &str)] = &[
        (&["SESSION", "AUTHORIZATION"], "session_authorization"),
        (&["SESSION", "CHARACTERISTICS"], "session characteristics"),
        (&["TIME", "ZONE"], "timezone"),
        (&["XML", "OPTION"], "xmloption"),
    ];
    for (key, name) in special {
        if words.are(at, key) {
            return Some((*name).to_owned());
        }
    }
    if words.is(0, "SET") && words.is_any(at, &["TRANSACTION", "CONSTRAINTS"]) && !words.is_any(at + 1, &["TO"]) {
        return None;
    }
    let assigns = words.symbol(at + 1, b'=') || words.is(at + 1, "TO");
    match &*words.capitals(at) {
        "NAMES" if !assigns => return Some("client_encoding".to_owned()),
        "SCHEMA" if !assigns => return Some("search_path".to_owned()),
        _ => {}
    }
    let name = words.name(at)?;
    Some(words.dotted(&name).to_ascii_lowercase())
}

/// The effect of a SELECT that calls `set_config`.
pub(super) fn set_config(words: &mut Words<'_>, from: usize) -> Effect {
    match set_config_at(words, from).and_then(|at| constant(words, at)) {
        Some(name) => Effect::SetsSession { name: name.to_ascii_lowercase() },
        None => Effect::Unknown,
    }
}

/// PostgreSQL: true for a statement that sets something for its transaction alone: `SET LOCAL`, and `set_config` with a constant and
/// `true` behind it.
pub fn sets_for_transaction(class: &Class, statement: &str) -> bool {
    if class.verb == "SET LOCAL" {
        return true;
    }
    let may_call = class.verb == "SELECT" && !class.effect.session_settings().is_empty();
    let mut words = Words::new(Engine::Postgres, statement, Reading::of(Engine::Postgres));
    may_call && set_config_at(&mut words, 0).is_some_and(|at| words.is_any(at + 4, &["TRUE"]))
}

/// The first argument of a call of `set_config`.
fn set_config_at(words: &mut Words<'_>, from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(token) = words.get(at) {
        at += 1;
        let called = match token.kind {
            Kind::Word => words.is(at - 1, "set_config"),
            Kind::QuotedName => words.text(at - 1) == "\"set_config\"",
            _ => false,
        };
        if called && words.symbol(at, b'(') && words.is_text(at + 1) {
            return Some(at + 1);
        }
    }
    None
}

/// How plain strings are read, as the statements of a script change it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conforming {
    session: bool,
    /// Until the end of the transaction.
    local: Option<bool>,
}

impl Default for Conforming {
    fn default() -> Self {
        Conforming { session: true, local: None }
    }
}

impl Conforming {
    /// How quotes are read.
    pub(crate) fn reading(self) -> Reading {
        Reading { backslashes: !self.local.unwrap_or(self.session), ..Reading::of(Engine::Postgres) }
    }

    /// Takes notice of a statement.
    pub(crate) fn follow(&mut self, statement: &str, class: &Class) {
        match (&class.effect, class.transaction) {
            (Effect::SetsSession { name }, _) if name == SCS || name == "all" => {
                let mut words = Words::new(Engine::Postgres, statement, self.reading());
                self.assign(&mut words);
            }
            (Effect::Idempotent, _) if class.verb == "DISCARD ALL" => *self = Conforming::default(),
            (_, TransactionRule::Commits | TransactionRule::RollsBack) => self.local = None,
            _ => {}
        }
    }

    fn assign(&mut self, words: &mut Words<'_>) {
        if words.is(0, "RESET") {
            *self = Conforming::default();
            return;
        }
        let (value, local) = match set_config_at(words, 0) {
            Some(at) => (at + 2, words.is_any(at + 4, &["TRUE"])),
            None => {
                let at = behind_scope(words);
                (at + 2, words.is(1, "LOCAL"))
            }
        };
        let text = words.text(value).trim_matches('\'').to_ascii_lowercase();
        let conforming = match text.as_str() {
            "off" | "of" | "false" | "fals" | "fal" | "fa" | "f" | "no" | "n" | "0" => false,
            "on" | "true" | "tru" | "tr" | "t" | "yes" | "ye" | "y" | "1" | "default" => true,
            _ => return,
        };
        if local {
            self.local = Some(conforming);
        } else {
            *self = Conforming { session: conforming, local: None };
        }
    }
}
