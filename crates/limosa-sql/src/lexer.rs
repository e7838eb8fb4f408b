//! Cuts SQL text into tokens, with pauses wherever the text at hand ends.
//!
//! The rules are those of the servers: `src/backend/parser/scan.l` of PostgreSQL, `src/tokenize.c` of SQLite and
//! `sql/sql_lex.cc` of MySQL and MariaDB, as far as they decide where tokens begin and end.

mod bytes;
mod found;
mod marked;
mod mysql;
mod token;

use crate::delimiter::{EndDelimiter, Standing};
use crate::search::{find, find_either};
use crate::{Engine, PlaceholderMarks};
use bytes::{Class, MYSQL, POSTGRES, SQLITE};
use found::Found;
pub(crate) use token::{Form, Kind, Open, Reading, Step, Token};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    Space,
    LineComment,
    BlockComment(u32),
    Word,
    Number,
    Parameter,
    Name(u8),
    Text(Form, bool),
    /// In the tag of an opening dollar quote.
    Tag,
    /// In a dollar-quoted string, with the length of its delimiter.
    Dollar(usize),
}

/// Cuts text into tokens. The text is given anew with each call, so that it may grow at its end.
#[derive(Debug, Clone)]
pub(crate) struct Lexer {
    engine: Engine,
    classes: &'static [Class; 256],
    reading: Reading,
    at: usize,
    start: usize,
    inside: Inside,
    /// The string constant that just ended, which a quote on a later line would continue.
    joint: Option<Form>,
    joint_on_new_line: bool,
    /// MySQL: what stands in the place of `;`; empty where it is `;` itself.
    delimiter: Vec<u8>,
    /// What ends statements besides, as the file says.
    end_delimiter: Option<EndDelimiter>,
    /// How placeholders are written, where that is not `${name}`.
    marks: Option<PlaceholderMarks>,
    /// Where the statement in progress began: behind the one before it.
    statement: usize,
    /// MySQL: where the comment began whose SQL is being read.
    executable: Option<usize>,
    /// MySQL: nothing but blanks was read of the statement.
    fresh: bool,
}

impl Lexer {
    pub(crate) fn new(engine: Engine, reading: Reading) -> Self {
        let classes = match engine {
            Engine::Postgres => &POSTGRES,
            Engine::Sqlite => &SQLITE,
            Engine::Mysql => &MYSQL,
        };
        Lexer {
            engine,
            classes,
            reading,
            at: 0,
            start: 0,
            inside: Inside::Nothing,
            joint: None,
            joint_on_new_line: false,
            delimiter: Vec::new(),
            end_delimiter: None,
            marks: None,
            statement: 0,
            executable: None,
            fresh: true,
        }
    }

    /// Says how quotes are read from the next token on.
    pub(crate) fn set_reading(&mut self, reading: Reading) {
        self.reading = reading;
    }

    /// Says what ends statements besides `;`.
    pub(crate) fn set_end_delimiter(&mut self, delimiter: Option<EndDelimiter>) {
        self.end_delimiter = delimiter;
    }

    /// True where something else ends statements.
    pub(crate) fn has_delimiter(&self) -> bool {
        !self.delimiter.is_empty() || self.end_delimiter.is_some()
    }

    /// Whether what ends statements besides `;` stands at `at`.
    fn delimiter_at(&self, text: &[u8], at: usize, last: bool) -> Found {
        if self.executable.is_some() {
            return Found::No;
        }
        if self.delimiter.is_empty() {
            let Some(delimiter) = &self.end_delimiter else { return Found::No };
            return match delimiter.stands_at(text, at, at == self.statement, last) {
                Standing::Here(length) => Found::Yes(length),
                Standing::Unknown => Found::More,
                Standing::No => Found::No,
            };
        }
        let rest = &text[at..];
        if rest.starts_with(&self.delimiter) {
            return Found::Yes(self.delimiter.len());
        }
        if !last && self.delimiter.starts_with(rest) { Found::More } else { Found::No }
    }

    /// How quotes are read.
    pub(crate) fn reading(&self) -> Reading {
        self.reading
    }

