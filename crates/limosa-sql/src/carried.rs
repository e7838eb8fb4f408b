//! What a statement leaves in its session for the statements after it, and what it needs from those before it.
//!
//! A run that goes on after a death, or after its connection broke, has another session. Where a statement that is still
//! to come needs what one that ran already left there, going on would be wrong, or silently do nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::classify::{Scope, assignments, classify_with, variable};
use crate::lexer::{Kind, Reading};
use crate::words::Words;
use crate::{Class, Engine, QualifiedName};

/// What a statement has to do with the state of its session. Names of variables and prepared statements are in lower case,
/// variables without `@`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Carried {
    /// Temporary tables that it makes.
    pub makes_temporary_tables: Vec<QualifiedName>,
    /// Temporary tables that it drops; `DROP TABLE` counts, which may drop them too.
    pub drops_temporary_tables: Vec<QualifiedName>,
    /// Variables of the user's that it sets.
    pub sets_variables: Vec<String>,
    /// Variables of the user's whose value from before it needs.
    pub reads_variables: Vec<String>,
    /// A SET or USE that gives the same values when it is run again in a new session, after those before it were: constants, other
    /// variables, functions of them.
    pub sets_repeatably: bool,
    /// It reads the last automatic number: `LAST_INSERT_ID()`, `@@identity`, `@@last_insert_id`.
    pub uses_last_insert_id: bool,
    /// It may set that number.
    pub inserts: bool,
    /// It reads what the statement directly before it counted: `ROW_COUNT()`, `FOUND_ROWS()`, `@@warning_count`.
    pub uses_counts: bool,
    /// Prepared statements that it makes.
    pub prepares: Vec<String>,
    /// Prepared statements that it needs.
    pub executes: Vec<String>,
    /// LOCK TABLES, FLUSH TABLES ... WITH READ LOCK.
    pub locks_tables: bool,
    /// UNLOCK TABLES.
    pub unlocks_tables: bool,
    /// `GET_LOCK`, a lock by name that the session holds.
    pub takes_named_lock: bool,
    /// It runs statements that do not stand in its text (CALL, EXECUTE), so that it may do any of this.
    pub runs_others: bool,
    /// All words and names in it, in lower case.
    words: BTreeSet<String>,
}

impl Carried {
    /// True where a table of this name may be used: a word or name in the statement is the same, capitals apart.
    pub fn mentions(&self, name: &str) -> bool {
        self.words.contains(&name.to_lowercase())
    }
}

/// Functions whose value depends on their arguments alone.
const PURE: &[&str] = &[
    "cast",
    "char",
    "coalesce",
    "concat",
    "concat_ws",
    "convert",
    "hex",
    "if",
    "ifnull",
    "lcase",
    "left",
    "list_add",
    "list_drop",
    "lower",
    "lpad",
    "nullif",
    "replace",
    "right",
    "rpad",
    "substr",
    "substring",
    "trim",
    "ucase",
    "unhex",
    "upper",
];

/// What the statement has to do with the state of its session, from its words alone; also inside of comments that MySQL
/// executes. Bodies of stored programs and views are not run by the statement that makes them, so they count for nothing.
///
/// ```
/// # use limosa_sql::{Engine, carried};
/// let found = carried(Engine::Mysql, "insert into child values (last_insert_id(), @name)");
/// assert!(found.uses_last_insert_id && found.inserts);
/// assert_eq!(found.reads_variables, ["name"]);
/// ```
pub fn carried(engine: Engine, statement: &str) -> Carried {
    let class = classify_with(engine, statement, Reading::of(engine));
    let mut words = Words::new(engine, statement, Reading::of(engine));
    if DEFINITIONS.contains(&class.verb.as_str()) {
        return Carried::default();
    }
    let mut found = Carried::default();
    found.read_names(&mut words);
    found.read_tables(&mut words, &class);
    if engine == Engine::Mysql {
        found.read_session(&mut words, &class);
        found.read_variables(&mut words, &class);
    }
    found.read_prepared(&mut words, &class);
    found
}

/// Statements whose text is run later, by others.
const DEFINITIONS: &[&str] = &[
    "CREATE PROCEDURE",
    "CREATE FUNCTION",
    "CREATE TRIGGER",
    "CREATE EVENT",
    "CREATE VIEW",
    "CREATE PACKAGE",
    "CREATE PACKAGE BODY",
    "ALTER EVENT",
    "ALTER VIEW",
];

/// Statements that name accounts, whose hosts look like variables.
const ACCOUNTS: &[&str] =
    &["CREATE", "ALTER", "DROP", "RENAME", "GRANT", "REVOKE", "SET PASSWORD", "SET DEFAULT", "SET"];

impl Carried {
    fn read_names(&mut self, words: &mut Words<'_>) {
        let mut at = 0;
        while let Some(token) = words.get(at) {
            if matches!(token.kind, Kind::Word | Kind::QuotedName) {
                self.words.insert(words.part(at).to_lowercase());
            }
            at += 1;
        }
    }

