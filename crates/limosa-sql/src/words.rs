//! The tokens of one statement that carry meaning, and the names they form.

use crate::lexer::{Form, Kind, Lexer, Reading, Step, Token};
use crate::literal::unescape_unicode;
use crate::{Engine, QualifiedName};

/// PostgreSQL keeps this many bytes of a name (`NAMEDATALEN` - 1).
const POSTGRES_NAME_BYTES: usize = 63;

/// The tokens of a statement, read as far as they are asked for. Comments and blanks are left out.
pub(crate) struct Words<'a> {
    engine: Engine,
    text: &'a str,
    lexer: Lexer,
    tokens: Vec<Token>,
    ended: bool,
    depth: u32,
}

/// A name in a statement.
pub(crate) struct Name<'a> {
    /// As written.
    pub(crate) written: &'a str,
    /// Its first token.
    first: usize,
    /// The token behind it.
    pub(crate) next: usize,
}

/// How deep statements inside of statements are looked into.
const DEPTH: u32 = 32;

/// How many tokens most statements need before it is clear what they are.
const USUAL_TOKENS: usize = 16;

/// A word in capitals. Words that are longer than any key word are cut.
#[derive(Clone, Copy)]
pub(crate) struct Capitals {
    bytes: [u8; 24],
    length: usize,
}

impl std::ops::Deref for Capitals {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl Capitals {
    fn of(word: &str) -> Self {
        let mut bytes = [0; 24];
        let length = word.floor_char_boundary(24);
        bytes[..length].copy_from_slice(&word.as_bytes()[..length]);
        bytes.make_ascii_uppercase();
        Capitals { bytes, length }
    }
}

impl<'a> Words<'a> {
    pub(crate) fn new(engine: Engine, text: &'a str, reading: Reading) -> Self {
        Words {
            engine,
            text,
            lexer: Lexer::new(engine, reading),
            tokens: Vec::with_capacity(USUAL_TOKENS),
            ended: false,
            depth: 0,
        }
    }

    /// Looks into a statement or expression inside of another. None where that is deeper than anyone writes, because each level
    /// takes room on the stack.
    pub(crate) fn inside<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth == DEPTH {
            return None;
        }
        self.depth += 1;
        let found = look(self);
        self.depth -= 1;
        Some(found)
    }

    /// How quotes are read.
    pub(crate) fn reading(&self) -> Reading {
        self.lexer.reading()
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine
    }

    /// The token with this index, if the statement is that long.
    #[inline]
    pub(crate) fn get(&mut self, index: usize) -> Option<Token> {
        if let Some(token) = self.tokens.get(index) {
            return Some(*token);
        }
        self.read(index)
    }

    fn read(&mut self, index: usize) -> Option<Token> {
        while self.tokens.len() <= index && !self.ended {
            match self.lexer.next(self.text.as_bytes(), true) {
                Step::Token(token) if token.kind.is_blank() || token.kind.is_executable_mark() => {}
                Step::Token(token) => self.tokens.push(token),
                // What is never closed counts as nothing; the splitter has refused it already.
                Step::More | Step::End | Step::Unclosed(..) => self.ended = true,
            }
        }
        self.tokens.get(index).copied()
    }

