//! String constants: their values, and whether a statement mentions one.

use crate::Engine;
use crate::lexer::{Form, Kind, Lexer, Reading, Step, Token};
use crate::words::Words;

/// How deep strings inside strings are looked into.
const DEPTH: usize = 8;

/// True where a string constant with this value occurs in the statement, in any form of quoting, also inside of
/// dollar-quoted bodies and strings that hold SQL, or as an element of a constant such as `'{a,b}'`. True as well where
/// that cannot be known: for `COPY ... FROM stdin`, whose data is not part of the statement, and for bodies that
/// are no SQL and hold the value.
pub fn mentions_literal(engine: Engine, statement: &str, value: &str) -> bool {
    copies_from_stdin(engine, statement) || mentions(engine, statement, value, DEPTH)
}

fn copies_from_stdin(engine: Engine, statement: &str) -> bool {
    engine == Engine::Postgres && copy_from_stdin(&mut Words::new(engine, statement, Reading::of(engine))).is_some()
}

/// The token behind STDIN where the statement is a `COPY ... FROM stdin`.
pub(crate) fn copy_from_stdin(words: &mut Words<'_>) -> Option<usize> {
    if !words.is(0, "COPY") || words.symbol(1, b'(') {
        return None;
    }
    let at = copied_table(words);
    let at = words.name(at)?.next;
    let at = words.behind_parentheses(at);
    (words.is(at, "FROM") && words.is_any(at + 1, &["STDIN", "STDOUT"])).then_some(at + 2)
}

/// Where the table of a COPY stands. `COPY BINARY t` is an old form, while a table can be called binary too.
pub(crate) fn copied_table(words: &mut Words<'_>) -> usize {
    if words.is(1, "BINARY") && words.name(2).is_some() && !words.is_any(2, &["FROM", "TO"]) { 2 } else { 1 }
}

fn mentions(engine: Engine, text: &str, value: &str, depth: usize) -> bool {
    if depth == 0 {
        return true;
    }
    let mut lexer = Lexer::new(engine, Reading::of(engine));
    let mut constant: Option<Constant> = None;
    loop {
        let step = lexer.next(text.as_bytes(), true);
        let Step::Token(token) = step else {
            let hit = constant.take().is_some_and(|constant| constant.mentions(engine, value, depth));
            // What does not read as SQL may hold the value anywhere.
            return hit || (matches!(step, Step::Unclosed(..)) && text.contains(value));
        };
        let written = text.get(token.start..token.end).unwrap_or_default();
        match token.kind {
            Kind::TextContinued(_) => {
                if let Some(constant) = &mut constant {
                    constant.append(written);
                }
                continue;
            }
            kind if kind.is_blank() => continue,
            _ => {}
        }
        if let Some(constant) = constant.take() {
            let constant = constant.escaped_by(escape_character(text, token, written));
            if constant.mentions(engine, value, depth) {
                return true;
            }
        }
        match token.kind {
            Kind::Text(form) => constant = Some(Constant::new(form, written)),
            Kind::DollarText(length) => {
                let body = written.get(length..written.len() - length).unwrap_or_default();
                if body == value || mentions(engine, body, value, depth - 1) {
                    return true;
                }
            }
            Kind::QuotedName if engine == Engine::Sqlite && written.trim_matches(['"', '`', '[', ']']) == value => {
                return true;
            }
            _ => {}
        }
    }
}

/// The character of a `UESCAPE 'c'` that begins with this token.
fn escape_character(text: &str, token: Token, written: &str) -> Option<char> {
    if !written.eq_ignore_ascii_case("uescape") {
        return None;
    }
    text.get(token.end..)?.trim_start().strip_prefix('\'')?.chars().next()
}

/// A string constant with all its parts, undecoded, without the outer quotes.
struct Constant {
    form: Form,
    inner: String,
    escape: char,
}

impl Constant {
    fn new(form: Form, written: &str) -> Self {
        let mut constant = Constant { form, inner: String::new(), escape: '\\' };
        constant.append(written);
        constant
    }

    fn append(&mut self, written: &str) {
        let inner = written
            .find(char::from(self.form.quote()))
            .and_then(|open| written.get(open + 1..written.len().saturating_sub(1)));
        self.inner.push_str(inner.unwrap_or_default());
    }

    fn escaped_by(mut self, escape: Option<char>) -> Self {
        self.escape = escape.unwrap_or(self.escape);
        self
    }

    fn mentions(&self, engine: Engine, value: &str, depth: usize) -> bool {
        let plain = match self.form {
            Form::Double => self.inner.replace("\"\"", "\""),
            _ => self.inner.replace("''", "'"),
        };
        let mut readings = vec![match self.form {
            Form::Escape => unescape(&self.inner),
            Form::Unicode => unescape_unicode(&plain, self.escape),
            _ => plain,
        }];
        // Which way a plain string is read depends on a setting that is not known here.
        if matches!(self.form, Form::Plain | Form::National | Form::Double) && self.inner.contains('\\') {
            let unescaped = if engine == Engine::Mysql { unescape_mysql } else { unescape };
            readings.push(unescaped(&self.inner));
        }
        readings.iter().any(|text| {
            let nested = text.contains(['\'', '$']) && mentions(engine, text, value, depth - 1);
            text == value || nested || is_element(text, value)
        })
    }
}