    /// Says that a new statement begins at this byte.
    pub(crate) fn begin_statement(&mut self, at: usize) {
        self.fresh = true;
        self.statement = at;
    }

    /// The first byte that was not looked at.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The first byte that may yet be looked at again: a tag that ends without `$` is read anew as a name.
    pub(crate) fn settled(&self) -> usize {
        if self.inside == Inside::Tag { self.start } else { self.at }
    }

    /// Where the token in progress began.
    pub(crate) fn token_start(&self) -> usize {
        self.start
    }

    /// True inside or before a comment or blank, false inside any other token.
    pub(crate) fn in_blank(&self) -> bool {
        matches!(self.inside, Inside::Space | Inside::LineComment | Inside::BlockComment(_))
    }

    /// True inside a comment that ends with its line.
    pub(crate) fn in_line_comment(&self) -> bool {
        self.inside == Inside::LineComment
    }

    /// True inside a block comment.
    pub(crate) fn in_block_comment(&self) -> bool {
        matches!(self.inside, Inside::BlockComment(_))
    }

    /// Says that the first `count` bytes of the text were taken away.
    pub(crate) fn shift(&mut self, count: usize) {
        self.at = self.at.saturating_sub(count);
        self.start = self.start.saturating_sub(count);
        self.statement = self.statement.saturating_sub(count);
        self.executable = self.executable.map(|at| at.saturating_sub(count));
    }

    /// Goes on reading at `at`, between tokens.
    pub(crate) fn jump(&mut self, at: usize) {
        self.at = at;
        self.start = at;
        self.inside = Inside::Nothing;
        self.joint = None;
    }

    /// The next token of `text`; `last` says that no more text will come.
    #[inline]
    pub(crate) fn next(&mut self, text: &[u8], last: bool) -> Step {
        match self.inside {
            Inside::Nothing if self.engine == Engine::Mysql => self.open_mysql(text, last),
            Inside::Nothing => self.open(text, last),
            Inside::Space => self.space(text, last),
            Inside::LineComment => self.line_comment(text, last),
            Inside::BlockComment(depth) => self.block_comment(text, last, depth),
            Inside::Word => self.word(text, last),
            Inside::Number => self.number(text, last),
            Inside::Parameter if self.engine == Engine::Mysql => self.variable(text, last),
            Inside::Parameter => self.parameter(text, last),
            Inside::Name(close) => self.name(text, last, close),
            Inside::Text(form, continued) => self.text(text, last, form, continued),
            Inside::Tag => self.tag(text, last),
            Inside::Dollar(length) => self.dollar(text, last, length),
        }
    }

    /// As [`Lexer::next`], but goes past blanks and past tokens that cannot end a statement; sets `end` to the end of
    /// the last such token, if there is one.
    pub(crate) fn next_notable(&mut self, text: &[u8], last: bool, end: &mut usize) -> Step {
        loop {
            if self.engine == Engine::Mysql && self.inside == Inside::Nothing && self.is_calm() {
                self.pass_calm(text, end);
            }
            match self.next(text, last) {
                Step::Token(token) => match token.kind {
                    Kind::Space => {}
                    Kind::Symbol(b';' | b'(' | b')' | b'\\') | Kind::Opening | Kind::Closing | Kind::Delimiter => {
                        return Step::Token(token);
                    }
                    kind if kind.is_blank() => return Step::Token(token),
                    _ => *end = token.end,
                },
                other => return other,
            }
        }
    }

