//! Knows at each semicolon whether it ends the statement.

use crate::Engine;
use crate::lexer::{Kind, Token};

/// What is still open where a script ends; the offset says where it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hanging {
    Parenthesis(usize),
    /// `BEGIN ATOMIC` of a routine.
    Routine(usize),
    /// `BEGIN` of a trigger.
    Trigger(usize),
}

/// Follows the tokens of one statement.
#[derive(Debug)]
pub(crate) enum Boundary {
    Postgres(PostgresBoundary),
    Sqlite(SqliteBoundary),
}

impl Boundary {
    pub(crate) fn new(engine: Engine) -> Self {
        match engine {
            Engine::Postgres => Boundary::Postgres(PostgresBoundary::default()),
            Engine::Sqlite | Engine::Mysql => Boundary::Sqlite(SqliteBoundary::default()),
        }
    }

    /// Begins with a new statement.
    pub(crate) fn reset(&mut self) {
        match self {
            Boundary::Postgres(state) => state.reset(),
            Boundary::Sqlite(state) => *state = SqliteBoundary::default(),
        }
    }

    /// Takes the next token of the statement; true where it is the semicolon that ends it.
    #[inline]
    pub(crate) fn take(&mut self, token: Token, text: &[u8]) -> bool {
        match self {
            Boundary::Postgres(state) => state.take(token, text),
            Boundary::Sqlite(state) => state.take(token, text),
        }
    }

    /// True where only semicolons and parentheses matter for the rest of the statement.
    pub(crate) fn is_calm(&self) -> bool {
        match self {
            Boundary::Postgres(state) => state.head == Head::Other && state.bodies.is_empty(),
            Boundary::Sqlite(state) => state.head == Head::Other,
        }
    }

    /// Says that the first `count` bytes of the text were taken away.
    pub(crate) fn shift(&mut self, count: usize) {
        match self {
            Boundary::Postgres(state) => {
                state.parentheses.iter_mut().chain(&mut state.bodies).for_each(|at| *at -= count);
                state.word_at = state.word_at.saturating_sub(count);
            }
            Boundary::Sqlite(state) => state.begin = state.begin.map(|at| at - count),
        }
    }

    /// What is open if the script ends here.
    pub(crate) fn hanging(&self) -> Option<Hanging> {
        match self {
            Boundary::Postgres(state) => match (state.parentheses.last(), state.bodies.last()) {
                (Some(&at), _) => Some(Hanging::Parenthesis(at)),
                (None, Some(&at)) => Some(Hanging::Routine(at)),
                (None, None) => None,
            },
            Boundary::Sqlite(state) if state.head == Head::Routine && state.tail != Tail::End => {
                state.begin.map(Hanging::Trigger)
            }
            Boundary::Sqlite(_) => None,
        }
    }
}

/// How far the first words of a statement have been recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Head {
    #[default]
    Start,
    /// EXPLAIN, EXPLAIN QUERY, EXPLAIN QUERY PLAN
    Explain,
    Create,
    CreateOr,
    /// It is a CREATE FUNCTION, CREATE PROCEDURE or CREATE TRIGGER.
    Routine,
    Other,
}

/// What the last tokens were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tail {
    #[default]
    Other,
    /// `;` inside a body, or the ATOMIC that begins one: where a statement of the body begins.
    Semicolon,
    /// END at such a place.
    End,
    /// BEGIN
    Begin,
}

/// PostgreSQL: semicolons inside parentheses belong to the statement (CREATE RULE ... DO (a; b)), as in psql, and those
/// inside BEGIN ATOMIC ... END. By the grammar (`routine_body_stmt_list` in gram.y) the END of such a body stands where
/// a statement would begin, and nothing else that is called END ever does.
#[derive(Debug, Default)]
pub(crate) struct PostgresBoundary {
    head: Head,
    tail: Tail,
    word_at: usize,
    parentheses: Vec<usize>,
    bodies: Vec<usize>,
}

impl PostgresBoundary {
    fn reset(&mut self) {
        self.head = Head::Start;
        self.tail = Tail::Other;
        self.parentheses.clear();
        self.bodies.clear();
    }

