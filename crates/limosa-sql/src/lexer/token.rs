//! What the lexer gives out.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Space,
    LineComment,
    BlockComment,
    /// A key word or an unquoted name.
    Word,
    QuotedName,
    Text(Form),
    /// A further part of the string constant before it, after a line break.
    TextContinued(Form),
    /// A dollar-quoted string; the length of its delimiter.
    DollarText(usize),
    Number,
    /// `$1`, `?1`, `:name`, `@name`, `@@global.name`.
    Parameter,
    /// `${name}`, `${name:form}`, `${name:-default}` and its like.
    Placeholder,
    /// U+FEFF between tokens.
    Mark,
    /// MySQL: `/*!`, `/*!50001`, `/*M!100100`. What follows is SQL.
    Opening,
    /// The `*/` that ends it.
    Closing,
    /// MySQL: what a DELIMITER command put in the place of `;`.
    Delimiter,
    Symbol(u8),
}

impl Kind {
    /// True for what carries no meaning.
    pub(crate) fn is_blank(self) -> bool {
        matches!(self, Kind::Space | Kind::LineComment | Kind::BlockComment | Kind::Mark)
    }

    /// True for the marks around SQL that stands in a comment of MySQL.
    pub(crate) fn is_executable_mark(self) -> bool {
        matches!(self, Kind::Opening | Kind::Closing)
    }
}

/// How a string constant is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `'...'`
    Plain,
    /// `"..."` of MySQL.
    Double,
    /// `E'...'`
    Escape,
    /// `U&'...'`
    Unicode,
    /// `N'...'`
    National,
    /// `B'...'`, `X'...'`
    Bits,
}

impl Form {
    /// The byte that ends it.
    pub(crate) fn quote(self) -> u8 {
        if self == Form::Double { b'"' } else { b'\'' }
    }
}

/// One token: bytes `start..end` of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// What is open where the text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    Text,
    Name,
    /// The length of the opening delimiter.
    Dollar(usize),
    Comment,
    /// A comment of MySQL that holds SQL.
    Executable,
}

/// The answer of [`super::Lexer::next`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Token(Token),
    /// More text is needed.
    More,
    /// The text is at its end.
    End,
    /// The text ended inside of something that began at the offset.
    Unclosed(Open, usize),
}

/// How quotes are read, where a setting of the session decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// In plain strings a backslash escapes the next character (PostgreSQL with `standard_conforming_strings = off`,
    /// MySQL without NO_BACKSLASH_ESCAPES).
    pub(crate) backslashes: bool,
    /// Double quotes enclose names, not strings (MySQL with ANSI_QUOTES).
    pub(crate) ansi_quotes: bool,
}

impl Reading {
    /// What a fresh session of the engine does.
    pub(crate) fn of(engine: crate::Engine) -> Reading {
        let mysql = engine == crate::Engine::Mysql;
        Reading { backslashes: mysql, ansi_quotes: !mysql }
    }
}