    #[inline]
    fn open(&mut self, text: &[u8], last: bool) -> Step {
        self.start = self.at;
        let Some(&byte) = text.get(self.at) else { return if last { Step::End } else { Step::More } };
        let class = self.classes[byte as usize];
        if class == Class::Space {
            return self.space(text, last);
        }
        if self.end_delimiter.is_some() {
            match self.delimiter_at(text, self.at, last) {
                Found::Yes(length) => {
                    self.joint = None;
                    return self.emit(Kind::Delimiter, self.at + length);
                }
                Found::More => return Step::More,
                Found::No => {}
            }
        }
        if let Some(step) = self.marked(text, last) {
            return step;
        }
        let rest = &text[self.at..];
        let next = rest.get(1).copied();
        if next.is_none() && !last && class.looks_ahead() {
            return Step::More;
        }
        match class {
            Class::Dash if next == Some(b'-') => {
                self.at += 2;
                return self.line_comment(text, last);
            }
            Class::Slash if next == Some(b'*') => {
                self.at += 2;
                self.joint = None;
                return self.block_comment(text, last, 1);
            }
            Class::Quote => {
                self.at += 1;
                return match self.joint.take() {
                    Some(form) if self.joint_on_new_line => self.text(text, last, form, true),
                    _ => self.text(text, last, Form::Plain, false),
                };
            }
            _ => self.joint = None,
        }
        match class {
            Class::Letter => self.word(text, last),
            Class::Digit => self.number(text, last),
            Class::Prefix if next == Some(b'\'') => {
                self.at += 2;
                let form = match byte {
                    b'e' | b'E' => Form::Escape,
                    b'n' | b'N' => Form::National,
                    _ => Form::Bits,
                };
                self.text(text, last, form, false)
            }
            Class::UnicodePrefix if next == Some(b'&') => match rest.get(2) {
                None if !last => Step::More,
                Some(b'\'') => {
                    self.at += 3;
                    self.text(text, last, Form::Unicode, false)
                }
                Some(b'"') => {
                    self.at += 3;
                    self.name(text, last, b'"')
                }
                _ => self.word(text, last),
            },
            Class::Prefix | Class::UnicodePrefix => self.word(text, last),
            Class::MarkStart if rest.starts_with(&[0xEF, 0xBB, 0xBF]) => self.emit(Kind::Mark, self.at + 3),
            Class::MarkStart if !last && [0xEF, 0xBB, 0xBF].starts_with(rest) => Step::More,
            Class::MarkStart => self.word(text, last),
            Class::NameQuote => {
                self.at += 1;
                self.name(text, last, if byte == b'[' { b']' } else { byte })
            }
            Class::Dollar | Class::Sigil => self.sigil(text, last, byte, next),
            _ if byte == b'\\' && self.engine == Engine::Postgres => self.escaped_tag(text, last),
            _ => self.emit(Kind::Symbol(byte), self.at + 1),
        }
    }

    #[inline]
    fn emit(&mut self, kind: Kind, end: usize) -> Step {
        self.inside = Inside::Nothing;
        self.at = end;
        Step::Token(Token { kind, start: self.start, end })
    }

    /// Ends the step because the text at hand is used up.
    fn pause(&mut self, text: &[u8], inside: Inside) -> Step {
        self.at = text.len();
        self.inside = inside;
        Step::More
    }

    /// Goes to the first byte whose class is not wanted.
    #[inline]
    fn skip(&mut self, text: &[u8], wanted: impl Fn(Class) -> bool) {
        let classes = self.classes;
        let run = text[self.at..].iter().position(|&byte| !wanted(classes[byte as usize]));
        self.at = run.map_or(text.len(), |run| self.at + run);
    }

