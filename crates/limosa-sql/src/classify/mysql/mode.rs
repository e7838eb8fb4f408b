//! `sql_mode`, as the statements of a script change it: whether double quotes enclose names, whether a backslash escapes,
//! and whether stored programs are written in Oracle's language.

use std::collections::BTreeMap;

use super::set::{Assignment, Scope, assignments, variable};
use crate::lexer::{Form, Kind, Reading};
use crate::literal::unescape_mysql;
use crate::words::Words;
use crate::{Class, Engine};

const ANSI_QUOTES: &str = "ANSI_QUOTES";
const NO_BACKSLASH_ESCAPES: &str = "NO_BACKSLASH_ESCAPES";
const ORACLE: &str = "ORACLE";

/// Modes that hold ANSI_QUOTES.
const ANSI: &[&str] = &[ANSI_QUOTES, "ANSI", ORACLE, "MSSQL", "DB2", "POSTGRESQL", "MAXDB"];

/// The bits of modes that are set by number (`MODE_*` in the servers' sources).
const BITS: &[(u64, &str)] = &[(1 << 2, ANSI_QUOTES), (1 << 9, ORACLE), (1 << 20, NO_BACKSLASH_ESCAPES)];

/// As many variables of the user's are remembered.
const VARIABLES: usize = 1000;

/// A value of `sql_mode`. Modes that change nothing here are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SqlMode {
    ansi_quotes: bool,
    no_backslash_escapes: bool,
    oracle: bool,
}

impl SqlMode {
    /// Reads a list of modes.
    pub(crate) fn read(value: &str) -> SqlMode {
        let modes: Vec<String> = value.split(',').map(|mode| mode.trim().to_ascii_uppercase()).collect();
        let holds = |names: &[&str]| modes.iter().any(|mode| names.contains(&mode.as_str()));
        SqlMode {
            ansi_quotes: holds(ANSI),
            no_backslash_escapes: holds(&[NO_BACKSLASH_ESCAPES]),
            oracle: holds(&[ORACLE]),
        }
    }

    /// The mode as a server would show it.
    fn shown(self) -> String {
        let modes =
            [(self.ansi_quotes, ANSI_QUOTES), (self.oracle, ORACLE), (self.no_backslash_escapes, NO_BACKSLASH_ESCAPES)];
        modes.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect::<Vec<_>>().join(",")
    }
}

/// What is known of `sql_mode` while a script is read.
#[derive(Debug, Default)]
pub(crate) struct FollowedMode {
    /// What the session began with.
    initial: SqlMode,
    current: SqlMode,
    /// Variables that hold text, such as `@OLD_SQL_MODE`.
    variables: BTreeMap<String, String>,
}

impl FollowedMode {
    /// That of a fresh session.
    pub(crate) fn new(initial: SqlMode) -> FollowedMode {
        FollowedMode { initial, current: initial, variables: BTreeMap::new() }
    }

    /// How quotes are read.
    pub(crate) fn reading(&self) -> Reading {
        Reading { backslashes: !self.current.no_backslash_escapes, ansi_quotes: self.current.ansi_quotes }
    }

    /// True where stored programs are written in Oracle's language.
    pub(crate) fn oracle(&self) -> bool {
        self.current.oracle
    }

    /// Takes notice of a statement.
    pub(crate) fn follow(&mut self, statement: &str, class: &Class) {
        if !class.verb.starts_with("SET") {
            return;
        }
        let mut words = Words::new(Engine::Mysql, statement, self.reading());
        for one in assignments(&mut words, 1) {
            let relevant = one.scope == Scope::User || (one.scope == Scope::Session && one.name == "sql_mode");
            if relevant {
                let value = self.value(&mut words, &one);
                self.assign(&one, value);
            }
        }
    }

    fn value(&self, words: &mut Words<'_>, one: &Assignment) -> Option<String> {
        let (value, next) = self.expression(words, one.value.start)?;
        (next == one.value.end).then_some(value)
    }

    fn assign(&mut self, one: &Assignment, value: Option<String>) {
        let Some(value) = value else {
            self.variables.remove(&one.name);
            return;
        };
        if one.scope == Scope::User {
            if self.variables.len() < VARIABLES || self.variables.contains_key(&one.name) {
                self.variables.insert(one.name.clone(), value);
            }
            return;
        }
        self.current = SqlMode::read(&value);
    }

