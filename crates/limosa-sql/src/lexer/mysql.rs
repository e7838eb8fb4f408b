//! What MySQL and MariaDB read otherwise than the others: comments that hold SQL, `#`, variables, names that begin with
//! a digit, and the delimiters of their client.

use super::bytes::{Class, NOTABLE};
use super::found::Found;
use super::{Form, Inside, Kind, Lexer, Open, Step};

/// A comment for this version or a later one holds SQL for no server: `/*M!999999\- enable the sandbox mode */` speaks
/// to the client.
const NO_SERVER: u32 = 999_999;

impl Lexer {
    /// Puts a text in the place of `;`; an empty one puts `;` back.
    pub(crate) fn set_delimiter(&mut self, delimiter: &[u8]) {
        self.delimiter = delimiter.to_vec();
    }

    /// Begins a token.
    pub(super) fn open_mysql(&mut self, text: &[u8], last: bool) -> Step {
        self.start = self.at;
        let rest = &text[self.at..];
        let Some(&byte) = rest.first() else {
            return match self.executable {
                Some(at) if last => {
                    self.executable = None;
                    Step::Unclosed(Open::Executable, at)
                }
                _ if last => Step::End,
                _ => Step::More,
            };
        };
        match self.delimiter_at(text, self.at, last) {
            Found::Yes(length) => return self.solid(Kind::Delimiter, self.at + length),
            Found::More => return Step::More,
            Found::No => {}
        }
        let class = self.classes[byte as usize];
        if class != Class::Space
            && let Some(step) = self.marked(text, last)
        {
            return step;
        }
        let next = rest.get(1).copied();
        if next.is_none() && !last && (class.looks_ahead() || matches!(class, Class::Star | Class::Backslash)) {
            return Step::More;
        }
        match class {
            Class::Space => self.space(text, last),
            Class::Hash => {
                self.at += 1;
                self.line_comment(text, last)
            }
            Class::Dash => self.dash(text, last),
            Class::Slash if next == Some(b'*') => self.comment(text, last),
            Class::Star if next == Some(b'/') && self.executable.is_some() => {
                self.executable = None;
                self.solid(Kind::Closing, self.at + 2)
            }
            Class::MarkStart if rest.starts_with(&[0xEF, 0xBB, 0xBF]) => self.emit(Kind::Mark, self.at + 3),
            Class::MarkStart if !last && [0xEF, 0xBB, 0xBF].starts_with(rest) => Step::More,
            _ => {
                self.fresh = false;
                self.code(text, last, class, byte, next)
            }
        }
    }

    /// A token that is neither blank nor comment.
    fn code(&mut self, text: &[u8], last: bool, class: Class, byte: u8, next: Option<u8>) -> Step {
        match class {
            Class::Quote => {
                self.at += 1;
                self.text(text, last, Form::Plain, false)
            }
            Class::DoubleQuote if self.reading.ansi_quotes => {
                self.at += 1;
                self.name(text, last, b'"')
            }
            Class::DoubleQuote => {
                self.at += 1;
                self.text(text, last, Form::Double, false)
            }
            Class::NameQuote => {
                self.at += 1;
                self.name(text, last, b'`')
            }
            Class::Prefix if next == Some(b'\'') => {
                self.at += 2;
                let form = if byte.eq_ignore_ascii_case(&b'n') { Form::National } else { Form::Bits };
                self.text(text, last, form, false)
            }
            Class::Dollar => match self.placeholder_at(text, self.at, last) {
                Found::Yes(length) => self.emit(Kind::Placeholder, self.at + length),
                Found::More => Step::More,
                Found::No => {
                    self.at += 1;
                    self.word_of_mysql(text, last)
                }
            },
            Class::Sigil => {
                let names = |byte: u8| self.classes[byte as usize].continues_name() || matches!(byte, b'$' | b'@');
                if !next.is_some_and(names) {
                    return self.emit(Kind::Symbol(byte), self.at + 1);
                }
                self.at += if next == Some(b'@') { 2 } else { 1 };
                self.variable(text, last)
            }
            // Another way to write NULL.
            Class::Backslash if next == Some(b'N') => self.emit(Kind::Word, self.at + 2),
            class if class.continues_name() => self.word_of_mysql(text, last),
            _ => self.emit(Kind::Symbol(byte), self.at + 1),
        }
    }

    fn solid(&mut self, kind: Kind, end: usize) -> Step {
        self.fresh = false;
        self.emit(kind, end)
    }

    /// `-- ` begins a comment, and `--x` does where nothing stands before it: no statement begins like that, and the
    /// client takes it for a comment too.
    fn dash(&mut self, text: &[u8], last: bool) -> Step {
        let rest = &text[self.at..];
        if rest.get(1) == Some(&b'-') {
            let begins = match rest.get(2) {
                None if !last && !self.fresh => return Step::More,
                None => true,
                Some(byte) => self.fresh || byte.is_ascii_whitespace() || byte.is_ascii_control(),
            };
            if begins {
                self.at += 2;
                return self.line_comment(text, last);
            }
        }
        self.solid(Kind::Symbol(b'-'), self.at + 1)
    }