    /// The text of a token; empty behind the end.
    pub(crate) fn text(&mut self, index: usize) -> &'a str {
        self.get(index).and_then(|token| self.text.get(token.start..token.end)).unwrap_or_default()
    }

    /// The statement from a token on.
    pub(crate) fn rest(&mut self, index: usize) -> &'a str {
        self.get(index).and_then(|token| self.text.get(token.start..)).unwrap_or_default()
    }

    /// True where the token is this unquoted word, in capitals or not.
    pub(crate) fn is(&mut self, index: usize, word: &str) -> bool {
        match self.get(index) {
            Some(Token { kind: Kind::Word, start, end }) if end - start == word.len() => {
                self.text.as_bytes()[start..end].eq_ignore_ascii_case(word.as_bytes())
            }
            _ => false,
        }
    }

    /// True where the token is one of these words.
    pub(crate) fn is_any(&mut self, index: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(index, word))
    }

    /// True where these words stand in a row.
    pub(crate) fn are(&mut self, index: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(offset, word)| self.is(index + offset, word))
    }

    /// `index`, or the token behind the words if they stand there.
    pub(crate) fn skip(&mut self, index: usize, words: &[&str]) -> usize {
        if self.are(index, words) { index + words.len() } else { index }
    }

    /// The word in capitals; empty where the token is none.
    pub(crate) fn capitals(&mut self, index: usize) -> Capitals {
        match self.get(index) {
            Some(Token { kind: Kind::Word, .. }) => Capitals::of(self.text(index)),
            _ => Capitals::of(""),
        }
    }

    /// True where the token is this symbol.
    pub(crate) fn symbol(&mut self, index: usize, symbol: u8) -> bool {
        matches!(self.get(index), Some(Token { kind: Kind::Symbol(found), .. }) if found == symbol)
    }

    /// True where the token is a string constant.
    pub(crate) fn is_text(&mut self, index: usize) -> bool {
        matches!(self.get(index), Some(Token { kind: Kind::Text(_) | Kind::DollarText(_), .. }))
    }

    /// The token behind the parenthesis that closes the one at `index`; `index` where none opens there.
    pub(crate) fn behind_parentheses(&mut self, index: usize) -> usize {
        if !self.symbol(index, b'(') {
            return index;
        }
        let (mut depth, mut at) = (0_usize, index);
        while let Some(token) = self.get(at) {
            at += 1;
            match token.kind {
                Kind::Symbol(b'(') => depth += 1,
                Kind::Symbol(b')') => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                _ => {}
            }
        }
        at
    }

    /// A name of one to three parts at `index`.
    pub(crate) fn name(&mut self, index: usize) -> Option<Name<'a>> {
        let first = self.get(index).filter(|token| self.can_name(*token))?;
        let (mut next, mut end) = (index + 1, first.end);
        while self.symbol(next, b'.') {
            let Some(part) = self.get(next + 1).filter(|token| self.can_name(*token)) else { break };
            end = part.end;
            next += 2;
        }
        Some(Name { written: self.text.get(first.start..end)?, first: index, next })
    }

    /// The last two parts of a name.
    pub(crate) fn parts(&mut self, name: &Name<'a>) -> QualifiedName {
        let schema = if name.next - name.first > 1 { Some(self.part(name.next - 3)) } else { None };
        QualifiedName { schema, name: self.part(name.next - 1) }
    }

    /// All parts of a name, joined by dots.
    pub(crate) fn dotted(&mut self, name: &Name<'a>) -> String {
        let parts: Vec<_> = (name.first..name.next).step_by(2).map(|index| self.part(index)).collect();
        parts.join(".")
    }

    fn can_name(&self, token: Token) -> bool {
        match token.kind {
            Kind::Word | Kind::Placeholder | Kind::QuotedName => true,
            // SQLite takes string constants for names where only a name can stand, and so does MySQL with those in double
            // quotes where `sql_mode` holds ANSI_QUOTES, which is not known of every statement.
            Kind::Text(Form::Double) => true,
            Kind::Text(_) => self.engine == Engine::Sqlite,
            _ => false,
        }
    }

    /// A name, or several separated by commas; how they are written, and the token behind.
    pub(crate) fn names(&mut self, index: usize) -> (Vec<Name<'a>>, usize) {
        let (mut names, mut at) = (Vec::new(), index);
        loop {
            at = self.skip(at, &["ONLY"]);
            let Some(name) = self.name(at) else { break };
            at = name.next;
            names.push(name);
            if self.symbol(at, b'*') {
                at += 1;
            }
            if !self.symbol(at, b',') {
                break;
            }
            at += 1;
        }
        (names, at)
    }

    /// One part of a name, unquoted and folded as the server would.
    pub(crate) fn part(&mut self, index: usize) -> String {
        let written = self.text(index);
        let name = match (self.get(index).map(|token| token.kind), self.engine) {
            (Some(Kind::Word), Engine::Postgres) => written.to_ascii_lowercase(),
            (Some(Kind::QuotedName | Kind::Text(_)), _) => self.unquote(written),
            _ => written.to_owned(),
        };
        match self.engine {
            Engine::Postgres => truncate(name, POSTGRES_NAME_BYTES),
            Engine::Sqlite | Engine::Mysql => name,
        }
    }

    fn unquote(&self, written: &str) -> String {
        if let Some(quoted) = written.strip_prefix("U&").or(written.strip_prefix("u&")) {
            return unescape_unicode(&self.unquote(quoted), '\\');
        }
        let Some(quote) = written.chars().next() else { return String::new() };
        let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or_default();
        match quote {
            '[' => inner.to_owned(),
            quote => inner.replace(&format!("{quote}{quote}"), &quote.to_string()),
        }
    }
}

/// At most `bytes` bytes of a name, cut between characters.
fn truncate(mut name: String, bytes: usize) -> String {
    let mut end = bytes.min(name.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    name
}

/// Names as written, separated by commas.
pub(crate) fn written(names: &[Name<'_>]) -> String {
    names.iter().map(|name| name.written).collect::<Vec<_>>().join(", ")
}
