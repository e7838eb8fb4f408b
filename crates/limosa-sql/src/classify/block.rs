//! Blocks that run at once: `DO` of PostgreSQL, `BEGIN NOT ATOMIC` of MariaDB. What their statements destroy counts, and one that ends
//! transactions by itself cannot run inside of one.

use super::{classify_with, ruled, verb};
use crate::lexer::{Kind, Lexer, Reading, Step};
use crate::literal::constant;
use crate::words::Words;
use crate::{Class, Engine, Loss, TransactionRule};

/// The words of a block behind which a statement begins, as behind a semicolon.
const BEFORE_STATEMENTS: &[&str] = &["BEGIN", "THEN", "ELSE", "LOOP", "DO", "REPEAT", "ATOMIC"];

pub(super) fn block(words: &mut Words<'_>) -> Class {
    let Some(code) = code(words) else { return verb("DO") };
    let rule = if ends_transactions(words, &code) { TransactionRule::Outside } else { TransactionRule::Either };
    Class { loss: loss_in(Engine::Postgres, words.reading(), &code), ..ruled("DO", rule) }
}

/// The first thing that a statement of a block destroys. What a function does that is called is not looked into.
pub(super) fn loss_in(engine: Engine, reading: Reading, code: &str) -> Option<Loss> {
    /// What may destroy something where it begins a statement.
    const LOOKED_INTO: &[&str] = &["ALTER", "DELETE", "DROP", "EXECUTE", "MERGE", "TRUNCATE", "WITH"];
    statements(engine, reading, code).find_map(|statement| {
        let mut words = Words::new(engine, statement, reading);
        match words.is_any(0, LOOKED_INTO) {
            true if engine == Engine::Postgres && words.is(0, "EXECUTE") => loss_of_execute(&mut words, statement),
            true => classify_with(engine, statement, reading).loss,
            false => None,
        }
    })
}

/// How many statements of a block may be open at once: more than anyone writes, since each is read to its end.
const OPEN: usize = 256;

/// The texts of a block from where a statement begins in it to the semicolon behind it. One that holds others is given with each.
fn statements(engine: Engine, reading: Reading, code: &str) -> impl Iterator<Item = &str> {
    let mut lexer = Lexer::new(engine, reading);
    let (mut begins, mut open) = (true, Vec::new());
    let pieces = std::iter::from_fn(move || {
        while let Step::Token(token) = lexer.next(code.as_bytes(), true) {
            if token.kind.is_blank() {
                continue;
            }
            if token.kind == Kind::Symbol(b';') {
                begins = true;
                return Some(std::mem::take(&mut open).into_iter().filter_map(move |from| code.get(from..token.start)));
            }
            if begins {
                open.truncate(OPEN - 1);
                open.push(token.start);
            }
            let written = code.get(token.start..token.end).unwrap_or_default();
            begins =
                token.kind == Kind::Word && BEFORE_STATEMENTS.iter().any(|word| written.eq_ignore_ascii_case(word));
        }
        None
    });
    pieces.flatten()
}

/// `EXECUTE` of PL/pgSQL runs a text: what of it stands there is read. Of what is held in variables alone nothing is known.
fn loss_of_execute(words: &mut Words<'_>, statement: &str) -> Option<Loss> {
    let (mut at, mut text, mut is_whole) = (1, String::new(), true);
    while words.get(at).is_some() && !words.is_any(at, &["INTO", "USING"]) {
        if words.is_text(at) {
            text.extend(constant(words, at));
        } else {
            is_whole = false;
        }
        at += 1;
    }
    let reading = words.reading();
    if !is_whole && Words::new(Engine::Postgres, &text, reading).is_any(0, &["DELETE", "DROP", "TRUNCATE"]) {
        return Some(Loss { kind: "what it names when it runs:".to_owned(), object: statement.to_owned() });
    }
    classify_with(Engine::Postgres, &text, reading).loss
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
    let reading = words.reading();
    statements(Engine::Postgres, reading, code).any(|statement| {
        let mut words = Words::new(Engine::Postgres, statement, reading);
        words.is_any(0, &["COMMIT", "ROLLBACK"]) && (words.get(1).is_none() || words.is(1, "AND"))
    })
}