    /// What begins with `/*`.
    fn comment(&mut self, text: &[u8], last: bool) -> Step {
        let rest = &text[self.at..];
        let mark = match (rest.get(2), rest.get(3)) {
            (Some(b'!'), _) => 3,
            (Some(b'M'), Some(b'!')) => 4,
            (None, _) | (Some(b'M'), None) if !last => return Step::More,
            _ => 0,
        };
        if mark > 0 {
            let digits = rest[mark..].iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
            if mark + digits == rest.len() && digits < 6 && !last {
                return Step::More;
            }
            let version = rest[mark..mark + digits].iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
            if version < NO_SERVER {
                self.executable = Some(self.at);
                let digits = if digits < 5 { 0 } else { digits };
                return self.solid(Kind::Opening, self.at + mark + digits);
            }
        }
        self.at += 2;
        self.block_comment(text, last, 1)
    }

    /// A name, a key word or a number: digits may begin a name.
    pub(super) fn word_of_mysql(&mut self, text: &[u8], last: bool) -> Step {
        match self.pass_name(text, last, false) {
            Some(end) => self.emit(kind_of(&text[self.start..end]), end),
            None => {
                self.inside = Inside::Word;
                Step::More
            }
        }
    }

    /// `@name` or `@@name`, with the dots of host names and scopes.
    pub(super) fn variable(&mut self, text: &[u8], last: bool) -> Step {
        match self.pass_name(text, last, true) {
            Some(end) => self.emit(Kind::Parameter, end),
            None => {
                self.inside = Inside::Parameter;
                Step::More
            }
        }
    }

    /// Bytes that may begin what ends statements besides `;`.
    fn first_of_delimiter(&self) -> [Option<u8>; 2] {
        if self.executable.is_some() {
            return [None; 2];
        }
        let of_file = self.end_delimiter.as_ref().and_then(|delimiter| delimiter.text().bytes().next());
        match self.delimiter.first() {
            Some(first) => [Some(*first), None],
            None => [of_file.map(|byte| byte.to_ascii_lowercase()), of_file.map(|byte| byte.to_ascii_uppercase())],
        }
    }

    /// Goes to the end of a name: where a placeholder or the delimiter begins, too. None where more text is needed.
    fn pass_name(&mut self, text: &[u8], last: bool, dots: bool) -> Option<usize> {
        let [first, second] = self.first_of_delimiter();
        let watched = [first, second, self.marks.map(|marks| marks.prefix_bytes()[0])];
        loop {
            let from = self.at;
            let classes = self.classes;
            let length = text[from..]
                .iter()
                .position(|&byte| {
                    watched.contains(&Some(byte))
                        || !(classes[byte as usize].continues_name() || (dots && byte == b'.'))
                })
                .unwrap_or(text.len() - from);
            self.at = from + length;
            let Some(&byte) = text.get(self.at) else { return last.then_some(self.at) };
            if watched.contains(&Some(byte)) {
                match self.delimiter_at(text, self.at, last) {
                    Found::Yes(_) => return Some(self.at),
                    Found::More => return None,
                    Found::No => {}
                }
            }
            if byte == b'$' || (self.marks.is_some() && watched[2] == Some(byte)) {
                match self.placeholder_at(text, self.at, last) {
                    Found::Yes(_) => return Some(self.at),
                    Found::More => return None,
                    Found::No => {}
                }
            }
            if byte != b'$' && !(classes[byte as usize].continues_name() || (dots && byte == b'.')) {
                return Some(self.at);
            }
            self.at += 1;
        }
    }

    /// Goes past what cannot end a statement and opens nothing, byte by byte; sets `end` behind the last of it that is
    /// no blank. Rows of numbers pass several times as fast as token by token.
    pub(super) fn pass_calm(&mut self, text: &[u8], end: &mut usize) {
        let watched = self.delimiter.first().copied();
        let run = match watched {
            None => text[self.at..].iter().position(|&byte| NOTABLE[byte as usize]),
            Some(first) => text[self.at..].iter().position(|&byte| NOTABLE[byte as usize] || byte == first),
        };
        let run = run.unwrap_or(text.len() - self.at);
        let passed = &text[self.at..self.at + run];
        // The word at its end is left to the next token: it may go on, or belong to a quote (x'..').
        let word = passed.iter().rev().take_while(|&&byte| self.classes[byte as usize].continues_name()).count();
        let passed = &passed[..run - word];
        if let Some(solid) = passed.iter().rposition(|&byte| self.classes[byte as usize] != Class::Space) {
            *end = self.at + solid + 1;
        }
        self.at += passed.len();
    }
}

/// A run of characters of names that begins with a digit is a number where it is made like one.
fn kind_of(word: &[u8]) -> Kind {
    let Some((first, rest)) = word.split_first().filter(|(first, _)| first.is_ascii_digit()) else { return Kind::Word };
    let digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    let is_number = match rest {
        [b'x', hexadecimal @ ..] if *first == b'0' => {
            !hexadecimal.is_empty() && hexadecimal.iter().all(u8::is_ascii_hexdigit)
        }
        [b'b', binary @ ..] if *first == b'0' => {
            !binary.is_empty() && binary.iter().all(|digit| matches!(digit, b'0' | b'1'))
        }
        _ => match rest.iter().position(|byte| byte.eq_ignore_ascii_case(&b'e')) {
            Some(at) => digits(&rest[..at]) && digits(&rest[at + 1..]),
            None => digits(rest),
        },
    };
    if is_number { Kind::Number } else { Kind::Word }
}
