//! Statements of PostgreSQL.

use super::{Hanging, Head, Tail};
use crate::lexer::{Kind, Token};

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
    pub(super) fn is_calm(&self) -> bool {
        self.head == Head::Other && self.bodies.is_empty()
    }

    pub(super) fn shift(&mut self, count: usize) {
        self.parentheses.iter_mut().chain(&mut self.bodies).for_each(|at| *at -= count);
        self.word_at = self.word_at.saturating_sub(count);
    }

    pub(super) fn hanging(&self) -> Option<Hanging> {
        match (self.parentheses.last(), self.bodies.last()) {
            (Some(&at), _) => Some(Hanging::Parenthesis(at)),
            (None, Some(&at)) => Some(Hanging::Routine(at)),
            (None, None) => None,
        }
    }

    pub(super) fn reset(&mut self) {
        self.head = Head::Start;
        self.tail = Tail::Other;
        self.parentheses.clear();
        self.bodies.clear();
    }

    #[inline]
    pub(super) fn take(&mut self, token: Token, text: &[u8]) -> bool {
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