/// True where `text` looks like an array, record, range or JSON constant that holds `value` between other characters
/// than those of names.
fn is_element(text: &str, value: &str) -> bool {
    if !text.trim_start().starts_with(['{', '(', '[']) || value.is_empty() {
        return false;
    }
    let in_name = |character: Option<char>| character.is_some_and(|found| found.is_alphanumeric() || found == '_');
    text.match_indices(value)
        .any(|(at, _)| !in_name(text[..at].chars().next_back()) && !in_name(text[at + value.len()..].chars().next()))
}

/// The value of what stands between the quotes of `E'...'`.
pub(crate) fn unescape(inner: &str) -> String {
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner.chars().peekable();
    while let Some(character) = rest.next() {
        if character == '\'' {
            rest.next_if_eq(&'\'');
        }
        if character != '\\' {
            push(&mut out, character);
            continue;
        }
        let Some(escaped) = rest.next() else { break };
        let mut digits = |radix: u32, first: Option<char>, limit: usize| {
            let mut value = first.and_then(|digit| digit.to_digit(radix));
            for _ in 0..limit {
                let Some(digit) = rest.next_if(|digit| digit.is_digit(radix)) else { break };
                value = Some(value.unwrap_or(0) * radix + digit.to_digit(radix).unwrap_or(0));
            }
            value
        };
        match escaped {
            'b' => out.push(8),
            'f' => out.push(12),
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            '0'..='7' => out.push((digits(8, Some(escaped), 2).unwrap_or(0) & 0xFF) as u8),
            'x' => match digits(16, None, 2) {
                Some(byte) => out.push(byte as u8),
                None => out.push(b'x'),
            },
            'u' | 'U' => {
                let limit = if escaped == 'u' { 4 } else { 8 };
                match digits(16, None, limit).and_then(char::from_u32) {
                    Some(character) => push(&mut out, character),
                    None => out.push(b'?'),
                }
            }
            other => push(&mut out, other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The value of what stands between the quotes of a string of MySQL whose backslashes escape.
pub(crate) fn unescape_mysql(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\'' | '"' => {
                // Doubled.
                rest.next_if_eq(&character);
                out.push(character);
            }
            '\\' => match rest.next() {
                Some('0') => out.push('\0'),
                Some('b') => out.push('\u{8}'),
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some('Z') => out.push('\u{1a}'),
                // Kept for LIKE.
                Some(wildcard @ ('%' | '_')) => out.extend(['\\', wildcard]),
                Some(other) => out.push(other),
                None => break,
            },
            _ => out.push(character),
        }
    }
    out
}

fn push(out: &mut Vec<u8>, character: char) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// The value of what stands between the quotes of `U&'...'` or `U&"..."`, quotes undoubled already.
pub(crate) fn unescape_unicode(inner: &str, escape: char) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find(escape) {
        out.push_str(&rest[..at]);
        rest = &rest[at + escape.len_utf8()..];
        if let Some(behind) = rest.strip_prefix(escape) {
            out.push(escape);
            rest = behind;
            continue;
        }
        let (from, length) = if rest.starts_with('+') { (1, 6) } else { (0, 4) };
        let code = rest.get(from..from + length).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match code.and_then(char::from_u32) {
            Some(character) => {
                out.push(character);
                rest = &rest[from + length..];
            }
            None => out.push(escape),
        }
    }
    out.push_str(rest);
    out
}

/// The value of the string constant at `index`, with its further parts on later lines.
pub(crate) fn constant(words: &mut Words<'_>, index: usize) -> Option<String> {
    let token = words.get(index)?;
    let mut value = value_of(token.kind, words.text(index))?;
    let mut next = index + 1;
    while let Some(Token { kind: Kind::TextContinued(form), .. }) = words.get(next) {
        let part = words.text(next);
        value += &read(form, part.get(1..part.len() - 1)?);
        next += 1;
    }
    Some(value)
}

fn value_of(kind: Kind, written: &str) -> Option<String> {
    let end = written.len().saturating_sub(1);
    Some(match kind {
        Kind::Text(form @ (Form::Plain | Form::Double)) => read(form, written.get(1..end)?),
        Kind::Text(Form::Unicode) => read(Form::Unicode, written.get(3..end)?),
        Kind::Text(form) => read(form, written.get(2..end)?),
        Kind::DollarText(length) => written.get(length..written.len() - length)?.to_owned(),
        _ => return None,
    })
}

/// The value of what stands between quotes.
fn read(form: Form, inner: &str) -> String {
    match form {
        Form::Escape => unescape(inner),
        Form::Unicode => unescape_unicode(&inner.replace("''", "'"), '\\'),
        Form::Double => inner.replace("\"\"", "\""),
        Form::Plain | Form::National | Form::Bits => inner.replace("''", "'"),
    }
}