    #[inline]
    fn space(&mut self, text: &[u8], last: bool) -> Step {
        self.skip(text, |class| class == Class::Space);
        if self.joint.is_some() && text[self.start..self.at].iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            self.joint_on_new_line = true;
        }
        if self.at == text.len() && !last {
            return self.pause(text, Inside::Space);
        }
        self.emit(Kind::Space, self.at)
    }

    fn line_comment(&mut self, text: &[u8], last: bool) -> Step {
        let end = match self.engine {
            Engine::Postgres => find_either(text, self.at, b'\n', b'\r'),
            Engine::Sqlite | Engine::Mysql => find(text, self.at, b'\n'),
        };
        match end {
            Some(end) => self.emit(Kind::LineComment, end),
            None if last => self.emit(Kind::LineComment, text.len()),
            None => self.pause(text, Inside::LineComment),
        }
    }

    fn block_comment(&mut self, text: &[u8], last: bool, mut depth: u32) -> Step {
        let nests = self.engine == Engine::Postgres;
        while let Some(at) = find_either(text, self.at, b'*', b'/') {
            let Some(&next) = text.get(at + 1) else {
                if last {
                    break;
                }
                self.at = at;
                self.inside = Inside::BlockComment(depth);
                return Step::More;
            };
            self.at = at + 1;
            if (text[at], next) == (b'*', b'/') {
                self.at = at + 2;
                depth -= 1;
                if depth == 0 {
                    return self.emit(Kind::BlockComment, self.at);
                }
            } else if nests && (text[at], next) == (b'/', b'*') {
                self.at = at + 2;
                depth += 1;
            }
        }
        if !last {
            return self.pause(text, Inside::BlockComment(depth));
        }
        self.at = text.len();
        match self.engine {
            Engine::Postgres | Engine::Mysql => self.unclosed(Open::Comment),
            Engine::Sqlite => self.emit(Kind::BlockComment, self.at),
        }
    }

    fn unclosed(&mut self, open: Open) -> Step {
        self.inside = Inside::Nothing;
        Step::Unclosed(open, self.start)
    }

    #[inline]
    fn word(&mut self, text: &[u8], last: bool) -> Step {
        if self.engine == Engine::Mysql {
            return self.word_of_mysql(text, last);
        }
        loop {
            self.pass_word(text);
            match text.get(self.at) {
                None if !last => return self.pause(text, Inside::Word),
                Some(&byte) if byte == b'$' || self.classes[byte as usize].continues_name() => {
                    match self.delimiter_at(text, self.at, last).or_else(|| self.placeholder_at(text, self.at, last)) {
                        Found::Yes(_) => return self.emit(Kind::Word, self.at),
                        Found::No => self.at += 1,
                        Found::More => {
                            self.inside = Inside::Word;
                            return Step::More;
                        }
                    }
                }
                _ => return self.emit(Kind::Word, self.at),
            }
        }
    }

    #[inline]
    fn number(&mut self, text: &[u8], last: bool) -> Step {
        self.skip(text, |class| class == Class::Digit);
        if self.at == text.len() && !last {
            return self.pause(text, Inside::Number);
        }
        self.emit(Kind::Number, self.at)
    }

    /// `$`, and on SQLite `@`, `:` and `#`.
    fn sigil(&mut self, text: &[u8], last: bool, byte: u8, next: Option<u8>) -> Step {
        if byte == b'$' {
            match self.placeholder_at(text, self.at, last) {
                Found::Yes(length) => return self.emit(Kind::Placeholder, self.at + length),
                Found::More => return Step::More,
                Found::No => {}
            }
        }
        let next_class = next.map(|next| self.classes[next as usize]);
        match (self.engine, next_class) {
            (Engine::Sqlite | Engine::Mysql, _) => {
                self.at += 1;
                self.parameter(text, last)
            }
            (Engine::Postgres, Some(Class::Digit)) => {
                self.at += 1;
                self.parameter(text, last)
            }
            (Engine::Postgres, Some(class)) if class == Class::Dollar || class.begins_name() => {
                self.at += 1;
                self.tag(text, last)
            }
            (Engine::Postgres, _) => self.emit(Kind::Symbol(byte), self.at + 1),
        }
    }

    fn parameter(&mut self, text: &[u8], last: bool) -> Step {
        if self.engine == Engine::Postgres {
            self.skip(text, |class| class == Class::Digit);
        } else {
            loop {
                self.skip(text, |class| class.continues_name() || class == Class::Dollar);
                if !text[self.at..].starts_with(b"::") {
                    break;
                }
                self.at += 2;
            }
        }
        let rest = &text[self.at..];
        if !last && (rest.is_empty() || rest == b":") {
            self.inside = Inside::Parameter;
            return Step::More;
        }
        // SQLite reads `$name(anything)` as one parameter, as Tcl does.
        if self.engine == Engine::Sqlite && self.at > self.start + 1 && rest[..].first() == Some(&b'(') {
            let closes = |byte: &u8| *byte == b')' || self.classes[*byte as usize] == Class::Space;
            return match rest.iter().position(closes) {
                Some(end) if rest[end] == b')' => self.emit(Kind::Parameter, self.at + end + 1),
                Some(end) => self.emit(Kind::Parameter, self.at + end),
                None if last => self.emit(Kind::Parameter, text.len()),
                None => {
                    self.inside = Inside::Parameter;
                    Step::More
                }
            };
        }
        self.emit(Kind::Parameter, self.at)
    }

    fn name(&mut self, text: &[u8], last: bool, close: u8) -> Step {
        while let Some(at) = find(text, self.at, close) {
            let doubled = match text.get(at + 1) {
                None if !last && close != b']' => {
                    self.at = at;
                    self.inside = Inside::Name(close);
                    return Step::More;
                }
                next => next == Some(&close) && close != b']',
            };
            if !doubled {
                return self.emit(Kind::QuotedName, at + 1);
            }
            self.at = at + 2;
        }
        if !last {
            return self.pause(text, Inside::Name(close));
        }
        self.at = text.len();
        self.unclosed(Open::Name)
    }

    #[inline]
    fn text(&mut self, text: &[u8], last: bool, form: Form, continued: bool) -> Step {
        let escapes = match form {
            Form::Escape => true,
            Form::Plain | Form::National | Form::Double => self.reading.backslashes,
            Form::Unicode | Form::Bits => false,
        };
        let (inside, quote) = (Inside::Text(form, continued), form.quote());
        loop {
            let found = match escapes {
                true => find_either(text, self.at, quote, b'\\'),
                false => find(text, self.at, quote),
            };
            let Some(at) = found else { break };
            let next = text.get(at + 1);
            if next.is_none() && !last {
                self.at = at;
                self.inside = inside;
                return Step::More;
            }
            if text[at] == quote && next != Some(&quote) {
                self.joint = (self.engine == Engine::Postgres).then_some(form);
                self.joint_on_new_line = false;
                let kind = if continued { Kind::TextContinued(form) } else { Kind::Text(form) };
                return self.emit(kind, at + 1);
            }
            self.at = (at + 2).min(text.len());
        }
        if !last {
            return self.pause(text, inside);
        }
        self.at = text.len();
        self.unclosed(Open::Text)
    }

    fn tag(&mut self, text: &[u8], last: bool) -> Step {
        self.skip(text, Class::continues_name);
        match text.get(self.at) {
            None if !last => self.pause(text, Inside::Tag),
            Some(b'$') => {
                self.at += 1;
                self.dollar(text, last, self.at - self.start)
            }
            // No delimiter after all: the dollar sign stands alone.
            _ => self.emit(Kind::Symbol(b'$'), self.start + 1),
        }
    }

    /// `\$tag\$`, of which the server gets `$tag$` where goose's variables are replaced. Elsewhere no text of SQL has a backslash here.
    fn escaped_tag(&mut self, text: &[u8], last: bool) -> Step {
        const DOLLAR: &[u8] = br"\$";
        let rest = &text[self.at..];
        let fits = |byte: &u8| self.classes[*byte as usize].continues_name();
        let tag = rest.strip_prefix(DOLLAR).map(|rest| rest.iter().take_while(|byte| fits(byte)).count());
        let behind = tag.map_or(rest, |tag| &rest[DOLLAR.len() + tag..]);
        match tag {
            Some(tag) if behind.starts_with(DOLLAR) => {
                let length = tag + 2 * DOLLAR.len();
                self.at += length;
                self.dollar(text, last, length)
            }
            _ if !last && DOLLAR.starts_with(behind) => Step::More,
            _ => self.emit(Kind::Symbol(b'\\'), self.at + 1),
        }
    }

    fn dollar(&mut self, text: &[u8], last: bool, length: usize) -> Step {
        while let Some(at) = find(text, self.at, text[self.start]) {
            let (delimiter, rest) = (&text[self.start..self.start + length], &text[at..]);
            if rest.starts_with(delimiter) {
                return self.emit(Kind::DollarText(length), at + length);
            }
            if !last && delimiter.starts_with(rest) {
                self.at = at;
                self.inside = Inside::Dollar(length);
                return Step::More;
            }
            self.at = at + 1;
        }
        if !last {
            return self.pause(text, Inside::Dollar(length));
        }
        self.at = text.len();
        self.unclosed(Open::Dollar(length))
    }
}
