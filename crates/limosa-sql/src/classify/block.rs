//! `DO` of PostgreSQL: a block that ends transactions by itself cannot run inside of one.

use super::{ruled, verb};
use crate::lexer::{Kind, Lexer, Step};
use crate::literal::constant;
use crate::words::Words;
use crate::{Class, Engine, TransactionRule};

/// The words of PL/pgSQL behind which a statement begins, as behind a semicolon.
const BEFORE_STATEMENTS: &[&str] = &["BEGIN", "THEN", "ELSE", "LOOP"];

pub(super) fn block(words: &mut Words<'_>) -> Class {
    let ends_transactions = code(words).is_some_and(|code| ends_transactions(words, &code));
    ruled(verb("DO").verb, if ends_transactions { TransactionRule::Outside } else { TransactionRule::Either })
}

/// The code, where it is in PL/pgSQL: the language stands before or behind it.
fn code(words: &mut Words<'_>) -> Option<String> {
    let (mut at, mut code) = (1, None);
    while words.get(at).is_some() {
        if words.is(at, "LANGUAGE") {
            if words.part(at + 1) != "plpgsql" {
                return None;
            }
            at += 1;
        } else if code.is_none() && words.is_text(at) {
            code = constant(words, at);
        }
        at += 1;
    }
    code
}

/// True where COMMIT or ROLLBACK is a statement of the code (PostgreSQL, `pl_gram.y`: `stmt_commit`, `stmt_rollback`).
fn ends_transactions(words: &Words<'_>, code: &str) -> bool {
    let mut lexer = Lexer::new(Engine::Postgres, words.reading());
    let (mut begins, mut is_ending) = (false, false);
    while let Step::Token(token) = lexer.next(code.as_bytes(), true) {
        if token.kind.is_blank() {
            continue;
        }
        let written = code.get(token.start..token.end).unwrap_or_default();
        let is = |word: &&str| token.kind == Kind::Word && written.eq_ignore_ascii_case(word);
        if is_ending && (token.kind == Kind::Symbol(b';') || is(&"AND")) {
            return true;
        }
        is_ending = begins && ["COMMIT", "ROLLBACK"].iter().any(is);
        begins = token.kind == Kind::Symbol(b';') || BEFORE_STATEMENTS.iter().any(is);
    }
    false
}
