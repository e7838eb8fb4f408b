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
}

impl Class {
    pub(super) fn begins_name(self) -> bool {
        matches!(self, Class::Letter | Class::Prefix | Class::UnicodePrefix | Class::MarkStart)
    }

    /// Dollar signs continue names too, but are looked at one by one.
    pub(super) fn continues_name(self) -> bool {
        self.begins_name() || self == Class::Digit
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

const fn classes(engine: Engine) -> [Class; 256] {
    let postgres = matches!(engine, Engine::Postgres);
    let mut table = [Class::Other; 256];
    let mut index = 0;
    while index < 256 {
        let byte = index as u8;
        table[index] = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0C => Class::Space,
            0x0B if postgres => Class::Space,
            b'x' | b'X' => Class::Prefix,
            b'e' | b'E' | b'b' | b'B' | b'n' | b'N' if postgres => Class::Prefix,
            b'u' | b'U' if postgres => Class::UnicodePrefix,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => Class::Letter,
            0xEF => Class::MarkStart,
            0x80..=0xFF => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'\'' => Class::Quote,
            b'"' => Class::NameQuote,
            b'`' | b'[' if !postgres => Class::NameQuote,
            b'$' => Class::Dollar,
            b'@' | b':' | b'#' if !postgres => Class::Sigil,
            b'-' => Class::Dash,
            b'/' => Class::Slash,
            _ => Class::Other,
        };
        index += 1;
    }
    table
}
