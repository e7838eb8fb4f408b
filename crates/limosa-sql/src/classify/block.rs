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
    let mut lexer = Lexer::new(engine, reading);
    let (mut begins, mut from) = (false, None);
    while let Step::Token(token) = lexer.next(code.as_bytes(), true) {
        if token.kind.is_blank() {
            continue;
        }
        let written = code.get(token.start..token.end).unwrap_or_default();
        let is = |word: &&str| token.kind == Kind::Word && written.eq_ignore_ascii_case(word);
        if begins && LOOKED_INTO.iter().any(is) {
            from = Some(token.start);
        }
        let ends = token.kind == Kind::Symbol(b';');
        if ends && let Some(statement) = from.take().and_then(|from| code.get(from..token.start)) {
            let loss = match engine == Engine::Postgres && written_first(statement, "EXECUTE") {
                true => loss_of_execute(reading, statement),
                false => classify_with(engine, statement, reading).loss,
            };
            if loss.is_some() {
                return loss;
            }
        }
        begins = ends || BEFORE_STATEMENTS.iter().any(is);
    }
    None
}

fn written_first(statement: &str, word: &str) -> bool {
    statement.get(..word.len()).is_some_and(|first| first.eq_ignore_ascii_case(word))
}

/// `EXECUTE` of PL/pgSQL runs a text: what of it stands there is read. Of what is held in variables alone nothing is known.
fn loss_of_execute(reading: Reading, statement: &str) -> Option<Loss> {
    let mut words = Words::new(Engine::Postgres, statement, reading);
    let (mut at, mut text, mut is_whole) = (1, String::new(), true);
    while words.get(at).is_some() && !words.is_any(at, &["INTO", "USING"]) {
        if words.is_text(at) {
            text.extend(constant(&mut words, at));
        } else {
            is_whole = false;
        }
        at += 1;
    }
    let destroys = |word: &&str| written_first(text.trim_start(), word);
    let is_open = !is_whole && ["DELETE", "DROP", "TRUNCATE"].iter().any(destroys);
    let named_later = || Loss { kind: "what it names when it runs:".to_owned(), object: statement.to_owned() };
    match is_open {
        true => Some(named_later()),
        false => classify_with(Engine::Postgres, &text, reading).loss,
    }
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