    /// The value of the expression at `at`, and the token behind; None where it is not one of those that set modes.
    fn expression(&self, words: &mut Words<'_>, at: usize) -> Option<(String, usize)> {
        let token = words.get(at)?;
        match token.kind {
            Kind::Text(_) => {
                let (mut value, mut next) = (String::new(), at);
                while let Some(part) = text(words, next) {
                    value.push_str(&part);
                    next += 1;
                }
                Some((value, next))
            }
            Kind::Number => {
                let bits: u64 = words.text(at).parse().ok()?;
                let modes = BITS.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name);
                Some((modes.collect::<Vec<_>>().join(","), at + 1))
            }
            Kind::Parameter | Kind::Symbol(b'@') => match variable(words, at)? {
                (Scope::User, name, next) => Some((self.variables.get(&name)?.clone(), next)),
                (Scope::Session, name, next) if name == "sql_mode" => Some((self.current.shown(), next)),
                (Scope::Server, name, next) if name == "sql_mode" => Some((self.initial.shown(), next)),
                _ => None,
            },
            Kind::Symbol(b'(') => {
                let inner = words.skip(at + 1, &["SELECT"]);
                let (value, next) = words.inside(|words| self.expression(words, inner)).flatten()?;
                words.symbol(next, b')').then_some((value, next + 1))
            }
            Kind::Word | Kind::QuotedName if words.is(at, "DEFAULT") => Some((self.initial.shown(), at + 1)),
            Kind::Word => {
                let name = words.name(at)?;
                if !words.symbol(name.next, b'(') {
                    return Some((name.written.to_owned(), name.next));
                }
                let function = name.written.to_ascii_lowercase();
                let (arguments, next) = self.arguments(words, name.next + 1)?;
                Some((call(&function, &arguments)?, next))
            }
            // A name under ANSI_QUOTES, and a string to SET all the same.
            Kind::QuotedName => Some((words.part(at), at + 1)),
            _ => None,
        }
    }

    fn arguments(&self, words: &mut Words<'_>, at: usize) -> Option<(Vec<String>, usize)> {
        let (mut found, mut next) = (Vec::new(), at);
        loop {
            let (value, behind) = words.inside(|words| self.expression(words, next)).flatten()?;
            found.push(value);
            next = behind + 1;
            if words.symbol(behind, b')') {
                return Some((found, next));
            }
            if !words.symbol(behind, b',') {
                return None;
            }
        }
    }
}

/// Functions that change lists of modes.
fn call(name: &str, arguments: &[String]) -> Option<String> {
    let without = |list: &str, mode: &str| {
        let left = list.split(',').filter(|one| !one.trim().eq_ignore_ascii_case(mode.trim()));
        left.collect::<Vec<_>>().join(",")
    };
    Some(match (name, arguments) {
        ("concat", parts) => parts.concat(),
        ("concat_ws", [separator, parts @ ..]) => parts.join(separator),
        ("replace", [text, from, to]) if !from.is_empty() => text.replace(from.as_str(), to),
        ("replace", [text, ..]) => text.clone(),
        ("upper" | "ucase" | "lower" | "lcase" | "trim", [text]) => text.clone(),
        ("ifnull" | "coalesce", [text, ..]) => text.clone(),
        ("sys.list_add", [list, mode]) => format!("{list},{mode}"),
        ("sys.list_drop", [list, mode]) => without(list, mode),
        _ => return None,
    })
}

/// The value of a string constant.
fn text(words: &mut Words<'_>, at: usize) -> Option<String> {
    let Kind::Text(form @ (Form::Plain | Form::Double | Form::National)) = words.get(at)?.kind else { return None };
    let written = words.text(at);
    let quote = char::from(form.quote());
    let from = written.find(quote)? + 1;
    let inner = written.get(from..written.len() - 1)?;
    Some(if words.reading().backslashes {
        unescape_mysql(inner)
    } else {
        inner.replace(&format!("{quote}{quote}"), &quote.to_string())
    })
}
