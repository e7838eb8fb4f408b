//! What stands before the body of a stored program of MySQL: CREATE, its definer, the kind of program, its name and
//! parameters, what it returns, what is said of it, the time of a trigger, the schedule of an event.

use super::mysql::{Place, is};
use crate::lexer::{Kind, Token};

/// How far the head has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    /// CREATE, with OR REPLACE, AGGREGATE and the definer.
    Create {
        oracle: bool,
    },
    /// Behind DEFINER: `=`, and the user.
    Definer {
        oracle: bool,
        equals: bool,
    },
    /// ALTER, with the definer.
    Alter,
    AlterDefiner {
        equals: bool,
    },
    /// Behind PROCEDURE or FUNCTION, up to its parameters.
    Name,
    Parameters(u32),
    /// LANGUAGE, DETERMINISTIC, COMMENT, ...
    Characteristics,
    Language,
    /// Behind RETURNS.
    Returns,
    ReturnsRest,
    /// In the parentheses of a type.
    TypeParentheses(u32),
    /// Behind COLLATE and its like: one more name.
    TypeName,
    /// Behind CHARACTER: SET, or another part of the type.
    Character,
    /// Behind TRIGGER, up to FOR EACH ROW.
    Trigger,
    TriggerFor,
    TriggerEach,
    /// Behind FOR EACH ROW.
    TriggerRow,
    /// Behind FOLLOWS or PRECEDES: a name.
    TriggerOther,
    TriggerDone,
    /// Behind EVENT: the name.
    EventName,
    Event,
}

const CHARACTERISTICS: &[&str] = &[
    "not",
    "deterministic",
    "contains",
    "no",
    "reads",
    "modifies",
    "sql",
    "data",
    "security",
    "definer",
    "invoker",
    "comment",
];

/// Words that go on with a type. `SET` does behind CHARACTER.
const TYPE_WORDS: &[&str] = &[
    "unsigned",
    "signed",
    "zerofill",
    "precision",
    "varying",
    "varchar",
    "varcharacter",
    "varbinary",
    "ascii",
    "unicode",
    "binary",
    "byte",
];

impl Head {
    pub(super) fn create(oracle: bool) -> Head {
        Head::Create { oracle }
    }

    pub(super) fn alter() -> Head {
        Head::Alter
    }

    /// Where the token leads; [`Place::Start`] where a statement of the body begins with it, or behind it.
    pub(super) fn next(self, token: Token, word: Option<&[u8]>) -> Place {
        let symbol = match token.kind {
            Kind::Symbol(symbol) => symbol,
            _ => 0,
        };
        let head = match self {
            Head::Create { oracle } => return create(oracle, word),
            Head::Definer { oracle, equals: false } => Head::Definer { oracle, equals: symbol == b'=' },
            Head::Definer { oracle, equals: true } => Head::Create { oracle },
            Head::Alter => match word {
                None => self,
                Some(word) if is(word, "definer") => Head::AlterDefiner { equals: false },
                Some(word) if is(word, "event") => Head::EventName,
                Some(_) => return Place::Plain,
            },
            Head::AlterDefiner { equals: false } => Head::AlterDefiner { equals: symbol == b'=' },
            Head::AlterDefiner { equals: true } => Head::Alter,
            Head::Name => match word {
                _ if symbol == b'(' => Head::Parameters(1),
                Some(word) if is(word, "returns") => Head::Returns,
                Some(word) if is(word, "as") || is(word, "is") => return Place::Opaque,
                _ => self,
            },
            Head::Parameters(depth) => match deeper(depth, symbol) {
                0 => Head::Characteristics,
                depth => Head::Parameters(depth),
            },
            Head::Characteristics => return characteristics(token, word),
            Head::Language => Head::Characteristics,
            Head::Returns => Head::ReturnsRest,
            Head::ReturnsRest => return returns(symbol, token, word),
            Head::TypeParentheses(depth) => match deeper(depth, symbol) {
                0 => Head::ReturnsRest,
                depth => Head::TypeParentheses(depth),
            },
            Head::TypeName => Head::ReturnsRest,
            Head::Character if word.is_some_and(|word| is(word, "set")) => Head::TypeName,
            Head::Character => return returns(symbol, token, word),
            Head::Trigger => if_word(word, "for", Head::TriggerFor, self),
            Head::TriggerFor => if_word(word, "each", Head::TriggerEach, Head::Trigger),
            Head::TriggerEach => if_word(word, "row", Head::TriggerRow, Head::Trigger),
            Head::TriggerRow => match word {
                Some(word) if is(word, "follows") || is(word, "precedes") => Head::TriggerOther,
                _ => return Place::Start,
            },
            Head::TriggerOther => Head::TriggerDone,
            Head::TriggerDone if symbol == b'.' => Head::TriggerOther,
            Head::TriggerDone => return Place::Start,
            Head::EventName => Head::Event,
            Head::Event if word.is_some_and(|word| is(word, "do")) => return Place::Start,
            Head::Event => self,
        };
        Place::Head(head)
    }

    /// True where the token that led to the body is the last of the head, not the first of the body.
    pub(super) fn ends_itself(self) -> bool {
        self == Head::Event
    }
}

fn if_word(word: Option<&[u8]>, key: &str, yes: Head, no: Head) -> Head {
    if word.is_some_and(|word| is(word, key)) { yes } else { no }
}

fn deeper(depth: u32, symbol: u8) -> u32 {
    match symbol {
        b'(' => depth + 1,
        b')' => depth.saturating_sub(1),
        _ => depth,
    }
}

fn create(oracle: bool, word: Option<&[u8]>) -> Place {
    let Some(word) = word else { return Place::Head(Head::Create { oracle }) };
    let goes_on = ["or", "replace", "aggregate"].iter().any(|key| is(word, key));
    Place::Head(match () {
        () if goes_on => Head::Create { oracle },
        () if is(word, "definer") => Head::Definer { oracle, equals: false },
        () if is(word, "package") => return Place::Opaque,
        () if is(word, "event") => Head::EventName,
        () if oracle && ["procedure", "function", "trigger"].iter().any(|key| is(word, key)) => return Place::Opaque,
        () if is(word, "procedure") || is(word, "function") => Head::Name,
        () if is(word, "trigger") => Head::Trigger,
        () => return Place::Plain,
    })
}

fn characteristics(token: Token, word: Option<&[u8]>) -> Place {
    match word {
        // The text of a comment.
        None if matches!(token.kind, Kind::Text(_)) => Place::Head(Head::Characteristics),
        None => Place::Start,
        Some(word) if is(word, "language") => Place::Head(Head::Language),
        Some(word) if is(word, "returns") => Place::Head(Head::Returns),
        Some(word) if is(word, "as") || is(word, "is") => Place::Opaque,
        Some(word) if CHARACTERISTICS.iter().any(|key| is(word, key)) => Place::Head(Head::Characteristics),
        Some(_) => Place::Start,
    }
}

/// What may follow the first word of a type.
fn returns(symbol: u8, token: Token, word: Option<&[u8]>) -> Place {
    Place::Head(match word {
        _ if symbol == b'(' => Head::TypeParentheses(1),
        _ if symbol == b'.' => Head::TypeName,
        // RETURNS TYPE OF a.b
        Some(word) if ["of", "collate", "charset", "srid"].iter().any(|key| is(word, key)) => Head::TypeName,
        Some(word) if is(word, "character") || is(word, "char") => Head::Character,
        Some(word) if TYPE_WORDS.iter().any(|key| is(word, key)) => Head::ReturnsRest,
        _ => return characteristics(token, word),
    })
}
