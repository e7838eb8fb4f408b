//! Statements of SQLite.

use super::{Hanging, Head, Tail};
use crate::lexer::{Kind, Token};

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
    pub(super) fn is_calm(&self) -> bool {
        self.head == Head::Other
    }

    pub(super) fn shift(&mut self, count: usize) {
        self.begin = self.begin.map(|at| at - count);
    }

    pub(super) fn hanging(&self) -> Option<Hanging> {
        match self.head {
            Head::Routine if self.tail != Tail::End => self.begin.map(Hanging::Trigger),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn take(&mut self, token: Token, text: &[u8]) -> bool {
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