    fn read_tables(&mut self, words: &mut Words<'_>, class: &Class) {
        match class.verb.as_str() {
            "CREATE TABLE" | "CREATE TEMPORARY TABLE" => {
                let mut at = 1;
                let mut temporary = false;
                while words.get(at).is_some() && !words.is(at, "TABLE") {
                    temporary |= words.is_any(at, &["TEMP", "TEMPORARY"]);
                    at += 1;
                }
                let at = words.skip(at + 1, &["IF", "NOT", "EXISTS"]);
                if temporary && let Some(name) = words.name(at) {
                    self.makes_temporary_tables.push(words.parts(&name));
                }
            }
            "DROP TABLE" | "DROP TEMPORARY TABLE" => {
                let mut at = if words.is(1, "TEMPORARY") { 3 } else { 2 };
                at = words.skip(at, &["IF", "EXISTS"]);
                while let Some(name) = words.name(at) {
                    self.drops_temporary_tables.push(words.parts(&name));
                    if !words.symbol(name.next, b',') {
                        break;
                    }
                    at = name.next + 1;
                }
            }
            _ => {}
        }
    }

    fn read_session(&mut self, words: &mut Words<'_>, class: &Class) {
        let verb = class.verb.as_str();
        self.inserts = ["INSERT", "REPLACE", "LOAD DATA", "LOAD XML"].contains(&verb);
        self.locks_tables = matches!(verb, "LOCK TABLES" | "LOCK TABLE" | "FLUSH TABLES WITH READ LOCK");
        self.unlocks_tables = matches!(verb, "UNLOCK TABLES" | "UNLOCK TABLE");
        self.runs_others = matches!(verb, "CALL" | "EXECUTE" | "EXECUTE IMMEDIATE");
        let mut at = 0;
        while let Some(token) = words.get(at) {
            at += 1;
            match token.kind {
                Kind::Word if words.symbol(at, b'(') => match &*words.capitals(at - 1) {
                    "LAST_INSERT_ID" if words.symbol(at + 1, b')') => self.uses_last_insert_id = true,
                    "LAST_INSERT_ID" => self.inserts = true,
                    "ROW_COUNT" | "FOUND_ROWS" => self.uses_counts = true,
                    "GET_LOCK" => self.takes_named_lock = true,
                    _ => {}
                },
                Kind::Parameter => {
                    if let Some((Scope::Session, name, _)) = variable(words, at - 1)
                        && words.text(at - 1).starts_with("@@")
                    {
                        self.uses_last_insert_id |= matches!(name.as_str(), "identity" | "last_insert_id");
                        self.uses_counts |= matches!(name.as_str(), "warning_count" | "error_count");
                    }
                }
                _ => {}
            }
        }
    }

    fn read_variables(&mut self, words: &mut Words<'_>, class: &Class) {
        let set = if words.is(0, "SET") { assignments(words, 1) } else { Vec::new() };
        let accounts = ACCOUNTS.iter().any(|verb| class.verb.starts_with(verb));
        let targets: BTreeSet<usize> = set.iter().map(|one| one.target).collect();
        // The value of each variable, first set up to this token.
        let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
        for one in set.iter().filter(|one| one.scope == Scope::User) {
            ends.entry(&one.name).or_insert(one.value.end);
        }
        let mut known = BTreeSet::new();
        let (mut at, mut into) = (0, false);
        while let Some(token) = words.get(at) {
            let found = match token.kind {
                Kind::Parameter | Kind::Symbol(b'@') => variable(words, at),
                _ => None,
            };
            let Some((Scope::User, name, next)) = found else {
                into = words.is(at, "INTO") || (into && words.symbol(at, b','));
                at += 1;
                continue;
            };
            // name@host
            let is_host = accounts && at > 0 && words.get(at - 1).is_some_and(|before| before.end == token.start);
            let assigned = words.symbol(next, b':') && words.symbol(next + 1, b'=');
            let receives = class.verb == "GET" && words.symbol(next, b'=');
            let sets = targets.contains(&at) || assigned || receives || into || class.verb.starts_with("LOAD");
            // What an assignment before it in the same SET gave it.
            let fresh = ends.get(name.as_str()).is_some_and(|end| *end <= at);
            if !is_host && (sets || class.verb == "CALL") && known.insert((true, name.clone())) {
                self.sets_variables.push(name.clone());
            }
            if !is_host && !sets && !fresh && known.insert((false, name.clone())) {
                self.reads_variables.push(name);
            }
            at = next;
        }
        let repeatable = |value: std::ops::Range<usize>, words: &mut Words<'_>| {
            value.into_iter().all(|at| {
                let calls = words.symbol(at + 1, b'(') && !words.capitals(at).is_empty();
                let pure = PURE.iter().any(|name| words.is(at, name));
                !words.is(at, "FROM") && (!calls || pure)
            })
        };
        self.sets_repeatably = class.verb == "USE"
            || (class.verb == "SET" && (set.is_empty() || set.into_iter().all(|one| repeatable(one.value, words))));
    }

    fn read_prepared(&mut self, words: &mut Words<'_>, class: &Class) {
        let lower = |words: &mut Words<'_>, at: usize| {
            let name = words.name(at)?;
            Some(words.parts(&name).name.to_lowercase())
        };
        match class.verb.as_str() {
            "PREPARE" => self.prepares.extend(lower(words, 1)),
            "EXECUTE" => self.executes.extend(lower(words, 1)),
            "DEALLOCATE" | "DROP PREPARE" => {
                let at = if words.is(1, "PREPARE") { 2 } else { 1 };
                self.executes.extend(lower(words, at));
            }
            _ => {}
        }
    }
}