    #[inline]
    fn take(&mut self, token: Token, text: &[u8]) -> bool {
        match token.kind {
            Kind::Symbol(b'(') => {
                self.parentheses.push(token.start);
                self.settle();
            }
            Kind::Symbol(b')') => {
                self.parentheses.pop();
                self.settle();
            }
            Kind::Symbol(b';') if self.parentheses.is_empty() => {
                if self.bodies.is_empty() {
                    return true;
                }
                self.head = Head::Start;
                self.tail = Tail::Semicolon;
            }
            Kind::Word if self.head != Head::Other || !self.bodies.is_empty() => {
                self.word(&text[token.start..token.end], token.start);
            }
            _ => self.settle(),
        }
        false
    }

    /// A token that can be no part of the first words.
    #[inline]
    fn settle(&mut self) {
        self.tail = Tail::Other;
        if self.head != Head::Routine {
            self.head = Head::Other;
        }
    }

    fn word(&mut self, word: &[u8], at: usize) {
        let is = |key: &str| word.eq_ignore_ascii_case(key.as_bytes());
        let tail = self.tail;
        self.tail = Tail::Other;
        if !self.parentheses.is_empty() {
            return;
        }
        match self.head {
            Head::Routine if is("begin") => {
                self.tail = Tail::Begin;
                self.word_at = at;
            }
            Head::Routine if tail == Tail::Begin && is("atomic") => {
                self.bodies.push(self.word_at);
                self.tail = Tail::Semicolon;
                self.head = Head::Start;
            }
            Head::Routine => {}
            _ if tail == Tail::Semicolon && is("end") => {
                self.bodies.pop();
                self.tail = Tail::End;
                self.head = Head::Other;
            }
            Head::Start if is("create") => self.head = Head::Create,
            Head::Create if is("or") => self.head = Head::CreateOr,
            Head::CreateOr if is("replace") => self.head = Head::Create,
            Head::Create if is("function") || is("procedure") => self.head = Head::Routine,
            _ => self.head = Head::Other,
        }
    }
}

/// SQLite: the semicolons of CREATE TRIGGER ... BEGIN ... END belong to the statement. By the grammar
/// (`trigger_cmd_list` in parse.y) its last semicolon is the one after END after a semicolon, as in `sqlite3_complete`.
#[derive(Debug, Default)]
pub(crate) struct SqliteBoundary {
    head: Head,
    tail: Tail,
    begin: Option<usize>,
    in_body: bool,
}

impl SqliteBoundary {
    #[inline]
    fn take(&mut self, token: Token, text: &[u8]) -> bool {
        match token.kind {
            Kind::Symbol(b';') => {
                if self.head != Head::Routine || self.begin.is_none() || self.tail == Tail::End {
                    return true;
                }
                self.tail = Tail::Semicolon;
                self.in_body = true;
            }
            Kind::Word if self.head != Head::Other => self.word(&text[token.start..token.end], token.start),
            _ => {
                self.tail = Tail::Other;
                if self.head != Head::Routine {
                    self.head = Head::Other;
                }
            }
        }
        false
    }

    fn word(&mut self, word: &[u8], at: usize) {
        let is = |key: &str| word.eq_ignore_ascii_case(key.as_bytes());
        let tail = self.tail;
        self.tail = Tail::Other;
        match self.head {
            Head::Routine if tail == Tail::Semicolon && is("end") => self.tail = Tail::End,
            // Names may be called begin too; the body begins at the last one before the first semicolon.
            Head::Routine if !self.in_body && is("begin") => self.begin = Some(at),
            Head::Routine => {}
            Head::Start if is("explain") => self.head = Head::Explain,
            Head::Explain if is("query") || is("plan") => {}
            Head::Start | Head::Explain if is("create") => self.head = Head::Create,
            Head::Create if is("temp") || is("temporary") => {}
            Head::Create if is("trigger") => self.head = Head::Routine,
            _ => self.head = Head::Other,
        }
    }
}
