//! What single bytes mean at the start of a token.

use crate::Engine;

/// What a byte can begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Other,
    Space,
    Letter,
    /// A letter that makes a string of what follows: `E'`.
    Prefix,
    /// `U&'`.
    UnicodePrefix,
    /// The first byte of U+FEFF; a letter too.
    MarkStart,
    Digit,
    Quote,
    NameQuote,
    Dollar,
    Sigil,
    Dash,
    Slash,
    /// `"` of MySQL, which may enclose a string.
    DoubleQuote,
    /// `#` that begins a comment.
    Hash,
    Star,
    Backslash,
}

impl Class {
    pub(super) fn begins_name(self) -> bool {
        matches!(self, Class::Letter | Class::Prefix | Class::UnicodePrefix | Class::MarkStart)
    }

    /// Dollar signs continue names too, but are looked at one by one.
    pub(super) fn continues_name(self) -> bool {
        self.begins_name() || self == Class::Digit
    }

    /// True for bytes of MySQL that may begin what a tight loop cannot go past.
    pub(super) const fn is_notable(self) -> bool {
        matches!(
            self,
            Class::Quote
                | Class::DoubleQuote
                | Class::NameQuote
                | Class::Dollar
                | Class::Dash
                | Class::Slash
                | Class::Hash
                | Class::Star
                | Class::Backslash
                | Class::MarkStart
        )
    }

    pub(super) fn looks_ahead(self) -> bool {
        matches!(
            self,
            Class::Dash
                | Class::Slash
                | Class::Prefix
                | Class::UnicodePrefix
                | Class::MarkStart
                | Class::Dollar
                | Class::Sigil
        )
    }
}

pub(super) static POSTGRES: [Class; 256] = classes(Engine::Postgres);
pub(super) static SQLITE: [Class; 256] = classes(Engine::Sqlite);
pub(super) static MYSQL: [Class; 256] = classes(Engine::Mysql);

/// MySQL: the bytes that matter where only the end of a statement is looked for.
pub(super) static NOTABLE: [bool; 256] = notable();

const fn notable() -> [bool; 256] {
    let classes = classes(Engine::Mysql);
    let mut table = [false; 256];
    let mut index = 0;
    while index < 256 {
        table[index] = index as u8 == b';' || classes[index].is_notable();
        index += 1;
    }
    table
}

const fn classes(engine: Engine) -> [Class; 256] {
    let postgres = matches!(engine, Engine::Postgres);
    let mysql = matches!(engine, Engine::Mysql);
    let mut table = [Class::Other; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        table[index] = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0C => Class::Space,
            0x0B if postgres || mysql => Class::Space,
            b'x' | b'X' => Class::Prefix,
            b'b' | b'B' | b'n' | b'N' if postgres || mysql => Class::Prefix,
            b'e' | b'E' if postgres => Class::Prefix,
            b'u' | b'U' if postgres => Class::UnicodePrefix,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => Class::Letter,
            0xEF => Class::MarkStart,
            0x80..=0xFF => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'\'' => Class::Quote,
            b'"' if mysql => Class::DoubleQuote,
            b'"' => Class::NameQuote,
            b'`' if !postgres => Class::NameQuote,
            b'[' if !postgres && !mysql => Class::NameQuote,
            b'$' => Class::Dollar,
            b'#' if mysql => Class::Hash,
            b'*' if mysql => Class::Star,
            b'\\' if mysql => Class::Backslash,
            b'@' if !postgres => Class::Sigil,
            b':' | b'#' if !postgres && !mysql => Class::Sigil,
            b'-' => Class::Dash,
            b'/' => Class::Slash,
            _ => Class::Other,
        };
        index += 1;
    }
    table
}
